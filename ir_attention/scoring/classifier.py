"""Classifies documents with a trained network, in NumPy: numbering, chunks, and where it looked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ir_attention.data.cutting import Cut
from ir_attention.data.labelled import cut_documents
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.models.classifier_forward import (
    Looked,
    class_logits,
    fold_words,
    probabilities,
)
from ir_attention.models.packed import Folded
from ir_attention.runs import spread
from ir_attention.scoring.variants import left_words
from ir_attention.text import normal
from ir_attention.threads import one_blas_thread, over_threads

__all__ = ["ClassifierScorer", "Numbered", "number_documents"]

# Words of documents that go through the network at once, as in `matcher`.
_WORDS = 8192
# The same of documents that are alike: few of their words are read again.
_WORDS_ALIKE = 1 << 15


@dataclass(frozen=True)
class Numbered:
    """Documents as numbers of words, without padding."""

    word: np.ndarray  # every word of every document, as its id in a vocabulary
    sentence_lengths: np.ndarray  # in words
    sentence_counts: np.ndarray  # (documents,)

    @cached_property
    def lengths(self) -> np.ndarray:
        """The words of each document, `(documents,)`."""
        bounds = np.concatenate([[0], np.cumsum(self.sentence_lengths)])
        last = np.cumsum(self.sentence_counts)
        return bounds[last] - bounds[last - self.sentence_counts]

    @cached_property
    def _starts(self) -> tuple[np.ndarray, np.ndarray]:
        """The first word and the first sentence of each document."""
        return (
            np.cumsum(self.lengths) - self.lengths,
            np.cumsum(self.sentence_counts) - self.sentence_counts,
        )

    def taken(self, places: np.ndarray) -> Numbered:
        """Some of the documents."""
        counts, (words, sentences) = self.sentence_counts[places], self._starts
        word = spread(words[places], self.lengths[places])
        sentence = spread(sentences[places], counts)
        return Numbered(self.word[word], self.sentence_lengths[sentence], counts)

    def padded(self) -> np.ndarray:
        """The words in cells, `(documents, sents, words)`, and 0 in those that are left.

        As wide as the longest sentence and document. Unknown words are 0, too.
        """
        counts, lengths = self.sentence_counts, self.sentence_lengths
        cells = np.zeros((len(counts), counts.max(initial=0), lengths.max(initial=0)), np.int64)
        document = np.repeat(np.arange(len(counts)), counts)
        sentence = spread(np.zeros_like(counts), counts)
        at = spread(np.zeros_like(lengths), lengths)
        cells[np.repeat(document, lengths), np.repeat(sentence, lengths), at] = self.word
        return cells


def number_documents(cut: Cut, vocabulary: Vocabulary) -> Numbered:
    """The words of documents as ids; those that the vocabulary lacks are `UNKNOWN`."""
    ids, _ = vocabulary.ids([normal(word) for word in cut.written])
    return Numbered(ids[cut.word], cut.sentence_lengths, cut.sentence_counts)


class ClassifierScorer:
    """A trained classifier, ready to read documents: its weights, and how it cuts texts.

    Args:
        table: Vectors of words, `(vocabulary, width)`; row 0 is that of unknown words.
        weights: By `layer/weight`.
        vocabulary: Numbers the words.
        pooling: Of words and of sentences: `attention`, `mean` or `max`.
        split_sentences: Whether documents have sentences, or are read as one.
        tokenizer: Cuts texts into words. Default: `text.words`.
        threads: How many work on a request. The result does not depend on it.
    """

    def __init__(
        self,
        table: np.ndarray,
        weights: dict[str, np.ndarray],
        *,
        vocabulary: Vocabulary,
        pooling: tuple[str, str] = ("attention", "attention"),
        split_sentences: bool = True,
        tokenizer: Callable[[str], list[str]] | None = None,
        threads: int = 1,
    ) -> None:
        self.table, self.weights, self.vocabulary = table, weights, vocabulary
        self.pooling = pooling
        self.split_sentences, self.tokenizer = split_sentences, tokenizer
        self.threads = threads

    def number(self, documents: Sequence[Any]) -> Numbered:
        """Documents, each a text or a tuple of sentences of words, as numbers."""
        cut = cut_documents(
            documents, tokenizer=self.tokenizer, split_sentences=self.split_sentences
        )
        return number_documents(cut, self.vocabulary)

    def probabilities(self, numbered: Numbered) -> np.ndarray:
        """The probability of each class, `(documents, classes)`; rows sum to 1."""
        return probabilities(self.logits(numbered))

    def logits(self, numbered: Numbered, *, alike: bool = False) -> np.ndarray:
        """The logits of each class, `(documents, classes)`.

        Args:
            numbered: The documents.
            alike: Whether they have most sentences in common; it is quicker then.
        """
        classes = self.weights["output/bias"].shape[0]
        out = np.zeros((len(numbered.sentence_counts), classes), np.float32)
        unique, place = np.unique(numbered.word, return_inverse=True)
        placed = replace(numbered, word=place)
        with one_blas_thread():
            words = fold_words(self.table[unique].astype(np.float32), self.weights)

        def read(chunk: np.ndarray) -> None:
            out[chunk] = self._read(words, placed.taken(chunk), alike).logits

        lengths = numbered.lengths
        order = np.argsort(lengths, kind="stable")  # shorter ones first: they end together
        ends = np.cumsum(lengths[order])
        most = _WORDS_ALIKE if alike else _WORDS
        chunks = np.split(order, np.flatnonzero(np.diff(ends // most)) + 1)
        over_threads(read, [chunk for chunk in chunks if len(chunk)], self.threads)
        return out

    def effects(self, numbered: Numbered) -> np.ndarray:
        """How much lower the logits of a document are without each word: leave-one-out.

        Returns:
            `(words, classes)`. Left out is the word alone, as in `ranking.erasing`.
        """
        words = len(numbered.word)
        kept = np.concatenate([np.ones((1, words), bool), ~np.eye(words, dtype=bool)])
        word, lengths, counts = left_words(numbered.sentence_lengths, kept)
        logits = self.logits(Numbered(numbered.word[word], lengths, counts), alike=True)
        return logits[0] - logits[1:]

    def look(self, numbered: Numbered) -> Looked:
        """The logits of a document, and the weights of its words and sentences."""
        unique, place = np.unique(numbered.word, return_inverse=True)
        with one_blas_thread():
            words = fold_words(self.table[unique].astype(np.float32), self.weights)
            return self._read(words, replace(numbered, word=place))

    def _read(self, words: Folded, documents: Numbered, alike: bool = False) -> Looked:
        parts = documents.word, documents.sentence_lengths, documents.sentence_counts
        return class_logits(words, *parts, self.weights, pooling=self.pooling, alike=alike)
