"""Pairs to batches: pointwise, pairwise and listwise sampling. Yields NumPy, knows no model.

Every sampler visits its unit exactly once an epoch, in an order drawn from the generator it is
passed: pointwise each pair, pairwise each positive, listwise each query that has both labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ir_attention.errors import DataError

__all__ = ["SAMPLERS", "Batch", "Judged", "listwise", "pairwise", "pointwise"]


class Judged(NamedTuple):
    """Labelled pairs as numbers: places of texts, and labels of at least 0."""

    query: np.ndarray  # (pairs,)
    document: np.ndarray  # (pairs,)
    label: np.ndarray  # (pairs,)


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
    groups = _groups(pairs)
    lists = []
    for number in rng.permutation(len(groups)):
        rows = groups[number]
        good = rng.permutation(rows[pairs.label[rows] > 0])[: min(positives, candidates - 1)]
        bad = rng.permutation(rows[pairs.label[rows] == 0])[: candidates - len(good)]
        lists.append(np.concatenate([good, bad]))
    return _batches(pairs, lists, queries)


def pairwise(
    pairs: Judged, rng: np.random.Generator, *, queries: int = 16, negatives: int = 1
) -> Iterator[Batch]:
    """Each relevant document with `negatives` other ones of its query, as a group of their own.

    Negatives are drawn without repetition while there are enough. A query is left out if all its
    documents have the same label.

    Raises:
        DataError: No query has both labels.
    """
    lists = []
    for rows in _groups(pairs):
        bad = rows[pairs.label[rows] == 0]
        for row in rows[pairs.label[rows] > 0]:
            drawn = rng.choice(bad, negatives, replace=len(bad) < negatives)
            lists.append(np.concatenate([[row], drawn]))
    order = rng.permutation(len(lists))
    return _batches(pairs, [lists[number] for number in order], queries)


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
    return _batches(pairs, [order[at : at + 1] for at in range(len(order))], rows)


SAMPLERS = {"listwise": listwise, "pairwise": pairwise, "pointwise": pointwise}


def _groups(pairs: Judged) -> list[np.ndarray]:
    """The rows of each query that has a relevant and another document; queries by first row."""
    order = np.argsort(pairs.query, kind="stable")
    _, starts = np.unique(pairs.query[order], return_index=True)
    groups = [rows for rows in np.split(order, starts[1:]) if len(rows)]
    mixed = [r for r in groups if (pairs.label[r] > 0).any() and (pairs.label[r] == 0).any()]
    if not mixed:
        raise DataError(
            "no query has both a relevant document and another, so there is nothing to learn a "
            f"ranking from. Received: {len(groups)} queries, {len(pairs.label)} pairs, labels "
            f"{np.unique(pairs.label).tolist()}"
        )
    return sorted(mixed, key=lambda rows: int(rows.min()))


def _batches(pairs: Judged, lists: list[np.ndarray], size: int) -> Iterator[Batch]:
    for start in range(0, len(lists), size):
        part = lists[start : start + size]
        rows = np.concatenate(part)
        yield Batch(
            np.array([pairs.query[one[0]] for one in part]),
            pairs.document[rows],
            pairs.label[rows],
            np.repeat(np.arange(len(part)), [len(one) for one in part]),
        )
