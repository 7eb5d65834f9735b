"""Attention of a query over values by any of five scores, and of a sequence by its last state.

The query is one vector, `(..., width)`, or rows of them, `(..., rows, width)`; values are
`(..., cols, width)`. Each score is a function of arrays; the layers only own the weights. Twins in
NumPy are in `attention_twins.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ir_attention.backend import keras
from ir_attention.models.attention import (
    additive_scores,
    check_units,
    masked_softmax,
    own_initializer,
    real_steps,
    weighted_sum,
)

__all__ = ["SCORES", "LastStateAttention", "ScoredAttention", "last_state"]

ops = keras.ops

Weights = dict[str, Any]


def _dot(query: Any, value: Any, weights: Weights) -> Any:
    return ops.matmul(query, ops.swapaxes(value, -1, -2))


def _scaled_dot(query: Any, value: Any, weights: Weights) -> Any:
    # Before the product, which might overflow in float16.
    return _dot(query / query.shape[-1] ** 0.5, value, weights)


def _general(query: Any, value: Any, weights: Weights) -> Any:
    return _dot(ops.matmul(query, weights["kernel"]), value, weights)


def _concat(query: Any, value: Any, weights: Weights) -> Any:
    # `W [q; k]` is `W_1 q + W_2 k`: no pair need be laid side by side.
    width, kernel = query.shape[-1], weights["kernel"]
    query, value = ops.matmul(query, kernel[:width]), ops.matmul(value, kernel[width:])
    return additive_scores(query, value, {"scale": weights["scale"]})


# From a query `(..., rows, width)`, values `(..., cols, width)` and the weights by name to scores
# `(..., rows, cols)`.
SCORES: dict[str, Callable[[Any, Any, Weights], Any]] = {
    "additive": additive_scores,
    "concat": _concat,
    "dot": _dot,
    "general": _general,
    "scaled_dot": _scaled_dot,
}

# Those with a hidden layer, which has a width.
_WITH_UNITS = ("additive", "concat")


@keras.saving.register_keras_serializable("ir_attention")
class ScoredAttention(keras.layers.Layer):
    """A query attends over values; `score` says how well the one fits the other.

    `weights = softmax(score(query, value))` over the values, and the output is `weights @ value`.
    The scores of a query q with a value k:

    - `dot`: `q . k` (Luong et al. 2015, section 3.1, as are `general` and `concat`);
    - `scaled_dot`: `q . k / sqrt(width)` (Vaswani et al. 2017, equation 1);
    - `general`: `q W k`, with `kernel` W, `(query width, value width)`;
    - `concat`: `v . tanh(W [q; k])`, with `kernel` W, `(query width + value width, units)`, and
      `scale` v, `(units, 1)`;
    - `additive`: `v . tanh(W q + U k)`, with `query_kernel` W, `value_kernel` U and `scale` v
      (Bahdanau et al. 2015, section A.1.2); without `units` `v . tanh(q + k)`. It is what
      `AdditiveAttention` computes, and the same function as `concat`, with two kernels.

    Masking: the mask of `value` is used; a masked step of it has weight exactly 0 and no say, even
    if it holds NaN, and where all are masked weights and output are 0. The steps of the values end
    here, and so does their mask. The mask of `query` is passed on: its steps are those of the
    output, and those of padding attend like any other.

    Args:
        score: A name from the list above.
        units: Of `concat` and `additive`, the size of the attention, a positive integer. Default:
            the query's width for `concat`, no kernels for `additive`.
        initializer: Of all weights.
        return_weights: Whether a call returns the weights too.

    Call arguments:
        query: Floats, `(..., width)`, one vector for all of the values; or `(..., rows, width)`.
        value: Floats, `(..., cols, width)`; the axes before the last two equal those of `query`.
        value_mask: Booleans, `(..., cols)`; False is padding. Default: no padding.

    Returns:
        Floats, of the query's shape but with the width of the values; with `return_weights` a
        pair, of this and the weights, `(..., cols)` or `(..., rows, cols)`.

    Example:

    >>> attend = ScoredAttention("scaled_dot", return_weights=True)
    >>> output, weights = attend(keras.ops.ones((2, 3)), keras.ops.ones((2, 5, 3)))
    >>> tuple(output.shape), tuple(weights.shape)
    ((2, 3), (2, 5))
    """

    def __init__(
        self,
        score: str = "dot",
        units: int | None = None,
        *,
        initializer: Any = "glorot_uniform",
        return_weights: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score not in SCORES:
            raise ValueError(f"`score` must be one of {tuple(SCORES)}. Received: score={score!r}")
        if units is not None:
            check_units(units)
            if score not in _WITH_UNITS:
                raise ValueError(
                    f"`units` are of the scores {_WITH_UNITS} only. "
                    f"Received: units={units!r}, score={score!r}"
                )
        self.score, self.units, self.return_weights = score, units, return_weights
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, query_shape: Any, value_shape: Any) -> None:
        query, value = query_shape[-1], value_shape[-1]
        shapes = _shapes(self.score, query, value, self.units)
        received = f"query_shape={tuple(query_shape)}, value_shape={tuple(value_shape)}"
        if len(value_shape) - len(query_shape) not in (0, 1):
            raise ValueError(
                f"The query must have as many axes as the values, or one less. Received: {received}"
            )
        if query != value and not any(name.endswith("kernel") for name in shapes):
            raise ValueError(
                f"Without a kernel, the score {self.score!r} needs a query as wide as the values. "
                f"Received: {received}"
            )
        for number, (name, shape) in enumerate(shapes.items()):
            initializer = own_initializer(self.initializer, number)
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer=initializer))
        self._names = tuple(shapes)

    def named(self) -> Weights:
        """The weights by name, as `SCORES` takes them."""
        return {name: getattr(self, name) for name in self._names}

    def logits(self, query: Any, value: Any) -> Any:
        """The scores before the softmax, `(..., cols)` or `(..., rows, cols)`."""
        single = len(query.shape) < len(value.shape)
        rows = ops.expand_dims(query, -2) if single else query
        logits = SCORES[self.score](rows, value, self.named())
        return ops.squeeze(logits, axis=-2) if single else logits

    def attention(self, query: Any, value: Any, value_mask: Any = None) -> Any:
        """The weights alone, `(..., cols)` or `(..., rows, cols)`."""
        if value_mask is not None and len(query.shape) == len(value.shape):
            value_mask = ops.expand_dims(value_mask, -2)
        return masked_softmax(self.logits(query, value), value_mask)

    def call(self, query: Any, value: Any, value_mask: Any = None) -> Any:
        value = real_steps(value, value_mask)
        weights = self.attention(query, value, value_mask)
        if len(query.shape) < len(value.shape):
            output = weighted_sum(weights, value)
        else:
            output = ops.matmul(weights, value)
        return (output, weights) if self.return_weights else output

    def compute_mask(self, query: Any, previous_mask: Any = None) -> Any:
        return (previous_mask, previous_mask) if self.return_weights else previous_mask

    def compute_output_shape(self, query_shape: Any, value_shape: Any) -> Any:
        output = (*query_shape[:-1], value_shape[-1])
        weights = (*query_shape[:-1], value_shape[-2])
        return (output, weights) if self.return_weights else output

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "score": self.score,
            "units": self.units,
            "initializer": keras.initializers.serialize(self.initializer),
            "return_weights": self.return_weights,
        }


@keras.saving.register_keras_serializable("ir_attention")
class LastStateAttention(keras.layers.Layer):
    """A sequence pooled by what its own last state attends to.

    `weights = softmax(score(last, inputs))` over the steps and their weighted sum, where `last` is
    the last *real* step: of the states of an LSTM, what it knew at the end of the text rather than
    at the end of the padding. The attended state and the last, side by side, are
    `ops.concatenate([layer(states), last_state(states, mask)], axis=-1)`.

    Masking: uses the mask of its input and passes none on, as the steps are gone. The last real
    step is the last one whose mask is True, wherever padding stands; a masked step has weight
    exactly 0 and no say, and a sequence with every step masked gives weights and output of 0.

    Args:
        score, units, initializer, return_weights: As of `ScoredAttention`.

    Call arguments:
        inputs: Floats, `(..., steps, width)`.
        mask: Booleans, `(..., steps)`; False is padding. Default: no padding.

    Returns:
        Floats, `(..., width)`; with `return_weights` a pair, of this and `(..., steps)`.
    """

    def __init__(
        self,
        score: str = "dot",
        units: int | None = None,
        *,
        initializer: Any = "glorot_uniform",
        return_weights: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.score, self.units, self.return_weights = score, units, return_weights
        self.initializer = keras.initializers.get(initializer)
        self.scored = ScoredAttention(
            score,
            units,
            initializer=self.initializer,
            return_weights=return_weights,
            dtype=self.dtype_policy,
            name="scored",
        )
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.scored.build((*input_shape[:-2], input_shape[-1]), input_shape)

    def attention(self, inputs: Any, mask: Any = None) -> Any:
        """The weights alone, `(..., steps)`."""
        return self.scored.attention(last_state(inputs, mask), inputs, mask)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return self.scored(last_state(inputs, mask), inputs, value_mask=mask)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return (None, None) if self.return_weights else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        last = (*input_shape[:-2], input_shape[-1])
        return self.scored.compute_output_shape(last, input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "score": self.score,
            "units": self.units,
            "initializer": keras.initializers.serialize(self.initializer),
            "return_weights": self.return_weights,
        }


def last_state(inputs: Any, mask: Any = None) -> Any:
    """The last step that `mask` leaves in, `(..., steps, width)` to `(..., width)`; 0 if none."""
    if mask is None:
        return inputs[..., -1, :]
    steps = ops.arange(ops.shape(inputs)[-2], dtype="int32")
    last = ops.max(ops.where(mask, steps, 0), axis=-1)
    last = ops.expand_dims(ops.expand_dims(last, -1), -1)
    return ops.squeeze(ops.take_along_axis(real_steps(inputs, mask), last, axis=-2), axis=-2)


def _shapes(score: str, query: int, value: int, units: int | None) -> dict[str, tuple[int, ...]]:
    """The weights of a score, by name, for a query and values of these widths."""
    size = units or query
    kernels = {"query_kernel": (query, size), "value_kernel": (value, size)}
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "additive": {**(kernels if units else {}), "scale": (size, 1)},
        "concat": {"kernel": (query + value, size), "scale": (size, 1)},
        "general": {"kernel": (query, value)},
    }
    return shapes.get(score, {})
