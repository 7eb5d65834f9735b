"""The softmax, and pooling by attention: against plain loops, finite differences, at the edges."""

import doctest
import subprocess
import sys

import keras
import numpy as np
import pytest
from by_hand import normal, softmax_by_hand, weights_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.models import attention
from ir_attention.models.attention import AdditiveAttention, AttentionPool, masked_softmax

# Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ops = keras.ops


def pool_by_hand(x, mask, weights, f=np.tanh):
    """Equations 5-7 of Yang et al. (2016), one sequence at a time: pooled, and the weights."""
    pooled, alphas = np.zeros((len(x), x.shape[-1])), np.zeros(mask.shape)
    for i, keep in enumerate(mask):
        logits = [
            f(step @ weights["W"] + weights.get("b", 0)) @ weights["u"][:, 0] for step in x[i]
        ]
        alphas[i] = softmax_by_hand(logits, keep)
        pooled[i] = sum(a * step for a, step in zip(alphas[i], x[i], strict=True))
    return pooled, alphas


# --- masked_softmax


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.tuples(st.floats(-50, 50, width=32), st.booleans()), min_size=5, max_size=5),
        min_size=3,
        max_size=3,
    )
)
def test_softmax_of_what_is_left(rows):
    logits, mask = (np.array([[one[at] for one in row] for row in rows]) for at in (0, 1))
    logits = logits.astype("float32")
    expected = np.array([softmax_by_hand(*row) for row in zip(logits, mask, strict=True)])
    given = masked_softmax(ops.convert_to_tensor(logits), mask)
    np.testing.assert_allclose(given, expected, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(given)[~mask], 0)
    turned = masked_softmax(ops.convert_to_tensor(logits.T), mask.T, axis=0)
    np.testing.assert_allclose(turned, expected.T, atol=1e-6)


def test_softmax_without_a_mask():
    logits = ops.convert_to_tensor(normal(3, 5))
    np.testing.assert_allclose(masked_softmax(logits), ops.softmax(logits), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_huge_logits(dtype):
    logits = ops.cast(np.clip(normal(7, 11), -3, 3) * 1e4, dtype)
    weights = np.asarray(masked_softmax(logits)).astype("float32")
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6 if dtype == "float32" else 2e-3)


def test_a_huge_masked_logit_does_not_wipe_out_the_rest():
    logits = ops.convert_to_tensor(np.array([[1e30, 0, np.log(3)]], "float32"))
    weights = masked_softmax(logits, np.array([[False, True, True]]))
    np.testing.assert_allclose(weights, [[0, 0.25, 0.75]], atol=1e-6)


def test_overflow_in_half_precision():
    logits = ops.convert_to_tensor(np.array([[np.inf, 0, np.inf], [-np.inf, 0, 1]], "float16"))
    weights = np.asarray(masked_softmax(logits)).astype("float32")
    np.testing.assert_allclose(weights, [[0.5, 0, 0.5], [0, 0.2689, 0.7311]], atol=1e-3)


def test_a_common_shift_of_the_scores_changes_nothing():
    """Why no layer has a bias after the scoring vector."""
    logits = ops.convert_to_tensor(normal(3, 5))
    np.testing.assert_allclose(masked_softmax(logits + 3.0), masked_softmax(logits), atol=1e-6)


# --- gradients


def test_gradients_of_softmax(check_gradients):
    mask = np.array([[True, True, False, True], [False] * 4, [True] * 4])
    pick = normal(3, 4, seed=1, dtype="float64")
    check_gradients(lambda x: ops.sum(masked_softmax(x, mask) * pick), normal(3, 4))


def test_gradients_of_pooling(check_gradients):
    pool = AttentionPool(3, dtype="float64")
    mask = np.array([[True] * 5, [True, False, True, False, False], [False] * 5])
    pick = normal(3, 2, seed=1, dtype="float64")
    check_gradients(lambda x: ops.sum(pool(x, mask=mask) * pick), normal(3, 5, 2), layer=pool)


@pytest.mark.parametrize("value", [1e30, np.nan])
def test_no_gradient_is_nan_where_all_is_masked(value):
    tf = pytest.importorskip("tensorflow")
    pool, attend = AttentionPool(3), AdditiveAttention(3)
    x, mask = tf.constant(np.full((2, 5, 7), value, "float32")), np.zeros((2, 5), bool)
    query = tf.constant(normal(2, 3, 7))
    with tf.GradientTape() as tape:
        tape.watch([x, query])
        attended, weights = attend(query, x, value_mask=mask)
        result = (
            tf.reduce_sum(pool(x, mask=mask)) + tf.reduce_sum(attended) + tf.reduce_sum(weights)
        )
    variables = [weight.value for layer in (pool, attend) for weight in layer.weights]
    for gradient in tape.gradient(result, [x, query, *variables]):
        np.testing.assert_array_equal(gradient, 0)


# --- AttentionPool


@settings(max_examples=25, deadline=None)
@given(mask=st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=3, max_size=3))
def test_pooling_by_hand(mask):
    x, mask = normal(3, 5, 2), np.array(mask)
    pool = AttentionPool(units=11, return_weights=True)
    pool.build(x.shape)
    pool.b.assign(normal(11))
    pooled, alpha = pool(x, mask=mask)
    expected, weights = pool_by_hand(x, mask, weights_of(pool))
    np.testing.assert_allclose(pooled, expected, atol=1e-5)
    np.testing.assert_allclose(alpha, weights, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(alpha)[~mask], 0)


@pytest.mark.parametrize(
    ("width", "use_bias", "count"),
    [(4, True, 24), (4, False, 20), (16, True, 288), (16, False, 272)],
)
def test_parameters(width, use_bias, count):
    pool = AttentionPool(use_bias=use_bias)
    pool.build((None, 5, width))
    assert pool.count_params() == count
    assert [weight.name for weight in pool.weights] == (["W", "b", "u"] if use_bias else ["W", "u"])


def test_units_set_the_size_of_the_attention():
    pool = AttentionPool(units=3)
    pool.build((None, 5, 4))
    assert [tuple(weight.shape) for weight in pool.weights] == [(4, 3), (3,), (3, 1)]


ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "linear": lambda x: x,
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation(activation):
    x, mask = normal(3, 5, 2), np.ones((3, 5), bool)
    pool = AttentionPool(7, activation)
    given = pool.attention(pool(x)[:, None] + x, mask)
    shifted = np.asarray(pool(x))[:, None] + x
    expected = pool_by_hand(shifted, mask, weights_of(pool), ACTIVATIONS[activation])[1]
    np.testing.assert_allclose(given, expected, atol=1e-6)


def test_a_linear_score_is_a_product():
    """`x W u + c` with `c = b u`, to the bit: on small whole numbers floats are exact."""
    rng = np.random.default_rng(7)
    x, pool = rng.integers(-3, 4, (3, 5, 2)).astype("float32"), AttentionPool(7, "linear")
    pool.build(x.shape)
    pool.set_weights([rng.integers(-3, 4, weight.shape) for weight in pool.weights])
    w = weights_of(pool)
    logits = x @ (w["W"] @ w["u"][:, 0]) + w["b"] @ w["u"][:, 0]
    np.testing.assert_array_equal(pool.logits(x), logits)
    np.testing.assert_allclose(pool.attention(x), ops.softmax(logits), atol=1e-6)


def test_without_a_projection():
    """Zhou et al. (2016), equations 9 to 12, for one sentence `H` `(width, steps)` at a time."""
    x, mask = normal(3, 5, 7), np.array([[True] * 5, [True] * 3 + [False] * 2, [False] * 5])
    pool = AttentionPool(projection=False, output_activation="tanh", return_weights=True)
    pooled, weights = pool(x, mask=mask)
    assert [(weight.name, tuple(weight.shape)) for weight in pool.weights] == [("u", (7, 1))]
    w = np.asarray(pool.u)[:, 0]
    for one, kept, vector, alpha in zip(x, mask, pooled, weights, strict=True):
        H = one[kept].T
        M = np.tanh(H)
        powers = np.exp(w @ M)
        a = powers / powers.sum()
        np.testing.assert_allclose(alpha[: kept.sum()], a, atol=1e-6)
        np.testing.assert_allclose(vector, np.tanh(H @ a), atol=1e-6)


def test_no_units_without_a_projection():
    with pytest.raises(ValueError, match="without a projection.* Received: units=3"):
        AttentionPool(3, projection=False)


def test_initializer():
    pool = AttentionPool(3, initializer=keras.initializers.Constant(0.5))
    pool.build((None, 5, 2))
    w = weights_of(pool)
    assert (w["W"] == 0.5).all()
    assert (w["u"] == 0.5).all()
    assert (w["b"] == 0).all()


def test_an_initializer_for_each_weight():
    number = {"W": 0.25, "u": 2.0, "b": -1.5}
    given = {
        f"{name}_initializer": keras.initializers.Constant(one) for name, one in number.items()
    }
    pool = AttentionPool(3, initializer="ones", **given)
    pool.build((None, 5, 2))
    for name, weight in weights_of(pool).items():
        np.testing.assert_array_equal(weight, np.full_like(weight, number[name]))
    some = AttentionPool(3, initializer="ones", u_initializer="zeros")
    some.build((None, 5, 2))
    assert {name: w.max() for name, w in weights_of(some).items()} == {"W": 1, "b": 0, "u": 0}


def test_other_names_of_arguments():
    one = AttentionPool(3, bias=False, return_attention=True)
    other = AttentionPool(3, use_bias=False, return_weights=True)
    configs = [{**pool.get_config(), "name": None} for pool in (one, other)]
    assert configs[0] == configs[1]
    assert not one.use_bias and one.return_weights
    assert len(one(normal(3, 5, 2))) == 2


def test_each_weight_is_drawn_by_itself():
    pool = AttentionPool(2, initializer=keras.initializers.RandomNormal())
    pool.build((None, 5, 1))
    assert not np.allclose(*(np.ravel(weights_of(pool)[name]) for name in ("W", "u")))


@pytest.mark.parametrize("name", ["W", "u", "b"])
def test_regularizers(name):
    pool = AttentionPool(3, **{f"{name}_regularizer": keras.regularizers.L2(0.1)})
    pool.build((None, 5, 2))
    pool.b.assign(normal(3))
    (penalty,) = pool.losses
    np.testing.assert_allclose(penalty, 0.1 * (weights_of(pool)[name] ** 2).sum(), rtol=1e-6)


@pytest.mark.parametrize("name", ["W", "u", "b"])
def test_constraints_hold_after_a_step(name):
    pool = AttentionPool(3, **{f"{name}_constraint": keras.constraints.NonNeg()})
    model = keras.Sequential([keras.Input((5, 2)), pool])
    for weight in pool.weights:
        weight.assign(np.resize([-1, 0, 1], weight.shape))
    before = {name: weight.copy() for name, weight in weights_of(pool).items()}
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(normal(7, 5, 2), normal(7, 2), verbose=0)
    after = weights_of(pool)
    assert (after[name] >= 0).all()
    assert all((after[other] < 0).any() for other in after if other != name)
    assert not np.allclose(after["W"], before["W"])


def test_all_before_the_last_two_axes_is_a_batch():
    x, mask = normal(3, 2, 5, 7), np.random.default_rng(1).random((3, 2, 5)) < 0.6
    mask[1, 1] = False
    pool = AttentionPool(11, return_weights=True)
    pooled, alpha = pool(x, mask=mask)
    assert pooled.shape == (3, 2, 7)
    assert alpha.shape == (3, 2, 5)
    assert pool.compute_output_shape((3, 2, 5, 7)) == ((3, 2, 7), (3, 2, 5))
    for sentence in range(2):
        one, weights = pool(x[:, sentence], mask=mask[:, sentence])
        np.testing.assert_allclose(pooled[:, sentence], one, atol=1e-6)
        np.testing.assert_allclose(alpha[:, sentence], weights, atol=1e-6)


def test_weights_of_a_trained_layer_in_one_call():
    x, pool = normal(7, 5, 2), AttentionPool(3)
    model = keras.Sequential([keras.Input((5, 2)), pool, keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(x, normal(7, 1), verbose=0)
    alpha = pool.attention(x)
    assert alpha.shape == (7, 5)
    assert not pool.return_weights
    expected = pool_by_hand(x, np.ones((7, 5), bool), weights_of(pool))[1]
    np.testing.assert_allclose(alpha, expected, atol=1e-6)
    np.testing.assert_allclose(ops.einsum("bs,bsw->bw", alpha, x), pool(x), atol=1e-6)
    twin = AttentionPool(3, return_weights=True)
    twin.build(x.shape)
    twin.set_weights(pool.get_weights())
    np.testing.assert_array_equal(twin(x)[1], alpha)


@keras.saving.register_keras_serializable("tests")
def bent(x):
    """An activation that Keras does not know."""
    return ops.tanh(x) + 0.1 * x


EVERYTHING = {
    "units": 3,
    "use_bias": True,
    "return_weights": True,
    "projection": True,
    "output_activation": "softsign",
    "initializer": keras.initializers.RandomNormal(seed=1),
    "W_initializer": keras.initializers.Orthogonal(seed=2),
    "u_initializer": keras.initializers.HeNormal(seed=3),
    "b_initializer": keras.initializers.Constant(0.1),
    "W_regularizer": keras.regularizers.L2(0.1),
    "u_regularizer": keras.regularizers.L1(0.2),
    "b_regularizer": keras.regularizers.L1L2(0.3, 0.4),
    "W_constraint": keras.constraints.MaxNorm(2),
    "u_constraint": keras.constraints.UnitNorm(),
    "b_constraint": keras.constraints.NonNeg(),
    "name": "words",
    "dtype": "float32",
}


def saved_with_everything(path, activation):
    """A functional model of a pool with every argument set, after a step of training."""
    inputs = keras.Input((5, 2))
    pooled, weights = AttentionPool(activation=activation, **EVERYTHING)(inputs)
    model = keras.Model(inputs, [pooled, weights])
    model.compile("sgd", ["mse", "mse"], run_eagerly=True)
    model.fit(normal(7, 5, 2), [normal(7, 2), normal(7, 5)], verbose=0)
    model.save(path)
    return model


def test_every_argument_survives_saving(tmp_path):
    x, path = normal(7, 5, 2), tmp_path / "pool.keras"
    model = saved_with_everything(path, bent)
    loaded = keras.models.load_model(path)
    for one, other in zip(model(x), loaded(x), strict=True):
        assert ops.max(ops.abs(one - other)) == 0
    pool, again = (one.get_layer("words") for one in (model, loaded))
    assert again.get_config() == pool.get_config()
    assert {*EVERYTHING, "activation"} <= set(pool.get_config())
    assert again.activation is bent
    for name, one in EVERYTHING.items():
        kept = getattr(again, name)
        if hasattr(one, "get_config"):
            assert (type(kept), kept.get_config()) == (type(one), one.get_config())
    np.testing.assert_allclose(loaded.losses, model.losses)


@pytest.mark.slow
def test_every_argument_survives_a_fresh_process(tmp_path):
    x, path = normal(7, 5, 2), tmp_path / "pool.keras"
    np.save(tmp_path / "x.npy", x)
    model = saved_with_everything(path, "gelu")
    script = (
        "import numpy as np\n"
        "from ir_attention.models import MeanPool\n"
        "from keras.models import load_model\n"
        "outputs = load_model('pool.keras')(np.load('x.npy'))\n"
        "np.savez('outputs.npz', *map(np.asarray, outputs))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    outputs = np.load(tmp_path / "outputs.npz")
    for one, other in zip(model(x), outputs.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_mask_ends_here():
    pool = AttentionPool(3)
    assert pool.compute_mask(None, np.ones((3, 5), bool)) is None
    x = normal(3, 5, 2)
    x[:, 3:] = 0
    masked = keras.layers.Masking()(x)
    pooled = pool(masked)
    assert getattr(pooled, "_keras_mask", None) is None
    np.testing.assert_allclose(pooled, pool(x[:, :3]), atol=1e-6)
    keras.layers.Dense(1)(pooled)


def test_examples():
    assert doctest.testmod(attention).failed == 0
    assert doctest.testmod(attention).attempted > 0


def test_refuses_what_is_not_an_argument():
    with pytest.raises((TypeError, ValueError), match="z_regularizer"):
        AttentionPool(3, z_regularizer="l2")
