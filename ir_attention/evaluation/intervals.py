"""Values per query to their mean and an interval for it; counts to an interval for their share."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ir_attention.errors import DataError

__all__ = ["bootstrap_interval", "check_draws", "mean", "resampled_sums", "wilson_interval"]

_TAILS = (0.025, 0.975)  # 95 %
_Z = 1.959963984540054  # 95 % of the normal distribution lie within as many deviations
_BLOCK = 2_000_000  # values drawn at a time: 16 MB, however many queries there are


def check_draws(seed: int, resamples: int, *, least: int = 1) -> None:
    """Raises a DataError unless both are whole numbers, from 0 and from `least`."""
    for name, value, low in (("seed", seed, 0), ("resamples", resamples, least)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
            raise DataError(f"{name}: must be a whole number, {low} or more. Received: {value!r}")


def mean(values: np.ndarray) -> float:
    """The mean of the values that are not NaN; NaN if there is none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def bootstrap_interval(
    values: np.ndarray, *, seed: int, resamples: int = 1000
) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of a mean over queries.

    As many queries as there are get drawn with replacement and averaged, `resamples` times; the
    interval lies between the 2.5th and the 97.5th percentile of these means: Efron and
    Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3. It says how much the mean
    would move with other queries of the same kind, not how much it moves with training.

    It has no width if all values are equal, or if there is only one, which is a sign of too
    little data and not of certainty.

    Args:
        values: Floats, `(queries,)`, in any order: the interval does not depend on it. NaN stands
            for an undefined value and is left out.
        seed: The same seed gives the same interval.
        resamples: How often to draw.

    Returns:
        Low and high end; NaN twice if there is no value.
    """
    values = np.sort(values[~np.isnan(values)])
    if len(values) == 0:
        return float("nan"), float("nan")
    if values[0] == values[-1]:
        return float(values[0]), float(values[0])
    rng = np.random.default_rng(seed)
    means = np.empty(resamples)
    step = max(1, _BLOCK // len(values))
    for start in range(0, resamples, step):
        block = means[start : start + step]
        drawn = rng.integers(len(values), size=(len(block), len(values)), dtype=np.int32)
        block[:] = values[drawn].mean(axis=1)
    low, high = np.quantile(means, _TAILS)
    return float(low), float(high)


def resampled_sums(
    values: np.ndarray, *, rng: np.random.Generator, resamples: int
) -> Iterator[np.ndarray]:
    """Draws as many queries as there are, with replacement, and sums each column over them.

    Args:
        values: Numbers, `(queries, columns)`, a query at least.
        rng: What draws.
        resamples: How often to draw.

    Yields:
        Floats, `(draws, columns)`, until there are `resamples` draws.
    """
    queries = len(values)
    values = values.astype(float)
    step = max(1, _BLOCK // queries)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = rng.integers(queries, size=(size, queries), dtype=np.int32)
        places = drawn + queries * np.arange(size)[:, None]
        times = np.bincount(places.ravel(), minlength=size * queries).reshape(size, queries)
        yield times.astype(float) @ values


def wilson_interval(hits: float, cases: float) -> tuple[float, float]:
    """Wilson's 95 % interval for a share: "Probable Inference, the Law of Succession", 1927.

    Args:
        hits: How many cases have what is counted, 0 up to `cases`.
        cases: How many there are.

    Returns:
        Low and high end, from 0 to 1; NaN twice if there is no case.

    Example:

    >>> [round(end, 4) for end in wilson_interval(9, 10)]
    [0.5958, 0.9821]
    """
    if not cases:
        return float("nan"), float("nan")
    share, square = hits / cases, _Z**2 / cases
    middle = share + square / 2
    half = _Z * math.sqrt(share * (1 - share) / cases + square / cases / 4)
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    return max(0.0, low) if hits else 0.0, min(1.0, high) if hits < cases else 1.0
