"""Files of pairs and documents that cannot be used, or are unusual and are."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from rough_calls import BOM, GOOD, HEAD, ROWS, everything, good, ir_attention, mistake

from ir_attention.data import read_pairs
from ir_attention.errors import DataError
from ir_attention.evaluation import evaluate, read_qrels, read_run
from ir_attention.ranking import Ranker

# --- files of pairs that cannot be used


def with_label(label):
    return f"{GOOD}flood 1,a comet,{label}\n"


IDS = "id_left,text_left,id_right,text_right,label\n"
UNUSABLE = {
    "wrong columns": ("a.csv", GOOD.replace(HEAD, "a,b,c"), "no column 'text_left', 'text_right'"),
    "no documents": ("a.csv", GOOD.replace(HEAD, "text_left,b,label"), "no column 'text_right'"),
    "no header": ("a.csv", GOOD.removeprefix(HEAD).strip(), "no column 'text_left', 'text_right'"),
    "a column twice": ("a.csv", GOOD.replace(HEAD, "text_left,text_left,label"), "column once"),
    "Latin-1": ("a.csv", f"{GOOD}flood,café,1\n".encode("latin-1"), "line 38: not UTF-8"),
    "UTF-16": ("a.csv", GOOD.encode("utf-16"), "line 1: not UTF-8"),
    "JSON in Latin-1": ("a.jsonl", '{"text_left": "é"}'.encode("latin-1"), "line 1: not UTF-8"),
    "label a word": ("a.csv", with_label("yes"), "line 38: label must be a whole number >= 0. Rec"),
    "label negative": (
        "a.csv",
        with_label("-1"),
        "line 38: label must be a whole number >= 0. Rec",
    ),
    "label a half": ("a.csv", with_label("0.5"), "line 38: label must be a whole number >= 0. Rec"),
    "label NaN": ("a.csv", with_label("nan"), "line 38: label must be a whole number >= 0. Rec"),
    "label missing": ("a.csv", with_label(""), "line 38: label must be a whole number >= 0. Rec"),
    "empty": ("a.csv", "", "must not be empty. Received: 0 bytes"),
    "empty TSV": ("a.tsv", "", "must not be empty. Received: 0 bytes"),
    "empty JSON lines": ("a.jsonl", "\n \n", "must not be empty. Received: 3 bytes"),
    "empty Parquet": ("a.parquet", "", "must not be empty. Received: 0 bytes"),
    "empty, packed": ("a.csv.gz", gzip.compress(b""), "must not be empty. Received: 0 bytes"),
    "a mark alone": ("a.csv", BOM, "must not be empty. Received: 3 bytes"),
    "names alone": ("a.csv", f"{HEAD}\n", "must have rows below the names of columns. Received: "),
    "a document's id for two texts": (
        "a.csv",
        f"{IDS}q,flood,d1,one,1\nq,flood,d2,two,0\nq,flood,d1,three,0\n",
        "line 4: id_right 'd1' must stand for one text",
    ),
    "a query's id for two texts": (
        "a.csv",
        f"{IDS}q,flood,d1,one,1\nq,comet,d2,two,0\n",
        "line 3: id_left 'q' must stand for one text",
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_pairs_that_cannot_be_used(write, words, tmp_path, name):
    file, content, message = UNUSABLE[name]
    path, fine = write(content, file), write(GOOD, "fine.csv")
    before = everything(tmp_path)
    with pytest.raises(DataError) as caught:
        read_pairs(path)
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)
    made = ("--model", "bm25", "--out", tmp_path / "made")
    for args in (
        ("train", path, *made),
        ("train", fine, "--dev", path, *made),
        ("evaluate", words, path),
        ("compare", path, "a.run", "b.run"),
    ):
        assert str(caught.value) in mistake(*args)
    with pytest.raises(DataError) as caught:  # which does without a label, and so says less
        read_pairs(path, labels="optional")
    assert str(caught.value) in mistake("score", words, path)
    assert everything(tmp_path) == before


def test_labels_that_are_not_there(write, words, tmp_path):
    path = write("\n".join(row.rpartition(",")[0] for row in (HEAD, *ROWS)))
    for args in (("train", path, "--out", tmp_path / "made"), ("evaluate", words, path)):
        line = mistake(*args)
        assert "no column 'label'. Say " in line and "--label" in line
    assert len(good("score", words, path).stdout.splitlines()) == 37


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--query", "Query"], "no column 'Query' (for text_left)"),
        (["--label", "Match"], "no column 'Match' (for label)"),
        (["--query-id", "qid"], "no column 'qid' (for id_left)"),
        (["--query", "text_right"], "text_left and text_right must be two columns"),
        (["--document", "label"], "text_right and label must be two columns"),
    ],
)
def test_columns_that_are_named_wrongly(write, words, tmp_path, options, message):
    path = write(GOOD)
    args = ("train", path, "--out", tmp_path / "made"), ("score", words, path)
    for line in (mistake(*args[0], *options), mistake(*args[1], *options)):
        assert message in line
        assert "Received: " in line and "['text_left', 'text_right', 'label']" in line
        assert "On the command line: --query, --document" in line


def test_a_text_may_be_its_own_id(write):
    pairs = read_pairs(write(GOOD), {"id_left": "text_left", "id_right": "text_right"})
    assert pairs["id_left"].tolist() == pairs["text_left"].tolist()


def test_a_folder_without_a_collection(words, tmp_path):
    (tmp_path / "notes.md").write_text("hello")
    for args in (("train", tmp_path, "--out", tmp_path / "made"), ("evaluate", words, tmp_path)):
        assert "must hold queries.jsonl, corpus.jsonl and qrels.tsv" in mistake(*args)


def test_an_id_of_two_texts_in_a_collection(write, words, tmp_path):
    write('{"_id": "q", "text": "flood"}\n', "b/queries.jsonl")
    write('{"_id": "d", "text": "one"}\n{"_id": "d", "text": "two"}\n', "b/corpus.jsonl")
    write("query-id\tcorpus-id\tscore\nq\td\t1\n", "b/qrels.tsv")
    assert "line 2: _id 'd' must stand for one text" in mistake("score", words, tmp_path / "b")


@pytest.mark.parametrize("content", ["", "\n \n", BOM])
def test_runs_and_judgements_without_a_line(write, content):
    run = write("q Q0 d 1 1.0 t\n", "a.run")
    qrels, empty = write("q 0 d 1\n", "a.qrels"), write(content, "empty")
    for read, fields in ((read_run, "rank score tag"), (read_qrels, "iteration doc_id relevance")):
        with pytest.raises(DataError, match=f"empty: must not be empty; .*{fields}"):
            read(empty)
    assert "must not be empty" in mistake("compare", qrels, run, empty)
    assert "must not be empty" in mistake("compare", empty, run, run)


# --- files that are unusual, and used


@pytest.fixture(scope="module")
def of_plain_pairs(words, tmp_path_factory):
    """What is read of the pairs without a mark, and what is said of them."""
    path = tmp_path_factory.mktemp("plain") / "plain.csv"
    path.write_text(GOOD)
    return read_pairs(path), *(good(name, words, path).stdout for name in ("score", "evaluate"))


@pytest.mark.parametrize("mark", [b"", BOM], ids=["no mark", "mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_marks_and_line_ends_change_nothing(write, words, of_plain_pairs, mark, end, suffix):
    rows = [row.split(",") for row in (HEAD, *ROWS)]
    if suffix == "jsonl":
        lines = [json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:]]
    else:
        lines = [{"csv": ",", "tsv": "\t"}[suffix].join(row) for row in rows]
    path = write(mark + end.join([*lines, ""]).encode(), f"a.{suffix}")
    pairs, scores, measures = of_plain_pairs
    pd.testing.assert_frame_equal(read_pairs(path), pairs)
    assert good("score", words, path).stdout == scores
    assert good("evaluate", words, path).stdout == measures


def test_marks_and_line_ends_in_trec_files(write):
    qrels, run = "q 0 d 1\nq 0 e 0\n", "q Q0 d 1 2.0 t\nq Q0 e 2 1.0 t\n"
    plain = [write(qrels, "a.qrels"), write(run, "a.run"), write(run, "b.run")]
    table = good("compare", *plain).stdout
    for path in plain:
        path.write_bytes(BOM + path.read_bytes().replace(b"\n", b"\r\n"))
    assert good("compare", *plain).stdout == table


def test_graded_labels(write, words, tmp_path):
    rows = [
        f"flood {n},flood {n * label} in Oslo,{label}" for n in range(1, 13) for label in range(4)
    ]
    path = write("\n".join([HEAD, *rows]))
    assert read_pairs(path)["label"].tolist() == [0, 1, 2, 3] * 12
    good("train", path, "--model", "bm25", "--out", tmp_path / "made", "--measure", "nDCG@3")
    pairs = read_pairs(path).assign(score=lambda frame: -frame["label"])
    upside_down = evaluate(pairs, pairs, "nDCG").measures["nDCG"]
    assert 0 < upside_down < 1
    assert json.loads(good("evaluate", words, path, "--json").stdout)["queries"] == 12


@pytest.mark.parametrize("label", [0, 1])
def test_labels_of_one_class(write, words, tmp_path, label):
    fine = write(GOOD, "fine.csv")
    path = write("\n".join([HEAD, *(row[:-1] + str(label) for row in ROWS)]), "one.csv")
    # There is no order to learn,
    out = ("--out", tmp_path / "made")
    result = ir_attention("train", path, "--dev", fine, *out)
    *notes, line = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (1, "")
    assert notes[0].startswith(f"train: 36 of 36 pairs have the same label, {label}")
    assert line.startswith("Error: no query has both a relevant document and another")
    # nor one to measure.
    pairs = read_pairs(path)
    if label:
        result = good("evaluate", words, path)
        assert "No query has documents of different labels: any order is as good." in result.stderr
        assert evaluate(pairs.assign(score=1.0), pairs, "AP").measures["AP"] == 1
    else:
        assert "no query has a positive label" in mistake("evaluate", words, path)
        with pytest.raises(DataError, match="no query has a positive label"):
            evaluate(pairs.assign(score=1.0), pairs)
        line = ir_attention("train", fine, "--dev", path, *out).stderr.splitlines()[-1]
        assert line.startswith("Error: the dev pairs must have a relevant document")
    assert "both a positive and a negative" in mistake("evaluate", words, path, "--mixed")
    assert not (tmp_path / "made").exists()


def test_a_query_without_candidates(write, words, han, tmp_path):
    for folder in (words, han):
        assert Ranker.load(folder).rank("flood", []).empty
        result = good("rank", folder, "flood", write("", "none.txt"), "--json")
        assert (result.stdout, result.stderr) == ("[]\n", f"no documents in {tmp_path}/none.txt\n")
    # In a collection nobody judged a document for it: it is not measured.
    write('{"_id": "q", "text": "flood"}\n{"_id": "lonely", "text": "x"}\n', "b/queries.jsonl")
    write('{"_id": "d", "text": "a flood"}\n{"_id": "e", "text": "no"}\n', "b/corpus.jsonl")
    write("query-id\tcorpus-id\tscore\nq\td\t1\nq\te\t0\n", "b/qrels.tsv")
    assert json.loads(good("evaluate", words, tmp_path / "b", "--json").stdout)["queries"] == 1
    # In a run it is missing: it counts 0, which is said.
    qrels = write("q 0 d 1\nlonely 0 d 1\n", "a.qrels")
    runs = [write("q Q0 d 1 2.0 t\n", f"{name}.run") for name in "ab"]
    result = good("compare", qrels, *runs)
    assert result.stdout.splitlines()[1].split()[3:5] == ["2", "0.5000"]
    assert "a: Missing from the run and counted 0: 1 of 2 queries" in result.stderr


def test_texts_that_are_empty(write, words, han, tmp_path):
    path = write(f"{GOOD},a flood,1\n,a comet,0\nflood 1,,0\n...,!,0\n")
    assert len(read_pairs(path)) == 40
    result = good("train", path, "--model", "bm25", "--out", tmp_path / "made")
    assert "train: 1 of 13 queries have no text" in result.stderr
    for folder in (words, han):
        assert "QUERY must be a text. Received: ''" in mistake("rank", folder, "", input="a\n")
        lines = good("score", folder, path).stdout.splitlines()
        assert np.isfinite([float(line.rpartition(",")[2]) for line in lines[1:]]).all()
        ranked = Ranker.load(folder).rank("", ["", "...", "a flood"])
        assert sorted(ranked["position"]) == [0, 1, 2] and np.isfinite(ranked["score"]).all()
    assert "DOCUMENT must be a text. Received: ''" in mistake("explain", han, "flood", "")
    assert good("explain", han, "...", "!").stdout.startswith("score ")


LONG = {
    "one sentence": " ".join(f"w{n % 3000}" for n in range(100_000)),
    "5000 sentences": " ".join(f"w{n % 3000}{'.' * (n % 20 == 19)}" for n in range(100_000)),
}


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        *(("words", kind) for kind in LONG),
        # 100,000 steps one after the other take half a minute.
        *(pytest.param("han", kind, marks=pytest.mark.slow) for kind in LONG),
    ],
)
def test_a_document_of_100_000_words(write, request, model, kind):
    folder, documents = request.getfixturevalue(model), [LONG[kind], "a flood of w7"]
    path = write("\n".join(documents), "documents.txt")
    found = json.loads(good("rank", folder, "flood w7", path, "--json").stdout)
    assert sorted(one["document"] for one in found) == sorted(documents)  # to its last word
    assert np.isfinite([one["score"] for one in found]).all()


@pytest.mark.parametrize("model", ["words", "han"])
def test_ten_thousand_candidates(write, request, model):
    folder = request.getfixturevalue(model)
    documents = [f"w{n % 997} talk of flood number {n}" for n in range(10_000)]
    ranked = Ranker.load(folder).rank("flood w7", documents)
    assert sorted(ranked["position"]) == list(range(10_000))
    assert (np.diff(ranked["score"]) <= 0).all()
    path = write("\n".join(documents), "documents.txt")
    lines = good("rank", folder, "flood w7", path, "-k", 10_000).stdout.splitlines()
    assert [int(line.split("\t")[0]) for line in lines] == ranked["position"].tolist()
