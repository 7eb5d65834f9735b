"""DataPacks: ids, views, changes, arrays, files; against frames written by hand."""

import numpy as np
import pandas as pd
import pytest

from ir_attention import matchzoo as mz
from ir_attention.errors import DataError


@pytest.fixture
def frame():
    return pd.DataFrame(
        {"text_left": list("AABC"), "text_right": list("abbc"), "label": [0, 1, 1, 0]}
    )


@pytest.fixture
def pack(frame):
    return mz.pack(frame)


def rows(pack):
    return pack.frame().to_numpy().tolist()


EXAMPLE = [
    ["L-0", "A", "R-0", "a", 0],
    ["L-0", "A", "R-1", "b", 1],
    ["L-1", "B", "R-1", "b", 1],
    ["L-2", "C", "R-2", "c", 0],
]


def test_ids_are_given_by_unique_text(frame, pack):
    before = frame.copy()
    assert list(pack.frame().columns) == ["id_left", "text_left", "id_right", "text_right", "label"]
    assert rows(pack) == EXAMPLE
    assert pack.left.text_left.to_dict() == {"L-0": "A", "L-1": "B", "L-2": "C"}
    assert pack.right.text_right.to_dict() == {"R-0": "a", "R-1": "b", "R-2": "c"}
    pd.testing.assert_frame_equal(frame, before)


def test_own_ids_and_columns_are_kept(frame):
    pack = mz.pack(frame.assign(id_left=list("qqrs"), id_right=list("wxxz"), source="web"))
    assert pack.relation.columns.tolist() == ["id_left", "id_right", "label", "source"]
    assert pack.left.index.tolist() == ["q", "r", "s"]
    assert pack.frame[0].to_numpy().tolist() == [["q", "A", "w", "a", 0, "web"]]


def test_one_query_over_many_documents():
    texts = [f"document {number}" for number in range(5)]
    pack = mz.pack(
        pd.DataFrame({"text_left": "headline", "text_right": texts, "label": [0, 0, 1, 0, 0]})
    )
    assert (len(pack), len(pack.left), len(pack.right)) == (5, 1, 5)


def test_texts_are_needed(frame):
    with pytest.raises(ValueError, match="must have `text_left` and `text_right`"):
        mz.pack(frame.drop(columns="text_left"))


def test_slices_keep_what_they_need(pack):
    part = pack[1:3]
    assert rows(part) == EXAMPLE[1:3]
    assert (len(part.left), len(part.right)) == (2, 1)
    assert part.relation.index.tolist() == [0, 1]
    assert rows(pack[3]) == EXAMPLE[3:]
    assert rows(pack[[2, 0]]) == [EXAMPLE[2], EXAMPLE[0]]
    assert rows(pack[np.array([3, 1])]) == [EXAMPLE[3], EXAMPLE[1]]
    assert rows(pack) == EXAMPLE


def test_slices_make_the_row_split_of_the_tutorials():
    size = 103
    pack = mz.pack(pd.DataFrame({"text_left": map(str, range(size)), "text_right": "d"}))
    train = int(0.8 * size)
    valid = train + int(0.1 * size)
    assert [len(part) for part in (pack[:train], pack[train:valid], pack[valid:])] == [82, 10, 11]


def test_the_frame_is_a_view(pack):
    view = pack.frame
    assert view[1:3].to_numpy().tolist() == EXAMPLE[1:3]
    pack.drop_label(inplace=True)
    assert "label" not in view().columns


def test_copies_are_deep(pack):
    copy = pack.copy()
    copy.left.loc["L-0", "text_left"] = "changed"
    copy.relation = copy.relation.assign(label=7)
    assert rows(pack) == EXAMPLE


def test_apply_on_text(pack):
    assert rows(pack.apply_on_text(str.lower, mode="left", verbose=0))[0][1] == "a"
    longer = pack.apply_on_text(lambda text: [text] * 3, mode="right", verbose=0)
    assert longer.right.text_right["R-1"] == ["b", "b", "b"]
    named = pack.apply_on_text(ord, rename=("left_number", "right_number"), verbose=0)
    assert named.frame().columns.tolist() == [
        "id_left", "text_left", "left_number", "id_right", "text_right", "right_number", "label"
    ]  # fmt: skip
    assert named.left.left_number.tolist() == [65, 66, 67]
    assert rows(pack) == EXAMPLE
    pack.apply_on_text(str.upper, mode="right", inplace=True, verbose=0)
    assert pack.right.text_right.tolist() == ["A", "B", "C"]
    with pytest.raises(ValueError, match="not a valid mode"):
        pack.apply_on_text(len, mode="middle")


def test_progress_goes_to_stderr(pack, capsys):
    pack.apply_on_text(len, verbose=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Processing text_left with len" in shown.err


def test_append_text_length_and_drop_invalid(frame):
    pack = mz.pack(frame.assign(text_right=["", "bb", "bb", "ccc"]))
    with pytest.raises(DataError, match="call `append_text_length` before"):
        pack.drop_invalid()
    pack = pack.append_text_length(verbose=0)
    assert pack.left.length_left.tolist() == [1, 1, 1]
    assert pack.right.length_right.tolist() == [0, 2, 3]
    valid = pack.drop_invalid()
    assert valid.relation.id_right.tolist() == ["R-1", "R-1", "R-2"]
    assert valid.relation.index.tolist() == [0, 1, 2]
    assert len(pack) == 4
    pack.drop_invalid(inplace=True)
    assert len(pack) == 3


def test_shuffle_is_a_permutation(pack):
    shuffled = pack.shuffle(seed=7)
    assert rows(shuffled) != EXAMPLE
    assert sorted(rows(shuffled)) == sorted(EXAMPLE)
    assert shuffled.relation.index.tolist() == [0, 1, 2, 3]
    assert rows(shuffled) == rows(pack.shuffle(seed=7))
    assert rows(pack) == EXAMPLE
    np.random.seed(5)
    first = rows(pack.shuffle())
    np.random.seed(5)
    assert rows(pack.shuffle()) == first
    pack.shuffle(inplace=True, seed=7)
    assert rows(pack) == rows(shuffled)


def test_labels(pack):
    assert pack.has_label
    assert not pack.drop_label().has_label
    x, y = pack.drop_label().unpack()
    assert y is None and "label" not in x
    _, y = pack.one_hot_encode_label(num_classes=3).unpack()
    np.testing.assert_array_equal(y, [[1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]])
    assert mz.one_hot(2, 4).tolist() == [0, 0, 1, 0]


def test_unpack(pack):
    x, y = pack.unpack()
    assert sorted(x) == ["id_left", "id_right", "text_left", "text_right"]
    assert x["id_right"].tolist() == ["R-0", "R-1", "R-1", "R-2"]
    np.testing.assert_array_equal(y, [[0], [1], [1], [0]])


def test_unpack_makes_a_matrix_of_texts_of_one_length(pack):
    x, _ = pack.apply_on_text(lambda text: [ord(text), 0, 7], verbose=0).unpack()
    np.testing.assert_array_equal(x["text_left"], [[65, 0, 7], [65, 0, 7], [66, 0, 7], [67, 0, 7]])


def test_unpack_keeps_ragged_texts(pack):
    lengths = {"A": 3, "B": 1, "C": 2, "a": 0, "b": 2, "c": 0}
    x, _ = pack.apply_on_text(lambda text: [5] * lengths[text], verbose=0).unpack()
    assert x["text_left"].dtype == object
    assert x["text_left"].tolist() == [[5, 5, 5], [5, 5, 5], [5], [5, 5]]
    assert x["text_right"].tolist() == [[], [5, 5], [5, 5], []]
    nested = {"A": [[1], [2, 3]], "B": [[4], [5]], "C": [[6], []]}
    x, _ = pack.apply_on_text(nested.get, mode="left", verbose=0).unpack()
    assert x["text_left"].tolist() == [nested[text] for text in "AABC"]


def test_save_and_load_warn_and_close_their_files(pack, tmp_path):
    with pytest.warns(UserWarning, match="runs whatever code is in it.*data.dill$") as caught:
        pack.save(tmp_path / "pack")
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="Reading with dill.*Load only your own") as caught:
        again = mz.load_data_pack(tmp_path / "pack")
    assert caught[0].filename == __file__
    assert rows(again) == EXAMPLE
    with pytest.raises(FileExistsError):
        pack.save(tmp_path / "pack")
