"""The paired tests that draw, and effect sizes: against plain NumPy, the t test, and by hand."""

import doctest
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.evaluation import paired
from ir_attention.evaluation.intervals import bootstrap_interval
from ir_attention.evaluation.paired import (
    bootstrap_test,
    bootstrap_tests,
    effect_size,
    randomisation_test,
    randomisation_tests,
    t_test,
)

MANY = np.random.default_rng(11).normal(0.1, size=(211, 3))


def test_the_bootstrap_agrees_with_a_loop_and_with_the_t_test():
    difference = MANY[:, 0]
    rng = np.random.default_rng(5)
    centred = difference - difference.mean()
    means = [rng.choice(centred, len(centred)).mean() for _ in range(5000)]
    expected = np.mean(np.abs(means) >= abs(difference.mean()))
    found = bootstrap_test(difference, seed=7)
    assert found == pytest.approx(expected, abs=0.02)
    assert found == pytest.approx(t_test(difference), abs=0.02)
    assert found == bootstrap_test(difference[::-1], seed=7)
    assert found != bootstrap_test(difference, seed=8)


def test_under_no_difference_p_values_are_uniform():
    """Of 500 comparisons of equals about 5 % have a p value below .05, and half one below .5."""
    columns = np.random.default_rng(2).standard_t(5, size=(61, 500))
    for p_values in (
        randomisation_tests(columns, seed=7, draws=1000),
        bootstrap_tests(columns, seed=7, draws=1000)[0],
    ):
        assert np.mean(p_values < 0.05) == pytest.approx(0.05, abs=0.03)
        assert np.mean(p_values < 0.5) == pytest.approx(0.5, abs=0.07)


def test_many_at_once_are_as_one_by_one():
    columns = np.column_stack([MANY, np.zeros(211), np.where(np.arange(211) < 5, 0.3, 0)])
    together = randomisation_tests(columns, seed=7)
    assert together.tolist() == [randomisation_test(column, seed=7) for column in columns.T]
    p_values, intervals = bootstrap_tests(columns, seed=7)
    np.testing.assert_allclose(p_values, [bootstrap_test(column, seed=7) for column in columns.T])
    expected = [bootstrap_interval(column, seed=7) for column in columns.T]
    np.testing.assert_allclose(intervals.T, expected, atol=1e-12)


@pytest.mark.parametrize("queries", range(1, 9))
def test_few_queries_that_say_the_same_are_no_proof(queries):
    """All three tests say what the signs alone do: two of all `2 ** queries` choices are as far."""
    difference = np.full(queries, 0.25)
    expected = 2 / 2**queries
    assert randomisation_test(difference, seed=7) == pytest.approx(expected)
    assert bootstrap_test(difference, seed=7) == pytest.approx(expected)
    assert t_test(difference) == pytest.approx(expected)


def test_drawing_in_blocks_changes_nothing(monkeypatch):
    found = bootstrap_tests(MANY, seed=7)
    monkeypatch.setattr("ir_attention.evaluation.intervals._BLOCK", 1000)
    for one, other in zip(found, bootstrap_tests(MANY, seed=7), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_the_smallest_p_value_survives_its_correction():
    for tests in (1, 20, 104, 624):
        assert tests / (paired.draws_for(tests) + 1) < 0.01


@pytest.mark.parametrize(
    ("difference", "p"),
    [
        *(([0, 0, 0], 1), ([1, -1], 1), ([], 1)),
        *(([0.5], 1), ([0.5, 0.5], 1 / 2), ([0.5] * 5, 1 / 16), ([0.5] * 20, 1 / 10_001)),
        ([0.5, 0.5, 0.4], 1 / 4),  # no draw from them is near 0
    ],
)
def test_the_edges_of_the_bootstrap(difference, p):
    assert bootstrap_test(np.array(difference, dtype=float), seed=7) == pytest.approx(p)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=2, max_size=9))
def test_the_effect_size_is_t_by_the_root_of_queries(values):
    from scipy import stats

    difference = np.array(values) / 8
    if (difference == difference[0]).all():
        assert effect_size(difference) == (np.sign(difference[0]) * np.inf if values[0] else 0)
    else:
        t = stats.ttest_1samp(difference, 0).statistic
        assert effect_size(difference) == pytest.approx(t / math.sqrt(len(values)))


def test_the_effect_size_by_hand():
    assert effect_size(np.array([0.1, 0.3, 0.2])) == pytest.approx(0.2 / 0.1)
    assert math.isnan(effect_size(np.array([0.1])))


def test_the_examples_run():
    assert doctest.testmod(paired).failed == 0


def test_many_thousand_cases_are_no_overflow():
    rng = np.random.default_rng(6)
    differences = rng.choice([-1.0, 0.0, 1.0], size=20_000)
    (p,) = randomisation_tests(differences[:, None], seed=1, draws=100)
    assert 0 < p <= 1
