"""Does attention tell what `han` and `han-bi` score by? Words erased in several orders.

    python pipelines/bench_faithfulness.py [--bundle han twitter_url FOLDER] [--out FOLDER]

Trains both models on twitter_url (`datasets/twitter_url/prepare.py` makes `data/twitter_url`) and
on the shipped headlines; a model given with `--bundle` is taken as it is. Measures `faithfulness`
on the relevant pairs of each test part, as many as are drawn at most; and, on one thread, how long
one explanation takes of a document of 10 sentences and 150 words, with leave-one-out. Prints the
rows of the table in `docs/attention.md`; the last line of stdout is one JSON list with everything.
`--out results/faithfulness` also writes a file for each model and data set, to which a test holds
that table.
"""

import os

# Read by OpenBLAS when it is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ir_attention.data import headline_tweets, read_pairs
from ir_attention.files import write_whole
from ir_attention.ranking.faithfulness import faithfulness
from ir_attention.ranking.ranker import Ranker
from ir_attention.reports.faithfulness import MEASURES, faithfulness_rows
from ir_attention.text import words
from ir_attention.training import train

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
add = parser.add_argument
add("--models", nargs="+", default=["han", "han-bi"])
add("--data", nargs="+", default=["twitter_url", "headline_tweets"])
add("--root", type=Path, default=Path("data"), help="where the data sets are")
add("--bundle", nargs=3, action="append", default=[], metavar=("MODEL", "DATA", "FOLDER"))
add("--vectors", help="a file or folder of pretrained vectors, for training")
add("--epochs", type=int, help="of the training")
add("--pairs", type=int, default=400, help="of each test part at most")
add("--seed", type=int, default=7)
add("--turns", type=int, default=15, help="of the timing")
add("--out", type=Path, help="a folder for a JSON file of each model and data set")
args = parser.parse_args()
given = {(model, data): Path(folder) for model, data, folder in args.bundle}


def part(name: str, which: str):
    """The pairs of a part of a data set."""
    if name == "headline_tweets":
        return read_pairs(headline_tweets(which))
    return read_pairs(sorted((args.root / name).glob(f"{which}.tsv*"))[0])


def ranker_of(model: str, name: str) -> Ranker:
    if (model, name) in given:
        return Ranker.load(given[model, name])
    options = {"vectors": args.vectors} if args.vectors else {}
    options |= {"epochs": args.epochs} if args.epochs else {}
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "bundle"
        options |= {"model": model, "out": folder, "seed": args.seed, "say": lambda line: None}
        train(part(name, "train"), part(name, "dev"), **options)
        return Ranker.load(folder)


def milliseconds(ranker: Ranker, test) -> dict:
    """CPU milliseconds of an explanation: the median over turns, of words of the test part."""
    rng = np.random.default_rng(args.seed)
    known = sorted({word for text in test["text_right"] for word in words(text) if word.isalpha()})
    drawn = rng.choice(known, (10, 15)).tolist()
    document = " ".join(f"{' '.join(sentence).capitalize()}!" for sentence in drawn)
    query = max(test["text_left"].head(50), key=len)
    found = ranker.explain(query, document)
    sizes = len(found.document_words), len(found.sentence_weights)
    np.testing.assert_equal(sizes, (150, 10))
    # Leaving out a word by hand gives the same as all of them at once.
    first = document.replace(found.document_words[0], "", 1)
    lower = found.score - ranker.explain(query, first, effects=False).score
    np.testing.assert_allclose(found.document_effects[0], lower, atol=1e-4)

    def median(**how) -> float:
        seconds = []
        for _ in range(args.turns):
            start = time.process_time()
            ranker.explain(query, document, **how)
            seconds.append(time.process_time() - start)
        return round(1000 * float(np.median(seconds)), 1)

    return {
        "query_words": len(found.query_words),
        "weights": median(effects=False),
        "effects": median(),
        "curves": median(curves=True),
    }


rows = []
for name in args.data:
    test = part(name, "test")
    for model in args.models:
        ranker = ranker_of(model, name)
        print(f"{model} on {name}", file=sys.stderr, flush=True)
        found = faithfulness(ranker, test, limit=args.pairs, seed=args.seed)
        settings = {"data": name, "seed": args.seed, "limit": args.pairs, "vectors": args.vectors}
        row = {**settings, "milliseconds": milliseconds(ranker, test), **found.to_json()}
        rows.append(row)
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
            written = json.dumps(row, indent=1, allow_nan=False) + "\n"
            write_whole(args.out / f"{model}-{name}.json", written.encode())

print(f"| model, test part | erased first | {' | '.join(MEASURES)} | area, times random |")
print("| --- " * 2 + "| ---: " * (len(MEASURES) + 1) + "|")
for row in rows:
    print(*faithfulness_rows(row, row["data"]), sep="\n")
for row in rows:
    print(f"\n{row['model']} on {row['data']}: {row['pairs']} pairs of {row['queries']} queries")
    print(*row["sentences"], sep="\n")
    took = row["milliseconds"]
    print(f"an explanation takes {took['effects']} ms, without effects {took['weights']} ms")
print(json.dumps(rows))
