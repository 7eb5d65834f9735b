"""The toys: their data, their models against NumPy, and what they must prove."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PIPELINES = Path(__file__).parents[1] / "pipelines"


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, PIPELINES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def copy():
    return loaded("toy_copy")


@pytest.fixture(scope="module")
def sums():
    return loaded("toy_sum")


def run(name, *arguments, cwd):
    command = [sys.executable, PIPELINES / name, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


def test_the_target_is_the_flagged_value(copy):
    drawn = copy.draw(np.random.default_rng(5), 20_000, 13)
    assert drawn.inputs.shape == (20_000, 13, 2)
    values, flags = drawn.inputs[..., 0], drawn.inputs[..., 1]
    assert values.min() >= 0 and values.max() < 1
    assert (flags.sum(axis=1) == 1).all() and set(np.unique(flags)) == {0, 1}
    for number in range(50):
        assert drawn.inputs[number, drawn.flagged[number], 1] == 1
        assert drawn.target[number] == drawn.inputs[number, drawn.flagged[number], 0]
    # Even numbers have mean 1/2 and variance 1/12; each step is flagged as often as any other.
    assert abs(drawn.target.mean() - 1 / 2) < 0.01
    assert abs(drawn.target.var() - 1 / 12) < 0.002
    assert abs(np.bincount(drawn.flagged) / 20_000 - 1 / 13).max() < 0.01


def test_the_target_is_the_sum_of_both(sums):
    drawn = sums.draw(np.random.default_rng(5), 20_000, 11)
    assert drawn.inputs.shape == (20_000, 11, 2)
    assert (drawn.inputs[..., 1].sum(axis=1) == 2).all()
    for number in range(50):
        first, second = drawn.flagged[number]
        assert first < second
        assert drawn.inputs[number, [first, second], 1].tolist() == [1, 1]
        expected = drawn.inputs[number, first, 0] + drawn.inputs[number, second, 0]
        assert drawn.target[number] == pytest.approx(expected, abs=1e-6)
    # Of a sum of two: twice the mean, twice the variance.
    assert abs(drawn.target.mean() - 1) < 0.01
    assert abs(drawn.target.var() - 1 / 6) < 0.004
    assert abs(np.bincount(drawn.flagged.ravel()) / 20_000 - 2 / 11).max() < 0.015


@pytest.mark.parametrize("toy", ["copy", "sums"])
def test_samples_are_drawn_by_seed(toy, request):
    toy = request.getfixturevalue(toy)
    first, again, other = (toy.draw(np.random.default_rng(seed), 3) for seed in (7, 7, 8))
    assert first.inputs.shape == (3, toy.STEPS, 2) and toy.STEPS in (64, 32)
    np.testing.assert_array_equal(first.inputs, again.inputs)
    assert not np.isclose(first.target, other.target).any()


def test_blanks_come_in_front(copy):
    plain = copy.draw(np.random.default_rng(5), 7, 5)
    blank = copy.with_blanks(plain, 3)
    assert blank.inputs.shape == (7, 8, 2)
    assert (blank.inputs[:, :3] == -1).all()
    np.testing.assert_array_equal(blank.inputs[:, 3:], plain.inputs)
    np.testing.assert_array_equal(blank.flagged, plain.flagged + 3)
    assert blank.target is plain.target


def by_hand(weights, inputs, kind):
    """What a model says of one sample and how it weighs the steps, in float64.

    `i, f, g, o = x K + h R + b`; `c = f * c + i * g`; `h = o * tanh(c)`.
    """
    K, R, bias, *of_pool, out, shift = (one.astype("float64") for one in weights)
    states, h, c = [], np.zeros(4), np.zeros(4)
    for step in inputs.astype("float64"):
        i, f, g, o = np.split(step @ K + h @ R + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    states = np.array(states)
    alpha = {"last state": np.eye(len(states))[-1], "average": np.full(len(states), 1)}.get(kind)
    if alpha is None:
        W, b, u = of_pool
        alpha = np.exp(np.tanh(states @ W + b) @ u[:, 0])
    alpha = alpha / alpha.sum()
    return alpha @ states @ out[:, 0] + shift[0], alpha


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def shaken(net, seed):
    """The model with weights of any size, biases too, as if it had learnt something."""
    rng = np.random.default_rng(seed)
    net.model.set_weights([rng.normal(size=one.shape) for one in net.model.get_weights()])
    return net


@pytest.mark.parametrize(
    ("toy", "kind"),
    [("copy", "last state"), ("copy", "attention"), ("sums", "average"), ("sums", "attention")],
)
def test_models_agree_with_numpy(toy, kind, request):
    toy = request.getfixturevalue(toy)
    samples = toy.draw(np.random.default_rng(5), 3, 9)
    net = shaken(toy.build(7, kind), 11)
    expected = [by_hand(net.model.get_weights(), one, kind) for one in samples.inputs]
    answers = np.array([answer for answer, _ in expected])
    np.testing.assert_allclose(
        toy.squared_errors(net, samples), (answers - samples.target) ** 2, rtol=1e-3, atol=1e-5
    )
    if net.weights is not None:
        found = net.weights.predict(samples.inputs, verbose=0)
        np.testing.assert_allclose(found, [alpha for _, alpha in expected], atol=1e-5)


def test_weights_start_from_seeds(copy):
    first, again, other = (copy.build(seed, "attention").model.get_weights() for seed in (7, 7, 8))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    differ = [not np.allclose(*pair) for pair in zip(first, other, strict=True)]
    # The kernels do, and biases are what Keras begins with.
    assert differ == [True, True, False, True, False, True, True, False]
    # The other model begins with the same LSTM.
    for one, same in zip(first[:3], copy.build(7, "last state").model.get_weights(), strict=False):
        np.testing.assert_array_equal(one, same)


def test_blanks_have_no_weight_and_no_say(copy):
    samples = copy.draw(np.random.default_rng(5), 11, 9)
    blank = copy.with_blanks(samples)
    net = shaken(copy.build(7, "attention"), 11)
    found = copy.weights(net, blank)
    assert found.shape == (11, 25)
    assert (found[:, :16] == 0).all()
    np.testing.assert_allclose(found[:, 16:], copy.weights(net, samples), atol=1e-6)
    np.testing.assert_allclose(copy.answers(net, blank), copy.answers(net, samples), atol=1e-5)
    without = copy.without_mask(net, 7, blank)
    assert without["largest_on_a_blank"] == 0
    # Without the mask they are steps like any other, which NumPy shows as well.
    expected = [by_hand(net.model.get_weights(), one, "attention") for one in blank.inputs]
    on_blanks = np.mean([alpha[:16].sum() for _, alpha in expected])
    assert on_blanks > 0.1
    assert without["bare_on_blanks"][0] == pytest.approx(on_blanks, abs=1e-5)
    change = np.abs(np.array([answer for answer, _ in expected]) - copy.answers(net, samples))
    assert change.max() > 0.1
    assert without["change"][0] == pytest.approx(change.mean(), abs=1e-4)


@pytest.mark.parametrize("toy", ["copy", "sums"])
def test_intervals(toy, request):
    toy = request.getfixturevalue(toy)
    # Wilson's for n of n is [n / (n + z^2), 1].
    assert toy.share(np.ones(1000, bool)) == pytest.approx(
        [1, 1000 / (1000 + 1.96**2), 1], abs=1e-5
    )
    values = np.random.default_rng(5).exponential(2, size=1000)
    value, low, high = toy.mean(values)
    half = 1.96 * values.std() / 1000**0.5
    assert (value, low, high) == pytest.approx(
        (values.mean(), values.mean() - half, values.mean() + half), abs=0.2 * half
    )


def test_a_missed_bar_of_copying_is_seen(copy):
    blanks = {"largest_on_a_blank": 0.0, "change": [0.3, 0.29, 0.31]}
    row = {"last state": {"mse": [0.084]}, "attention": {"mse": [0.002]}, "hits": [0.95]}
    row |= {"never met": blanks, "met in training": blanks}
    assert list(copy.bars(row).values()) == [True] * 5
    for place, missed in enumerate(
        [
            {"last state": {"mse": [0.072]}},
            {"attention": {"mse": [0.0021]}},
            {"hits": [0.949]},
            {"met in training": {**blanks, "largest_on_a_blank": 1e-9}},
            {"never met": {**blanks, "change": [0.0, 0.0, 0.0]}},
        ]
    ):
        assert list(copy.bars(row | missed).values()) == [other != place for other in range(5)]


def test_a_missed_bar_of_summing_is_seen(sums):
    row = {"attention": {"mse": [0.015]}, "average": {"mse": [0.016]}, "hits": [0.85]}
    row |= {"times_even": [5.0]}
    assert list(sums.bars(row).values()) == [True] * 4
    for place, missed in enumerate(
        [
            {"attention": {"mse": [0.0151]}},
            {"average": {"mse": [0.0149]}},
            {"hits": [0.849]},
            {"times_even": [4.9]},
        ]
    ):
        assert list(sums.bars(row | missed).values()) == [other != place for other in range(4)]


def test_forget_gates_start_as_asked(sums):
    # Biases are those of the input, forget, cell and output gates, 4 units each.
    biases = [sums.build(7, "attention", asked).model.get_weights()[2] for asked in (False, True)]
    assert biases[0].tolist() == [0.0] * 16
    assert biases[1].tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8


@pytest.mark.parametrize("wrong", [["--samples", "0"], ["--epochs", "-1"], ["--seeds", "-7"]])
@pytest.mark.parametrize("toy", ["copy", "sums"])
def test_impossible_numbers_are_refused(toy, wrong, request):
    toy = request.getfixturevalue(toy)
    with pytest.raises(SystemExit, match="must be at least"):
        toy.experiment(toy.parser.parse_args(wrong))


@pytest.mark.slow
@pytest.mark.parametrize("last", [[], ["--last-epoch"]])
def test_the_best_epoch_stays(sums, last):
    args = sums.parser.parse_args(["--samples", "64", "--epochs", "9", *last])
    row = sums.one_seed(5, args)
    for kind in sums.RATES:
        errors = row[kind]["by_epoch"]
        # Both tell apart: the last epoch is not the best.
        assert min(errors) < errors[-1]
        assert row[kind]["dev"] == pytest.approx(errors[-1] if last else min(errors), rel=1e-6)


# A toy in two processes: what it prints, what it draws, and that nothing is left to chance.
SMALL = ["--seeds", 3, "--samples", 40, "--epochs", 2]


@pytest.mark.slow
@pytest.mark.parametrize(("toy", "bars"), [("copy", 5), ("sum", 4)])
def test_a_toy_from_end_to_end(toy, bars, tmp_path):
    told = run(f"toy_{toy}.py", *SMALL, cwd=tmp_path)
    assert told.returncode == 0
    assert all(line.startswith("seed 3: ") for line in told.stderr.splitlines())
    assert "| seed | " in told.stdout and "| mean | " in told.stdout
    assert len([line for line in told.stdout.splitlines() if line.startswith("- ")]) == bars
    assert not list(tmp_path.iterdir())

    again = run(f"toy_{toy}.py", *SMALL, "--json", "--out", "new/folder", cwd=tmp_path)
    (row,) = json.loads(again.stdout)
    error, low, high = row["attention"]["mse"]
    digits = 5 if toy == "copy" else 4
    assert f"{error:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})" in told.stdout
    assert len(row["attention"]["by_epoch"]) == 2
    (picture,) = (tmp_path / "new/folder").iterdir()
    assert picture.name == f"toy-{toy}.png"
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 10_000


@pytest.mark.slow
def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "taken").write_text("mine")
    done = run("toy_sum.py", "--out", "taken", cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: ") and "taken" in done.stderr
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.slow
def test_copying_with_attention(tmp_path):
    done = run("toy_copy.py", "--json", cwd=tmp_path)
    rows = json.loads(done.stdout)
    assert [row["seed"] for row in rows] == [7, 8, 9]
    for row in rows:
        assert 1 / 12 - 0.01 <= row["last state"]["mse"][0] <= 1 / 12 + 0.01
        assert row["attention"]["mse"][0] <= 0.002
        assert row["hits"][0] >= 0.95
        assert row["moved_by_blanks"] < 1e-5
        for kind in ("never met", "met in training"):
            assert row[kind]["largest_on_a_blank"] == 0
            assert row[kind]["change"][0] > 0.001
        assert all(row["bars"].values())


@pytest.mark.slow
def test_summing_with_attention(tmp_path):
    done = run("toy_sum.py", "--json", cwd=tmp_path)
    rows = json.loads(done.stdout)
    assert [row["seed"] for row in rows] == [7, 8, 9]
    for row in rows:
        assert row["attention"]["mse"][0] <= 0.015
        assert row["attention"]["mse"][0] < row["average"]["mse"][0]
        assert row["hits"][0] >= 0.85
        assert row["on_flags"][0] >= 5 * 2 / 32
        assert all(row["bars"].values())
