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
            grads = [_summed(one) for one in grads]
        return super().apply(grads, trainable_variables)

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        """As Keras; of a table's gradient only the rows that there are go into its norm."""
        if keras.backend.backend() != "tensorflow" or not self.global_clipnorm:
            return super()._clip_gradients(grads)
        tf = load_tensorflow()
        kept = [one for one in grads if one is not None]
        squares = [tf.reduce_sum(tf.square(getattr(one, "values", one))) for one in kept]
        norm = tf.sqrt(tf.add_n([tf.cast(one, "float32") for one in squares]))
        # Not a number stays what it is, and the loss says so.
        factor = self.global_clipnorm / tf.maximum(norm, self.global_clipnorm)
        return [one if one is None else _times(one, factor) for one in grads]

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
            grad=tf.cast(tf.convert_to_tensor(gradient), dtype),
        )


def _summed(gradient: Any) -> Any:
    """A gradient in rows with each row once; any other as it is."""
    tf = load_tensorflow()
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def _times(gradient: Any, factor: Any) -> Any:
    tf = load_tensorflow()
    if isinstance(gradient, tf.IndexedSlices):
        values = gradient.values * tf.cast(factor, gradient.values.dtype)
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return gradient * tf.cast(factor, gradient.dtype)
