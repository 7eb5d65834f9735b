"""Coded columns: the same pairs, each distinct string once, from files larger than what is kept."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from ir_attention.data import as_pairs, check_pairs, read_pairs, split_by_query
from ir_attention.data import coded as module
from ir_attention.data.coded import code, decode, distinct, is_coded, load_coded
from ir_attention.data.files import load_table
from ir_attention.data.pairs import checked
from ir_attention.data.readers import read_coded
from ir_attention.errors import DataError
from ir_attention.training import train

STRINGS = ["id_left", "text_left", "id_right", "text_right"]


def columns(rows=40):
    """Pairs of 4 queries and 7 documents."""
    query, document = np.arange(rows) // 10, np.arange(rows) % 7
    return {
        "id_left": [f"Q{q}" for q in query],
        "text_left": [f"query {q} é" for q in query],
        "id_right": [f"D{d}" for d in document],
        "text_right": [f"document {d}" if d else "" for d in document],
        "label": (document == 0).astype(int).tolist(),
    }


def written(table, tmp_path, **options):
    path = tmp_path / "pairs.parquet"
    pa.parquet.write_table(table, path, **options)
    return path


TABLES = {
    "strings": lambda: pa.table(columns()),
    "large strings": lambda: pa.table(columns()).cast(
        pa.schema([*((name, pa.large_string()) for name in STRINGS), ("label", pa.int8())])
    ),
    "dictionaries": lambda: pa.table(
        {n: pa.array(v).dictionary_encode() if n in STRINGS else v for n, v in columns().items()}
    ),
    "no ids": lambda: pa.table(columns()).drop_columns(["id_left", "id_right"]),
    "numbers for ids": lambda: pa.table({**columns(), "id_left": np.arange(40) // 10 + 5}),
    "an index of pandas": lambda: pa.Table.from_pandas(
        pd.DataFrame(columns()).set_index("id_left", append=True)
    ),
    "other columns": lambda: pa.table({"x": [[1]] * 40, **columns(), "text": ["a"] * 40}),
    "labels of text": lambda: pa.table({**columns(), "label": ["0", "1.0"] * 20}),
}


@pytest.mark.parametrize("rows", [3, 1 << 15])
@pytest.mark.parametrize("groups", [7, 40])
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_read_by_the_batch_it_is_the_same(table, groups, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", rows)
    path = written(table(), tmp_path, row_group_size=groups)
    whole = decode(checked(load_table(path)))
    pd.testing.assert_frame_equal(read_pairs(path), whole)
    found = read_coded(path)
    assert all(is_coded(found[name]) for name in STRINGS)
    pd.testing.assert_frame_equal(decode(found), whole)
    for name in STRINGS:
        assert list(found[name].cat.categories) == list(dict.fromkeys(whole[name]))


def test_frames_and_other_files_can_be_coded(tmp_path):
    frame = pd.DataFrame(columns())
    frame.to_csv(tmp_path / "pairs.csv.gz", index=False)
    for source in (frame, code(frame), tmp_path / "pairs.csv.gz"):
        found = read_coded(source)
        assert all(is_coded(found[name]) for name in STRINGS)
        pd.testing.assert_frame_equal(decode(found), read_pairs(frame))
    assert not any(is_coded(frame[name]) for name in STRINGS)


def test_other_columns_stay_what_they_are():
    frame = pd.DataFrame(columns()).assign(own=pd.Categorical(["b", "a"] * 20))
    found = read_pairs(frame, keep=True)
    pd.testing.assert_series_equal(found["own"], frame["own"])
    assert not is_coded(read_pairs(code(frame), keep=True)["text_left"])


def test_a_pack_is_coded_without_its_strings_in_full():
    relation = pd.DataFrame(columns()).rename_axis("row")
    sides = [
        relation.drop_duplicates(f"id_{side}").set_index(f"id_{side}")[[f"text_{side}"]][::-1]
        for side in ("left", "right")
    ]
    pack = SimpleNamespace(
        left=sides[0], right=sides[1], relation=relation[["id_left", "id_right", "label"]]
    )
    expected = read_pairs(pd.DataFrame(columns()))
    pd.testing.assert_frame_equal(as_pairs(pack), expected)
    found = read_coded(pack)
    assert all(is_coded(found[name]) for name in STRINGS)
    pd.testing.assert_frame_equal(decode(found), expected)
    pack.right = pack.right[:-1]
    with pytest.raises(DataError, match="row 0: id_right must be in its right texts.*'D0'"):
        read_coded(pack)


def test_columns_of_ones_own(tmp_path):
    table = pa.table(columns()).rename_columns(["q id", "q", "d.id", "d", "match"])
    path = written(table, tmp_path)
    own = {"text_left": "q", "id_right": "d.id", "text_right": "d", "label": "match"}
    pd.testing.assert_frame_equal(read_pairs(path, own), checked(load_table(path), own))
    with pytest.raises(
        DataError, match=r"no column 'text_left'.*'q id', 'q', 'd.id', 'd', 'match'"
    ):
        read_coded(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text_right": ["a", None, None]}, "row 1: text_right must be text.*nan .2 of 3 rows"),
        ({"id_left": ["Q", " ", "Q"]}, "row 1: id_left must be an id.*' ' .1 of 3 rows"),
        ({"id_left": ["Q", "Q", None]}, "row 2: id_left must be an id"),
        ({"text_left": ["a", "b", "a"]}, "row 1: id_left 'Q' must stand for one text.*'b' .1 of 3"),
        ({"label": [1, 0, -1]}, "row 2: label must be a whole number"),
        ({"label": [1, None, 0]}, "row 1: label must be a whole number"),
    ],
)
@pytest.mark.parametrize("read", [read_pairs, read_coded])
def test_what_is_wrong_is_said_with_its_row(read, change, message, tmp_path):
    good = {"id_left": ["Q"] * 3, "text_left": ["a"] * 3, "text_right": ["x", "y", "x"]}
    path = written(pa.table({**good, "label": [0, 1, 0], **change}), tmp_path)
    with pytest.raises(DataError, match=rf"pairs.parquet, {message}"):
        read(path)


def test_damaged_files_are_refused(tmp_path):
    path = written(pa.table(columns()), tmp_path)
    data = path.read_bytes()
    for content, message in (
        (b"", "must not be empty"),
        (data[:-20], "must be a whole Parquet file"),
        (b"nonsense", "must be a whole Parquet file"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_coded(path)
    written(pa.table(columns()).slice(0, 0), tmp_path)
    with pytest.raises(DataError, match="must have rows"):
        read_coded(path)
    bad = pa.array([b"\xff", b"a"]).view(pa.string())
    written(pa.table({"text_left": bad, "text_right": ["a", "b"], "label": [0, 1]}), tmp_path)
    with pytest.raises(DataError, match=r"must be UTF-8. Received: b'\\xff'"):
        read_coded(path)


def test_a_column_twice_is_refused(tmp_path):
    table = pa.table([["a"], ["b"], ["c"], [1]], ["text_left", "text_right", "text_left", "label"])
    with pytest.raises(DataError, match="must name each column once"):
        read_coded(written(table, tmp_path))


def test_the_decoded_table_is_never_in_memory(tmp_path):
    """20,000 rows whose strings take 40 MB, and 30 kB of distinct ones."""
    texts = [f"{number} " + "word " * 400 for number in range(20)]
    rows = np.arange(20_000)
    table = {
        "text_left": pa.DictionaryArray.from_arrays(rows % 3, texts[:3]),
        "text_right": pa.DictionaryArray.from_arrays(rows % 20, texts),
        "label": (rows % 2).astype(np.int8),
    }
    path = written(pa.table(table), tmp_path, row_group_size=5_000)
    script = (
        "import sys, tracemalloc\n"
        "import pyarrow as pa\n"
        "from ir_attention.data.readers import read_coded\n"
        "tracemalloc.start()\n"
        "found = read_coded(sys.argv[1])\n"
        "held = found.memory_usage(deep=True).sum()\n"
        "print(tracemalloc.get_traced_memory()[1] + pa.default_memory_pool().max_memory(), held)\n"
    )
    command = [sys.executable, "-c", script, path]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    peak, held = map(int, done.stdout.split())
    size = sum(len(texts[row % 3]) + len(texts[row % 20]) for row in rows)
    assert size > 40e6
    assert peak < size / 5
    assert held < size / 20


def test_checks_and_splits_take_coded_pairs():
    frame = pd.DataFrame(columns())
    pairs, part = code(frame), code(frame[frame["id_left"] != "Q1"].reset_index(drop=True))
    assert check_pairs(pairs, part).lines() == check_pairs(frame, decode(part)).lines()
    assert check_pairs(pairs, part)
    for one, other in zip(
        split_by_query(pairs, (0.5, 0.5), seed=1),
        split_by_query(frame, (0.5, 0.5), seed=1),
        strict=True,
    ):
        pd.testing.assert_frame_equal(decode(one), other.astype(decode(one).dtypes.to_dict()))


def test_distinct_strings_in_the_order_of_the_rows():
    column = pd.Series(["b", "a", "b", "c"])
    for one in (column, code(column.to_frame("x"))["x"]):
        codes, strings = distinct(one)
        assert (codes.tolist(), strings) == ([0, 1, 0, 2], ["b", "a", "c"])
        codes, strings = distinct(one[1:])  # what no row has any more is left out
        assert (codes.tolist(), strings) == ([0, 1, 2], ["a", "b", "c"])


def test_only_the_columns_asked_for_are_read(tmp_path):
    path = written(pa.table({**columns(), "more": ["x"] * 40}), tmp_path)
    table = load_coded(path, ["text_left", "label", "nowhere"])
    assert list(table.frame) == ["text_left", "label"]
    assert table.headers == [*columns(), "more"]


def test_training_takes_a_parquet_file(tmp_path, toy_pairs):
    path = tmp_path / "toy.parquet"
    toy_pairs.to_parquet(path)
    by_file, by_frame = (
        train(source, model="bm25", say=lambda line: None) for source in (path, toy_pairs)
    )
    assert by_file.history["AP"].tolist() == by_frame.history["AP"].tolist()
    assert by_file.bundle.settings["data"] == by_frame.bundle.settings["data"]
    assert by_file.notes == by_frame.notes
