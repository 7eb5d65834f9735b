"""The losses: hand-worked numbers, MatchZoo's formula, and what must not matter."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.models.losses import LOSSES, ListwiseSoftmax, PairwiseHinge

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)

# label, query; score
ROWS = np.array([[1, 0], [0, 0], [0, 0], [0, 1], [2, 1], [1, 1]], "float32")
SCORES = np.array([0.3, 0.1, 1.0, 0.5, 0.2, 0.9], "float32")


def value(loss, rows, scores):
    return float(loss(np.asarray(rows, "float32"), np.asarray(scores, "float32")))


def softmax_by_hand(rows, scores):
    losses = []
    for query in np.unique(rows[:, 1][rows[:, 1] >= 0]):
        own = rows[:, 1] == query
        labels, of_query = rows[own, 0], scores[own]
        if labels.any():
            log_shares = of_query - np.log(np.exp(of_query).sum())
            losses.append(-(labels / labels.sum() * log_shares).sum())
    return np.mean(losses) if losses else 0


def hinge_by_hand(rows, scores, margin=1.0):
    losses = []
    for query in np.unique(rows[:, 1][rows[:, 1] >= 0]):
        own = np.flatnonzero(rows[:, 1] == query)
        pairs = [(i, j) for i in own for j in own if rows[i, 0] > rows[j, 0]]
        if pairs:
            losses.append(np.mean([max(0, margin - scores[i] + scores[j]) for i, j in pairs]))
    return np.mean(losses) if losses else 0


BY_HAND = {ListwiseSoftmax: softmax_by_hand, PairwiseHinge: hinge_by_hand}


def test_softmax_of_two_equal_scores():
    # Two candidates with one score: the relevant one has half the softmax.
    assert value(ListwiseSoftmax(1), [[1, 0], [0, 0]], [5, 5]) == pytest.approx(np.log(2))
    # Twice the label, twice the share of the target: log 2 again, as all log shares are equal.
    assert value(ListwiseSoftmax(1), [[2, 0], [1, 0]], [5, 5]) == pytest.approx(np.log(2))


def test_softmax_in_numbers():
    # Shares 3/4 and 1/4 in the first query; 1/2 each, both relevant, in the second.
    rows, scores = [[1, 0], [0, 0], [1, 1], [1, 1]], [np.log(3), 0, 7, 7]
    expected = (np.log(4 / 3) + np.log(2)) / 2
    assert value(ListwiseSoftmax(2), rows, scores) == pytest.approx(expected)


def test_hinge_in_numbers():
    # As MatchZoo's RankHingeLoss(num_neg=1): max(0, 1 - 0.3 + 0.1).
    assert value(PairwiseHinge(1), [[1, 0], [0, 0]], [0.3, 0.1]) == pytest.approx(0.8)
    assert value(PairwiseHinge(1, margin=0.1), [[1, 0], [0, 0]], [0.3, 0.1]) == 0
    # Labels 2, 1, 0 make three pairs: 2 over 1 costs 1.7, 2 over 0 costs 1.3, 1 over 0 costs 0.6.
    rows, scores = [[0, 0], [2, 0], [1, 0]], [0.5, 0.2, 0.9]
    assert value(PairwiseHinge(1), rows, scores) == pytest.approx((1.7 + 1.3 + 0.6) / 3)


def test_one_positive_and_one_negative_each_is_the_loss_of_matchzoo():
    """Its rows alternate, positive first: mean of max(0, margin - positive + negative)."""
    scores = np.random.default_rng(1).normal(size=14).astype("float32")
    rows = np.stack([np.tile([1, 0], 7), np.repeat(np.arange(7), 2)], axis=1)
    expected = np.maximum(0, 1 - scores[0::2] + scores[1::2]).mean()
    assert value(PairwiseHinge(7), rows, scores) == pytest.approx(expected)


@every_loss
@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.integers(-1, 3), st.floats(-20, 20, width=32)),
        min_size=1,
        max_size=11,
    )
)
def test_by_hand(loss, rows):
    rows = np.array(rows)
    expected = BY_HAND[loss](rows[:, :2], rows[:, 2])
    assert value(loss(4), rows[:, :2], rows[:, 2]) == pytest.approx(expected, abs=1e-4)


@every_loss
def test_order_padding_and_more_groups_do_not_matter(loss):
    expected = value(loss(2), ROWS, SCORES)
    order = np.random.default_rng(1).permutation(len(ROWS))
    assert value(loss(2), ROWS[order], SCORES[order]) == pytest.approx(expected)
    padded, scores = [*ROWS, [0, -1], [5, -1]], [*SCORES, 1e30, -1e30]
    assert value(loss(7), padded, scores) == pytest.approx(expected)
    assert value(loss(2), ROWS, SCORES[:, None]) == pytest.approx(expected)


@every_loss
def test_a_query_without_relevant_documents_teaches_nothing(loss):
    more, scores = [*ROWS, [0, 2], [0, 2]], [*SCORES, 3, -3]
    assert value(loss(3), more, scores) == pytest.approx(value(loss(3), ROWS, SCORES))
    assert value(loss(3), [[0, 0], [0, 0], [0, -1]], [3, -3, 1]) == 0


@every_loss
def test_a_common_shift_of_the_scores_does_not_matter(loss):
    assert value(loss(2), ROWS, SCORES + 4) == pytest.approx(value(loss(2), ROWS, SCORES))


@every_loss
def test_huge_scores_are_finite(loss):
    assert np.isfinite(value(loss(2), ROWS, SCORES * 1e4))


@every_loss
def test_gradients(loss, check_gradients):
    made, rows = loss(3, dtype="float64"), np.array([*ROWS, [0, 2], [1, -1]], "float64")
    check_gradients(lambda scores: made(rows, scores), np.array([*SCORES, 0.4, 0.6]))


@every_loss
def test_no_gradient_is_nan(loss):
    tf = pytest.importorskip("tensorflow")
    scores = tf.constant([3e4, -3e4, 1e30, 0.0])
    for rows in ([[0, 0], [0, 1], [1, -1], [0, -1]], [[1, 0], [0, 0], [1, -1], [0, -1]]):
        with tf.GradientTape() as tape:
            tape.watch(scores)
            result = loss(2)(np.array(rows, "float32"), scores)
        assert np.isfinite(tape.gradient(result, scores)).all()


@every_loss
def test_survives_saving(loss):
    made = loss(5, margin=0.5) if loss is PairwiseHinge else loss(5)
    again = keras.losses.deserialize(keras.losses.serialize(made))
    assert again.get_config() == made.get_config()
    assert value(again, ROWS, SCORES) == value(made, ROWS, SCORES)
