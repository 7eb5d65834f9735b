"""A logistic regression over features of the words that two texts share.

It knows nothing of what words mean, and is the baseline that neural matchers most often lose to.
The features are those that `han` is given as well (`data/matches.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ir_attention.data.arrays import Runs, Texts, number_pairs, number_texts
from ir_attention.data.matches import OVERALL_FEATURES, Sides, match
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.errors import DataError
from ir_attention.threads import one_blas_thread

__all__ = ["FEATURES", "LexicalScorer", "numbered_features", "pair_features"]

# Of a pair, each by itself, whatever else is scored with it.
FEATURES = OVERALL_FEATURES

# Words of documents that are matched at once.
_WORDS = 1 << 18


class LexicalScorer:
    """A fitted logistic regression: the score is the log odds that a pair is relevant.

    Args:
        vocabulary: Knows how rare a stem is in the training texts.
        coefficients: Of the standardised features, `(features,)`.
        means, scales: What a feature is standardised with, `(features,)` each; scales above 0.
        intercept: The log odds of a pair whose features are all at their means, `(1,)`.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        coefficients: np.ndarray,
        means: np.ndarray,
        scales: np.ndarray,
        intercept: np.ndarray,
    ) -> None:
        self.vocabulary = vocabulary
        self.weights = {
            "coefficients": coefficients,
            "intercept": intercept,
            "means": means,
            "scales": scales,
        }
        for name, weight in self.weights.items():
            shape = (1,) if name == "intercept" else (len(FEATURES),)
            if weight.shape != shape:
                raise DataError(f"{name} must have shape {shape}. Received: {weight.shape}")
        if not (scales > 0).all():
            raise DataError(f"`scales` must be above 0. Received: {scales.min()}")

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts."""
        values = pair_features(self.vocabulary, queries, documents)
        weights = self.weights
        with one_blas_thread():
            standard = (values - weights["means"]) / weights["scales"]
            # Not a product of matrices: its sums may depend on how many rows there are.
            odds = (standard * weights["coefficients"]).sum(axis=1)
        return odds + weights["intercept"][0]

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        """Weights, vocabulary and settings, as a bundle holds them."""
        settings = {"lexical": {"features": list(FEATURES)}, "parameters": len(FEATURES) + 1}
        return self.weights, self.vocabulary.to_json(), settings

    @classmethod
    def from_parts(
        cls, weights: dict[str, np.ndarray], vocabulary: dict[str, Any], settings: dict[str, Any]
    ) -> LexicalScorer:
        """The scorer whose `parts` these are.

        Raises:
            DataError: They are not of that form, or of other features.
        """
        own = settings.get("lexical")
        names = own.get("features") if isinstance(own, dict) else None
        if names != list(FEATURES):
            raise DataError(
                f"`features` must be the {len(FEATURES)} of this version. Received: {names!r}"
            )
        wanted = ["coefficients", "intercept", "means", "scales"]
        if sorted(weights) != wanted:
            raise DataError(f"the weights must be {wanted}. Received: {sorted(weights)}")
        return cls(Vocabulary.from_json(vocabulary), **weights)


def pair_features(
    vocabulary: Vocabulary, queries: Sequence[str], documents: Sequence[str]
) -> np.ndarray:
    """The features of each pair of texts, `(pairs, 14)`, in the order of `FEATURES`."""
    distinct, query, document = number_pairs(queries, documents)
    texts = number_texts(distinct, vocabulary, split_sentences=False)
    return numbered_features(texts, query, document)


def numbered_features(texts: Texts, query: np.ndarray, document: np.ndarray) -> np.ndarray:
    """The same of pairs of numbered texts, `(pairs,)` places in `texts` each."""
    of_text = Runs.of_texts(texts)
    values = np.zeros((len(query), len(FEATURES)))
    for rows in _chunks(query, of_text.lengths[document]):
        owners, pair_query = np.unique(query[rows], return_inverse=True)
        sides = Sides(
            of_text.words(owners),
            of_text.lengths[owners],
            of_text.words(document[rows]),
            of_text.lengths[document[rows]],
            pair_query,
        )
        values[rows] = match(texts.words, sides).overall
    return values


def _chunks(query: np.ndarray, words: np.ndarray) -> Iterator[np.ndarray]:
    """Rows that are matched at once, ascending by query."""
    order = np.argsort(query, kind="stable")
    ends = np.cumsum(words[order])
    yield from np.split(order, np.flatnonzero(np.diff(ends // _WORDS)) + 1)
