"""How the learning rate goes from step to step."""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras

__all__ = ["WarmupDecay"]


@keras.saving.register_keras_serializable("ir_attention")
class WarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to `rate` in `warmup` steps; falls linearly to a tenth at `steps`."""

    def __init__(self, rate: float, warmup: int, steps: int) -> None:
        self.rate, self.warmup, self.steps = rate, warmup, steps

    def __call__(self, step: Any) -> Any:
        ops = keras.ops
        step = ops.cast(step, "float32")
        rise = ops.minimum((step + 1.0) / max(self.warmup, 1), 1.0)
        return self.rate * rise * (1.0 - 0.9 * ops.minimum(step / max(self.steps, 1), 1.0))

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "warmup": self.warmup, "steps": self.steps}
