"""The samplers: an epoch is an exact permutation, with the grouping in the batch."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.data.batches import SAMPLERS, Judged, listwise, pairwise, pointwise
from ir_attention.errors import DataError


def judged(rows):
    query, label = np.array(rows, np.int64).reshape(-1, 2).T
    return Judged(query, 100 + np.arange(len(rows)), label)


# Queries in no order; 7 and 2 are mixed, 5 has no relevant document and 3 only such.
ROWS = [(7, 1), (2, 0), (7, 0), (5, 0), (2, 2), (3, 1), (7, 1), (2, 0), (5, 0), (7, 0), (2, 0)]
PAIRS = judged(ROWS)

rows_of_pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=40)


def mixed(pairs):
    return {
        int(query)
        for query in np.unique(pairs.query)
        if 0 < (pairs.label[pairs.query == query] > 0).mean() < 1
    }


def epoch(sampler, pairs=PAIRS, seed=1, **more):
    return list(sampler(pairs, np.random.default_rng(seed), **more))


def groups(batches):
    """The rows of each group, as places in the pairs, and its query."""
    for batch in batches:
        for number, query in enumerate(batch.query):
            yield query, batch.document[batch.group == number] - 100


@settings(max_examples=50, deadline=None)
@given(rows=rows_of_pairs, seed=st.integers(0, 9))
def test_pointwise_visits_each_pair_once(rows, seed):
    pairs = judged(rows)
    if len(set(pairs.label)) < 2:
        return
    found = [int(row) for _, (row,) in groups(epoch(pointwise, pairs, seed, rows=7))]
    assert sorted(found) == list(range(len(rows)))


@settings(max_examples=50, deadline=None)
@given(rows=rows_of_pairs, seed=st.integers(0, 9), negatives=st.integers(1, 3))
def test_pairwise_visits_each_positive_once(rows, seed, negatives):
    pairs = judged(rows)
    wanted = [row for row, (q, label) in enumerate(rows) if label and q in mixed(pairs)]
    if not wanted:
        return
    first = []
    batches = epoch(pairwise, pairs, seed, queries=3, negatives=negatives)
    for query, (positive, *others) in groups(batches):
        first.append(positive)
        assert len(others) == negatives
        assert all(rows[other] == (query, 0) for other in others)
        enough = (pairs.label[pairs.query == query] == 0).sum() >= negatives
        assert not enough or len(set(others)) == negatives
        assert rows[positive][0] == query
    assert sorted(first) == wanted


@settings(max_examples=50, deadline=None)
@given(rows=rows_of_pairs, seed=st.integers(0, 9), candidates=st.integers(2, 6))
def test_listwise_visits_each_mixed_query_once(rows, seed, candidates):
    pairs = judged(rows)
    if not mixed(pairs):
        return
    seen = []
    for query, places in groups(
        epoch(listwise, pairs, seed, queries=3, candidates=candidates, positives=2)
    ):
        seen.append(query)
        labels = pairs.label[places]
        assert (pairs.query[places] == query).all()
        assert len(set(places)) == len(places) <= candidates
        assert 1 <= (labels > 0).sum() <= 2
        assert (labels == 0).any()
        # No place is left free while there is something to put there.
        of_query = pairs.label[pairs.query == query]
        good = min(2, candidates - 1, (of_query > 0).sum())
        assert len(places) == min(candidates, good + (of_query == 0).sum())
    assert sorted(seen) == sorted(mixed(pairs))


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_the_grouping_is_in_the_batch(sampler):
    for batch in epoch(sampler, **{"rows" if sampler is pointwise else "queries": 2}):
        assert len(batch.query) <= 2
        assert len(batch.document) == len(batch.label) == len(batch.group)
        np.testing.assert_array_equal(np.unique(batch.group), np.arange(len(batch.query)))
        assert (np.diff(batch.group) >= 0).all()
        rows = batch.document - 100
        np.testing.assert_array_equal(batch.label, PAIRS.label[rows])
        np.testing.assert_array_equal(batch.query[batch.group], PAIRS.query[rows])


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_the_seed_sets_the_epoch(sampler):
    def drawn(seed):
        return [batch.document.tolist() for batch in epoch(sampler, seed=seed)]

    assert drawn(3) == drawn(3)
    assert any(drawn(3) != drawn(seed) for seed in (4, 5, 6))


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_nothing_is_changed_or_seeded(sampler):
    parts = [PAIRS.query, PAIRS.document, PAIRS.label]
    copies = [part.copy() for part in parts]
    state = np.random.get_state()[1].copy()
    epoch(sampler)
    for one, other in zip(parts, copies, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_a_new_choice_each_epoch():
    pairs = judged([(0, 1), *[(0, 0)] * 9])
    rng = np.random.default_rng(1)
    drawn = {tuple(sorted(next(listwise(pairs, rng, candidates=3)).document)) for _ in range(20)}
    assert len(drawn) > 10


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
@pytest.mark.parametrize("rows", [[(0, 1), (1, 1)], [(0, 0), (1, 0)], []])
def test_one_kind_of_label_is_refused(sampler, rows):
    with pytest.raises(DataError, match=rf"nothing to learn.*{len(rows)} pairs"):
        sampler(judged(rows), np.random.default_rng(1))


@pytest.mark.parametrize("sampler", [listwise, pairwise])
def test_queries_of_one_kind_each_are_refused(sampler):
    with pytest.raises(DataError, match="no query has both .* 2 queries, 4 pairs, labels .0, 1."):
        sampler(judged([(0, 1), (0, 1), (1, 0), (1, 0)]), np.random.default_rng(1))


def test_queries_are_sorted_once():
    pairs = judged(ROWS)
    mixed = pairs.mixed
    epoch(pairwise, pairs), epoch(listwise, pairs)
    assert pairs.mixed is mixed
    # Of query 2 row 4 is relevant, of query 7 rows 0 and 6.
    assert mixed.rows.tolist() == [4, 1, 7, 10, 0, 6, 2, 9]
    assert (mixed.first.tolist(), mixed.good.tolist()) == ([0, 4], [1, 2])
    assert mixed.bad.tolist() == [3, 2]


@pytest.mark.parametrize("negatives", [1, 2, 3])
def test_negatives_are_drawn_evenly(negatives):
    """Each set of negatives as often as any other, in each order."""
    pairs = judged([(query, label) for query in range(100) for label in (1, 0, 0, 0, 0)])
    rng = np.random.default_rng(5)
    drawn = Counter()
    for _ in range(40):
        for _, places in groups(pairwise(pairs, rng, negatives=negatives)):
            drawn[tuple((places[1:] % 5).tolist())] += 1
    orders = math.perm(4, negatives)
    assert len(drawn) == orders
    # Five standard deviations of a binomial count.
    expected = 4000 / orders
    assert max(abs(count - expected) for count in drawn.values()) < 5 * math.sqrt(expected)


def test_candidates_are_drawn_evenly():
    labels = [1] * 3 + [0] * 5
    pairs = judged([(query, label) for query in range(100) for label in labels])
    rng = np.random.default_rng(5)
    drawn = Counter()
    for _ in range(40):
        for _, places in groups(listwise(pairs, rng, candidates=4, positives=2)):
            drawn.update((places % 8).tolist())
    for row, share in enumerate([2 / 3] * 3 + [2 / 5] * 5):
        assert abs(drawn[row] - 4000 * share) < 5 * math.sqrt(4000 * share * (1 - share))


def test_with_too_few_negatives_they_come_again():
    pairs = judged([(0, 1), (0, 0), (0, 0)])
    (batch,) = pairwise(pairs, np.random.default_rng(1), negatives=9)
    assert batch.label.tolist() == [1] + [0] * 9
    assert set(batch.document[1:]) == {101, 102}


def test_epochs_of_one_generator_differ():
    rng = np.random.default_rng(3)
    epochs = [[b.document.tolist() for b in pairwise(PAIRS, rng)] for _ in range(6)]
    assert any(epochs[0] != other for other in epochs[1:])


def test_a_label_below_0_is_neither():
    pairs = judged([(0, 1), (0, 0), (0, -1)])
    for sampler in (pairwise, listwise):
        assert {row for b in epoch(sampler, pairs) for row in b.document} == {100, 101}
