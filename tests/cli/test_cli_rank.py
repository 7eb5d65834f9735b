"""`rank` and `explain`: their contracts, and that they are light."""

import gzip
import json
import os
import subprocess
import sys

import pytest
from cli_calls import good, mistake


def test_rank_prints_json_as_promised(bundle, ranker):
    documents = ["comet talk", "the flood in Oslo. wow", "so the flood near #Oslo ... wow"]
    found = json.loads(
        good("rank", bundle, "flood in Oslo", "--json", input="\n".join(documents)).stdout
    )
    wanted = ranker.rank("flood in Oslo", documents)
    assert found == wanted.to_dict("records")
    assert list(found[0]) == ["position", "document", "score"]


def test_rank_prints_the_best_k_with_tabs(bundle, ranker, tmp_path):
    documents = [f"flood number {number}" for number in range(20)]
    file = tmp_path / "tweets.txt"
    file.write_text("\n".join(documents) + "\n")
    lines = good("rank", bundle, "flood 7", file, "-k", 3).stdout.splitlines()
    places, scores = ranker.order("flood 7", documents, 3)
    assert lines == [
        f"{place}\t{score:.4f}\t{documents[place]}"
        for place, score in zip(places, scores, strict=True)
    ]
    assert len(good("rank", bundle, "flood 7", file).stdout.splitlines()) == 10


@pytest.mark.parametrize("packed", [False, True])
def test_positions_are_lines_and_blank_lines_are_no_documents(bundle, tmp_path, packed):
    file = tmp_path / ("tweets.txt.gz" if packed else "tweets.txt")
    data = "\ufefffirst\r\n\n \t\nfou\u2028r\x0bth 🚀\n\nlast".encode()
    file.write_bytes(gzip.compress(data) if packed else data)
    found = json.loads(good("rank", bundle, "x", file, "--json").stdout)
    documents = {one["position"]: one["document"] for one in found}
    assert documents == {0: "first", 3: "fou\u2028r\x0bth 🚀", 5: "last"}


def test_no_documents_are_an_empty_ranking(bundle):
    result = good("rank", bundle, "x", "--json", input="\n\n")
    assert (json.loads(result.stdout), result.stderr) == ([], "no documents in stdin\n")
    assert good("rank", bundle, "x", input="").stdout == ""


def test_rank_says_which_line_is_not_utf8(bundle, tmp_path):
    assert "stdin, line 2: not UTF-8" in mistake("rank", bundle, "x", input=b"fine\ncaf\xe9\n")
    (tmp_path / "t.gz").write_bytes(b"not packed")
    assert "not a whole gzip file" in mistake("rank", bundle, "x", tmp_path / "t.gz")


def test_rank_needs_neither_tensorflow_nor_pandas(bundle):
    code = (
        "import os, sys; from ir_attention.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert os.environ['OPENBLAS_NUM_THREADS']\n"
        "sys.exit(' '.join({'tensorflow', 'keras', 'matchzoo', 'nltk', 'pandas', 'scipy'}"
        " & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "rank", bundle, "flood 🚀", "-k", "1"],
        input="a flood 🚀\nno\n".encode(),
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().split("\t")[::2] == ["0", "a flood 🚀\n"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_stops_early_is_no_error(bundle, unbuffered, tmp_path):
    file = tmp_path / "tweets.txt"
    file.write_text("".join(f"flood number {number} {'x' * 900}\n" for number in range(300)))
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ir_attention", "rank", bundle, "flood", file, "-k", "300"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            timeout=120,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_explain_prints_words_with_their_weights(bundle, ranker):
    query, document = "flood in Oslo", "So the flood near #Oslo. Wow!"
    lines = good("explain", bundle, query, document).stdout.splitlines()
    explained = ranker.explain(query, document)
    assert lines[0] == f"score {explained.score:.4f}"
    shown = [line.split()[-1] for line in lines if line.startswith("  ") and ">" not in line]
    assert shown == [*explained.query_words, *explained.document_words]
    pairs = [line.partition(" > ")[2] for line in lines if " > " in line]
    assert pairs == explained.matrix().idxmax(axis=1).tolist()
    effects = [line.split()[-2] for line in lines if line.startswith("  ") and ">" not in line]
    wanted = [*explained.query_effects, *explained.document_effects]
    assert [float(effect) for effect in effects] == pytest.approx(wanted, abs=6e-4)


def test_explain_writes_a_page_a_picture_and_the_numbers(bundle, ranker, tmp_path):
    query, document = "flood <b>in</b> Oslo", "So the flood near #Oslo. Wow!"
    for name, start in (("o.html", b"<!DOCTYPE html>"), ("o.PNG", b"\x89PNG"), ("o.json", b"[{")):
        assert good("explain", bundle, query, document, "-o", tmp_path / name).output == ""
        assert (tmp_path / name).read_bytes().startswith(start)
    (item,) = json.loads((tmp_path / "o.json").read_text())
    explained = ranker.explain(query, document, curves=True)
    assert item["explanation"] == json.loads(json.dumps(explained.to_json()))
    assert (item["text"], item["label"]) == (explained.document_words, None)
    assert item["prediction"] == pytest.approx(explained.score)
    page = (tmp_path / "o.html").read_text()
    assert "<b>in</b>" not in page and "Is that why?" in page


def test_explain_takes_several_documents(bundle, ranker, tmp_path):
    texts = ["So the flood near #Oslo. Wow!", "comet talk", "flood"]
    lines = good("explain", bundle, "flood in Oslo", *texts).stdout.splitlines()
    scores = [ranker.explain("flood in Oslo", text).score for text in texts]
    assert [line for line in lines if line.startswith(("document ", "score"))] == [
        line
        for number, score in enumerate(scores, 1)
        for line in (f"document {number}", f"score {score:.4f}")
    ]
    for name in ("o.html", "o.png", "o.json"):
        good("explain", bundle, "flood in Oslo", *texts, "-o", tmp_path / name)
    assert (tmp_path / "o.html").read_text().count("<article ") == 3
    out = tmp_path / "o.json"
    good("explain", bundle, "flood", *texts, "-o", out, "--label", 1, "--label", 0, "--label", 0.5)
    items = json.loads(out.read_text())
    assert [item["label"] for item in items] == [1.0, 0.0, 0.5]
    assert [item["id"] for item in items] == ["document_1", "document_2", "document_3"]


def test_labels_stand_in_the_numbers_alone_and_for_each_document(bundle, tmp_path):
    assert "-o FILE.json" in mistake("explain", bundle, "q", "d", "--label", 1)
    out = tmp_path / "o.json"
    said = mistake("explain", bundle, "q", "d", "e", "-o", out, "--label", 1)
    assert "each of the 2 documents. Received: 1" in said
    assert not out.exists()


def test_explain_shows_a_document_without_words(bundle):
    assert good("explain", bundle, "flood", "...").stdout.startswith("score ")


@pytest.mark.parametrize("threads", ["1", "2"])
def test_threads_change_no_score(bundle, pairs, threads):
    given = good("rank", bundle, "flood in Oslo", pairs, "--threads", threads, "--json").stdout
    assert given == good("rank", bundle, "flood in Oslo", pairs, "--json").stdout
    given = good("score", bundle, pairs, "--threads", threads).stdout
    assert given == good("score", bundle, pairs).stdout
    given = good("evaluate", bundle, pairs, "--threads", threads).stdout
    assert given == good("evaluate", bundle, pairs).stdout
