"""Ragged rows laid end to end, with their lengths beside them, in NumPy."""

from __future__ import annotations

import numpy as np

__all__ = ["run_sums", "spread"]


def spread(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The places `start, start + 1, ...` of several runs, end to end.

    >>> spread(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    shift = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) + np.repeat(starts - shift, lengths)


def run_sums(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The sum of each run of `counts` values, `(runs,)`.

    >>> run_sums(np.array([1, 2, 3]), np.array([2, 0, 1])).tolist()
    [3, 0, 3]
    """
    bounds = np.concatenate([[0], np.cumsum(values)])
    last = np.cumsum(counts)
    return bounds[last] - bounds[last - counts]
