"""Adam: against the paper's update in NumPy, with repeated rows of a table."""

import numpy as np
import pytest

from ir_attention.backend import keras
from ir_attention.training.adam import Adam

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RATE, BETA_1, BETA_2, EPSILON = 0.01, 0.9, 0.999, 1e-7


def by_hand(weight, gradients, epsilon=EPSILON):
    """Algorithm 1 of Kingma and Ba (2015), with the epsilon of its section 2."""
    m, v = np.zeros_like(weight), np.zeros_like(weight)
    for step, gradient in enumerate(gradients, start=1):
        m = BETA_1 * m + (1 - BETA_1) * gradient
        v = BETA_2 * v + (1 - BETA_2) * gradient**2
        rate = RATE * np.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
        weight = weight - rate * m / (np.sqrt(v) + epsilon)
    return weight


def steps(optimizer, start, gradients):
    variable = keras.Variable(start)
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([gradient], [variable])
    return np.asarray(variable)


def test_it_is_the_update_of_the_paper():
    rng = np.random.default_rng(0)
    start, *gradients = rng.normal(size=(4, 5, 3))
    given = steps(Adam(RATE), start.astype("float32"), gradients)
    np.testing.assert_allclose(given, by_hand(start, gradients), atol=1e-6)
    theirs = steps(keras.optimizers.Adam(RATE), start.astype("float32"), gradients)
    np.testing.assert_allclose(given, theirs, atol=1e-6)


def test_a_repeated_row_counts_by_the_square_of_its_sum():
    """Keras's own, on TensorFlow, takes the sum of squares: another update."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients come in rows only there")
    import tensorflow as tf

    rng = np.random.default_rng(1)
    start, rows = rng.normal(size=(5, 3)), np.array([2, 0, 2, 2])
    values = rng.normal(size=(3, 4, 3))
    dense = np.zeros((3, 5, 3))
    for step in range(3):
        np.add.at(dense[step], rows, values[step])
    sparse = [
        tf.IndexedSlices(tf.constant(one, "float32"), rows, dense_shape=(5, 3)) for one in values
    ]
    given = steps(Adam(RATE), start.astype("float32"), sparse)
    np.testing.assert_allclose(given, by_hand(start, dense), atol=1e-6)
    np.testing.assert_array_equal(given[[1, 3, 4]], start.astype("float32")[[1, 3, 4]])


def test_a_row_without_a_gradient_moves_on():
    """By its moments, as in a dense update; and a limit to the norm counts a row once."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients come in rows only there")
    import tensorflow as tf

    rng = np.random.default_rng(4)
    start, values = rng.normal(size=(4, 2)), rng.normal(size=(3, 2, 2))
    rows = [np.array([1, 1]), np.array([0, 2]), np.array([2, 2])]
    dense = np.zeros((3, 4, 2))
    for step in range(3):
        np.add.at(dense[step], rows[step], values[step])
    sparse = [
        tf.IndexedSlices(tf.constant(one, "float32"), row, dense_shape=(4, 2))
        for one, row in zip(values, rows, strict=True)
    ]
    start = start.astype("float32")
    given = steps(Adam(RATE), start, sparse)
    np.testing.assert_allclose(given, by_hand(start, dense), atol=1e-6)
    clipped = [one * min(1, 0.1 / np.linalg.norm(one)) for one in dense]
    given = steps(Adam(RATE, epsilon=1.0, global_clipnorm=0.1), start, sparse)
    by_paper = by_hand(start, clipped, epsilon=1.0)
    np.testing.assert_allclose(given, by_paper, atol=1e-7)


def test_an_embedding_in_training_gets_it():
    """Through Keras's own `fit`: the same token three times in a batch."""
    start = np.random.default_rng(2).normal(size=(4, 2)).astype("float32")
    table = keras.layers.Embedding(4, 2, weights=[start])
    model = keras.Sequential([keras.Input((3,), dtype="int32"), table])
    target = np.ones((1, 3, 2), "float32")
    model.compile(Adam(RATE), "mse")
    model.fit(np.array([[1, 1, 3]]), target, epochs=1, verbose=0)
    gradient = np.zeros((4, 2))
    for row in (1, 1, 3):
        gradient[row] += 2 * (start[row] - 1) / target.size
    np.testing.assert_allclose(table.get_weights()[0], by_hand(start, [gradient]), atol=1e-6)


def test_amsgrad_is_that_of_keras():
    rng = np.random.default_rng(3)
    start, *gradients = rng.normal(size=(4, 5, 3)).astype("float32")
    made = [kind(RATE, amsgrad=True) for kind in (Adam, keras.optimizers.Adam)]
    np.testing.assert_array_equal(*(steps(one, start, gradients) for one in made))
