"""Scores pairs with a trained matcher, in NumPy: numbering, chunks, and where it looked.

Training measures itself with it after every epoch, and `ranking` answers requests with it, so the
number that picks the best epoch is the number a user gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from ir_attention.data.arrays import Runs, Texts, number_texts, pair_arrays
from ir_attention.data.vectors import word_vectors
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.models.forward import Looks, score_pairs

__all__ = ["MatcherScorer", "Request"]

# Words of documents that go through the network at once: enough for long products, little enough
# to stay in the cache.
_WORDS = 8192


class Request(NamedTuple):
    """Pairs as numbers: places of their texts in `texts`, whose ids are rows of `table`."""

    texts: Texts
    table: np.ndarray  # (unique words + 1, width); row 0 is zeros
    query: np.ndarray  # (pairs,)
    document: np.ndarray  # (pairs,)


class MatcherScorer:
    """A trained `han`, ready to score: its weights, and how it reads texts.

    Args:
        table: Vectors `(vocabulary, width)`, of words or of their pieces.
        weights: By `layer/weight`.
        vocabulary: Numbers the words.
        split_sentences: Whether documents have sentences, or are read as one.
        tokenizer: Cuts texts into words. Default: `text.words`.
    """

    def __init__(
        self,
        table: np.ndarray,
        weights: dict[str, np.ndarray],
        *,
        vocabulary: Vocabulary,
        split_sentences: bool = True,
        tokenizer: Callable[[str], list[str]] | None = None,
    ) -> None:
        self.table, self.weights, self.vocabulary = table, weights, vocabulary
        self.split_sentences, self.tokenizer = split_sentences, tokenizer

    def number(self, queries: Sequence[str], documents: Sequence[str]) -> Request:
        """Numbers each text once. Both hold the texts of the pairs, row by row."""
        numbers: dict[str, int] = {}
        query, document = (
            np.array([numbers.setdefault(text, len(numbers)) for text in side], np.int64)
            for side in (queries, documents)
        )
        numbered = number_texts(
            list(numbers),
            self.vocabulary,
            tokenizer=self.tokenizer,
            split_sentences=self.split_sentences,
        )
        # From here on a word is one thing, whatever pieces its vector was made of.
        table = word_vectors(
            numbered.pieces, numbered.piece_counts, self.table, unknown=self.vocabulary.unknown
        )
        ids = np.arange(1, len(table), dtype=np.int32)
        whole = numbered._replace(pieces=ids, piece_counts=np.ones(len(ids), np.int64))
        return Request(whole, table, query, document)

    def score_request(self, request: Request) -> np.ndarray:
        """The score of each pair, `(pairs,)`, higher is better."""
        # A pair that stands there twice is scored once: the same texts have the same score, to the
        # last digit, wherever they stand.
        keys = request.query * len(request.texts.sentence_counts) + request.document
        _, firsts, places = np.unique(keys, return_index=True, return_inverse=True)
        request = request._replace(query=request.query[firsts], document=request.document[firsts])
        scores = np.zeros(len(firsts))
        # The products are small: a second thread waits more than it works, and where cores are
        # shared it was measured to take eight times as long.
        with threadpool_limits(1, "blas"):
            for rows, groups in _chunks(request):
                pairs = pair_arrays(request.texts, groups)
                scores[rows] = score_pairs(pairs, request.table, self.weights)[0]
        return scores[places]

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts."""
        return self.score_request(self.number(queries, documents))

    def look(self, query: str, document: str) -> tuple[float, Looks, Request]:
        """The score of one pair, and every attention weight behind it."""
        request = self.number([query], [document])
        pairs = pair_arrays(request.texts, [(int(request.query[0]), request.document)])
        scores, looks = score_pairs(pairs, request.table, self.weights)
        return float(scores[0]), looks, request


def _chunks(request: Request) -> Iterator[tuple[np.ndarray, list[tuple[int, np.ndarray]]]]:
    """Rows that are scored at once, and their queries with their documents.

    Documents of a query are sorted by length, so that the sentences of a chunk end together.
    """
    lengths = Runs.of_texts(request.texts).lengths
    order = np.lexsort((lengths[request.document], request.query))
    chunk: list[np.ndarray] = []
    words = 0
    for rows in _runs(request.query[order], order):
        ends = np.cumsum(lengths[request.document[rows]])
        # A query with very many documents is scored in several parts.
        for part in np.split(rows, np.flatnonzero(np.diff(ends // _WORDS)) + 1):
            size = int(lengths[request.document[part]].sum())
            if chunk and words + size > _WORDS:
                yield _grouped(request, chunk)
                chunk, words = [], 0
            chunk.append(part)
            words += size
    if chunk:
        yield _grouped(request, chunk)


def _runs(keys: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
    """Cuts `values` where the sorted `keys` change."""
    return np.split(values, np.flatnonzero(np.diff(keys)) + 1) if len(keys) else []


def _grouped(
    request: Request, chunk: list[np.ndarray]
) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    groups = [(int(request.query[rows[0]]), request.document[rows]) for rows in chunk]
    return np.concatenate(chunk), groups
