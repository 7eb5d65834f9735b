"""`han` and `han-bi` in training: vocabulary and vectors, batches, and the Keras model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.backend import keras
from ir_attention.data.arrays import (
    Cuts,
    Runs,
    cut_report,
    number_texts,
    pair_arrays,
)
from ir_attention.data.batches import Batch, Judged, listwise
from ir_attention.data.coded import distinct, distinct_texts
from ir_attention.data.cutting import Cut, cut_texts
from ir_attention.data.inputs import Sizes, model_inputs
from ir_attention.data.own_vectors import learn_vectors
from ir_attention.data.vectors import read_vectors
from ir_attention.data.vocabulary import Vocabulary, stem_idf
from ir_attention.models.bi_encoder import BiEncoder, BiEncoderSettings
from ir_attention.models.losses import LOSSES
from ir_attention.models.matcher import Matcher, MatcherSettings
from ir_attention.models.numpy_ops import packs
from ir_attention.scoring.bi_encoder import BiEncoderScorer
from ir_attention.scoring.lexical import numbered_features
from ir_attention.scoring.matcher import MatcherScorer, Request
from ir_attention.text import stems
from ir_attention.training.adam import Adam
from ir_attention.training.counting import fit_features
from ir_attention.training.schedules import WarmupDecay
from ir_attention.training.settings import PRECISIONS, TrainingSettings, filled, usual_epochs
from ir_attention.training.steps import fit_packed
from ir_attention.training.word_tables import coverage, frequent_words, of_length_one

__all__ = ["MatcherLearner"]

# The share of documents that training takes with all their sentences, and how many are always
# taken, lest it never sees two where one is the rule.
_USUAL, _FEW = 0.995, 3

# Relevant pairs, and as many others, that are enough to weigh a few features.
_ENOUGH = 25_000

# Where a model is compiled for each size, what the lengths of ragged arrays are rounded up to.
_STEP = 512


_NETWORKS: dict[str, Any] = {
    "han": (Matcher, MatcherSettings),
    "han-bi": (BiEncoder, BiEncoderSettings),
}
# Rounds at most where pairs are many. With words dropped, the network of `han` is slow to find
# anything beside its start: on dev it gains until the fifth or so, and needs patience before.
_EPOCHS = {"han": 12, "han-bi": 5}


class MatcherLearner:
    """A `Matcher` or a `BiEncoder` in training, as `fitting.Learner` describes it.

    Args:
        model: `han` or `han-bi`.
        train: Labelled pairs.
        dev: Pairs that are scored after each epoch.
        vectors: As `read_vectors` takes them; or None to learn them from the training texts.
        seed: Of everything that is drawn.
        settings: See there.
    """

    def __init__(
        self,
        model: str,
        train: pd.DataFrame,
        dev: pd.DataFrame,
        vectors: Any,
        *,
        seed: int,
        settings: TrainingSettings,
    ) -> None:
        settings = filled(settings, model)
        self.kind, self.settings = model, settings
        self.notes: list[str] = []
        cut = cut_texts(
            distinct_texts(train),
            tokenizer=settings.tokenizer,
            split_sentences=settings.split_sentences,
        )
        self.vocabulary, table = self._vocabulary(cut, vectors, seed)
        self._table = table
        scorer = self._scorer({})
        request, self.dev = _numbered(scorer, train, cut), _numbered(scorer, dev)
        self.data = _Epochs(request, train["label"].to_numpy(), seed, settings)
        self.epochs = settings.epochs or usual_epochs(len(self.data), least=_EPOCHS[model])
        self.notes += cut_report(request.texts, request.query, request.document, self.data.cuts)
        network, sizes = _NETWORKS[model]
        own: dict[str, Any] = {"dropout": settings.dropout}
        own["levels"] = 2 if settings.split_sentences else 1
        if model == "han":
            names = ("match_features", "query_side", "word_dropout")
            own |= {name: getattr(settings, name) for name in names}
        self.model = network(
            request.table,
            sizes(**own),
            seed,
            steps=tuple(self.data.cuts),
            threads=settings.threads,
            dtype=PRECISIONS[settings.precision],
        )
        if model == "han" and settings.match_features:
            self.model.start_from(_evidence(request, self.data.pairs.label, seed))
        self._step: Any = None
        margin = {"margin": settings.margin} if settings.loss == "hinge" else {}
        steps = self.epochs * len(self.data)
        self.model.compile(
            optimizer=Adam(
                WarmupDecay(settings.learning_rate, min(settings.warmup, steps // 10), steps),
                global_clipnorm=settings.clip,
            ),
            loss=LOSSES[str(settings.loss)](settings.queries, **margin),
            # Neither NumPy nor sizes that change from step to step go through XLA.
            jit_compile=False if packs() else "auto",
        )

    def fit_epoch(self, epoch: int) -> float:
        self.data.draw(epoch)
        if packs():
            loss, self._step = fit_packed(self.model, self.data, self._step)
            return loss
        history = self.model.fit(self.data, shuffle=False, verbose=0)
        return float(history.history["loss"][-1])

    def score_dev(self) -> np.ndarray:
        return self._scorer(self.model.weights_by_name()).score_request(self.dev)

    def state(self) -> list[np.ndarray]:
        return [np.array(weight) for weight in self.model.get_weights()]

    def restore(self, state: list[np.ndarray]) -> None:
        self.model.set_weights(state)

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        weights = self.model.weights_by_name()
        settings = {
            "matcher": asdict(self.model.settings),
            "split_sentences": self.settings.split_sentences,
            "tokenizer": None if self.settings.tokenizer is None else "own",
            "parameters": sum(weight.size for weight in weights.values()),
            "vectors": self._table.size,
        }
        return {**weights, "table": self._table}, self.vocabulary.to_json(), settings

    def _scorer(self, weights: dict[str, np.ndarray]) -> MatcherScorer:
        reading: dict[str, Any] = {
            "vocabulary": self.vocabulary,
            "split_sentences": self.settings.split_sentences,
            "tokenizer": self.settings.tokenizer,
        }
        if self.kind == "han":
            return MatcherScorer(self._table, weights, **reading)
        letters = BiEncoderSettings().letters
        return BiEncoderScorer(self._table, weights, letters=letters, **reading)

    def _vocabulary(self, texts: Cut, vectors: Any, seed: int) -> tuple[Vocabulary, Any]:
        """The vocabulary of the training texts, and the table of vectors."""
        numbered = number_texts(texts, Vocabulary())
        lengths = Runs.of_texts(numbered).lengths
        idf = stem_idf(stems(numbered.forms), numbered.word, lengths)
        if vectors is None:
            words = frequent_words(numbered, self.settings)
            table = learn_vectors(numbered, words, width=self.settings.width or 128, seed=seed)
            self.notes.append(
                f"no vectors were given: those of {len(words)} words are learnt from the training "
                "texts themselves"
            )
            return Vocabulary(words, idf), _stored(table)
        read = read_vectors(
            vectors, wanted=frozenset(numbered.forms), most=self.settings.most_vectors
        )
        self.notes.append(coverage(read, numbered))
        if read.tokenizer is None:
            return Vocabulary(read.words, idf), _stored(read.table)
        return Vocabulary(idf=idf, tokenizer=read.tokenizer), read.table.astype(np.float16)


class _Epochs(keras.utils.PyDataset):
    """The batches of an epoch: one padding for all, so that the model is traced once."""

    def __init__(
        self, request: Request, labels: np.ndarray, seed: int, settings: TrainingSettings
    ) -> None:
        super().__init__(workers=1)
        self.request, self.seed, self.settings = request, seed, settings
        self.pairs = Judged(request.query, request.document, labels)
        counts = request.texts.sentence_counts[request.document]
        # Every document of a batch has room for as many sentences as the longest one: the few
        # that are far longer than all others would make each batch several times as large.
        usual = int(np.ceil(np.quantile(counts, _USUAL))) if len(counts) else 1
        most = min(max(usual, min(int(counts.max(initial=1)), _FEW)), settings.sentences)
        self.cuts = Cuts(settings.query_words, settings.sentence_words, most)
        self.sizes = Sizes(
            queries=settings.queries,
            pairs=settings.queries * settings.candidates,
            step=1 if packs() else _STEP,
        )
        self.draw(1)

    def draw(self, epoch: int) -> None:
        """Draws the batches of an epoch; the same for the same seed and number."""
        self.batches = list(
            listwise(
                self.pairs,
                np.random.default_rng([self.seed, epoch]),
                queries=self.settings.queries,
                candidates=self.settings.candidates,
                positives=self.settings.positives,
            )
        )

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        batch: Batch = self.batches[index]
        bounds = np.searchsorted(batch.group, np.arange(len(batch.query) + 1))
        groups = [
            (int(query), batch.document[start:end])
            for query, start, end in zip(batch.query, bounds, bounds[1:], strict=False)
        ]
        inputs = model_inputs(pair_arrays(self.request.texts, groups, self.cuts), self.sizes)
        target = np.zeros((len(inputs["sentence_count"]), 2), np.float32)
        target[:, 1] = -1  # padding belongs to no query
        target[: len(batch.label), 0] = np.maximum(batch.label, 0)
        target[: len(batch.label), 1] = batch.group
        return inputs, target


def _evidence(request: Request, labels: np.ndarray, seed: int) -> np.ndarray:
    """What a logistic regression makes of each feature of a pair, `(features,)`.

    A few hundred labels are enough for that, and not for finding it out by gradients. Where there
    are many, it is so sure of itself that a softmax over its scores would leave the network
    nothing to learn: they vary by 1 at most.
    """
    rng = np.random.default_rng(seed)
    parts = (np.flatnonzero(labels > 0), np.flatnonzero(labels == 0))
    rows = np.concatenate(
        [
            part if len(part) <= _ENOUGH else rng.choice(part, _ENOUGH, replace=False)
            for part in parts  # both count the same, however many there are
        ]
    )
    values = numbered_features(request.texts, request.query[rows], request.document[rows])
    weights, _ = fit_features(values, labels[rows] > 0)
    coefficients = weights["coefficients"] / weights["scales"]
    return coefficients / max(float(np.std(values @ coefficients)), 1.0)


def _numbered(scorer: MatcherScorer, pairs: pd.DataFrame, cut: Cut | None = None) -> Request:
    """The request of all pairs; the scorer is handed each distinct text once."""
    query, queries = distinct(pairs["text_left"])
    document, documents = distinct(pairs["text_right"])
    request = scorer.number(queries, documents, cut)
    return request._replace(query=request.query[query], document=request.document[document])


def _stored(vectors: np.ndarray) -> np.ndarray:
    """Word vectors behind a row of zeros for unknown words, in half the bytes.

    Only directions matter later; at length 1 nothing overflows.
    """
    zeros = np.zeros((1, vectors.shape[1]), np.float16)
    return np.concatenate([zeros, of_length_one(vectors).astype(np.float16)])
