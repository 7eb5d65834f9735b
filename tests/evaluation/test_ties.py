"""The closed forms: against every order of tied documents, tried one by one in plain Python."""

import doctest
import itertools
import math

import numpy as np
import pytest
from few_or_many import few_or_many
from hypothesis import strategies as st

from ir_attention.evaluation import ties


def precision(labels, cutoff, level=1):
    return sum(label >= level for label in labels[:cutoff]) / cutoff


def reciprocal_rank(labels, cutoff, level=1):
    places = [place for place, label in enumerate(labels[:cutoff], start=1) if label >= level]
    return 1 / places[0] if places else 0


def average_precision(labels, cutoff, positives, level=1):
    hits = [precision(labels, place, level) for place in range(1, len(labels[:cutoff]) + 1)]
    relevant = [label >= level for label in labels[:cutoff]]
    return sum(np.array(hits) * relevant) / positives if positives else 0


def dcg(labels, cutoff):
    return sum(label / math.log2(place + 1) for place, label in enumerate(labels[:cutoff], start=1))


def mean_over_orders(measure, scores, labels):
    """The measure of each order that sorts the scores, one by one; then their mean."""
    blocks = [
        [label for score, label in zip(scores, labels, strict=True) if score == level]
        for level in sorted(set(scores), reverse=True)
    ]
    orders = itertools.product(*(itertools.permutations(block) for block in blocks))
    return np.mean([measure(list(itertools.chain(*order))) for order in orders])


# Few scores, so that most lists have ties; up to 6 documents make at most 720 orders.
documents = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6)
cutoffs = st.integers(1, 7)


@few_or_many(
    60,
    300,
    lists=st.lists(documents, min_size=1, max_size=3),
    cutoff=cutoffs,
    level=st.integers(1, 2),
)
def test_equal_the_mean_over_all_orders(lists, cutoff, level):
    query = np.repeat(np.arange(len(lists)), [len(docs) for docs in lists])
    scores, labels = np.array([*itertools.chain(*lists)]).T
    ranked = ties.rank(query, scores.astype(float), queries=len(lists))
    label = labels[ranked.order]
    positives = np.array([sum(label >= level for _, label in docs) + 2 for docs in lists])

    for row, docs in enumerate(lists):
        pairs = [*zip(*docs, strict=True)]
        for cut in (cutoff, None):
            depth = cut or len(docs)
            ways = {
                "ap": ties.average_precision(
                    ranked, label >= level, positives=positives, cutoff=cut
                ),
                "rr": ties.reciprocal_rank(ranked, label >= level, cutoff=cut),
                "p": ties.precision(ranked, label >= level, cutoff=depth),
                "dcg": ties.dcg(ranked, label, cutoff=cut),
            }
            oracle = {
                "ap": lambda x: average_precision(x, depth, positives[row], level),  # noqa: B023
                "rr": lambda x: reciprocal_rank(x, depth, level),  # noqa: B023
                "p": lambda x: precision(x, depth, level),  # noqa: B023
                "dcg": lambda x: dcg(x, depth),  # noqa: B023
            }
            for name, values in ways.items():
                expected = mean_over_orders(oracle[name], *pairs)
                assert values[row] == pytest.approx(expected, abs=1e-12), name


def test_numbers_worked_by_hand():
    # Scores 3 | 2 2 2 | 1, and the only relevant document is one of the three in the middle.
    ranked = ties.rank(np.zeros(5, int), np.array([2.0, 3, 2, 1, 2]), queries=1)
    relevant = np.array([True, False, False, False, False])[ranked.order]
    third = (1 / 2 + 1 / 3 + 1 / 4) / 3
    assert ties.reciprocal_rank(ranked, relevant, cutoff=None) == pytest.approx(third)
    assert ties.reciprocal_rank(ranked, relevant, cutoff=2) == pytest.approx(1 / 6)
    positives = np.array([1])
    found = ties.average_precision(ranked, relevant, positives=positives, cutoff=None)
    assert found == pytest.approx(third)
    assert ties.precision(ranked, relevant, cutoff=3) == pytest.approx(2 / 9)
    assert ties.uneven(ranked, relevant).tolist() == [True]


def test_a_tie_of_thousands_keeps_its_precision():
    # One relevant document among n tied ones: the mean of 1/1 .. 1/n.
    n = 20_011
    ranked = ties.rank(np.zeros(n, int), np.zeros(n), queries=1)
    found = ties.reciprocal_rank(ranked, np.arange(n) == 17, cutoff=None)
    assert found[0] == pytest.approx(sum(1 / place for place in range(1, n + 1)) / n, rel=1e-12)


def test_infinite_scores_are_ranked_and_can_tie():
    score = np.array([-np.inf, 0.0, np.inf, -np.inf])
    ranked = ties.rank(np.zeros(4, int), score, queries=1)
    assert ranked.order[:2].tolist() == [2, 1]
    assert ranked.size.tolist() == [1, 1, 2, 2]


def test_queries_without_rows_get_zero():
    ranked = ties.rank(np.array([2, 0]), np.array([1.0, 1.0]), queries=4)
    relevant = np.array([True, True])
    positives = np.ones(4, int)
    for values in (
        ties.precision(ranked, relevant, cutoff=1),
        ties.reciprocal_rank(ranked, relevant, cutoff=None),
        ties.average_precision(ranked, relevant, positives=positives, cutoff=None),
        ties.dcg(ranked, relevant, cutoff=None),
    ):
        assert values.tolist() == [1, 0, 1, 0]


def test_no_rows_at_all():
    ranked = ties.rank(np.array([], int), np.array([]), queries=2)
    assert ties.reciprocal_rank(ranked, np.array([], bool), cutoff=None).tolist() == [0, 0]
    assert ties.uneven(ranked, np.array([], int)).tolist() == [False, False]


def test_the_examples_run():
    assert doctest.testmod(ties).failed == 0
