"""The mean of weights: by hand, and a model that has its own ones back."""

import numpy as np
import pytest

from ir_attention.backend import keras
from ir_attention.training.averaging import WeightAverage


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.layers[-1].kernel.assign([[1.0]])
    return model


def kernel(model):
    return float(np.array(model.get_weights()[0]).item())


def shown(model, average):
    with average.shown():
        return kernel(model)


def test_the_mean_by_hand(model):
    average = WeightAverage(model, 0.2)
    for number in range(1, 31):
        model.layers[-1].kernel.assign([[float(number)]])
        average.step(number)
    # Looks at 10, 20 and 30; the start is the first, and d is 2/11, 3/12 = 1/4 (at most .2), .2.
    first = 10.0
    second = 0.2 * first + 0.8 * 20
    assert shown(model, average) == pytest.approx(0.2 * second + 0.8 * 30, rel=1e-6)
    assert kernel(model) == 30


def test_early_steps_are_forgotten_sooner(model):
    average = WeightAverage(model, 0.99)
    average.step(10)
    model.layers[-1].kernel.assign([[3.0]])
    average.step(20)
    assert shown(model, average) == pytest.approx(0.25 * 1 + 0.75 * 3, rel=1e-6)


def test_without_decay_or_looks_it_is_the_weights(model):
    off = WeightAverage(model, 0.0)
    early = WeightAverage(model, 0.98)
    for number in range(1, 10):
        off.step(10 * number)
        early.step(number)
    model.layers[-1].kernel.assign([[7.0]])
    assert shown(model, off) == shown(model, early) == 7


def test_the_weights_come_back_after_an_error(model):
    average = WeightAverage(model, 0.5)
    average.step(10)
    model.layers[-1].kernel.assign([[9.0]])
    with pytest.raises(RuntimeError), average.shown():
        assert kernel(model) == 1
        raise RuntimeError
    assert kernel(model) == 9


def test_what_is_not_trained_is_left_alone(model):
    model.layers[-1].trainable = False
    average = WeightAverage(model, 0.5)
    average.step(10)
    assert shown(model, average) == 1
