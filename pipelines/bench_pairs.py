"""How many pairs a CPU second do `han` and `han-bi` score, and `han` train on, beside peers?

    python pipelines/bench_pairs.py [--pairs FILE FILE] [--minilm FOLDER] [--skip mv-lstm]

Scoring goes from text to score. Each request has new pairs, the same for all ways, so that nothing
kept from one request helps in the next. MatchZoo's models read with their own preprocessor and
score with `predict`, in the batches that suit them best; all-MiniLM-L6-v2 (FOLDER holds it) encodes
each distinct text once, sorted by length, on a part of the request, and needs
`pip install ir_attention[bench]`.

Training is counted in rows, a query with a document each, over the seconds of an epoch, after a
first one; MatchZoo's models are fed by its own generator of groups, and on fewer pairs, which
keeps their vocabulary small and is in their favour. They have the sizes that `ir-attention train`
gives them; those of MatchZoo's tutorials are
`--peer-option query_words 10 --peer-option width 300`.

All on one thread: ways take turns, CPU and wall seconds are medians over the turns, rates are pairs
per CPU second. `han` is also compared with its floor: the operations that its formulas need, over
the rate at which this machine multiplies matrices, measured in the same turns. The last line of
stdout is one JSON object with everything.
"""

import os

# Read by OpenBLAS, OpenMP, tokenizers and the hub of models when they are loaded.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import argparse
import gc
import importlib
import json
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

from ir_attention.backend import load_tensorflow
from ir_attention.data import headline_tweets, read_pairs
from ir_attention.ranking.ranker import Ranker, open_scorer
from ir_attention.text import sentences, words

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
add = parser.add_argument
add("--pairs", nargs="+", type=Path, help="default: twitter_url in data/, or shipped headlines")
add("--request", type=int, default=3000, help="pairs in a request, at most")
add("--queries", type=int, default=400, help="queries to train on, at most")
add("--peer-queries", type=int, default=40, help="of these, for MatchZoo's models")
add("--epochs", type=int, default=2, help="of the training end to end")
add("--minilm", type=Path, help="the folder of all-MiniLM-L6-v2")
add("--minilm-pairs", type=int, default=200, help="of each request, at most")
add("--skip", nargs="+", default=[], choices=["conv-knrm", "mv-lstm", "minilm"])
add("--peer-option", nargs=2, action="append", default=[], metavar=("NAME", "JSON"))
add("--repeats", type=int, default=5)
add("--seed", type=int, default=7)

OWN, MATCHZOO = ("han", "han-bi"), ("conv-knrm", "mv-lstm")
GEMM = (2048, 256, 384)  # rows x width x units: a chunk of words going into the gates of a GRU
GEMMS = 40  # products in a turn
# A way does its job for the turn of a number and says how many pairs that were.
Way = Callable[[int], int]
Pairs = pd.DataFrame


def one_thread() -> None:
    """Keeps TensorFlow to one thread too; the environment above has told the others."""
    threading = load_tensorflow().config.threading
    threading.set_intra_op_parallelism_threads(1)
    threading.set_inter_op_parallelism_threads(1)


def read(files: list[Path] | None) -> Pairs:
    """All pairs, queries in random order, the pairs of a query together."""
    if not files:
        own = [Path("data/twitter_url/train.tsv.gz"), Path("data/twitter_url/dev.tsv")]
        files = own if all(map(Path.is_file, own)) else [*map(headline_tweets, ("train", "dev"))]
    pairs = pd.concat([read_pairs(file) for file in files], ignore_index=True)
    queries = pairs["id_left"].unique()
    place = pd.Series(np.random.default_rng(args.seed).permutation(len(queries)), queries)
    return pairs.iloc[np.argsort(pairs["id_left"].map(place), kind="stable")]


def parts(pairs: Pairs) -> tuple[Pairs, list[Pairs]]:
    """What is trained on, and the requests: one to warm up with, and one for each turn."""
    queries = pairs["id_left"].unique()
    train = pairs["id_left"].isin(queries[: min(args.queries, len(queries) // 2)])
    rest, turns = pairs[~train], args.repeats + 1
    size = min(args.request, len(rest) // turns)
    requests = [rest[at * size : (at + 1) * size].reset_index(drop=True) for at in range(turns)]
    return pairs[train].reset_index(drop=True), requests


def timed(call: Callable[[], object]) -> tuple[float, float, object]:
    """CPU and wall seconds of a call, and what it returned."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return time.process_time() - cpu, time.perf_counter() - wall, result


def alternate(ways: dict[str, Way]) -> dict[str, dict[str, float]]:
    """Every way in every turn, each turn with another first; medians over the turns."""
    gc.freeze()  # the objects of TensorFlow and PyTorch are not to be looked through in turns
    names, turns = list(ways), {name: [] for name in ways}
    for turn in range(1, args.repeats + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            turns[name].append(timed(lambda name=name, turn=turn: ways[name](turn)))
    columns = ("cpu_s", "wall_s", "pairs", "pairs_per_cpu_s")
    return {
        name: dict(zip(columns, np.median([(*t, t[2] / t[0]) for t in found], axis=0), strict=True))
        for name, found in turns.items()
    }


def multiply() -> Way:
    """Products of matrices in float32; the machine's rate is theirs."""
    rng = np.random.default_rng(args.seed)
    left, right = rng.random(GEMM[:2], np.float32), rng.random(GEMM[1:], np.float32)
    out = np.empty((GEMM[0], GEMM[2]), np.float32)

    def way(turn: int) -> int:
        for _ in range(GEMMS):
            np.matmul(left, right, out=out)
        return GEMMS

    return way


def trained(model: str, train: Pairs, dev: Pairs) -> tuple[Ranker, dict[str, float]]:
    """A ranker, and what its whole training took: reading texts, tracing, epochs, dev measures."""
    from ir_attention.training import train as fit

    own = {"epochs": args.epochs, "patience": args.epochs, "seed": args.seed}
    own |= {"model": model, "say": lambda line: None}
    cpu, wall, result = timed(lambda: fit(train, dev, **own))
    print(f"{model} is trained", file=sys.stderr, flush=True)
    took = {"cpu_s": cpu, "wall_s": wall, "epochs": args.epochs}
    return Ranker(result.bundle, open_scorer(result.bundle)), took


def learner(model: str, train: Pairs, dev: Pairs) -> tuple[object, dict[str, float]]:
    """A model after its first epoch, which traces and compiles, and the CPU seconds of both."""
    from ir_attention.training.settings import training_settings

    peer = {name: json.loads(value) for name, value in args.peer_option}
    options = {"epochs": args.repeats + 1, **(peer if model in MATCHZOO else {})}
    own = {"seed": args.seed, "settings": training_settings(options), "vectors": None}
    if model in MATCHZOO:
        from ir_attention.training.baseline import BaselineLearner as Learner
    else:
        from ir_attention.training.matching import MatcherLearner as Learner
    making, _, made = timed(lambda: Learner(model, train, dev, **own))
    epoch, _, _ = timed(lambda: made.fit_epoch(1))
    print(f"{model} has gone through an epoch", file=sys.stderr, flush=True)
    return made, {"pairs": rows(made), "making_cpu_s": making, "first_epoch_cpu_s": epoch}


def rows(learner: object) -> int:
    """The pairs in the batches of the epoch that was fitted last."""
    if hasattr(learner.data, "batches"):
        return sum(len(batch.label) for batch in learner.data.batches)
    return sum(len(document) for _, document, _ in learner.draw(1))


def epochs(learner: object, first: dict[str, float]) -> Way:
    """An epoch a turn; each has as many rows as the first one, only others."""

    def way(turn: int) -> int:
        learner.fit_epoch(turn + 1)
        return first["pairs"]

    return way


def matchzoo_scores(baseline: object, pairs: Pairs) -> Callable[[int], np.ndarray]:
    """Text to score as MatchZoo's user writes it, but for the size of batches."""
    import ir_attention.matchzoo as mz

    x, _ = baseline.preprocessor.transform(mz.pack(pairs), verbose=0).unpack()
    return lambda batch: baseline.model.predict(x, batch_size=batch)[:, 0]


def best_batch(sizes: tuple[int, ...], score: Callable[[int], object]) -> int:
    """The size of a batch with the fewest CPU seconds, of two trials after a first."""
    seconds = {}
    for size in sizes:
        score(size)
        seconds[size] = min(timed(lambda size=size: score(size))[0] for _ in range(2))
    return min(seconds, key=seconds.get)


def matchzoo_ways(name: str, baseline: object, requests: list[Pairs]) -> dict[str, Way]:
    """From text to score, and the forward pass alone."""
    ready = [matchzoo_scores(baseline, pairs) for pairs in requests]
    batch = best_batch((64, 128, 256), ready[0])
    scores = matchzoo_scores(baseline, requests[0])(batch)
    check(name, scores, len(requests[0]))
    # The same as `Ranker.score` gives with a bundle of this model.
    own = baseline.score(list(requests[0]["text_left"]), list(requests[0]["text_right"]))
    np.testing.assert_allclose(scores, own, rtol=1e-3, atol=1e-4)
    return {
        name: lambda turn: len(matchzoo_scores(baseline, requests[turn])(batch)),
        f"{name}, forward": lambda turn: len(ready[turn](batch)),
    }


def minilm_ways(requests: list[Pairs]) -> tuple[dict[str, Way], str | None]:
    """The bi-encoder from text to score; or no way, and the reason."""
    if args.minilm is None:
        return {}, "no --minilm FOLDER was given"
    if not args.minilm.is_dir():
        return {}, f"there is no folder {args.minilm}"
    try:
        torch = importlib.import_module("torch")
        sentence_transformers = importlib.import_module("sentence_transformers")
    except ImportError as error:
        return {}, f"{error}: pip install ir_attention[bench]"
    torch.set_num_threads(1)
    model = sentence_transformers.SentenceTransformer(str(args.minilm), device="cpu")

    def score(pairs: Pairs, batch: int) -> np.ndarray:
        places, texts = pd.factorize(pd.concat([pairs["text_left"], pairs["text_right"]]))
        vectors = model.encode(
            list(texts), batch_size=batch, normalize_embeddings=True, show_progress_bar=False
        )
        return np.einsum("pw,pw->p", *np.split(vectors[places], 2))

    samples = [pairs.head(args.minilm_pairs) for pairs in requests]
    batch = best_batch((16, 32, 64), lambda size: score(samples[0], size))
    check("minilm", score(samples[0], batch), len(samples[0]))
    return {"minilm": lambda turn: len(score(samples[turn], batch))}, None


def own_way(name: str, ranker: Ranker, requests: list[Pairs]) -> Way:
    """`Ranker.score`, after a look at whether it does its job."""
    pairs = requests[0]
    scores = ranker.score(pairs)["score"].to_numpy()
    check(name, scores, len(pairs))
    np.testing.assert_array_equal(ranker.score(pairs)["score"], scores)
    backwards = ranker.score(pairs[::-1])["score"]
    np.testing.assert_allclose(backwards, scores[::-1], rtol=1e-4, atol=1e-5)
    return lambda turn: len(ranker.score(requests[turn]))


def check(name: str, scores: np.ndarray, pairs: int) -> None:
    if scores.shape != (pairs,) or not np.isfinite(scores).all() or np.ptp(scores) == 0:
        raise SystemExit(
            f"{name} must give each of {pairs} pairs a finite score, and not the same one. "
            f"Received: shape {scores.shape}, {np.unique(scores)[:5]}"
        )


def operations(pairs: Pairs, width: int, sizes: dict[str, int], most: float = np.inf) -> float:
    """Floating-point operations that `han` needs for a pair, on average over a request.

    With V the width of vectors, P of the projection, A of the attentions, H of what is compared, G
    of a direction of the GRU, K of pooling; u distinct words of the request, and of each pair d
    words and s sentences of the document and q words of the query:

        4 V P u                             projection, once for each distinct word
        4 P A d                             attentions: both maps of the document's words
        (8 A + 2 V + 4 P) d q               both grids, cosines, what is found on both ways
        2 (4 P + 9) H (d + q)               both compares
        (12 G (H + G) + 4 G K) d            BiGRU and pooling of words
        (12 G (2 G + G) + 4 G K) s          BiGRU and pooling of sentences
        2 H K q + 2 (2 G + H + 11) H        pooling of the query, score

    A tanh counts as one operation. `most` cuts queries, as training does.
    """
    p, a, h, g, k = (sizes[n] for n in ("projection", "attention", "hidden", "gru", "pool"))
    cut = {text: words(text.lower()) for text in {*pairs["text_left"], *pairs["text_right"]}}
    unique = {word for found in cut.values() for word in found}
    d = np.array([len(cut[text]) for text in pairs["text_right"]])
    s = np.array([len(sentences(text)) for text in pairs["text_right"]])
    q = np.array([min(len(cut[text]), most) for text in pairs["text_left"]])
    of_pair = (
        4 * p * a * d
        + (8 * a + 2 * width + 4 * p) * d * q
        + 2 * (4 * p + 9) * h * (d + q)
        + (12 * g * (h + g) + 4 * g * k) * d
        + (12 * g * 3 * g + 4 * g * k) * s
        + 2 * h * k * q
        + 2 * (2 * g + h + 11) * h
    )
    return float(of_pair.mean() + 4 * width * p * len(unique) / len(pairs))


def floor(ranker: Ranker, train: Pairs, request: Pairs, found: dict) -> dict[str, float]:
    """How near `han` comes to what the machine could do, in scoring and in training."""
    settings = ranker.bundle.settings
    width, sizes = ranker.bundle.weights["table"].shape[1], settings["matcher"]
    batch = settings["training"]["queries"] * settings["training"]["candidates"]
    cut = settings["training"]["query_words"]
    batches = [train[at : at + batch] for at in range(0, min(len(train), 20 * batch), batch)]
    needed = {
        "scoring": operations(request, width, sizes) / 1e6,
        "training": 3e-6 * np.mean([operations(one, width, sizes, cut) for one in batches]),
    }
    percent = 0.1 / found["gemm"]["gflop_per_cpu_s"]
    return {f"{name}_mflop": million for name, million in needed.items()} | {
        f"{name}_percent": percent * million * found[name]["han"]["pairs_per_cpu_s"]
        for name, million in needed.items()
    }


def show(title: str, found: dict[str, dict[str, float]]) -> None:
    print(f"\n{title}; medians of {args.repeats}, one thread")
    for name, row in found.items():
        first = row.get("first_epoch_cpu_s")
        print(
            f"{name:20} {row['pairs']:6.0f} pairs {row['cpu_s']:8.3f} s CPU "
            f"{row['wall_s']:8.3f} s wall {row['pairs_per_cpu_s']:9.1f} pairs per CPU s"
            + (f", first epoch {first:.1f} s CPU" if first else "")
        )


def ratios(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """How many times as many pairs a CPU second."""
    rate = {name: row["pairs_per_cpu_s"] for name, row in found.items()}
    own, peers = [n for n in rate if n in OWN], [n for n in rate if n not in OWN]
    return {f"{one} / {peer}": rate[one] / rate[peer] for one in own for peer in peers}


def versions() -> dict[str, str]:
    known = {"python": platform.python_version()}
    for name in "ir_attention numpy keras tensorflow matchzoo torch sentence-transformers".split():
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            known[name] = "not installed"
    return known


args = parser.parse_args()
train, requests = parts(read(args.pairs))
skipped = {name: "left out by --skip" for name in args.skip}
minilm = {}
if "minilm" not in skipped:
    # First of all: once TensorFlow has trained, torch's MKL cannot load what it needs.
    minilm, reason = minilm_ways(requests)
    skipped |= {"minilm": reason} if reason else {}
one_thread()
peers = [name for name in MATCHZOO if name not in skipped]

rankers, end_to_end = {}, {}
for name in OWN:
    rankers[name], end_to_end[name] = trained(name, train, requests[0])
few = train[train["id_left"].isin(train["id_left"].unique()[: args.peer_queries])]
parts_of = {"han": train, **dict.fromkeys(peers, few)}
learners = {name: learner(name, own, requests[0]) for name, own in parts_of.items()}
for took in end_to_end.values():  # both see the same lists of candidates
    took["pairs"] = args.epochs * learners["han"][1]["pairs"]
    took["pairs_per_cpu_s"] = took["pairs"] / took["cpu_s"]

ways = {name: own_way(name, rankers[name], requests) for name in OWN}
for name in peers:
    ways |= matchzoo_ways(name, learners[name][0].baseline, requests)
ways |= minilm
gemm = multiply()
print("every way gives each pair a finite score; own scores do not depend on order or call")

scoring = alternate({"gemm": gemm, **ways})
training = alternate({"gemm": gemm, **{name: epochs(*made) for name, made in learners.items()}})
products = np.mean([found.pop("gemm")["pairs_per_cpu_s"] for found in (scoring, training)])
training = {name: {**row, **learners[name][1]} for name, row in training.items()}
found = {
    "scoring": scoring,
    "training": training,
    "end_to_end": end_to_end,
    "ratios": {"scoring": ratios(scoring), "training": ratios(training)},
    "gemm": {"shape": GEMM, "gflop_per_cpu_s": 2 * np.prod(GEMM) * products / 1e9},
    "skipped": skipped,
}
found["floor"] = floor(rankers["han"], train, requests[1], found)

show("from text to score", scoring)
show("training, epochs after the first", training)
print(f"\ntraining end to end, {args.epochs} epochs with reading, tracing and dev measures")
for name, row in end_to_end.items():
    print(f"{name:20} {row['cpu_s']:.1f} s CPU {row['pairs_per_cpu_s']:9.1f} pairs per CPU s")
for name, of in found["ratios"].items():
    print(f"{name}: " + ", ".join(f"{pair} {value:.2f}" for pair, value in of.items()))
rate = found["gemm"]["gflop_per_cpu_s"]
print(
    "\nhan's floor: {scoring_mflop:.2f} million operations to score a pair, {training_mflop:.2f} "
    "to train on it;\nscoring is at {scoring_percent:.1f} %, training at {training_percent:.1f} % "
    "of the rate of matrix products, ".format(**found["floor"])
    + f"{rate:.0f} GFLOP a CPU second"
)
print(*(f"skipped: {name}: {reason}" for name, reason in skipped.items()), sep="\n")
machine = {"threads": 1, "cores": os.cpu_count(), "versions": versions()}
print(json.dumps({"bench": "pairs", "repeats": args.repeats, **machine, **found}))
