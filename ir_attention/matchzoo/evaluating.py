"""MatchZoo's models on Keras 3: their measures after the fit, and during it by callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.backend import keras

__all__ = ["mend"]


def mend(matchzoo: Any) -> None:
    """Puts the functions below in place of MatchZoo's own."""
    from matchzoo.engine.base_model import BaseModel

    BaseModel.evaluate = evaluate
    callback = matchzoo.callbacks.EvaluateAllMetrics
    callback.__init__ = _remembering_model(callback.__init__)
    callback.on_epoch_end = on_epoch_end
    matchzoo.metrics.AveragePrecision.__call__ = average_precision


def evaluate(self: Any, x: Any, y: np.ndarray, batch_size: int = 128) -> dict[Any, float]:
    """The value of each metric of the model's task.

    Args:
        x: What `DataPack.unpack` returns; MatchZoo's metrics need its `id_left`.
        y: The labels.
        batch_size: Rows in a batch of the prediction; no value depends on it.

    Returns:
        A dict from the metrics, as `params["task"].metrics` has them, to numbers. MatchZoo's
        metrics are means over queries, every query counted; ties keep the order of the rows.
    """
    from matchzoo import tasks

    ranking, elementwise = self._separate_metrics()
    if ranking and not isinstance(self.params["task"], tasks.Ranking):
        raise ValueError(
            "MatchZoo's metrics need a task of ranking. "
            f"Received: task={self.params['task']}, metrics={ranking}"
        )
    y_pred = self.predict(x, batch_size)
    values = {name: _keras_value(name, y, y_pred) for name in elementwise}
    values |= {metric: _mean(metric, x["id_left"], y, y_pred) for metric in ranking}
    return values


def on_epoch_end(self: Any, epoch: int, logs: dict[str, Any] | None = None) -> None:
    """Evaluates after every `once_every` epochs; the history keeps the values by metric."""
    if (epoch + 1) % self._valid_steps:
        return
    values = self._evaluated.evaluate(self._dev_x, self._dev_y, self._batch_size)
    if self._verbose:
        shown = " - ".join(f"{name}: {value}" for name, value in values.items())
        print(f"Validation: {shown}")  # noqa: T201  (what `verbose` is for)
    if logs is not None:
        logs.update({_MetricName(metric): value for metric, value in values.items()})
    if self._model_save_path:
        self._evaluated.save(f"{self._model_save_path}{epoch + 1}/")


def average_precision(self: Any, y_true: Any, y_pred: Any) -> float:
    """The mean of the precision at 1, 2, ... and at the number of documents; 0.0 if there is none.

    This is MatchZoo's own notion; the field's average precision is its `MeanAveragePrecision`.
    """
    from matchzoo.metrics import Precision

    depths = range(1, len(y_pred) + 1)
    return float(np.mean([Precision(k)(y_true, y_pred) for k in depths])) if depths else 0.0


def _keras_value(name: Any, y: np.ndarray, y_pred: np.ndarray) -> float:
    metric = keras.metrics.get(name)
    # In float32 on both sides, as inside `fit`.
    value = metric(np.asarray(y, dtype=y_pred.dtype), y_pred)
    return float(np.mean(keras.ops.convert_to_numpy(value)))


def _mean(metric: Callable[..., float], ids: Any, y: np.ndarray, y_pred: np.ndarray) -> float:
    frame = pd.DataFrame({"id": ids, "true": np.ravel(y), "pred": np.ravel(y_pred)})
    queries = [query for _, query in frame.groupby("id")]
    return float(np.mean([metric(q["true"].to_numpy(), q["pred"].to_numpy()) for q in queries]))


def _remembering_model(init: Callable[..., None]) -> Callable[..., None]:
    def remember(self: Any, model: Any, *args: Any, **kwargs: Any) -> None:
        init(self, model, *args, **kwargs)
        self._evaluated = model  # Keras 3 puts its own model over `_model` when the fit begins

    return remember


class _MetricName(str):
    """A metric's name, for Keras and for files; an old script finds it by the metric too."""

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, repr(other) if hasattr(other, "ALIAS") else other)

    __hash__ = str.__hash__
