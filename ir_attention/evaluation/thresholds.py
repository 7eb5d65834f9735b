"""Scores and labels to a yes/no threshold, and to how well it decides for others."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, TypeGuard

import numpy as np
import pandas as pd

from ir_attention.errors import DataError
from ir_attention.evaluation.intervals import check_draws, resampled_sums, wilson_interval

__all__ = [
    "By",
    "Decisions",
    "Threshold",
    "choose_threshold",
    "codes_of",
    "measure_threshold",
    "scores_of",
]

By = Literal["F1", "precision"]

# What each measure divides by what, in pairs that are right yes, wrong yes, wrong no, right no.
_RATIOS = {
    "precision": ((1, 0, 0, 0), (1, 1, 0, 0)),
    "recall": ((1, 0, 0, 0), (1, 0, 1, 0)),
    "F1": ((2, 0, 0, 0), (2, 1, 1, 0)),
}


@dataclass(frozen=True)
class Threshold:
    """A score from which on a pair counts as a match, and what it reached where it was chosen.

    Attributes:
        value: Yes, if a score is as high as this or higher.
        precision: Of the pairs said yes, the share that is relevant. On the pairs it was chosen
            on this and the two below are too good: `measure_threshold` says what to expect.
        recall: Of the relevant pairs, the share that is said yes.
        f1: Their harmonic mean.
        by: What it was chosen by.
        at_least: The precision that was asked for; None with `by="F1"`.
        pairs: How many it was chosen on.
        relevant: How many of them are relevant.
        yes: How many of them reach it.
    """

    value: float
    precision: float
    recall: float
    f1: float
    by: By
    at_least: float | None
    pairs: int
    relevant: int
    yes: int

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        numbers = {"precision": self.precision, "recall": self.recall, "F1": self.f1}
        counts = {"pairs": self.pairs, "relevant": self.relevant, "yes": self.yes}
        return {"by": self.by, "at_least": self.at_least, **counts, **numbers}


@dataclass(frozen=True, eq=False)
class Decisions:
    """How well a threshold decides, on pairs that had no part in choosing it.

    Attributes:
        threshold: Yes, if a score is as high as this or higher.
        cells: Integers, `(queries, 4)`: of each query the pairs that are rightly yes, wrongly
            yes, wrongly no, rightly no. One row for all if no queries were given.
        by_query: Whether the rows of `cells` are queries.
        precision: Of the pairs said yes, the share that is relevant. NaN if there is none.
        recall: Of the relevant pairs, the share that is said yes. NaN if there is none.
        f1: Their harmonic mean: `2 * right / (yes + relevant)`. NaN if there is neither.
        intervals: By `"precision"`, `"recall"` and `"F1"` the low and the high end of the 95 %
            interval.
        notes: What a reader of the numbers should know, a sentence each.
    """

    threshold: float
    cells: np.ndarray
    by_query: bool
    precision: float
    recall: float
    f1: float
    intervals: dict[str, tuple[float, float]]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold; None for an undefined number."""
        right, wrong, missed, _ = self.cells.sum(axis=0).tolist()
        numbers = {"precision": self.precision, "recall": self.recall, "F1": self.f1}
        return {
            "pairs": int(self.cells.sum()),
            "relevant": right + missed,
            "yes": right + wrong,
            **{name: _number(value) for name, value in numbers.items()},
            "intervals": {name: [*map(_number, ends)] for name, ends in self.intervals.items()},
        }


def choose_threshold(
    scores: Iterable[float],
    labels: Iterable[float],
    *,
    by: By = "F1",
    at_least: float | None = None,
) -> Threshold:
    """Chooses the score from which on a pair counts as a match.

    A threshold stands halfway between two neighbouring scores, so that equal scores are never
    told apart; or it is the lowest score, and all is yes. By F1 it is the one with the highest
    F1, the higher of several. By precision it is the one with the highest recall among those whose
    precision is `at_least` so much, the higher of several; that of the first few pairs is luck,
    which is why recall decides.

    Choose on one part and measure on another: the best of many thresholds looks better than it is.

    Args:
        scores: Numbers, a pair each, the higher the better; infinite ones are allowed.
        labels: Numbers, 1 and above for relevant, in the order of the scores.
        by: `"F1"` or `"precision"`.
        at_least: The precision wanted, above 0 and up to 1; with `by="precision"` only.

    Raises:
        DataError: There are not as many labels as scores; a NaN; labels of one kind only, which
            say nothing about where the other begins; arguments that cannot be; no threshold has
            the precision.

    Example:

    >>> choose_threshold([0.9, 0.7, 0.4, 0.1], [1, 1, 0, 0]).value
    0.55
    """
    _check_rule(by, at_least)
    score, relevant = _checked(scores, labels)
    total = int(relevant.sum())
    if total in (0, len(relevant)):
        raise DataError(
            "labels: must have both relevant pairs (1 and above) and others, or there is nothing "
            f"to tell apart. Received: {total} relevant of {len(relevant)}"
        )
    order = np.argsort(-score, kind="stable")
    score, right = score[order], np.cumsum(relevant[order])
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True))  # of equal scores
    right, yes = right[last], last + 1
    precision, recall, f1 = right / yes, right / total, 2 * right / (yes + total)
    if at_least is None:
        best = int(f1.argmax())
    else:
        enough = precision >= at_least
        if not enough.any():
            raise DataError(
                f"at_least: no threshold has this precision, the highest is {precision.max():.4f}. "
                f"Received: {at_least}"
            )
        best = int(np.where(enough, right, -1).argmax())
    return Threshold(
        value=_between(score[last], best),
        precision=float(precision[best]),
        recall=float(recall[best]),
        f1=float(f1[best]),
        by=by,
        at_least=at_least,
        pairs=len(score),
        relevant=total,
        yes=int(yes[best]),
    )


def measure_threshold(
    threshold: Threshold | float,
    scores: Iterable[float],
    labels: Iterable[float],
    *,
    queries: Iterable[object] | None = None,
    seed: int = 7,
    resamples: int = 1000,
) -> Decisions:
    """Measures how well a threshold decides, with 95 % intervals.

    Candidates of one query are alike: what goes wrong for one goes wrong for its neighbour. With
    `queries` whole queries are drawn with replacement, and the intervals are the percentiles of
    the numbers that come out. A measure of 0 or 1 comes out of every draw; it then has the
    Wilson interval of as many cases as there are queries that count for it.

    Without `queries` pairs are taken as independent, and intervals are Wilson's, "Probable
    Inference, the Law of Succession, and Statistical Inference", 1927. That of F1 is Wilson's
    interval of `J = right / (right + wrong + missed)`, which F1 is a function of: `2 J / (1 + J)`.

    Args:
        threshold: From `choose_threshold`, or a number.
        scores: As in `choose_threshold`, of pairs that had no part in choosing.
        labels: As in `choose_threshold`.
        queries: The id of each pair's query. With a single query it is as without.
        seed: Of the intervals.
        resamples: Of the intervals.

    Raises:
        DataError: There are not as many labels, or ids, as scores; there are none; a NaN;
            arguments that cannot be.

    Example:

    >>> decisions = measure_threshold(0.5, [0.9, 0.7, 0.6, 0.1], [1, 0, 1, 1])
    >>> round(decisions.precision, 4), round(decisions.recall, 4)
    (0.6667, 0.6667)
    """
    value = threshold.value if isinstance(threshold, Threshold) else threshold
    if not _is_number(value):
        raise DataError(f"threshold: must be a number and not NaN. Received: {value!r}")
    check_draws(seed, resamples)
    score, relevant = _checked(scores, labels)
    query, count = codes_of(queries, len(score))
    kind = np.where(score >= value, np.where(relevant, 0, 1), np.where(relevant, 2, 3))
    cells = np.bincount(4 * query + kind, minlength=4 * count).reshape(count, 4)
    by_query = queries is not None and count > 1
    draws = None
    if by_query:
        rng = np.random.default_rng(seed)
        draws = np.concatenate([*resampled_sums(cells, rng=rng, resamples=resamples)])
    sums = cells.sum(axis=0)
    values = {name: _ratio(sums, *parts) for name, parts in _RATIOS.items()}
    return Decisions(
        threshold=float(value),
        cells=cells,
        by_query=by_query,
        precision=values["precision"],
        recall=values["recall"],
        f1=values["F1"],
        intervals={name: _interval(name, cells, draws) for name in _RATIOS},
        notes=tuple(_notes(sums, one=queries is not None and count == 1)),
    )


def scores_of(scores: Iterable[float], what: str = "scores") -> np.ndarray:
    """Scores as floats, `(pairs,)`.

    Raises:
        DataError: One is no number, or NaN, or there is none.
    """
    try:
        values = np.asarray(_listed(scores), dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: must be numbers. Received: {error}") from error
    if values.ndim != 1 or not len(values):
        raise DataError(f"{what}: must be a row of numbers, one at least. Received: {values.shape}")
    if np.isnan(values).any():
        count = int(np.isnan(values).sum())
        raise DataError(f"{what}: must not be NaN. Received: {count} NaN of {len(values)}")
    return values


def codes_of(queries: Iterable[object] | None, pairs: int) -> tuple[np.ndarray, int]:
    """The queries of pairs as numbers from 0, in the order of their ids, and how many there are.

    Raises:
        DataError: There are not as many as pairs.
    """
    if queries is None:
        return np.zeros(pairs, int), 1
    ids = pd.Series(_listed(queries), dtype=object)
    if len(ids) != pairs:
        raise DataError(f"queries: must be as many as scores, {pairs}. Received: {len(ids)}")
    if ids.isna().any():
        raise DataError(f"queries: each pair must have one. Received: {ids.isna().sum()} without")
    codes, names = pd.factorize(ids.astype(str), sort=True)
    return codes, len(names)


def _listed(values: Iterable[Any]) -> Any:
    return values if hasattr(values, "__len__") else list(values)


def _check_rule(by: str, at_least: float | None) -> None:
    if by not in ("F1", "precision"):
        raise DataError(f"by: must be 'F1' or 'precision'. Received: {by!r}")
    if by == "F1" and at_least is not None:
        raise DataError(f"at_least: goes with by='precision' alone. Received: {at_least!r}")
    if by == "precision" and not (_is_number(at_least) and 0 < at_least <= 1):
        raise DataError(f"at_least: must be above 0 and up to 1. Received: {at_least!r}")


def _is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a number and not NaN."""
    return isinstance(value, Real) and not math.isnan(value)


def _checked(scores: Iterable[float], labels: Iterable[float]) -> tuple[np.ndarray, np.ndarray]:
    score, label = scores_of(scores), scores_of(labels, "labels")
    if len(score) != len(label):
        raise DataError(f"labels: must be as many as scores, {len(score)}. Received: {len(label)}")
    return score, label >= 1


def _between(scores: np.ndarray, place: int) -> float:
    """Halfway from one of the descending scores to the next; the last one itself."""
    high = float(scores[place])
    if place + 1 == len(scores):
        return high
    low = float(scores[place + 1])
    middle = low / 2 + high / 2  # not (low + high) / 2, which may be too large a number
    return middle if low < middle <= high else high  # neighbours, or infinite


def _ratio(sums: np.ndarray, above: tuple[int, ...], below: tuple[int, ...]) -> float:
    count = sums @ below
    return float(sums @ above / count) if count else float("nan")


def _interval(name: str, cells: np.ndarray, draws: np.ndarray | None) -> tuple[float, float]:
    above, below = _RATIOS[name]
    sums = cells.sum(axis=0)
    value = _ratio(sums, above, below)
    if math.isnan(value):
        return value, value
    if draws is not None and 0 < value < 1:
        count = draws @ below
        low, high = np.quantile((draws @ above)[count > 0] / count[count > 0], (0.025, 0.975))
        return float(low), float(high)
    # Of the pairs that count for it; or of the queries that have such pairs.
    cases = sums @ np.minimum(below, 1) if draws is None else ((cells @ below) > 0).sum()
    hits = sums[0] if draws is None else value * cases
    low, high = wilson_interval(float(hits), float(cases))
    return (2 * low / (1 + low), 2 * high / (1 + high)) if name == "F1" else (low, high)


def _notes(sums: np.ndarray, *, one: bool) -> list[str]:
    right, wrong, missed, _ = sums
    sentences = []
    if not right + wrong:
        sentences.append("No pair reaches the threshold: precision is undefined.")
    if not right + missed:
        sentences.append("No pair is relevant: recall is undefined.")
    if one:
        sentences.append(
            "With one query the intervals take pairs as independent; they say nothing of others."
        )
    return sentences


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
