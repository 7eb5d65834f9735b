"""The BiGRU: packed, padded, Keras's own and the NumPy twin give the same."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.models import forward
from ir_attention.models.recurrent import BiGRU

pytestmark = [
    # Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only there is it packed"),
]

STEPS, WIDTH, UNITS = 5, 3, 2
LENGTHS = np.array([2, 5, 0, 1, 5, 3], "int32")


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype("float32")


def made(dtype="float32"):
    """A BiGRU whose biases are not all 0."""
    gru = BiGRU(UNITS, dtype=dtype)
    gru.build((None, STEPS, WIDTH))
    gru.set_weights([normal(*weight.shape, seed=n) for n, weight in enumerate(gru.weights)])
    return gru


def of_keras(gru):
    theirs = keras.layers.Bidirectional(keras.layers.GRU(UNITS, return_sequences=True))
    theirs.build((None, STEPS, WIDTH))
    theirs.set_weights(gru.get_weights())
    return theirs


lengths_of_rows = st.lists(st.integers(0, STEPS), min_size=1, max_size=7)


@settings(max_examples=8, deadline=None)
@given(lengths=lengths_of_rows)
def test_packed_is_padded(lengths):
    gru, x, lengths = made(), normal(len(lengths), STEPS, WIDTH), np.array(lengths, "int32")
    packed, padded = gru._packed(x, lengths), gru._padded(x, lengths)
    np.testing.assert_allclose(packed, padded, atol=1e-6)
    beyond = np.arange(STEPS) >= lengths[:, None]
    np.testing.assert_array_equal(np.asarray(packed)[beyond], 0)
    np.testing.assert_array_equal(np.asarray(padded)[beyond], 0)


def test_it_is_the_gru_of_keras():
    gru, x = made(), normal(6, STEPS, WIDTH)
    mask = np.arange(STEPS) < LENGTHS[:, None]
    expected = np.where(
        mask[..., None], of_keras(gru)(x, mask=keras.ops.convert_to_tensor(mask)), 0
    )
    np.testing.assert_allclose(gru._packed(x, LENGTHS), expected, atol=1e-6)
    np.testing.assert_allclose(gru._padded(x, LENGTHS), expected, atol=1e-6)


def test_gradients_agree():
    import tensorflow as tf

    gru, x, pick = made(), normal(6, STEPS, WIDTH), normal(6, STEPS, 2 * UNITS, seed=1)
    mask = np.arange(STEPS) < LENGTHS[:, None]
    pick = np.where(mask[..., None], pick, 0)
    theirs = of_keras(gru)
    ways = {
        "packed": (gru, lambda x: gru._packed(x, LENGTHS)),
        "padded": (gru, lambda x: gru._padded(x, LENGTHS)),
        "keras": (theirs, lambda x: theirs(x, mask=tf.constant(mask))),
    }
    found = {}
    for name, (layer, call) in ways.items():
        weights = [weight.value for weight in layer.weights]
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            result = tf.reduce_sum(call(inputs) * pick)
        found[name] = tape.gradient(result, [inputs, *weights])
    for name in ("padded", "keras"):
        for one, other in zip(found["packed"], found[name], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(found["packed"][0])[~mask], 0)


def test_gradients_by_differences(check_gradients):
    gru, x, lengths = made("float64"), normal(3, 2, WIDTH), np.array([1, 0, 2], "int32")
    pick = normal(3, 2, 2 * UNITS).astype("float64")
    check_gradients(lambda x: keras.ops.sum(gru._packed(x, lengths) * pick), x)


@pytest.mark.parametrize("way", ["_packed", "_padded"])
def test_nothing_in_the_padding_reaches_a_gradient(way):
    import tensorflow as tf

    gru, x = made(), normal(6, STEPS, WIDTH)
    mask = np.arange(STEPS) < LENGTHS[:, None]
    x[~mask] = np.nan
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = tf.reduce_sum(getattr(gru, way)(inputs, LENGTHS))
    for gradient in tape.gradient(result, [inputs, *(w.value for w in gru.weights)]):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("way", ["_packed", "_padded"])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_rows_without_steps(way, rows):
    given = getattr(made(), way)(normal(rows, STEPS, WIDTH), np.zeros(rows, "int32"))
    assert given.shape == (rows, STEPS, 2 * UNITS)
    np.testing.assert_array_equal(given, 0)


def test_in_a_graph_of_unknown_sizes():
    import tensorflow as tf

    gru = made()
    call = tf.function(
        gru._packed,
        input_signature=[
            tf.TensorSpec((None, STEPS, WIDTH), "float32"),
            tf.TensorSpec((None,), "int32"),
        ],
    )
    for rows in (1, 6):
        x = normal(rows, STEPS, WIDTH)
        np.testing.assert_allclose(
            call(x, LENGTHS[:rows]), gru._padded(x, LENGTHS[:rows]), atol=1e-6
        )


@settings(max_examples=8, deadline=None)
@given(lengths=lengths_of_rows)
def test_the_twin_is_ragged(lengths):
    gru, x, lengths = made(), normal(len(lengths), STEPS, WIDTH), np.array(lengths, "int32")
    mask = np.arange(STEPS) < lengths[:, None]
    weights = {weight.name: np.asarray(weight) for weight in gru.weights}
    expected = np.asarray(gru(x, lengths))[mask]
    given = forward.bidirectional_gru(x[mask], lengths, weights)
    np.testing.assert_allclose(given, expected, atol=1e-5)
    one_way = {name.removeprefix("backward_"): weight for name, weight in weights.items()}
    given = forward.gru(x[mask], lengths, one_way, reverse=True)
    np.testing.assert_allclose(given, expected[:, UNITS:], atol=1e-5)


def test_the_seed_sets_the_weights():
    for one, other, same in ((3, 3, True), (3, 4, False), (None, None, False)):
        pair = [BiGRU(UNITS, seed) for seed in (one, other)]
        for gru in pair:
            gru.build((None, STEPS, WIDTH))
        kernels = [np.asarray(gru.forward_kernel) for gru in pair]
        assert np.array_equal(*kernels) == same
    assert not np.allclose(pair[0].forward_kernel, pair[0].backward_kernel)
    recurrent = np.asarray(pair[0].forward_recurrent_kernel)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(UNITS), atol=1e-5)  # orthogonal
