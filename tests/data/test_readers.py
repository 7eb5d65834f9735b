"""read_pairs, read_pack and as_pairs: what they return, and that each error says where and what."""

import gzip
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ir_attention.data.pairs import COLUMNS
from ir_attention.data.readers import as_pairs, read_pack, read_pairs
from ir_attention.data.splits import split_by_query
from ir_attention.errors import DataError

HEAD = "id_left\ttext_left\tid_right\ttext_right\tlabel\n"
GOOD = "q1\tx\td1\ty\t1\n"
REAL = Path(os.environ.get("IR_ATTENTION_DATA", Path(__file__).parents[2] / "data"))


@pytest.fixture
def write(tmp_path):
    def write(text, name="pairs.tsv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def frame(**columns):
    base = {"text_left": ["a", "b"], "text_right": ["x", "y"], "label": [0, 1]}
    return pd.DataFrame({**base, **columns})


def test_reads_pairs_in_order(write):
    lines = 'q1\twho said "no"?\td2\tShe did.\t1\nq1\twho said "no"?\td1\t\t0\n'
    pairs = read_pairs(write(HEAD + lines))
    assert tuple(pairs) == COLUMNS
    assert pairs.id_right.tolist() == ["d2", "d1"]
    assert pairs.text_left[0] == 'who said "no"?'
    assert pairs.text_right.tolist() == ["She did.", ""]
    assert pairs.label.tolist() == [1, 0]
    assert pairs.label.dtype == "int64"


def test_headers_of_ones_own(write):
    """The five rows of a tutorial: one query, five documents."""
    text = "Query Headline, Document Headline, Match\n" + "".join(
        f'Man City win,"Doc, {number}",{int(number == 3)}\n' for number in range(5)
    )
    columns = {"text_left": "Query Headline", "text_right": "Document Headline", "label": "Match"}
    pairs = read_pairs(write(text, "news.csv"), columns)
    assert pairs.id_left.tolist() == ["L-0"] * 5
    assert pairs.id_right.tolist() == ["R-0", "R-1", "R-2", "R-3", "R-4"]
    assert pairs.text_right[1] == "Doc, 1"
    assert pairs.label.tolist() == [0, 0, 0, 1, 0]


def test_made_ids_go_by_text():
    texts = {"text_left": [*"AABC"], "text_right": [*"abbc"], "label": [0, 1, 0, 2]}
    pairs = read_pairs(pd.DataFrame(texts, index=[7, 7, 8, 9]))
    assert pairs.id_left.tolist() == ["L-0", "L-0", "L-1", "L-2"]
    assert pairs.id_right.tolist() == ["R-0", "R-1", "R-1", "R-2"]
    assert pairs.index.tolist() == [0, 1, 2, 3]


def test_packs_have_the_ids_of_matchzoo():
    mz = pytest.importorskip("ir_attention.matchzoo")
    texts = {"text_left": [*"AABC"], "text_right": [*"abbc"], "label": [0, 1, 0, 2]}
    pack, theirs = read_pack(pd.DataFrame(texts)), mz.pack(pd.DataFrame(texts))
    assert len(pack) == 4
    assert pack.left.text_left.to_dict() == {"L-0": "A", "L-1": "B", "L-2": "C"}
    for ours, other in ((pack.left, theirs.left), (pack.right, theirs.right)):
        assert ours.to_dict() == other.to_dict()
    assert pack.relation.to_dict("list") == theirs.relation.to_dict("list")
    pd.testing.assert_frame_equal(as_pairs(pack), read_pairs(pd.DataFrame(texts)))
    parts = split_by_query(pack, (1, 2), seed=1)
    assert [type(part) for part in parts] == [mz.DataPack] * 2
    assert sorted(text for part in parts for text in part.left.text_left) == ["A", "B", "C"]
    assert sum(map(len, parts)) == len(pack)


SAME = [("1", "x, y", "d", 'say "no"', 0), ("1", "x, y", "e", "é😀", 2)]


def test_every_format_gives_the_same(write, tmp_path):
    same = pd.DataFrame(SAME, columns=list(COLUMNS))
    same.to_csv(tmp_path / "a.csv", index=False)
    write(gzip.compress((tmp_path / "a.csv").read_bytes()), "b.csv.gz")
    write(HEAD + "".join("\t".join(map(str, row)) + "\n" for row in SAME), "a.tsv")
    same.astype({"id_left": int}).to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    same.to_parquet(tmp_path / "a.parquet")
    expected = read_pairs(same)
    for name in ("a.csv", "b.csv.gz", "a.tsv", "a.jsonl", "a.parquet"):
        pd.testing.assert_frame_equal(read_pairs(str(tmp_path / name)), expected)


def test_labels_may_be_left_out(write):
    plain = frame().drop(columns="label")
    assert list(read_pairs(plain, labels="optional")) == list(COLUMNS[:4])
    blank = write("text_left\ttext_right\tlabel\na\tx\t\n")
    assert list(read_pairs(blank, labels="optional")) == list(COLUMNS[:4])
    assert list(as_pairs(frame(label=[None, np.nan]), labels="optional")) == list(COLUMNS[:4])
    assert read_pairs(frame(), labels="optional").label.tolist() == [0, 1]
    with pytest.raises(DataError, match=r"row 1: label must be .* Received: nan"):
        read_pairs(frame(label=[1, np.nan]), labels="optional")


def test_other_columns_are_kept_on_demand(write):
    table = frame(votes=["3", "4"], source=["t", "u"])
    assert list(read_pairs(table)) == list(COLUMNS)
    kept = read_pairs(table, keep=True)
    assert list(kept) == [*COLUMNS, "votes", "source"]
    assert kept.votes.tolist() == ["3", "4"]
    with pytest.raises(DataError, match=r"must not be called .* Received: \['label'\]"):
        read_pairs(table, {"label": "votes"}, keep=True)


@pytest.mark.parametrize("label", ["1", " 1", "+1", "1.0", "1."])
def test_labels_as_texts(label, write):
    assert read_pairs(write(f"{HEAD}q\tx\td\ty\t{label}\n")).label.tolist() == [1]


@pytest.mark.parametrize(
    "labels", [[0, 3], [0.0, 3.0], [False, 3], ["0", 3], np.array([0, 3], "uint8"), ["0", "3"]]
)
def test_labels_of_any_kind(labels):
    assert read_pairs(frame(label=labels)).label.tolist() == [0, 3]


@pytest.mark.parametrize("ids", [[1, 2], [1.0, 2.0], ["1", 2], np.array([1, 2], "int8")])
def test_ids_of_any_kind(ids):
    assert read_pairs(frame(id_left=ids)).id_left.tolist() == ["1", "2"]


MAP = "Say what yours are called with columns={'text_left': ...}."
WHOLE = "label must be a whole number >= 0."
IN_FILES = {
    "columns missing": (
        "id_left\tlabel\nq\t1\n",
        f"FILE: no column 'text_left', 'text_right'. {MAP} Received: ['id_left', 'label'].",
    ),
    "label missing": (
        "text_left\ttext_right\nq\td\n",
        "FILE: no column 'label'. Say what yours are called with columns={'label': ...}. "
        "Received: ['text_left', 'text_right'].",
    ),
    "label a word": (
        HEAD + GOOD + "q1\tx\td2\ty\tyes\nq1\tx\td2\ty\tno\n",
        f"FILE, line 3: {WHOLE} Received: 'yes' (2 of 3 rows are like this).",
    ),
    "label a fraction": (
        HEAD + "\n" + GOOD + "q1\tx\td2\ty\t0.5\n",
        f"FILE, line 4: {WHOLE} Received: '0.5' (1 of 2 rows are like this).",
    ),
    "label negative": (
        HEAD + "q1\tx\td1\ty\t-1\n",
        f"FILE, line 2: {WHOLE} Received: '-1' (1 of 1 rows are like this).",
    ),
    "label left out": (
        HEAD + "q1\tx\td1\ty\t\n" + GOOD,
        f"FILE, line 2: {WHOLE} Received: '' (1 of 2 rows are like this).",
    ),
    "label too large": (
        HEAD + "q1\tx\td1\ty\t" + "9" * 400 + "\n" + GOOD,
        f"FILE, line 2: {WHOLE} Received: '{'9' * 59}...{'9' * 9}' (cut) "
        "(1 of 2 rows are like this).",
    ),
    "an id left out": (
        HEAD + GOOD + " \tx\td1\ty\t1\n",
        "FILE, line 3: id_left must be an id, a string or a whole number. Received: ' ' "
        "(1 of 2 rows are like this).",
    ),
    "an id of two texts": (
        HEAD + GOOD + "q1\tx\td2\tz\t0\nq2\tw\td1\tz\t1\nq2\tw\td1\ty\t1\n",
        "FILE, line 4: id_right 'd1' must stand for one text, and at FILE, line 2 it stood for "
        "'y'. Received: 'z' (1 of 4 rows are like this). Give each text an id of its own, or leave "
        "the column out.",
    ),
}


@pytest.mark.parametrize("name", IN_FILES)
def test_errors_in_files(write, name):
    text, message = IN_FILES[name]
    path = write(text)
    with pytest.raises(DataError) as caught:
        read_pairs(path)
    assert str(caught.value) == message.replace("FILE", str(path))


def test_the_line_of_an_error_in_csv_and_json(write):
    text = 'text_left,text_right,label\n"two\nlines",x,1\na,"three\n\nlines",0\na,b,-1\n'
    with pytest.raises(DataError, match="pairs.csv, line 7: label must be"):
        read_pairs(write(text, "pairs.csv"))
    text = (
        '{"text_left": "a", "text_right": "b", "label": 1}\n\n{"text_left": 3, "text_right": "b"}'
    )
    with pytest.raises(DataError, match="line 3: text_left must be text.* Received: 3 .1 of 2"):
        read_pairs(write(text, "pairs.jsonl"))


TEXT = "must be text; a text without words is ''."
IN_FRAMES = {
    "a text missing": (
        {"text_right": ["x", None]},
        f"row 1: text_right {TEXT} Received: None (1 of 2 rows are like this).",
    ),
    "texts missing": (
        {"text_left": [np.nan, np.nan]},
        f"row 0: text_left {TEXT} Received: nan (2 of 2 rows are like this).",
    ),
    "texts are numbers": (
        {"text_left": [1, 2]},
        f"row 0: text_left {TEXT} Received: 1 (2 of 2 rows are like this).",
    ),
    "texts are lists": (
        {"text_right": [["x"], "y"]},
        f"row 0: text_right {TEXT} Received: ['x'] (1 of 2 rows are like this).",
    ),
    "labels are lists": (
        {"label": [[1], 1]},
        f"row 0: {WHOLE} Received: [1] (1 of 2 rows are like this).",
    ),
    "labels are infinite": (
        {"label": [1, np.inf]},
        f"row 1: {WHOLE} Received: inf (1 of 2 rows are like this).",
    ),
    "ids missing": (
        {"id_left": ["q", None]},
        "row 1: id_left must be an id, a string or a whole number. Received: None "
        "(1 of 2 rows are like this).",
    ),
    "ids true": (
        {"id_right": [True, False]},
        "row 0: id_right must be an id, a string or a whole number. Received: True "
        "(2 of 2 rows are like this).",
    ),
}


@pytest.mark.parametrize("name", IN_FRAMES)
def test_errors_in_frames(name):
    columns, message = IN_FRAMES[name]
    given = {key: pd.Series(values, dtype=object) for key, values in columns.items()}
    with pytest.raises(DataError) as caught:
        read_pairs(frame(**given))
    assert str(caught.value) == f"the frame, {message}"
    with pytest.raises(DataError):  # and of the type that pandas finds for the values
        read_pairs(frame(**columns))


def test_half_characters_are_refused(write):
    text = '{"text_left": "a", "text_right": "\\ud83d", "label": 1}\n'
    with pytest.raises(
        DataError, match=r"line 1: text_right must not .* Received: '\\ud83d' .1 of"
    ):
        read_pairs(write(text, "pairs.jsonl"))


def test_wrong_arguments():
    with pytest.raises(DataError, match=r"columns must say .* Received: \{'Query': 'text_left'\}"):
        read_pairs(frame(), {"Query": "text_left"})
    with pytest.raises(DataError, match=r"no column 'Query' \(for text_left\)\. .* Received: "):
        read_pairs(frame(), {"text_left": "Query"})
    with pytest.raises(DataError, match="no column 'qid' .for id_left."):
        read_pairs(frame(), {"id_left": "qid"})
    with pytest.raises(DataError, match=r"must name each column once. Received: \['text_left', "):
        read_pairs(pd.concat([frame(), frame()], axis=1))
    with pytest.raises(DataError, match="labels must be .* Received: 'none'"):
        read_pairs(frame(), labels="none")
    with pytest.raises(DataError, match=r"must be a file, .* Received: list \[1\]"):
        read_pairs([1])


def test_the_source_is_not_changed():
    table = frame(id_left=[1, 2], label=["0", "1"])
    before = table.copy(deep=True)
    pairs = read_pairs(table)
    pairs["label"] = 7
    pd.testing.assert_frame_equal(table, before)


def fake_pack(**changes):
    left = pd.DataFrame({"text_left": ["a", "b"]}, index=pd.Index(["q1", "q2"], name="id_left"))
    right = pd.DataFrame({"text_right": ["x", ""]}, index=pd.Index(["d1", "d2"], name="id_right"))
    relation = {"id_left": ["q2", "q1"], "id_right": ["d2", "d2"], "label": [1, 0], **changes}
    return SimpleNamespace(left=left, right=right, relation=pd.DataFrame(relation))


def test_pairs_of_a_pack():
    pairs = as_pairs(fake_pack())
    assert [tuple(row) for row in pairs.to_numpy()] == [
        ("q2", "b", "d2", "", 1),
        ("q1", "a", "d2", "", 0),
    ]
    pd.testing.assert_frame_equal(as_pairs(pairs), pairs)
    with pytest.raises(DataError, match="the DataPack, row 1: id_right must be .* Received: 'd9'"):
        as_pairs(fake_pack(id_right=["d1", "d9"]))


# Rows, queries and relevant pairs, as those who published the data count them.
COUNTS = {
    "wikiqa/train.tsv": (20360, 2118, 1040),
    "wikiqa/dev.tsv": (2733, 296, 140),
    "wikiqa/test.tsv": (6165, 633, 293),
    "twitter_url/train.tsv.gz": (38345, 3228, None),
    "twitter_url/test.tsv": (9324, 769, None),
}


@pytest.mark.parametrize("name", COUNTS)
def test_real_files(name):
    if not (REAL / name).exists():
        pytest.skip(f"no {name} in the data folder (set IR_ATTENTION_DATA)")
    rows, queries, relevant = COUNTS[name]
    pairs = read_pairs(REAL / name)
    assert len(pairs) == rows
    assert pairs.id_left.nunique() == queries
    assert relevant in (None, pairs.label.sum())
