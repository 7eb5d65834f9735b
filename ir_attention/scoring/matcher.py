"""Scores pairs with a trained matcher, in NumPy: numbering, chunks, and where it looked.

Training measures itself with it after every epoch, and `ranking` answers requests with it, so the
number that picks the best epoch is the number a user gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ir_attention.data.arrays import (
    Grouped,
    Runs,
    Texts,
    arrays_of_groups,
    number_pairs,
    number_texts,
    pair_arrays,
)
from ir_attention.data.cutting import Cut
from ir_attention.data.vectors import word_vectors
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.models.forward import Looks
from ir_attention.models.pair_forward import Words, score_pairs, score_words
from ir_attention.threads import one_blas_thread, over_threads

__all__ = ["WORDS_ALIKE", "MatcherScorer", "Request"]

# Words of documents that go through the network at once: enough for long products, little enough
# to stay in the cache.
_WORDS = 8192
# The same of documents that are alike: few of their words are read again.
WORDS_ALIKE = 1 << 15


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
        threads: How many work on a request. Scores do not depend on it.
    """

    def __init__(
        self,
        table: np.ndarray,
        weights: dict[str, np.ndarray],
        *,
        vocabulary: Vocabulary,
        split_sentences: bool = True,
        tokenizer: Callable[[str], list[str]] | None = None,
        threads: int = 1,
    ) -> None:
        self.table, self.weights, self.vocabulary = table, weights, vocabulary
        self.split_sentences, self.tokenizer = split_sentences, tokenizer
        self.threads = threads

    def number(
        self, queries: Sequence[str], documents: Sequence[str], cut: Cut | None = None
    ) -> Request:
        """Numbers each text once.

        Args:
            queries, documents: The texts of the pairs, row by row.
            cut: The distinct ones, queries first, if they are cut already.
        """
        distinct, query, document = number_pairs(queries, documents)
        numbered = number_texts(
            distinct if cut is None else cut,
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

    def score_request(self, request: Request, *, alike: bool = False) -> np.ndarray:
        """The score of each pair, `(pairs,)`, higher is better.

        Args:
            request: The pairs.
            alike: Whether documents have most sentences in common, as those of `variants`; it is
                quicker then.
        """
        # A pair that stands there twice is scored once: the same texts have the same score, to the
        # last digit, wherever they stand.
        keys = request.query * len(request.texts.sentence_counts) + request.document
        _, firsts, places = np.unique(keys, return_index=True, return_inverse=True)
        request = request._replace(query=request.query[firsts], document=request.document[firsts])
        scores = np.zeros(len(firsts))
        of_text = Runs.of_texts(request.texts)
        with one_blas_thread():
            words = Words.of_table(request.table, self.weights)

        def score(chunk: tuple[np.ndarray, Grouped]) -> None:
            rows, grouped = chunk
            pairs = arrays_of_groups(of_text, grouped)
            scores[rows] = score_words(pairs, words, self.weights, alike=alike)

        most = WORDS_ALIKE if alike else _WORDS
        over_threads(score, _chunks(request, of_text.lengths, most), self.threads)
        return scores[places]

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts."""
        return self.score_request(self.number(queries, documents))

    def look(self, query: str, document: str) -> tuple[float, Looks, Request]:
        """The score of one pair, and every attention weight behind it."""
        request = self.number([query], [document])
        pairs = pair_arrays(request.texts, [(int(request.query[0]), request.document)])
        with one_blas_thread():
            scores, looks = score_pairs(pairs, request.table, self.weights)
        return float(scores[0]), looks, request


def _chunks(
    request: Request, lengths: np.ndarray, most: int
) -> Iterator[tuple[np.ndarray, Grouped]]:
    """Rows that are scored at once, and their queries with their documents.

    Queries with documents of like length go together, shorter ones first, so that the sentences of
    a chunk end together. A query whose documents fill more than a chunk is scored in several.
    """
    words = lengths[request.document]
    _, query = np.unique(request.query, return_inverse=True)
    typical = np.bincount(query, words) / np.maximum(np.bincount(query), 1)
    order = np.lexsort((words, query, typical[query]))
    ends = np.cumsum(words[order])
    for rows in np.split(order, np.flatnonzero(np.diff(ends // most)) + 1):
        if len(rows):
            owner = request.query[rows]
            first = np.diff(owner, prepend=-1) != 0
            yield rows, Grouped(owner[first], request.document[rows], np.cumsum(first) - 1)
