"""bootstrap_interval: near the normal interval, the same for a seed, and defined at the edges."""

import math

import numpy as np
import pytest

from ir_attention.evaluation.intervals import bootstrap_interval

VALUES = np.random.default_rng(3).random(101)


def test_is_near_the_normal_interval():
    error = VALUES.std() / math.sqrt(len(VALUES))
    expected = (VALUES.mean() - 1.96 * error, VALUES.mean() + 1.96 * error)
    assert bootstrap_interval(VALUES, seed=7) == pytest.approx(expected, abs=0.01)


def test_depends_on_the_seed_and_not_on_the_order():
    interval = bootstrap_interval(VALUES, seed=7)
    assert bootstrap_interval(VALUES[::-1], seed=7) == interval
    assert bootstrap_interval(VALUES, seed=8) != interval


def test_drawing_in_blocks_changes_nothing(monkeypatch):
    interval = bootstrap_interval(VALUES, seed=7)
    monkeypatch.setattr("ir_attention.evaluation.intervals._BLOCK", 1000)
    assert bootstrap_interval(VALUES, seed=7) == interval


def test_the_edges():
    assert bootstrap_interval(np.array([0.3]), seed=7) == (0.3, 0.3)
    assert bootstrap_interval(np.array([0.3, np.nan, 0.3]), seed=7) == (0.3, 0.3)
    assert np.isnan(bootstrap_interval(np.array([np.nan]), seed=7)).all()
    assert np.isnan(bootstrap_interval(np.array([]), seed=7)).all()
