"""Pooling of sequences by more than one weighting, by a query's, and without learnt weights.

Steps with a mask, `(..., steps, width)`, are pooled by layers; ragged ones, `(words, width)` with
the lengths beside them, by the functions of `RAGGED`. Twins in NumPy are in `attention_twins.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ir_attention.backend import keras
from ir_attention.models.attention import (
    check_units,
    masked_softmax,
    own_initializer,
    real_steps,
    weighted_sum,
)
from ir_attention.models.ragged import rows_of, segment_sums

__all__ = ["RAGGED", "ConditionedPool", "MaxPool", "MeanPool", "MultiHopPool", "overlap"]

ops = keras.ops


class _Pool(keras.layers.Layer):
    """What the pools have in common: steps and their mask end here; the weights on request."""

    def __init__(self, *, return_weights: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.return_weights = return_weights
        self.supports_masking = True

    def _add(self, **shapes: tuple[int, ...]) -> None:
        """Adds the weights of these names, by the layer's `initializer`."""
        for number, (name, shape) in enumerate(shapes.items()):
            initializer = own_initializer(self.initializer, number)
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer=initializer))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return (None, None) if self.return_weights else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        pooled = (*input_shape[:-2], input_shape[-1])
        return (pooled, tuple(input_shape[:-1])) if self.return_weights else pooled

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "return_weights": self.return_weights}


@keras.saving.register_keras_serializable("ir_attention")
class MeanPool(_Pool):
    """The mean of a sequence's steps: what HN-AVE of Yang et al. (2016, section 3.4) pools by.

    Masking: as of `AttentionPool`; the mean is over the steps that are left, 0 if none is.

    Args:
        return_weights: Whether a call returns the weights too.

    Call arguments:
        inputs: Floats, `(..., steps, width)`.
        mask: Booleans, `(..., steps)`; False is padding. Default: no padding.

    Returns:
        Floats, `(..., width)`; with `return_weights` a pair, of this and `(..., steps)`: one over
        the number of real steps at each of them.
    """

    def attention(self, inputs: Any, mask: Any = None) -> Any:
        """The weights alone, `(..., steps)`."""
        return masked_softmax(ops.zeros_like(inputs[..., 0]), mask)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        weights = self.attention(inputs, mask)
        pooled = weighted_sum(weights, real_steps(inputs, mask))
        return (pooled, weights) if self.return_weights else pooled


@keras.saving.register_keras_serializable("ir_attention")
class MaxPool(_Pool):
    """The largest of each feature over the steps: HN-MAX of Yang et al. (2016, section 3.4).

    Masking: as of `AttentionPool`; the largest is that of the steps that are left, 0 if none is.

    Args:
        return_weights: Whether a call returns the weights too.

    Call arguments:
        inputs: Floats, `(..., steps, width)`.
        mask: Booleans, `(..., steps)`; False is padding. Default: no padding.

    Returns:
        Floats, `(..., width)`; with `return_weights` a pair, of this and `(..., steps)`: the share
        of the features whose largest value stands at that step. Steps that tie share a feature.
    """

    def attention(self, inputs: Any, mask: Any = None) -> Any:
        """The weights alone, `(..., steps)`."""
        highest = _highest(inputs, mask)
        at_top = inputs == ops.max(highest, axis=-2, keepdims=True)
        if mask is not None:
            at_top = ops.logical_and(at_top, ops.expand_dims(mask, -1))
        # In float32: half precision counts only so far.
        at_top = ops.cast(at_top, "float32")
        ties = ops.sum(at_top, axis=-2, keepdims=True)
        return ops.cast(ops.mean(at_top / ops.maximum(ties, 1.0), axis=-1), inputs.dtype)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        pooled = ops.max(_highest(inputs, mask), axis=-2)
        if mask is not None:
            some = ops.any(ops.expand_dims(mask, -1), axis=-2)
            pooled = ops.where(some, pooled, ops.zeros_like(pooled))
        return (pooled, self.attention(inputs, mask)) if self.return_weights else pooled


@keras.saving.register_keras_serializable("ir_attention")
class MultiHopPool(_Pool):
    """Pools a sequence into several vectors, each by a weighting of its own.

    `A = softmax(tanh(inputs @ W1) @ W2)` over the steps, `(..., hops, steps)`, and the output is
    `A @ inputs`, `(..., hops, width)`: Lin et al. (2017), equations 6 and 7. Nothing keeps the hops
    from looking at the same steps but `penalty` times `||A A' - I||^2` (Frobenius; equation 8),
    which is added to the loss: the mean over the sequences that have a step.

    Masking: as of `AttentionPool`, for each hop; a sequence with every step masked gives zeros and
    no penalty.

    Args:
        hops: How many vectors, a positive integer (30 in the paper).
        units: Width of the hidden layer, a positive integer (350 in the paper). Default: the width
            of the input.
        penalty: How much the overlap of hops adds to the loss, 0 or more (1 in the paper).
        initializer: Of `W1` `(width, units)` and `W2` `(units, hops)`.
        return_weights: Whether a call returns the weights too.

    Call arguments:
        inputs: Floats, `(..., steps, width)`.
        mask: Booleans, `(..., steps)`; False is padding. Default: no padding.

    Returns:
        Floats, `(..., hops, width)`; with `return_weights` a pair, of this and
        `(..., hops, steps)`.
    """

    def __init__(
        self,
        hops: int,
        units: int | None = None,
        *,
        penalty: float = 0.0,
        initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_units(hops, "hops")
        if units is not None:
            check_units(units)
        if not 0 <= penalty < float("inf"):
            raise ValueError(f"`penalty` must be 0 or more, and finite. Received: {penalty=!r}")
        self.hops, self.units, self.penalty = hops, units, penalty
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape: Any) -> None:
        width = input_shape[-1]
        units = self.units or width
        self._add(W1=(width, units), W2=(units, self.hops))

    def attention(self, inputs: Any, mask: Any = None) -> Any:
        """The weights alone, `(..., hops, steps)`."""
        logits = ops.matmul(ops.tanh(ops.matmul(inputs, self.W1)), self.W2)
        mask = None if mask is None else ops.expand_dims(mask, -2)
        return masked_softmax(ops.swapaxes(logits, -1, -2), mask)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        inputs = real_steps(inputs, mask)
        weights = self.attention(inputs, mask)
        if self.penalty:
            self.add_loss(self.penalty * _mean_overlap(weights, mask))
        pooled = ops.matmul(weights, inputs)
        return (pooled, weights) if self.return_weights else pooled

    def compute_output_shape(self, input_shape: Any) -> Any:
        *batch, steps, width = input_shape
        pooled, weights = (*batch, self.hops, width), (*batch, self.hops, steps)
        return (pooled, weights) if self.return_weights else pooled

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "hops": self.hops,
            "units": self.units,
            "penalty": self.penalty,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable("ir_attention")
class ConditionedPool(_Pool):
    """Pools a sequence in the light of a query: two queries, two weightings of one document.

    `hidden = f(inputs @ W + query @ V + b)`, `weights = softmax(hidden @ u)` over the steps; the
    output is the sum of `weights * inputs`. This is the idea of Wang et al. (2016, aspect-level
    sentiment), who lay an aspect's vector beside each step before scoring it. As
    printed there (equation 7) tanh is taken of both projections side by side; what the aspect adds
    to a score is then the same at every step, and the softmax drops it. Here they are added within
    tanh, so that the score of a step depends on both.

    Masking: as of `AttentionPool`; a mask of `query` is not looked at.

    Args:
        units: Width of `hidden`, a positive integer. Default: the width of the input.
        activation: `f`, any Keras activation. With a linear one the query would have no say.
        initializer: Of `W` `(width, units)`, `V` `(query width, units)` and `u` `(units, 1)`; `b`
            `(units,)` starts at 0.
        use_bias: Whether there is a `b`.
        return_weights: Whether a call returns the weights too.

    Call arguments:
        inputs: Floats, `(..., steps, width)`: words of a sentence, or sentences of a document.
        query: Floats, `(..., query width)`. It may have fewer axes before the last than `inputs`
            before the steps: `(batch, query width)` is for all sentences of
            `(batch, sents, words, width)`.
        inputs_mask: Booleans, `(..., steps)`; False is padding. Default: no padding.

    Returns:
        Floats, `(..., width)`; with `return_weights` a pair, of this and `(..., steps)`.
    """

    def __init__(
        self,
        units: int | None = None,
        activation: Any = "tanh",
        *,
        initializer: Any = "glorot_uniform",
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if units is not None:
            check_units(units)
        self.units, self.use_bias = units, use_bias
        self.activation = keras.activations.get(activation)
        self.initializer = keras.initializers.get(initializer)

    def build(self, inputs_shape: Any, query_shape: Any) -> None:
        if len(query_shape) >= len(inputs_shape):
            raise ValueError(
                "The query must be one vector for each sequence, with fewer axes than the inputs. "
                f"Received: inputs_shape={tuple(inputs_shape)}, query_shape={tuple(query_shape)}"
            )
        units = self.units or inputs_shape[-1]
        self._add(W=(inputs_shape[-1], units), V=(query_shape[-1], units), u=(units, 1))
        bias = {"name": "b", "shape": (units,), "initializer": "zeros"}
        self.b = self.add_weight(**bias) if self.use_bias else None

    def attention(self, inputs: Any, query: Any, inputs_mask: Any = None) -> Any:
        """The weights alone, `(..., steps)`."""
        wanted = ops.matmul(query, self.V)
        for _ in range(len(inputs.shape) - len(query.shape)):
            wanted = ops.expand_dims(wanted, -2)
        hidden = ops.matmul(inputs, self.W) + wanted
        if self.b is not None:
            hidden = hidden + self.b
        logits = ops.squeeze(ops.matmul(self.activation(hidden), self.u), axis=-1)
        return masked_softmax(logits, inputs_mask)

    def call(self, inputs: Any, query: Any, inputs_mask: Any = None) -> Any:
        inputs = real_steps(inputs, inputs_mask)
        weights = self.attention(inputs, query, inputs_mask)
        pooled = weighted_sum(weights, inputs)
        return (pooled, weights) if self.return_weights else pooled

    def compute_output_shape(self, inputs_shape: Any, query_shape: Any = None) -> Any:
        return super().compute_output_shape(inputs_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "initializer": keras.initializers.serialize(self.initializer),
            "use_bias": self.use_bias,
        }


def overlap(weights: Any) -> Any:
    """`||A A' - I||^2` of each matrix of weights, `(..., hops, steps)` to `(...)`.

    0 if every hop has a step of its own; `hops * (hops - 1)` if all look at one and the same.
    """
    products = ops.matmul(weights, ops.swapaxes(weights, -1, -2))
    difference = products - ops.eye(weights.shape[-2], dtype=weights.dtype)
    return ops.sum(ops.square(difference), axis=(-2, -1))


def _mean_overlap(weights: Any, mask: Any) -> Any:
    """The mean over the sequences that have a step, at least in float32."""
    weights = ops.cast(weights, keras.backend.result_type(weights.dtype, "float32"))
    each = overlap(weights)
    if mask is None:
        return ops.mean(each)
    some = ops.cast(ops.any(mask, axis=-1), each.dtype)
    return ops.sum(each * some) / ops.maximum(ops.sum(some), 1.0)


def _highest(inputs: Any, mask: Any) -> Any:
    """`inputs`, with what no maximum can be at masked steps."""
    if mask is None:
        return inputs
    lowest = ops.full_like(inputs, -float("inf"))
    return ops.where(ops.expand_dims(mask, -1), inputs, lowest)


def _ragged_mean(words: Any, lengths: Any) -> tuple[Any, Any]:
    shares = 1 / ops.cast(ops.maximum(lengths, 1), words.dtype)
    weights = _of_words(shares, lengths, words)
    return segment_sums(words * ops.expand_dims(weights, 1), lengths), weights


def _ragged_max(words: Any, lengths: Any) -> tuple[Any, Any]:
    rows = ops.shape(lengths)[0]
    row = rows_of(lengths, ops.shape(words)[0])
    tops = ops.segment_max(words, row, num_segments=rows + 1)[:-1]
    tops = ops.where(ops.expand_dims(lengths > 0, 1), tops, ops.zeros_like(tops))
    at_top = ops.cast(words == _of_words(tops, lengths, words), "float32")
    ties = _of_words(segment_sums(at_top, lengths), lengths, words)
    weights = ops.cast(ops.mean(at_top / ops.maximum(ties, 1.0), axis=1), words.dtype)
    real = ops.cast(row < rows, words.dtype)
    return tops, weights * real


def _of_words(values: Any, lengths: Any, words: Any) -> Any:
    """What each word's sequence has, `(rows, ...)` to `(words, ...)`; 0 for padding."""
    padded = ops.concatenate([values, ops.zeros((1, *values.shape[1:]), values.dtype)])
    return ops.take(padded, rows_of(lengths, ops.shape(words)[0]), axis=0)


# From words `(words, width)`, zeros at padding, and lengths `(rows,)`, to a vector of each sequence
# `(rows, width)`, 0 of one without words, and the weight of each word `(words,)`.
RAGGED: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "max": _ragged_max,
    "mean": _ragged_mean,
}
