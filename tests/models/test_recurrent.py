"""The BiGRU: packed, padded, Keras's own and the NumPy twin give the same."""

from functools import cache

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.models import packed, packed_back, slots
from ir_attention.models.attention import AttentionPool
from ir_attention.models.recurrent import BiGRU, attended

pytestmark = [
    # Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only there is it packed"),
]

STEPS, WIDTH, UNITS = 5, 3, 2
LENGTHS = np.array([2, 5, 0, 1, 5, 3], "int32")


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype("float32")


@cache
def made(dtype="float32", **more):
    """A BiGRU whose biases are not all 0: the tests share it, and none changes it."""
    gru = BiGRU(UNITS, dtype=dtype, **more)
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
    x, lengths = normal(len(lengths), STEPS, WIDTH), np.array(lengths, "int32")
    packed, padded = made(packed=True)(x, lengths), made(packed=False)(x, lengths)
    np.testing.assert_allclose(packed, padded, atol=1e-6)
    beyond = np.arange(STEPS) >= lengths[:, None]
    np.testing.assert_array_equal(np.asarray(packed)[beyond], 0)
    np.testing.assert_array_equal(np.asarray(padded)[beyond], 0)


both_ways = pytest.mark.parametrize("packed", [True, False])


@both_ways
def test_it_is_the_gru_of_keras(packed):
    gru, x = made(packed=packed), normal(6, STEPS, WIDTH)
    mask = np.arange(STEPS) < LENGTHS[:, None]
    expected = np.where(
        mask[..., None], of_keras(gru)(x, mask=keras.ops.convert_to_tensor(mask)), 0
    )
    np.testing.assert_allclose(gru(x, LENGTHS), expected, atol=1e-6)
    np.testing.assert_allclose(gru(x[mask], LENGTHS), expected[mask], atol=1e-6)


@both_ways
def test_words_are_rows_of_a_table_with_padding_behind(packed):
    gru, table = made(packed=packed), normal(7, WIDTH)
    lengths = LENGTHS[:4]  # 2, 5, 0, 1
    places = np.array([6, 0, 3, 3, 1, 6, 6, 2, 4, 4], "int32")  # the last two are padding
    given = np.asarray(gru(table, lengths, places, steps=6))
    np.testing.assert_allclose(given[:8], gru(table[places[:8]], lengths), atol=1e-6)
    np.testing.assert_array_equal(given[8:], 0)


def test_gradients_agree():
    import tensorflow as tf

    x, pick = normal(6, STEPS, WIDTH), normal(6, STEPS, 2 * UNITS, seed=1)
    mask = np.arange(STEPS) < LENGTHS[:, None]
    pick = np.where(mask[..., None], pick, 0)
    packed, padded = made(packed=True), made(packed=False)
    theirs = of_keras(packed)
    ways = {
        "packed": (packed, lambda x: packed(x, LENGTHS)),
        "padded": (padded, lambda x: padded(x, LENGTHS)),
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


# The padded way is Keras's own gradient, which takes ten seconds step by step.
@pytest.mark.parametrize("packed", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_gradients_by_differences(check_gradients, packed):
    gru, lengths = made("float64", packed=packed), np.array([1, 0, 2], "int32")
    pick = normal(3, 2, 2 * UNITS).astype("float64")
    check_gradients(lambda x: keras.ops.sum(gru(x, lengths) * pick), normal(3, 2, WIDTH), layer=gru)


def test_gradients_of_attention_by_differences(check_gradients):
    """Of what `attended` gives: the vectors, and the weights of words."""
    gru, pool = made("float64", packed=True), AttentionPool(5, dtype="float64")
    pool.build((None, None, 2 * UNITS))
    lengths, places = np.array([3, 0, 2], "int32"), np.array([1, 0, 1, 1, 0], "int32")
    pick, weigh = normal(3, 2 * UNITS).astype("float64"), normal(5).astype("float64")

    def scalar(table):
        vectors, alpha = attended(gru, pool, table, lengths, places)
        return keras.ops.sum(vectors * pick) + keras.ops.sum(alpha * weigh)

    for layer in (gru, pool):
        check_gradients(scalar, normal(2, WIDTH), layer=layer)


@both_ways
def test_nothing_in_the_padding_reaches_a_gradient(packed):
    import tensorflow as tf

    gru, x = made(packed=packed), normal(6, STEPS, WIDTH)
    mask = np.arange(STEPS) < LENGTHS[:, None]
    x[~mask] = np.nan
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = tf.reduce_sum(gru(inputs, LENGTHS))
    for gradient in tape.gradient(result, [inputs, *(w.value for w in gru.weights)]):
        assert np.isfinite(gradient).all()


@both_ways
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_rows_without_steps(packed, rows):
    given = made(packed=packed)(normal(rows, STEPS, WIDTH), np.zeros(rows, "int32"))
    assert given.shape == (rows, STEPS, 2 * UNITS)
    np.testing.assert_array_equal(given, 0)


@both_ways
def test_in_a_graph_of_unknown_sizes(packed):
    import tensorflow as tf

    gru = made(packed=packed)
    call = tf.function(
        lambda x, lengths: gru(x, lengths, steps=STEPS),
        input_signature=[
            tf.TensorSpec((None, WIDTH), "float32"),
            tf.TensorSpec((None,), "int32"),
        ],
    )
    for lengths in ([3], [2, 5, 0, 1, 5, 3]):
        x = normal(sum(lengths), WIDTH)
        np.testing.assert_allclose(
            call(x, np.array(lengths, "int32")), gru(x, np.array(lengths)), atol=1e-6
        )
    assert call.experimental_get_tracing_count() == 1


def test_several_parts_are_one(monkeypatch):
    """Packed two rows at a time against padded: outputs and gradients, through `attended`."""
    import tensorflow as tf

    monkeypatch.setattr(slots, "_ROWS", 2)
    pool = AttentionPool(5)
    pool.build((None, None, 2 * UNITS))
    places = np.array([0, 2, 1, 1, 3, 0, 0, 2, 1, 3, 3, 0, 2, 2, 1, 0], "int32")
    found = []
    for way in (True, False):
        gru, table = made(packed=way), tf.constant(normal(4, WIDTH))
        with tf.GradientTape() as tape:
            tape.watch(table)
            vectors, alpha = attended(gru, pool, table, LENGTHS, places)
            loss = tf.reduce_sum(vectors**3) + tf.reduce_sum(alpha**2)
        weights = [weight.value for weight in [*gru.weights, *pool.weights]]
        gradients = tape.gradient(loss, [table, *weights])
        found.append([vectors, alpha, *map(tf.convert_to_tensor, gradients)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_live_tapes_keep_their_room():
    """Many ways there before any way back, which come in reverse; each as if alone."""
    import tensorflow as tf

    gru, inputs = made(packed=True), [tf.constant(normal(16, WIDTH, seed=n)) for n in range(12)]

    def there(x, tape):
        tape.watch(x)
        return tf.reduce_sum(gru(x, LENGTHS) ** 2)

    alone, tapes = [], []
    for x in inputs:
        with tf.GradientTape() as tape:
            loss = there(x, tape)
        alone.append(tape.gradient(loss, x))
    for x in inputs:
        tape = tf.GradientTape(persistent=True)
        with tape:
            tapes.append((tape, there(x, tape), x))
    for (tape, loss, x), expected in reversed(list(zip(tapes, alone, strict=True))):
        np.testing.assert_array_equal(tape.gradient(loss, x), expected)
        np.testing.assert_array_equal(tape.gradient(loss, x), expected)


def test_the_number_of_threads_changes_nothing():
    lengths = np.random.default_rng(0).integers(0, 40, 700)
    words = int(lengths.sum())
    assert words > 8192  # more than one part
    weights = {name: np.asarray(one) for name, one in made().named().items()}
    pool = {"W": normal(2 * UNITS, 5), "b": normal(5), "u": normal(5)}
    x, outgoing = normal(words, WIDTH), (normal(700, 2 * UNITS), normal(words))
    found = []
    for threads in (1, 2, 3):
        kept = np.empty(packed.kept_size(words, 2, UNITS, 5), "float32")
        there = packed.attended_gru(x, lengths, weights, pool, threads=threads, kept=kept)
        plain = packed.attended_gru(x, lengths, weights, pool, threads=threads)
        back = packed_back.attended_gru_gradients(
            outgoing, x, lengths, weights, pool, kept, threads=threads
        )
        found.append([*there, *plain, back[0], *back[1].values(), *back[2].values()])
    for one, *others in zip(*found, strict=True):
        for other in others:
            np.testing.assert_array_equal(one, other)


def test_sequences_do_not_know_each_other():
    weights = {
        f"{way}_{name}": normal(*shape)
        for way in ("forward", "backward")
        for name, shape in {"kernel": (2, 9), "recurrent_kernel": (3, 9), "bias": (2, 9)}.items()
    }
    lengths, x = np.array([2, 0, 4, 1]), normal(7, 2)
    together = packed.bidirectional_gru(x, lengths, weights)
    for start, end in ((0, 2), (2, 6), (6, 7)):
        alone = packed.bidirectional_gru(x[start:end], np.array([end - start]), weights)
        np.testing.assert_allclose(together[start:end], alone, atol=1e-6)
    assert packed.bidirectional_gru(x[:0], np.zeros(0, int), weights).shape == (0, 6)


def test_attention_over_large_logits_is_a_number():
    weights = {name: 30 * np.asarray(one) for name, one in made().named().items()}
    pool = {"W": 1e3 * normal(2 * UNITS, 5), "b": normal(5), "u": 1e4 * normal(5)}
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        vectors, alpha = packed.attended_gru(normal(5, WIDTH), np.array([3, 2]), weights, pool)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose([alpha[:3].sum(), alpha[3:].sum()], 1, atol=1e-6)


@settings(max_examples=8, deadline=None)
@given(lengths=lengths_of_rows)
def test_the_twin_is_ragged(lengths):
    gru, x, lengths = made(), normal(len(lengths), STEPS, WIDTH), np.array(lengths, "int32")
    mask = np.arange(STEPS) < lengths[:, None]
    weights = {name: np.asarray(weight) for name, weight in gru.named().items()}
    expected = np.asarray(gru(x, lengths))[mask]
    given = packed.bidirectional_gru(x[mask], lengths, weights)
    np.testing.assert_allclose(given, expected, atol=1e-5)


def test_the_seed_sets_the_weights():
    for one, other, same in ((3, 3, True), (3, 4, False), (None, None, False)):
        pair = [BiGRU(UNITS, seed) for seed in (one, other)]
        for gru in pair:
            gru.build((None, STEPS, WIDTH))
        kernels = [np.asarray(gru.forward_layer.cell.kernel) for gru in pair]
        assert np.array_equal(*kernels) == same
    assert not np.allclose(pair[0].forward_layer.cell.kernel, pair[0].backward_layer.cell.kernel)
    recurrent = np.asarray(pair[0].forward_layer.cell.recurrent_kernel)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(UNITS), atol=1e-5)  # orthogonal
