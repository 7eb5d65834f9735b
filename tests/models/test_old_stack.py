"""MatchZoo's models give the scores of their old stack, Keras 2.3, for its weights and inputs.

`tests/fixtures/make_matchzoo_keras23.py` says how the scores were made. In float64 the two stacks
agree to the last digits, so that in float32 only rounding is between them.
"""

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest

from ir_attention import matchzoo as mz
from ir_attention.backend import keras

FOLDER = Path(__file__).parents[1] / "fixtures" / "matchzoo_keras23"
DESCRIBED = json.loads((FOLDER / "cases.json").read_text())
CASES = DESCRIBED["cases"]


def some(cases, slow):
    return [
        pytest.param(case, marks=pytest.mark.slow if case in slow else ()) for case in sorted(cases)
    ]


IN_DOUBLE = some({*CASES} - {"duet"}, slow={"esim", "hbmp"})
QUICK = {"dssm", "knrm", "arc-i", "match-pyramid", "duet"}
# TensorFlow needs ten seconds to compile HBMP.
IN_SINGLE = some({*CASES} - {"hbmp"}, slow={*CASES} - QUICK)


@pytest.fixture(scope="module")
def arrays():
    with np.load(FOLDER / "arrays.npz", allow_pickle=False) as file:
        return dict(file)


def build(case, arrays):
    """The model of a case with its old weights, in the order of the old `get_weights`."""
    folder, _, name = CASES[case]["model"].rpartition(".")
    model = getattr((mz.contrib if folder else mz).models, name)()
    model.params["task"] = mz.tasks.Ranking()
    for parameter, value in CASES[case]["parameters"].items():
        model.params[parameter] = value
    model.params["input_shapes"] = [tuple(shape) for shape in model.params["input_shapes"]]
    model.guess_and_fill_missing_params(verbose=0)
    model.build()
    numbers = range(len(CASES[case]["weights"]))
    model.backend.set_weights([arrays[f"{case}/weight_{number:02d}"] for number in numbers])
    return model


def inputs(case, arrays):
    rows = CASES[case]["rows"]
    return {name: arrays[array][rows] for name, array in CASES[case]["inputs"].items()}


@contextlib.contextmanager
def in_double():
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


@pytest.mark.parametrize("case", IN_DOUBLE)
def test_scores_in_double(case, arrays):
    with in_double():
        scores = build(case, arrays).backend(inputs(case, arrays))
    np.testing.assert_allclose(scores, arrays[f"{case}/scores_float64"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", IN_SINGLE)
def test_scores(case, arrays):
    expected = arrays[f"{case}/scores_float32"]
    scores = build(case, arrays).predict(inputs(case, arrays))
    assert scores.dtype == expected.dtype == np.float32
    # Float noise: 1e-6 of the largest score for Conv-KNRM's kernels, mostly far less; the old stack
    # is up to 4e-7 of it away from its own float64.
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_what_the_fixture_covers(arrays):
    assert DESCRIBED["versions"]["matchzoo"] == "2.2.0"
    assert DESCRIBED["versions"]["keras"].startswith("2.3.")
    for side in ("left", "right"):
        words, lengths = arrays[f"words_{side}"], arrays[f"length_{side}"]
        assert {0, 1, words.shape[1]} <= {*lengths}  # none, one, no padding
        np.testing.assert_array_equal(words != 0, np.arange(words.shape[1]) < lengths[:, None])
    for case in CASES:
        scores = arrays[f"{case}/scores_float32"]
        assert len(scores) >= 12
        assert scores.std() > 0.01 * np.abs(scores).max()


def test_pooling_indices(arrays):
    x = {name: arrays[name] for name in ("length_left", "length_right")}
    mz.data_generator.callbacks.DynamicPooling(6, 9).on_batch_unpacked(x, None)
    np.testing.assert_array_equal(x["dpool_index"], arrays["dpool_index"])


def test_zeros_at_padded_steps_would_show(arrays):
    """As the `Bidirectional` of Keras 3 would put there, were MV-LSTM left alone."""
    model = build("mv-lstm", arrays)
    for layer in model.backend.layers:
        if isinstance(layer, keras.layers.Bidirectional):
            layer.forward_layer.zero_output_for_mask = True
            layer.backward_layer.zero_output_for_mask = True
    off = np.abs(model.backend(inputs("mv-lstm", arrays)) - arrays["mv-lstm/scores_float32"])
    padded = arrays["length_left"] + arrays["length_right"] < 6 + 9
    assert np.median(off[padded]) > 1e-3
    assert off[~padded].max() < 1e-6
