"""Pooling: against plain loops and the twins in NumPy; hops apart, and two queries of one text."""

import keras
import numpy as np
import pytest
from by_hand import normal, weights_of

from ir_attention.models import attention_twins, forward
from ir_attention.models.han import HierarchicalEncoder
from ir_attention.models.pooling import (
    RAGGED,
    ConditionedPool,
    MaxPool,
    MeanPool,
    MultiHopPool,
    overlap,
)
from ir_attention.models.ragged import padded_rows

# Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MASK = np.array([[True] * 5, [True, False, True, False, False], [False] * 5])


def spoilt(x, mask=MASK):
    return np.where(mask[..., None], x, np.float32(np.nan))


def equal(given, twin, expected, tolerance=1e-5):
    for one, other, exact in zip(given, twin, expected, strict=True):
        np.testing.assert_allclose(one, exact, atol=tolerance)
        np.testing.assert_allclose(other, exact, atol=tolerance)


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


# --- the mean and the largest


def mean_by_hand(steps):
    return steps.mean(axis=0), np.full(len(steps), 1 / len(steps))


def max_by_hand(steps):
    shares = np.zeros(len(steps))
    for feature in steps.T:
        at_top = feature == feature.max()
        shares += at_top / at_top.sum() / steps.shape[1]
    return steps.max(axis=0), shares


PLAIN = [
    (MeanPool, attention_twins.mean_pool, mean_by_hand),
    (MaxPool, attention_twins.max_pool, max_by_hand),
]
both_plain = pytest.mark.parametrize(("layer", "twin", "by_hand"), PLAIN)


@both_plain
def test_without_learnt_weights(layer, twin, by_hand):
    # Rounded, so that steps tie.
    x = spoilt(np.round(normal(3, 5, 7)))
    pooled, alphas = np.zeros((3, 7)), np.zeros((3, 5))
    for number, kept in enumerate(MASK[:2]):
        pooled[number], alphas[number, kept] = by_hand(x[number, kept])
    pool = layer(return_weights=True)
    equal(pool(x, mask=MASK), twin(x, MASK), (pooled, alphas))
    np.testing.assert_array_equal(layer()(x, mask=MASK), pool(x, mask=MASK)[0])
    np.testing.assert_array_equal(pool.attention(x, MASK), pool(x, mask=MASK)[1])
    assert not pool.weights


@both_plain
def test_without_a_mask_and_of_four_axes(layer, twin, by_hand):
    x, pool = normal(2, 3, 5, 7), layer(return_weights=True)
    flat = [by_hand(one) for one in x.reshape(6, 5, 7)]
    expected = [np.reshape(one, (2, 3, -1)) for one in zip(*flat, strict=True)]
    equal(pool(x), twin(x), expected)
    assert pool.compute_output_shape(x.shape) == ((2, 3, 7), (2, 3, 5))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_largest_may_be_very_small(dtype):
    x = np.full((1, 3, 2), np.finfo(dtype).min, dtype)
    np.testing.assert_array_equal(MaxPool(dtype=dtype)(x, mask=MASK[:1, :3]), x[:, 0])


@pytest.mark.parametrize("name", RAGGED)
def test_ragged_pooling(name):
    """Sequences of several lengths, some empty, with padding behind; and with no words."""
    by_hand = {"mean": mean_by_hand, "max": max_by_hand}[name]
    lengths = np.array([3, 0, 1, 7, 0, 2], "int32")
    words = np.round(normal(17, 11))
    words[13:] = 0
    vectors, shares = np.zeros((6, 11)), np.zeros(17)
    for number, (start, length) in enumerate(
        zip(np.cumsum(lengths) - lengths, lengths, strict=True)
    ):
        if length:
            part = slice(start, start + length)
            vectors[number], shares[part] = by_hand(words[part])
    given = RAGGED[name](keras.ops.convert_to_tensor(words), keras.ops.convert_to_tensor(lengths))
    for one, exact in zip(given, (vectors, shares), strict=True):
        np.testing.assert_allclose(one, exact, atol=1e-6)
    twin = forward.SEGMENT_POOLS[name](words[:13], lengths)
    for one, exact in zip(twin, (vectors, shares[:13]), strict=True):
        np.testing.assert_allclose(one, exact, atol=1e-6)
        assert one.dtype == np.float32
    nothing = forward.SEGMENT_POOLS[name](words[:0], 0 * lengths)
    np.testing.assert_array_equal(nothing[0], np.zeros((6, 11)))
    assert nothing[1].shape == (0,)


# --- several hops


def made_hops(**more):
    pool = MultiHopPool(2, 11, return_weights=True, **more)
    pool.build((None, 5, 7))
    return pool


def test_each_hop_has_its_weighting():
    """Lin et al. (2017), equations 6 and 7, `H` `(steps, width)` of one sentence at a time."""
    x, pool = spoilt(normal(3, 5, 7)), made_hops()
    w = weights_of(pool)
    assert {name: one.shape for name, one in w.items()} == {"W1": (7, 11), "W2": (11, 2)}
    pooled, alphas = np.zeros((3, 2, 7)), np.zeros((3, 2, 5))
    for number, kept in enumerate(MASK[:2]):
        H = x[number, kept]
        A = np.array([softmax(row) for row in w["W2"].T @ np.tanh(w["W1"].T @ H.T)])
        alphas[number][:, kept], pooled[number] = A, A @ H
    equal(pool(x, mask=MASK), attention_twins.multi_hop_pool(x, w, MASK), (pooled, alphas))
    np.testing.assert_array_equal(pool.attention(x, MASK), pool(x, mask=MASK)[1])


def test_one_hop_without_bias_is_attention_pooling():
    x, hop = normal(3, 5, 7), MultiHopPool(1, 11)
    pooled = np.asarray(hop(x, mask=MASK))[:, 0]
    weights = {"W": np.asarray(hop.W1), "u": np.asarray(hop.W2)}
    expected = forward.attention_pool(x, weights, MASK)[0]
    np.testing.assert_allclose(pooled, expected, atol=1e-6)


def test_overlap():
    same, apart = np.eye(3, 5)[[1, 1, 1]], np.eye(3, 5)
    both = np.stack([same, apart, np.full((3, 5), 0.2)]).astype("float32")
    # A A' - I of the last: 1/5 - 1 on the diagonal, 1/5 beside it.
    expected = [6, 0, 3 * 0.64 + 6 * 0.04]
    np.testing.assert_allclose(overlap(both), expected, atol=1e-6)
    np.testing.assert_allclose(attention_twins.overlap(both), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_penalty(dtype):
    """The mean over the sequences with a step: one of padding alone adds none."""
    x, pool = normal(3, 5, 7), made_hops(penalty=0.3, dtype=dtype)
    alphas = np.asarray(pool(x, mask=MASK)[1]).astype("float32")
    (loss,) = pool.losses
    each = [((one @ one.T - np.eye(2)) ** 2).sum() for one in alphas[:2]]
    np.testing.assert_allclose(loss, 0.3 * np.mean(each), rtol=1e-5)
    pool(x, mask=np.zeros_like(MASK))
    assert float(pool.losses[0]) == 0
    pool(x)
    alphas = np.asarray(pool.attention(x)).astype("float32")
    expected = 0.3 * attention_twins.overlap(alphas).mean()
    np.testing.assert_allclose(pool.losses[0], expected, rtol=5e-3 if dtype == "float16" else 1e-5)
    plain = made_hops()
    plain(x)
    assert not plain.losses


@pytest.mark.slow
def test_the_penalty_keeps_hops_apart():
    """A toy: what is asked for stands at the one step of each row whose first feature is high."""
    rng = np.random.default_rng(5)
    x, place = rng.normal(size=(64, 5, 3)).astype("float32"), rng.integers(0, 5, 64)
    x[:, :, 0] = 3.0 * (np.arange(5) == place[:, None])
    target, found = x[np.arange(64), place, 1], {}
    for penalty in (0.0, 1.0):
        initializer = keras.initializers.GlorotUniform(seed=3)
        pool = MultiHopPool(2, 7, penalty=penalty, initializer=initializer)
        output = keras.layers.Dense(1, kernel_initializer=initializer)
        model = keras.Sequential([keras.Input((5, 3)), pool, keras.layers.Flatten(), output])
        model.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=False)
        # All of it 150 times, as one epoch: that is quicker.
        steps = np.tile(x, (150, 1, 1)), np.tile(target, 150)
        model.fit(*steps, batch_size=64, shuffle=False, verbose=0)
        alphas = np.asarray(pool.attention(x))
        found[penalty] = (
            attention_twins.overlap(alphas).mean(),
            (alphas[:, 0] * alphas[:, 1]).sum(axis=1).mean(),
            np.mean((np.asarray(model(x))[:, 0] - target) ** 2) / target.var(),
        )
    assert found[1.0][0] < 0.5 * found[0.0][0]
    assert found[1.0][1] < 0.5 * found[0.0][1]
    assert found[1.0][2] < 0.1  # and what was asked for is still learnt


@pytest.mark.parametrize("penalty", [-1, np.nan, np.inf])
def test_refuses_other_penalties(penalty):
    with pytest.raises(ValueError, match="0 or more, and finite. Received: penalty="):
        MultiHopPool(3, penalty=penalty)


# --- the query's say


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_in_the_light_of_a_query(activation, use_bias):
    x, query = spoilt(normal(3, 5, 7)), normal(3, 11)
    pool = ConditionedPool(13, activation, use_bias=use_bias, return_weights=True)
    pool.build(x.shape, query.shape)
    pool.set_weights([normal(*weight.shape, seed=1) for weight in pool.weights])
    w = weights_of(pool)
    assert set(w) == ({"W", "V", "u", "b"} if use_bias else {"W", "V", "u"})
    f = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}[activation]
    pooled, alphas = np.zeros((3, 7)), np.zeros((3, 5))
    for number, kept in enumerate(MASK[:2]):
        real = x[number, kept]
        beside = np.concatenate([real, np.tile(query[number], (len(real), 1))], axis=1)
        hidden = f(beside @ np.concatenate([w["W"], w["V"]]) + w.get("b", 0))
        alphas[number, kept] = softmax(hidden @ w["u"][:, 0])
        pooled[number] = alphas[number, kept] @ real
    twin = attention_twins.conditioned_pool(x, query, w, MASK, activation)
    equal(pool(x, query, inputs_mask=MASK), twin, (pooled, alphas))
    np.testing.assert_array_equal(
        pool.attention(x, query, MASK), pool(x, query, inputs_mask=MASK)[1]
    )


def test_two_queries_of_one_document():
    """Two weightings; with the form that is printed in the paper it would be one and the same."""
    document, queries = np.repeat(normal(1, 5, 7), 2, axis=0), 2 * normal(2, 11)
    initializer = keras.initializers.GlorotUniform(seed=3)
    pool = ConditionedPool(13, initializer=initializer, return_weights=True)
    vectors, (one, other) = pool(document, queries)
    assert np.abs(one - other).max() > 0.05
    assert np.abs(vectors[0] - vectors[1]).max() > 0.05
    w = weights_of(pool)
    side_by_side = [
        softmax(np.tanh(document[0] @ w["W"]) @ w["u"][:, 0] + np.tanh(query @ w["V"]) @ w["u"])
        for query in queries
    ]
    np.testing.assert_allclose(*side_by_side, atol=1e-6)


def test_a_query_of_all_sentences():
    """`(batch, width)` with `(batch, sents, words, width)`."""
    x, query, mask = normal(2, 3, 5, 7), normal(2, 11), normal(2, 3, 5, seed=1) > -0.5
    mask[0, 1] = False
    pool = ConditionedPool(13, return_weights=True)
    pooled, alphas = pool(x, query, inputs_mask=mask)
    twin = attention_twins.conditioned_pool(x, query, weights_of(pool), mask)
    for sentence in range(3):
        alone = pool(x[:, sentence], query, inputs_mask=mask[:, sentence])
        here = pooled[:, sentence], alphas[:, sentence]
        equal(here, [one[:, sentence] for one in twin], alone, 1e-6)


def test_two_queries_weigh_the_sentences_of_a_hierarchy():
    """Words to sentences by the encoder, sentences to a document in the light of a query."""
    words, lengths, counts = normal(17, 3), np.array([4, 2, 5, 1, 0, 5]), np.array([4, 2])
    encoder = HierarchicalEncoder(5, 7, levels=1, seed=3)
    sentences = encoder(words, lengths, np.ones(6, "int32"))
    padded = padded_rows(sentences, keras.ops.convert_to_tensor(counts, "int32"), steps=4)
    real = padded_rows(
        keras.ops.convert_to_tensor((lengths > 0).astype("int32")),
        keras.ops.convert_to_tensor(counts, "int32"),
        steps=4,
    )
    mask = np.asarray(real) > 0
    initializer = keras.initializers.RandomNormal(stddev=1.0, seed=3)
    pool = ConditionedPool(13, initializer=initializer, return_weights=True)
    beta = [np.asarray(pool(padded, normal(2, 11, seed=s), inputs_mask=mask)[1]) for s in (1, 2)]
    for one in beta:
        np.testing.assert_array_equal(one > 0, [[True] * 4, [False, True, False, False]])
        np.testing.assert_allclose(one.sum(axis=1), 1, atol=1e-6)
    assert np.abs(beta[0][0] - beta[1][0]).max() > 0.01


def test_a_query_is_one_vector():
    with pytest.raises(ValueError, match=r"fewer axes.* Received: inputs_shape=\(3, 5, 7\), query"):
        ConditionedPool().build((3, 5, 7), (3, 5, 7))


# --- gradients


def test_gradients(check_gradients):
    x, query, mask, pick = normal(3, 3, 2), normal(3, 2), MASK[:, :3], normal(3, 2, seed=1)
    largest = MaxPool(dtype="float64")
    check_gradients(lambda x: keras.ops.sum(largest(x, mask=mask) * pick), x)
    conditioned = ConditionedPool(3, dtype="float64")
    check_gradients(
        lambda x, q: keras.ops.sum(conditioned(x, q, inputs_mask=mask) * pick),
        *(x, query),
        layer=conditioned,
    )
    hops = MultiHopPool(2, 3, penalty=0.5, dtype="float64")
    check_gradients(
        lambda x: keras.ops.sum(hops(x, mask=mask) * pick[:, None]) + hops.losses[0], x, layer=hops
    )


@pytest.mark.parametrize("value", [1e30, np.nan])
def test_no_gradient_is_nan_where_all_is_masked(value):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken with TensorFlow")
    import tensorflow as tf

    x, query = tf.constant(np.full((2, 5, 7), value, "float32")), tf.constant(normal(2, 3))
    mask, hops, conditioned = np.zeros((2, 5), bool), MultiHopPool(3, penalty=1), ConditionedPool()
    with tf.GradientTape() as tape:
        tape.watch(x)
        pools = [MeanPool()(x, mask=mask), MaxPool()(x, mask=mask), hops(x, mask=mask)]
        pools.append(conditioned(x, query, inputs_mask=mask))
        result = sum(map(tf.reduce_sum, pools)) + hops.losses[0]
    variables = [weight.value for layer in (hops, conditioned) for weight in layer.weights]
    for gradient in tape.gradient(result, [x, *variables]):
        np.testing.assert_array_equal(gradient, 0)
