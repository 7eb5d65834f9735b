"""What the tests of models share: gradients by finite differences."""

import numpy as np
import pytest

# Differences of float64 are good to about 1e-10 with steps of 1e-5.
STEP, TOLERANCE = 1e-5, 1e-7


@pytest.fixture(scope="session")
def check_gradients():
    """`check(function, *arrays, layer=None)`: gradients of a scalar against finite differences.

    The gradients are those of TensorFlow, of a float64 function, by its arrays and by the weights
    of the layer. Skips on other backends.
    """
    from ir_attention.backend import keras, load_tensorflow

    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken with TensorFlow")
    tf = load_tensorflow()

    def check(function, *arrays, layer=None):
        values = [tf.Variable(array, dtype="float64") for array in arrays]
        function(*values)  # builds the layer
        values_and_weights = values + [weight.value for weight in (layer.weights if layer else ())]
        with tf.GradientTape() as tape:
            result = function(*values)
        assert result.dtype == tf.float64
        assert result.shape == ()
        # As a graph, without tracing what is in it: there are hundreds of calls.
        again = tf.function(lambda: function(*values), autograph=False)
        np.testing.assert_allclose(again(), result, rtol=1e-12)
        for variable, gradient in zip(
            values_and_weights, tape.gradient(result, values_and_weights), strict=True
        ):
            expected = differences(lambda: float(again()), variable)
            np.testing.assert_allclose(gradient, expected, atol=TOLERANCE)

    return check


def differences(function, variable):
    """The gradient of `function` by a variable that it reads, one entry at a time."""
    start, gradient = variable.numpy(), np.zeros(variable.shape)
    for place in np.ndindex(gradient.shape):
        sides = []
        for step in (STEP, -STEP):
            moved = start.copy()
            moved[place] += step
            variable.assign(moved)
            sides.append(function())
        gradient[place] = (sides[0] - sides[1]) / (2 * STEP)
    variable.assign(start)
    return gradient
