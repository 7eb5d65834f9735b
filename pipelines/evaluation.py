"""Measure a trained model: bundle and labelled pairs to run, measures, predictions.

    python pipelines/evaluation.py models/news data/twitter_url/test.tsv --mixed --out runs/news

Prints the measures with 95 % intervals, and writes `run.trec`, `per_query.csv` and
`predictions.csv` into the folder of `--out`. Candidates are shuffled before they are scored:
some public files list the relevant ones first, and then the order of the rows alone would score 1.
"""

import argparse
from pathlib import Path

import numpy as np

from ir_attention.data import as_pairs, read_pack
from ir_attention.data.checks import once_each
from ir_attention.evaluation import write_run
from ir_attention.evaluation.measures import evaluate_quietly
from ir_attention.ranking import Ranker

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("bundle", help="what `ir-attention train` wrote")
parser.add_argument("pairs", help="labelled pairs: CSV, TSV, JSON lines, Parquet")
parser.add_argument("--measures", default="AP RR nDCG@1 nDCG@3 nDCG@5", help="ir_measures names")
parser.add_argument("--mixed", action="store_true", help="only queries with both labels")
parser.add_argument("--ties", default="expected", choices=["expected", "trec_eval"])
parser.add_argument("--seed", type=int, default=7, help="of the shuffle and the intervals")
parser.add_argument("--out", type=Path, help="a folder for the run and the predictions")
args = parser.parse_args()

pack = read_pack(args.pairs)
pairs = as_pairs(pack)
order = np.random.default_rng(args.seed).permutation(len(pairs))
shuffled = pairs.iloc[order]

run = Ranker.load(args.bundle).score(shuffled)
measured, note = once_each(shuffled)
once = run.drop_duplicates(["query_id", "doc_id"])
result = evaluate_quietly(
    once, measured, args.measures, ties=args.ties, only_mixed=args.mixed, seed=args.seed
)

print(f"{len(pack)} pairs, {result.queries} queries measured")
for name, value in result.measures.items():
    low, high = result.intervals[name]
    print(f"{name:10} {value:.4f}   [{low:.4f}, {high:.4f}]")
for line in filter(None, (note, *result.notes)):
    print("note:", line)

if args.out:
    args.out.mkdir(parents=True, exist_ok=True)
    write_run(once, args.out / "run.trec")
    result.per_query.to_csv(args.out / "per_query.csv", index=False)
    # The predictions stand in the order of the input, whatever the shuffle.
    predictions = shuffled.assign(predictions=run["score"].to_numpy()).sort_index()
    predictions.to_csv(args.out / "predictions.csv", index=False)
