"""Values per query to what is reported of them: means, intervals and what a reader must know."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.evaluation.intervals import bootstrap_interval, mean
from ir_attention.evaluation.lists import Lists

__all__ = ["Evaluation", "EvaluationWarning", "TieReport", "report"]


class EvaluationWarning(UserWarning):
    """The numbers are right, but may not be what was meant."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What `evaluate` found.

    Attributes:
        queries: How many queries were measured.
        measures: The mean over queries by the measure's name, as it was asked for. Counts
            (`NumQ`, `NumRel`, `NumRet`) are summed, as in ir_measures.
        intervals: For each of `measures` the low and the high end of its 95 % interval, from
            `bootstrap_interval`. Empty if no resamples were asked for.
        per_query: A frame `query_id, measure, value`, in the order of the judgments. NaN where a
            measure is undefined; the mean leaves such a query out. For a column per measure:
            `per_query.pivot(index="query_id", columns="measure", values="value")`.
        counts: How many queries `no_positive` and `not_mixed` left out, are `not_judged` and only
            in the run, are `missing` from the run and count 0, and are `tied`: documents of
            different relevance share a score.
        notes: All that a reader of the numbers should know, a sentence or two each.
        warnings: Those of the notes that may point to a mistake.
    """

    queries: int
    measures: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    per_query: pd.DataFrame
    counts: dict[str, int]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold: `queries`, `measures`, `intervals`; None for an undefined number."""
        return {
            "queries": self.queries,
            "measures": {name: _number(value) for name, value in self.measures.items()},
            "intervals": {name: [*map(_number, ends)] for name, ends in self.intervals.items()},
        }


@dataclass(frozen=True)
class TieReport:
    """How ties were treated: in how many queries they matter, by what rule, and what was sampled.

    Attributes:
        queries: In how many queries documents of different relevance share a score.
        rule: A sentence that says which order counts.
        sampled: Names of the measures that are means over shuffles.
        shuffles: How many shuffles there were.
    """

    queries: int
    rule: str
    sampled: Collection[str]
    shuffles: int


def report(
    values: Mapping[str, np.ndarray],
    lists: Lists,
    *,
    ties: TieReport,
    summed: Collection[str],
    seed: int,
    resamples: int,
) -> Evaluation:
    """Sums up the values of all queries.

    Args:
        values: Floats by the name of the measure, `(queries,)`; NaN where undefined.
        lists: What was measured.
        ties: How ties were treated.
        summed: Names of the measures that are summed and not averaged.
        seed: Of the intervals, and of the shuffles that there were.
        resamples: Of the intervals; 0 for none.
    """
    means, intervals = {}, {}
    for name, column in values.items():
        times = len(column) if name in summed else 1
        means[name] = times * mean(column)
        if resamples:
            low, high = bootstrap_interval(column, seed=seed, resamples=resamples)
            intervals[name] = (times * low, times * high)
    per_query = pd.DataFrame(
        {
            "query_id": pd.Series(np.repeat(lists.ids, len(values))).astype(str),
            "measure": list(values) * len(lists.ids),
            "value": np.column_stack(list(values.values())).ravel(),
        }
    )
    counts = {**lists.left_out, "missing": int(lists.missing.sum()), "tied": ties.queries}
    warnings = _warnings(lists, ties)
    return Evaluation(
        queries=len(lists.ids),
        measures=means,
        intervals=intervals,
        per_query=per_query,
        counts=counts,
        notes=(*warnings, *_remarks(values, lists, ties, seed)),
        warnings=warnings,
    )


def _warnings(lists: Lists, ties: TieReport) -> tuple[str, ...]:
    sentences = []
    if lists.missing.any():
        first = lists.ids[lists.missing][0]
        count = f"{lists.missing.sum()} of {_queries(len(lists.ids))}"
        what = "Missing from the run" if lists.dropped is None else "Nothing judged in the run"
        sentences.append(f"{what} and counted 0: {count}, the first is {first!r}.")
    if ties.queries:
        count = f"{ties.queries} of {_queries(len(lists.ids))}"
        sentences.append(
            f"Ties matter in {count}: documents of different relevance share a score. {ties.rule}"
        )
    return tuple(sentences)


def _remarks(
    values: Mapping[str, np.ndarray], lists: Lists, ties: TieReport, seed: int
) -> list[str]:
    sentences = []
    if ties.sampled:
        sentences.append(
            f"Means over {ties.shuffles} shuffles of tied documents, by seed {seed}: "
            f"{', '.join(ties.sampled)}."
        )
    if lists.dropped:
        total = lists.dropped + len(lists.query)
        sentences.append(f"Dropped, as nobody judged them: {lists.dropped} of {total} documents.")
    reasons = {
        "no_positive": "Left out, as they have no positive label",
        "not_mixed": "Left out, as they have no negative label",
        "not_judged": "Ignored, as they are in the run but not in the qrels",
    }
    for reason, sentence in reasons.items():
        if lists.left_out[reason]:
            sentences.append(f"{sentence}: {_queries(lists.left_out[reason])}.")
    for name, column in values.items():
        if undefined := int(np.isnan(column).sum()):
            sentences.append(
                f"{name} is undefined for, and its mean without, {_queries(undefined)}."
            )
    if len(lists.query) and not _differ(lists).any():
        sentences.append("No query has documents of different labels: any order is as good.")
    if len(lists.ids) == 1:
        sentences.append("One query says nothing of others: an interval has no width.")
    return sentences


def _differ(lists: Lists) -> np.ndarray:
    """Of each row and the next one: whether they are of one query, and have different labels."""
    return (np.diff(lists.query) == 0) & (np.diff(lists.label) != 0)


def _queries(count: int) -> str:
    return "1 query" if count == 1 else f"{count} queries"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
