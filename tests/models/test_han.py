"""The hierarchical encoder: against the paper's equations, document by document."""

import numpy as np
import pytest
from hierarchy_by_hand import (
    POOL,
    SHAPE,
    UNITS,
    WIDTH,
    arrays,
    documents_by_hand,
    drawn,
    made,
    weights_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.models import forward
from ir_attention.models.han import HierarchicalEncoder

# Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# On TensorFlow's CPU, and everywhere.
both_ways = pytest.mark.parametrize("packed", [True, False])
both_ways_and_every_pooling = pytest.mark.parametrize(
    ("packed", "pooling"),
    [(True, "attention"), (False, "attention"), (True, "mean"), (True, "max")],
)


@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize(
    ("packed", "pooling"),
    [(True, "attention"), (False, "attention"), (True, "mean"), (True, "max"), (False, "max")],
)
def test_the_equations_of_the_paper(levels, packed, pooling):
    encoder, documents = made(levels, packed=packed, pooling=pooling), drawn(SHAPE)
    expected = documents_by_hand(documents, weights_of(encoder), pooling)
    np.testing.assert_allclose(encoder(*arrays(documents)), expected, atol=1e-5)
    np.testing.assert_array_equal(expected[2], 0)


@settings(max_examples=9, deadline=None)
@given(
    shape=st.lists(st.lists(st.integers(0, 4), max_size=3), min_size=1, max_size=4).filter(
        lambda shape: any(shape)
    ),
    levels=st.sampled_from([1, 2]),
    pooling=st.sampled_from(["attention", "mean", "max"]),
)
def test_the_twin_is_ragged(shape, levels, pooling):
    encoder, documents = made(levels, pooling=pooling, return_weights=True), drawn(shape)
    words = np.concatenate([words for document in documents for words in document])
    lengths = np.array([size for document in shape for size in document])
    counts = np.array([len(document) for document in shape])
    found = forward.encode_documents(
        words.astype("float32"), lengths, counts, weights_of(encoder), pooling=pooling
    )
    for one, other in zip(found, encoder(*arrays(documents)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    _, alpha, beta = found
    sums = np.bincount(np.repeat(np.arange(len(lengths)), lengths), alpha, len(lengths))
    np.testing.assert_allclose(sums, lengths > 0, atol=1e-6)
    if levels == 2:
        sums = np.bincount(np.repeat(np.arange(len(counts)), counts), beta, len(counts))
        np.testing.assert_allclose(sums, [any(document) for document in shape], atol=1e-6)
        np.testing.assert_array_equal(beta[lengths == 0], 0)


@both_ways_and_every_pooling
def test_nobody_else_has_a_say(packed, pooling):
    encoder, documents = made(packed=packed, pooling=pooling), drawn(SHAPE)
    together = np.asarray(encoder(*arrays(documents, extra=5), steps=(9, 7)))
    for document, vector in zip(documents, together, strict=True):
        np.testing.assert_allclose(encoder(*arrays([document], extra=1))[0], vector, atol=1e-6)


@both_ways_and_every_pooling
def test_empty_sentences_change_nothing(packed, pooling):
    encoder, (document,) = made(packed=packed, pooling=pooling), drawn([[2, 4, 1]])
    nothing = np.zeros((0, WIDTH))
    expected = encoder(*arrays([document]))
    for place in range(4):
        longer = [*document[:place], nothing, *document[place:], nothing]
        np.testing.assert_allclose(encoder(*arrays([longer])), expected, atol=1e-6)


def test_order_matters_at_both_levels():
    encoder, (document,) = made(), drawn([[2, 4, 1]])
    expected = np.asarray(encoder(*arrays([document])))
    for other in (document[::-1], [document[0][::-1], *document[1:]]):
        assert np.abs(np.asarray(encoder(*arrays([other]))) - expected).max() > 1e-3


def test_one_level_is_the_only_sentence():
    encoder, documents = made(levels=1), drawn([[3], [1]])
    assert len(encoder.weights) == 9
    inputs, lengths, counts = arrays(documents)
    states = np.asarray(encoder.word_gru(inputs, lengths))
    expected = [encoder.word_pool(one[None])[0] for one in np.split(states, [3])]
    np.testing.assert_allclose(encoder(inputs, lengths, counts), expected, atol=1e-6)


@both_ways
def test_a_word_is_a_row_of_a_table(packed):
    """Repeated words: the same as their vectors one by one, and gradients add up."""
    import tensorflow as tf

    encoder = made(packed=packed)
    table = tf.constant(np.random.default_rng(4).normal(size=(4, WIDTH)).astype("float32"))
    places, lengths, counts = np.array([1, 3, 1, 1, 0, 3], "int32"), [2, 0, 4], [2, 1]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(table)
        vectors = tf.gather(table, places)
        one = encoder(table, np.array(lengths), np.array(counts), places)
        other = encoder(vectors, np.array(lengths), np.array(counts))
        loss, by_hand = tf.reduce_sum(one**2), tf.reduce_sum(other**2)
    np.testing.assert_allclose(one, other, atol=1e-6)
    of_vectors, found = tape.gradient(by_hand, vectors), tape.gradient(loss, table)
    expected = np.zeros((4, WIDTH))
    np.add.at(expected, places, np.asarray(tf.convert_to_tensor(of_vectors)))
    np.testing.assert_allclose(tf.convert_to_tensor(found), expected, atol=1e-5)


def test_both_ways_have_the_same_gradients():
    import tensorflow as tf

    documents, found = drawn(SHAPE), {}
    for packed in (True, False):
        encoder = made(packed=packed)
        values = np.random.default_rng(6).normal(size=(13, 2)).astype("float32")
        inputs, lengths, counts = arrays(documents)
        inputs = tf.constant(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            vectors, pooled = encoder(inputs, lengths, counts, values=values)
            loss = tf.reduce_sum(vectors**3) + tf.reduce_sum(pooled**2)
        weights = [weight.value for weight in encoder.weights]
        found[packed] = tape.gradient(loss, [inputs, *weights])
    for one, other in zip(*found.values(), strict=True):
        np.testing.assert_allclose(*map(tf.convert_to_tensor, (one, other)), atol=1e-5)


@pytest.mark.parametrize(
    ("packed", "steps"), [(True, (None, None)), (False, (None, None)), (False, (4, 3))]
)
def test_in_a_graph(packed, steps):
    import tensorflow as tf

    encoder, arguments = made(packed=packed), arrays(drawn(SHAPE))
    call = tf.function(lambda *given: encoder(*given, steps=steps), autograph=False)
    expected = encoder(*arguments)
    np.testing.assert_allclose(call(*map(tf.constant, arguments)), expected, atol=1e-6)


@both_ways_and_every_pooling
@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("shape", [[[]], [[0]], [[], [0, 0]]])
def test_no_words_at_all(packed, pooling, levels, shape):
    encoder = made(levels, packed=packed, pooling=pooling, return_weights=True)
    arguments = arrays(drawn(shape))
    vectors, pooled, alpha, beta = encoder(*arguments, values=np.zeros((0, 4), "float32"))
    assert (alpha.shape, beta.shape) == ((0,), (sum(map(len, shape)),))
    np.testing.assert_array_equal(vectors, np.zeros((len(shape), 2 * UNITS)))
    np.testing.assert_array_equal(pooled, np.zeros((len(shape), 4)))


@both_ways_and_every_pooling
@pytest.mark.parametrize("levels", [1, 2])
def test_the_weights_of_words_and_sentences(packed, pooling, levels):
    """Ragged and padded; they are those that the vectors and the values are pooled by."""
    encoder = made(levels, packed=packed, pooling=pooling, return_weights=True)
    documents = drawn(SHAPE)
    inputs, lengths, counts = arrays(documents, extra=2)
    values = np.random.default_rng(6).normal(size=(15, 2)).astype("float32")
    values[13:] = 0
    _, pooled, alpha, beta = map(
        np.asarray, encoder(inputs, lengths, counts, values=values, steps=(9, 7))
    )
    assert (alpha.shape, beta.shape) == (inputs.shape[:1], lengths.shape)
    np.testing.assert_array_equal(alpha[13:], 0)
    sums = np.add.reduceat(np.append(alpha, 0), np.cumsum(lengths) - lengths) * (lengths > 0)
    np.testing.assert_allclose(sums, lengths > 0, atol=1e-6)
    if levels == 1:
        np.testing.assert_array_equal(beta, 1)
    else:
        ends = np.cumsum(counts)
        for one, last, document in zip(counts, ends, documents, strict=True):
            some = any(map(len, document))
            np.testing.assert_allclose(beta[last - one : last].sum(), some, atol=1e-6)
        np.testing.assert_array_equal(beta[lengths == 0], 0)
    expected, document = np.zeros((len(counts), 2)), np.repeat(np.arange(5), counts)
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    np.add.at(expected, document[sentence], values[:13] * (alpha[:13] * beta[sentence])[:, None])
    np.testing.assert_allclose(pooled, expected, atol=1e-6)
    rows = np.zeros((len(lengths), 4, WIDTH), "float32")
    real = np.arange(4) < lengths[:, None]
    rows[real] = inputs[:13]
    _, of_words, of_sentences = encoder(rows, lengths, counts, steps=(None, 7))
    assert of_words.shape == real.shape
    np.testing.assert_array_equal(np.asarray(of_words)[~real], 0)
    np.testing.assert_allclose(np.asarray(of_words)[real], alpha[:13], atol=1e-6)
    np.testing.assert_allclose(of_sentences, beta, atol=1e-6)
    assert encoder.compute_output_shape(rows.shape, lengths.shape, counts.shape) == (
        (5, 2 * UNITS),
        real.shape,
        lengths.shape,
    )


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_pooling_survives_saving(pooling, tmp_path):
    import keras

    arguments = dict(zip(("inputs", "lengths", "counts"), arrays(drawn(SHAPE)), strict=True))
    encoder = HierarchicalEncoder(UNITS, pooling=pooling, return_weights=True)
    inputs = {
        name: keras.Input(one.shape[1:], dtype=one.dtype.name, name=name)
        for name, one in arguments.items()
    }
    model = keras.Model(inputs, encoder(**inputs))
    assert {weight.path.split("/")[-4] for weight in encoder.weights} == {
        "word_gru",
        "sentence_gru",
    }
    model.save(tmp_path / "encoder.keras")
    loaded = keras.models.load_model(tmp_path / "encoder.keras")
    for one, other in zip(model(arguments), loaded(arguments), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_seed_sets_the_weights():
    one, other, third = (made_with_seed(seed) for seed in (7, 7, 8))
    assert all(np.array_equal(*both) for both in zip(one, other, strict=True))
    assert not any(np.array_equal(*both) for both in zip(one, third, strict=True) if both[0].any())
    # No two weights of one shape begin with the same numbers.
    drawn = [weight for weight in one if weight.any()]
    for number, weight in enumerate(drawn):
        for later in drawn[number + 1 :]:
            assert weight.shape != later.shape or not np.allclose(weight, later)


def made_with_seed(seed):
    encoder = HierarchicalEncoder(UNITS, POOL, seed=seed)
    encoder.build((None, WIDTH))
    return encoder.get_weights()


@pytest.mark.parametrize("levels", [0, 3, "2", None])
def test_refuses_other_levels(levels):
    with pytest.raises(ValueError, match="1 or 2. Received: levels="):
        HierarchicalEncoder(UNITS, POOL, levels=levels)


def test_refuses_other_poolings():
    with pytest.raises(ValueError, match="'mean'.* Received: pooling='sum'"):
        HierarchicalEncoder(UNITS, POOL, pooling="sum")
