"""Several runs and one set of judgments to differences, their intervals and p values."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from ir_attention.errors import DataError
from ir_attention.evaluation.intervals import bootstrap_interval, mean
from ir_attention.evaluation.measures import MEASURES, Measures, Ties, evaluate_quietly
from ir_attention.evaluation.results import Evaluation, EvaluationWarning
from ir_attention.evaluation.runs import Qrels, Run, as_qrels

__all__ = ["compare", "holm", "randomisation_test", "t_test"]

_FLIPS = 10_000  # a p value of .05 then has a standard error of .002
_BLOCK = 2_000_000  # signs drawn at a time


def compare(
    qrels: Qrels,
    runs: Mapping[str, Run],
    measures: Measures = MEASURES,
    *,
    test: Literal["randomisation", "t"] = "randomisation",
    ties: Ties = "expected",
    only_mixed: bool = False,
    seed: int = 7,
) -> pd.DataFrame:
    """Tests for every pair of runs whether their measures differ by more than chance.

    All tests are paired: they look at the difference of each query. Both are given, as they
    should agree; `test` says beforehand which one decides, so that nobody picks the better.
    With many comparisons some small p values come by chance alone: `p_holm` is corrected for all
    rows of the result together, and is the one to be held against .05.

    Args:
        qrels: What `as_qrels` takes.
        runs: Runs by name, two at least: what `as_run` takes. The first of a pair is the baseline.
        measures: As in `evaluate`.
        test: Whose p values are corrected: `"randomisation"` or `"t"`.
        ties: As in `evaluate`.
        only_mixed: As in `evaluate`.
        seed: Of the intervals, of the randomisation test and of shuffled ties.

    Returns:
        A row for each measure and pair of runs: `measure`, `baseline` and `run` (names),
        `queries` (where the measure is defined for both), `mean_baseline` and `mean_run`,
        `difference` (of run and baseline: above 0 the run is better), `low` and `high` (its 95 %
        bootstrap interval), `p_t`, `p_randomisation`, `p_holm`.

    Warns:
        EvaluationWarning: As `evaluate`, with the run's name before it.

    Raises:
        DataError: As `evaluate`; there are fewer than two runs; an unknown test.

    Example:

    >>> qrels = {f"q{number}": {"d1": 1, "d2": 0} for number in range(5)}
    >>> good = {query: {"d1": 2, "d2": 1} for query in qrels}
    >>> bad = {query: {"d1": 1, "d2": 2} for query in qrels}
    >>> result = compare(qrels, {"bad": bad, "good": good}, "RR")
    >>> result[["baseline", "run", "difference", "p_randomisation"]].round(4)
      baseline   run  difference  p_randomisation
    0      bad  good         0.5           0.0625
    """
    if test not in ("randomisation", "t"):
        raise DataError(f"test: must be 'randomisation' or 't'. Received: {test!r}")
    if len(runs) < 2:
        raise DataError(f"runs: must be two at least. Received: {list(runs)}")
    qrels = as_qrels(qrels)
    results = {}
    for name, run in runs.items():
        results[name] = evaluate_quietly(
            run, qrels, measures, ties=ties, only_mixed=only_mixed, seed=seed, resamples=0
        )
        for sentence in results[name].warnings:
            warnings.warn(f"{name}: {sentence}", EvaluationWarning, stacklevel=2)
    columns = {name: _columns(result) for name, result in results.items()}
    rows = [
        _row(measure, pair, columns[pair[0]][measure], columns[pair[1]][measure], seed)
        for measure in next(iter(columns.values()))
        for pair in itertools.combinations(runs, 2)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(p_holm=holm(frame[f"p_{test}"].to_numpy()))


def t_test(difference: np.ndarray) -> float:
    """The two-sided p value of Student's t test for a mean difference of 0.

    Args:
        difference: Floats, `(queries,)`: what the run has more than the baseline.

    Returns:
        Between 0 and 1: 1 if all differences are 0, or if there are fewer than two, which cannot
        tell anything; 0 if all are equal and not 0.
    """
    if len(difference) < 2 or not difference.any():
        return 1.0
    if (difference == difference[0]).all():
        return 0.0
    from scipy import stats  # most of a second to import

    return float(stats.ttest_1samp(difference, 0.0).pvalue)


def randomisation_test(difference: np.ndarray, *, seed: int) -> float:
    """The two-sided p value of Fisher's randomisation test for a mean difference of 0.

    Were both runs equally good, each query's difference could as well have the other sign. The p
    value is the share of all choices of signs with a mean as far from 0 as the one observed:
    Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for
    Information Retrieval Evaluation", CIKM 2007. All choices are tried if they are at most 10,000
    (13 queries that differ); otherwise 10,000 are drawn, and the one observed is added to them:
    Phipson and Smyth, "Permutation P-values Should Never Be Zero", 2010.

    Args:
        difference: Floats, `(queries,)`: what the run has more than the baseline.
        seed: The same seed gives the same p value.

    Returns:
        Above 0 and up to 1; 1 if all differences are 0.
    """
    difference = np.sort(difference[difference != 0])  # a sign does nothing to a 0
    count, total = len(difference), difference.sum()
    # Sums of the same numbers in another order may differ in their last digits.
    observed = abs(total) - 1e-9 * abs(difference).sum()
    if 2**count <= _FLIPS:
        flipped = (np.arange(2**count)[:, None] >> np.arange(count)) & 1  # (choices, queries)
        return float((abs(total - 2 * flipped @ difference) >= observed).mean())
    rng = np.random.default_rng(seed)
    as_far = 1
    step = max(1, _BLOCK // count)
    for start in range(0, _FLIPS, step):
        size = (min(step, _FLIPS - start), count)
        flipped = rng.integers(2, size=size, dtype=np.int8).astype(float)
        as_far += int((abs(total - 2 * flipped @ difference) >= observed).sum())
    return as_far / (_FLIPS + 1)


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


def _columns(result: Evaluation) -> dict[str, np.ndarray]:
    """Values by measure, `(queries,)`: the rows of a frame of results go query by query."""
    names = list(result.measures)
    values = result.per_query["value"].to_numpy().reshape(result.queries, len(names))
    return dict(zip(names, values.T, strict=True))


def _row(
    measure: str, pair: tuple[str, str], baseline: np.ndarray, run: np.ndarray, seed: int
) -> dict[str, str | float]:
    defined = ~(np.isnan(baseline) | np.isnan(run))
    baseline, run = baseline[defined], run[defined]
    difference = np.round(run - baseline, 12)  # what is less comes from the order of a sum
    low, high = bootstrap_interval(difference, seed=seed)
    return {
        "measure": measure,
        "baseline": pair[0],
        "run": pair[1],
        "queries": len(difference),
        "mean_baseline": mean(baseline),
        "mean_run": mean(run),
        "difference": mean(difference),
        "low": low,
        "high": high,
        "p_t": t_test(difference),
        "p_randomisation": randomisation_test(difference, seed=seed),
    }
