"""The GRU over ragged sequences, in both directions or one, as a Keras layer; attention on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_attention.backend import keras
from ir_attention.models import packed, packed_back
from ir_attention.models.attention import AttentionPool, check_units
from ir_attention.models.numpy_ops import numpy_op, packs
from ir_attention.models.packed import WAYS
from ir_attention.models.ragged import padded_rows, ragged_words, real_words
from ir_attention.models.rooms import lent

__all__ = ["BiGRU", "attended"]

ops = keras.ops

Arrays = dict[str, np.ndarray]


@keras.saving.register_keras_serializable("ir_attention")
class BiGRU(keras.layers.Layer):
    """Reads sequences from both ends, or from the front alone; each step's output is the states.

    `z, r = sigmoid(x W + h R + b)`, `c = tanh(x W_c + b + r * (h R_c + b'))`,
    `h = z * h + (1 - z) * c` (Cho et al. 2014, with the reset after the product). Equal to
    `keras.layers.Bidirectional(GRU(units, return_sequences=True))` under a mask of `lengths`, with
    its weights in its order.

    Sequences are ragged: their words lie end to end. On TensorFlow's CPU real steps alone are
    computed, each distinct input once, with a gradient of its own (see `packed`). Elsewhere they
    are padded to rectangles: reversed by a gather, read forwards, and reversed back, so that no
    mask is needed and the fused kernels serve. With `bidirectional=False` there is no backward
    direction, neither weights nor work: the layer is `GRU(units, return_sequences=True)`, states
    are `units` wide, and with the same seed the forward weights are the same.

    Masking: by `lengths`; a mask of `inputs` is not looked at, but passed on. Padding may hold
    anything, and its output is 0.

    Args:
        units: Width of one direction's state, a positive integer.
        seed: Of the initial weights: glorot-uniform kernels, orthogonal recurrent kernels.
        packed: Whether to run packed. Default: where it is quicker, see `packs`.
        threads: How many take part when packed. The result does not depend on it.
        bidirectional: Whether sequences are read from the end too.

    Call arguments:
        inputs: Floats, `(words, width)`; or padded at the end of each row, `(rows, steps, width)`.
        lengths: Integers, `(rows,)`, the words of each sequence; 0 is allowed. Words after the
            last sequence's are padding.
        places: Which of `inputs` each word is, `(words,)`. Default: the words are the inputs.
        steps: The longest length there may be. Needed where sizes must be known beforehand, when
            `inputs` are not padded and the layer does not run packed.

    Returns:
        Floats, `(words, 2 * units)`, or `(rows, steps, 2 * units)`: forward, then backward. In one
        direction they are `units` wide.
    """

    def __init__(
        self,
        units: int,
        seed: int | None = None,
        packed: bool | None = None,
        threads: int = 1,
        *,
        bidirectional: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_units(units)
        self.units, self.seed, self.packed, self.threads = units, seed, packed, threads
        self.bidirectional = bidirectional
        self.supports_masking = True
        self.supports_jit = not self.runs_packed
        self.ways = []
        for number, name in enumerate(WAYS if bidirectional else WAYS[:1]):
            own = None if seed is None else 2 * seed + number
            way = keras.layers.GRU(
                units,
                return_sequences=True,
                kernel_initializer=keras.initializers.GlorotUniform(own),
                recurrent_initializer=keras.initializers.Orthogonal(seed=own),
                dtype=self.dtype_policy,
                name=name,
            )
            setattr(self, f"{name}_layer", way)  # PyTorch calls a layer by its `forward`
            self.ways.append(way)

    @property
    def width(self) -> int:
        """Of what comes out."""
        return len(self.ways) * self.units

    @property
    def runs_packed(self) -> bool:
        """Whether this layer runs packed here."""
        return packs() if self.packed is None else self.packed

    def build(self, inputs_shape: Any, lengths_shape: Any = None, places_shape: Any = None) -> None:
        for way in self.ways:
            way.build((None, None, inputs_shape[-1]))

    def call(self, inputs: Any, lengths: Any, places: Any = None, steps: int | None = None) -> Any:
        lengths = ops.cast(lengths, "int32")
        if len(inputs.shape) == 2:
            if self.runs_packed:
                return self._packed(inputs, lengths, places)
            words = ops.shape(inputs if places is None else places)[0]
            return ragged_words(
                self.padded(padded_rows(inputs, lengths, places, steps), lengths), lengths, words
            )
        if not self.runs_packed:
            return self.padded(inputs, lengths)
        rows, steps = ops.shape(inputs)[0], inputs.shape[1]
        table, places = real_words(inputs, lengths)
        states = self._packed(table, lengths, places)
        padded = ops.take(states, ops.argsort(places), axis=0)  # where they came from
        return ops.reshape(padded, (rows, steps, self.width))

    def padded(self, inputs: Any, lengths: Any) -> Any:
        """Any backend: `(rows, steps, any)` to `(rows, steps, self.width)`, without a mask."""
        steps = ops.shape(inputs)[1]
        time = ops.expand_dims(ops.arange(steps, dtype="int32"), 0)  # (1, steps)
        last = ops.expand_dims(lengths - 1, 1)
        real = ops.expand_dims(time <= last, -1)
        inputs = ops.where(real, inputs, ops.zeros_like(inputs))
        states = self.forward_layer(inputs)
        if self.bidirectional:
            # Real steps in reverse, padding where it was: its own inverse.
            mirror = ops.expand_dims(ops.where(time <= last, last - time, time), -1)
            backward = self.backward_layer(ops.take_along_axis(inputs, mirror, axis=1))
            backward = ops.take_along_axis(backward, mirror, axis=1)
            states = ops.concatenate([states, backward], axis=-1)
        return ops.where(real, states, ops.zeros_like(states))

    def named(self) -> dict[str, Any]:
        """The weights by the names that `models.packed` and bundles have for them."""
        return {
            f"{way.name}_{name}": getattr(way.cell, name)
            for way in self.ways
            for name in ("kernel", "recurrent_kernel", "bias")
        }

    def _packed(self, inputs: Any, lengths: Any, places: Any) -> Any:
        def there(floats: Arrays, given: Arrays) -> list[np.ndarray]:
            x, sizes, where = _real(floats, given)
            kept = lent(packed.kept_size(int(sizes.sum()), len(self.ways), self.units), x.dtype)
            states = packed.bidirectional_gru(
                x, sizes, floats, where, threads=self.threads, kept=kept
            )
            return [_filled(states, floats, given), kept]

        def back(
            gradients: list[np.ndarray], floats: Arrays, given: Arrays, kept: np.ndarray
        ) -> Arrays:
            x, sizes, where = _real(floats, given)
            of_states = gradients[0][: int(sizes.sum())]
            of_inputs, of_weights = packed_back.bidirectional_gru_gradients(
                of_states, x, sizes, floats, kept, where, threads=self.threads
            )
            return {**of_weights, "inputs": _filled(of_inputs, floats, {})}

        floats = {"inputs": inputs, **self.named()}
        given = {"lengths": lengths, "places": places}
        return numpy_op(there, back, floats, given, [(self.width,)])[0]

    def compute_output_shape(
        self, inputs_shape: Any, lengths_shape: Any = None, places_shape: Any = None
    ) -> Any:
        steps = inputs_shape[:-1] if places_shape is None else places_shape
        return (*steps, self.width)

    def get_config(self) -> dict[str, Any]:
        own = {
            "units": self.units,
            "seed": self.seed,
            "packed": self.packed,
            "threads": self.threads,
            "bidirectional": self.bidirectional,
        }
        return {**super().get_config(), **own}


def attended(
    gru: BiGRU,
    pool: AttentionPool,
    inputs: Any,
    lengths: Any,
    places: Any = None,
    steps: int | None = None,
) -> tuple[Any, Any]:
    """The states of a GRU, pooled by attention: one level of Yang et al. (2016), equations 1-7.

    Args:
        gru, pool: The layers, built; `pool` with a bias and tanh.
        inputs, lengths, places, steps: As of `BiGRU`, ragged.

    Returns:
        A vector of each sequence, `(rows, gru.width)`, zeros of one without words; and the weight
        of each word in its sequence, `(words,)`, 0 for padding.
    """
    lengths = ops.cast(lengths, "int32")
    if not gru.runs_packed:
        states = gru.padded(padded_rows(inputs, lengths, places, steps), lengths)
        mask = ops.arange(ops.shape(states)[1], dtype="int32") < ops.expand_dims(lengths, 1)
        weights = pool.attention(states, mask)
        vectors = ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), states), axis=1)
        words = ops.shape(inputs if places is None else places)[0]
        flat = ragged_words(ops.expand_dims(weights, -1), lengths, words)
        return vectors, ops.squeeze(flat, axis=-1)

    def there(floats: Arrays, given: Arrays) -> list[np.ndarray]:
        x, sizes, where = _real(floats, given)
        size = packed.kept_size(int(sizes.sum()), len(gru.ways), gru.units, len(floats["b"]))
        kept = lent(size, x.dtype)
        vectors, alpha = packed.attended_gru(
            x, sizes, floats, floats, where, threads=gru.threads, kept=kept
        )
        return [vectors, _filled(alpha, floats, given), kept]

    def back(
        gradients: list[np.ndarray], floats: Arrays, given: Arrays, kept: np.ndarray
    ) -> Arrays:
        x, sizes, where = _real(floats, given)
        outgoing = gradients[0], gradients[1][: int(sizes.sum())]
        of_inputs, of_gru, of_pool = packed_back.attended_gru_gradients(
            outgoing, x, sizes, floats, floats, kept, where, threads=gru.threads
        )
        return {**of_gru, **of_pool, "inputs": _filled(of_inputs, floats, {})}

    floats = {"inputs": inputs, **gru.named(), "W": pool.W, "b": pool.b, "u": pool.u}
    given = {"lengths": lengths, "places": places}
    vectors, alpha = numpy_op(there, back, floats, given, [(gru.width,), ()])
    return vectors, alpha


def _real(floats: Arrays, given: Arrays) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Inputs, lengths and places without the padding behind the words."""
    sizes = given["lengths"].astype(np.int64)
    total = int(sizes.sum())
    if "places" in given:
        return floats["inputs"], sizes, given["places"][:total]
    return floats["inputs"][:total], sizes, None


def _filled(values: np.ndarray, floats: Arrays, given: Arrays) -> np.ndarray:
    """With zeros for the padding behind them: of places, if there are any, or else of inputs."""
    size = len(given.get("places", floats["inputs"]))
    if len(values) == size:
        return values
    return np.concatenate([values, np.zeros((size - len(values), *values.shape[1:]), values.dtype)])
