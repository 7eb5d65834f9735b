"""Pairs to scores in NumPy alone: the twin of `matcher.Matcher`, and what a trained `han` runs on.

A row is a word of a query's documents, once for each query however often it stands there: all that
the model thinks of it up to its sentence is computed once (`data.arrays.PairArrays`). A cell is a
row and a word of its query. Names of sizes: words, rows, cells, pairs, width, units, as in
`forward`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ir_attention.models.forward import (
    Looks,
    dense,
    encode_documents,
    gated_projection,
    of_layer,
    ragged_attention,
    segment_pool,
    segment_softmax,
)
from ir_attention.models.shared_sentences import encode_alike
from ir_attention.runs import run_sums, spread

__all__ = ["Words", "score_pairs", "score_words"]

Array = np.ndarray

# Cells, and rows, that are computed at once: what they need stays in the cache.
_CELLS, _ROWS = 1024, 512

# Cells of pairs that are padded to the longest query and document among them.
_PADDED = 1 << 15

# A product of exponentials stays within float32 while no logarithm is beyond this, half of 87.
_LARGE = 40.0


class Words(NamedTuple):
    """What the model knows of each word, `(words, ...)`: all that depends on it alone."""

    unit: Array  # the raw vector, of length 1
    known: Array  # after the projection
    # The same, and beside it what the other side's compare layer makes of it.
    document: Array
    query: Array
    # What the own side's compare layer makes of it.
    document_compared: Array
    query_compared: Array
    # `e^2x` for both attentions, or `2x` if that may be too large; see `_logits`.
    document_powers: Array
    query_powers: Array
    powers: bool

    @classmethod
    def of_table(cls, table: Array, weights: dict[str, Array]) -> Words:
        """Of raw vectors `(words, width)`; the first, of padding, is all zeros."""
        raw = table.astype(np.float32, copy=False)
        known = gated_projection(raw, of_layer(weights, "projection"))
        norms = np.sqrt(np.einsum("ij,ij->i", raw, raw))
        width = known.shape[1]
        sides = []
        for own, other in (("document", "query"), ("query", "document")):
            valued, compared = weights[f"{other}_compare/kernel"], weights[f"{own}_compare/kernel"]
            values = np.concatenate([known, known @ valued[width : 2 * width]], axis=1)
            compared = known @ compared[:width]
            compared += weights[f"{own}_compare/bias"]
            sides.append((values, compared))
        left, right = (
            2 * (known @ np.concatenate([weights[one] for one in names], axis=1))
            for names in (
                ("document_attention/query_kernel", "query_attention/value_kernel"),
                ("document_attention/value_kernel", "query_attention/query_kernel"),
            )
        )
        powers = all(max(-one.min(initial=0), one.max(initial=0)) < _LARGE for one in (left, right))
        if powers:
            np.exp(left, out=left)
            np.exp(right, out=right)
        (document, document_compared), (query, query_compared) = sides
        return cls(
            raw / np.maximum(norms, 1e-9)[:, None],
            *(known, document, query, document_compared, query_compared),
            *(left, right, powers),
        )


class _Cells(NamedTuple):
    """The cells of all rows, one row after the other."""

    sizes: Array  # (rows,) how many cells it has: the words of its query
    firsts: Array  # (rows,) the first of them
    over_query: Array  # (cells,) the weights of a row over its query's words
    over_document: Array  # (cells + 1,) logits, of each query word over rows; behind them -inf
    cosine: Array  # (cells + 1,) of the raw vectors, at least 0


def score_pairs(pairs: Any, table: Array, weights: dict[str, Array]) -> tuple[Array, Looks]:
    """Scores of pairs, and where the model looked.

    Args:
        pairs: A `data.arrays.PairArrays`.
        table: Vectors `(vocabulary, width)`; row 0 is all zeros.
        weights: By `layer/weight`, as `Matcher.weights_by_name` gives them.
    """
    words = Words.of_table(table[pairs.pieces], weights)
    pairs = pairs._replace(pieces=np.arange(len(pairs.pieces)))
    scores, looks, cells = _scored(pairs, words, weights)
    return scores, looks._replace(grids=_grids(pairs, cells))


def score_words(
    pairs: Any, words: Words, weights: dict[str, Array], *, alike: bool = False
) -> Array:
    """Scores of pairs.

    Args:
        pairs: A `data.arrays.PairArrays`, whose `pieces` are places in `words`.
        words: Of a whole request.
        weights: By `layer/weight`.
        alike: Whether documents have most sentences in common; it is quicker then.
    """
    return _scored(pairs, words, weights, encode_alike if alike else encode_documents)[0]


def _scored(
    pairs: Any, words: Words, weights: dict[str, Array], encode: Any = encode_documents
) -> tuple[Array, Looks, _Cells]:
    cells, attended, best = _attend(pairs, words, weights)
    compared = _compare(
        (words.known, words.document_compared, pairs.pieces[pairs.row_piece]),
        attended,
        (pairs.row_features, best),
        weights["document_compare/kernel"],
    )
    document, alpha, beta = encode(
        compared,
        pairs.sentence_lengths,
        pairs.sentence_counts,
        of_layer(weights, "document_encoder"),
        pairs.document_row,
    )
    pooled, gamma = _query_side(pairs, words, weights, cells)
    hidden = np.concatenate([document, pooled, pairs.overall], axis=1)
    hidden = dense(hidden, of_layer(weights, "score_hidden"), "relu")
    scores = dense(hidden, of_layer(weights, "score_output"))
    scores += dense(pairs.overall, of_layer(weights, "score_skip"))
    return scores[:, 0], Looks(alpha, beta, gamma, []), cells


def _attend(pairs: Any, words: Words, weights: dict[str, Array]) -> tuple[_Cells, Array, Array]:
    """Both attentions of each query and its rows.

    Returns:
        The cells; what each row attends to in its query, `(rows, 2 widths)`; and its largest
        cosine with a word of the query, `(rows,)`.
    """
    rows, asked = pairs.pieces[pairs.row_piece], pairs.pieces[pairs.query]
    counts = np.bincount(pairs.row_query, minlength=len(pairs.query_lengths))
    starts = np.cumsum(pairs.query_lengths) - pairs.query_lengths
    sizes = pairs.query_lengths[pairs.row_query]
    firsts = np.cumsum(sizes) - sizes
    at = (np.repeat(rows, sizes), asked[spread(starts[pairs.row_query], sizes)])
    over_query, over_document = _logits(words, at, weights)
    over_query = segment_softmax(over_query, sizes)
    cosine = np.empty(len(over_document), np.float32)
    unit, asked_unit = words.unit.take(rows, axis=0), words.unit.take(asked, axis=0)
    values = words.query.take(asked, axis=0)
    attended = np.zeros((len(rows), values.shape[1]), np.float32)
    row = first = word = 0
    for count, size in zip(counts.tolist(), pairs.query_lengths.tolist(), strict=True):
        own, its, end = slice(row, row + count), slice(word, word + size), first + count * size
        row, word = row + count, word + size
        if end > first:
            np.matmul(unit[own], asked_unit[its].T, out=cosine[first:end].reshape(count, size))
            np.matmul(over_query[first:end].reshape(count, size), values[its], out=attended[own])
        first = end
    np.maximum(cosine, 0, out=cosine)
    over_document[-1], cosine[-1] = -np.inf, 0
    best = np.zeros(len(rows), np.float32)
    full = np.flatnonzero(sizes)
    if len(full):
        best[full] = np.maximum.reduceat(cosine[:-1], firsts[full])
    return _Cells(sizes, firsts, over_query, over_document, cosine), attended, best


def _logits(
    words: Words, at: tuple[Array, Array], weights: dict[str, Array]
) -> tuple[Array, Array]:
    """The logits of both attentions, less a constant that a softmax does not see.

    `s . tanh(x + y)` is `sum(s) - 2 s . 1 / (1 + e^2x e^2y)`: exponentials of words in place of
    those of cells, exact to float32 as long as no product is infinite times 0.

    Args:
        at: The word of the document and that of the query, in each cell.

    Returns:
        `(cells,)` of rows over the query's words, `(cells + 1,)` of these over rows.
    """
    scales = [-2 * weights[f"{side}_attention/scale"].ravel() for side in ("document", "query")]
    units, cells = len(scales[0]), len(at[0])
    out = np.empty(cells, np.float32), np.empty(cells + 1, np.float32)
    one, other = np.empty((2, min(cells, _CELLS), 2 * units), np.float32)
    for start in range(0, cells, _CELLS):
        part = slice(start, min(start + _CELLS, cells))
        x, y = one[: part.stop - start], other[: part.stop - start]
        words.document_powers.take(at[0][part], axis=0, out=x, mode="clip")
        words.query_powers.take(at[1][part], axis=0, out=y, mode="clip")
        if words.powers:
            x *= y
        else:
            with np.errstate(over="ignore"):  # 1 / (1 + inf) is the 0 that it should be
                np.exp(np.add(x, y, out=x), out=x)
        x += 1
        np.divide(1, x, out=x)
        np.matmul(x[:, :units], scales[0], out=out[0][part])
        np.matmul(x[:, units:], scales[1], out=out[1][part])
    return out


def _compare(
    words: tuple[Array, Array, Array],
    attended: Array,
    features: tuple[Array, Array],
    kernel: Array,
) -> Array:
    """`relu([x, a, x * a, |x - a|, features] K + b)`: what a word and the other side share.

    Args:
        words: x of each word, and what its part of K makes of it, with b; the word of each row.
        attended: `(rows, 2 widths)`: a, and beside it what its part of K makes of it.
        features: `(rows, features)` and `(rows,)`.
        kernel: K.

    Returns:
        `(rows, units)`.
    """
    known, constant, at = words
    width = known.shape[1]
    of_product, of_difference = kernel[2 * width : 3 * width], kernel[3 * width : 4 * width]
    of_features, of_best = kernel[4 * width : -1], kernel[-1]
    out = np.empty((len(at), constant.shape[1]), np.float32)
    room = np.empty((3, min(len(at), _ROWS), width), np.float32)
    for start in range(0, len(at), _ROWS):
        part = slice(start, min(start + _ROWS, len(at)))
        x, a, both = room[:, : part.stop - start]
        known.take(at[part], axis=0, out=x, mode="clip")
        a[...] = attended[part, :width]
        y = np.matmul(np.multiply(x, a, out=both), of_product, out=out[part])
        x -= a
        y += np.abs(x, out=x) @ of_difference
        y += features[0][part] @ of_features
        y += features[1][part, None] * of_best
        y += constant.take(at[part], axis=0)
        y += attended[part, width:]
        y += np.abs(y)  # twice `max(y, 0)`, which takes three times as long
        y *= 0.5
    return out


def _query_side(
    pairs: Any, words: Words, weights: dict[str, Array], cells: _Cells
) -> tuple[Array, Array]:
    """The query as each document lets it be seen: `(pairs, units)`, and the weights of its words.

    Pairs go through in blocks of like size, padded to the largest.
    """
    sizes = pairs.query_lengths[pairs.pair_query]
    lengths = run_sums(pairs.sentence_lengths, pairs.sentence_counts)
    order = np.lexsort((sizes, lengths // 4))
    asked = int(sizes.sum())
    attended = np.empty((asked, words.document.shape[1]), np.float32)
    best = np.empty(asked, np.float32)
    word = 0
    for block in _blocks(order, sizes, lengths):
        end = word + int(sizes[block].sum())
        _look_back(pairs, words, cells, (block, sizes, lengths), attended[word:end], best[word:end])
        word = end
    asked_sizes = sizes[order]
    starts = np.cumsum(pairs.query_lengths) - pairs.query_lengths
    at = pairs.pieces[pairs.query[spread(starts[pairs.pair_query[order]], asked_sizes)]]
    features = pairs.query_features[spread((np.cumsum(sizes) - sizes)[order], asked_sizes)]
    compared = _compare(
        (words.known, words.query_compared, at),
        attended,
        (features, best),
        weights["query_compare/kernel"],
    )
    gamma = ragged_attention(compared, asked_sizes, of_layer(weights, "query_pool"))
    pooled = np.empty((len(order), compared.shape[1]), np.float32)
    pooled[order] = segment_pool(compared, gamma, asked_sizes)
    back = np.empty(len(order), np.int64)
    back[order] = np.cumsum(asked_sizes) - asked_sizes
    return pooled, gamma[spread(back, sizes)]


def _blocks(order: Array, sizes: Array, lengths: Array) -> Iterator[Array]:
    """Pairs in order, as many at a time as their padded cells allow."""
    start = wide = high = 0
    each = zip(sizes[order].tolist(), lengths[order].tolist(), strict=True)
    for at, (size, length) in enumerate(each):
        wide = size if size > wide else wide
        high = length if length > high else high
        if (at + 1 - start) * wide * high > _PADDED and at > start:
            yield order[start:at]
            start, wide, high = at, size, length
    if start < len(order):
        yield order[start:]


def _look_back(
    pairs: Any,
    words: Words,
    cells: _Cells,
    block: tuple[Array, Array, Array],
    attended: Array,
    best: Array,
) -> None:
    """What the query's words attend to in the documents of some pairs.

    Args:
        block: The pairs; the words of the query and of the document, of all pairs.
        attended: Is filled: `(query words of these pairs, 2 widths)`.
        best: Is filled with the largest cosine of each, `(query words of these pairs,)`.
    """
    chosen, sizes, lengths = block[0], block[1][block[0]], block[2]
    steps, asked = (np.arange(int(one.max(initial=0))) for one in (lengths[chosen], sizes))
    starts = (np.cumsum(lengths) - lengths)[chosen]
    token = np.minimum(starts + steps[:, None], max(len(pairs.document_row) - 1, 0))
    row = pairs.document_row[token]  # (words, pairs)
    first = cells.firsts[row]
    first[steps[:, None] >= lengths[chosen]] = len(cells.cosine)  # to the last, which is none
    at = first[:, :, None] + asked  # (words, pairs, query words): sums over words run along memory
    shares = cells.over_document.take(at, mode="clip")
    shares -= shares.max(axis=0, initial=np.finfo(np.float32).min)
    np.exp(shares, out=shares)
    shares /= np.maximum(shares.sum(axis=0), 1)
    values = words.document.take(pairs.pieces[pairs.row_piece[row.T]], axis=0)
    seen = shares.transpose(1, 2, 0) @ values
    real = np.flatnonzero(asked < sizes[:, None])
    seen.reshape(-1, seen.shape[2]).take(real, axis=0, out=attended, mode="clip")
    cosine = cells.cosine.take(at, mode="clip").max(axis=0, initial=0)
    cosine.ravel().take(real, out=best, mode="clip")


def _grids(pairs: Any, cells: _Cells) -> list[tuple[Array, Array]]:
    """Of each query: the weights of its documents' words over it, and of it over each document."""
    lengths = run_sums(pairs.sentence_lengths, pairs.sentence_counts)
    words = np.concatenate([[0], np.cumsum(lengths)])
    bounds = np.searchsorted(pairs.pair_query, np.arange(len(pairs.query_lengths) + 1))
    grids = []
    for size, start, end in zip(pairs.query_lengths, bounds, bounds[1:], strict=False):
        row = pairs.document_row[words[start] : words[end]]
        at = cells.firsts[row][:, None] + np.arange(size)
        over_document = segment_softmax(cells.over_document[at], lengths[start:end])
        grids.append((cells.over_query[at], over_document))
    return grids
