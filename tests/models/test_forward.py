"""The NumPy twins: each equals its Keras layer, ragged or padded, whole or in blocks."""

import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.models import forward
from ir_attention.models.attention import AdditiveAttention, AttentionPool, masked_softmax
from ir_attention.models.matcher import GatedProjection

MASK = np.array([[True] * 5, [True, False, True, False, False], [False] * 5])


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype("float32")


def weights_of(layer):
    return {weight.name: np.asarray(weight) for weight in layer.weights}


def close(pairs, tolerance):
    for one, other in pairs:
        np.testing.assert_allclose(one, other, atol=tolerance)


@pytest.mark.parametrize("name", forward.ACTIVATIONS)
def test_activations(name):
    x = np.linspace(-100, 100, 41, dtype="float32")
    expected = keras.activations.get(name)(keras.ops.convert_to_tensor(x))
    np.testing.assert_allclose(forward.ACTIVATIONS[name](x), expected, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    mask=st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=3, max_size=3),
    axis=st.sampled_from([0, 1, -1]),
)
def test_masked_softmax(mask, axis):
    logits, mask = 10 * normal(3, 5), np.array(mask)
    expected = masked_softmax(keras.ops.convert_to_tensor(logits), mask, axis)
    given = forward.masked_softmax(logits, mask, axis)
    np.testing.assert_allclose(given, expected, atol=1e-6)
    np.testing.assert_array_equal(given[~mask], 0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_masked_softmax_at_the_edges(dtype):
    huge = np.finfo(dtype).max
    logits = np.array([[huge, 0, 0], [1e4, -1e4, 0], [huge, huge, -huge], [9, 9, 9]], dtype)
    mask = np.array([[0, 1, 1], [1, 1, 1], [1, 1, 0], [0, 0, 0]], bool)
    expected = [[0, 0.5, 0.5], [1, 0, 0], [0.5, 0.5, 0], [0, 0, 0]]
    np.testing.assert_array_equal(forward.masked_softmax(logits, mask), expected)
    assert forward.masked_softmax(np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", ["tanh", "linear"])
def test_attention_pool(bias, activation):
    pool = AttentionPool(7, activation, use_bias=bias, return_weights=True)
    pool.build((None, 5, 2))
    pool.set_weights([normal(*weight.shape) for weight in pool.weights])
    x = normal(3, 5, 2)
    given = forward.attention_pool(x, weights_of(pool), MASK, activation)
    close(zip(given, pool(x, mask=MASK), strict=True), 1e-5)
    given = forward.attention_pool(x, weights_of(pool), activation=activation)
    close(zip(given, pool(x), strict=True), 1e-5)


def test_attention_pool_without_a_projection():
    pool = AttentionPool(projection=False, output_activation="tanh", return_weights=True)
    x = np.where(MASK[..., None], normal(3, 5, 2), np.float32(np.nan))
    expected = pool(x, mask=MASK)
    given = forward.attention_pool(x, weights_of(pool), MASK, output_activation="tanh")
    close(zip(given, expected, strict=True), 1e-6)


def test_attention_pool_of_four_axes():
    pool, x = AttentionPool(7, return_weights=True), normal(2, 3, 5, 11)
    mask = np.random.default_rng(1).random((2, 3, 5)) < 0.5
    expected = pool(x, mask=mask)
    close(zip(forward.attention_pool(x, weights_of(pool), mask), expected, strict=True), 1e-5)


def test_ragged_pooling_is_padded_pooling():
    pool, x, lengths = AttentionPool(7, return_weights=True), normal(3, 5, 2), np.array([5, 0, 2])
    mask = np.arange(5) < lengths[:, None]
    pooled, alpha = pool(x, mask=mask)
    weights = weights_of(pool)
    logits = forward.pool_logits(x[mask], weights["W"], weights["b"], weights["u"])
    ragged = forward.segment_softmax(logits, lengths)
    np.testing.assert_allclose(ragged, np.asarray(alpha)[mask], atol=1e-6)
    np.testing.assert_allclose(forward.segment_pool(x[mask], ragged, lengths), pooled, atol=1e-5)


def test_segments_without_rows():
    lengths, nothing = np.array([0, 0]), np.zeros((0, 3), "float32")
    assert forward.segment_softmax(nothing, lengths).shape == (0, 3)
    pooled = forward.segment_pool(nothing, np.zeros(0, "float32"), lengths)
    np.testing.assert_array_equal(pooled, np.zeros((2, 3)))


def test_segments_by_hand():
    logits = np.log(np.array([1, 3, 5, 2, 2, 4]))
    shares = forward.segment_softmax(logits, np.array([2, 0, 1, 3]))
    np.testing.assert_allclose(shares, [0.25, 0.75, 1, 0.25, 0.25, 0.5])
    values = np.array([[4.0], [8], [7], [4], [8], [2]])
    pooled = forward.segment_pool(values, shares, np.array([2, 0, 1, 3]))
    np.testing.assert_allclose(pooled, [[7], [0], [7], [4]])


@pytest.mark.parametrize("picked", [True, False])
def test_pooling_against_loops(picked):
    """Segments of several lengths, some twice, some empty, in any order."""
    lengths = np.array([3, 0, 1, 3, 7, 0, 1, 2])
    values, alpha = normal(5 if picked else 17, 11), normal(17)
    places = np.random.default_rng(0).integers(0, 5, 17) if picked else None
    rows = values if places is None else values[places]
    expected, at = np.zeros((8, 11)), 0
    for number, length in enumerate(lengths):
        for row in range(at, at + length):
            expected[number] += float(alpha[row]) * rows[row]
        at += length
    pooled = forward.segment_pool(values, alpha, lengths, places)
    np.testing.assert_allclose(pooled, expected, atol=1e-5)


@pytest.mark.parametrize("grid", [1, 35, 1 << 22])
@pytest.mark.parametrize("units", [None, 13])
def test_additive_attention(units, grid, monkeypatch):
    """In one block, in a few, and row by row."""
    monkeypatch.setattr(forward, "_GRID", grid)
    attend, query, value = AdditiveAttention(units), normal(3, 11, 7), normal(3, 5, 7)
    expected = attend(query, value, value_mask=MASK)
    given = forward.additive_attention(query, value, weights_of(attend), MASK)
    close(zip(given, expected, strict=True), 1e-5)
    np.testing.assert_allclose(given[1].sum(axis=2), [[1] * 11, [1] * 11, [0] * 11], atol=1e-6)


def test_additive_attention_by_the_letter():
    """The shapes of the first program: (b, 30, 1, 300) + (b, 1, 30, 300)."""
    query, value, v = normal(2, 30, 300), normal(2, 30, 300, seed=1), 0.1 * normal(300)
    s = np.tanh(query[:, :, None] + value[:, None])  # (b, 30, 30, 300)
    e = s @ v + 0.7  # a bias here cancels
    a = np.exp(e) / np.exp(e).sum(axis=2, keepdims=True)
    attended, alpha = forward.additive_attention(query, value, {"scale": v})
    np.testing.assert_allclose(alpha, a, atol=1e-5)
    np.testing.assert_allclose(attended, (a[..., None] * value[:, None]).sum(axis=2), atol=1e-5)
    np.testing.assert_allclose(alpha.sum(axis=2), 1, atol=1e-6)


def test_additive_attention_of_four_axes():
    attend, query, value = AdditiveAttention(13), normal(2, 3, 11, 7), normal(2, 3, 5, 7)
    mask = np.random.default_rng(1).random((2, 3, 5)) < 0.5
    expected = attend(query, value, value_mask=mask)
    given = forward.additive_attention(query, value, weights_of(attend), mask)
    close(zip(given, expected, strict=True), 1e-5)


def test_gated_projection():
    layer, x = GatedProjection(13), normal(3, 5, 7)
    layer.build(x.shape)
    layer.set_weights([normal(*weight.shape) for weight in layer.weights])
    np.testing.assert_allclose(forward.gated_projection(x, weights_of(layer)), layer(x), atol=1e-6)


def test_nothing_is_changed():
    x, weights = normal(3, 5, 7), {"scale": normal(7), "W": normal(7, 7), "u": normal(7)}
    copies = [one.copy() for one in (x, MASK, *weights.values())]
    forward.additive_attention(x, x, weights, MASK)
    forward.attention_pool(x, weights, MASK)
    for one, other in zip((x, MASK, *weights.values()), copies, strict=True):
        np.testing.assert_array_equal(one, other)


def test_extreme_numbers_give_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = np.array([[-1e30, 1e30, 0]], "float32")
        np.testing.assert_array_equal(forward.sigmoid(x), [[0, 1, 0.5]])
        forward.attention_pool(x[None], {"W": np.eye(3), "u": np.ones(3)}, MASK[2:, :1])


def test_no_keras_in_sight():
    script = (
        "import sys, ir_attention.models.forward\n"
        "print(*({'keras', 'tensorflow', 'jax', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
