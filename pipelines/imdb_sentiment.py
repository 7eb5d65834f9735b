"""Film reviews to classes: the hierarchical network, by attention, mean or maximum.

    python pipelines/imdb_sentiment.py [--label rating] [--poolings attention mean max]
        [--seeds 7 8 9] [--out results/imdb]

Reads train.csv.gz and test.csv.gz of --data, as datasets/imdb/prepare.py makes them. A tenth of the
training reviews chooses the epoch, and how strictly `linear` is regularised, a logistic regression
on TF-IDF of words and pairs of words. The test part is read when a training is over. What is in
--out already is not run again. The last table has mean accuracies over seeds with 95 % intervals
(bootstrap over reviews), p of the paired randomisation test, by Holm's method, against attention,
and what one training took of all cores together.
"""

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ir_attention.data.labelled import read_labelled, split_by_text, without_markup
from ir_attention.evaluation.classes import measure_classes
from ir_attention.evaluation.intervals import bootstrap_interval
from ir_attention.evaluation.paired import holm, randomisation_test
from ir_attention.files import write_whole
from ir_attention.ranking.classifier import Classifier
from ir_attention.training import train

STRENGTHS = (1.0, 3.0, 10.0, 30.0)  # C of the logistic regression, to choose from on dev

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, default=Path("data/imdb"))
parser.add_argument("--label", choices=("label", "rating"), default="label")
parser.add_argument("--poolings", nargs="*", default=["attention"])
parser.add_argument("--seeds", nargs="+", type=int, default=[7])
parser.add_argument("--epochs", type=int, help="default: as `train`")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--vectors", help="a file or folder of pretrained vectors")
parser.add_argument("--documents", type=int, help="only so many of each part, to try it out")
parser.add_argument("--out", type=Path, default=Path("results/imdb"))
parser.add_argument("--models", type=Path, default=Path("runs/imdb"), help="for the bundles")
args = parser.parse_args()

columns = {"label": args.label}
parts = {name: read_labelled(args.data / f"{name}.csv.gz", columns) for name in ("train", "test")}
if args.documents:
    parts = {
        name: part.sample(args.documents, random_state=7, ignore_index=True)
        for name, part in parts.items()
    }
test = parts["test"]
folder = args.out / args.label
folder.mkdir(parents=True, exist_ok=True)


def said_by(name, run):
    """What a run says of the test reviews, and what it took; from its files if they are there."""
    facts, said = folder / f"{name}.json", folder / f"{name}.txt"
    if not (facts.exists() and said.exists()):
        values, found = run()
        result = measure_classes(test["label"], values)
        found |= {"accuracy": result.accuracy, "interval": result.interval}
        write_whole(said, "".join(f"{value}\n" for value in values).encode())
        write_whole(facts, (json.dumps(found, indent=1) + "\n").encode())
        print(
            f"{name}: accuracy {result.accuracy:.4f} on test, trained in {found['seconds']:.0f} s"
        )
    return np.loadtxt(said, int), json.loads(facts.read_text())


def timed(work):
    """What comes of it, and what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = work()
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return made, took


def linear():
    """A logistic regression on TF-IDF of words and neighbouring pairs, C chosen on dev."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    def fitted(part, strength):
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True)
        model = make_pipeline(words, LogisticRegression(C=strength, max_iter=200))
        return model.fit(part["text"].map(without_markup), part["label"])

    kept, dev = split_by_text(parts["train"], (0.9, 0.1), seed=args.seeds[0])
    on_dev = {
        strength: fitted(kept, strength).score(dev["text"].map(without_markup), dev["label"])
        for strength in STRENGTHS
    }
    best = max(on_dev, key=on_dev.__getitem__)
    model, took = timed(lambda: fitted(parts["train"], best))
    found = {"parameters": model[1].coef_.size + model[1].intercept_.size, "dev": on_dev}
    return model.predict(test["text"].map(without_markup)), {**found, "C": best, **took}


def network(pooling, seed):
    """A `han-classifier` with one kind of pooling at both levels."""
    out = args.models / f"{args.label}-{pooling}-{seed}"
    asked = {} if args.epochs is None else {"epochs": args.epochs}
    trained, took = timed(
        lambda: train(
            parts["train"],
            model="han-classifier",
            out=out,
            vectors=args.vectors,
            seed=seed,
            say=lambda line: print(f"{pooling}, seed {seed}: {line}", file=sys.stderr, flush=True),
            threads=args.threads,
            word_pooling=pooling,
            sentence_pooling=pooling,
            overwrite=True,
            **asked,
        )
    )
    found = {
        "parameters": trained.bundle.settings["parameters"],
        "history": trained.history.to_dict("records"),
        **took,
    }
    return Classifier.load(out).predict(test["text"].tolist()), found


runs = {
    pooling: [(f"{pooling}-{seed}", partial(network, pooling, seed)) for seed in args.seeds]
    for pooling in args.poolings
}
true = test["label"].to_numpy()
rows, right = [], {}
for name, runs_of_model in {**runs, "linear": [("linear", linear)]}.items():
    found = [said_by(*run) for run in runs_of_model]
    right[name] = np.mean([said == true for said, _ in found], axis=0)
    facts = [one for _, one in found]
    low, high = bootstrap_interval(right[name], seed=7)
    rows.append(
        {
            "model": name,
            "accuracy": right[name].mean(),
            "low": low,
            "high": high,
            "seeds": " ".join(f"{one['accuracy']:.4f}" for one in facts),
            "weights": facts[0]["parameters"],
            "training, s": np.mean([one["seconds"] for one in facts]),
            "CPU s": np.mean([one["cpu_seconds"] for one in facts]),
        }
    )
others = [name for name in right if name != "attention" and "attention" in right]
tests = np.array([randomisation_test(right["attention"] - right[name], seed=7) for name in others])
p = dict(zip(others, holm(tests), strict=True)) if others else {}
table = pd.DataFrame(rows).assign(p=[p.get(row["model"], np.nan) for row in rows])
write_whole(folder / "table.csv", table.to_csv(index=False).encode())
print(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))
