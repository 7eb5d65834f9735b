"""Differences of two runs, query by query, to p values and effect sizes.

All tests are two-sided and paired, and ask for a mean difference of 0. The plural functions take
many comparisons at once, a column each, and draw once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ir_attention.evaluation.intervals import resampled_sums

__all__ = [
    "bootstrap_test",
    "bootstrap_tests",
    "draws_for",
    "effect_size",
    "holm",
    "randomisation_test",
    "randomisation_tests",
    "t_test",
]

_DRAWS = 10_000  # a p value of .05 then has a standard error of .002
_DRAWS_PER_TEST = 500  # the smallest p value, multiplied by their number, is 1 / 500
_MOST_DRAWS = 65_000  # still below .01 at 650 tests, and some seconds for 600 queries
_INTERVAL = 1000  # of the draws; as many as `bootstrap_interval` takes
_BLOCK = 2_000_000  # values drawn at a time


def t_test(difference: np.ndarray) -> float:
    """The two-sided p value of Student's t test for a mean difference of 0.

    Args:
        difference: Floats, `(queries,)`: what the run has more than the baseline.

    Returns:
        Between 0 and 1: 1 if all differences are 0, or if there are fewer than two, which cannot
        tell anything. If all are equal and not 0, where t is infinite, that of the randomisation
        test, `2 ** (1 - queries)`: two equal differences are no proof.
    """
    if len(difference) < 2 or not difference.any():
        return 1.0
    if (difference == difference[0]).all():
        return 2.0 ** (1 - len(difference))
    from scipy import stats  # most of a second to import

    return float(stats.ttest_1samp(difference, 0.0).pvalue)


def draws_for(tests: int) -> int:
    """How many draws tests by simulation take when there are so many of them to correct for.

    A p value from `draws` draws is never below `1 / (draws + 1)`. With 10,000 of them and 500
    tests no corrected one could be below .05.

    >>> [draws_for(tests) for tests in (1, 104, 624)]
    [10000, 52000, 65000]
    """
    return min(max(_DRAWS, _DRAWS_PER_TEST * tests), _MOST_DRAWS)


def randomisation_test(difference: np.ndarray, *, seed: int) -> float:
    """As `randomisation_tests`, for one comparison: `difference` is `(queries,)`."""
    return float(randomisation_tests(np.asarray(difference, float)[:, None], seed=seed)[0])


def randomisation_tests(differences: np.ndarray, *, seed: int, draws: int = _DRAWS) -> np.ndarray:
    """The two-sided p values of Fisher's randomisation test for a mean difference of 0.

    Were both runs equally good, each query's difference could as well have the other sign. The p
    value is the share of all choices of signs with a mean as far from 0 as the one observed:
    Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for
    Information Retrieval Evaluation", CIKM 2007. All choices are tried if they are at most 10,000
    (13 queries that differ); otherwise `draws` are drawn, and the one observed is added to them:
    Phipson and Smyth, "Permutation P-values Should Never Be Zero", 2010.

    Args:
        differences: Floats, `(queries, tests)`: what the run has more than the baseline.
        seed: The same seed gives the same p values.
        draws: How many choices of signs to draw.

    Returns:
        Floats, `(tests,)`, above 0 and up to 1; 1 if all differences are 0.
    """
    few = (differences != 0).sum(axis=0) <= np.log2(_DRAWS)  # all choices, 2 ** n of them
    p_values = np.empty(differences.shape[1])
    for column in np.flatnonzero(few):
        p_values[column] = _all_signs(differences[:, column])
    if few.all():
        return p_values
    sorted_ = np.sort(differences[:, ~few], axis=0)  # the order of queries does not matter
    total, observed = sorted_.sum(axis=0), _observed(sorted_)
    rng = np.random.default_rng(seed)
    as_far = np.ones(len(total))
    for size in _blocks(len(sorted_), draws):
        flipped = rng.integers(2, size=(size, len(sorted_)), dtype=np.int8).astype(float)
        as_far += (abs(total - 2 * flipped @ sorted_) >= observed).sum(axis=0)
    p_values[~few] = as_far / (draws + 1)
    return p_values


def bootstrap_test(difference: np.ndarray, *, seed: int) -> float:
    """As `bootstrap_tests`, for one comparison: `difference` is `(queries,)`."""
    return float(bootstrap_tests(np.asarray(difference, float)[:, None], seed=seed)[0][0])


def bootstrap_tests(
    differences: np.ndarray, *, seed: int, draws: int = _DRAWS
) -> tuple[np.ndarray, np.ndarray]:
    """The two-sided p values of the paired bootstrap test, and intervals from the same draws.

    As many queries as there are get drawn with replacement, `draws` times. The means of the draws,
    shifted so that they scatter about 0, show how far from 0 a mean gets when there is no
    difference. The p value is the share of them that are as far as the one observed, which is
    added to them: the shift method of Smucker, Allan and Carterette, CIKM 2007; Efron and
    Tibshirani, "An Introduction to the Bootstrap", 1993, section 16.4. Sakai, "Evaluating
    Evaluation Metrics Based on the Bootstrap", SIGIR 2006, also divides each mean by its standard
    error, which this does not.

    Args:
        differences: Floats, `(queries, tests)`: what the run has more than the baseline.
        seed: The same seed gives the same numbers.
        draws: How often to draw. The intervals take the first 1000.

    Returns:
        P values, `(tests,)`, above 0 and up to 1; 1 if all differences are 0. None is below
        `2 ** (1 - queries)`, the smallest of the randomisation test: draws from one query, or
        from two much alike, hardly scatter and seem to prove anything. And the ends of the 95 %
        percentile intervals of the mean differences, `(2, tests)`: to 12 digits those of
        `bootstrap_interval`. NaN if there is no query.
    """
    queries, tests = differences.shape
    if queries == 0:
        return np.ones(tests), np.full((2, tests), np.nan)
    sorted_ = np.sort(differences, axis=0)
    total, observed = sorted_.sum(axis=0), _observed(sorted_)
    rng = np.random.default_rng(seed)
    as_far = np.ones(tests)
    means: list[np.ndarray] = []
    for sums in resampled_sums(sorted_, rng=rng, resamples=draws):
        as_far += (abs(sums - total) >= observed).sum(axis=0)
        if sum(map(len, means)) < _INTERVAL:
            means.append(sums / queries)
    intervals = np.quantile(np.concatenate(means)[:_INTERVAL], (0.025, 0.975), axis=0)
    still = sorted_[0] == sorted_[-1]
    intervals[:, still] = sorted_[0][still]
    p_values = np.where(total == 0, 1.0, np.maximum(as_far / (draws + 1), 2.0 ** (1 - queries)))
    return p_values, np.round(intervals, 12)  # the rest comes from the order of a sum


def effect_size(difference: np.ndarray) -> float:
    """Cohen's d of paired differences: their mean in units of their standard deviation.

    Also called d_z: Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988,
    section 2.3. It does not grow with the number of queries, as the t statistic does, which is
    `d * sqrt(queries)`. By his rule of thumb .2 is small, .5 medium and .8 large. It is not
    corrected for few queries: Hedges' factor `1 - 3 / (4 * queries - 5)` does that, and is .99
    at 77 queries.

    Args:
        difference: Floats, `(queries,)`: what the run has more than the baseline.

    Returns:
        Above 0 if the run is better; 0 if all differences are 0; infinite if all are equal and
        not 0; NaN if there are fewer than two.
    """
    if len(difference) < 2:
        return float("nan")
    if (difference == difference[0]).all():
        return float(np.sign(difference[0]) * np.inf) if difference[0] else 0.0
    return float(difference.mean() / difference.std(ddof=1))


def holm(p_values: np.ndarray) -> np.ndarray:
    """P values corrected for their number: Holm, "A Simple Sequentially Rejective Test", 1979.

    The smallest of `tests` values is multiplied by `tests`, the next by one less, and so on; none
    falls below a smaller one's, and none exceeds 1.

    Args:
        p_values: Floats, `(tests,)`, in any order.

    Returns:
        Floats, `(tests,)`, in the same order.

    Example:

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    steps = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * steps), 1)
    return corrected


def _all_signs(difference: np.ndarray) -> float:
    """The p value over every choice of signs."""
    difference = np.sort(difference[difference != 0])  # a sign does nothing to a 0
    count, total = len(difference), difference.sum()
    flipped = (np.arange(2**count)[:, None] >> np.arange(count)) & 1  # (choices, queries)
    return float((abs(total - 2 * flipped @ difference) >= _observed(difference)).mean())


def _observed(difference: np.ndarray) -> np.ndarray:
    """How far from 0 a sum has to be. Those of the same numbers in another order may differ."""
    return abs(difference.sum(axis=0)) - 1e-9 * abs(difference).sum(axis=0)


def _blocks(queries: int, draws: int) -> Iterator[int]:
    """How many draws to make at a time."""
    step = max(1, _BLOCK // queries)
    for start in range(0, draws, step):
        yield min(step, draws - start)
