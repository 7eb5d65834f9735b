"""The shipped headlines from end to end: six models trained, measured, compared, and a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ir_attention.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MEASURES", "Demo", "demo"]

# By the names that a reader of papers knows.
MEASURES = {"AP": "MAP", "RR": "MRR", "nDCG@1": "nDCG@1", "nDCG@3": "nDCG@3", "nDCG@5": "nDCG@5"}

# In the order of the table, with what their training is given. On dev, MatchZoo's models were at
# their best within 6 of 13 epochs, which take most of a minute.
_MODELS: dict[str, dict[str, Any]] = {
    "bm25": {},
    "lexical": {},
    "dssm": {"epochs": 10},
    "conv-knrm": {"epochs": 10},
    "han-bi": {},
    "han": {},
}
_REPORT, _TWEETS = "report.html", "tweets.txt"


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Attributes:
        table: A row per model: `model`, and for each of `MEASURES` its mean over the test
            headlines, with the ends of its 95 % interval as `(value, low, high)`.
        queries: How many headlines were measured.
        difference: Of `han` and `bm25` in AP: `(difference, low, high)`.
        histories: Of each trained model, the frame of its epochs.
        headline: The one whose tweets are ranked.
        ranked: Its tweets, best first: `position, document, score, label`.
        report: The page.
    """

    table: list[dict[str, Any]]
    queries: int
    difference: tuple[float, float, float]
    histories: Mapping[str, pd.DataFrame]
    headline: str
    ranked: pd.DataFrame
    report: Path


def demo(
    out: str | Path,
    *,
    seed: int = 7,
    epochs: int | None = None,
    overwrite: bool = False,
    say: Callable[[str, str], None] = lambda model, line: None,
) -> Demo:
    """Trains every model of the table on the shipped headlines, and writes bundles and a page.

    Args:
        out: The folder for the bundles `han` and `han-bi`, for `report.html`, and for `tweets.txt`,
            the tweets of the test part, one a line.
        seed: Of everything that is drawn.
        epochs: At most; a few for a quick look. Default: each model's own.
        overwrite: Whether what an earlier demo wrote there may be replaced.
        say: Is called with a model's name and a line of its progress.

    Raises:
        DataError: Something is where a file should go, and `overwrite` is not set, or it is a
            folder.
        BundleError: Something is where a bundle should go. All is looked at before the training.
    """
    from ir_attention.data import headline_tweets, read_pairs
    from ir_attention.evaluation.measures import evaluate_quietly
    from ir_attention.files import write_whole
    from ir_attention.ranking.ranker import Ranker, open_scorer
    from ir_attention.training.fitting import train

    out = Path(out)
    _check_out(out, overwrite)
    pairs = {part: read_pairs(headline_tweets(part)) for part in ("train", "dev", "test")}
    runs, histories, table, queries = {}, {}, [], 0
    limit = {} if epochs is None else {"epochs": epochs}
    for name, options in _MODELS.items():
        trained = train(
            *(pairs[part] for part in ("train", "dev")),
            model=name,
            out=out / name if name.startswith("han") else None,
            seed=seed,
            say=partial(say, name),
            **{**options, **limit, "overwrite": overwrite},
        )
        ranker = Ranker(trained.bundle, open_scorer(trained.bundle))
        runs[name], histories[name] = ranker.score(pairs["test"]), trained.history
        result = evaluate_quietly(runs[name], pairs["test"], [*MEASURES], seed=seed)
        queries = result.queries
        cells = {
            measure: (value, *result.intervals[measure])
            for measure, value in result.measures.items()
        }
        table.append({"model": name, **cells})
    difference = _difference(pairs["test"], runs["bm25"], runs["han"], seed)
    headline, ranked, looks = _ranked(ranker, pairs["test"])
    report = out / _REPORT
    page = _page(table, queries, difference, histories, headline, ranked, looks, seed)
    write_whole(report, page.encode())
    tweets = "".join(f"{tweet}\n" for tweet in pairs["test"]["text_right"])
    write_whole(out / _TWEETS, tweets.encode())
    return Demo(table, queries, difference, histories, headline, ranked, report)


def _check_out(out: Path, overwrite: bool) -> None:
    from ir_attention.bundle import check_free

    for name in _MODELS:
        if name.startswith("han"):
            check_free(out / name, overwrite=overwrite)
    for name in (_REPORT, _TWEETS):
        there = out / name
        if there.is_dir() or (there.exists() and not overwrite):
            raise DataError(
                f"{there}: is there already. Choose another --out, or replace an earlier demo with "
                "--overwrite"
            )


def _difference(test: pd.DataFrame, one: Any, other: Any, seed: int) -> tuple[float, float, float]:
    """How much better `other` is in AP, with its 95 % interval."""
    import warnings

    from ir_attention.evaluation.results import EvaluationWarning
    from ir_attention.evaluation.significance import compare

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EvaluationWarning)  # ties of BM25, which the page explains
        row = compare(test, {"one": one, "other": other}, ["AP"], seed=seed).iloc[0]
    return float(row["difference"]), float(row["low"]), float(row["high"])


def _ranked(ranker: Any, test: pd.DataFrame) -> tuple[str, pd.DataFrame, list[dict[str, Any]]]:
    """The tweets of the first test headline, best first, and where the model looked in each."""
    own = test[test["id_left"] == test["id_left"].iloc[0]]
    headline, tweets = own["text_left"].iloc[0], list(own["text_right"])
    ranked = ranker.rank(headline, tweets)
    ranked["label"] = own["label"].to_numpy()[ranked["position"]]
    looks = [ranker.explain(headline, tweet).to_json() for tweet in ranked["document"]]
    return headline, ranked, looks


def _page(
    table: list[dict[str, Any]],
    queries: int,
    difference: tuple[float, float, float],
    histories: Mapping[str, pd.DataFrame],
    headline: str,
    ranked: pd.DataFrame,
    looks: list[dict[str, Any]],
    seed: int,
) -> str:
    from ir_attention.reports.experiment import experiment_page

    rows = [
        {"model": row["model"], **{shown: row[name] for name, shown in MEASURES.items()}}
        for row in table
    ]
    return experiment_page(
        "Headlines and tweets",
        lead=(
            f"Six models learnt from the same headlines which of ten tweets are about them, and "
            f"rank the tweets of {queries} headlines they have never seen (seed {seed})."
        ),
        table=rows,
        note=(
            "Means over the headlines, below them 95 % bootstrap intervals; tied tweets get the "
            "mean over their orders. By chance MAP would be .371. han minus bm25 in MAP: "
            f"{difference[0]:+.3f}, interval {difference[1]:+.3f} to {difference[2]:+.3f}."
        ),
        curves={
            name: list(history["AP"]) for name, history in histories.items() if len(history) > 1
        },
        measure="MAP",
        ranking="One test headline and its tweets, as han ranks them",
        query=headline,
        ranked=[
            {"score": score, "label": label, "explanation": look}
            for score, label, look in zip(ranked["score"], ranked["label"], looks, strict=True)
        ],
    )
