"""The loop of epochs: what it keeps, and what ends it."""

import numpy as np
import pandas as pd
import pytest

from ir_attention.errors import DataError
from ir_attention.training.fitting import _dev_measure
from ir_attention.training.loop import fit
from ir_attention.training.settings import TrainingSettings


class Scripted:
    """A learner whose weight is the number of the epoch, and whose dev scores are given."""

    notes = []

    def __init__(self, scores, losses=None):
        self.scores, self.losses, self.epochs, self.weight = scores, losses, len(scores), 0

    def fit_epoch(self, epoch):
        self.weight = epoch
        return self.losses[epoch - 1] if self.losses else 1.0

    def score_dev(self):
        return np.array(self.scores[self.weight - 1], float)

    def state(self):
        return [np.array(self.weight)]

    def restore(self, state):
        self.weight = int(state[0])


DEV = pd.DataFrame(
    {"id_left": ["q"] * 3, "id_right": ["a", "b", "b"], "label": [1, 0, 0]}  # b stands there twice
)
AP = _dev_measure(DEV, "AP")
GOOD, FAIR, BAD = [3, 2, 1], [2, 3, 1], [1, 2, 3]  # AP 1, 1/2, 1/3


@pytest.mark.parametrize(
    ("scores", "best", "epochs"),
    [
        ([BAD, GOOD, FAIR, FAIR, GOOD], 2, 4),  # stops after two epochs without a better one
        ([BAD, FAIR, BAD, GOOD], 4, 4),
        ([GOOD, GOOD, GOOD, GOOD], 1, 3),  # equal is not better
    ],
)
def test_keeps_the_best_epoch(scores, best, epochs):
    learner, said = Scripted(scores), []
    history, ended = fit(learner, AP, TrainingSettings(patience=2), said.append)
    assert learner.weight == best
    assert ended == ("epochs" if epochs == len(scores) else "patience")
    assert len(history) == epochs
    assert history["AP"].max() == pytest.approx({0: 1, 1: 1 / 2}[int(scores[best - 1] != GOOD)])
    assert said[-1].startswith(f"kept epoch {best}: ")


def test_a_second_measure_decides_between_equals():
    learner, seconds = Scripted([FAIR, GOOD, GOOD, GOOD, BAD]), iter([9, 1, 3, 2, 9])
    settings = TrainingSettings(patience=4)
    fit(learner, AP, settings, lambda line: None, second=lambda scores: next(seconds))
    assert learner.weight == 3


@pytest.mark.parametrize(("min_delta", "epochs"), [(0.0, 5), (0.1, 5), (0.2, 3), (0.99, 3)])
def test_patience_waits_for_a_rise_that_counts(min_delta, epochs):
    learner = Scripted([BAD, FAIR, FAIR, GOOD, GOOD])  # .33, .5, .5, 1, 1
    settings = TrainingSettings(patience=2, min_delta=min_delta)
    history, _ = fit(learner, AP, settings, lambda line: None)
    assert len(history) == epochs
    assert learner.weight == (4 if epochs == 5 else 2)  # the best is kept, by however little


@pytest.mark.parametrize(
    ("budget", "epochs"),
    # An epoch takes 10 s: none begins that would end later.
    [(1, 1), (19.9, 1), (20, 2), (39, 3), (40, 4), (1000, 4)],
)
def test_a_budget_is_not_overdrawn(budget, epochs, monkeypatch):
    learner, said = Scripted([BAD, FAIR, BAD, GOOD]), []
    monkeypatch.setattr("time.process_time", lambda: 5.0 + 10 * learner.weight)
    settings = TrainingSettings(patience=3, budget=budget)
    history, ended = fit(learner, AP, settings, said.append)
    assert history["cpu_seconds"].tolist() == [10.0, 20, 30, 40][:epochs]
    assert ended == ("epochs" if epochs == 4 else "budget")
    assert learner.weight == [1, 2, 2, 4][epochs - 1]
    assert any("no time for another" in line for line in said) == (epochs < 4)


class Interrupted(Scripted):
    """Ctrl-C comes in the given epoch."""

    def __init__(self, scores, epoch):
        super().__init__(scores)
        self.interrupted = epoch

    def fit_epoch(self, epoch):
        super().fit_epoch(epoch)
        if epoch == self.interrupted:
            raise KeyboardInterrupt
        return 1.0


def test_ctrl_c_ends_a_training_unless_told_otherwise():
    with pytest.raises(KeyboardInterrupt):
        fit(Interrupted([BAD, GOOD, GOOD], 3), AP, TrainingSettings(), print)


def test_ctrl_c_keeps_the_best_epoch_so_far_when_asked():
    learner, said = Interrupted([BAD, GOOD, FAIR, GOOD], 4), []
    settings = TrainingSettings(keep_interrupted=True)
    history, ended = fit(learner, AP, settings, said.append)
    assert (ended, learner.weight, len(history)) == ("interrupted", 2, 3)
    assert said[-2:] == ["interrupted in epoch 4", "kept epoch 2: dev AP 1.0000"]


def test_ctrl_c_before_an_epoch_is_over_has_nothing_to_keep():
    settings = TrainingSettings(keep_interrupted=True)
    with pytest.raises(KeyboardInterrupt):
        fit(Interrupted([GOOD], 1), AP, settings, print)


def test_a_loss_that_is_not_finite_ends_the_training():
    with pytest.raises(DataError, match="the loss of epoch 1 is nan: try a smaller"):
        fit(Scripted([GOOD], [float("nan")]), AP, TrainingSettings(), print)
