"""The words of training texts that get a vector, and those vectors: learnt, or from a file."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ir_attention.data.arrays import Texts, number_texts
from ir_attention.data.cutting import Cut
from ir_attention.data.own_vectors import learn_vectors
from ir_attention.data.vectors import Vectors, read_vectors, word_vectors
from ir_attention.data.vocabulary import Vocabulary

__all__ = ["coverage", "frequent_words", "learnt_words", "of_length_one", "read_words"]


class Sizes(Protocol):
    """What is asked of the settings of a training."""

    @property
    def min_count(self) -> int: ...
    @property
    def most_vectors(self) -> int: ...


def frequent_words(numbered: Texts, settings: Sizes) -> list[str]:
    """The words that get a vector of their own, sorted."""
    counts = np.bincount(numbered.word, minlength=len(numbered.forms))
    often = np.argsort(-counts, kind="stable")[: settings.most_vectors]
    return sorted(numbered.forms[word] for word in often if counts[word] >= settings.min_count)


def learnt_words(cut: Cut, settings: Any, seed: int) -> tuple[list[str], np.ndarray, str]:
    """The frequent words of texts, their vectors from the texts themselves, and a note on it."""
    numbered = number_texts(cut, Vocabulary())
    words = frequent_words(numbered, settings)
    note = (
        f"no vectors were given: those of {len(words)} words are learnt from the training texts "
        "themselves"
    )
    return words, learn_vectors(numbered, words, width=settings.width, seed=seed), note


def read_words(vectors: Any, cut: Cut, settings: Any) -> tuple[list[str], np.ndarray, str]:
    """Words with their vectors from a file, made 1 long, and a note on how many have one.

    Words of the training texts that have none get zeros if vectors are trained on; otherwise they
    stay unknown. Vectors of word pieces are summed to words, for the words of the texts.
    """
    numbered = number_texts(cut, Vocabulary())
    frequent = frequent_words(numbered, settings)
    read = read_vectors(vectors, wanted=frozenset(frequent), most=settings.most_vectors)
    note = coverage(read, numbered)
    if read.tokenizer is None:
        words, table = list(read.words), read.table
        if settings.trainable_vectors:
            words += sorted(set(frequent) - set(words))
            more = np.zeros((len(words) - len(table), table.shape[1]), np.float32)
            table = np.concatenate([table, more])
        return words, of_length_one(table), note
    pieces = Vocabulary(tokenizer=read.tokenizer)
    ids, counts = pieces.ids(frequent)
    table = word_vectors(ids, counts, read.table, unknown=pieces.unknown)[1:]
    return frequent, of_length_one(table), note


def of_length_one(vectors: np.ndarray) -> np.ndarray:
    """Vectors made 1 long; zeros stay what they are."""
    norms = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return (vectors / norms).astype(np.float32)


def coverage(read: Vectors, numbered: Texts) -> str:
    """How many of the words of the training texts have a vector, as a sentence."""
    counts = np.bincount(numbered.word, minlength=len(numbered.forms))
    if read.tokenizer is None:
        known = np.isin(np.array(numbered.forms, object), np.array(read.words, object))
    else:
        vocabulary = Vocabulary(tokenizer=read.tokenizer)
        pieces, lengths = vocabulary.ids(numbered.forms)
        starts = np.cumsum(lengths) - lengths
        known = ~np.logical_or.reduceat(pieces == vocabulary.unknown, starts)
    running, distinct = counts[known].sum() / max(counts.sum(), 1), known.mean()
    return (
        f"vectors cover {running:.1%} of the words of the training texts, {distinct:.1%} of the "
        "distinct ones"
    )
