"""Pairs to batches: pointwise, pairwise and listwise sampling. Yields NumPy, knows no model.

Every sampler visits its unit exactly once an epoch, in an order drawn from the generator it is
passed: pointwise each pair, pairwise each positive, listwise each query that has both labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ir_attention.errors import DataError
from ir_attention.runs import spread

__all__ = ["SAMPLERS", "Batch", "Judged", "listwise", "pairwise", "pointwise"]


@dataclass(frozen=True)
class Judged:
    """Labelled pairs as numbers: places of texts, and labels of at least 0.

    They are sorted into queries once, with the first epoch that asks for it.
    """

    query: np.ndarray  # (pairs,)
    document: np.ndarray  # (pairs,)
    label: np.ndarray  # (pairs,)

    @cached_property
    def mixed(self) -> Mixed:
        """The queries that have a relevant and another document.

        Raises:
            DataError: There is none.
        """
        return _mixed(self)


class Mixed(NamedTuple):
    """Rows of pairs by query, of each query the relevant ones first."""

    rows: np.ndarray  # (pairs of mixed queries,)
    first: np.ndarray  # (queries,) where each one's rows begin
    good: np.ndarray  # (queries,) how many of them are relevant
    bad: np.ndarray  # (queries,) how many are not


class Batch(NamedTuple):
    """Some groups of candidates. Rows of one group stand together, groups ascending."""

    query: np.ndarray  # (groups,) places of queries
    document: np.ndarray  # (rows,) places of documents
    label: np.ndarray  # (rows,)
    group: np.ndarray  # (rows,) 0 to groups - 1


def listwise(
    pairs: Judged,
    rng: np.random.Generator,
    *,
    queries: int = 16,
    candidates: int = 8,
    positives: int = 4,
) -> Iterator[Batch]:
    """Lists of at most `candidates` documents of one query, `positives` of them relevant at most.

    A query is left out if all its documents have the same label: nothing could be ranked. Where
    it has more documents than fit, a new choice is drawn each epoch.

    Raises:
        DataError: No query has both labels.
    """
    mixed = pairs.mixed
    good = np.minimum(mixed.good, min(positives, candidates - 1))
    bad = np.minimum(mixed.bad, candidates - good)
    order = rng.permutation(len(mixed.first))
    rows = mixed.rows.copy()
    _shuffle(rows, mixed.first, mixed.good, good, rng)
    _shuffle(rows, mixed.first + mixed.good, mixed.bad, bad, rng)
    starts = np.stack([mixed.first, mixed.first + mixed.good], axis=1)[order].ravel()
    taken = np.stack([good, bad], axis=1)[order].ravel()
    return _batches(pairs, rows[spread(starts, taken)], (good + bad)[order], queries)


def pairwise(
    pairs: Judged, rng: np.random.Generator, *, queries: int = 16, negatives: int = 1
) -> Iterator[Batch]:
    """Each relevant document with `negatives` other ones of its query, as a group of their own.

    Negatives are drawn without repetition while there are enough. A query is left out if all its
    documents have the same label.

    Raises:
        DataError: No query has both labels.
    """
    mixed = pairs.mixed
    query = np.repeat(np.arange(len(mixed.first)), mixed.good)
    leading = mixed.rows[spread(mixed.first, mixed.good)]
    order = rng.permutation(len(leading))
    query = query[order]
    drawn = _draw(mixed.bad[query], negatives, rng)
    others = mixed.rows[(mixed.first + mixed.good)[query][:, None] + drawn]
    rows = np.concatenate([leading[order, None], others], axis=1)
    return _batches(pairs, rows.ravel(), np.full(len(rows), 1 + negatives), queries)


def pointwise(pairs: Judged, rng: np.random.Generator, *, rows: int = 128) -> Iterator[Batch]:
    """Each pair by itself, `rows` at a time.

    Raises:
        DataError: All pairs have the same label.
    """
    if len(np.unique(pairs.label)) < 2:
        raise DataError(
            "all pairs have the same label, so there is nothing to learn. Received: "
            f"{len(pairs.label)} pairs, labels {np.unique(pairs.label).tolist()}"
        )
    order = rng.permutation(len(pairs.label))
    return _batches(pairs, order, np.ones(len(order), np.int64), rows)


SAMPLERS = {"listwise": listwise, "pairwise": pairwise, "pointwise": pointwise}


def _mixed(pairs: Judged) -> Mixed:
    rows = np.flatnonzero(pairs.label >= 0)
    irrelevant = pairs.label[rows] == 0
    order = np.lexsort((irrelevant, pairs.query[rows]))
    rows, irrelevant, query = rows[order], irrelevant[order], pairs.query[rows[order]]
    first = np.flatnonzero(np.diff(query, prepend=query[:1] - 1))
    size = np.diff(first, append=len(rows))
    bad = np.diff(np.concatenate([[0], np.cumsum(irrelevant)])[[*first, len(rows)]])
    both = (bad > 0) & (bad < size)
    if not both.any():
        raise DataError(
            "no query has both a relevant document and another, so there is nothing to learn a "
            f"ranking from. Received: {len(first)} queries, {len(pairs.label)} pairs, labels "
            f"{np.unique(pairs.label).tolist()}"
        )
    first, size, bad = first[both], size[both], bad[both]
    return Mixed(rows[spread(first, size)], np.cumsum(size) - size, size - bad, bad)


def _shuffle(
    rows: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    wanted: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Brings `wanted` random ones of each run of `rows` to its front, in place.

    A Fisher-Yates shuffle that stops early, of all runs at once.
    """
    for step in range(int(wanted.max(initial=0))):
        active = wanted > step
        here = starts[active] + step
        there = here + rng.integers(sizes[active] - step)
        rows[here], rows[there] = rows[there], rows[here]


def _draw(sizes: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Random numbers below each size, `(sizes, wanted)`; different ones where there are enough."""
    drawn = np.zeros((len(sizes), wanted), np.int64)
    enough = sizes >= wanted
    for step in range(wanted):
        # Of those that are left: the ones drawn before are passed over, the lowest first.
        number = rng.integers(np.where(enough, sizes - step, sizes))
        for before in np.sort(drawn[:, :step], axis=1).T:
            number += enough & (number >= before)
        drawn[:, step] = number
    return drawn


def _batches(pairs: Judged, rows: np.ndarray, lengths: np.ndarray, size: int) -> Iterator[Batch]:
    """Groups of rows, which stand end to end, `size` at a time: views of one array each."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    query = pairs.query[rows[ends[:-1]]]
    document, label = pairs.document[rows], pairs.label[rows]
    group = np.repeat(np.arange(len(lengths)) % size, lengths)
    bounds = ends[::size].tolist()
    if (len(ends) - 1) % size:
        bounds.append(len(rows))
    for number, (start, end) in enumerate(zip(bounds, bounds[1:], strict=False)):
        yield Batch(
            query[number * size : (number + 1) * size],
            document[start:end],
            label[start:end],
            group[start:end],
        )
