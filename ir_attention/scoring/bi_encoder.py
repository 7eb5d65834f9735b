"""Encodes texts with a trained bi-encoder, in NumPy: each side to vectors, by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from ir_attention.data.arrays import Runs, Texts
from ir_attention.data.letters import letter_vectors
from ir_attention.data.vectors import WORD_LENGTH
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.models.bi_forward import Words, document_vectors, query_vectors
from ir_attention.models.forward import Looks
from ir_attention.scoring.matcher import MatcherScorer, Request

__all__ = ["BiEncoderScorer"]

# Words of documents that are encoded at once, as in `scoring`.
_WORDS = 8192
# Pairs whose products are summed at once: their vectors take some 3.6 kB each.
_PAIRS = 16_384


class BiEncoderScorer(MatcherScorer):
    """A trained `han-bi`, ready to encode and to score.

    Args:
        table: Vectors `(vocabulary, width)`, of words or of their pieces.
        weights: By `layer/weight`.
        letters: Width of the letters' vectors.
        vocabulary, split_sentences, tokenizer: As of `MatcherScorer`.
    """

    def __init__(
        self,
        table: np.ndarray,
        weights: dict[str, np.ndarray],
        *,
        letters: int,
        vocabulary: Vocabulary,
        split_sentences: bool = True,
        tokenizer: Callable[[str], list[str]] | None = None,
    ) -> None:
        super().__init__(
            table,
            weights,
            vocabulary=vocabulary,
            split_sentences=split_sentences,
            tokenizer=tokenizer,
        )
        self.letters = letters

    def number(self, queries: Sequence[str], documents: Sequence[str]) -> Request:
        """As of `MatcherScorer`; the table has each word's vector, letters and idf."""
        request = super().number(queries, documents)
        letters = np.zeros((len(request.table), self.letters), np.float32)
        letters[1:] = WORD_LENGTH * letter_vectors(request.texts.forms, self.letters)
        idf = np.zeros((len(request.table), 1), np.float32)
        idf[1:, 0] = request.texts.words.idf
        return request._replace(table=np.concatenate([request.table, letters, idf], axis=1))

    def score_request(self, request: Request) -> np.ndarray:
        """The score of each pair, `(pairs,)`, higher is better."""
        queries, query = np.unique(request.query, return_inverse=True)
        documents, document = np.unique(request.document, return_inverse=True)
        with threadpool_limits(1, "blas"):
            words = self._words(request)
            left = self._queries(request.texts, words, queries)[0]
            right = self._documents(request.texts, words, documents)
        scores = np.empty(len(query))
        for start in range(0, len(query), _PAIRS):
            part = slice(start, start + _PAIRS)
            scores[part] = np.einsum("pw,pw->p", left[query[part]], right[document[part]])
        return scores

    def encode_queries(self, queries: Sequence[str]) -> np.ndarray:
        """Vectors of queries, `(queries, width)` float32; their length is part of the score."""
        request = self.number(queries, [])
        with threadpool_limits(1, "blas"):
            return self._queries(request.texts, self._words(request), request.query)[0]

    def encode_documents(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of documents, `(documents, width)` float32; see `bi_forward`."""
        request = self.number([], documents)
        unique, place = np.unique(request.document, return_inverse=True)
        with threadpool_limits(1, "blas"):
            return self._documents(request.texts, self._words(request), unique)[place]

    def look(self, query: str, document: str) -> tuple[float, Looks, Request]:
        """The score of one pair, and the weights of words and sentences; none of word to word."""
        request = self.number([query], [document])
        words = self._words(request)
        left, gamma = self._queries(request.texts, words, request.query)
        right, alpha, beta = _document_vectors(request.texts, words, request.document, self.weights)
        return float(left[0] @ right[0]), Looks(alpha, beta, gamma, []), request

    def _words(self, request: Request) -> Words:
        # Without the row of padding.
        return Words.of_table(request.table[1:], self.weights, self.letters)

    def _queries(
        self, texts: Texts, words: Words, places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        of_text = Runs.of_texts(texts)
        return query_vectors(words, of_text.words(places), of_text.lengths[places], self.weights)

    def _documents(self, texts: Texts, words: Words, places: np.ndarray) -> np.ndarray:
        """In chunks of documents of like length."""
        lengths = Runs.of_texts(texts).lengths[places]
        vectors = [np.zeros((0, self.width), np.float32)]
        order = np.argsort(lengths, kind="stable")
        for chunk in _chunks(order, lengths):
            vectors.append(_document_vectors(texts, words, places[chunk], self.weights)[0])
        out = np.empty((len(places), self.width), np.float32)
        out[order] = np.concatenate(vectors)
        return out

    @property
    def width(self) -> int:
        """Of a vector of a query or a document."""
        return self.table.shape[1] + self.letters + self.weights["query_output/kernel"].shape[1]


def _document_vectors(
    texts: Texts, words: Words, places: np.ndarray, weights: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    runs = Runs.of_texts(texts)
    counts = texts.sentence_counts[places]
    lengths = texts.sentence_lengths[runs.sentence_places(places)]
    return document_vectors(words, runs.words(places), lengths, counts, weights)


def _chunks(order: np.ndarray, lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Documents in order, cut where their words fill a chunk; a document is never cut."""
    ends = np.cumsum(lengths[order])
    yield from np.split(order, np.flatnonzero(np.diff(ends // _WORDS)) + 1)
