"""The models without epochs behind the same calls as those that learn step by step.

`bm25` has nothing to learn, `tfidf` counts how rare stems are, `lexical` fits a weight for each of
fourteen features, and `minilm` was trained by others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ir_attention.bm25 import BM25Scorer
from ir_attention.data.arrays import Runs, number_texts
from ir_attention.data.coded import distinct_texts
from ir_attention.data.vocabulary import Vocabulary, stem_idf
from ir_attention.errors import DataError
from ir_attention.scoring.lexical import LexicalScorer, pair_features
from ir_attention.scoring.minilm import MiniLMScorer
from ir_attention.scoring.tfidf import TfidfScorer
from ir_attention.text import stems
from ir_attention.threads import one_blas_thread
from ir_attention.training.settings import TrainingSettings

__all__ = ["CountingLearner", "fit_features", "fit_lexical"]

# How much the loss counts beside the squares of the weights (scikit-learn's C). On dev and in folds
# of the training queries, .01 to 1 rank within .003 MAP of each other.
_LOSS_COUNTS = 0.1

# The least that a feature is taken to vary by. They lie between 0 and about 1; one that is almost
# the same for all training pairs would else decide on every pair for which it is not.
_LEAST_SPREAD = 0.02


class CountingLearner:
    """Such a model as `fitting.Learner` describes it: one epoch, in which all is done.

    Args:
        model: `bm25`, `lexical`, `minilm` or `tfidf`.
        train: Labelled pairs.
        dev: Pairs that are scored after the epoch.
        vectors: The folder of a `minilm`.
        settings: Of these, `threads` is for `minilm`; a tokenizer is refused.

    Raises:
        DataError: The vectors or a setting cannot be used, or a `minilm` has no folder.
        MissingExtra: A `minilm` needs sentence-transformers.
    """

    def __init__(
        self,
        model: str,
        train: pd.DataFrame,
        dev: pd.DataFrame,
        vectors: Any,
        *,
        settings: TrainingSettings,
    ) -> None:
        if settings.tokenizer is not None:
            raise DataError(
                f"{model} cuts texts in its own way: `tokenizer` is for han. Received: "
                f"tokenizer={settings.tokenizer!r}"
            )
        if vectors is not None and model != "minilm":
            raise DataError(
                f"{model} compares words and has no use for vectors. Received: vectors={vectors!r}"
            )
        self.epochs, self.notes = 1, list[str]()
        self._model, self._train, self._dev = model, train, dev
        # A folder that cannot be opened is answered at once.
        self._scorer: Any = _opened(vectors, settings) if model == "minilm" else BM25Scorer()

    def fit_epoch(self, epoch: int) -> float:
        if self._model == "lexical":
            self._scorer, loss = fit_lexical(self._train)
            return loss
        if self._model == "tfidf":
            self._scorer = TfidfScorer.fitted(distinct_texts(self._train))
        return 0.0

    def score_dev(self) -> np.ndarray:
        return self._scorer.score(list(self._dev["text_left"]), list(self._dev["text_right"]))

    def state(self) -> list[np.ndarray]:
        return []

    def restore(self, state: list[np.ndarray]) -> None:
        pass

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        if isinstance(self._scorer, BM25Scorer):
            return {}, {}, {"bm25": self._scorer.to_json()}
        return self._scorer.parts()


def fit_lexical(train: pd.DataFrame) -> tuple[LexicalScorer, float]:
    """A logistic regression on all training pairs; labels above 0 are relevant.

    Returns:
        The scorer, and the mean of both labels' mean log loss.

    Raises:
        DataError: All pairs have the same label.
    """
    relevant = train["label"].to_numpy() > 0
    if relevant.all() or not relevant.any():
        raise DataError(
            "a lexical must be trained on relevant and on irrelevant pairs. Received: "
            f"{relevant.sum()} relevant ones of {len(relevant)}"
        )
    vocabulary = _vocabulary(train)
    queries, documents = list(train["text_left"]), list(train["text_right"])
    weights, loss = fit_features(pair_features(vocabulary, queries, documents), relevant)
    return LexicalScorer(vocabulary, **weights), loss


def fit_features(values: np.ndarray, relevant: np.ndarray) -> tuple[dict[str, np.ndarray], float]:
    """What each feature counts for a pair to be relevant: a logistic regression.

    Both labels count the same, however many pairs have them, so that the score is the log odds of
    a pair that is as often relevant as not. The same pairs give the same weights.

    Args:
        values: Features, `(pairs, features)`.
        relevant: Bools, `(pairs,)`, of both kinds.

    Returns:
        `coefficients` of the standardised features, with their `means` and `scales`, and the
        `intercept`, as of `LexicalScorer`; and the mean of both labels' mean log loss.
    """
    from sklearn.linear_model import LogisticRegression

    means, scales = values.mean(axis=0), np.maximum(values.std(axis=0), _LEAST_SPREAD)
    fitted = LogisticRegression(C=_LOSS_COUNTS, class_weight="balanced", max_iter=1000)
    with one_blas_thread():
        fitted.fit((values - means) / scales, relevant)
        odds = fitted.decision_function((values - means) / scales)
    losses = np.logaddexp(0, np.where(relevant, -odds, odds))
    weights = {
        "coefficients": fitted.coef_[0],
        "means": means,
        "scales": scales,
        "intercept": fitted.intercept_,
    }
    return weights, float(losses[relevant].mean() + losses[~relevant].mean()) / 2


def _vocabulary(train: pd.DataFrame) -> Vocabulary:
    """How rare the stems of the training texts are."""
    numbered = number_texts(distinct_texts(train), Vocabulary(), split_sentences=False)
    lengths = Runs.of_texts(numbered).lengths
    return Vocabulary(idf=stem_idf(stems(numbered.forms), numbered.word, lengths))


def _opened(vectors: Any, settings: TrainingSettings) -> MiniLMScorer:
    if vectors is None:
        raise DataError(
            "a minilm is read from a folder of sentence-transformers, such as that of "
            "all-MiniLM-L6-v2: give `vectors` (--vectors). Received: vectors=None"
        )
    try:
        return MiniLMScorer.open(vectors, threads=settings.threads)
    except TypeError as error:
        raise DataError(f"`vectors` of a minilm must be a folder. Received: {vectors!r}") from error
