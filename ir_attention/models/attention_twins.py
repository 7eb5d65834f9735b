"""Twins in NumPy alone of the layers in `scored_attention.py` and `pooling.py`.

The tests hold them equal. Inputs are padded, `(..., steps, width)`, with a mask of booleans
`(..., steps)` in which False is padding, which may hold anything; where all is padding, outputs and
weights are 0. Weights of a layer are by their names in it. Additive attention, attention pooling
and the hierarchical encoder are in `forward.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ir_attention.models.forward import ACTIVATIONS, masked_softmax, real_steps

__all__ = [
    "SCORES",
    "conditioned_pool",
    "last_state",
    "last_state_attention",
    "max_pool",
    "mean_pool",
    "multi_hop_pool",
    "overlap",
    "scored_attention",
]

Array = np.ndarray
Weights = dict[str, Array]


def _dot(query: Array, value: Array, weights: Weights) -> Array:
    return query @ value.swapaxes(-1, -2)


def _scaled_dot(query: Array, value: Array, weights: Weights) -> Array:
    return _dot(query, value, weights) / np.sqrt(query.shape[-1], dtype=query.dtype)


def _general(query: Array, value: Array, weights: Weights) -> Array:
    return query @ weights["kernel"] @ value.swapaxes(-1, -2)


def _concat(query: Array, value: Array, weights: Weights) -> Array:
    width, kernel = query.shape[-1], weights["kernel"]
    kernels = {"query_kernel": kernel[:width], "value_kernel": kernel[width:]}
    return _additive(query, value, {**kernels, "scale": weights["scale"]})


def _additive(query: Array, value: Array, weights: Weights) -> Array:
    if "query_kernel" in weights:
        query, value = query @ weights["query_kernel"], value @ weights["value_kernel"]
    hidden = np.tanh(query[..., :, None, :] + value[..., None, :, :])
    return hidden @ weights["scale"].ravel()


# From a query `(..., rows, width)`, values `(..., cols, width)` and the weights by name to scores
# `(..., rows, cols)`.
SCORES: dict[str, Callable[[Array, Array, Weights], Array]] = {
    "additive": _additive,
    "concat": _concat,
    "dot": _dot,
    "general": _general,
    "scaled_dot": _scaled_dot,
}


def scored_attention(
    query: Array, value: Array, weights: Weights, mask: Array | None = None, score: str = "dot"
) -> tuple[Array, Array]:
    """A query attends over values; twin of `scored_attention.ScoredAttention`.

    Args:
        query: `(..., width)`, one vector, or `(..., rows, width)`.
        value: `(..., cols, width)`.
        weights: `kernel` of `general`; `kernel` and `scale` of `concat`; `scale` of `additive`,
            and `query_kernel` and `value_kernel` unless there is no projection.
        mask: Booleans `(..., cols)`.
        score: A name of `SCORES`.

    Returns:
        The attended, of the query's shape with the values' width, and the weights `(..., cols)`
        or `(..., rows, cols)`.
    """
    value, single = real_steps(value, mask), query.ndim < value.ndim
    logits = SCORES[score](query[..., None, :] if single else query, value, weights)
    alpha = masked_softmax(logits, None if mask is None else mask[..., None, :])
    attended = alpha @ value
    return (attended[..., 0, :], alpha[..., 0, :]) if single else (attended, alpha)


def last_state(inputs: Array, mask: Array | None = None) -> Array:
    """The last step that `mask` leaves in, `(..., steps, width)` to `(..., width)`; 0 if none."""
    if mask is None:
        return inputs[..., -1, :]
    last = mask.shape[-1] - 1 - mask[..., ::-1].argmax(axis=-1)
    state = np.take_along_axis(inputs, last[..., None, None], axis=-2)[..., 0, :]
    return real_steps(state, np.any(mask, axis=-1))


def last_state_attention(
    inputs: Array, weights: Weights, mask: Array | None = None, score: str = "dot"
) -> tuple[Array, Array]:
    """A sequence attends to itself by its last real step; twin of `LastStateAttention`.

    Returns:
        The attended `(..., width)` and the weights `(..., steps)`.
    """
    return scored_attention(last_state(inputs, mask), inputs, weights, mask, score)


def mean_pool(inputs: Array, mask: Array | None = None) -> tuple[Array, Array]:
    """The mean of real steps; twin of `pooling.MeanPool`.

    Returns:
        The mean `(..., width)`, and the weights `(..., steps)`.
    """
    mask = np.ones(inputs.shape[:-1], bool) if mask is None else mask
    number = np.maximum(mask.sum(axis=-1, keepdims=True), 1)
    alpha = (mask / number).astype(inputs.dtype)
    return real_steps(inputs, mask).sum(axis=-2) / number.astype(inputs.dtype), alpha


def max_pool(inputs: Array, mask: Array | None = None) -> tuple[Array, Array]:
    """The largest of each feature over real steps; twin of `pooling.MaxPool`.

    Returns:
        The largest `(..., width)`, and the share of the features that each step gives, by itself
        or with others, `(..., steps)`.
    """
    mask = np.ones(inputs.shape[:-1], bool) if mask is None else mask
    kept = np.where(mask[..., None], inputs, -np.inf)
    top = kept.max(axis=-2, keepdims=True)
    at_top = (kept == top) & mask[..., None]
    alpha = (at_top / np.maximum(at_top.sum(axis=-2, keepdims=True), 1)).mean(axis=-1)
    pooled = np.where(np.any(mask, axis=-1, keepdims=True), top[..., 0, :], 0)
    return pooled.astype(inputs.dtype), alpha.astype(inputs.dtype)


def multi_hop_pool(
    inputs: Array, weights: Weights, mask: Array | None = None
) -> tuple[Array, Array]:
    """Several weightings of a sequence; twin of `pooling.MultiHopPool`.

    Args:
        inputs: `(..., steps, width)`.
        weights: `W1` `(width, units)` and `W2` `(units, hops)`.
        mask: Booleans `(..., steps)`.

    Returns:
        The pooled `(..., hops, width)` and the weights `(..., hops, steps)`.
    """
    inputs = real_steps(inputs, mask)
    logits = np.tanh(inputs @ weights["W1"]) @ weights["W2"]
    alpha = masked_softmax(logits, None if mask is None else mask[..., None], axis=-2)
    alpha = alpha.swapaxes(-1, -2)
    return alpha @ inputs, alpha


def overlap(alpha: Array) -> Array:
    """`||A A' - I||^2` of each matrix of weights, `(..., hops, steps)` to `(...)`."""
    products = alpha @ alpha.swapaxes(-1, -2) - np.eye(alpha.shape[-2], dtype=alpha.dtype)
    return (products**2).sum(axis=(-1, -2))


def conditioned_pool(
    inputs: Array,
    query: Array,
    weights: Weights,
    mask: Array | None = None,
    activation: str = "tanh",
) -> tuple[Array, Array]:
    """Pooling in the light of a query; twin of `pooling.ConditionedPool`.

    Args:
        inputs: `(..., steps, width)`.
        query: `(..., query width)`, with fewer axes than `inputs`.
        weights: `W` `(width, units)`, `V` `(query width, units)`, `u` `(units,)` and, unless there
            is no bias, `b` `(units,)`.
        mask: Booleans `(..., steps)`.

    Returns:
        The pooled `(..., width)` and the weights `(..., steps)`.
    """
    inputs, wanted = real_steps(inputs, mask), query @ weights["V"]
    between = (1,) * (inputs.ndim - query.ndim)
    wanted = wanted.reshape(*query.shape[:-1], *between, wanted.shape[-1])
    hidden = ACTIVATIONS[activation](inputs @ weights["W"] + wanted + weights.get("b", 0))
    alpha = masked_softmax(hidden @ weights["u"].ravel(), mask)
    return np.einsum("...s,...sw->...w", alpha, inputs), alpha
