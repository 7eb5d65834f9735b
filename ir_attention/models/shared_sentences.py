"""The encoder of documents that have sentences in common, in NumPy: each of these is read once.

Leaving one word out of a document changes one sentence of it. Of as many such variants as there
are words, the plain way reads all the other sentences again and again.
"""

from __future__ import annotations

import numpy as np

from ir_attention.models.forward import of_layer, segment_pool
from ir_attention.models.packed import Folded, attended_gru
from ir_attention.runs import run_sums, spread

__all__ = ["encode_alike", "pool_alike"]

Array = np.ndarray


def encode_alike(
    inputs: Array | Folded, lengths: Array, counts: Array, weights: dict[str, Array], places: Array
) -> tuple[Array, Array, Array]:
    """As `forward.encode_documents`, quicker where sentences of the same words stand there often.

    Sentences are the same if they have the same `places`, word by word.
    """
    firsts, number = _distinct(places, lengths)
    starts, own = (np.cumsum(lengths) - lengths)[firsts], lengths[firsts]
    vectors, alpha = attended_gru(
        inputs,
        own,
        of_layer(weights, "word_gru"),
        of_layer(weights, "word_pool"),
        places[spread(starts, own)],
    )
    alpha = alpha[spread((np.cumsum(own) - own)[number], lengths)]
    if not any(name.startswith("sentence_gru/") for name in weights):
        beta = np.ones(len(lengths), vectors.dtype)
        return segment_pool(vectors, beta, counts, number), alpha, beta
    full = lengths > 0  # a sentence without words is none
    beta = np.zeros(len(lengths), vectors.dtype)
    documents, beta[full] = attended_gru(
        vectors,
        run_sums(full, counts),
        of_layer(weights, "sentence_gru"),
        of_layer(weights, "sentence_pool"),
        number[full],
    )
    return documents, alpha, beta


def pool_alike(values: Array, shares: Array, lengths: Array, places: Array) -> Array:
    """As `forward.segment_pool`, quicker where segments have most of their few rows in common."""
    used, at = np.unique(places, return_inverse=True)
    segment = np.repeat(np.arange(len(lengths)), lengths)
    cells = segment * len(used) + at
    table = np.bincount(cells, shares, len(lengths) * len(used)).astype(values.dtype)
    return table.reshape(len(lengths), len(used)) @ values[used]


def _distinct(places: Array, lengths: Array) -> tuple[Array, Array]:
    """The first of each kind of sentence, and the kind of each sentence."""
    numbers: dict[bytes, int] = {}
    firsts: list[int] = []
    data = places.astype(np.int64, copy=False).tobytes()
    ends = 8 * np.cumsum(lengths)
    number = np.empty(len(lengths), np.int64)
    for sentence, (start, end) in enumerate(
        zip((ends - 8 * lengths).tolist(), ends.tolist(), strict=True)
    ):
        number[sentence] = at = numbers.setdefault(data[start:end], len(firsts))
        if at == len(firsts):
            firsts.append(sentence)
    return np.array(firsts, np.int64), number
