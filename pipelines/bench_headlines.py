"""Is the matcher better than counting words on our own headlines? Five folds by headline.

    python pipelines/bench_headlines.py [--models bm25 dssm conv-knrm han-bi han] [--out FILE]

All 200 headlines of `datasets/headline_tweets` are measured, each by a model that has not seen it;
a tenth of the other folds' headlines chooses the epoch. Intervals are bootstrapped over headlines,
differences are paired. The last line of stdout is one JSON object with everything.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import pandas as pd

from ir_attention.data import headline_tweets, query_folds, read_pairs
from ir_attention.evaluation import compare
from ir_attention.evaluation.measures import evaluate_quietly
from ir_attention.ranking.ranker import Ranker, open_scorer
from ir_attention.training import train

MEASURES = ["AP", "RR", "nDCG@1", "nDCG@3", "nDCG@5"]

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--models", nargs="+", default=["bm25", "han-bi", "han"])
parser.add_argument("--vectors", help="a file or folder of pretrained vectors")
parser.add_argument("--folds", type=int, default=5)
parser.add_argument("--epochs", type=int)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--out", type=Path, help="a file for the JSON object, too")
args = parser.parse_args()

pairs = pd.concat([read_pairs(headline_tweets(part)) for part in ("train", "dev", "test")])
runs, seconds = {}, {}
for model in args.models:
    start, parts = time.perf_counter(), []
    for number, (rest, held_out) in enumerate(query_folds(pairs, args.folds, seed=args.seed)):
        own = {"vectors": args.vectors} if model.startswith("han") else {}
        own |= {"epochs": args.epochs} if args.epochs else {}
        trained = train(rest, model=model, seed=args.seed, say=lambda line: None, **own)
        parts.append(Ranker(trained.bundle, open_scorer(trained.bundle)).score(held_out))
        print(f"{model}, fold {number + 1} of {args.folds}", file=sys.stderr, flush=True)
    runs[model], seconds[model] = pd.concat(parts), time.perf_counter() - start

results = {
    model: evaluate_quietly(run, pairs, MEASURES, seed=args.seed) for model, run in runs.items()
}
for model, result in results.items():
    cells = [
        "{} {:.3f} [{:.3f}, {:.3f}]".format(name, value, *result.intervals[name])
        for name, value in result.measures.items()
    ]
    print(f"{model:10} {'  '.join(cells)}  {seconds[model]:.0f} s")
found = {"queries": result.queries, "models": {m: r.to_dict() for m, r in results.items()}}
if len(runs) > 1:
    table = compare(pairs, runs, ["AP"], seed=args.seed)
    print(table.drop(columns="result").to_string(index=False))
    found["differences"] = table.to_dict("records")
line = json.dumps(found)
if args.out:
    args.out.write_text(line + "\n")
print(line)
