"""The mean of a model's weights over its last steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["WeightAverage"]

# Steps between two looks at the weights: a look at all of them takes as long as a small step.
_EVERY = 10


class WeightAverage:
    """An exponential mean of the trained weights, which jump less than the weights themselves.

    Polyak and Juditsky (1992). Every ten steps `m = d m + (1 - d) w`, with
    `d = min(decay, (1 + n) / (10 + n))` after `n` of these, so that the start is soon forgotten.

    Args:
        model: A Keras model.
        decay: Below 1; with 0 the mean is the weights.
    """

    def __init__(self, model: Any, decay: float) -> None:
        self.model, self.decay = model, decay
        self._mean: list[np.ndarray] = []
        self._seen = 0

    def step(self, number: int) -> None:
        """Is told that a step is over.

        Args:
            number: Of the step, from 1.
        """
        if not self.decay or number % _EVERY:
            return
        weights = self._weights()
        if not self._mean:
            self._mean = [weight.copy() for weight in weights]
        self._seen += 1
        decay = np.float32(min(self.decay, (1 + self._seen) / (10 + self._seen)))
        for mean, weight in zip(self._mean, weights, strict=True):
            mean *= decay
            mean += (1 - decay) * weight

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The model has the mean for its weights, and afterwards its own ones again."""
        if not self._mean:
            yield
            return
        own = self._weights()
        self._assign(self._mean)
        try:
            yield
        finally:
            self._assign(own)

    def _weights(self) -> list[np.ndarray]:
        # On JAX the weights are elsewhere during `fit`.
        getattr(self.model, "jax_state_sync", lambda: None)()
        return [np.array(weight.numpy()) for weight in self.model.trainable_weights]

    def _assign(self, values: list[np.ndarray]) -> None:
        for weight, value in zip(self.model.trainable_weights, values, strict=True):
            weight.assign(value)
