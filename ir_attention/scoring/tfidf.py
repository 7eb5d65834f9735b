"""Cosines of TF-IDF vectors over stems, with the idf of the training texts.

The formulas are those of scikit-learn's `TfidfVectorizer` as it comes: a stem weighs
`tf (1 + log((1 + N) / (1 + df)))`, where tf is how often the text has it and df how many of the N
training texts do; the score is the cosine of both vectors (Salton and Buckley 1988). Function words
are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ir_attention.data.arrays import number_pairs
from ir_attention.data.cutting import cut_texts
from ir_attention.errors import DataError
from ir_attention.runs import run_sums, spread
from ir_attention.text import STOP_WORDS, normal, stems

__all__ = ["TfidfScorer"]


class TfidfScorer:
    """Scores pairs by the cosine of their TF-IDF vectors, 0 to 1; without a stem, 0.

    Args:
        known: The stems of the training texts.
        idf: Of each of them, `(stems,)`, from 1 (in all texts) to that of df = 0.
        texts: How many training texts there were. A stem that none of them had gets the idf of
            df = 0, so that a word never seen still matches itself.
    """

    def __init__(self, known: Sequence[str], idf: np.ndarray, *, texts: int) -> None:
        if isinstance(texts, bool) or not isinstance(texts, int) or not 0 <= texts < 2**53:
            raise DataError(f"`texts` must be a whole number from 0. Received: texts={texts!r}")
        if not all(isinstance(one, str) for one in known) or len(set(known)) != len(known):
            raise DataError(f"the stems must be texts that differ. Received: {len(known)} of them")
        self._unseen = _idf(texts, np.zeros(1))[0]
        if idf.shape != (len(known),) or not ((idf >= 1) & (idf <= self._unseen)).all():
            raise DataError(
                f"`idf` must be from 1 to {self._unseen:.3g}, as there were {texts} texts, for "
                f"each of the {len(known)} stems. Received: shape {idf.shape}, "
                f"{idf.min(initial=np.inf)} to {idf.max(initial=-np.inf)}"
            )
        self.known, self.idf, self.texts = list(known), np.asarray(idf, np.float64), texts
        self._rows = {stem: row for row, stem in enumerate(self.known)}

    @classmethod
    def fitted(cls, texts: Sequence[str]) -> TfidfScorer:
        """Counts the stems of the distinct training texts."""
        texts = list(dict.fromkeys(texts))
        counted = _count(texts)
        df = np.bincount(counted.stem, minlength=len(counted.stems))
        known = [stem for stem, count in zip(counted.stems, df, strict=True) if count]
        return cls(known, _idf(len(texts), df[df > 0]), texts=len(texts))

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts."""
        distinct, query, document = number_pairs(queries, documents)
        counted = _count(distinct)
        rows = np.array([self._rows.get(stem, -1) for stem in counted.stems], np.int64)
        idf = np.append(self.idf, self._unseen)[rows]
        weight = counted.times * idf[counted.stem]
        text = np.repeat(np.arange(len(distinct)), counted.sizes)
        # Each sum by itself, in the order of the alphabet: the same words get the same score, to
        # the last digit, whatever else is scored.
        norm = np.sqrt(np.bincount(text, weight**2, len(distinct)))
        weight /= np.maximum(norm, 1e-300)[text]
        # A stem of a query is looked for among those of the document: as (text, stem), which are
        # in ascending order.
        width = max(len(counted.stems), 1)
        keys = text * width + counted.stem
        sizes = counted.sizes[query]
        starts = np.cumsum(counted.sizes) - counted.sizes
        asked = spread(starts[query], sizes)
        sought = np.repeat(document, sizes) * width + counted.stem[asked]
        place = np.minimum(np.searchsorted(keys, sought), max(len(keys) - 1, 0))
        found = keys[place] == sought
        shared = np.where(found, weight[asked] * weight[place], 0.0)
        pair = np.repeat(np.arange(len(query)), sizes)
        return np.minimum(np.bincount(pair, shared, len(query)), 1.0)

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        """Weights, vocabulary and settings, as a bundle holds them."""
        return {"idf": self.idf}, {"stems": self.known}, {"tfidf": {"texts": self.texts}}

    @classmethod
    def from_parts(
        cls, weights: dict[str, np.ndarray], vocabulary: dict[str, Any], settings: dict[str, Any]
    ) -> TfidfScorer:
        """The scorer whose `parts` these are.

        Raises:
            DataError: They are not of that form, or do not fit together.
        """
        known, own = vocabulary.get("stems"), settings.get("tfidf")
        if not isinstance(known, list) or not isinstance(own, dict) or set(weights) != {"idf"}:
            raise DataError(
                "a tfidf has the weight `idf`, a vocabulary of `stems` and the setting `tfidf`. "
                f"Received: weights {sorted(weights)}, vocabulary {sorted(vocabulary)}"
            )
        return cls(known, weights["idf"], texts=own.get("texts"))  # type: ignore[arg-type]


class _Counted(NamedTuple):
    """How often each text has each of its stems, ascending by text and stem."""

    stems: list[str]  # sorted
    sizes: np.ndarray  # (texts,) different stems of each
    stem: np.ndarray  # (entries,) places in `stems`
    times: np.ndarray  # (entries,)


def _count(texts: list[str]) -> _Counted:
    cut = cut_texts(texts, split_sentences=False)
    forms = [normal(word) for word in cut.written]
    roots = stems(forms)
    numbers = {one: number for number, one in enumerate(sorted(set(roots)))}
    stem = np.array([numbers[one] for one in roots], np.int64)
    content = np.array([form not in STOP_WORDS for form in forms], bool)
    lengths = run_sums(cut.sentence_lengths, cut.sentence_counts)
    text = np.repeat(np.arange(len(texts)), lengths)[content[cut.word]]
    width = max(len(numbers), 1)
    keys, times = np.unique(text * width + stem[cut.word[content[cut.word]]], return_counts=True)
    sizes = np.bincount(keys // width, minlength=len(texts))
    return _Counted(list(numbers), sizes, keys % width, times)


def _idf(texts: int, df: np.ndarray) -> np.ndarray:
    return 1 + np.log((1 + texts) / (1 + df))
