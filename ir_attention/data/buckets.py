"""Batches of documents of like length, in an order by chance."""

from __future__ import annotations

import numpy as np

__all__ = ["length_buckets", "padded_share"]


def length_buckets(
    lengths: np.ndarray, size: int, rng: np.random.Generator, *, diversity: int = 10
) -> list[np.ndarray]:
    """Batches whose documents are about equally long; each document is in one of them.

    All documents are drawn in an order by chance, and cut into pools of `diversity` batches.
    Within a pool they are sorted by length and cut into batches, which then come in an order by
    chance. The larger the pools, the more alike are the lengths of a batch, and the fewer batches
    there are that a document could be in.

    Args:
        lengths: Of each document, `(documents,)`, in any unit.
        size: Documents in a batch; the last one may have fewer.
        rng: Decides both orders.
        diversity: Batches in a pool, 1 for batches by chance alone.

    Returns:
        Places of documents, `(size,)` each.
    """
    order = rng.permutation(len(lengths))
    batches: list[np.ndarray] = []
    for start in range(0, len(order), size * diversity):
        pool = order[start : start + size * diversity]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[first : first + size] for first in range(0, len(pool), size)]
    return [batches[place] for place in rng.permutation(len(batches))]


def padded_share(lengths: np.ndarray, batches: list[np.ndarray]) -> float:
    """Which share of the cells are padding, when each batch is as wide as its longest document."""
    cells = sum(len(batch) * int(lengths[batch].max(initial=0)) for batch in batches)
    return 1 - float(lengths.sum()) / cells if cells else 0.0
