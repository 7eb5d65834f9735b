"""Documents to classes in NumPy alone: the twin of `classifier.HanClassifier`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ir_attention.models.forward import dense, encode_documents, masked_softmax, of_layer
from ir_attention.models.packed import Folded, fold
from ir_attention.models.shared_sentences import encode_alike

__all__ = ["Looked", "class_logits", "fold_words", "probabilities"]

Array = np.ndarray


class Looked(NamedTuple):
    """What the network makes of documents, and where it looked."""

    logits: Array  # (batch, classes)
    words: Array  # (words,) the weight of each in its sentence
    sentences: Array  # (sents,)


def fold_words(table: Array, weights: dict[str, Array]) -> Folded:
    """What the encoder reads of each word, `(words, width)`, computed once for all documents."""
    return fold(table, of_layer(weights, "document_encoder/word_gru"))


def class_logits(
    words: Folded,
    place: Array,
    lengths: Array,
    counts: Array,
    weights: dict[str, Array],
    *,
    pooling: tuple[str, str] = ("attention", "attention"),
    alike: bool = False,
) -> Looked:
    """The logits of the classes of documents.

    Args:
        words: Of the distinct words.
        place: Which of them each word is, documents end to end.
        lengths: Words of each sentence.
        counts: Sentences of each document.
        weights: By `layer/weight`.
        pooling: Of words and of sentences: `attention`, `mean` or `max`.
        alike: Whether documents have most sentences in common; it is quicker then.
    """
    encode = encode_alike if alike else encode_documents
    own = of_layer(weights, "document_encoder")
    vectors, alpha, beta = encode(words, lengths, counts, own, place, pooling=pooling)
    hidden = of_layer(weights, "hidden")
    if hidden:
        vectors = dense(vectors, hidden, "relu")
    return Looked(dense(vectors, of_layer(weights, "output")), alpha, beta)


def probabilities(logits: Array) -> Array:
    """`softmax` of the logits, `(batch, classes)`; rows sum to 1."""
    return masked_softmax(logits)
