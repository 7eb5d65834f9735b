"""Made-up sources in the official layouts, for the scripts of `datasets/`."""

import importlib.util
from pathlib import Path

DATASETS = Path(__file__).parents[1] / "datasets"

WIKIQA_HEADER = "QuestionID\tQuestion\tDocumentID\tDocumentTitle\tSentenceID\tSentence\tLabel\n"
QUORA_HEADER = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
# The MD5 of the first ends in the decimal digit 0, those of the others do not.
HEADLINES = [
    "comet seen over the northern islands",
    "old lighthouse opens as a library",
    "goats keep the railway bank tidy",
]

# What the made-up sources below come to.
TINY = {
    "cranfield": {"all": {"documents": 4, "queries": 2, "judgements": 5, "relevant": 4}},
    "imdb": {
        "train": {"reviews": 3, "positives": 1, "texts": 2},
        "test": {"reviews": 2, "positives": 1, "texts": 2},
    },
    "med": {"all": {"documents": 2, "queries": 2, "judgements": 3, "relevant": 3}},
    "quora": {"all": {"pairs": 4, "positives": 2}},
    "trecqa": {
        "train": {"pairs": 2, "queries": 2, "positives": 1, "mixed": 0, "mixed pairs": 0},
        "dev": {"pairs": 3, "queries": 1, "positives": 1, "mixed": 1, "mixed pairs": 3},
        "test": {"pairs": 1, "queries": 1, "positives": 1, "mixed": 0, "mixed pairs": 0},
    },
    "twitter_url": {
        "train": {"pairs": 3, "queries": 2, "positives": 2, "mixed": 1, "mixed pairs": 2},
        "dev": {"pairs": 2, "queries": 1, "positives": 1, "mixed": 1, "mixed pairs": 2},
        "test": {"pairs": 2, "queries": 1, "positives": 0, "mixed": 0, "mixed pairs": 0},
    },
    "wikiqa": {
        "train": {"pairs": 3, "queries": 2, "positives": 1, "mixed": 1, "mixed pairs": 2},
        "dev": {"pairs": 1, "queries": 1, "positives": 0, "mixed": 0, "mixed pairs": 0},
        "test": {"pairs": 2, "queries": 1, "positives": 2, "mixed": 0, "mixed pairs": 0},
    },
}
NAMES = sorted(TINY)


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


def block(question_id, question, *sentences):
    """A question of the pseudo-XML: below the words stand their parts of speech and the like."""
    lines = [f"<QApairs id='{question_id}'>", "<question>", question, "WP\tVBD", "</question>"]
    for kind, words in sentences:
        lines += [f"<{kind}>", words, "NN\tVB", "0\t1", f"</{kind}>"]
    return "\n".join([*lines, "</QApairs>", ""])


def trecqa_source(folder):
    return write(
        folder,
        {
            "data/TRAIN-ALL.xml": block("1.1", "Who\tran\t?", ("negative", "AT&T\t<num>\tran\t."))
            # The same id once more, for another question.
            + block("1.1", "Who\tsat\t?", ("positive", "Ann\tsat\t.")),
            "data/DEV.xml": block(
                "7.2", "Why\t?", ("positive", "So\t."), ("negative", "No\t."), ("negative", '``\t"')
            ),
            "data/TEST.xml": block("9", "None\t?") + block("9.1", "One\t?", ("positive", "1\t.")),
        },
    )


def quora_source(folder):
    return write(
        folder,
        {
            "quora_duplicate_questions.tsv": QUORA_HEADER
            + "0\t1\t2\tIs it  far?\tHow far is it?\t1\n"
            # Quotes as in CSV, a line break inside them, and a text that was there before.
            + '1\t3\t4\t"What is ""far""\nhere?"\tIs it far?\t0\n'
            + "2\t5\t6\tDo cats swim?\t\t0\n"
            + "3\t7\t8\tDo dogs swim?\tCan dogs swim?\t1\n"
        },
    )


def imdb_source(folder):
    return write(
        folder,
        {
            "train/pos/0_9.txt": 'A "fine" film,<br /><br />truly. ',
            "train/neg/10_1.txt": "Dull.",
            "train/neg/2_4.txt": "Dull.",
            "train/unsup/0_0.txt": "Not labelled.",
            "train/urls_pos.txt": "http://example.org/\n",
            "test/pos/0_7.txt": "Caf\u00e9\twars!",
            "test/neg/0_2.txt": "Weak.",
        },
    )


SOURCES = {
    "cranfield": cranfield_source,
    "imdb": imdb_source,
    "med": med_source,
    "quora": quora_source,
    "trecqa": trecqa_source,
    "twitter_url": twitter_url_source,
    "wikiqa": wikiqa_source,
}
