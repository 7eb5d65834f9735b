"""How many match: by hand, without bias, and with intervals that hold the truth as they say."""

import doctest
import json
import math

import numpy as np
import pytest

from ir_attention.errors import DataError
from ir_attention.evaluation import counting, estimate_count, measure_threshold

# 40 of 50 matches found, 10 of 100 others taken for one: tpr .8, fpr .1, precision .8, recall .8.
LABELLED = [1.0] * 40 + [0.0] * 10 + [1.0] * 10 + [0.0] * 90, [1] * 50 + [0] * 100
DECISIONS = measure_threshold(0.5, *LABELLED)


def test_by_hand():
    scores = [1.0] * 240 + [0.0] * 760
    by_rates = estimate_count(DECISIONS, scores)
    assert by_rates.count == pytest.approx((240 - 1000 * 0.1) / (0.8 - 0.1))
    assert (by_rates.pairs, by_rates.yes, by_rates.notes) == (1000, 240, ())
    assert 0 < by_rates.low < by_rates.count < by_rates.high < 1000
    by_precision = estimate_count(DECISIONS, scores, assume="precision")
    assert by_precision.count == pytest.approx(240 * 0.8 / 0.8)
    assert by_precision.low < 240 < by_precision.high
    assert json.loads(json.dumps(by_rates.to_dict()))["interval"] == [by_rates.low, by_rates.high]


def test_on_the_labelled_pairs_themselves_both_give_their_number():
    for assume in ("rates", "precision"):
        found = estimate_count(DECISIONS, LABELLED[0], assume=assume)
        assert found.count == pytest.approx(50)
        assert found.low < 50 < found.high


@pytest.mark.parametrize(
    ("score", "assume", "count", "note"),
    [
        (0.0, "rates", 0, "The formula gives -142.9; cut at 0."),
        (1.0, "rates", 1000, "The formula gives 1285.7; cut at 1000."),
        (1.0, "precision", 800, "The formula gives 1000.0; cut at 800."),  # none is left to miss
    ],
)
def test_an_estimate_stays_within_what_there_is_and_within_its_interval(score, assume, count, note):
    found = estimate_count(DECISIONS, [score] * 1000, assume=assume)
    assert found.count == count
    assert 0 <= found.low <= found.count <= found.high <= 1000
    assert found.notes[0] == note


@pytest.mark.parametrize("assume", ["rates", "precision"])
def test_no_yes_is_no_proof_that_there_is_no_match(assume):
    found = estimate_count(DECISIONS, [0.0] * 20, assume=assume)
    assert (found.count, found.low) == (0, 0)
    assert 1 <= found.high <= 5
    assert found.notes[-1] == "Only 0 reach the threshold: the estimate rests on few pairs."
    assert not estimate_count(DECISIONS, [1.0] * 10 + [0.0] * 40, assume=assume).notes


def test_the_seed_decides():
    scores = np.linspace(0, 1, 500)
    assert estimate_count(DECISIONS, scores) == estimate_count(DECISIONS, scores)
    assert estimate_count(DECISIONS, scores) != estimate_count(DECISIONS, scores, seed=8)


def pairs_of(rng, queries, each, share, *, alike=0.0, tpr=0.8, fpr=0.05):
    """Scores, labels and queries: a score of 0 or higher is yes, at these rates over queries."""
    relevant = rng.random((queries, each)) < share
    z = {0.8: 0.8416, 0.4: -0.2533, 0.05: -1.6449, 0.002: -2.8782}  # of the normal distribution
    score = np.where(relevant, z[tpr], z[fpr]) * math.hypot(1, alike)
    score = score + rng.normal(size=(queries, 1)) * alike + rng.normal(size=score.shape)
    return score.ravel(), relevant.ravel().astype(int), np.repeat(np.arange(queries), each)


# Shares of matches among labelled and unlabelled pairs, whether queries are given, how much they
# differ, the false positive rate; and how often the interval must hold the truth.
SETTINGS = {
    "alike": (0.3, 0.3, False, 0.0, 0.05, 0.92),
    "rarer": (0.3, 0.05, False, 0.0, 0.05, 0.92),
    "no error seen": (0.3, 0.05, False, 0.0, 0.002, 0.92),
    "by query": (0.3, 0.1, True, 0.0, 0.05, 0.92),
    "no error seen by query": (0.3, 0.02, True, 0.0, 0.002, 0.92),
    "queries differ": (0.3, 0.1, True, 0.5, 0.05, 0.88),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("trials", [60, pytest.param(300, marks=pytest.mark.slow)])
def test_no_bias_and_an_interval_that_holds(name, trials):
    labelled, unlabelled, by_query, alike, fpr, least = SETTINGS[name]
    rng = np.random.default_rng(6)
    errors, inside = [], 0
    for _ in range(trials):
        score, label, query = pairs_of(rng, 60, 10, labelled, alike=alike, fpr=fpr)
        decisions = measure_threshold(
            0, score, label, queries=query if by_query else None, resamples=1
        )
        score, label, query = pairs_of(rng, 60, 20, unlabelled, alike=alike, fpr=fpr)
        found = estimate_count(decisions, score, queries=query if by_query else None, resamples=500)
        errors.append(found.count - label.sum())
        inside += found.low <= label.sum() <= found.high
    error = np.std(errors) / math.sqrt(trials)
    assert abs(np.mean(errors)) < 4 * error + 0.5
    chance = 2 * math.sqrt(least * (1 - least) / trials)
    assert least - chance <= inside / trials <= 0.99 + chance


# Few pairs, few of them said yes: how many, and the share that matches.
@pytest.mark.parametrize("trials", [100, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("assume", "pairs", "share"),
    [("rates", 50, 0.05), ("rates", 100, 0.02), ("precision", 50, 0.3), ("precision", 20, 0.3)],
)
def test_few_pairs_have_an_interval_that_holds(assume, pairs, share, trials):
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(trials):
        rates = {"tpr": 0.4, "fpr": 0.002}
        decisions = measure_threshold(0, *pairs_of(rng, 60, 10, 0.3, **rates)[:2], resamples=1)
        score, label, _ = pairs_of(rng, 1, pairs, share, **rates)
        found = estimate_count(decisions, score, assume=assume, resamples=500)
        assert found.low <= found.count <= found.high
        inside += found.low <= label.sum() <= found.high
    assert inside / trials >= (0.93 if trials == 400 else 0.9)


def test_precision_holds_only_where_matches_are_as_frequent():
    rng = np.random.default_rng(6)
    inside = {0.3: 0, 0.05: 0}
    for share in inside:
        for _ in range(50):
            decisions = measure_threshold(0, *pairs_of(rng, 60, 10, 0.3)[:2], resamples=1)
            score, label, _ = pairs_of(rng, 60, 20, share)
            found = estimate_count(decisions, score, assume="precision", resamples=500)
            inside[share] += found.low <= label.sum() <= found.high
    assert inside[0.3] >= 44
    assert inside[0.05] <= 3


def test_few_queries_make_the_interval_wider():
    """All of one query, whose rates may be any; of many queries, whose rates even out."""
    rng = np.random.default_rng(6)
    score, label, query = pairs_of(rng, 60, 10, 0.3, alike=0.7)
    decisions = measure_threshold(0, score, label, queries=query)
    score = pairs_of(rng, 60, 20, 0.3, alike=0.7)[0]
    widths = []
    for queries in (None, np.arange(1200), np.arange(1200) // 20, np.zeros(1200)):
        found = estimate_count(decisions, score, queries=queries)
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.05)
    assert widths[3] > 1.5 * widths[2] > 1.5 * widths[1]
    assert estimate_count(DECISIONS, score, queries=np.zeros(1200)).notes == (
        "How queries differ is not known, and not in the interval.",
    )


@pytest.mark.parametrize(
    ("labelled", "assume", "message"),
    [
        (([1, 0], [1, 1]), "rates", "must have both relevant pairs and others.*: 2 and 0"),
        (([1, 0], [0, 0]), "rates", "must have both relevant pairs and others.*: 0 and 2"),
        (([1, 1], [1, 0]), "rates", "more often than others.*: 1 of 1, and 1 of 1"),
        (([0, 1], [1, 0]), "rates", "more often than others.*: 0 of 1, and 1 of 1"),
        (([0, 0], [1, 0]), "precision", "some relevant pair must reach.*: 0 of 1"),
    ],
)
def test_decisions_that_say_nothing(labelled, assume, message):
    with pytest.raises(DataError, match=f"^decisions: .*{message}"):
        estimate_count(measure_threshold(0.5, *labelled), [1, 0], assume=assume)


def test_other_arguments_that_cannot_be():
    with pytest.raises(DataError, match="assume: must be 'rates' or 'precision'. Received: 'all'"):
        estimate_count(DECISIONS, [1], assume="all")
    with pytest.raises(DataError, match="scores: must be a row of numbers, one at least"):
        estimate_count(DECISIONS, [])
    with pytest.raises(DataError, match="scores: must not be NaN"):
        estimate_count(DECISIONS, [math.nan])
    for name, value in (("resamples", 0), ("resamples", 1.5), ("seed", -1), ("seed", "x")):
        with pytest.raises(DataError, match=f"{name}: must be a whole number, . or more. Received"):
            estimate_count(DECISIONS, [1], **{name: value})
    with pytest.raises(DataError, match="queries: must be as many as scores"):
        estimate_count(DECISIONS, [1], queries=[1, 2])


def test_tiny_samples_give_wide_intervals_and_no_error():
    decisions = measure_threshold(0.5, [1, 0, 0], [1, 0, 1], queries=["a", "a", "b"])
    for assume in ("rates", "precision"):
        found = estimate_count(decisions, [1, 0, 0, 0], queries=["c"] * 4, assume=assume)
        assert 0 <= found.low <= found.count <= found.high <= 4
        assert found.high - found.low > 1


def test_the_examples_run():
    assert doctest.testmod(counting).failed == 0
