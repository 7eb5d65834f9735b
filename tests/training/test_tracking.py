"""What watches a training: TensorBoard's events, Weights & Biases where it was asked for."""

import sys
import types

import pytest

from ir_attention.errors import DataError, MissingExtra
from ir_attention.training.tracking import tracked

ROWS = [
    {"epoch": 1, "loss": 0.5, "AP": 0.25, "seconds": 1.0},
    {"epoch": 2, "loss": 0.25, "AP": 0.75, "seconds": 2.0},
]


def test_nothing_watches_unless_asked():
    with tracked(None, None, {}) as watch:
        watch(ROWS[0])
    assert "wandb" not in sys.modules


def test_tensorboard_gets_each_epoch(tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `track` is not installed")
    with tracked(tmp_path / "events", None, {}) as watch:
        for row in ROWS:
            watch(row)
    assert _events(tmp_path / "events") == {
        "loss": [(1, 0.5), (2, 0.25)],
        "AP": [(1, 0.25), (2, 0.75)],
        "seconds": [(1, 1.0), (2, 2.0)],
    }


def test_tensorboard_gets_steps_beside_epochs(tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `track` is not installed")
    with tracked(tmp_path / "events", None, {}) as watch:
        watch({"epoch": 1, "step": 50, "loss": 0.75, "accuracy": 0.5})
        watch(ROWS[0])
    read = _events(tmp_path / "events")
    assert read["step/loss"] == [(50, 0.75)] and read["step/accuracy"] == [(50, 0.5)]
    assert read["loss"] == [(1, 0.5)]


def _events(folder):
    """What TensorBoard itself reads from a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    read = EventAccumulator(str(folder)).Reload()
    return {
        name: [
            (event.step, float(make_ndarray(event.tensor_proto))) for event in read.Tensors(name)
        ]
        for name in read.Tags()["tensors"]
    }


def test_wandb_is_told_each_epoch_where_it_is_installed(monkeypatch):
    told = []
    run = types.SimpleNamespace(log=told.append, finish=lambda: told.append("end"))
    fake = types.ModuleType("wandb")
    fake.init = lambda **given: told.append(given) or run
    monkeypatch.setitem(sys.modules, "wandb", fake)
    with tracked(None, "news", {"model": "han"}) as watch:
        watch(ROWS[0])
    assert told == [
        {"project": "news", "config": {"model": "han"}},
        {"epoch": 1, "loss": 0.5, "AP": 0.25, "seconds": 1.0},
        "end",
    ]


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtra, match="pip install wandb"), tracked(None, "news", {}):
        pass
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(MissingExtra, match=r"ir_attention\[track\]"), tracked(tmp_path, None, {}):
        pass
    with pytest.raises(DataError, match="project"), tracked(None, 7, {}):
        pass


def test_a_file_is_no_folder_for_events(tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `track` is not installed")
    (tmp_path / "there").write_text("a file")
    with (
        pytest.raises(DataError, match="must be a folder"),
        tracked(tmp_path / "there", None, {}),
    ):
        pass


def test_nothing_is_left_by_a_setting_that_is_none(toy_pairs, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `track` is not installed")
    from ir_attention.training import train

    for model in ("han", "han-classifier"):
        with pytest.raises(DataError, match="no setting is called 'epoch'"):
            train(toy_pairs, model=model, epoch=3, tensorboard=tmp_path / "events")
    assert not (tmp_path / "events").exists()


def test_a_folder_that_takes_no_events():
    pytest.importorskip("tensorboard", reason="the extra `track` is not installed")
    with (
        pytest.raises(DataError, match="cannot be written|must be a folder"),
        tracked("/proc/self", None, {}),
    ):
        pass


def test_train_hands_on_its_history(toy_pairs, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `track` is not installed")
    from ir_attention.training import train

    made = train(toy_pairs, model="lexical", tensorboard=tmp_path / "events", say=lambda line: None)
    (found,) = _events(tmp_path / "events")["AP"]
    assert found == (1, pytest.approx(made.history["AP"].iloc[0], abs=1e-6))
    assert "tensorboard" not in made.bundle.settings["training"]
