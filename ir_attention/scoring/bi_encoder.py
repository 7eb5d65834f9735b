"""Encodes texts with a trained bi-encoder, in NumPy: each side to vectors, by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ir_attention.data.arrays import Runs, Texts
from ir_attention.data.cutting import Cut
from ir_attention.data.letters import letter_vectors
from ir_attention.data.vectors import WORD_LENGTH
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.models.bi_forward import Words, document_vectors, query_vectors
from ir_attention.models.forward import Looks
from ir_attention.scoring.matcher import WORDS_ALIKE, MatcherScorer, Request
from ir_attention.threads import one_blas_thread, over_threads

__all__ = ["BiEncoderScorer", "products"]

# Words of documents that are encoded at once, as in `scoring`.
_WORDS = 8192
# Pairs whose products are summed at once: their vectors take some 3.6 kB each.
_PAIRS = 256


class BiEncoderScorer(MatcherScorer):
    """A trained `han-bi`, ready to encode and to score.

    Args:
        table: Vectors `(vocabulary, width)`, of words or of their pieces.
        weights: By `layer/weight`.
        letters: Width of the letters' vectors.
        vocabulary, split_sentences, tokenizer, threads: As of `MatcherScorer`.
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
        threads: int = 1,
    ) -> None:
        super().__init__(
            table,
            weights,
            vocabulary=vocabulary,
            split_sentences=split_sentences,
            tokenizer=tokenizer,
            threads=threads,
        )
        self.letters = letters

    def number(
        self, queries: Sequence[str], documents: Sequence[str], cut: Cut | None = None
    ) -> Request:
        """As of `MatcherScorer`; the table has each word's vector, letters and idf."""
        request = super().number(queries, documents, cut)
        words, width = request.texts.words, request.table.shape[1]
        table = np.zeros((len(request.table), width + self.letters + 1), np.float32)
        table[:, :width] = request.table
        letters = letter_vectors(request.texts.forms, self.letters, words.letters())
        np.multiply(WORD_LENGTH, letters, out=table[1:, width:-1])
        table[1:, -1] = words.idf
        return request._replace(table=table)

    def score_request(self, request: Request, *, alike: bool = False) -> np.ndarray:
        """As of `MatcherScorer`."""
        queries, query = np.unique(request.query, return_inverse=True)
        documents, document = np.unique(request.document, return_inverse=True)
        request = request._replace(query=queries, document=documents)
        left, right = self._encoded(request, alike)
        return products(left, query, right, document)

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts."""
        return self.score_request(self.number(queries, documents))

    def encode(
        self, queries: Sequence[str], documents: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of queries and of documents, `(texts, width)` float32 each; see `bi_forward`.

        The score of a pair is their product; the length of a query's vector is part of it.
        """
        return self._encoded(self.number(queries, documents))

    def _encoded(self, request: Request, alike: bool = False) -> tuple[np.ndarray, np.ndarray]:
        unique, place = np.unique(request.document, return_inverse=True)
        # The words of queries come first. By themselves, they are the same to the last digit
        # whatever documents come along.
        asked = int(Runs.of_texts(request.texts).words(request.query).max(initial=-1)) + 1
        own = request._replace(table=request.table[: asked + 1])
        with one_blas_thread():
            left = self._queries(request.texts, self._words(own), request.query)[0]
            right = self._documents(request.texts, self._words(request), unique, alike)
        return left, right[place]  # a document that is a query, too, has a place before the others

    def look(self, query: str, document: str) -> tuple[float, Looks, Request]:
        """The score of one pair, and the weights of words and sentences; none of word to word."""
        request = self.number([query], [document])
        read = _reading(Runs.of_texts(request.texts), request.document)
        with one_blas_thread():
            words = self._words(request)
            left, gamma = self._queries(request.texts, words, request.query)
            right, alpha, beta = document_vectors(words, *read, self.weights)
        return float(left[0] @ right[0]), Looks(alpha, beta, gamma, []), request

    def _words(self, request: Request) -> Words:
        # Without the row of padding.
        return Words.of_table(request.table[1:], self.weights, self.letters)

    def _queries(
        self, texts: Texts, words: Words, places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        of_text = Runs.of_texts(texts)
        return query_vectors(words, of_text.words(places), of_text.lengths[places], self.weights)

    def _documents(self, texts: Texts, words: Words, places: np.ndarray, alike: bool) -> np.ndarray:
        """In chunks of documents of like length."""
        of_text, folded = Runs.of_texts(texts), words.folded(self.weights)
        lengths = of_text.lengths[places]
        out = np.empty((len(places), self.width), np.float32)

        def encode(chunk: np.ndarray) -> None:
            read = _reading(of_text, places[chunk])
            vectors, *_ = document_vectors(words, *read, self.weights, folded=folded, alike=alike)
            out[chunk] = vectors

        most = WORDS_ALIKE if alike else _WORDS
        chunks = _chunks(np.argsort(lengths, kind="stable"), lengths, most)
        over_threads(encode, chunks, self.threads)
        return out

    @property
    def width(self) -> int:
        """Of a vector of a query or a document."""
        return self.table.shape[1] + self.letters + self.weights["query_output/kernel"].shape[1]


def products(
    queries: np.ndarray, query: np.ndarray, documents: np.ndarray, document: np.ndarray
) -> np.ndarray:
    """The product of the vectors of each pair, which are rows of both arrays: `(pairs,)`."""
    scores = np.empty(len(query))
    for start in range(0, len(query), _PAIRS):
        part = slice(start, start + _PAIRS)
        left, right = queries.take(query[part], axis=0), documents.take(document[part], axis=0)
        scores[part] = np.einsum("pw,pw->p", left, right)
    return scores


def _reading(of_text: Runs, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The words of documents, the words of each sentence, and the sentences of each document."""
    texts = of_text.texts
    lengths = texts.sentence_lengths[of_text.sentence_places(places)]
    return of_text.words(places), lengths, texts.sentence_counts[places]


def _chunks(order: np.ndarray, lengths: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Documents in order, cut where their words fill a chunk; a document is never cut."""
    ends = np.cumsum(lengths[order])
    for chunk in np.split(order, np.flatnonzero(np.diff(ends // most)) + 1):
        if len(chunk):
            yield chunk
