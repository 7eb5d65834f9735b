"""Queries and documents attend to each other, in NumPy, there and back: what training runs on.

A row is a word of a query's documents, once for each query however often it stands there. A cell
is a row and a word of its query. Queries, their words, their rows and their documents lie end to
end. Sizes: rows, asked (words of queries), pairs, units (of an attention), width.

`s . tanh(x + y)` is `sum(s) - 2 s . t` with `t = 1 / (1 + e^2x e^2y)`, and a softmax does not see
the constant: exponentials of words stand in for those of cells, which are far more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

__all__ = ["Crossed", "Grouping", "cross", "cross_gradients", "kept_size"]

Array = np.ndarray

# A product of exponentials stays within float32 while no logarithm is beyond this, half of 87.
_LARGE = 40.0


class Grouping(NamedTuple):
    """What belongs to which query."""

    asked: Array  # (queries,) words of each query
    rows: Array  # (queries,) rows of each
    pairs: Array  # (queries,) documents of each
    lengths: Array  # (pairs,) words of each document
    row_of_word: Array  # (words,) the row of each word of the documents, end to end


class Crossed(NamedTuple):
    """What both sides found in each other."""

    document: Array  # (rows, width) what a row attends to in its query
    query: Array  # (asked of each pair, end to end, width) the same of a query's word in a document
    best_document: Array  # (rows,) the largest cosine with a word of the query, at least 0
    best_query: Array  # (asked of each pair,) the same with a word of the document


class _Query(NamedTuple):
    """One query's share of everything."""

    rows: slice
    asked: slice
    found: slice  # of what its words find in each of its documents
    sizes: tuple[int, int, int]  # rows, asked, pairs
    times: Array  # (pairs, rows) how often each row stands in each document
    kept: slice


def kept_size(grouping: Grouping, units: int) -> int:
    """How many numbers the way back needs."""
    cells = grouping.rows * grouping.asked
    return int((cells * (1 + 2 * units + grouping.pairs)).sum())


def cross(
    sides: tuple[Array, Array],
    projected: tuple[Array, Array],
    scales: Array,
    units: tuple[Array, Array],
    grouping: Grouping,
    kept: Array,
) -> Crossed:
    """Both attentions and the cosines. Bahdanau et al. (2015), section A.1.2, for the former.

    Args:
        sides: Rows `(rows, width)` and words of queries `(asked, width)`: what is attended to.
        projected: The same after the projections of both attentions side by side, `(rows, 2
            units)` and `(asked, 2 units)`: first of rows over queries, then of queries over rows.
        scales: `(2, units)` of the attentions.
        units: Raw vectors of length 1, `(rows, any)` and `(asked, any)`.
        grouping: What belongs together.
        kept: `(kept_size,)`, to be filled with what the way back needs.
    """
    (d, q), (width, size) = sides, (sides[0].shape[1], scales.shape[1])
    each = int((grouping.asked * grouping.pairs).sum())
    out = Crossed(
        np.zeros_like(d),
        np.zeros((each, width), d.dtype),
        np.zeros(len(d), d.dtype),
        np.zeros(each, d.dtype),
    )
    left, right, powers = _powers(projected)
    for one in _queries(grouping, size):
        rows, asked, pairs = one.sizes
        over_query, over_rows, gates = _carved(kept, one, size)
        for number, gate in enumerate(gates):
            half = slice(number * size, (number + 1) * size)
            _fill(gate, left[one.rows, half], right[one.asked, half], powers)
        logits = -2 * (gates[0].reshape(-1, size) @ scales[0])
        over_query[...] = _softmax(logits.reshape(rows, asked), axis=1)
        np.matmul(over_query, q[one.asked], out=out.document[one.rows])
        logits = -2 * (gates[1].reshape(-1, size) @ scales[1])
        there = one.times[:, None] > 0
        over_rows[...] = _shares(logits.reshape(rows, asked).T, one.times, there)
        found = over_rows.reshape(-1, rows) @ d[one.rows]
        out.query[one.found] = found
        cosine = np.maximum(units[0][one.rows] @ units[1][one.asked].T, 0)
        out.best_document[one.rows] = cosine.max(axis=1, initial=0)
        best = np.where(there, cosine.T, 0).max(axis=2, initial=0)
        out.best_query[one.found] = best.ravel()
    return out


def cross_gradients(
    outgoing: tuple[Array, Array],
    sides: tuple[Array, Array],
    scales: Array,
    grouping: Grouping,
    kept: Array,
) -> tuple[tuple[Array, Array], tuple[Array, Array], Array]:
    """The way back through `cross`; cosines have none.

    Args:
        outgoing: Gradients of `Crossed.document` and `Crossed.query`.
        sides, scales, grouping: As they were on the way there.
        kept: As it was filled there.

    Returns:
        Gradients of both sides, of both projected sides, and of the scales.
    """
    (d, q), size = sides, scales.shape[1]
    of_sides = np.zeros_like(d), np.zeros_like(q)
    of_left = np.zeros((len(d), 2 * size), d.dtype)
    of_right = np.zeros((len(q), 2 * size), d.dtype)
    of_scales = np.zeros_like(scales)
    for one in _queries(grouping, size):
        rows, asked, pairs = one.sizes
        over_query, over_rows, gates = _carved(kept, one, size)
        came, found = outgoing[0][one.rows], outgoing[1][one.found]
        of_over = came @ q[one.asked].T
        of_sides[1][one.asked] += over_query.T @ came
        of_sides[0][one.rows] += over_rows.reshape(-1, rows).T @ found
        of_logits = [_softmax_gradient(over_query, of_over, axis=1)]
        of_over = (found @ d[one.rows].T).reshape(pairs, asked, rows)
        of_logits.append(_softmax_gradient(over_rows, of_over, axis=2).sum(axis=0).T)
        for number, (gate, gradient) in enumerate(zip(gates, of_logits, strict=True)):
            gradient = np.ascontiguousarray(gradient)
            of_scales[number] -= 2 * (gradient.ravel() @ gate.reshape(-1, size))
            half = slice(number * size, (number + 1) * size)
            # Of 2x: scale * -2 * -t (1 - t), and once more 2 for x itself.
            slope = 1 - gate
            slope *= gate
            of_left[one.rows, half] = np.matmul(gradient[:, None], slope)[:, 0]
            slope *= gradient[..., None]
            of_right[one.asked, half] = slope.sum(axis=0)
    by_scale = 4 * scales.ravel()
    return of_sides, (of_left * by_scale, of_right * by_scale), of_scales


def _queries(grouping: Grouping, size: int) -> Iterator[_Query]:
    """The queries that have rows and words; the others find nothing."""
    ends = np.cumsum(grouping.lengths)
    bounds = np.concatenate([[0], ends])
    row = asked = pair = found = at = 0
    sizes = zip(
        grouping.rows.tolist(), grouping.asked.tolist(), grouping.pairs.tolist(), strict=True
    )
    for rows, words, pairs in sizes:
        cells = rows * words * (1 + 2 * size + pairs)
        if cells:
            first, last = bounds[pair], bounds[pair + pairs]
            owner = np.repeat(np.arange(pairs), grouping.lengths[pair : pair + pairs])
            key = owner * rows + grouping.row_of_word[first:last] - row
            times = np.bincount(key, minlength=pairs * rows).reshape(pairs, rows)
            yield _Query(
                slice(row, row + rows),
                slice(asked, asked + words),
                slice(found, found + pairs * words),
                (rows, words, pairs),
                times,
                slice(at, at + cells),
            )
        row, asked, pair = row + rows, asked + words, pair + pairs
        found, at = found + pairs * words, at + cells


def _carved(kept: Array, one: _Query, size: int) -> tuple[Array, Array, list[Array]]:
    """A query's share: its rows over it, it over its rows, and t of both attentions."""
    rows, asked, pairs = one.sizes
    cells = rows * asked
    own = kept[one.kept]
    cuts = np.cumsum([cells, cells * pairs, cells * size])
    over_query, over_rows, *gates = np.split(own, cuts)
    return (
        over_query.reshape(rows, asked),
        over_rows.reshape(pairs, asked, rows),
        [gate.reshape(rows, asked, size) for gate in gates],
    )


def _powers(projected: tuple[Array, Array]) -> tuple[Array, Array, bool]:
    """`e^2x` of both sides; or `2x` if their product might not be a number."""
    left, right = (2 * one for one in projected)
    small = all(np.abs(one).max(initial=0) < _LARGE for one in (left, right))
    return (np.exp(left), np.exp(right), True) if small else (left, right, False)


def _fill(gate: Array, left: Array, right: Array, powers: bool) -> None:
    """`1 / (1 + e^2x e^2y)` of each cell."""
    if powers:
        np.multiply(left[:, None], right, out=gate)
    else:
        np.add(left[:, None], right, out=gate)
        with np.errstate(over="ignore"):  # 1 / (1 + inf) is the 0 that it should be
            np.exp(gate, out=gate)
    gate += 1
    np.divide(1, gate, out=gate)


def _softmax(logits: Array, axis: int) -> Array:
    powers = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _shares(logits: Array, times: Array, there: Array) -> Array:
    """Softmax over the words of each document, `(pairs, asked, rows)`; a row counts `times`.

    A document without words gives zeros.
    """
    own = np.where(there, logits, np.finfo(logits.dtype).min)
    powers = np.exp(own - own.max(axis=2, keepdims=True))
    powers *= times[:, None].astype(logits.dtype)
    return powers / np.maximum(powers.sum(axis=2, keepdims=True), 1)


def _softmax_gradient(shares: Array, outgoing: Array, axis: int) -> Array:
    inner = (shares * outgoing).sum(axis=axis, keepdims=True)
    return shares * (outgoing - inner)
