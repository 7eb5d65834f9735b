"""MatchZoo's models in training: groups drawn from arrays, its losses, its layers."""

from __future__ import annotations

import contextlib
import string
from typing import Any

import numpy as np
import pandas as pd

import ir_attention.matchzoo as mz
from ir_attention.backend import quiet
from ir_attention.data.batches import Judged, pairwise
from ir_attention.data.vectors import Vectors, read_vectors
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.errors import DataError
from ir_attention.models.baselines import Baseline, global_seed
from ir_attention.models.feeding import Feed
from ir_attention.models.recipes import BASELINES
from ir_attention.text import normal, words
from ir_attention.training.adam import Adam
from ir_attention.training.settings import TrainingSettings, filled, usual_epochs
from ir_attention.training.steps import step_of

__all__ = ["BaselineLearner"]

# By loss: the documents of lower label in a group, and how MatchZoo's loss is made.
_LOSSES = {
    "hinge": (1, lambda margin: mz.losses.RankHingeLoss(num_neg=1, margin=margin)),
    "softmax": (4, lambda margin: mz.losses.RankCrossEntropyLoss(num_neg=4)),
}

_PUNCTUATION = str.maketrans("", "", string.punctuation)

# MatchZoo draws the vectors of words that a file lacks from here.
_UNKNOWN = 0.2


class BaselineLearner:
    """A model of MatchZoo in training, as `fitting.Learner` describes it.

    Each epoch draws its groups anew from all labelled pairs: every relevant document once, with
    others of its query. MatchZoo's `DataGenerator` is not asked.

    Args:
        model: A key of `models.recipes.BASELINES`.
        train: Labelled pairs.
        dev: Pairs that are scored after each epoch.
        seed: Of everything that is drawn. Global random states are left as they were.
        settings: See there.
        vectors: Of words, as `read_vectors` takes them, for a model that reads words; they change
            in training. Those of word pieces are summed to vectors of words. Default: drawn.

    Raises:
        DataError: No query has documents of different labels, or the vectors or a setting cannot
            be used.
    """

    def __init__(
        self,
        model: str,
        train: pd.DataFrame,
        dev: pd.DataFrame,
        *,
        seed: int,
        settings: TrainingSettings,
        vectors: Any = None,
    ) -> None:
        self.settings, self.seed = filled(settings, model), seed
        self.recipe = BASELINES[model]
        self.notes: list[str] = []
        if settings.tokenizer is not None:
            raise DataError(f"{model} reads the words of `text.words`: `tokenizer` is for han")
        table = _vectors(model, train, vectors, self.settings)
        self.negatives, loss = _LOSSES[str(self.settings.loss)]
        pack = mz.pack(train)
        with global_seed(seed):
            self.baseline = Baseline.fitted(
                model,
                pack,
                lengths=(settings.query_words, self.recipe.document_words),
                parameters=_parameters(model, self.settings, table),
            )
        self.model = self.baseline.network
        if self.recipe.reads == "words":
            self._load(table)
        self.data = self.baseline.read(pack)
        self.notes += _cuts(self.data, self.baseline)
        self.pairs = Judged(self.data.query, self.data.document, train["label"].to_numpy())
        groups = int(self.pairs.mixed.good.sum())  # raises if no query has both labels
        self.epochs = settings.epochs or usual_epochs(
            -(-groups // self.recipe.groups), least=self.recipe.epochs
        )
        self.model.compile(
            Adam(self.settings.learning_rate, global_clipnorm=self.settings.clip),
            loss(self.settings.margin),
            jit_compile=False,
        )
        self._step: Any = None
        self.dev = self.baseline.read(mz.pack(dev))

    def fit_epoch(self, epoch: int) -> float:
        self.model.reset_metrics()
        logs = {"loss": np.nan}
        # TensorFlow compiles in the first epoch, and now and then has something to say about it.
        with global_seed(self.seed + epoch), quiet() if epoch == 1 else contextlib.nullcontext():
            for query, document, target in self.draw(epoch):
                inputs = self.baseline.inputs(self.data, query, document)
                if self._step is None:
                    self._step = step_of(self.model, inputs, target)
                logs = self._step(inputs, target)
        return float(logs["loss"])

    def draw(self, epoch: int) -> Any:
        """The batches of an epoch: queries, documents and labels of rows, a group after another.

        In each group the relevant document comes first, as MatchZoo's losses want it. The same
        seed and number give the same batches.
        """
        rng = np.random.default_rng([self.seed, epoch])
        for batch in pairwise(
            self.pairs, rng, queries=self.recipe.groups, negatives=self.negatives
        ):
            query = batch.query[batch.group]
            yield query, batch.document, batch.label.astype(np.float32)[:, None]

    def score_dev(self) -> np.ndarray:
        return self.baseline.score_read(self.dev)

    def state(self) -> list[np.ndarray]:
        return [np.array(weight) for weight in self.baseline.model.backend.get_weights()]

    def restore(self, state: list[np.ndarray]) -> None:
        self.baseline.model.backend.set_weights(state)

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        weights, vocabulary, settings = self.baseline.parts()
        size = sum(weight.size for weight in weights.values())
        return weights, vocabulary, {**settings, "parameters": size}

    def _load(self, vectors: Vectors | None) -> None:
        """Puts vectors in the embedding; MatchZoo's own terms lack what `normal` knows."""
        terms = self.baseline.preprocessor.context["vocab_unit"].context["term_index"]
        shape = self.model.get_layer("embedding").get_weights()[0].shape
        spread = self.recipe.spread if vectors is None else _UNKNOWN
        matrix = np.random.default_rng(self.seed).uniform(-spread, spread, shape)
        if vectors is not None:
            known, found = _of_words(vectors, [normal(term) for term in terms])
            matrix[np.array(list(terms.values()))[known]] = found
            self.notes.append(f"vectors cover {len(found)} of the {len(terms)} terms of the model")
        self.baseline.model.load_embedding_matrix(matrix.astype(np.float32))
        if self.baseline.compared is not None:
            self.baseline.compare_by(matrix)


def _of_words(vectors: Vectors, forms: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Which forms have a vector, `(forms,)` bool, and these vectors, `(known, width)`."""
    if vectors.tokenizer is None:
        rows = {word: row for row, word in enumerate(vectors.words)}
        places = np.array([rows.get(form, -1) for form in forms])
        return places >= 0, vectors.table[places[places >= 0]]
    vocabulary = Vocabulary(tokenizer=vectors.tokenizer)
    pieces, lengths = vocabulary.ids(forms)
    starts = np.cumsum(lengths) - lengths
    known = (lengths > 0) & ~np.logical_or.reduceat(pieces == vocabulary.unknown, starts)
    known[[form.startswith("<") for form in forms]] = False  # MatchZoo's names of no word
    return known, np.add.reduceat(vectors.table[pieces], starts, axis=0)[known]


def _parameters(model: str, settings: TrainingSettings, vectors: Vectors | None) -> dict[str, Any]:
    """The parameters of the model that the settings of a training decide on."""
    parameters: dict[str, Any] = {}
    if BASELINES[model].reads == "words":
        width = settings.width if vectors is None else vectors.table.shape[1]
        parameters["embedding_output_dim"] = width
    if settings.dropout is not None:
        if "dropout_rate" not in getattr(mz.models, BASELINES[model].model)().params:
            raise DataError(f"{model} has no dropout. Received: dropout={settings.dropout}")
        parameters["dropout_rate"] = settings.dropout
    return parameters


def _vectors(
    model: str, train: pd.DataFrame, vectors: Any, settings: TrainingSettings
) -> Vectors | None:
    if vectors is None:
        return None
    if BASELINES[model].reads != "words":
        raise DataError(f"{model} reads letters and has no use for vectors of words")
    texts = pd.unique(pd.concat([train["text_left"], train["text_right"]]))
    wanted = {normal(word) for text in texts for word in words(text)}
    # MatchZoo's terms have no punctuation in them: `isnt`, `oslo` for #oslo.
    wanted |= {word.translate(_PUNCTUATION) for word in wanted}
    return read_vectors(vectors, wanted=wanted, most=settings.most_vectors)


def _cuts(data: Feed, baseline: Baseline) -> list[str]:
    """Which texts are longer than the model's inputs, a sentence each side."""
    if baseline.recipe.reads != "words":
        return []
    notes = []
    sides = ((data.left, "queries"), (data.right, "documents"))
    for (side, name), size in zip(sides, baseline.lengths, strict=True):
        full = int((side.lengths >= size).sum())
        if full:
            notes.append(
                f"{full} of {len(side.lengths)} {name} have {size} words or more; the last {size} "
                "are read"
            )
    return notes
