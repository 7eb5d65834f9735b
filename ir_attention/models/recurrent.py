"""The bidirectional GRU over ragged sequences, as a Keras layer that needs no mask inside."""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras, load_tensorflow
from ir_attention.models.attention import check_units

__all__ = ["BiGRU"]

ops = keras.ops


@keras.saving.register_keras_serializable("ir_attention")
class BiGRU(keras.layers.Layer):
    """Reads a sequence from both ends; each step's output is both states side by side.

    `z, r = sigmoid(x W + h R + b)`, `c = tanh(x W_c + b + r * (h R_c + b'))`,
    `h = z * h + (1 - z) * c` (Cho et al. 2014, with the reset after the product). Equal to
    `keras.layers.Bidirectional(GRU(units, return_sequences=True))` under a mask of `lengths`.

    Masking: by `lengths`; a mask of `inputs` is not looked at, but passed on. Padding stands at
    the end and may hold anything; the backward direction starts at the last real step. The output
    is 0 at padding.

    Args:
        units: Width of one direction's state, a positive integer.
        seed: Of the initial weights: glorot-uniform kernels, orthogonal recurrent kernels.

    Call arguments:
        inputs: Floats, `(batch, steps, width)`; `steps` is static.
        lengths: Integers, `(batch,)`, 0 to `steps`.

    Returns:
        Floats, `(batch, steps, 2 * units)`: forward, then backward.
    """

    def __init__(self, units: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_units(units)
        self.units = units
        self.seed = seed
        self.supports_masking = True

    def build(self, inputs_shape: Any, lengths_shape: Any = None) -> None:
        shape = {
            "kernel": (inputs_shape[-1], 3 * self.units),
            "recurrent_kernel": (self.units, 3 * self.units),
            "bias": (2, 3 * self.units),
        }
        for number, direction in enumerate(("forward", "backward")):
            seed = None if self.seed is None else 2 * self.seed + number
            initial: dict[str, Any] = {
                "kernel": keras.initializers.GlorotUniform(seed),
                "recurrent_kernel": keras.initializers.Orthogonal(seed=seed),
                "bias": "zeros",
            }
            for name in shape:
                weight = self.add_weight(
                    name=f"{direction}_{name}", shape=shape[name], initializer=initial[name]
                )
                setattr(self, f"{direction}_{name}", weight)

    def call(self, inputs: Any, lengths: Any) -> Any:
        if keras.backend.backend() == "tensorflow":
            return self._packed(inputs, ops.cast(lengths, "int32"))
        return self._padded(inputs, ops.cast(lengths, "int32"))

    def _padded(self, inputs: Any, lengths: Any) -> Any:
        """Any backend: every step of every row, both directions as one batch of two."""
        time = ops.expand_dims(ops.arange(inputs.shape[1], dtype="int32"), 0)  # (1, steps)
        last = ops.expand_dims(lengths - 1, 1)  # (batch, 1)
        real = ops.expand_dims(time <= last, -1)
        inputs = ops.where(real, inputs, ops.zeros_like(inputs))
        # Real steps in reverse, padding where it was: its own inverse.
        mirror = ops.expand_dims(ops.where(time <= last, last - time, time), -1)
        gates = ops.stack(  # (2, batch, steps, 3 * units)
            [
                ops.matmul(inputs, self.forward_kernel) + self.forward_bias[0],
                ops.matmul(ops.take_along_axis(inputs, mirror, axis=1), self.backward_kernel)
                + self.backward_bias[0],
            ]
        )
        recurrent = ops.concatenate(  # (2, units, 3 * units)
            [self.forward_recurrent_kernel[None], self.backward_recurrent_kernel[None]]
        )
        bias = ops.stack([self.forward_bias[1:], self.backward_bias[1:]])  # (2, 1, 3 * units)

        def step(state: Any, gates: Any) -> tuple[Any, Any]:
            state = self._step(gates, state, recurrent, bias)
            return state, state

        start = ops.zeros_like(gates[:, :, 0, : self.units])  # (2, batch, units)
        _, states = ops.scan(step, start, ops.transpose(gates, (2, 0, 1, 3)))
        both = ops.transpose(states, (1, 2, 0, 3))  # (2, batch, steps, units)
        backward = ops.take_along_axis(both[1], mirror, axis=1)
        outputs = ops.concatenate([both[0], backward], axis=-1)
        return ops.where(real, outputs, ops.zeros_like(outputs))

    def _packed(self, inputs: Any, lengths: Any) -> Any:
        """TensorFlow, where sizes may change from step to step: real steps only.

        Rows are sorted by length, longest first; at step t the first `live[t]` are still running,
        and each product is of these alone.
        """
        tf = load_tensorflow()
        rows, steps = tf.shape(inputs)[0], inputs.shape[1]
        order = tf.argsort(-lengths, stable=True)
        longest = tf.gather(lengths, order)
        live = tf.reduce_sum(tf.cast(longest[None] > tf.range(steps)[:, None], "int32"), axis=1)
        # Slot by slot, step after step: the row it belongs to, and its place there.
        time = tf.repeat(tf.range(steps), live)
        rank = tf.range(tf.size(time)) - tf.repeat(tf.cumsum(live, exclusive=True), live)
        row, length = tf.gather(order, rank), tf.gather(longest, rank)
        places = {"forward": row * steps + time, "backward": row * steps + length - 1 - time}
        flat = tf.reshape(inputs, (-1, inputs.shape[2]))
        weights = {way: self._weights(way, flat.dtype) for way in places}
        gates = {
            way: _array(tf, flat.dtype, steps, 3 * self.units).split(
                tf.matmul(tf.gather(flat, places[way]), kernel) + bias[0], live
            )
            for way, (kernel, _, bias) in weights.items()
        }

        def step(at: Any, states: Any, outputs: Any) -> Any:
            new = {
                way: self._step(gates[way].read(at), states[way][: live[at]], recurrent, bias[1])
                for way, (_, recurrent, bias) in weights.items()
            }
            return at + 1, new, {way: outputs[way].write(at, new[way]) for way in new}

        start = tf.zeros((rows, self.units), flat.dtype)
        outputs = {way: _array(tf, flat.dtype, steps, self.units) for way in places}
        any_rows = tf.TensorShape((None, self.units))
        _, _, outputs = tf.while_loop(
            lambda at, *_: at < steps,
            step,
            (0, {way: start for way in places}, outputs),
            shape_invariants=(
                tf.TensorShape(()),
                {way: any_rows for way in places},
                {way: tf.TensorShape(None) for way in places},
            ),
            maximum_iterations=steps,
        )
        shape = (rows * steps, self.units)
        padded = [
            tf.scatter_nd(places[way][:, None], outputs[way].concat(), shape) for way in places
        ]
        return tf.reshape(tf.concat(padded, axis=1), (rows, steps, 2 * self.units))

    def _weights(self, way: str, dtype: Any) -> list[Any]:
        names = ("kernel", "recurrent_kernel", "bias")
        return [ops.cast(getattr(self, f"{way}_{name}"), dtype) for name in names]

    def _step(self, x: Any, state: Any, recurrent: Any, bias: Any) -> Any:
        h = ops.matmul(state, recurrent) + bias
        split = 2 * self.units
        gates = ops.sigmoid(x[..., :split] + h[..., :split])
        update, reset = gates[..., : self.units], gates[..., self.units :]
        candidate = ops.tanh(x[..., split:] + reset * h[..., split:])
        return candidate + update * (state - candidate)

    def compute_output_shape(self, inputs_shape: Any, lengths_shape: Any = None) -> Any:
        return (*inputs_shape[:-1], 2 * self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "seed": self.seed}


def _array(tf: Any, dtype: Any, steps: int, width: int) -> Any:
    """A TensorArray of `steps` matrices `(any, width)`."""
    return tf.TensorArray(dtype, size=steps, infer_shape=False, element_shape=(None, width))
