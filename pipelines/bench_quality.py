"""How well does `han` rank? Test MAP over seeds, on each data set, with and without vectors.

    python pipelines/bench_quality.py --data twitter_url wikiqa --vectors VECTORS_FOLDER

Reads `data/<name>/{train,dev,test}` (`datasets/<name>/prepare.py` makes them). Every choice is made
on dev; test is measured once a seed, over the queries with both labels, candidates shuffled.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from ir_attention.data import read_pairs
from ir_attention.evaluation.measures import evaluate_quietly as evaluate
from ir_attention.ranking.ranker import Ranker, open_scorer
from ir_attention.training import train

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", nargs="+", default=["twitter_url", "wikiqa"])
parser.add_argument("--root", type=Path, default=Path("data"), help="where the data sets are")
parser.add_argument("--model", default="han")
parser.add_argument("--vectors", help="a file or folder of pretrained vectors")
parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
parser.add_argument("--dev-only", action="store_true", help="leave the test part alone")
parser.add_argument("--option", nargs=2, action="append", default=[], metavar=("NAME", "JSON"))
args = parser.parse_args()
options = {name: json.loads(value) for name, value in args.option}


def part(name: str, which: str):
    found = sorted((args.root / name).glob(f"{which}.tsv*"))
    pairs = read_pairs(found[0])
    return pairs.iloc[np.random.default_rng(7).permutation(len(pairs))].reset_index(drop=True)


for name in args.data:
    parts = {which: part(name, which) for which in ("train", "dev", "test")}
    rows = []
    for seed in args.seeds:
        start = time.perf_counter()
        trained = train(
            parts["train"], parts["dev"], model=args.model, vectors=args.vectors, seed=seed,
            say=None if seed == args.seeds[0] else lambda line: None, **options,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        ranker = Ranker(trained.bundle, open_scorer(trained.bundle))
        row = {"data": name, "vectors": args.vectors, "seed": seed, "train_s": round(seconds)}
        for which in ("dev",) if args.dev_only else ("dev", "test"):
            result = evaluate(
                ranker.score(parts[which]), parts[which], ["AP", "RR", "nDCG@3"], only_mixed=True
            )
            low, high = result.intervals["AP"]
            row |= {f"{which}_{key}": round(value, 4) for key, value in result.measures.items()}
            row[f"{which}_AP_95"] = [round(low, 4), round(high, 4)]
            row[f"{which}_queries"] = result.queries
        rows.append(row)
        print(json.dumps(row), flush=True)
    for which in ("dev_AP", "test_AP"):
        values = [row[which] for row in rows if which in row]
        if values:
            print(f"{name} {which}: mean {np.mean(values):.4f} over seeds {args.seeds}", flush=True)
