"""Ranked lists in which documents share scores, to the mean of a measure over all their orders.

Every order of the documents of a tie is taken as equally likely. The mean over these orders then
has a closed form for precision, reciprocal rank, average precision and DCG: McSherry and Najork,
"Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores",
ECIR 2008, pages 414-421. A list without ties is the case in which every tie has one document.

All queries are computed at once, on flat arrays of `rows`, one row per retrieved document.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "Ranked",
    "average_precision",
    "dcg",
    "ideal_dcg",
    "precision",
    "rank",
    "reciprocal_rank",
    "uneven",
]


@dataclass(frozen=True)
class Ranked:
    """The rows of all queries, best first.

    Attributes:
        queries: How many queries there are, those without a row included.
        order: Integers, `(rows,)`: the row that stands here, in the caller's numbering. Index the
            caller's columns with it before passing them to the functions below.
        query: Integers from 0, `(rows,)`, ascending: the query of each row.
        place: Integers from 1, `(rows,)`: the place in the list of its query.
        above: Integers, `(rows,)`: how many documents of the query score higher.
        size: Integers, `(rows,)`: how many documents share the score, itself included.
        tie: Integers from 0, `(rows,)`, ascending: the tie of each row, numbered over all queries.
    """

    queries: int
    order: np.ndarray
    query: np.ndarray
    place: np.ndarray
    above: np.ndarray
    size: np.ndarray
    tie: np.ndarray


def rank(query: np.ndarray, score: np.ndarray, *, queries: int) -> Ranked:
    """Sorts rows by query and by descending score, and finds the ties: rows of equal score.

    Args:
        query: Integers in `[0, queries)`, `(rows,)`.
        score: Floats without NaN, `(rows,)`. Infinite ones are ranked, too.
        queries: How many queries there are.
    """
    order = np.lexsort((-score, query))
    query, score = query[order], score[order]
    new_query = np.diff(query, prepend=-1) != 0
    new_tie = new_query.copy()
    new_tie[1:] |= score[1:] != score[:-1]  # not a difference: inf - inf is NaN

    rows = np.arange(len(order))
    tie = np.cumsum(new_tie) - 1
    query_start = np.maximum.accumulate(np.where(new_query, rows, 0))
    tie_start = np.maximum.accumulate(np.where(new_tie, rows, 0))
    return Ranked(
        queries=queries,
        order=order,
        query=query,
        place=rows - query_start + 1,
        above=tie_start - query_start,
        size=np.bincount(tie)[tie],
        tie=tie,
    )


def precision(ranked: Ranked, relevant: np.ndarray, *, cutoff: int) -> np.ndarray:
    """Expected precision in the first `cutoff` places.

    Each place of a tie holds a relevant document with the same probability, the tie's share of
    relevant documents. Lists shorter than `cutoff` are divided by `cutoff` all the same.

    Args:
        ranked: From `rank`.
        relevant: Booleans, `(rows,)`.
        cutoff: Places to look at, from 1.

    Returns:
        Floats, `(queries,)`.
    """
    return _per_query(ranked, _share(ranked, relevant), cutoff) / cutoff


def reciprocal_rank(ranked: Ranked, relevant: np.ndarray, *, cutoff: int | None) -> np.ndarray:
    """Expected 1 / place of the first relevant document.

    Only the first tie with a relevant document counts. If `found` of its `size` documents are
    relevant, the first of them stands at place `j` of the tie with probability
    `found / (size - j + 1) * prod((size - found - i + 1) / (size - i + 1) for i in 1..j-1)`.

    Args:
        ranked: From `rank`.
        relevant: Booleans, `(rows,)`.
        cutoff: Places to look at, from 1; a first relevant document below them counts 0. None
            for the whole list.

    Returns:
        Floats, `(queries,)`.
    """
    found = _found(ranked, relevant)
    first = np.flatnonzero((found > 0) & (_found_above(ranked, relevant) == 0))
    left = (ranked.size - (ranked.place - ranked.above) + 1)[first]  # from this place to the last
    found = found[first]
    # The chance that the relevant one is not at this place, if it was at none before.
    miss = np.maximum(left - found, 0) / left
    none_before = np.ones(len(first))
    starts = np.flatnonzero(np.diff(ranked.tie[first], prepend=-1))
    for start, end in zip(starts, np.append(starts, len(first))[1:], strict=True):
        if end - start > 1:
            none_before[start + 1 : end] = np.cumprod(miss[start : end - 1])
    terms = np.zeros(len(ranked.order))
    terms[first] = none_before * found / left / ranked.place[first]
    return _per_query(ranked, terms, cutoff)


def average_precision(
    ranked: Ranked, relevant: np.ndarray, *, positives: np.ndarray, cutoff: int | None
) -> np.ndarray:
    """Expected average precision.

    At place `j` of a tie stands a relevant document with probability `found / size`; given that,
    each of the `j - 1` documents of the tie before it is relevant with probability
    `(found - 1) / (size - 1)`. Summed, precision at each relevant place, over `positives`.

    Args:
        ranked: From `rank`.
        relevant: Booleans, `(rows,)`.
        positives: Integers, `(queries,)`: relevant documents, those not retrieved included.
            A query with none gets 0.
        cutoff: Places to look at, from 1; None for the whole list. As in trec_eval the sum is
            divided by all positives, even where they are more than `cutoff`.

    Returns:
        Floats, `(queries,)`.
    """
    found = _found(ranked, relevant)
    before = ranked.place - ranked.above - 1  # documents of the tie before this place
    also_relevant = before * (found - 1) / np.maximum(ranked.size - 1, 1)
    hits = 1 + _found_above(ranked, relevant) + also_relevant
    terms = found / ranked.size * hits / ranked.place
    return _per_query(ranked, terms, cutoff) / np.maximum(positives, 1)


def dcg(ranked: Ranked, gain: np.ndarray, *, cutoff: int | None) -> np.ndarray:
    """Expected discounted cumulative gain.

    Each place of a tie gains the tie's mean, divided by `log2(place + 1)`.

    Args:
        ranked: From `rank`.
        gain: Floats, `(rows,)`.
        cutoff: Places to look at, from 1; None for the whole list.

    Returns:
        Floats, `(queries,)`.
    """
    return _per_query(ranked, _share(ranked, gain) / np.log2(ranked.place + 1), cutoff)


def ideal_dcg(
    query: np.ndarray, gain: np.ndarray, *, queries: int, cutoff: int | None
) -> np.ndarray:
    """The highest DCG that any list can reach: all judged documents, by descending gain.

    Args:
        query: Integers in `[0, queries)`, `(judgments,)`.
        gain: Floats, `(judgments,)`.
        queries: How many queries there are.
        cutoff: Places to look at, from 1; None for all.

    Returns:
        Floats, `(queries,)`.
    """
    best = rank(query, gain, queries=queries)
    return dcg(best, gain[best.order], cutoff=cutoff)


def uneven(ranked: Ranked, label: np.ndarray) -> np.ndarray:
    """The queries in which documents of one tie have different labels, so that order matters.

    Args:
        ranked: From `rank`.
        label: Integers, `(rows,)`.

    Returns:
        Booleans, `(queries,)`.
    """
    tied = (np.diff(ranked.tie) == 0) & (np.diff(label) != 0)
    result = np.zeros(ranked.queries, dtype=bool)
    result[ranked.query[1:][tied]] = True
    return result


def _found(ranked: Ranked, relevant: np.ndarray) -> np.ndarray:
    """For each row, how many documents of its tie are relevant."""
    return np.bincount(ranked.tie, weights=relevant)[ranked.tie]


def _share(ranked: Ranked, gain: np.ndarray) -> np.ndarray:
    """For each row, the mean gain of its tie."""
    return _found(ranked, gain) / ranked.size


def _found_above(ranked: Ranked, relevant: np.ndarray) -> np.ndarray:
    """For each row, how many documents of its query that score higher are relevant."""
    before = np.cumsum(relevant) - relevant
    rows = np.arange(len(relevant))
    tie_start = rows - (ranked.place - ranked.above - 1)
    query_start = rows - (ranked.place - 1)
    return before[tie_start] - before[query_start]


def _per_query(ranked: Ranked, terms: np.ndarray, cutoff: int | None) -> np.ndarray:
    """Sums the terms of each query, down to the cutoff."""
    if cutoff is not None:
        terms = np.where(ranked.place <= cutoff, terms, 0.0)
    return np.bincount(ranked.query, weights=terms, minlength=ranked.queries)
