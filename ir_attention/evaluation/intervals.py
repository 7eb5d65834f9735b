"""Values per query to their mean and an interval for it."""

from __future__ import annotations

import numpy as np

__all__ = ["bootstrap_interval", "mean"]

_TAILS = (0.025, 0.975)  # 95 %
_BLOCK = 2_000_000  # values drawn at a time: 16 MB, however many queries there are


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
