"""One step of a training on TensorFlow, traced once for batches of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ir_attention.backend import load_tensorflow

__all__ = ["fit_packed", "step_of"]


def step_of(model: Any, inputs: dict[str, Any], target: np.ndarray) -> Any:
    """A step of training on a batch of any size, traced once, whose logs are returned."""
    tf = load_tensorflow()

    def any_size(array: Any) -> Any:
        sparse = isinstance(array, tf.SparseTensor)
        spec = tf.SparseTensorSpec if sparse else tf.TensorSpec
        return spec((None, *array.shape[1:]), array.dtype)

    signature = [{name: any_size(one) for name, one in inputs.items()}, any_size(target)]
    model.optimizer.build(model.trainable_variables)
    return tf.function(lambda x, y: model.train_step((x, y)), input_signature=signature)


def fit_packed(
    model: Any,
    data: Any,
    step: Any = None,
    told: Callable[[int, dict[str, Any]], None] = lambda number, logs: None,
) -> tuple[float, Any]:
    """What `model.fit` does in an epoch, without its road for data, a quarter of a step.

    Args:
        model: Compiled.
        data: Its batches, by number.
        step: What the epoch before gave back.
        told: Is told after each step its number, from 1, and the means of the epoch so far.

    Returns:
        The loss, and the step as it was traced, for the next epoch.
    """
    model.reset_metrics()
    step = step or step_of(model, *data[0])
    for number in range(len(data)):
        logs = step(*data[number])
        told(number + 1, logs)
    return float(logs["loss"]), step
