"""Additive attention over another sequence: against plain loops and Keras's own, at the edges."""

import keras
import numpy as np
import pytest
from by_hand import normal, softmax_by_hand, weights_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.models.attention import AdditiveAttention

# Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ops = keras.ops


def attend_by_hand(query, value, mask, weights):
    """Bahdanau et al. (2015), section A.1.2: every query step with every value step, in turn."""
    w, u = weights.get("query_kernel"), weights.get("value_kernel")
    attended = np.zeros((*query.shape[:2], value.shape[2]))
    alphas = np.zeros((*query.shape[:2], value.shape[1]))
    for b, i in np.ndindex(query.shape[:2]):
        left = query[b, i] if w is None else query[b, i] @ w
        right = value[b] if u is None else value[b] @ u
        logits = [weights["scale"][:, 0] @ np.tanh(left + one) for one in right]
        alphas[b, i] = softmax_by_hand(logits, mask[b])
        attended[b, i] = sum(a * one for a, one in zip(alphas[b, i], value[b], strict=True))
    return attended, alphas


@pytest.mark.parametrize("units", [None, 11])
@settings(max_examples=10, deadline=None)
@given(mask=st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=3, max_size=3))
def test_attending_by_hand(units, mask):
    query, value, mask = normal(3, 2, 7), normal(3, 5, 7), np.array(mask)
    attend = AdditiveAttention(units)
    attended, alpha = attend(query, value, value_mask=mask)
    expected, weights = attend_by_hand(query, value, mask, weights_of(attend))
    np.testing.assert_allclose(attended, expected, atol=1e-5)
    np.testing.assert_allclose(alpha, weights, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(alpha).transpose(0, 2, 1)[~mask], 0)
    np.testing.assert_allclose(np.asarray(alpha).sum(axis=2)[mask.any(axis=1)], 1, atol=1e-6)


def test_without_kernels_it_is_the_attention_of_keras():
    query, value = normal(3, 13, 7), normal(3, 5, 7)
    mask = np.array([[True] * 5, [True, True, False, False, False], [True] * 4 + [False]])
    ours, theirs = AdditiveAttention(), keras.layers.AdditiveAttention(use_scale=True)
    ours(query, value)
    theirs([query, value])
    theirs.set_weights([ours.scale[:, 0]])
    attended, alpha = theirs(
        [query, value], mask=[None, ops.convert_to_tensor(mask)], return_attention_scores=True
    )
    np.testing.assert_allclose(ours(query, value, value_mask=mask)[0], attended, atol=1e-5)
    np.testing.assert_allclose(ours(query, value, value_mask=mask)[1], alpha, atol=1e-5)


def test_heads_before_the_last_two_axes_are_a_batch():
    query, value = normal(3, 2, 4, 7), normal(3, 2, 5, 7)
    mask = np.random.default_rng(3).random((3, 2, 5)) < 0.6
    attend = AdditiveAttention(11)
    attended, alpha = attend(query, value, value_mask=mask)
    for one in range(2):
        single = attend(query[:, one], value[:, one], value_mask=mask[:, one])
        np.testing.assert_allclose(attended[:, one], single[0], atol=1e-6)
        np.testing.assert_allclose(alpha[:, one], single[1], atol=1e-6)


def test_what_scores_is_trained_and_saved(tmp_path):
    """A scoring layer made anew in each call would be neither."""
    query, value = keras.Input((2, 7)), keras.Input((5, 7))
    attend = AdditiveAttention(11)
    model = keras.Model([query, value], attend(query, value)[0])
    before = {name: weight.copy() for name, weight in weights_of(attend).items()}
    assert len(model.trainable_weights) == 3
    model.compile("sgd", "mse", run_eagerly=True)
    arrays = [normal(3, 2, 7), normal(3, 5, 7)]
    model.fit(arrays, normal(3, 2, 7, seed=1), verbose=0)
    after = weights_of(attend)
    assert all(np.abs(after[name] - before[name]).max() > 1e-6 for name in after)
    model.save(tmp_path / "attend.keras")
    loaded = keras.models.load_model(tmp_path / "attend.keras")
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(model(arrays), loaded(arrays))


def test_the_softmax_is_over_words():
    """Permuted words permute the weights; permuted features, with their kernel, leave them."""
    query, value, order = normal(3, 2, 7), normal(3, 5, 7), np.array([3, 0, 4, 1, 2])
    attend = AdditiveAttention(11)
    attended, alpha = attend(query, value)
    again, permuted = attend(query, value[:, order])
    np.testing.assert_allclose(permuted, np.asarray(alpha)[..., order], atol=1e-6)
    np.testing.assert_allclose(again, attended, atol=1e-6)
    plain = AdditiveAttention()
    attended, alpha = plain(query, value)
    features = np.random.default_rng(1).permutation(7)
    plain.scale.assign(np.asarray(plain.scale)[features])
    again, same = plain(query[..., features], value[..., features])
    np.testing.assert_allclose(same, alpha, atol=1e-6)
    np.testing.assert_allclose(again, np.asarray(attended)[..., features], atol=1e-6)
    assert np.asarray(alpha).shape == (3, 2, 5)


def test_initializer_of_attending():
    attend = AdditiveAttention(3, keras.initializers.Constant(0.5))
    attend(normal(3, 2, 7), normal(3, 5, 7))
    assert all((weight == 0.5).all() for weight in weights_of(attend).values())


def test_gradients_of_attending(check_gradients):
    attend = AdditiveAttention(3, dtype="float64")
    mask = np.array([[True] * 3, [True, False, True], [False] * 3])
    picks = normal(3, 2, 5, seed=3, dtype="float64"), normal(3, 2, 3, seed=4, dtype="float64")

    def output(query, value):
        attended, weights = attend(query, value, value_mask=mask)
        return ops.sum(attended * picks[0]) + ops.sum(weights * picks[1])

    check_gradients(output, normal(3, 2, 5), normal(3, 3, 5), layer=attend)
