"""MatchZoo's models in training: its generator of groups, its losses, its layers."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pandas as pd

import ir_attention.matchzoo as mz
from ir_attention.backend import keras, quiet
from ir_attention.data.vectors import Vectors, read_vectors
from ir_attention.errors import DataError
from ir_attention.models.baselines import BASELINES, Baseline, global_seed
from ir_attention.text import normal
from ir_attention.training.settings import TrainingSettings, usual_epochs

__all__ = ["BaselineLearner"]

# Groups in a batch, as in MatchZoo's tutorials on WikiQA. Each relevant document leads one group in
# an epoch; the tutorials' several are several epochs here, with a dev measure after each.
_GROUPS = {"conv-knrm": 20, "dssm": 32, "mv-lstm": 20}

# By loss: the documents of lower label in a group, and how MatchZoo's loss is made.
_LOSSES = {
    "hinge": (1, lambda margin: mz.losses.RankHingeLoss(num_neg=1, margin=margin)),
    "softmax": (4, lambda margin: mz.losses.RankCrossEntropyLoss(num_neg=4)),
}

# Words of a document that a model has inputs for, as in the tutorials.
_DOCUMENT = 40

# MatchZoo draws the vectors of words that a file lacks from here.
_UNKNOWN = 0.2


class BaselineLearner:
    """A model of MatchZoo in training, as `fitting.Learner` describes it.

    Args:
        model: A key of `models.baselines.BASELINES`.
        train: Labelled pairs.
        dev: Pairs that are scored after each epoch.
        seed: Of everything that is drawn. Global random states are left as they were.
        settings: See there.
        vectors: Of words, as `read_vectors` takes them, for a model that reads words; they change
            in training. Default: they are drawn.

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
        self.settings, self.seed = settings, seed
        self.notes: list[str] = []
        if settings.tokenizer is not None:
            raise DataError(f"{model} reads the words of `text.words`: `tokenizer` is for han")
        table = _vectors(model, train, vectors, settings)
        num_neg, loss = _LOSSES[settings.loss]
        pack = mz.pack(train)
        with global_seed(seed):
            self.baseline = Baseline.fitted(
                model,
                pack,
                lengths=(settings.query_words, _DOCUMENT),
                parameters=_parameters(model, settings, table),
            )
            self.model = self.baseline.model
            self.model.params["task"] = mz.tasks.Ranking(loss=loss(settings.margin))
            self.model.params["optimizer"] = keras.optimizers.Adam(
                settings.learning_rate, global_clipnorm=settings.clip
            )
            self.model.compile()
        if table is not None:
            self._load(table)
        data = self.baseline.read(pack)
        self.notes += _cuts(data, self.baseline)
        hashing = mz.data_generator.callbacks.LambdaCallback(
            on_batch_unpacked=lambda x, y: self.baseline.on_batch(x)
        )
        self.data = mz.DataGenerator(
            data,
            mode="pair",
            num_neg=num_neg,
            batch_size=_GROUPS[model],
            callbacks=[hashing],
            seed=seed,
        )
        self.epochs = settings.epochs or usual_epochs(len(self.data), least=10)
        self.dev = self.baseline.read(mz.pack(dev))

    def fit_epoch(self, epoch: int) -> float:
        # TensorFlow compiles in the first epoch, and now and then has something to say about it.
        with global_seed(self.seed + epoch), quiet() if epoch == 1 else contextlib.nullcontext():
            history = self.model.fit_generator(self.data, verbose=0)
        return float(history.history["loss"][-1])

    def score_dev(self) -> np.ndarray:
        return self.baseline.score_read(self.dev)

    def state(self) -> list[np.ndarray]:
        return [np.array(weight) for weight in self.model.backend.get_weights()]

    def restore(self, state: list[np.ndarray]) -> None:
        self.model.backend.set_weights(state)

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        weights, vocabulary, settings = self.baseline.parts()
        size = sum(weight.size for weight in weights.values())
        return weights, vocabulary, {**settings, "parameters": size}

    def _load(self, vectors: Vectors) -> None:
        """Puts vectors in the embedding; MatchZoo's own terms lack what `normal` knows."""
        terms = self.baseline.preprocessor.context["vocab_unit"].context["term_index"]
        rows = {word: row for row, word in enumerate(vectors.words)}
        shape = (len(terms), vectors.table.shape[1])
        matrix = np.random.default_rng(self.seed).uniform(-_UNKNOWN, _UNKNOWN, shape)
        found = {
            number: rows[normal(term)] for term, number in terms.items() if normal(term) in rows
        }
        matrix[list(found)] = vectors.table[list(found.values())]
        self.model.load_embedding_matrix(matrix.astype(np.float32))
        self.notes.append(f"vectors cover {len(found)} of the {len(terms)} terms of the model")


def _parameters(model: str, settings: TrainingSettings, vectors: Vectors | None) -> dict[str, Any]:
    """The parameters of the model that the settings of a training decide on."""
    parameters: dict[str, Any] = {}
    if not BASELINES[model].letters:
        width = settings.width if vectors is None else vectors.table.shape[1]
        parameters["embedding_output_dim"] = width
    if model == "mv-lstm":
        parameters["dropout_rate"] = settings.dropout
    return parameters


def _vectors(
    model: str, train: pd.DataFrame, vectors: Any, settings: TrainingSettings
) -> Vectors | None:
    if vectors is None:
        return None
    if BASELINES[model].letters:
        raise DataError(f"{model} reads letters and has no use for vectors of words")
    tokenize = mz.preprocessors.units.Tokenize().transform
    texts = pd.unique(pd.concat([train["text_left"], train["text_right"]]))
    wanted = {normal(word) for text in texts for word in tokenize(text)}
    read = read_vectors(vectors, wanted=wanted, most=settings.most_vectors)
    if read.tokenizer is not None:
        raise DataError(
            f"{model} needs vectors of words: a text file of word2vec or GloVe, a dict or "
            "KeyedVectors. Received: a folder with vectors of word pieces"
        )
    return read


def _cuts(data: Any, baseline: Baseline) -> list[str]:
    """Which texts are longer than the model's inputs, a sentence each side."""
    if baseline.recipe.letters:
        return []
    notes = []
    for side, table, name in (("left", data.left, "queries"), ("right", data.right, "documents")):
        size = len(table[f"text_{side}"].iloc[0])
        full = int((table[f"length_{side}"] >= size).sum())
        if full:
            notes.append(
                f"{full} of {len(table)} {name} have {size} words or more; the last {size} are read"
            )
    return notes
