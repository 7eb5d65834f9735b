"""The scripts of `datasets/`, on made-up sources in the official layouts."""

import gzip
import importlib.util
import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATASETS = ROOT / "datasets"
REAL = Path(os.environ.get("IR_ATTENTION_DATA", ROOT / "data"))
NAMES = ["cranfield", "med", "twitter_url", "wikiqa"]

WIKIQA_HEADER = "QuestionID\tQuestion\tDocumentID\tDocumentTitle\tSentenceID\tSentence\tLabel\n"
# The MD5 of the first ends in the decimal digit 0, those of the others do not.
HEADLINES = [
    "comet seen over the northern islands",
    "old lighthouse opens as a library",
    "goats keep the railway bank tidy",
]
PAIRS_HEADER = "id_left\ttext_left\tid_right\ttext_right\tlabel\n"

# What the made-up sources below come to.
TINY = {
    "cranfield": {"all": {"documents": 4, "queries": 2, "judgements": 5, "relevant": 4}},
    "med": {"all": {"documents": 2, "queries": 2, "judgements": 3, "relevant": 3}},
    "twitter_url": {
        "train": {"pairs": 3, "queries": 2, "positives": 2},
        "dev": {"pairs": 2, "queries": 1, "positives": 1},
        "test": {"pairs": 2, "queries": 1, "positives": 0},
    },
    "wikiqa": {
        "train": {"pairs": 3, "queries": 2, "positives": 1},
        "dev": {"pairs": 1, "queries": 1, "positives": 0},
        "test": {"pairs": 2, "queries": 1, "positives": 2},
    },
}


def load(name):
    """The script as a module; there is no package to import it from."""
    spec = importlib.util.spec_from_file_location(f"prepare_{name}", DATASETS / name / "prepare.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode())
    return folder


def wikiqa_source(folder):
    return write(
        folder,
        {
            # Literal quotes, uneven white space, a character that `splitlines` would cut at.
            "WikiQA-train.tsv": WIKIQA_HEADER
            + 'Q1\twho tuned  the organ\tD1\tOrgan\tD1-0\tA smith from "Lund did.\t1\n'
            + "Q1\twho tuned  the organ\tD1\tOrgan\tD1-1\t It has\xa0 nine\u2028stops . \t0\n"
            + "Q4\tWHY ARE MILLS ROUND?\tD4\tMill\tD4-0\tSome are square.\t0\n",
            "WikiQA-dev.tsv": WIKIQA_HEADER + "Q2\ta\tD2\tB\tD2-0\tc\t0\r\n",
            "WikiQA-test.tsv": WIKIQA_HEADER + "Q3\ta\tD3\tB\tD3-0\tc\t1\nQ3\ta\tD3\tB\tD3-1\td\t1",
        },
    )


def twitter_url_source(folder):
    held, library, goats = HEADLINES
    return write(
        folder,
        {
            "train/a.toks": f"{library}\n{held}\n{library}\n{goats}\n{held}\n",
            "train/b.toks": 'books !\nlook up\nno " lighthouse " now\ngoats win\ntail ?\n',
            "train/sim.txt": "1\n1\n0\n1\n0\n",
            "test/a.toks": "a fourth headline\na fourth headline\n",
            "test/b.toks": "one\ntwo\n",
            "test/sim.txt": "0\n0\n",
        },
    )


def cranfield_source(folder):
    return write(
        folder,
        {
            "cran.all.1400": ".I 1\n.T\nkites in a\ngale .\n.A\nfry,j.\n.B\nj. kites 3, 1950.\n.W\n"
            "kites in a\ngale .\n  two kites were  flown .\n.5 m of line broke .\n"
            ".I 2\n.T\n.A\n.B\n.W\n"
            ".I 3\n.T\nsails .\n.A\n.B\n.W\nsails .\nsails . they tear\n.W\nin rain .\n"
            ".I 4\n.T\nmasts .\n.A\n.B\n.W\nof masts . no more\n",
            "cran.qry": ".I 001\n.W\nwhat do kites\ndo in a gale .\n"
            ".I 004\n.W\nwhy do they tear .\n",
            "cranqrel": "1 1 1 \n1 4  4\n1 2 -1\n2 3 2\n2 4 3 \n",
        },
    )


def med_source(folder):
    return write(
        folder,
        {
            "MED.ALL": ".I 1\n.W\non sneezing .      \n  dust   was blown .\n.I 2\n.W\nhiccups .\n",
            "MED.QRY": ".I 1\n.W\nwhat makes\npeople sneeze.\n.I 2\n.W\nhiccups?\n",
            "MED.REL": "1 0 1 1\n2 0 1 1\n2 0 2 1\n",
        },
    )


SOURCES = {
    "cranfield": cranfield_source,
    "med": med_source,
    "twitter_url": twitter_url_source,
    "wikiqa": wikiqa_source,
}


def converted(name, tmp_path):
    """The names of the files that the script makes, with their texts."""
    out = tmp_path / "out"
    out.mkdir()
    load(name).convert(SOURCES[name](tmp_path / "source"), out)
    texts = {}
    for path in out.iterdir():
        packed = path.read_bytes()
        texts[path.name] = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode()
    return texts


def test_wikiqa_rows(tmp_path):
    assert converted("wikiqa", tmp_path) == {
        "train.tsv": PAIRS_HEADER
        + 'Q1\twho tuned the organ\tD1-0\tA smith from "Lund did.\t1\n'
        + "Q1\twho tuned the organ\tD1-1\tIt has nine stops .\t0\n"
        + "Q4\tWHY ARE MILLS ROUND?\tD4-0\tSome are square.\t0\n",
        "dev.tsv": PAIRS_HEADER + "Q2\ta\tD2-0\tc\t0\n",
        "test.tsv": PAIRS_HEADER + "Q3\ta\tD3-0\tc\t1\nQ3\ta\tD3-1\td\t1\n",
    }


def test_twitter_url_rows(tmp_path):
    held, library, goats = HEADLINES
    assert converted("twitter_url", tmp_path) == {
        "train.tsv.gz": PAIRS_HEADER
        + f"H0\t{library}\tH0-tr0\tbooks !\t1\n"
        + f'H0\t{library}\tH0-tr1\tno " lighthouse " now\t0\n'
        + f"H2\t{goats}\tH2-tr0\tgoats win\t1\n",
        "dev.tsv": PAIRS_HEADER
        + f"H1\t{held}\tH1-tr0\tlook up\t1\nH1\t{held}\tH1-tr1\ttail ?\t0\n",
        "test.tsv": PAIRS_HEADER
        + "H3\ta fourth headline\tH3-te0\tone\t0\nH3\ta fourth headline\tH3-te1\ttwo\t0\n",
    }


def test_cranfield_rows(tmp_path):
    texts = converted("cranfield", tmp_path)
    assert [json.loads(line) for line in texts["corpus.jsonl"].splitlines()] == [
        {
            "_id": "1",
            "title": "kites in a gale .",
            "text": "two kites were flown . .5 m of line broke .",
        },
        {"_id": "2", "title": "", "text": ""},
        {"_id": "3", "title": "sails .", "text": "sails . they tear in rain ."},
        {"_id": "4", "title": "masts .", "text": "of masts . no more"},
    ]
    assert [json.loads(line) for line in texts["queries.jsonl"].splitlines()] == [
        {"_id": "1", "text": "what do kites do in a gale ."},
        {"_id": "2", "text": "why do they tear ."},
    ]
    header = "query-id\tcorpus-id\tscore\n"
    assert texts["qrels.tsv"] == header + "1\t1\t4\n1\t4\t1\n1\t2\t0\n2\t3\t3\n2\t4\t2\n"
    assert texts["qrels_all1837_binary.tsv"] == (
        header + "1\t1\t1\n1\t4\t1\n1\t2\t1\n2\t3\t1\n2\t4\t1\n"
    )
    assert len(texts) == 4


def test_med_rows(tmp_path):
    assert converted("med", tmp_path) == {
        "corpus.jsonl": '{"_id": "1", "title": "", "text": "on sneezing . dust was blown ."}\n'
        '{"_id": "2", "title": "", "text": "hiccups ."}\n',
        "queries.jsonl": '{"_id": "1", "text": "what makes people sneeze."}\n'
        '{"_id": "2", "text": "hiccups?"}\n',
        "qrels.tsv": "query-id\tcorpus-id\tscore\n1\t1\t1\n2\t1\t1\n2\t2\t1\n",
    }


@pytest.mark.parametrize("lines", ["1 1 1\n2 1 1\n2 2 1\n", "1 1 0 0.0\n\n2 1 0 0.0\n2 2 0 0.0\n"])
def test_med_takes_the_older_judgements(tmp_path, lines):
    source = med_source(tmp_path)
    newer = load("med").read_judgements(source / "MED.REL")
    (source / "MED.REL").unlink()
    (source / "MED.REL.OLD").write_text(lines)
    (tmp_path / "out").mkdir()
    script = load("med")
    script.convert(source, tmp_path / "out")
    assert script.read_judgements(source / "MED.REL.OLD") == newer
    assert script.count(tmp_path / "out") == TINY["med"]


@pytest.mark.parametrize("name", NAMES)
def test_made_whole_and_the_same_twice(name, tmp_path, monkeypatch, capsys):
    script = load(name)
    monkeypatch.setattr(script, "COUNTS", TINY[name])
    source = SOURCES[name](tmp_path / "source")
    made = []
    for out in (tmp_path / "data" / "first", tmp_path / "data" / "second"):
        script.main([str(source), "--out", str(out)])
        made.append({path.name: path.read_bytes() for path in out.iterdir()})
        assert script.count(out) == TINY[name]
    assert made[0] == made[1]
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["first", "second"]
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 2

    with pytest.raises(SystemExit, match="is there already; move it away"):
        script.main([str(source), "--out", str(out)])


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("cranfield", "cranfield: 4 documents instead of 1400; 2 queries instead of 225; "),
        ("med", "med: 2 documents instead of 1033; 2 queries instead of 30; "),
        ("twitter_url", "twitter_url: train has 3 pairs instead of 38345; train has 2 queries "),
        ("wikiqa", "wikiqa: train has 3 pairs instead of 20360; train has 2 queries "),
    ],
)
def test_wrong_counts_leave_nothing(name, line, tmp_path):
    source = SOURCES[name](tmp_path / "source")
    with pytest.raises(SystemExit) as stopped:
        load(name).main([str(source), "--out", str(tmp_path / "data" / name)])
    assert stopped.value.code.startswith(line)
    assert stopped.value.code.endswith("Is the source complete and unchanged?")
    assert "\n" not in stopped.value.code
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("wikiqa", "WikiQA-dev.tsv", "Question\n", "line 1: the header must be"),
        ("wikiqa", "WikiQA-dev.tsv", WIKIQA_HEADER + "Q2\ta\n", "line 2: needs 7 columns"),
        ("wikiqa", "WikiQA-dev.tsv", WIKIQA_HEADER + "Q\ta\tD\tB\tD-0\tc\t2\n", "line 2: needs 7"),
        ("twitter_url", "test/sim.txt", "0\n", r"as many lines\. Received: \[2, 2, 1\]"),
        ("twitter_url", "test/sim.txt", "0\nno\n", "line 2: not 0 or 1: 'no'"),
        ("cranfield", "cran.qry", "what\n", r"line 1: must begin with \.I"),
        ("cranfield", "cranqrel", "1 2 7\n", "must be query, document, code"),
        ("med", "MED.ALL", "\nwhat\n", r"line 2: must begin with \.I"),
        ("med", "MED.REL", "1 2\n", "must be query, "),
    ],
)
def test_foreign_files_are_one_line(name, file, content, message, tmp_path):
    source = write(SOURCES[name](tmp_path / "source"), {file: content})
    with pytest.raises(SystemExit, match=message) as stopped:
        load(name).main([str(source), "--out", str(tmp_path / "data")])
    assert "\n" not in stopped.value.code
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_one_line(name, tmp_path):
    with pytest.raises(SystemExit, match=f"^{name}: .*No such file") as stopped:
        load(name).main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "data")])
    assert "\n" not in stopped.value.code


def readme_counts(name):
    """The counts table of the readme, as the scripts have it."""
    lines = (DATASETS / name / "README.md").read_text().splitlines()
    header, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"
    )
    return {part: dict(zip(header[1:], map(int, numbers), strict=True)) for part, *numbers in rows}


@pytest.mark.parametrize("name", NAMES)
def test_readme_states_the_counts(name):
    assert readme_counts(name) == load(name).COUNTS


@pytest.mark.parametrize("name", NAMES)
def test_prepared_data_has_the_counts(name):
    folder = REAL / name
    if not folder.exists():
        pytest.skip(f"no {name} in the data folder (set IR_ATTENTION_DATA)")
    assert load(name).count(folder) == readme_counts(name)


def test_the_folder_is_no_package():
    # `datasets/__init__.py` would be found in place of Hugging Face's package of that name.
    assert list(DATASETS.rglob("__init__.py")) == []
