"""Arrays to scores in NumPy alone: the twin of every layer, and what a trained model runs on.

Sequences here are ragged and laid end to end: `(words, width)` with the lengths beside them. No
padding is computed, so none can leak. The padded forms that Keras trains on are in `attention.py`
and `recurrent.py`; the tests hold both equal. Names of sizes: batch, sents, words (or steps),
width, units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "ACTIVATIONS",
    "additive_attention",
    "additive_logits",
    "attention_pool",
    "bidirectional_gru",
    "compare",
    "dense",
    "encode_documents",
    "gated_projection",
    "gru",
    "masked_softmax",
    "of_layer",
    "pool_logits",
    "ragged_attention",
    "run_sums",
    "score_pairs",
    "segment_pool",
    "segment_softmax",
    "sigmoid",
]

Array = np.ndarray

# The grid of `additive_logits` is computed in blocks of about this many numbers (16 MB).
_GRID = 1 << 22


def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`, written with tanh so that no exponential overflows."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


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
    inputs: Array, kernel: Array, bias: Array | None, context: Array, activation: str = "tanh"
) -> Array:
    """`f(x W + b) . u` of each step: `(..., width)` to `(...)`. Yang et al. (2016), eq. 5, 8."""
    hidden = inputs @ kernel
    if bias is not None:
        hidden = hidden + bias
    return ACTIVATIONS[activation](hidden) @ context.ravel()


def attention_pool(
    inputs: Array, weights: dict[str, Array], mask: Array | None = None, activation: str = "tanh"
) -> tuple[Array, Array]:
    """The padded form of attention pooling; twin of `attention.AttentionPool`.

    Args:
        inputs: `(..., steps, width)`.
        weights: `W` `(width, units)`, `u` `(units,)` and, unless there is no bias, `b` `(units,)`.
        mask: Booleans `(..., steps)`; False is padding.

    Returns:
        The pooled `(..., width)` and the weights `(..., steps)`; all 0 where all is padding.
    """
    logits = pool_logits(inputs, weights["W"], weights.get("b"), weights["u"], activation)
    alpha = masked_softmax(logits, mask)
    return np.einsum("...s,...sw->...w", alpha, inputs), alpha


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
        mask: Booleans `(..., cols)`; False is padding.

    Returns:
        The attended `(..., rows, width)` and the weights `(..., rows, cols)`.
    """
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
    full = np.flatnonzero(lengths)
    if not len(full):
        return logits
    starts = (np.cumsum(lengths) - lengths)[full]
    of_row = np.repeat(np.arange(len(full)), lengths[full])
    powers = np.exp(logits - np.maximum.reduceat(logits, starts)[of_row])
    return powers / np.add.reduceat(powers, starts)[of_row]


def segment_pool(values: Array, alpha: Array, lengths: Array) -> Array:
    """Sums `alpha * values` within each segment: `(rows, width)` to `(segments, width)`.

    A segment without rows gives zeros.
    """
    pooled = np.zeros((len(lengths), values.shape[1]), values.dtype)
    full = np.flatnonzero(lengths)
    if len(full):
        starts = (np.cumsum(lengths) - lengths)[full]
        pooled[full] = np.add.reduceat(values * alpha[:, None], starts)
    return pooled


def gated_projection(inputs: Array, weights: dict[str, Array]) -> Array:
    """`sigmoid(x A + a) * tanh(x B + b)`: `(..., width)` to `(..., units)`."""
    gate = sigmoid(inputs @ weights["gate_kernel"] + weights["gate_bias"])
    return gate * np.tanh(inputs @ weights["kernel"] + weights["bias"])


def gru(inputs: Array, lengths: Array, weights: dict[str, Array], reverse: bool = False) -> Array:
    """One direction of a GRU over ragged sequences. Cho et al. (2014), with the reset after.

    `z, r = sigmoid(x W + h R + b)`, `c = tanh(x W_c + b + r * (h R_c + b'))`,
    `h = z * h + (1 - z) * c`. Sequences are sorted by length, longest first; at step t only those
    still running take part, so each step is one dense product of live rows.

    Args:
        inputs: `(words, width)`, the sequences end to end.
        lengths: Steps of each sequence; 0 is allowed.
        weights: `kernel` `(width, 3 units)`, `recurrent_kernel` `(units, 3 units)`, `bias`
            `(2, 3 units)`; the gates in the order z, r, candidate, as in Keras.
        reverse: Whether to read each sequence from its end.

    Returns:
        The state after each word, `(words, units)`, in the order of `inputs`.
    """
    recurrent, (bias, recurrent_bias) = weights["recurrent_kernel"], weights["bias"]
    units = len(recurrent)
    gates = inputs @ weights["kernel"] + bias
    order = np.argsort(-lengths, kind="stable")
    longest = lengths[order]
    starts = (np.cumsum(lengths) - lengths)[order]
    ends = starts + longest - 1
    # How many sequences are longer than t, for t = 0, 1, ...
    alive = np.searchsorted(-longest, -np.arange(longest[0] if len(longest) else 0), side="left")
    states = np.empty((len(inputs), units), gates.dtype)
    state = np.zeros((len(lengths), units), gates.dtype)
    for step, live in enumerate(alive):
        rows = ends[:live] - step if reverse else starts[:live] + step
        before = state[:live]
        x, h = gates[rows], before @ recurrent + recurrent_bias
        update, reset = np.split(sigmoid(x[:, : 2 * units] + h[:, : 2 * units]), 2, axis=1)
        candidate = np.tanh(x[:, 2 * units :] + reset * h[:, 2 * units :])
        state = update * before + (1 - update) * candidate
        states[rows] = state
    return states


def bidirectional_gru(inputs: Array, lengths: Array, weights: dict[str, Array]) -> Array:
    """Both directions side by side, `(words, 2 units)`; weights named `forward_*`, `backward_*`."""
    return np.concatenate(
        [
            gru(inputs, lengths, _part(weights, "forward_")),
            gru(inputs, lengths, _part(weights, "backward_"), reverse=True),
        ],
        axis=1,
    )


def of_layer(weights: dict[str, Array], name: str) -> dict[str, Array]:
    """The weights of a layer, by their names in it."""
    return _part(weights, f"{name}/")


def _part(weights: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}


def encode_documents(
    inputs: Array, lengths: Array, counts: Array, weights: dict[str, Array]
) -> tuple[Array, Array, Array]:
    """The hierarchical encoder; twin of `han.HierarchicalEncoder`. Yang et al. (2016), eq. 1-10.

    Args:
        inputs: `(words, width)`, sentence after sentence.
        lengths: Words of each sentence; one without words has no say.
        counts: Sentences of each document.
        weights: By `layer/weight`. Without a sentence level, a document is its only sentence, or
            the sum of several.

    Returns:
        Documents `(batch, 2 units)`, the weight of each word in its sentence `(words,)`, and of
        each sentence in its document `(sents,)`.
    """
    states = bidirectional_gru(inputs, lengths, of_layer(weights, "word_gru"))
    alpha = ragged_attention(states, lengths, of_layer(weights, "word_pool"))
    vectors = segment_pool(states, alpha, lengths)
    if not any(name.startswith("sentence_gru/") for name in weights):
        beta = np.ones(len(vectors), vectors.dtype)
        return segment_pool(vectors, beta, counts), alpha, beta
    full = lengths > 0  # a sentence without words is none
    counts, beta = run_sums(full, counts), np.zeros(len(lengths), vectors.dtype)
    states = bidirectional_gru(vectors[full], counts, of_layer(weights, "sentence_gru"))
    beta[full] = ragged_attention(states, counts, of_layer(weights, "sentence_pool"))
    return segment_pool(states, beta[full], counts), alpha, beta


def ragged_attention(inputs: Array, lengths: Array, weights: dict[str, Array]) -> Array:
    """The weights of attention pooling within each run of `lengths` rows."""
    logits = pool_logits(inputs, weights["W"], weights.get("b"), weights["u"])
    return segment_softmax(logits, lengths)


def dense(inputs: Array, weights: dict[str, Array], activation: str = "linear") -> Array:
    """`f(x W + b)`, or without `b`."""
    return ACTIVATIONS[activation](inputs @ weights["kernel"] + weights.get("bias", 0))


def compare(one: Array, other: Array, features: Array) -> Array:
    """`[d, a, d * a, |d - a|, features]`: what one word and what it attended to have in common."""
    return np.concatenate([one, other, one * other, np.abs(one - other), features], axis=1)


def score_pairs(pairs: Any, table: Array, weights: dict[str, Array]) -> tuple[Array, Looks]:
    """Scores of pairs, and where the model looked; twin of `matcher.Matcher`.

    Args:
        pairs: A `data.arrays.PairArrays`.
        table: Vectors `(vocabulary, width)`; row 0 is all zeros.
        weights: By `layer/weight`, as `Matcher.weights_by_name` gives them.
    """
    part = {name: of_layer(weights, name) for name in {n.split("/")[0] for n in weights}}
    raw = table[pairs.pieces].astype(np.float32)
    known = gated_projection(raw, part["projection"])
    unit = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9)

    doc_lengths = run_sums(pairs.sentence_lengths, pairs.sentence_counts)
    pairs_of = np.bincount(pairs.pair_query, minlength=len(pairs.query_lengths))
    doc_words = run_sums(doc_lengths, pairs_of)
    d = known[pairs.document]
    d_left = d @ part["document_attention"]["query_kernel"]
    d_right = d @ part["query_attention"]["value_kernel"]
    q_right = known @ part["document_attention"]["value_kernel"]
    q_left = known @ part["query_attention"]["query_kernel"]
    attended = np.empty_like(d)
    best = np.empty((len(d), 1), np.float32)
    q_sides, grids = [], []
    word, pair, query_start = 0, 0, 0
    for size, count, total in zip(pairs.query_lengths, pairs_of, doc_words, strict=True):
        of_query = pairs.query[query_start : query_start + size]
        rows, lengths = slice(word, word + total), doc_lengths[pair : pair + count]
        grid = masked_softmax(
            additive_logits(d_left[rows], q_right[of_query], part["document_attention"]["scale"])
        )
        attended[rows] = grid @ known[of_query]
        cosine = np.maximum(unit[pairs.document[rows]] @ unit[of_query].T, 0)
        best[rows, 0] = cosine.max(axis=1, initial=0)
        back = segment_softmax(
            additive_logits(d_right[rows], q_left[of_query], part["query_attention"]["scale"]),
            lengths,
        )
        q_sides.append(_query_side(known[of_query], d[rows], cosine, back, lengths))
        grids.append((grid, back))
        word, pair, query_start = word + total, pair + count, query_start + size

    features = np.concatenate([pairs.document_features, best], axis=1)
    compared = dense(compare(d, attended, features), part["document_compare"], "relu")
    document, alpha, beta = encode_documents(
        compared, pairs.sentence_lengths, pairs.sentence_counts, part["document_encoder"]
    )
    q, q_attended, q_best = (np.concatenate(side) for side in zip(*q_sides, strict=True))
    features = np.concatenate([pairs.query_features, q_best], axis=1)
    compared = dense(compare(q, q_attended, features), part["query_compare"], "relu")
    of_pair = pairs.query_lengths[pairs.pair_query]
    gamma = ragged_attention(compared, of_pair, part["query_pool"])
    pooled = segment_pool(compared, gamma, of_pair)

    hidden = np.concatenate([document, pooled, pairs.overall], axis=1)
    hidden = dense(hidden, part["score_hidden"], "relu")
    scores = dense(hidden, part["score_output"]) + dense(pairs.overall, part["score_skip"])
    return scores[:, 0], Looks(alpha, beta, gamma, grids)


class Looks(NamedTuple):
    """Where a model looked: every attention weight of some pairs, ragged as `PairArrays` is."""

    words: Array  # of each document piece, in its sentence
    sentences: Array  # of each sentence, in its document
    query: Array  # of each query piece, for each pair
    # Of each query: documents over query, query over documents. Empty of a bi-encoder.
    grids: list[tuple[Array, Array]]


def _query_side(
    q: Array, d: Array, cosine: Array, back: Array, lengths: Array
) -> tuple[Array, Array, Array]:
    """The query's words in each pair, what they attended to, and their largest cosine."""
    size, count = len(q), len(lengths)
    attended = np.zeros((count, size, d.shape[1]), d.dtype)
    best = np.zeros((count, size), d.dtype)
    ends = np.cumsum(lengths)
    for number, (start, end) in enumerate(zip(ends - lengths, ends, strict=True)):
        attended[number] = back[start:end].T @ d[start:end]
        best[number] = cosine[start:end].max(axis=0, initial=0)
    return np.tile(q, (count, 1)), attended.reshape(-1, d.shape[1]), best.reshape(-1, 1)


def run_sums(values: Array, counts: Array) -> Array:
    """The sum of each run of `counts` values."""
    bounds = np.concatenate([[0], np.cumsum(values)])
    last = np.cumsum(counts)
    return bounds[last] - bounds[last - counts]
