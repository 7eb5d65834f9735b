"""What the scripts of `datasets/` write, row by row, from the made-up sources."""

import csv
import gzip
import io
import json

import pytest
from dataset_sources import HEADLINES, SOURCES, TINY, load, med_source, write

PAIRS_HEADER = "id_left\ttext_left\tid_right\ttext_right\tlabel\n"


def made(folder):
    """The names of the files that the script made, with their texts."""
    texts = {}
    for path in folder.iterdir():
        packed = path.read_bytes()
        texts[path.name] = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode()
    return texts


def converted(name, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    load(name).convert(SOURCES[name](tmp_path / "source"), out)
    return made(out)


def test_wikiqa(tmp_path):
    assert converted("wikiqa", tmp_path) == {
        "train.tsv": PAIRS_HEADER
        + 'Q1\twho tuned the organ\tD1-0\tA smith from "Lund did.\t1\n'
        + "Q1\twho tuned the organ\tD1-1\tIt has nine stops .\t0\n"
        + "Q4\tWHY ARE MILLS ROUND?\tD4-0\tSome are square.\t0\n",
        "dev.tsv": PAIRS_HEADER + "Q2\ta\tD2-0\tc\t0\n",
        "test.tsv": PAIRS_HEADER + "Q3\ta\tD3-0\tc\t1\nQ3\ta\tD3-1\td\t1\n",
    }


def test_twitter_url(tmp_path):
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


TRECQA = {
    "train.tsv.gz": PAIRS_HEADER
    + "1.1\tWho ran ?\t1.1-0\tAT&T <num> ran .\t0\n1.1x\tWho sat ?\t1.1x-0\tAnn sat .\t1\n",
    "dev.tsv": PAIRS_HEADER
    + '7.2\tWhy ?\t7.2-0\tSo .\t1\n7.2\tWhy ?\t7.2-1\tNo .\t0\n7.2\tWhy ?\t7.2-2\t`` "\t0\n',
    "test.tsv": PAIRS_HEADER + "9.1\tOne ?\t9.1-0\t1 .\t1\n",
}


def test_trecqa(tmp_path):
    assert converted("trecqa", tmp_path) == TRECQA


def test_trecqa_from_tokens(tmp_path):
    parts = {"train-all": "train.tsv.gz", "raw-dev": "dev.tsv", "raw-test": "test.tsv"}
    for part, name in parts.items():
        rows = [line.split("\t") for line in TRECQA[name].splitlines()[1:]]
        ids, questions, _, sentences, labels = zip(*rows, strict=True)
        columns = {"id.txt": ids, "a.toks": questions, "b.toks": sentences, "sim.txt": labels}
        files = {key: "\n".join(values) + "\n" for key, values in columns.items()}
        write(tmp_path / "source" / part, files)
    (tmp_path / "out").mkdir()
    load("trecqa").convert(tmp_path / "source", tmp_path / "out")
    assert made(tmp_path / "out") == TRECQA

    (tmp_path / "source/raw-dev/id.txt").write_text("7.2\n")
    with pytest.raises(ValueError, match=r"as many lines. Received: \[1, 3, 3, 3\]"):
        load("trecqa").convert(tmp_path / "source", tmp_path / "out")


def test_quora(tmp_path):
    texts = converted("quora", tmp_path)
    assert sorted(texts) == ["dev.tsv.gz", "test.tsv.gz", "train.tsv.gz"]
    assert all(text.startswith(PAIRS_HEADER) for text in texts.values())
    rows = [row for text in texts.values() for row in text.splitlines()[1:]]
    assert sorted(rows) == [
        "1\tIs it far?\t2\tHow far is it?\t1",
        '3\tWhat is "far" here?\t1\tIs it far?\t0',  # the text has the id it came with first
        "5\tDo cats swim?\t6\t\t0",
        "7\tDo dogs swim?\t8\tCan dogs swim?\t1",
    ]


def test_quora_keeps_joined_questions_together():
    script = load("quora")
    # Chains of three questions: 1-2, 2-3; 4-5, 5-6; ... and one group with most of the pairs.
    pairs = [[f"{n}", f"t{n}", f"{n + 1}", f"t{n + 1}", "0"] for n in range(3000) if n % 3]
    pairs += [["hub", "a hub", f"s{n}", f"spoke {n}", "1"] for n in range(50)]
    parts = script.split(pairs)
    where = {}
    for part, (left, _, right, *_) in zip(parts, pairs, strict=True):
        where.setdefault(left, set()).add(part)
        where.setdefault(right, set()).add(part)
    assert all(len(found) == 1 for found in where.values())
    assert where["hub"] == {"train"}
    # By hand: a group is drawn by the text that is first; 1,000 groups, a tenth each.
    for first, part in zip(range(1, 2999, 3), parts[:-50:2], strict=True):
        name = min(f"t{first}", f"t{first + 1}", f"t{first + 2}")
        assert part == script.drawn(name)
    shares = [parts[:-50].count(part) / 2000 for part in ("dev", "test")]
    assert all(0.07 < share < 0.13 for share in shares)
    # The order of the pairs does not matter.
    assert script.split(pairs[::-1]) == parts[::-1]


def test_imdb(tmp_path):
    texts = converted("imdb", tmp_path)
    assert list(csv.reader(io.StringIO(texts["train.csv.gz"], newline=""))) == [
        ["text", "label", "rating", "id"],
        ["Dull.", "0", "4", "train/neg/2_4"],
        ["Dull.", "0", "1", "train/neg/10_1"],  # by number, not by the letters of the name
        ['A "fine" film,<br /><br />truly. ', "1", "9", "train/pos/0_9"],
    ]
    assert texts["test.csv.gz"] == (
        "text,label,rating,id\nWeak.,0,2,test/neg/0_2\nCafé\twars!,1,7,test/pos/0_7\n"
    )


def test_cranfield(tmp_path):
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


def test_med(tmp_path):
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
    assert script.count_collection(tmp_path / "out") == TINY["med"]


def beir_source(folder):
    texts = ["red kite", "red kite red", "blue kite", "green boat", "red\tboat\n sinks", "owl"]
    documents = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(texts)]
    documents.append({"_id": "q2", "title": "A title", "text": "owl"})
    queries = [{"_id": "q1", "text": "red kite"}, {"_id": "q2", "text": "owl"}]
    header = "query-id\tcorpus-id\tscore\n"
    lines = {
        "corpus.jsonl": "".join(json.dumps(one) + "\n" for one in documents),
        "queries.jsonl": "".join(json.dumps(one) + "\n" for one in queries),
        "qrels/train.tsv": header + "q1\td3\t2\n",
        "qrels/test.tsv": header + "q1\td2\t0\nq1\td0\t1\nq2\td5\t1\n",
    }
    return write(folder, lines)


def test_beir(tmp_path, capsys):
    source = beir_source(tmp_path / "source" / "tiny")
    main = load("beir").main
    # All of "red kite"'s four documents with a word of it, in the order of the corpus, and d3,
    # which is judged. q2 is a document, too, and not one of its own candidates.
    main([str(source.parent), "--name", "tiny", "--out", str(tmp_path / "all")])
    texts = made(tmp_path / "all")
    ids = [row.split("\t")[::2] for row in texts["train.tsv.gz"].splitlines()[1:]]
    assert ids == [["q1", f"d{n}", label] for n, label in enumerate("00020")]
    assert texts["test.tsv.gz"] == PAIRS_HEADER + (
        "q1\tred kite\td0\tred kite\t1\nq1\tred kite\td1\tred kite red\t0\n"
        "q1\tred kite\td2\tblue kite\t0\nq1\tred kite\td4\tred boat sinks\t0\nq2\towl\td5\towl\t1\n"
    )
    assert (
        texts["qrels.test.tsv"] == "query-id\tcorpus-id\tscore\nq1\td2\t0\nq1\td0\t1\nq2\td5\t1\n"
    )
    assert texts["documents.txt"].split() == ["d0", "d1", "d2", "d3", "d4", "d5", "q2"]
    assert "dev.tsv.gz" not in texts
    lines = capsys.readouterr().err.splitlines()
    assert "beir tiny: all: 7 documents, 1 train queries, 2 test queries" in lines

    main([str(source), *"--name tiny --depth 2 --only-found --out".split(), str(tmp_path / "two")])
    texts = made(tmp_path / "two")
    ids = [row.split("\t")[2] for row in texts["train.tsv.gz"].splitlines()[1:]]
    assert ids == ["d0", "d1"]  # both words; the judged d3 was not found
    assert "1 relevant" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--name", "scifact"], "all has 7 documents instead of 5183; all has 2 test queries"),
        (["--name", "tiny", "--depth", "0"], "--depth must be at least 1"),
    ],
)
def test_beir_refuses(arguments, message, tmp_path):
    source = beir_source(tmp_path / "source")
    with pytest.raises(SystemExit, match=message):
        load("beir").main([str(source), *arguments, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit, match="there is no download for this"):
        load("beir").main(["--download", "--name", "tiny", "--out", str(tmp_path / "out")])


def test_beir_with_unknown_ids(tmp_path):
    source = beir_source(tmp_path / "source")
    write(source, {"qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td99\t1\n"})
    with pytest.raises(SystemExit, match="every id of the judgements must be in"):
        load("beir").main([str(source), "--name", "tiny", "--out", str(tmp_path / "out")])
