"""Film reviews to classes: the hierarchical network, by attention, mean or maximum.

    python pipelines/imdb_sentiment.py [--label rating] [--poolings attention mean max]
        [--seeds 7 8 9] [--out results/imdb]

Reads train.csv.gz and test.csv.gz of --data, as datasets/imdb/prepare.py makes them. A tenth of the
training reviews chooses the epoch, and how strictly `linear` is regularised, a logistic regression
on TF-IDF of words and pairs of words, which then learns from all of them. The test part is read
when a training is over. What is in --out already is not run again, and refused if it was made with
other settings. The last table has mean accuracies over seeds with 95 % intervals (bootstrap over
reviews), p of the paired randomisation test, by Holm's method, against attention, and what one
training took, of all cores together.
"""

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from ir_attention.data.labelled import read_labelled, split_by_text, without_markup
from ir_attention.errors import DataError, IRAttentionError
from ir_attention.evaluation.classes import measure_classes
from ir_attention.evaluation.intervals import bootstrap_interval
from ir_attention.evaluation.paired import holm, randomisation_test
from ir_attention.files import write_whole
from ir_attention.ranking.classifier import Classifier
from ir_attention.training import train
from ir_attention.training.classifier_settings import POOLINGS, classifier_settings

STRENGTHS = (1.0, 3.0, 10.0, 30.0)  # C of the logistic regression, to choose from on dev
DEV_SEED = 7  # of the reviews it is chosen on

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
add = parser.add_argument
add("--data", type=Path, default=Path("data/imdb"))
add("--label", choices=("label", "rating"), default="label")
add("--poolings", nargs="*", choices=POOLINGS, default=["attention"])
add("--seeds", nargs="+", type=int, default=[7])
add("--epochs", type=int, help="default: as `train`")
add("--threads", type=int, default=1)
add("--vectors", help="a file or folder of pretrained vectors")
add("--documents", type=int, help="only so many of each part, to try it out")
add("--out", type=Path, default=Path("results/imdb"))
add("--models", type=Path, default=Path("runs/imdb"), help="for the bundles")
args = parser.parse_args()


def read(part):
    documents = read_labelled(args.data / f"{part}.csv.gz", {"label": args.label})
    if args.documents and args.documents < len(documents):
        documents = documents.sample(args.documents, random_state=7, ignore_index=True)
    return documents


def said_by(name, run, asked, test):
    """What a run says of the test reviews, and what it took; from its files if they are there."""
    folder = args.out / args.label
    facts, said = folder / f"{name}.json", folder / f"{name}.txt"
    asked = {"documents": len(test), **asked}
    if not (facts.exists() and said.exists()):
        values, found = run()
        result = measure_classes(test["label"], values.tolist())
        found |= {"accuracy": result.accuracy, "interval": result.interval, "asked": asked}
        write_whole(said, "".join(f"{value}\n" for value in values).encode())
        write_whole(facts, (json.dumps(found, indent=1) + "\n").encode())
        took = f"trained in {found['seconds']:.0f} s"
        print(f"{name}: accuracy {result.accuracy:.4f} on test, {took}", flush=True)
    found = json.loads(facts.read_text())
    if found["asked"] != asked:
        other = [key for key, value in asked.items() if found["asked"].get(key) != value]
        raise DataError(f"{facts} was made with another {', '.join(other)}. Give another --out")
    return np.loadtxt(said, int, ndmin=1), found


def timed(work):
    """What comes of it, and what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = work()
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return made, took


def linear(documents, test):
    """A logistic regression on TF-IDF of words and neighbouring pairs, C chosen on dev."""

    def fitted(part, strength):
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True)
        model = make_pipeline(words, LogisticRegression(C=strength, max_iter=200))
        return model.fit(part["text"].map(without_markup), part["label"])

    kept, dev = split_by_text(documents, (0.9, 0.1), seed=DEV_SEED)
    on_dev = {
        strength: fitted(kept, strength).score(dev["text"].map(without_markup), dev["label"])
        for strength in STRENGTHS
    }
    best = max(on_dev, key=on_dev.__getitem__)
    model, took = timed(lambda: fitted(documents, best))
    found = {"parameters": model[1].coef_.size + model[1].intercept_.size, "dev": on_dev}
    return model.predict(test["text"].map(without_markup)), {**found, "C": best, **took}


def network(documents, test, seed, options):
    """A `han-classifier` with one kind of pooling at both levels."""
    pooling = options["word_pooling"]
    out = args.models / f"{args.label}-{pooling}-{seed}"
    trained, took = timed(
        lambda: train(
            documents,
            model="han-classifier",
            out=out,
            vectors=args.vectors,
            seed=seed,
            say=lambda line: print(f"{pooling}, seed {seed}: {line}", file=sys.stderr, flush=True),
            threads=args.threads,
            overwrite=True,
            **options,
        )
    )
    found = {
        "parameters": trained.bundle.settings["parameters"],
        "history": trained.history.to_dict("records"),
        **took,
    }
    return Classifier.load(out).predict(test["text"].tolist()), found


def all_runs(documents, test):
    """By the name of a model its runs: what each is called, what makes it, what it was asked."""
    runs = {}
    for pooling in args.poolings:
        options = {"word_pooling": pooling, "sentence_pooling": pooling}
        options |= {} if args.epochs is None else {"epochs": args.epochs}
        asked = {"vectors": args.vectors, "settings": classifier_settings(options).to_json()}
        runs[pooling] = [
            (f"{pooling}-{seed}", partial(network, documents, test, seed, options), asked)
            for seed in args.seeds
        ]
    asked = {"C of": list(STRENGTHS), "seed of dev": DEV_SEED}
    return {**runs, "linear": [("linear", partial(linear, documents, test), asked)]}


def main():
    documents, test = read("train"), read("test")
    (args.out / args.label).mkdir(parents=True, exist_ok=True)
    rows, right = [], {}
    for name, runs in all_runs(documents, test).items():
        found = [said_by(*run, test) for run in runs]
        right[name] = np.mean([said == test["label"].to_numpy() for said, _ in found], axis=0)
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
    tests = [randomisation_test(right["attention"] - right[name], seed=7) for name in others]
    p = dict(zip(others, holm(np.array(tests)), strict=True)) if others else {}
    table = pd.DataFrame(rows).assign(p=[p.get(row["model"], np.nan) for row in rows])
    write_whole(args.out / args.label / "table.csv", table.to_csv(index=False).encode())
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))


if __name__ == "__main__":
    try:
        main()
    except (IRAttentionError, OSError) as error:
        sys.exit(f"Error: {error}")
