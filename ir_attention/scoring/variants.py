"""A text as many: each time with other words left, by itself or in a pair."""

from __future__ import annotations

import numpy as np

from ir_attention.data.arrays import Runs
from ir_attention.scoring.matcher import Request

__all__ = ["document_variants", "left_words", "query_variants"]


def document_variants(request: Request, kept: np.ndarray) -> Request:
    """The pair with what is left of its document.

    Args:
        request: One pair.
        kept: Booleans, `(variants, words)`: which words of the document are left.

    Returns:
        As many pairs. A sentence without a word left is none.
    """
    grown, places = _grown(request, int(request.document[0]), kept)
    return grown._replace(query=np.repeat(request.query, len(kept)), document=places)


def query_variants(request: Request, kept: np.ndarray) -> Request:
    """The pair with what is left of its query; see `document_variants`."""
    grown, places = _grown(request, int(request.query[0]), kept)
    return grown._replace(query=places, document=np.repeat(request.document, len(kept)))


def left_words(lengths: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is left of a text in each of its variants.

    Args:
        lengths: Words of each of its sentences.
        kept: Booleans, `(variants, words)`.

    Returns:
        The words of all variants, end to end, as places among those of the text; the words of each
        sentence that has any; the sentences of each variant.
    """
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    variant, word = np.nonzero(kept)
    cells = variant * len(lengths) + sentence[word]
    left = np.bincount(cells, minlength=len(kept) * len(lengths))
    left = left.reshape(len(kept), len(lengths))
    return word, left[left > 0], (left > 0).sum(axis=1)


def _grown(request: Request, place: int, kept: np.ndarray) -> tuple[Request, np.ndarray]:
    """The request with variants of a text behind its texts, and their places."""
    texts, of_text = request.texts, Runs.of_texts(request.texts)
    words = of_text.words([place])
    word, lengths, counts = left_words(
        texts.sentence_lengths[of_text.sentence_places([place])], kept
    )
    grown = texts._replace(
        word=np.concatenate([texts.word, words[word]]),
        sentence_lengths=np.concatenate([texts.sentence_lengths, lengths]),
        sentence_counts=np.concatenate([texts.sentence_counts, counts]),
    )
    return request._replace(texts=grown), len(texts.sentence_counts) + np.arange(len(kept))
