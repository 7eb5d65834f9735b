"""The layers in NumPy alone: twins of those that Keras trains, and what a trained model runs on.

Sequences are ragged and laid end to end: `(words, width)` with the lengths beside them. No padding
is computed, so none can leak; the padded forms of both attentions are here too, for comparison. The
tests hold all equal to `attention.py`, `han.py` and `matcher.py`. Whole models are in
`pair_forward.py` and `bi_forward.py`. Names of sizes: batch, sents, words (or steps), width, units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ir_attention.models.packed import Folded, attended_gru, bidirectional_gru
from ir_attention.runs import run_sums

__all__ = [
    "ACTIVATIONS",
    "SEGMENT_POOLS",
    "additive_attention",
    "additive_logits",
    "attention_pool",
    "dense",
    "encode_documents",
    "encode_level",
    "encode_sentences",
    "gated_projection",
    "masked_softmax",
    "of_layer",
    "pool_logits",
    "poolings",
    "ragged_attention",
    "real_steps",
    "segment_max",
    "segment_mean",
    "segment_pool",
    "segment_softmax",
    "sigmoid",
]

Array = np.ndarray
Pooling = str | tuple[str, str] | list[str]  # see `poolings`

# The grid of `additive_logits` is computed in blocks of about this many numbers (16 MB).
_GRID = 1 << 22
# Rows that go through attention pooling at once: what they need stays in the cache.
_ROWS = 512


def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`."""
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is the 0 that it should be
        powers = np.exp(-x)
    powers += 1
    return np.divide(1, powers, out=powers)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
}


def masked_softmax(logits: Array, mask: Array | None = None, axis: int = -1) -> Array:
    """Softmax over the entries that `mask` leaves in; 0 at the others, all 0 if none is left.

    The largest *kept* logit is subtracted first, so that neither a huge logit nor a huge masked
    one makes an overflow or wipes out the rest. The sum is then at least 1, or exactly 0.
    """
    if mask is None:
        mask = np.ones((1,) * logits.ndim, bool)
    lowest = np.finfo(logits.dtype).min
    top = np.where(mask, logits, lowest).max(axis=axis, keepdims=True, initial=lowest)
    powers = np.where(mask, np.exp(np.where(mask, logits, top) - top), 0)
    return powers / np.maximum(powers.sum(axis=axis, keepdims=True), 1)


def pool_logits(
    inputs: Array,
    kernel: Array | None,
    bias: Array | None,
    context: Array,
    activation: str = "tanh",
) -> Array:
    """`f(x W + b) . u` of each step: `(..., width)` to `(...)`. Yang et al. (2016), eq. 5, 8."""
    hidden = inputs if kernel is None else inputs @ kernel
    if bias is not None:
        hidden = hidden + bias
    return ACTIVATIONS[activation](hidden) @ context.ravel()


def attention_pool(
    inputs: Array,
    weights: dict[str, Array],
    mask: Array | None = None,
    activation: str = "tanh",
    output_activation: str = "linear",
) -> tuple[Array, Array]:
    """The padded form of attention pooling; twin of `attention.AttentionPool`.

    Args:
        inputs: `(..., steps, width)`.
        weights: `u` `(units,)`, unless there is no projection `W` `(width, units)`, and unless
            there is no bias `b` `(units,)`.
        mask: Booleans `(..., steps)`; False is padding, which may hold anything.

    Returns:
        The pooled `(..., width)` and the weights `(..., steps)`; all 0 where all is padding.
    """
    inputs = real_steps(inputs, mask)
    logits = pool_logits(inputs, weights.get("W"), weights.get("b"), weights["u"], activation)
    alpha = masked_softmax(logits, mask)
    pooled = np.einsum("...s,...sw->...w", alpha, inputs)
    return ACTIVATIONS[output_activation](pooled), alpha


def real_steps(inputs: Array, mask: Array | None) -> Array:
    """`inputs` with zeros at masked steps: times a weight of 0, a NaN would still be one."""
    return inputs if mask is None else np.where(mask[..., None], inputs, inputs.dtype.type(0))


def additive_logits(left: Array, right: Array, scale: Array) -> Array:
    """`scale . tanh(left_i + right_j)` for all i, j: Bahdanau et al. (2015), section A.1.2.

    Args:
        left: `(rows, units)`; each row attends.
        right: `(cols, units)`; each is attended to.
        scale: `(units,)`.

    Returns:
        `(rows, cols)`. The `(rows, cols, units)` grid between is only ever held in blocks.
    """
    logits = np.empty((len(left), len(right)), np.result_type(left, right, scale))
    block = max(1, _GRID // max(1, right.size))
    for start in range(0, len(left), block):
        part = slice(start, start + block)
        logits[part] = np.tanh(left[part, None, :] + right[None]) @ scale.ravel()
    return logits


def additive_attention(
    query: Array, value: Array, weights: dict[str, Array], mask: Array | None = None
) -> tuple[Array, Array]:
    """The padded form of additive attention; twin of `attention.AdditiveAttention`.

    Args:
        query: `(..., rows, width)`; each of its steps attends over all of `value`.
        value: `(..., cols, width)`.
        weights: `scale` `(units,)`, and `query_kernel`, `value_kernel` `(width, units)`; without
            the kernels the inputs themselves are added.
        mask: Booleans `(..., cols)`; False is padding, which may hold anything.

    Returns:
        The attended `(..., rows, width)` and the weights `(..., rows, cols)`.
    """
    value = real_steps(value, mask)
    left, right = query, value
    if "query_kernel" in weights:
        left, right = query @ weights["query_kernel"], value @ weights["value_kernel"]
    flat_left = left.reshape(-1, *left.shape[-2:])
    flat_right = right.reshape(-1, *right.shape[-2:])
    sides = zip(flat_left, flat_right, strict=True)
    logits = np.stack([additive_logits(i, j, weights["scale"]) for i, j in sides])
    logits = logits.reshape(*query.shape[:-1], value.shape[-2])
    alpha = masked_softmax(logits, None if mask is None else mask[..., None, :])
    return alpha @ value, alpha


def segment_softmax(logits: Array, lengths: Array) -> Array:
    """Softmax within each run of `lengths` consecutive rows of `logits` `(rows, ...)`.

    Empty segments are allowed: they have no rows, so nothing is computed for them.
    """
    full = lengths[lengths > 0]
    if not len(full):
        return logits
    starts = np.cumsum(full) - full
    powers = logits - np.repeat(np.maximum.reduceat(logits, starts), full, axis=0)
    np.exp(powers, out=powers)
    powers /= np.repeat(np.add.reduceat(powers, starts), full, axis=0)
    return powers


def segment_pool(values: Array, alpha: Array, lengths: Array, places: Array | None = None) -> Array:
    """Sums `alpha * values` within each segment: `(rows, width)` to `(segments, width)`.

    A segment without rows gives zeros. With `places`, these are the rows of `values`.
    """
    pooled = np.zeros((len(lengths), values.shape[1]), values.dtype)
    starts = np.cumsum(lengths) - lengths
    order = np.argsort(lengths, kind="stable")[np.count_nonzero(lengths == 0) :]
    # Segments of one length are a rectangle, and their sums one product.
    for segments in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        if len(segments):
            at = starts[segments][:, None] + np.arange(lengths[segments[0]])
            rows = values.take(at if places is None else places[at], axis=0)
            pooled[segments] = np.matmul(alpha[at][:, None], rows)[:, 0]
    return pooled


def segment_mean(values: Array, lengths: Array) -> tuple[Array, Array]:
    """The mean of each segment, `(rows, width)` to `(segments, width)`, and each row's share."""
    shares = np.repeat(1 / np.maximum(lengths, 1), lengths).astype(values.dtype)
    return segment_pool(values, shares, lengths), shares


def segment_max(values: Array, lengths: Array) -> tuple[Array, Array]:
    """The largest of each feature in each segment, `(rows, width)` to `(segments, width)`.

    A segment without rows gives zeros. The second output is, for each row, the share of the
    features whose largest value is its own, `(rows,)`; rows that tie share a feature.
    """
    tops = np.zeros((len(lengths), values.shape[1]), values.dtype)
    full, shares = lengths[lengths > 0], np.zeros(len(values), values.dtype)
    if len(full):
        starts = np.cumsum(full) - full
        tops[lengths > 0] = np.maximum.reduceat(values, starts)
        at_top = values == np.repeat(tops, lengths, axis=0)
        ties = np.repeat(np.add.reduceat(at_top, starts, dtype=values.dtype), full, axis=0)
        shares = (at_top / np.maximum(ties, 1)).mean(axis=1)
    return tops, shares


# How a level of the hierarchy may be pooled without attention.
SEGMENT_POOLS = {"max": segment_max, "mean": segment_mean}


def poolings(pooling: Pooling) -> dict[str, str]:
    """How each level of the hierarchy is pooled, `word` and `sentence`.

    Args:
        pooling: `attention`, `mean` or `max`, for both; or a pair, of words and of sentences.

    Raises:
        ValueError: for anything else.
    """
    names: list[str] = list(pooling) if isinstance(pooling, list | tuple) else [pooling, pooling]
    known = ("attention", *sorted(SEGMENT_POOLS))
    if len(names) != 2 or not all(name in known for name in names):
        raise ValueError(
            f"`pooling` must be one of {known}, or a pair of them, of words and of sentences. "
            f"Received: {pooling=!r}"
        )
    return dict(zip(("word", "sentence"), names, strict=True))


def gated_projection(inputs: Array, weights: dict[str, Array]) -> Array:
    """`sigmoid(x A + a) * tanh(x B + b)`: `(..., width)` to `(..., units)`."""
    gate = sigmoid(inputs @ weights["gate_kernel"] + weights["gate_bias"])
    return gate * np.tanh(inputs @ weights["kernel"] + weights["bias"])


def of_layer(weights: dict[str, Array], name: str) -> dict[str, Array]:
    """The weights of a layer, by their names in it."""
    return _part(weights, f"{name}/")


def _part(weights: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}


def encode_documents(
    inputs: Array | Folded,
    lengths: Array,
    counts: Array,
    weights: dict[str, Array],
    places: Array | None = None,
    *,
    pooling: Pooling = "attention",
    threads: int = 1,
) -> tuple[Array, Array, Array]:
    """The hierarchical encoder; twin of `han.HierarchicalEncoder`. Yang et al. (2016), eq. 1-10.

    Args:
        inputs: `(rows, width)`, or what `packed.fold` made of them with the GRU of words.
        lengths: Words of each sentence; one without words has no say.
        counts: Sentences of each document.
        weights: By `layer/weight`. Without a sentence level, a document is its only sentence, or
            the sum of several. GRUs without `backward_*` read forwards alone.
        places: The row of `inputs` that each word is, sentence after sentence. Default: the words
            are the rows.
        pooling: As of `poolings`.
        threads: How many take part; the result does not depend on it.

    Returns:
        Documents `(batch, 2 units)`, or `(batch, units)` in one direction, the weight of each word
        in its sentence `(words,)`, and of each sentence in its document `(sents,)`.
    """
    how: dict[str, Any] = {"pooling": pooling, "threads": threads}
    vectors, alpha = encode_level("word", inputs, lengths, weights, places, **how)
    documents, beta = encode_sentences(vectors, lengths, counts, weights, **how)
    return documents, alpha, beta


def encode_level(
    name: str,
    inputs: Array | Folded,
    lengths: Array,
    weights: dict[str, Array],
    places: Array | None = None,
    *,
    pooling: Pooling = "attention",
    threads: int = 1,
) -> tuple[Array, Array]:
    """One level of the encoder, `word` or `sentence`: a vector of each sequence, and the weights.

    Args:
        name: Which level.
        inputs, lengths, weights, places, pooling, threads: As of `encode_documents`.
    """
    gru, how = of_layer(weights, f"{name}_gru"), poolings(pooling)[name]
    if how == "attention":
        pool = of_layer(weights, f"{name}_pool")
        return attended_gru(inputs, lengths, gru, pool, places, threads=threads)
    states = bidirectional_gru(inputs, lengths, gru, places, threads=threads)
    return SEGMENT_POOLS[how](states, lengths)


def encode_sentences(
    vectors: Array,
    lengths: Array,
    counts: Array,
    weights: dict[str, Array],
    number: Array | None = None,
    *,
    pooling: Pooling = "attention",
    threads: int = 1,
) -> tuple[Array, Array]:
    """From vectors of sentences to documents, as wide, and the sentences' weights.

    Args:
        vectors: Of sentences, `(rows, 2 units)`, or `(rows, units)` in one direction.
        lengths, counts, weights, pooling, threads: As of `encode_documents`.
        number: Which of `vectors` each sentence has, `(sents,)`. Default: each its own.
    """
    if not any(name.startswith("sentence_gru/") for name in weights):
        beta = np.ones(len(lengths), vectors.dtype)
        return segment_pool(vectors, beta, counts, number), beta
    full = lengths > 0  # a sentence without words is none
    places = np.flatnonzero(full) if number is None else number[full]
    beta = np.zeros(len(lengths), vectors.dtype)
    documents, beta[full] = encode_level(
        "sentence",
        vectors,
        run_sums(full, counts),
        weights,
        places,
        pooling=pooling,
        threads=threads,
    )
    return documents, beta


def ragged_attention(inputs: Array, lengths: Array, weights: dict[str, Array]) -> Array:
    """The weights of attention pooling within each run of `lengths` rows."""
    # `u . tanh(x)` is `sum(u) - 2 u . 1 / (1 + e^2x)`, whose constant a softmax does not see; it
    # takes half the time of NumPy's tanh.
    kernel, context = 2 * weights["W"], -2 * weights["u"].ravel()
    bias = 2 * weights["b"] if "b" in weights else np.zeros(len(context), kernel.dtype)
    logits = np.empty(len(inputs), inputs.dtype)
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is the 0 that it should be
        for start in range(0, len(inputs), _ROWS):
            hidden = inputs[start : start + _ROWS] @ kernel
            hidden += bias
            np.exp(hidden, out=hidden)
            hidden += 1
            np.divide(1, hidden, out=hidden)
            logits[start : start + _ROWS] = hidden @ context
    return segment_softmax(logits, lengths)


def dense(inputs: Array, weights: dict[str, Array], activation: str = "linear") -> Array:
    """`f(x W + b)`, or without `b`."""
    return ACTIVATIONS[activation](inputs @ weights["kernel"] + weights.get("bias", 0))


class Looks(NamedTuple):
    """Where a model looked: every attention weight of some pairs, ragged as `PairArrays` is."""

    words: Array  # of each document piece, in its sentence
    sentences: Array  # of each sentence, in its document
    query: Array  # of each query piece, for each pair
    # Of each query: documents over query, query over documents. Empty of a bi-encoder.
    grids: list[tuple[Array, Array]]
