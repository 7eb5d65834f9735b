"""A threshold: against every threshold tried, against scikit-learn, at the edges."""

import doctest
import json
import math

import numpy as np
import pytest
from few_or_many import few_or_many
from hypothesis import assume
from hypothesis import strategies as st
from sklearn import metrics

from ir_attention.errors import DataError
from ir_attention.evaluation import choose_threshold, measure_threshold, thresholds
from ir_attention.evaluation.intervals import wilson_interval

pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=2, max_size=12)


def split(drawn):
    scores, labels = map(np.array, zip(*drawn, strict=True))
    assume(0 < (labels >= 1).sum() < len(labels))
    return scores / 7, labels


def tried(scores, labels):
    """Precision, recall and F1 of each score as a threshold, the highest first."""
    relevant = labels >= 1
    for level in sorted({*scores.tolist()}, reverse=True):
        yes = scores >= level
        right = (yes & relevant).sum()
        yield right / yes.sum(), right / relevant.sum(), 2 * right / (yes.sum() + relevant.sum())


@few_or_many(40, 200, drawn=pairs)
def test_no_threshold_has_a_higher_f1(drawn):
    scores, labels = split(drawn)
    found = choose_threshold(scores, labels)
    assert found.f1 == pytest.approx(max(f1 for _, _, f1 in tried(scores, labels)))
    yes = scores >= found.value
    assert found.f1 == pytest.approx(metrics.f1_score(labels >= 1, yes))
    assert found.precision == pytest.approx(metrics.precision_score(labels >= 1, yes))
    assert found.recall == pytest.approx(metrics.recall_score(labels >= 1, yes))
    assert (found.pairs, found.relevant, found.yes) == (len(yes), (labels >= 1).sum(), yes.sum())
    assert found.value not in scores or yes.all()  # halfway, so that no score stands on it


@few_or_many(40, 200, drawn=pairs, at_least=st.sampled_from([0.1, 0.5, 2 / 3, 0.75, 1.0]))
def test_no_threshold_of_that_precision_has_a_higher_recall(drawn, at_least):
    scores, labels = split(drawn)
    good = [recall for precision, recall, _ in tried(scores, labels) if precision >= at_least]
    if good:
        found = choose_threshold(scores, labels, by="precision", at_least=at_least)
        assert found.precision >= at_least
        assert found.recall == pytest.approx(max(good))
    else:
        with pytest.raises(DataError, match="no threshold has this precision, the highest is"):
            choose_threshold(scores, labels, by="precision", at_least=at_least)


def test_by_hand():
    scores = [0.9, 0.8, 0.8, 0.4, 0.3]
    labels = [1, 0, 1, 1, 0]
    by_f1 = choose_threshold(scores, labels)  # 1/2, 4/6, 6/7, 6/8
    assert (by_f1.value, by_f1.f1) == (pytest.approx(0.35), pytest.approx(6 / 7))
    precise = choose_threshold(scores, labels, by="precision", at_least=0.8)
    assert precise.value == pytest.approx(0.85)
    # .75 is reached by three of four, and by the first alone: recall decides.
    assert choose_threshold(scores, labels, by="precision", at_least=0.7).value == by_f1.value
    assert json.loads(json.dumps(by_f1.to_dict()))["F1"] == by_f1.f1


def test_equal_scores_are_decided_alike():
    found = choose_threshold([0.5, 0.5, 0.5, 0.1], [1, 0, 1, 0])
    assert (found.yes, found.value) == (3, pytest.approx(0.3))
    assert choose_threshold([2, 2], [1, 0]).value == 2  # all is yes


def test_neighbours_and_infinite_scores_are_told_apart():
    low = 1.0
    high = np.nextafter(low, 2)
    for pair in ((high, low), (np.inf, 0.0), (0.0, -np.inf), (np.inf, -np.inf), (1.7e308, 1.6e308)):
        value = choose_threshold(pair, [1, 0]).value
        assert pair[1] < value <= pair[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1, 1]), "labels: must have both .* Received: 2 relevant of 2"),
        (([1, 2], [0, 0]), "labels: must have both .* Received: 0 relevant of 2"),
        (([1, 2], [1]), "labels: must be as many as scores, 2. Received: 1"),
        (([1, math.nan], [1, 0]), "scores: must not be NaN. Received: 1 NaN of 2"),
        (([1, 2], [1, math.nan]), "labels: must not be NaN"),
        ((["a", 2], [1, 0]), "scores: must be numbers. Received: could not convert"),
        (([], []), "scores: must be a row of numbers, one at least"),
        (([[1]], [1]), "scores: must be a row of numbers"),
    ],
)
def test_pairs_that_cannot_be(arguments, message):
    with pytest.raises(DataError, match=message):
        choose_threshold(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "recall"}, "by: must be 'F1' or 'precision'. Received: 'recall'"),
        ({"at_least": 0.5}, "at_least: goes with by='precision' alone. Received: 0.5"),
        ({"by": "precision"}, "at_least: must be above 0 and up to 1. Received: None"),
        ({"by": "precision", "at_least": 1.1}, "at_least: must be above 0 and up to 1"),
        ({"by": "precision", "at_least": math.nan}, "at_least: must be above 0"),
        ({"by": "precision", "at_least": "x"}, "at_least: must be above 0 .* Received: 'x'"),
        ({"by": "precision", "at_least": 1}, "no threshold has this precision, .* 0.5000"),
    ],
)
def test_rules_that_cannot_be(options, message):
    with pytest.raises(DataError, match=message):
        choose_threshold([2, 1], [0, 1], **options)


def test_measured_by_hand_with_wilsons_intervals():
    scores, labels = np.repeat([0.9, 0.1], [30, 70]), np.repeat([1, 0, 1, 0], [24, 6, 16, 54])
    found = measure_threshold(0.5, scores, labels)
    assert found.cells.tolist() == [[24, 6, 16, 54]]
    assert (found.precision, found.recall, found.f1) == pytest.approx((0.8, 0.6, 48 / 70))
    # Wilson's interval, from its formula, with z = 1.96.
    for name, hits, cases in (("precision", 24, 30), ("recall", 24, 40)):
        share, z = hits / cases, 1.959964
        half = z * math.sqrt(share * (1 - share) / cases + (z / cases / 2) ** 2)
        ends = [(share + z**2 / cases / 2 + sign * half) / (1 + z**2 / cases) for sign in (-1, 1)]
        assert found.intervals[name] == pytest.approx(ends, abs=1e-6)
    low, high = wilson_interval(24, 46)
    assert found.intervals["F1"] == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))
    assert found.to_dict()["yes"] == 30


def simulated(rng, queries, each=9, *, alike=0.0):
    """Pairs with a share of .4 relevant, of which .7 are found, and .2 of the others."""
    shift = rng.normal(size=(queries, 1)) * alike
    relevant = rng.random((queries, each)) < 0.4
    score = np.where(relevant, 0.5244, -0.8416) * math.hypot(1, alike) + shift
    score = score + rng.normal(size=score.shape)
    return score.ravel(), relevant.ravel().astype(int), np.repeat(np.arange(queries), each)


@pytest.mark.parametrize("by_query", [True, False])
def test_intervals_hold_the_truth_95_times_of_100(by_query):
    rng = np.random.default_rng(4)
    truth = {"precision": 0.28 / 0.40, "recall": 0.7, "F1": 0.7}
    inside = dict.fromkeys(truth, 0)
    for _ in range(300):
        scores, labels, queries = simulated(rng, 67, alike=1.0 if by_query else 0.0)
        queries = queries if by_query else None
        found = measure_threshold(0.0, scores, labels, queries=queries, resamples=400)
        for name, value in truth.items():
            low, high = found.intervals[name]
            inside[name] += low <= value <= high
    assert min(inside.values()) >= 300 * 0.91 and max(inside.values()) <= 300 * 0.985, inside


def test_pairs_that_are_alike_make_the_interval_wider():
    scores, labels, queries = simulated(np.random.default_rng(4), 67, alike=2.0)
    width = {
        name: np.diff(measure_threshold(0, scores, labels, queries=ids).intervals["recall"])[0]
        for name, ids in (("query", queries), ("pair", None))
    }
    assert width["query"] > 1.3 * width["pair"]


def test_the_order_of_pairs_does_not_matter():
    scores, labels, queries = simulated(np.random.default_rng(4), 11)
    order = np.random.default_rng(5).permutation(len(scores))
    found = measure_threshold(0, scores, labels, queries=queries)
    again = measure_threshold(0, scores[order], labels[order], queries=queries[order])
    assert found.to_dict() == again.to_dict()
    other = measure_threshold(0, scores, labels, queries=queries, seed=8)
    assert other.intervals != found.intervals


def test_a_share_of_1_has_an_interval_all_the_same():
    """Three queries whose yes are all right: as three cases of three, not as nine of nine."""
    scores, labels = [1, 1, 1, 0] * 3, [1, 1, 1, 1] * 3
    found = measure_threshold(0.5, scores, labels, queries=np.repeat(["a", "b", "c"], 4))
    assert (found.precision, found.intervals["precision"]) == (1, wilson_interval(3, 3))
    single = measure_threshold(0.5, scores, labels)
    assert single.intervals["precision"] == wilson_interval(9, 9)


def test_what_is_undefined():
    nobody = measure_threshold(5, [1, 2], [1, 0])
    assert math.isnan(nobody.precision) and (nobody.recall, nobody.f1) == (0, 0)
    assert nobody.notes == ("No pair reaches the threshold: precision is undefined.",)
    assert nobody.to_dict()["precision"] is None
    assert nobody.to_dict()["intervals"]["precision"] == [None, None]
    nothing = measure_threshold(1.5, [1, 2], [0, 0], queries=["a", "a"])
    assert math.isnan(nothing.recall) and nothing.f1 == 0
    assert nothing.notes[0] == "No pair is relevant: recall is undefined."
    assert nothing.notes[1].startswith("With one query the intervals take pairs as independent")
    empty = measure_threshold(5, [1, 2], [0, 0])
    assert math.isnan(empty.f1) and len(empty.notes) == 2


def test_measuring_takes_the_threshold_that_was_chosen():
    chosen = choose_threshold([2, 1], [1, 0])
    assert measure_threshold(chosen, [3, 0], [1, 0]).threshold == chosen.value


def test_other_arguments_that_cannot_be():
    for bad in (math.nan, "x", "0.5", None):
        with pytest.raises(DataError, match="threshold: must be a number and not NaN. Received"):
            measure_threshold(bad, [1], [1])
    with pytest.raises(DataError, match="queries: must be as many as scores, 2. Received: 1"):
        measure_threshold(0, [1, 2], [1, 0], queries=["a"])
    with pytest.raises(DataError, match="queries: each pair must have one. Received: 1 without"):
        measure_threshold(0, [1, 2], [1, 0], queries=["a", None])
    for name, value in (("resamples", 0), ("resamples", 1.5), ("seed", -1), ("seed", True)):
        with pytest.raises(DataError, match=f"{name}: must be a whole number, . or more. Received"):
            measure_threshold(0, [1], [1], **{name: value})


def test_the_examples_run():
    assert doctest.testmod(thresholds).failed == 0
