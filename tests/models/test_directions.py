"""One direction, and a pooling for each level: against Keras, the equations, both directions."""

import json
import os
import subprocess
import sys

import keras
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
    states_by_hand,
    weights_of,
)

from ir_attention.models import forward, packed, shapes, slots
from ir_attention.models.attention import AttentionPool
from ir_attention.models.han import HierarchicalEncoder
from ir_attention.models.recurrent import BiGRU, attended
from ir_attention.models.shared_sentences import encode_alike

# Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STEPS = 4
LENGTHS = np.array([2, 4, 0, 1, 4, 3], "int32")
MASK = np.arange(STEPS) < LENGTHS[:, None]
PLACES = np.array([0, 2, 1, 1, 3, 0, 0, 2, 1, 3, 3, 0, 2, 2], "int32")  # of words

# On TensorFlow's CPU, and everywhere.
both_ways = pytest.mark.parametrize("runs_packed", [True, False])
every_level = pytest.mark.parametrize("levels", [1, 2])

# Of words and of sentences; one direction comes with each.
PAIRS = [("mean", "attention"), ("attention", "max"), ("max", "mean")]
ALL = [(False, "attention"), (False, "mean"), *((False, pair) for pair in PAIRS), (True, PAIRS[0])]
every_kind = pytest.mark.parametrize(("bidirectional", "pooling"), ALL)


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype("float32")


def one_way(runs_packed):
    """A GRU that reads forwards, whose biases are not all 0."""
    gru = BiGRU(UNITS, packed=runs_packed, bidirectional=False)
    gru.build((None, STEPS, WIDTH))
    gru.set_weights([normal(*weight.shape, seed=n) for n, weight in enumerate(gru.weights)])
    return gru


def of_keras(gru):
    theirs = keras.layers.GRU(UNITS, return_sequences=True)
    theirs.build((None, STEPS, WIDTH))
    theirs.set_weights(gru.get_weights())
    return theirs


def close(found, expected, tolerance=1e-6):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(*map(np.asarray, (one, other)), atol=tolerance)


@both_ways
def test_it_is_the_gru_of_keras(runs_packed):
    gru, x = one_way(runs_packed), normal(6, STEPS, WIDTH)
    states = of_keras(gru)(x, mask=keras.ops.convert_to_tensor(MASK))
    expected = np.where(MASK[..., None], states, 0)
    given = gru(np.where(MASK[..., None], x, np.float32(np.nan)), LENGTHS)
    assert given.shape == gru.compute_output_shape(x.shape) == (6, STEPS, UNITS)
    close([given, gru(x[MASK], LENGTHS)], [expected, expected[MASK]])


@both_ways
def test_words_are_rows_of_a_table_with_padding_behind(runs_packed):
    gru, table = one_way(runs_packed), normal(7, WIDTH)
    places = np.append(PLACES, [6, 6]).astype("int32")
    given = np.asarray(gru(table, LENGTHS, places, steps=STEPS))
    close([given[:14]], [gru(table[PLACES], LENGTHS)])
    np.testing.assert_array_equal(given[14:], 0)


def test_gradients_agree():
    """Of Keras's own GRU, of the padded way and of the packed one."""
    import tensorflow as tf

    x, pick = tf.constant(normal(6, STEPS, WIDTH)), MASK[..., None] * normal(6, STEPS, UNITS)
    packed_gru, padded = one_way(True), one_way(False)
    theirs, found = of_keras(packed_gru), []
    calls = {
        packed_gru: lambda: packed_gru(x, LENGTHS),
        padded: lambda: padded(x, LENGTHS),
        theirs: lambda: theirs(x, mask=tf.constant(MASK)),
    }
    for layer, call in calls.items():
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = tf.reduce_sum(call() * pick)
        found.append(tape.gradient(result, [x, *(weight.value for weight in layer.weights)]))
    for other in found[1:]:
        close(found[0], other, 1e-5)
    np.testing.assert_array_equal(np.asarray(found[0][0])[~MASK], 0)


def test_several_parts_are_one(monkeypatch):
    """Packed two rows at a time against padded: outputs and gradients."""
    import tensorflow as tf

    monkeypatch.setattr(slots, "_ROWS", 2)
    pool = AttentionPool(POOL)
    pool.build((None, None, UNITS))
    found = []
    for runs_packed in (True, False):
        gru, table = one_way(runs_packed), tf.constant(normal(4, WIDTH))
        with tf.GradientTape() as tape:
            tape.watch(table)
            vectors, alpha = attended(gru, pool, table, LENGTHS, PLACES)
            loss = tf.reduce_sum(vectors**3) + tf.reduce_sum(alpha**2)
        assert vectors.shape == (6, UNITS)
        weights = [weight.value for weight in [*gru.weights, *pool.weights]]
        gradients = tape.gradient(loss, [table, *weights])
        found.append([vectors, alpha, *map(tf.convert_to_tensor, gradients)])
    close(*found, 1e-5)


def test_it_is_the_forward_half():
    """Of a layer with the same seed, and of the same weights: nothing else is computed or kept."""
    both, one = BiGRU(UNITS, 3), BiGRU(UNITS, 3, bidirectional=False)
    for gru in (both, one):
        gru.build((None, STEPS, WIDTH))
    of_both, of_one = ({n: np.asarray(w) for n, w in g.named().items()} for g in (both, one))
    assert list(of_one) == list(of_both)[:3]
    for name, weight in of_one.items():
        np.testing.assert_array_equal(weight, of_both[name])
    x, places = normal(4, WIDTH), PLACES
    states = packed.bidirectional_gru(x, LENGTHS, of_one, places)
    close([states], [packed.bidirectional_gru(x, LENGTHS, of_both, places)[:, :UNITS]])
    assert 2 * packed.kept_size(1, 1, UNITS) == packed.kept_size(1, 2, UNITS) + 1
    assert 2 * packed.fold(x, of_one).table.size == packed.fold(x, of_both).table.size
    ends = np.split(x[places], np.cumsum(LENGTHS)[:-1])
    expected = [state for row in ends for state in states_by_hand(row, of_one)]
    close(
        [states, packed.bidirectional_gru(packed.fold(x, of_one), LENGTHS, of_one, places)],
        [expected, expected],
    )


@every_kind
@every_level
@both_ways
def test_the_equations_of_the_paper(bidirectional, pooling, levels, runs_packed):
    """At both levels, with sentences without words and documents without sentences."""
    encoder = made(levels, packed=runs_packed, pooling=pooling, bidirectional=bidirectional)
    documents, width = drawn(SHAPE), UNITS * (1 + bidirectional)
    expected = documents_by_hand(documents, weights_of(encoder), pooling)
    given = encoder(*arrays(documents, extra=2), steps=(5, 7))
    assert given.shape == encoder.compute_output_shape((15, WIDTH), (10,), (5,)) == (5, width)
    close([given], [expected], 1e-5)
    np.testing.assert_array_equal(given[2], 0)


@every_kind
@every_level
def test_the_twins(bidirectional, pooling, levels):
    """Plain, with the inputs folded, and with sentences in common."""
    encoder = made(levels, pooling=pooling, bidirectional=bidirectional, return_weights=True)
    weights, table = weights_of(encoder), normal(4, WIDTH)
    lengths, counts = np.array([2, 4, 0, 1, 2, 0, 4, 1]), np.array([3, 0, 2, 1, 2])
    places = np.array([0, 2, 1, 1, 3, 0, 2, 0, 2, 1, 1, 3, 0, 3])
    expected = encoder(table, *(one.astype("int32") for one in (lengths, counts, places)))
    folded = packed.fold(table, forward.of_layer(weights, "word_gru"))
    for encode in (forward.encode_documents, encode_alike):
        for inputs in (table, folded):
            given = encode(inputs, lengths, counts, weights, places, pooling=pooling)
            close(given, expected)
    assert expected[0].shape == (5, UNITS * (1 + bidirectional))
    np.testing.assert_array_equal(given[0][[1, 3]], 0)


@pytest.mark.parametrize(("bidirectional", "pooling"), [(False, "attention"), *ALL[2:]])
def test_gradients_of_the_encoder(bidirectional, pooling):
    """Of the packed way and of the padded."""
    import tensorflow as tf

    inputs, lengths, counts = arrays(drawn(SHAPE))
    inputs, found = tf.constant(inputs), []
    for runs_packed in (True, False):
        encoder = made(
            packed=runs_packed, pooling=pooling, bidirectional=bidirectional, return_weights=True
        )
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            vectors, alpha, beta = encoder(inputs, lengths, counts)
            loss = tf.reduce_sum(vectors**3)
        gradients = tape.gradient(loss, [inputs, *(one.value for one in encoder.weights)])
        found.append([vectors, alpha, beta, *map(tf.convert_to_tensor, gradients)])
    close(*found, 1e-5)


@every_level
@both_ways
@pytest.mark.parametrize("pooling", ["attention", *PAIRS[:2]])
def test_no_words_at_all(pooling, levels, runs_packed):
    encoder = made(levels, packed=runs_packed, pooling=pooling, bidirectional=False)
    for shape in ([[]], [[0]], [[], [0, 0]]):
        given = encoder(*arrays(drawn(shape)))
        np.testing.assert_array_equal(given, np.zeros((len(shape), UNITS)))


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16"])
@pytest.mark.parametrize("pooling", ["attention", *PAIRS[:2]])
def test_half_precision(pooling, dtype):
    more = {"pooling": pooling, "bidirectional": False}
    whole, half = (HierarchicalEncoder(UNITS, POOL, dtype=d, **more) for d in ("float32", dtype))
    for encoder in (whole, half):
        encoder.build((None, WIDTH))
    half.set_weights(whole.get_weights())
    expected, given = (encoder(*arrays(drawn(SHAPE))) for encoder in (whole, half))
    assert keras.backend.standardize_dtype(given.dtype) == "float16"
    close([keras.ops.cast(given, "float32")], [expected], 5e-3)


@every_kind
def test_survives_saving(bidirectional, pooling, tmp_path):
    given = dict(zip(("inputs", "lengths", "counts"), arrays(drawn(SHAPE)), strict=True))
    encoder = HierarchicalEncoder(UNITS, POOL, pooling=pooling, bidirectional=bidirectional)
    inputs = {
        name: keras.Input(one.shape[1:], dtype=one.dtype.name, name=name)
        for name, one in given.items()
    }
    model = keras.Model(inputs, encoder(**inputs))
    model.save(tmp_path / "encoder.keras")
    loaded = keras.models.load_model(tmp_path / "encoder.keras")
    np.testing.assert_array_equal(model(given), loaded(given))
    other = loaded.get_layer(index=-1)
    assert other.get_config() == encoder.get_config()
    assert (other.pooling, other.bidirectional) == (pooling, bidirectional)
    assert ("backward" in str([weight.path for weight in other.weights])) == bidirectional


def test_a_config_of_json_has_lists():
    config = json.loads(json.dumps(made(pooling=("mean", "max")).get_config()))
    assert HierarchicalEncoder.from_config(config).pooling == ("mean", "max")


@pytest.mark.parametrize("layer", [BiGRU, HierarchicalEncoder])
def test_configs_from_before_read_both_directions(layer):
    config = layer(UNITS).get_config()
    assert config.pop("bidirectional") is True
    old = layer.from_config(config)
    assert old.bidirectional
    old.build((None, WIDTH))
    paths = [weight.path for weight in old.weights]
    assert sum("backward" in path for path in paths) == sum("forward" in path for path in paths)


@every_kind
@every_level
def test_the_shapes_of_weights(bidirectional, pooling, levels):
    """What a stranger's file is checked against is what there is."""
    encoder = made(levels, pooling=pooling, bidirectional=bidirectional)
    expected = {f"document_encoder/{n}": one.shape for n, one in weights_of(encoder).items()}
    sizes = {"gru": UNITS, "pool": POOL, "levels": levels}
    found = shapes._hierarchy(WIDTH, **sizes, bidirectional=bidirectional, pooling=pooling)
    assert found == expected


@pytest.mark.parametrize(
    "pooling", ["sum", None, 2, (), ("mean",), ("mean", "sum"), ("max",) * 3, ("mean", None)]
)
def test_refuses_other_poolings(pooling):
    with pytest.raises(ValueError, match="or a pair of them.* Received: pooling="):
        HierarchicalEncoder(UNITS, POOL, pooling=pooling)
    with pytest.raises(ValueError, match="or a pair of them.* Received: pooling="):
        forward.encode_documents(*arrays(drawn(SHAPE)), weights_of(made()), pooling=pooling)


ELSEWHERE = """
import sys, numpy as np
from ir_attention.models.han import HierarchicalEncoder
there = np.load(sys.argv[1])
encoder = HierarchicalEncoder(5, 7, pooling=("mean", "attention"), bidirectional=False)
encoder.build((None, 3))
encoder.set_weights([there[f"w{n}"] for n in range(len(encoder.weights))])
given = encoder(*(there[name] for name in ("inputs", "lengths", "counts")), steps=(5, 7))
np.testing.assert_allclose(np.asarray(given.tolist()), there["expected"], atol=1e-5)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends(backend, tmp_path):
    pytest.importorskip(backend)
    encoder, given = made(pooling=PAIRS[0], bidirectional=False), arrays(drawn(SHAPE))
    named = dict(zip(("inputs", "lengths", "counts"), given, strict=True))
    weights = {f"w{n}": one for n, one in enumerate(encoder.get_weights())}
    np.savez(tmp_path / "there.npz", **named, **weights, expected=np.asarray(encoder(*given)))
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path / "there.npz")],
        capture_output=True,
        text=True,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    assert done.returncode == 0, done.stderr
