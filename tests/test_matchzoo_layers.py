"""MatchZoo's layers against NumPy, also those of Match-SRNN, which can be used without it."""

import numpy as np
import pytest

from ir_attention import matchzoo as mz
from ir_attention.backend import keras, load_tensorflow

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="these layers are TensorFlow's"
)
RNG = np.random.default_rng(7)
LEFT = RNG.normal(size=(2, 3, 5)).astype("float32")  # (batch, words, width)
RIGHT = RNG.normal(size=(2, 4, 5)).astype("float32")


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


def outer(combine):
    return combine(LEFT[:, :, None] + 0 * RIGHT[:, None], RIGHT[:, None] + 0 * LEFT[:, :, None])


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


MATCHES = {
    "dot": np.einsum("bld,brd->blr", LEFT, RIGHT)[..., None],
    "mul": outer(np.multiply),
    "plus": outer(np.add),
    "minus": outer(np.subtract),
    "concat": outer(lambda x, y: np.concatenate([x, y], axis=-1)),
}


@pytest.mark.parametrize("name", MATCHES)
def test_matching(name):
    layer = mz.layers.MatchingLayer(matching_type=name)
    np.testing.assert_allclose(numbers(layer([LEFT, RIGHT])), MATCHES[name], atol=1e-5)


def test_matching_by_cosine():
    layer = mz.layers.MatchingLayer(normalize=True)
    expected = np.einsum("bld,brd->blr", unit(LEFT), unit(RIGHT))[..., None]
    np.testing.assert_allclose(numbers(layer([LEFT, RIGHT])), expected, atol=1e-6)
    with pytest.raises(ValueError, match="error is not a valid matching type"):
        mz.layers.MatchingLayer(matching_type="error")
    with pytest.raises(ValueError, match="2 != 1"):
        mz.layers.MatchingLayer()([LEFT, RIGHT[:1]])


@pytest.mark.parametrize("diagonal", [True, False])
def test_matching_tensor(diagonal):
    layer = mz.contrib.layers.MatchingTensorLayer(channels=3, init_diag=diagonal)
    scores = numbers(layer([LEFT, RIGHT]))
    weight = numbers(layer.interaction_matrix)
    expected = np.einsum("bld,cde,bre->bclr", unit(LEFT), weight, unit(RIGHT))
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert (np.diagonal(weight, axis1=1, axis2=2) == np.float32(0.1)).all() == diagonal


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def spatial_gru(x, kernel, recurrent, bias, inner):
    """The last state of a GRU over `(batch, channels, left, right)`, from the left top."""
    batch, _, left, right = x.shape
    units = recurrent.shape[1]
    h = np.zeros((left + 1, right + 1, batch, units))
    for i in range(left):
        for j in range(right):
            corner, top, side, here = h[i, j], h[i, j + 1], h[i + 1, j], x[:, :, i, j]
            gates = np.concatenate([top, side, corner, here], axis=1) @ kernel
            reset = sigmoid(gates[:, : 3 * units] + bias[: 3 * units])
            mix = (gates[:, 3 * units :] + bias[3 * units : 7 * units]).reshape(batch, 4, units)
            mix = np.exp(mix) / np.exp(mix).sum(axis=1, keepdims=True)
            states = reset * np.concatenate([side, top, corner], axis=1)
            new = np.tanh(here @ inner + bias[7 * units :] + states @ recurrent)
            parts = np.stack([new, side, top, corner], axis=1)
            h[i + 1, j + 1] = (mix * parts).sum(axis=1)
    return h[-1, -1]


@pytest.mark.parametrize("direction", ["lt", "rb"])
def test_spatial_gru_follows_its_weights(direction):
    tensorflow = load_tensorflow()
    layer = mz.contrib.layers.SpatialGRU(units=3, direction=direction)
    x = RNG.normal(size=(2, 5, 4, 3)).astype("float32")
    layer(x)
    layer.set_weights([RNG.normal(size=weight.shape) for weight in layer.get_weights()])
    with tensorflow.GradientTape() as tape:
        state = layer(x)
    turned = x if direction == "lt" else x[:, :, ::-1, ::-1]
    expected = spatial_gru(turned, *layer.get_weights())
    np.testing.assert_allclose(numbers(state), expected, atol=1e-5)
    for gradient in tape.gradient(state, [weight.value for weight in layer.weights]):
        assert np.abs(gradient).max() > 0


def test_spatial_gru_knows_two_directions():
    with pytest.raises(ValueError, match="Invalid direction"):
        mz.contrib.layers.SpatialGRU(direction="lr")(np.zeros((1, 2, 3, 4), "float32"))
