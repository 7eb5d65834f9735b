"""Texts to vectors in NumPy alone: the twin of `bi_encoder.BiEncoder`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ir_attention.models.forward import (
    dense,
    encode_documents,
    gated_projection,
    of_layer,
    ragged_attention,
    segment_pool,
)
from ir_attention.models.packed import Folded, fold
from ir_attention.models.shared_sentences import encode_alike, pool_alike
from ir_attention.runs import run_sums

__all__ = ["Words", "document_vectors", "query_vectors"]

Array = np.ndarray

_TINY = 1e-12  # as in `bi_encoder`


class Words(NamedTuple):
    """What the encoders know of each unique word, `(words, ...)`."""

    known: Array  # after the projection
    values: Array  # vector and letters, by idf
    letters: int  # how many of the values' columns, at the end, are of letters

    @classmethod
    def of_table(cls, table: Array, weights: dict[str, Array], letters: int) -> Words:
        """Of a table `(words, width + letters + 1)`, as `BiEncoder` takes it."""
        known = gated_projection(table, of_layer(weights, "projection"))
        return cls(known, table[:, :-1] * table[:, -1:], letters)

    def folded(self, weights: dict[str, Array]) -> Folded:
        """What the encoder of documents reads of each word, computed once for all documents."""
        return fold(self.known, of_layer(weights, "document_encoder/word_gru"))


def document_vectors(
    words: Words,
    document: Array,
    lengths: Array,
    counts: Array,
    weights: dict[str, Array],
    *,
    folded: Folded | None = None,
    alike: bool = False,
) -> tuple[Array, Array, Array]:
    """Vectors of documents, and where the encoder looked.

    Args:
        words: Of the unique words.
        document: Each document's words, as rows of `words`, end to end.
        lengths: Words of each sentence.
        counts: Sentences of each document.
        weights: By `layer/weight`.
        folded: `words.folded(weights)`, if documents come in several parts.
        alike: Whether documents have most sentences in common; it is quicker then.

    Returns:
        `(documents, width)`: three vectors side by side, each of length `sqrt(1 / 3)`, or 0 if it
        has nothing in it; the weight of each word in its sentence, and of each sentence in its
        document.
    """
    encode, pool = (encode_alike, pool_alike) if alike else (encode_documents, segment_pool)
    states, alpha, beta = encode(
        words.known if folded is None else folded,
        lengths,
        counts,
        of_layer(weights, "document_encoder"),
        document,
    )
    total = alpha * np.repeat(beta, lengths)
    pooled = pool(words.values, total, run_sums(lengths, counts), document)
    parts = _parts(dense(states, of_layer(weights, "document_output")), pooled, words.letters)
    return np.concatenate(parts, axis=1) / np.sqrt(np.float32(len(parts))), alpha, beta


def query_vectors(
    words: Words, query: Array, lengths: Array, weights: dict[str, Array]
) -> tuple[Array, Array]:
    """Vectors of queries, `(queries, width)`, and the weight of each word in its query.

    The score of a document is the product of both vectors.
    """
    gamma = ragged_attention(words.known[query], lengths, of_layer(weights, "query_pool"))
    states, pooled = (
        segment_pool(one, gamma, lengths, query) for one in (words.known, words.values)
    )
    parts = _parts(dense(states, of_layer(weights, "query_output")), pooled, words.letters)
    strength = weights["strength/kernel"].ravel() * np.sqrt(np.float32(len(parts)))
    scaled = [part * one for part, one in zip(parts, strength, strict=True)]
    return np.concatenate(scaled, axis=1), gamma


def _parts(states: Array, pooled: Array, letters: int) -> list[Array]:
    width = pooled.shape[1] - letters
    return [_unit(one) for one in (states, pooled[:, width:], pooled[:, :width])]


def _unit(vectors: Array) -> Array:
    return vectors / np.sqrt(np.einsum("ij,ij->i", vectors, vectors) + _TINY)[:, None]
