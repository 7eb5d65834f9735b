"""`rank`: its contract, and that it is light."""

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


@pytest.mark.parametrize("threads", ["1", "2"])
def test_threads_change_no_score(bundle, pairs, threads):
    given = good("rank", bundle, "flood in Oslo", pairs, "--threads", threads, "--json").stdout
    assert given == good("rank", bundle, "flood in Oslo", pairs, "--json").stdout
    given = good("score", bundle, pairs, "--threads", threads).stdout
    assert given == good("score", bundle, pairs).stdout
    given = good("evaluate", bundle, pairs, "--threads", threads).stdout
    assert given == good("evaluate", bundle, pairs).stdout
