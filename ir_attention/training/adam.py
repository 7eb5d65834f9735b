"""Adam with one operation per weight on TensorFlow, and the true update for repeated tokens."""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras, load_tensorflow

__all__ = ["Adam"]

ops = keras.ops


@keras.saving.register_keras_serializable("ir_attention")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, the same numbers in one pass on TensorFlow. Kingma and Ba (2015).

    `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, `w -= r m / (sqrt(v) + e)` with
    `r = rate sqrt(1 - b2^t) / (1 - b1^t)`.

    The gradient of a table of vectors comes in rows, and a row may come several times. They are
    summed before they are squared, as in a dense update; Keras's own, on TensorFlow, squares each
    by itself. Rows that got no gradient move on by their moments, also as in a dense update.

    Args: as of `keras.optimizers.Adam`. With `amsgrad`, and on other backends, it is that one.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        if keras.backend.backend() == "tensorflow":
            # Summed before their norm is taken, where there is a limit to it.
            tensor = load_tensorflow().convert_to_tensor
            grads = [one if one is None else tensor(one) for one in grads]
        return super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        tf = load_tensorflow()
        dtype = variable.dtype
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, dtype)
        slots = (self._momentums[index], self._velocities[index])
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,  # of TensorFlow's own variable, which Keras passes here
            m=slots[0].value.handle,
            v=slots[1].value.handle,
            beta1_power=tf.cast(self.beta_1, dtype) ** step,
            beta2_power=tf.cast(self.beta_2, dtype) ** step,
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.cast(self.beta_1, dtype),
            beta2=tf.cast(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )
