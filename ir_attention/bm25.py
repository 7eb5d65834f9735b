"""BM25 over stems: the baseline that needs no training, and the first stage of a search.

The formula is Lucene's, as in the bm25s library: `sum_t idf(t) tf / (tf + k1 (1 - b + b l / l'))`
over the query's stems t, with `idf(t) = log(1 + (N - n_t + .5) / (n_t + .5))`, l the document's
length in stems and l' the mean of it (Robertson and Zaragoza 2009; Kamphuis et al. 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ir_attention.errors import DataError
from ir_attention.text import STOP_WORDS, normal, stem, words

__all__ = ["BM25", "BM25Scorer"]


class BM25:
    """An index of documents.

    Args:
        documents: Texts; an empty one gets score 0 for every query.
        k1: How soon a word's repetition stops to count, at least 0.
        b: How far long documents are held back, 0 to 1.
    """

    def __init__(self, documents: Sequence[str], *, k1: float = 1.2, b: float = 0.75) -> None:
        import bm25s

        _check(k1, b)
        self.size = len(documents)
        tokens = [_stems(document) for document in documents]
        self._empty = not any(tokens)  # bm25s cannot hold an index without a word
        if not self._empty:
            self._index = bm25s.BM25(k1=k1, b=b, method="lucene")
            self._index.index(tokens, show_progress=False)

    def scores(self, query: str) -> np.ndarray:
        """The score of each document, `(documents,)`, at least 0."""
        stems = [] if self._empty else _stems(query)
        known = [one for one in stems if one in self._index.vocab_dict]
        if not known:
            return np.zeros(self.size)
        return np.asarray(self._index.get_scores(known), np.float64)

    def top(self, query: str, k: int) -> np.ndarray:
        """The places of the best `k` documents, best first; of equal ones the earlier first."""
        return np.argsort(-self.scores(query), kind="stable")[:k]


class BM25Scorer:
    """Scores pairs by BM25; how rare a stem is, is counted over the documents of the request."""

    def __init__(self, *, k1: float = 1.2, b: float = 0.75) -> None:
        _check(k1, b)
        self.k1, self.b = k1, b

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts."""
        numbers: dict[str, int] = {}
        document = np.array([numbers.setdefault(text, len(numbers)) for text in documents], int)
        index = BM25(list(numbers), k1=self.k1, b=self.b)
        rows_of: dict[str, list[int]] = {}
        for row, query in enumerate(queries):
            rows_of.setdefault(query, []).append(row)
        scores = np.zeros(len(document))
        for query, rows in rows_of.items():
            scores[rows] = index.scores(query)[document[rows]]
        return scores

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a bundle's settings."""
        return {"k1": self.k1, "b": self.b}


def _check(k1: float, b: float) -> None:
    numbers = all(isinstance(one, int | float) for one in (k1, b))
    if not (numbers and 0 <= k1 < float("inf") and 0 <= b <= 1):
        raise DataError(f"k1 must be at least 0 and b from 0 to 1. Received: k1={k1!r}, b={b!r}")


def _stems(text: str) -> list[str]:
    forms = [normal(word) for word in words(text)]
    return stem([form for form in forms if form not in STOP_WORDS])
