"""Does the hierarchy help on documents of several sentences? Five folds by query.

    python pipelines/bench_hierarchy.py --data cranfield med --vectors VECTORS_FOLDER

BM25's top 100 of `data/<name>` (BEIR folders) are re-ranked by `han`, by the same model with each
document flattened into one sentence, and left as BM25 has them. Each query is measured by the
model that has not seen it; a tenth of the other folds' queries chooses the epoch. Intervals are
bootstrapped over queries; differences are paired.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from ir_attention.bm25 import BM25
from ir_attention.data.splits import query_folds
from ir_attention.evaluation import compare
from ir_attention.evaluation.measures import evaluate_quietly as evaluate
from ir_attention.ranking.ranker import Ranker, open_scorer
from ir_attention.training import train

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", nargs="+", default=["cranfield", "med"])
parser.add_argument("--root", type=Path, default=Path("data"), help="where the data sets are")
parser.add_argument("--vectors", help="a file or folder of pretrained vectors")
parser.add_argument("--top", type=int, default=100, help="documents of BM25 to re-rank")
parser.add_argument("--folds", type=int, default=5)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--steps", type=int, default=150, help="batches of 8 queries x 8 documents")
args = parser.parse_args()
MEASURES = ["AP", "RR", "nDCG@10"]
SETTINGS = {"queries": 8, "candidates": 8, "positives": 4, "patience": 3, "warmup": 20}


def candidates(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """BM25's top documents of every query as labelled pairs, and BM25's run."""
    folder = args.root / name
    corpus = pd.read_json(folder / "corpus.jsonl", lines=True, dtype=str).fillna("")
    queries = pd.read_json(folder / "queries.jsonl", lines=True, dtype=str)
    qrels = pd.read_csv(folder / "qrels.tsv", sep="\t", dtype={"query-id": str, "corpus-id": str})
    labels = qrels.set_index(["query-id", "corpus-id"])["score"]
    texts = (corpus["title"] + "\n\n" + corpus["text"]).str.strip()
    index, rows = BM25(list(texts)), []
    for query_id, query in zip(queries["_id"], queries["text"], strict=True):
        scores = index.scores(query)
        for place in index.top(query, args.top):
            doc_id = corpus["_id"][place]
            label = int(labels.get((query_id, doc_id), 0))
            rows.append((query_id, query, doc_id, texts[place], label, scores[place]))
    columns = ["id_left", "text_left", "id_right", "text_right", "label", "bm25"]
    pairs = pd.DataFrame(rows, columns=columns)
    return pairs.sample(frac=1, random_state=args.seed, ignore_index=True), qrels


for name in args.data:
    pairs, qrels = candidates(name)
    qrels = qrels.set_axis(["query_id", "doc_id", "relevance"], axis=1)
    ids = pairs[["id_left", "id_right"]].set_axis(["query_id", "doc_id"], axis=1)
    runs = {"bm25": ids.assign(score=pairs["bm25"])}
    for model, split in (("han", True), ("han, flattened", False)):
        parts = []
        for number, (rest, held_out) in enumerate(query_folds(pairs, args.folds, seed=args.seed)):
            epochs = -(-args.steps // -(-rest["id_left"].nunique() // SETTINGS["queries"]))
            trained = train(
                rest.drop(columns="bm25"), vectors=args.vectors, seed=args.seed,
                say=lambda line: None, split_sentences=split, epochs=epochs,
                sentence_words=36 if split else 256, **SETTINGS,
            )  # fmt: skip
            ranker = Ranker(trained.bundle, open_scorer(trained.bundle))
            parts.append(ranker.score(held_out.drop(columns="bm25")))
            print(f"{name}: {model}, fold {number + 1} of {args.folds}", flush=True)
        runs[model] = pd.concat(parts)
    for model, run in runs.items():
        result = evaluate(run, qrels, MEASURES)
        print(json.dumps({"data": name, "run": model, **result.to_dict()}), flush=True)
    print(
        compare(qrels, runs, MEASURES, seed=args.seed)
        .drop(columns="result")
        .to_string(index=False),
        flush=True,
    )
