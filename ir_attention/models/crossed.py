"""Queries and their documents attend to each other, in Keras: packed where that is quicker."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ir_attention.backend import keras
from ir_attention.models import crossing
from ir_attention.models.attention import AdditiveAttention, masked_softmax
from ir_attention.models.numpy_ops import numpy_op
from ir_attention.models.ragged import padded_rows, ragged_words, rows_of, spread
from ir_attention.models.rooms import lent

__all__ = ["NO_STEPS", "Members", "Steps", "crossed"]

ops = keras.ops

Arrays = dict[str, np.ndarray]

# The most words of a query, words of a sentence and sentences of a document; None if unknown.
Steps = tuple[int | None, int | None, int | None]
NO_STEPS: Steps = (None, None, None)


class Members(NamedTuple):
    """What belongs to which query; see `crossing.Grouping`. Padding may stand behind everything."""

    asked: Any  # (queries,) words of each query
    rows: Any  # (queries,) rows of each
    pairs: Any  # (queries,) documents of each
    lengths: Any  # (pairs,) words of each document
    row_of_word: Any  # (words,)

    def asked_of_pairs(self, words: Any) -> tuple[Any, Any]:
        """The words of each pair's query: how many, `(pairs,)`, and which, `(words,)`."""
        query = rows_of(self.pairs, ops.shape(self.lengths)[0])
        none = ops.zeros((1,), self.asked.dtype)
        asked = ops.take(ops.concatenate([self.asked, none]), query, axis=0)
        starts = ops.concatenate([ops.cumsum(self.asked) - self.asked, none])
        return asked, spread(ops.take(starts, query, axis=0), asked, words)


def crossed(
    sides: tuple[Any, Any],
    attentions: tuple[AdditiveAttention, AdditiveAttention],
    units: tuple[Any, Any],
    members: Members,
    words: Any,
    *,
    steps: Steps,
    packed: bool,
) -> crossing.Crossed:
    """What rows find in their query, and its words in each document.

    Args:
        sides: Rows `(rows, width)` and words of queries `(asked, width)`.
        attentions: Of rows over queries, and of queries over documents.
        units: Raw vectors of length 1, of both sides; no gradient goes through them.
        members: What belongs together.
        words: How many words the queries of all pairs have, with padding behind them.
        steps: As of `matcher.Matcher`.
        packed: Whether to run in NumPy.
    """
    over_query, over_document = attentions
    kernels = [over_query.query_kernel, over_document.value_kernel]
    left = ops.matmul(sides[0], ops.concatenate(kernels, axis=1))
    kernels = [over_query.value_kernel, over_document.query_kernel]
    right = ops.matmul(sides[1], ops.concatenate(kernels, axis=1))
    scales = ops.concatenate([over_query.scale, over_document.scale], axis=1)
    if packed:
        return _packed(sides, (left, right), ops.transpose(scales), units, members, words)
    return _padded(sides, (left, right), scales, units, members, words, steps)


def _packed(
    sides: Any, projected: Any, scales: Any, units: Any, members: Members, words: Any
) -> Any:
    def unpacked(floats: Arrays, given: Arrays) -> Any:
        names = ("asked", "rows", "pairs", "lengths", "row_of_word")
        grouping = crossing.Grouping(*(given[name].astype(np.int64) for name in names))
        return (floats["d"], floats["q"]), floats["scales"], grouping

    def there(floats: Arrays, given: Arrays) -> list[np.ndarray]:
        sides, scales, grouping = unpacked(floats, given)
        kept = lent(crossing.kept_size(grouping, scales.shape[1]), scales.dtype)
        units = given["unit_d"], given["unit_q"]
        projected = floats["left"], floats["right"]
        found = crossing.cross(sides, projected, scales, units, grouping, kept)
        spare = int(given["words"]) - len(found.query)
        in_document, best = (
            np.concatenate([one, np.zeros((spare, *one.shape[1:]), one.dtype)]) if spare else one
            for one in (found.query, found.best_query)
        )
        return [found.document, in_document, found.best_document, best, kept]

    def back(
        gradients: list[np.ndarray], floats: Arrays, given: Arrays, kept: np.ndarray
    ) -> Arrays:
        sides, scales, grouping = unpacked(floats, given)
        (d, q), (left, right), of_scales = crossing.cross_gradients(
            (gradients[0], gradients[1]), sides, scales, grouping, kept
        )
        return {"d": d, "q": q, "left": left, "right": right, "scales": of_scales}

    floats = dict(zip(("d", "q", "left", "right"), (*sides, *projected), strict=True))
    given = {**members._asdict(), "unit_d": units[0], "unit_q": units[1], "words": words}
    width = sides[0].shape[1]
    return crossing.Crossed(
        *numpy_op(there, back, {**floats, "scales": scales}, given, [(width,), (width,), (), ()])
    )


def _padded(
    sides: Any,
    projected: Any,
    scales: Any,
    units: Any,
    members: Members,
    words: Any,
    steps: Steps,
) -> Any:
    d, q = sides
    size = scales.shape[0]
    rows, asked_most = ops.shape(d)[0], steps[0]
    query = rows_of(members.rows, rows)  # of padding one too many
    query = ops.minimum(query, ops.shape(members.asked)[0] - 1)

    def of_rows(values: Any) -> Any:
        """The words of each row's query, `(rows, asked, ...)`."""
        return ops.take(padded_rows(values, members.asked, steps=asked_most), query, axis=0)

    gates = ops.tanh(ops.expand_dims(projected[0], 1) + of_rows(projected[1]))
    logits = [
        ops.matmul(gates[..., part], scales[:, number])
        for number, part in enumerate((slice(size), slice(size, None)))
    ]
    real = ops.arange(ops.shape(gates)[1], dtype="int32") < ops.expand_dims(
        ops.take(members.asked, query, axis=0), 1
    )
    weights = masked_softmax(logits[0], real)
    in_query = ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), of_rows(q)), axis=1)
    cosine = ops.matmul(of_rows(units[1]), ops.expand_dims(units[0], -1))[..., 0]
    cosine = ops.where(real, ops.relu(cosine), ops.zeros_like(cosine))  # (rows, asked)

    most = None if steps[1] is None or steps[2] is None else steps[1] * steps[2]

    def of_documents(values: Any) -> Any:
        """The words of each document, `(pairs, words, ...)`."""
        return padded_rows(values, members.lengths, members.row_of_word, most)

    over = of_documents(logits[1])  # (pairs, words, asked)
    there = ops.arange(ops.shape(over)[1], dtype="int32") < ops.expand_dims(members.lengths, 1)
    weights = masked_softmax(over, ops.expand_dims(there, -1), axis=1)
    in_document = ops.matmul(ops.transpose(weights, (0, 2, 1)), of_documents(d))
    best = ops.where(ops.expand_dims(there, -1), of_documents(cosine), 0.0)
    best = ops.max(best, axis=1, initial=0.0)[..., None]  # (pairs, asked, 1)
    asked = members.asked_of_pairs(words)[0]
    in_document, best = (ragged_words(one, asked, words) for one in (in_document, best))
    return crossing.Crossed(in_query, in_document, ops.max(cosine, axis=1, initial=0.0), best[:, 0])
