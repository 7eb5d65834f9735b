"""What a user may do wrong, or a disk: one line that says it, or a defined result; nothing lost.

Through the command line and in Python. What is tested beside a module is not repeated: the exact
messages of readers (`data`), a disk that is full at each step (`test_bundle`), a pipe that closes
under `rank` (`cli`), Ctrl-C (`training`).
"""

import gzip
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from ir_attention.bundle import FORMAT, Bundle
from ir_attention.cli import app
from ir_attention.data import read_pairs
from ir_attention.errors import BundleError, DataError
from ir_attention.evaluation import evaluate, read_qrels, read_run
from ir_attention.ranking import Ranker
from ir_attention.training import train

HEAD = "text_left,text_right,label"
ROWS = [
    f"flood {n},flood {n} in Oslo {place},{int(place == n % 3)}"
    for n in range(12)
    for place in range(3)
]
GOOD = "\n".join([HEAD, *ROWS, ""])
BOM = b"\xef\xbb\xbf"
NAMES = {"weights.safetensors", "vocabulary.json", "settings.json", "README.md"}


def ir_attention(*args, **options):
    return CliRunner().invoke(app, [str(arg) for arg in args], **options)


def good(*args, **options):
    result = ir_attention(*args, **options)
    assert result.exit_code == 0, result.output
    return result


def mistake(*args, **options):
    """The line that a mistake is answered with, and nothing else."""
    result = ir_attention(*args, **options)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def everything(folder):
    """All files and folders below, hidden ones too, with the contents of files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def write(tmp_path):
    def write(content, name="pairs.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A bundle that is quick to make and to read."""
    parts = {"settings": {"model": "bm25", "bm25": {"k1": 1.2, "b": 0.75}}, "vocabulary": {}}
    return Bundle(**parts, weights={}).save(tmp_path_factory.mktemp("words") / "bm25")


@pytest.fixture(scope="module")
def han(toy_trained):
    return toy_trained[0].folder


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


@pytest.mark.parametrize("mark", [b"", BOM], ids=["no mark", "mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_marks_and_line_ends_change_nothing(write, words, mark, end, suffix):
    rows = [row.split(",") for row in (HEAD, *ROWS)]
    if suffix == "jsonl":
        lines = [json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:]]
    else:
        lines = [{"csv": ",", "tsv": "\t"}[suffix].join(row) for row in rows]
    path = write(mark + end.join([*lines, ""]).encode(), f"a.{suffix}")
    plain = write(GOOD, "plain.csv")
    pd.testing.assert_frame_equal(read_pairs(path), read_pairs(plain))
    assert good("score", words, path).stdout == good("score", words, plain).stdout
    assert good("evaluate", words, path).stdout == good("evaluate", words, plain).stdout


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


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("model", ["words", "han"])
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


# --- bundles


@pytest.fixture
def damaged(han, tmp_path):
    """A copy of a bundle in a folder of its own, to be damaged."""
    return shutil.copytree(han, tmp_path / "models" / "han")


def refused(folder, message):
    """By the command line in a line, with a BundleError in Python; both name the bundle."""
    assert f"Error: {folder}: {message}" in mistake("rank", folder, "flood", input="a flood\n")
    with pytest.raises(BundleError) as caught:
        Ranker.load(folder)
    assert str(caught.value).startswith(f"{folder}: {message}")


def changed(folder, name, change):
    values = json.loads((folder / name).read_text())
    change(values)
    (folder / name).write_text(json.dumps(values))


@pytest.mark.parametrize("name", sorted(NAMES - {"README.md"}))
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_bundle_that_is_cut_short(damaged, name, share):
    content = (damaged / name).read_bytes()
    (damaged / name).write_bytes(content[: int(len(content) * share)])
    kind = "damaged" if name.endswith("safetensors") else "not JSON"
    refused(damaged, f"{name} is {kind} (")


@pytest.mark.parametrize("version", [FORMAT + 1, 0, None, str(FORMAT), [FORMAT]])
def test_a_bundle_of_another_version(damaged, version):
    changed(damaged, "settings.json", lambda values: values.update(format=version))
    refused(damaged, f"settings.json must hold `format` {FORMAT} and a model's name. Received: for")


def test_a_folder_that_is_not_ours(tmp_path, write):
    refused(tmp_path, "not a bundle, settings.json is missing. Found: []. A bundle is what")
    refused(tmp_path / "nowhere", "no such folder; a bundle is what")
    refused(write("x", "file"), "no such folder; a bundle is what")
    write('{"hidden_size": 768, "model_type": "bert"}', "settings.json")
    refused(
        tmp_path, f"settings.json must hold `format` {FORMAT} and a model's name. Received: for"
    )


SCALE = "document_attention/scale"
WEIGHTS = {
    "cut": (lambda w: w.update({SCALE: w[SCALE][1:]}), f"weights.safetensors: {SCALE} should have"),
    "turned": (
        lambda w: w.update({SCALE: w[SCALE].T}),
        f"weights.safetensors: {SCALE} should have",
    ),
    "missing": (lambda w: w.pop(SCALE), f"weights.safetensors: {SCALE} should have shape (32, 1)"),
    "too many": (
        lambda w: w.update(more=w[SCALE]),
        "weights.safetensors: more should not be there",
    ),
    "no table": (lambda w: w.pop("table"), "the bundle of a han is incomplete: 'table'"),
    "a short table": (lambda w: w.update(table=w["table"][1:]), "the table of vectors must have"),
    "a flat table": (
        lambda w: w.update(table=w["table"].ravel()),
        "the table of vectors must have",
    ),
    "a narrow table": (
        lambda w: w.update(table=w["table"][:, 1:]),
        "weights.safetensors: projection/gate_kernel should have shape (127, 64)",
    ),
    "NaN": (
        lambda w: w.update({SCALE: np.full_like(w[SCALE], np.nan)}),
        f"weight {SCALE} has values that are not finite. Received: nan (32 of 32 are not)",
    ),
    "infinite": (
        lambda w: w.update(table=np.full_like(w["table"], -np.inf)),
        "weight table has values that are not finite. Received: -inf",
    ),
    "no numbers": (lambda w: w.update({SCALE: w[SCALE] > 0}), f"weight {SCALE} must hold numbers"),
    "a name that climbs": (
        lambda w: w.update({"../../weight": w.pop(SCALE)}),
        "weights.safetensors: ../../weight should not be there",
    ),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_do_not_fit(damaged, name):
    change, message = WEIGHTS[name]
    weights = load_file(damaged / "weights.safetensors")
    change(weights)
    whole = {key: np.ascontiguousarray(weight) for key, weight in weights.items()}
    save_file(whole, damaged / "weights.safetensors")
    refused(damaged, message)


def test_weights_that_are_too_large_for_a_score(damaged):
    """Each is finite, their sums are not: no NaN gets into a ranking."""
    weights = load_file(damaged / "weights.safetensors")
    weights[SCALE] = np.full_like(weights[SCALE], 3e38)
    save_file(weights, damaged / "weights.safetensors")
    ranker = Ranker.load(damaged)
    for ask in (lambda: ranker.rank("flood", ["a flood"]), lambda: ranker.explain("flood", "a f")):
        with pytest.raises(BundleError, match="this han give scores that are not finite"):
            ask()
    assert "scores that are not finite" in mistake("rank", damaged, "flood", input="a flood\n")


@pytest.mark.parametrize("k1", [float("nan"), float("inf"), -1, "1.2", None])
def test_settings_of_a_bm25_that_are_no_numbers(words, tmp_path, k1):
    folder = shutil.copytree(words, tmp_path / "bm25")
    changed(folder, "settings.json", lambda values: values["bm25"].update(k1=k1))
    refused(folder, "settings.json does not describe a bm25 (k1 must be at least 0")


CLIMB = "../../../../../../../../etc/passwd"
CLIMBING = {
    "the model": ("settings.json", lambda v: v.update(model=CLIMB), "settings.json names no model"),
    "sizes": (
        "settings.json",
        lambda v: v.update(matcher=CLIMB),
        "settings.json does not describe",
    ),
    "a size": (
        "settings.json",
        lambda v: v["matcher"].update(gru=CLIMB),
        "settings.json does not describe a han",
    ),
    "a switch": (
        "settings.json",
        lambda v: v.update(split_sentences=CLIMB),
        "`split_sentences` must be true or false",
    ),
    "the tokenizer": (
        "settings.json",
        lambda v: v.update(tokenizer=CLIMB),
        "this model was trained with a tokenizer of its user's own",
    ),
    "the vocabulary": (
        "vocabulary.json",
        lambda v: v.update(kind="pieces", pieces=CLIMB),
        "the bundle of a han is incomplete: not a tokenizer's JSON text",
    ),
    "the words": (
        "vocabulary.json",
        lambda v: v.update(words=CLIMB),
        "the bundle of a han is incomplete: a vocabulary holds",
    ),
    "what nobody reads": (
        "settings.json",
        lambda v: v.update(path=CLIMB, matcher_path=CLIMB),
        None,
    ),
    "a word": ("vocabulary.json", lambda v: v["words"].__setitem__(-1, CLIMB), None),
}


@pytest.mark.parametrize("name", CLIMBING)
def test_no_value_of_a_bundle_is_a_path(damaged, name):
    file, change, message = CLIMBING[name]
    changed(damaged, file, change)
    if message:
        refused(damaged, message)
    else:
        assert good("rank", damaged, "flood", input="a flood\n").stdout.endswith("\ta flood\n")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_file_that_is_a_link_out_of_its_bundle(damaged, tmp_path, name):
    outside = shutil.move(damaged / name, tmp_path / name)
    (damaged / name).symlink_to(outside)
    refused(damaged, f"{name} must be a file in the folder itself. Received: a link to {outside}")
    (damaged / name).unlink()
    (damaged / name).symlink_to(os.path.relpath(outside, damaged))
    refused(damaged, f"{name} must be a file in the folder itself. Received: a link to {outside}")


def test_links_that_stay_in_their_bundle_or_lead_to_it(damaged, tmp_path):
    (damaged / "settings.json").rename(damaged / "real.json")
    (damaged / "settings.json").symlink_to("real.json")
    (tmp_path / "link").symlink_to(damaged)
    assert Ranker.load(tmp_path / "link").bundle.model == "han"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_links_to_nothing_and_files_that_are_none(damaged, name):
    (damaged / name).unlink()
    (damaged / name).symlink_to(name)
    refused(damaged, f"{name} cannot be read (")
    (damaged / name).unlink()
    (damaged / name).symlink_to("nothing")
    refused(damaged, f"not a bundle, {name} is missing")
    (damaged / name).unlink()
    os.mkfifo(damaged / name)  # whoever reads it waits for ever
    refused(damaged, f"{name} cannot be read (it is not a file)")


def test_the_names_that_a_ranker_knows_are_those_that_train():
    from ir_attention.ranking.ranker import _MATCHZOO
    from ir_attention.training import MODELS

    assert [name for name, (kind, _) in MODELS.items() if kind == "MatchZoo"] == [*_MATCHZOO]


# --- where results go


def trains(path, out, *options):
    return ("train", path, "--model", "bm25", "--out", out, *options)


def test_an_output_that_exists_is_replaced_only_if_asked(write, tmp_path):
    pairs = write(GOOD)
    good(*trains(pairs, tmp_path / "ours"))
    write("years of work", "foreign/thesis.txt")
    before = everything(tmp_path)
    for out in ("ours", "foreign", "pairs.csv"):
        assert f"{out}: exists already. Choose another" in mistake(*trains(pairs, tmp_path / out))
        with pytest.raises(BundleError, match="exists already"):
            train(pairs, model="bm25", out=tmp_path / out, say=pytest.fail)
    for out in ("foreign", "pairs.csv"):
        line = mistake(*trains(pairs, tmp_path / out, "--overwrite"))
        assert f"{out}: not a bundle, so it is not overwritten. Found: " in line
    assert everything(tmp_path) == before
    good(*trains(pairs, tmp_path / "ours", "--overwrite", "--seed", 8))
    assert Bundle.load(tmp_path / "ours").settings["seed"] == 8


ODD = [" ", "-x", "--help", "nö/猫 🚀", "new\nline", "%s{}", "c:\\d", "~", "a/../b", "down/deep/"]


@pytest.mark.parametrize("name", [*ODD, "x" * 255])
def test_odd_names_of_an_output(write, tmp_path, monkeypatch, name):
    pairs = write(GOOD)
    (tmp_path / "here" / "a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    good(*trains(pairs, name))
    good(*trains(pairs, name, "--overwrite"))
    assert Ranker.load(name).bundle.model == "bm25"
    assert {path.name for path in (tmp_path / "here" / name).iterdir()} == NAMES
    assert not list(tmp_path.rglob(".*"))
    assert {path.name for path in tmp_path.iterdir()} == {"pairs.csv", "here"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *((name, "a bundle must have a folder of its own. Received: ") for name in ("", ".", "..")),
        ("file/models", "cannot be written (Not a directory)"),
        ("nowhere/models", "cannot be written (No such file or directory)"),
        ("x" * 256, "cannot be written (File name too long)"),
    ],
)
def test_outputs_that_cannot_be_made_are_refused_before_training(
    write, tmp_path, monkeypatch, name, message
):
    pairs = write(GOOD)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "file").write_text("")
    (tmp_path / "here" / "nowhere").symlink_to("nothing")
    monkeypatch.chdir(tmp_path / "here")
    before = everything(tmp_path)
    assert message in mistake(*trains(pairs, name))
    with pytest.raises(BundleError):
        train(pairs, model="bm25", out=name, say=pytest.fail)
    assert everything(tmp_path) == before


def outputs(write, words, han, folder):
    """Every command that writes, each to a file of its own in `folder`."""
    pairs = write(GOOD)
    return {
        "made": trains(pairs, folder / "made", "--overwrite"),
        "scored.csv": ("score", words, pairs, "-o", folder / "scored.csv"),
        "words.run": ("evaluate", words, pairs, "--run", folder / "words.run"),
        "look.html": ("explain", han, "flood", "a flood", "-o", folder / "look.html"),
    }


def last_line(*args):
    """Of what a command says that notices its mistake late."""
    result = ir_attention(*args)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert isinstance(result.exception, SystemExit)
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_what_was_there(write, words, han, tmp_path, monkeypatch, there):
    folder = tmp_path / "out"
    folder.mkdir()
    commands = outputs(write, words, han, folder)
    for args in commands.values() if there else ():
        good(*args)
    before = everything(tmp_path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for name, args in commands.items():
        line = last_line(*args)
        assert line.startswith(f"Error: {folder / name}: ") and "No space left on device" in line
    assert everything(tmp_path) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's full disk")
def test_a_device_that_is_full(write, words, tmp_path):
    pairs = write(GOOD)
    (tmp_path / "full.csv").symlink_to("/dev/full")
    line = mistake("score", words, pairs, "-o", tmp_path / "full.csv")
    assert line == f"Error: {tmp_path}/full.csv: No space left on device\n"
    for option in ("--version", "--help"):
        with open("/dev/full", "wb") as full:
            done = shell(option, stdout=full)
        assert (done.returncode, done.stderr) == (1, b"Error: No space left on device\n")


def test_a_folder_that_is_read_only(write, words, han, tmp_path, monkeypatch):
    """As root, for whom no folder is: the calls that would make something there refuse."""
    folder = tmp_path / "out"
    folder.mkdir()
    commands = outputs(write, words, han, folder)
    before, opened = everything(tmp_path), open

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(folder / "draft"))

    def opens(file, mode="r", *args, **options):
        return refuse() if "x" in mode else opened(file, mode, *args, **options)

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    monkeypatch.setattr("builtins.open", opens)
    for name, args in commands.items():
        line = last_line(*args)
        assert line.startswith(f"Error: {folder / name}: ") and "Permission denied" in line
    with pytest.raises(BundleError, match="cannot be written .Permission denied.. Choose a place"):
        train(tmp_path / "pairs.csv", model="bm25", out=folder / "made", say=pytest.fail)
    assert everything(tmp_path) == before


def test_a_folder_that_is_really_read_only(write, words, han, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    commands = outputs(write, words, han, folder)
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("root may write to every folder")
    try:
        for name, args in commands.items():
            line = mistake(*args)  # before any training
            assert line.startswith(f"Error: {folder / name}: ") and "Permission denied" in line
    finally:
        folder.chmod(0o755)
    assert not list(folder.iterdir())


def test_a_run_does_not_replace_the_pairs_it_was_made_of(write, words):
    pairs = write(GOOD)
    assert "which it would replace" in mistake("evaluate", words, pairs, "--run", pairs)
    assert pairs.read_text() == GOOD


# --- nobody reads it


def shell(*args, **options):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "ir_attention", *map(str, args)]
    return subprocess.run(command, **{"stderr": subprocess.PIPE, "timeout": 120} | options)


@pytest.fixture
def closed():
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_help_into_a_closed_pipe(closed):
    done = shell("--help", stdout=closed)
    assert (done.returncode, done.stderr) == (141, b"")


def test_talk_into_a_closed_pipe_ends_nothing(closed, han):
    """`train ... 2>&1 | head -1` would lose the training."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": closed}
    done = shell("rank", han, "flood", "--json", **options)
    assert (done.returncode, done.stdout) == (0, b"[]\n")
