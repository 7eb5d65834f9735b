"""Folders in the layout of BEIR: collections, judgements, pairs."""

import gzip
import json
import os
from pathlib import Path

import pytest

from ir_attention.data.beir import read_beir
from ir_attention.data.readers import read_pairs
from ir_attention.errors import DataError
from ir_attention.text import sentences

REAL = Path(os.environ.get("IR_ATTENTION_DATA", Path(__file__).parents[2] / "data"))
QUERIES = [{"_id": "1", "text": "wings"}, {"_id": "2", "text": "flaps", "metadata": {}}]
CORPUS = [
    {"_id": "7", "title": "on wings", "text": "they lift."},
    {"_id": "8", "title": "", "text": "engines"},
    {"_id": "9", "title": "flaps", "text": ""},
]
QRELS = "query-id\tcorpus-id\tscore\n1\t8\t0\n1\t7\t2\n2\t9\t1\n"


@pytest.fixture
def folder(tmp_path):
    def fill(queries=QUERIES, corpus=CORPUS, **qrels):
        for name, rows in (("queries", queries), ("corpus", corpus)):
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for name, text in (qrels or {"qrels": QRELS}).items():
            path = tmp_path / f"{name.replace('__', '/')}.tsv"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return tmp_path

    return fill


def test_pairs_of_a_folder(folder):
    pairs = read_pairs(folder())
    assert [tuple(row) for row in pairs.to_numpy()] == [
        ("1", "wings", "8", "engines", 0),
        ("1", "wings", "7", "on wings\n\nthey lift.", 2),
        ("2", "flaps", "9", "flaps", 1),
    ]
    assert sentences(pairs.text_right[1]) == [(0, 8), (10, 20)]


def test_a_collection_with_what_is_not_judged(folder):
    more = [*CORPUS, {"_id": "10", "text": "not judged"}]
    queries, documents, judgements = read_beir(folder(corpus=more))
    assert dict(zip(queries.id_left, queries.text_left, strict=True)) == {
        "1": "wings",
        "2": "flaps",
    }
    assert documents.id_right.tolist() == ["7", "8", "9", "10"]
    assert documents.text_right[3] == "not judged"
    assert judgements.to_dict("list") == {
        "id_left": ["1", "1", "2"],
        "id_right": ["8", "7", "9"],
        "label": [0, 2, 1],
    }


def test_which_judgements(folder):
    test = "query-id\tcorpus-id\tscore\n2\t7\t1\n"
    there = folder(qrels__train=QRELS, qrels__test=test)
    for name in ("test", "qrels/test.tsv", "qrels/test"):
        assert read_pairs(there, qrels=name).id_left.tolist() == ["2"]
    with pytest.raises(DataError) as caught:
        read_pairs(there)
    assert str(caught.value) == (
        f"{there}: qrels= must name one of the files of judgements, ['qrels/test.tsv', "
        "'qrels/train.tsv']. Received: None."
    )
    folder(qrels=QRELS, qrels_binary=test)
    assert len(read_pairs(there)) == 3  # qrels.tsv, if there is one
    assert len(read_pairs(there, qrels="qrels_binary")) == 1


def test_packed_files(folder):
    there = folder()
    for name in ("queries.jsonl", "corpus.jsonl", "qrels.tsv"):
        (there / f"{name}.gz").write_bytes(gzip.compress((there / name).read_bytes()))
        (there / name).unlink()
    assert len(read_pairs(there)) == 3


BROKEN = {
    "query lost": (
        {"queries": QUERIES[:1]},
        r"qrels.tsv, line 4: every id must be in queries.jsonl.",
    ),
    "document lost": (
        {"corpus": CORPUS[1:]},
        r"line 3: .* corpus.jsonl. Received: '7' \(1 of 3 rows",
    ),
    "no text": ({"corpus": [{"_id": "1"}]}, r"line 1: _id, title .* Received: \['1', '', None\]"),
    "id a number": ({"queries": [{"_id": 1, "text": "x"}]}, r"line 1: .* Received: \[1, '', 'x'\]"),
    "two texts": (
        {"queries": [*QUERIES, {"_id": "1", "text": "tails"}]},
        r"queries.jsonl, line 3: _id '1' must stand for one text, .* 'wings'. Received: 'tails'\.",
    ),
    "no header": (
        {"qrels": "1\t7\t0\n1\t8\t1\n"},
        r"must name query-id, .* Received: \['1', '7', '0'\]",
    ),
    "score a word": ({"qrels": QRELS.replace("2\n", "two\n")}, "line 3: score .* Received: 'two'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_errors(folder, name):
    changes, message = BROKEN[name]
    with pytest.raises(DataError, match=message):
        read_pairs(folder(**changes))


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "notes.md").write_text("hello")
    with pytest.raises(DataError) as caught:
        read_pairs(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: a folder must hold queries.jsonl, corpus.jsonl and qrels.tsv or "
        "qrels/NAME.tsv. Received: ['notes.md']."
    )


@pytest.mark.parametrize(
    ("name", "counts", "length"), [("cranfield", (225, 1400, 1837), 6), ("med", (30, 1033, 696), 8)]
)
def test_real_collections(name, counts, length):
    if not (REAL / name).exists():
        pytest.skip(f"no {name} in the data folder (set IR_ATTENTION_DATA)")
    collection = read_beir(REAL / name)
    assert tuple(map(len, collection)) == counts
    texts = collection.documents.text_right
    assert abs(sum(len(sentences(text)) for text in texts) / len(texts) - length) < 1.1
