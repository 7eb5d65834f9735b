"""Attention by each score: against formulas in float64, the twins in NumPy, and other layers."""

import doctest

import keras
import numpy as np
import pytest
from by_hand import normal, weights_of

from ir_attention.models import attention_twins, scored_attention
from ir_attention.models.attention import AdditiveAttention
from ir_attention.models.scored_attention import (
    SCORES,
    LastStateAttention,
    ScoredAttention,
    last_state,
)

# Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

UNITS = 13


def score_by_hand(name, q, k, w):
    """The score of one query with all values, `(width,)` and `(cols, width)`, in float64."""
    if name == "dot":
        return k @ q
    if name == "scaled_dot":
        return k @ q / np.sqrt(len(q))
    if name == "general":
        return (q @ w["kernel"]) @ k.T
    if name == "concat":
        both = np.concatenate([np.broadcast_to(q, (len(k), len(q))), k], axis=1)
        return np.tanh(both @ w["kernel"]) @ w["scale"][:, 0]
    if "query_kernel" in w:
        q, k = q @ w["query_kernel"], k @ w["value_kernel"]
    return np.tanh(q + k) @ w["scale"][:, 0]


def by_hand(name, query, value, mask, weights):
    """One query at a time over the real values alone: the attended and the weights."""
    weights = {key: one.astype("float64") for key, one in weights.items()}
    attended = np.zeros((*query.shape[:-1], value.shape[-1]))
    alphas = np.zeros((*query.shape[:-1], value.shape[-2]))
    for place in np.ndindex(query.shape[:-1]):
        kept = mask[place[0]]
        if kept.any():
            real = value[place[0]][kept].astype("float64")
            logits = score_by_hand(name, query[place].astype("float64"), real, weights)
            powers = np.exp(logits - logits.max())
            alphas[place][kept] = powers / powers.sum()
            attended[place] = powers @ real / powers.sum()
    return attended, alphas


def long_sequences():
    """Values `[32, 150, 256]` of all lengths, NaN and huge numbers behind them, two of none."""
    value, lengths = 0.3 * normal(32, 150, 256), np.linspace(0, 150, 32).astype(int)
    lengths[7] = 0
    mask = np.arange(150) < lengths[:, None]
    garbage = np.where(np.arange(150)[:, None] % 2, np.float32(np.nan), np.float32(1e30))
    return np.where(mask[..., None], value, garbage), mask


TABLE = [
    ("dot", None),
    ("scaled_dot", None),
    ("general", None),
    ("concat", UNITS),
    ("concat", None),
    ("additive", UNITS),
    ("additive", None),
]
every_score = pytest.mark.parametrize(("score", "units"), TABLE)
# Where a row of the table takes long, `units` of 256 add seconds and show nothing more.
each_score = pytest.mark.parametrize(
    ("score", "units"), [row for row in TABLE if row != ("concat", None)]
)


@each_score
def test_the_table(score, units):
    """The layer, its twin and the formula agree at the size of the first program of all."""
    value, mask = long_sequences()
    query = normal(32, 256)
    layer = ScoredAttention(score, units, return_weights=True)
    given = layer(query, value, value_mask=mask)
    twin = attention_twins.scored_attention(query, value, weights_of(layer), mask, score)
    expected = by_hand(score, query, value, mask, weights_of(layer))
    for one, other, exact in zip(given, twin, expected, strict=True):
        np.testing.assert_allclose(one, exact, atol=1e-5)
        np.testing.assert_allclose(other, exact, atol=1e-5)
    weights = np.asarray(given[1])
    np.testing.assert_array_equal(weights[~mask], 0)
    np.testing.assert_allclose(weights.sum(axis=1), mask.any(axis=1), atol=1e-5)


@every_score
def test_rows_of_queries(score, units):
    query, value = normal(3, 11, 7), normal(3, 5, 7)
    mask = np.array([[True] * 5, [True, False, True, False, False], [False] * 5])
    layer = ScoredAttention(score, units, return_weights=True)
    given = layer(query, value, value_mask=mask)
    twin = attention_twins.scored_attention(query, value, weights_of(layer), mask, score)
    expected = by_hand(score, query, value, mask, weights_of(layer))
    for one, other, exact in zip(given, twin, expected, strict=True):
        np.testing.assert_allclose(one, exact, atol=1e-5)
        np.testing.assert_allclose(other, exact, atol=1e-5)
    for row in range(11):
        single = layer(query[:, row], value, value_mask=mask)
        np.testing.assert_allclose(single[0], given[0][:, row], atol=1e-6)
        np.testing.assert_allclose(single[1], given[1][:, row], atol=1e-6)
    np.testing.assert_allclose(layer.attention(query, value, mask), given[1], atol=1e-6)


@pytest.mark.parametrize("score", ["general", "concat", "additive"])
def test_a_query_of_another_width(score):
    """With a kernel; and axes before the last two are a batch."""
    query, value = normal(2, 3, 11, seed=1), normal(2, 3, 5, 7)
    mask = np.random.default_rng(1).random((2, 3, 5)) < 0.6
    units = None if score == "general" else UNITS
    layer = ScoredAttention(score, units, return_weights=True)
    given = layer(query, value, value_mask=mask)
    twin = attention_twins.scored_attention(query, value, weights_of(layer), mask, score)
    for one, other, shape in zip(given, twin, [(2, 3, 7), (2, 3, 5)], strict=True):
        assert one.shape == other.shape == shape
        np.testing.assert_allclose(one, other, atol=1e-6)
    for number in range(3):
        alone = layer(query[:, number], value[:, number], value_mask=mask[:, number])
        np.testing.assert_allclose(alone[1], given[1][:, number], atol=1e-6)
    assert layer.compute_output_shape(query.shape, value.shape) == ((2, 3, 7), (2, 3, 5))


@pytest.mark.parametrize("units", [None, UNITS])
def test_additive_is_the_additive_attention(units):
    query, value = normal(3, 11, 7), normal(3, 5, 7)
    one, other = AdditiveAttention(units), ScoredAttention("additive", units, return_weights=True)
    expected = one(query, value)
    other(query, value)
    other.set_weights(one.get_weights())
    for given, exact in zip(other(query, value), expected, strict=True):
        np.testing.assert_array_equal(given, exact)


@pytest.mark.parametrize(("score", "scaled"), [("dot", False), ("scaled_dot", True)])
def test_dot_is_the_attention_of_keras(score, scaled):
    query, value = normal(3, 11, 7), normal(3, 5, 7)
    theirs = keras.layers.Attention(use_scale=False)
    expected = theirs([query / np.sqrt(np.float32(7)) if scaled else query, value])
    np.testing.assert_allclose(ScoredAttention(score)(query, value), expected, atol=1e-5)


@every_score
def test_weights_and_their_shapes(score, units):
    layer = ScoredAttention(score, units)
    layer.build((None, 7), (None, 5, 7))
    size = units or 7
    expected = {
        "general": {"kernel": (7, 7)},
        "concat": {"kernel": (14, size), "scale": (size, 1)},
        "additive": {"query_kernel": (7, size), "value_kernel": (7, size), "scale": (size, 1)},
    }.get(score, {})
    if score == "additive" and units is None:
        expected = {"scale": (7, 1)}
    assert {weight.name: tuple(weight.shape) for weight in layer.weights} == expected


def test_a_seed_draws_each_weight_by_itself():
    layer = ScoredAttention("additive", 7, initializer=keras.initializers.RandomNormal(seed=3))
    layer.build((None, 7), (None, 5, 7))
    assert not np.allclose(layer.query_kernel, layer.value_kernel)


@pytest.mark.parametrize("score", ["dot", "general"])
def test_half_precision_does_not_overflow(score):
    query = np.full((2, 7), 300, "float16")
    value = np.stack([np.full((2, 7), 300), np.full((2, 7), -300)], axis=1).astype("float16")
    layer = ScoredAttention(score, dtype="float16", initializer="ones", return_weights=True)
    np.testing.assert_array_equal(np.asarray(layer(query, value)[1]), [[1, 0], [1, 0]])


def test_the_mask_of_the_query_is_passed_on():
    words = np.array([[3, 1, 4], [1, 5, 0]])
    embedded = keras.layers.Embedding(10, 7, mask_zero=True)(words)
    output, weights = ScoredAttention(return_weights=True)(embedded, normal(2, 5, 7))
    for one in (output, weights):
        np.testing.assert_array_equal(one._keras_mask, words > 0)


@pytest.mark.parametrize(
    ("query", "value", "message"),
    [
        ((2, 7), (2, 5, 11), "as wide as the values. Received: query_shape=.2, 7."),
        ((7,), (2, 5, 7), "or one less. Received: query_shape=.7,."),
        ((2, 3, 5, 7), (2, 5, 7), "or one less. Received"),
    ],
)
def test_refuses_shapes_that_do_not_fit(query, value, message):
    with pytest.raises(ValueError, match=message):
        ScoredAttention("dot").build(query, value)


@pytest.mark.parametrize("layer", [ScoredAttention, LastStateAttention])
def test_refuses_other_scores(layer):
    with pytest.raises(ValueError, match="one of .*'scaled_dot'.* Received: score='cosine'"):
        layer("cosine")
    with pytest.raises(ValueError, match=r"Received: units=3, score='dot'"):
        layer("dot", 3)


def test_each_score_has_a_twin():
    assert list(SCORES) == list(attention_twins.SCORES) == sorted({score for score, _ in TABLE})


# --- LastStateAttention


@each_score
def test_the_last_state_attends(score, units):
    """`[32, 150, 256]` with `[32, 256, 1]`, then softmax, then the average."""
    value, mask = long_sequences()
    last = np.stack([x[m][-1] if m.any() else 0 * x[0] for x, m in zip(value, mask, strict=True)])
    np.testing.assert_array_equal(last_state(value, mask), last)
    layer = LastStateAttention(score, units, return_weights=True)
    given = layer(value, mask=mask)
    twin = attention_twins.last_state_attention(value, weights_of(layer), mask, score)
    expected = by_hand(score, last, value, mask, weights_of(layer))
    for one, other, exact in zip(given, twin, expected, strict=True):
        np.testing.assert_allclose(one, exact, atol=1e-5)
        np.testing.assert_allclose(other, exact, atol=1e-5)
    if score == "dot":
        real = np.where(mask[..., None], value, 0)
        logits = np.where(mask, (real @ last[..., None])[..., 0], -np.inf)[mask.any(axis=1)]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        alpha = powers / powers.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(np.asarray(given[1])[mask.any(axis=1)], alpha, atol=1e-5)


def test_the_last_real_step_wherever_padding_stands():
    x = normal(3, 4, 5, 7)
    mask = np.random.default_rng(2).random((3, 4, 5)) < 0.4
    mask[0, 0], mask[1, 1] = False, [True] + [False] * 4
    for function in (last_state, attention_twins.last_state):
        given = np.asarray(function(x, mask))
        for place in np.ndindex(3, 4):
            steps = np.flatnonzero(mask[place])
            expected = x[place][steps[-1]] if len(steps) else np.zeros(7)
            np.testing.assert_array_equal(given[place], expected)
        np.testing.assert_array_equal(function(x), x[..., -1, :])


def test_steps_of_any_number():
    inputs = keras.Input((None, 7))
    masked = keras.layers.Masking()(inputs)
    model = keras.Model(inputs, LastStateAttention()(masked))
    x = normal(3, 5, 7)
    x[1, 2:] = 0
    expected = LastStateAttention()(x[1:2, :2])
    np.testing.assert_allclose(model(x)[1:2], expected, atol=1e-6)


def test_examples():
    assert doctest.testmod(scored_attention).failed == 0
    assert doctest.testmod(scored_attention).attempted > 0
