r"""Headlines and tweets: train a matcher, measure it on headlines it has never seen, keep it all.

    python pipelines/headline_tweets.py                        # the headlines that ship with us
    python pipelines/headline_tweets.py train.csv dev.csv test.csv \
        --columns text_left="Query Headline" text_right="Document Headline" label=Match

An experiment to copy and change. It writes into OUT: the bundles, `run.trec`, `per_query.csv` and
`predictions.csv`, the test pairs in their order with a column `predictions`.
"""

import argparse
import sys
from pathlib import Path

from ir_attention.data import headline_tweets, read_pack
from ir_attention.errors import IRAttentionError
from ir_attention.evaluation import compare, write_run
from ir_attention.evaluation.measures import evaluate_quietly
from ir_attention.ranking import Ranker
from ir_attention.training import train

# Settings: what another experiment changes.
MODEL = "han"  # any of `ir-attention models`
BASELINE = "bm25"
SEED = 7
VECTORS = None  # a GloVe or word2vec file, or a model2vec folder
OPTIONS = {}  # of the training, as {"epochs": 10, "loss": "hinge"}
MEASURES = ["AP", "RR", "nDCG@1", "nDCG@3", "nDCG@5"]
OUT = Path("runs/headline_tweets")

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
for part in ("train", "dev", "test"):
    parser.add_argument(part, nargs="?", default=headline_tweets(part), help="labelled pairs")
parser.add_argument("--columns", nargs="*", default=[], help="our name=the file's header, ...")
parser.add_argument("--model", default=MODEL)
parser.add_argument("--epochs", type=int)
parser.add_argument("--seed", type=int, default=SEED)
parser.add_argument("--out", type=Path, default=OUT)


def experiment(args: argparse.Namespace) -> None:
    if args.out.exists():
        sys.exit(f"Error: {args.out} is there already: name another --out, or remove it")

    # Data: DataPacks, with a query's candidates together in one part.
    columns = dict(column.partition("=")[::2] for column in args.columns) or None
    packs = {part: read_pack(getattr(args, part), columns) for part in ("train", "dev", "test")}
    for part, pack in packs.items():
        print(f"{part:5} {len(pack.left):5} queries {len(pack):6} pairs", file=sys.stderr)

    # Training: the epoch is chosen on dev; test is not looked at.
    models = {name: args.out / name for name in (BASELINE, args.model)}
    options = {**OPTIONS, "vectors": VECTORS, **({"epochs": args.epochs} if args.epochs else {})}
    for name, folder in models.items():
        own = {} if name == BASELINE else options
        train(packs["train"], packs["dev"], model=name, out=folder, seed=args.seed, **own)

    # Evaluation: runs, their measures with 95 % intervals, and whether they differ.
    runs = {name: Ranker.load(folder).score(packs["test"]) for name, folder in models.items()}
    test = packs["test"].frame()
    for name, run in runs.items():
        result = evaluate_quietly(run, test, MEASURES, seed=args.seed)
        print(f"{name}, {result.queries} queries")
        for measure, value in result.measures.items():
            low, high = result.intervals[measure]
            print(f"  {measure:8} {value:.4f}   [{low:.4f}, {high:.4f}]")
    if len(runs) > 1:
        row = compare(test, runs, ["AP"], seed=args.seed).iloc[0]
        print(
            f"{row['run']} - {row['baseline']}: AP {row['difference']:+.4f} "
            f"[{row['low']:+.4f}, {row['high']:+.4f}], p {row['p_randomisation']:.4f}"
        )

    # What stays: the last model's run and predictions.
    write_run(run, args.out / "run.trec")
    result.per_query.to_csv(args.out / "per_query.csv", index=False)
    scored = test.assign(predictions=run["score"].to_numpy())
    scored.to_csv(args.out / "predictions.csv", index=False)
    print(f"wrote {args.out}", file=sys.stderr)


try:
    experiment(parser.parse_args())
except (IRAttentionError, OSError) as error:
    sys.exit(f"Error: {error}")
