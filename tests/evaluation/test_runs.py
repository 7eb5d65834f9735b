"""Runs and qrels: every form that holds one, TREC files there and back, exact errors."""

import doctest
import gzip
import os

import ir_measures
import numpy as np
import pandas as pd
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.errors import DataError
from ir_attention.evaluation import runs
from ir_attention.evaluation.runs import (
    as_qrels,
    as_run,
    mixed_queries,
    read_qrels,
    read_run,
    write_qrels,
    write_run,
)

RUN = pd.DataFrame({"query_id": ["q2", "q1"], "doc_id": ["d1", "d2"], "score": [0.5, -1.0]})
QRELS = pd.DataFrame({"query_id": ["q2", "q1"], "doc_id": ["d1", "d2"], "relevance": [2, 0]})
PAIRS = pd.DataFrame(
    {
        "id_left": ["q2", "q1"],
        "text_left": ["a", "b"],
        "id_right": ["d1", "d2"],
        "text_right": ["c", "d"],
        "label": [2, 0],
        "predictions": [0.5, -1.0],
    }
)

RUN_FORMS = {
    "frame": RUN,
    "frame with more columns and another index": RUN.assign(rank=1).set_index(pd.Index([7, 3])),
    "categories": RUN.astype({"query_id": "category", "doc_id": "category"}),
    "single precision": RUN.astype({"score": "float32"}),
    "scored pairs": PAIRS,
    "scored pairs, other name": PAIRS.rename(columns={"predictions": "score"}),
    "dict": {"q2": {"d1": 0.5}, "q1": {"d2": -1}},
    "tuples": [("q2", "d1", 0.5), ("q1", "d2", -1)],
    "generator": (row for row in [("q2", "d1", 0.5), ("q1", "d2", -1)]),
    "ir_measures": [ir_measures.ScoredDoc("q2", "d1", 0.5), ir_measures.ScoredDoc("q1", "d2", -1)],
}
QRELS_FORMS = {
    "frame": QRELS,
    "floats": QRELS.astype({"relevance": "float64"}),
    "nullable": QRELS.astype({"relevance": "Int64"}),
    "labelled pairs": PAIRS,
    "dict": {"q2": {"d1": 2}, "q1": {"d2": 0}},
    "ir_measures": [ir_measures.Qrel("q2", "d1", 2), ir_measures.Qrel("q1", "d2", 0, "1")],
}


@pytest.mark.parametrize("form", RUN_FORMS)
def test_any_form_of_a_run(form):
    pd.testing.assert_frame_equal(as_run(RUN_FORMS[form]), RUN)


@pytest.mark.parametrize("form", QRELS_FORMS)
def test_any_form_of_qrels(form):
    pd.testing.assert_frame_equal(as_qrels(QRELS_FORMS[form]), QRELS)


def test_whole_numbers_become_strings_and_the_input_stays():
    frame = RUN.assign(query_id=[1, 2], doc_id=np.array([3, 4], dtype="int32"))
    before = frame.copy()
    assert as_run(frame).query_id.tolist() == ["1", "2"]
    assert as_run(frame).doc_id.tolist() == ["3", "4"]
    assert as_run([("q", 1, 0.0), ("q", "2", 0.0)]).doc_id.tolist() == ["1", "2"]
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "empty", [{}, [], RUN[:0], pd.DataFrame(columns=["query_id", "doc_id", "score"])]
)
def test_an_empty_run_is_a_run(empty):
    run = as_run(empty)
    assert list(run) == ["query_id", "doc_id", "score"]
    assert len(run) == 0 and run.score.dtype == float


WRONG_RUNS = {
    "no column": (
        RUN.drop(columns="score"),
        "run: must have the columns query_id, doc_id, score or .* Received: .'query_id', 'doc_id'",
    ),
    "a string": ("q1 d1", "run, item 0: must be a tuple .* Received: 'q'"),
    "a pair": ([("q1", "d1")], r"run, item 0: must be a tuple .* Received: \('q1', 'd1'\)"),
    "flat dict": ({"q1": 0.5}, "run, query 'q1': must be a dict. Received: 0.5"),
    "NaN": (
        RUN.assign(score=[1, np.nan]),
        r"run, row 1: score must be a number and not NaN. Received: nan \(1 of 2 are like this\)",
    ),
    "a word": ([("q1", "d1", "high")], "run, row 0: score must be a number .* Received: 'high'"),
    "a list": ([("q1", "d1", [1])], r"run, row 0: score must be a number .* Received: \[1\]"),
    "missing score": ([("q1", "d1", None)], "score must be a number .* Received: None"),
    "missing id": (
        [("q1", None, 1)],
        "run, row 0: doc_id must be a string or a whole number. Received: None",
    ),
    "float id": (
        RUN.assign(query_id=[1.0, 2.0]),
        "query_id must be a string .* Received: 1.0 .2 of 2",
    ),
    "empty id": ([("", "d1", 1)], "run, row 0: query_id must not be empty. Received: ''"),
    "twice": (
        [("q", "d", 1), ("q", "e", 1), ("q", "d", 2), ("q", "d", 2)],
        r"run, row 2: a document stands twice under its query. Received: 'q d' \(2 of 4",
    ),
    "twice as 1": ([("q", 1, 1), ("q", "1", 1)], "run, row 1: a document stands twice"),
}


@pytest.mark.parametrize("name", WRONG_RUNS)
def test_errors_of_a_run_say_where_and_what(name):
    run, message = WRONG_RUNS[name]
    with pytest.raises(DataError, match=message):
        as_run(run)


@pytest.mark.parametrize("value", [0.5, np.inf, np.nan, "two", None, 2.0**40])
def test_relevance_is_a_whole_number(value):
    with pytest.raises(
        DataError, match="qrels, row 1: relevance must be a whole number. Received: "
    ):
        as_qrels([("q", "d", 1), ("q", "e", value)])


def test_mixed_queries_have_both_labels():
    qrels = [
        ("b", "d1", 0),
        ("a", "d1", 2),
        ("a", "d2", -1),
        ("b", "d2", 1),
        ("c", "d1", 1),
        ("e", "d", 0),
    ]
    assert mixed_queries(qrels) == ["b", "a"]


@pytest.mark.parametrize("name", ["x.run", "x.run.gz"])
def test_a_run_to_a_trec_file_and_back(tmp_path, name):
    run = as_run([("b", "d1", 1 / 3), ("a", "d2", 2.0), ("b", "d0", 0.5), ("a", "d3", 2.0)])
    write_run(run, tmp_path / name, tag="mine")
    opened = gzip.open if name.endswith(".gz") else open
    with opened(tmp_path / name, "rt") as file:
        assert file.read() == (
            "b Q0 d0 1 0.5 mine\n"
            "b Q0 d1 2 0.3333333333333333 mine\n"
            "a Q0 d3 1 2.0 mine\n"
            "a Q0 d2 2 2.0 mine\n"
        )
    assert read_run(tmp_path / name).query_id.tolist() == ["b", "b", "a", "a"]
    assert os.listdir(tmp_path) == [name]  # no draft is left


@settings(max_examples=20, deadline=None)
@given(
    scores=st.lists(st.floats(allow_nan=False), min_size=1, max_size=7),
    ids=st.lists(
        st.text("aé文😀-_#1", min_size=1, max_size=4), min_size=7, max_size=7, unique=True
    ),
)
def test_scores_and_ids_read_back_equal(tmp_path_factory, scores, ids):
    path = tmp_path_factory.mktemp("runs") / "a.run"
    run = as_run([("q", doc, score) for doc, score in zip(ids, scores, strict=False)])
    write_run(run, path)
    again = read_run(path)
    assert dict(zip(again.doc_id, again.score, strict=True)) == dict(
        zip(run.doc_id, run.score, strict=True)
    )
    with open(path, encoding="utf-8") as file:  # others read the same
        assert pytrec_eval.parse_run(file)["q"] == dict(zip(run.doc_id, run.score, strict=True))


@pytest.mark.parametrize("name", ["x.qrels", "x.qrels.gz"])
def test_qrels_to_a_trec_file_and_back(tmp_path, name):
    qrels = as_qrels([("b", "d1", 2), ("a", "d2", -1), ("b", "d0", 0)])
    write_qrels(qrels, tmp_path / name)
    pd.testing.assert_frame_equal(read_qrels(tmp_path / name), qrels)


def test_a_file_is_read_as_trec_eval_reads_it(tmp_path):
    (tmp_path / "a.run").write_bytes(
        b"\xef\xbb\xbfq1\tQ0  d1 9 1e-3 x\r\n\n q1 Q0 no\xc2\xa0break 1 2 x\n"
    )
    run = read_run(tmp_path / "a.run")
    assert run.to_numpy().tolist() == [["q1", "d1", 0.001], ["q1", "no\xa0break", 2.0]]


WRONG_FILES = {
    "fields": (
        b"q Q0 d 1 1 x\nq d 1\nq d 2\n",
        "line 2: a line must have 6 fields, query_id Q0 doc_id .* tag. Received: 'q d 1' .2 of 3",
    ),
    "score": (
        b"\nq Q0 d 1 1 x\nq Q0 e 2 high x\n",
        r"a.run, line 3: score must be a number and not NaN. Received: 'high' \(1 of 2",
    ),
    "NaN": (
        b"q Q0 d 1 nan x\n",
        "a.run, line 1: score must be a number and not NaN. Received: 'nan'",
    ),
    "twice": (
        b"q Q0 d 1 2 x\n\nq Q0 d 2 1 x\n",
        "a.run, line 3: a document stands twice under its query. Received: 'q d'",
    ),
    "UTF-8": (
        b"q Q0 d 1 2 x\nq Q0 caf\xe9 2 1 x\n",
        "a.run, line 2: not UTF-8. Received: b'q Q0 caf",
    ),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_errors_of_a_file_say_where_and_what(tmp_path, name):
    content, message = WRONG_FILES[name]
    (tmp_path / "a.run").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_run(tmp_path / "a.run")


def test_errors_of_a_qrels_file(tmp_path):
    (tmp_path / "a.qrels").write_text("q 0 d 1\nq 0 e 0.5\n")
    with pytest.raises(DataError, match="a.qrels, line 2: relevance must be a whole .* '0.5'"):
        read_qrels(tmp_path / "a.qrels")
    (tmp_path / "a.qrels").write_text("q d 1\n")
    with pytest.raises(DataError, match="line 1: a line must have 4 fields, query_id iteration"):
        read_qrels(tmp_path / "a.qrels")


def test_a_broken_gzip_file(tmp_path):
    write_run(RUN, tmp_path / "a.run.gz")
    whole = (tmp_path / "a.run.gz").read_bytes()
    for content in (b"q Q0 d 1 1 x\n", whole[:-9], whole[:15] + b"\xff" * 30):
        (tmp_path / "a.run.gz").write_bytes(content)
        with pytest.raises(DataError, match="a.run.gz: not a whole gzip file"):
            read_run(tmp_path / "a.run.gz")


def test_white_space_cannot_be_written(tmp_path):
    for run in ([("q 1", "d", 1)], [("q", "d\n", 1)], [("q", "no\xa0break", 1)]):
        with pytest.raises(DataError, match="_id must not have white space.* Received: "):
            write_run(run, tmp_path / "a.run")
    with pytest.raises(DataError, match="doc_id must not have white space.* Received: 'd 1'"):
        write_qrels([("q", "d 1", 1)], tmp_path / "a.run")
    with pytest.raises(DataError, match="tag: must be a word without white space. Received: 'a b'"):
        write_run(RUN, tmp_path / "a.run", tag="a b")
    assert not list(tmp_path.iterdir())


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.run"
    write_run(RUN, path)
    before = path.read_bytes()

    def full(_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        write_run(RUN.assign(score=7.0), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.run"]


def test_where_nothing_can_be_written(tmp_path):
    with pytest.raises(DataError, match="its folder does not exist"):
        write_run(RUN, tmp_path / "none" / "a.run")
    with pytest.raises(DataError, match="must name a file, but is a folder"):
        write_run(RUN, tmp_path)
    with pytest.raises(FileNotFoundError):
        read_run(tmp_path / "none.run")


def test_the_same_run_gives_the_same_bytes(tmp_path):
    for name in ("a.run.gz", "b.run.gz"):
        write_run(RUN, tmp_path / name)
    assert (tmp_path / "a.run.gz").read_bytes() == (tmp_path / "b.run.gz").read_bytes()


def test_the_examples_run():
    assert doctest.testmod(runs).failed == 0
