"""The hierarchical classifier in training: documents with classes to a bundle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.backend import keras
from ir_attention.bundle import Bundle, check_free
from ir_attention.data.buckets import length_buckets
from ir_attention.data.cutting import Cut
from ir_attention.data.inputs import Sizes, document_inputs
from ir_attention.data.labelled import (
    classes_of,
    cut_documents,
)
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.errors import DataError
from ir_attention.models.classifier import (
    ClassAccuracy,
    HanClassifier,
    HanClassifierSettings,
    WeightedCrossEntropy,
)
from ir_attention.models.classifier_forward import probabilities
from ir_attention.models.numpy_ops import packs
from ir_attention.reports.card import classifier_card
from ir_attention.scoring.classifier import ClassifierScorer, Numbered, number_documents
from ir_attention.training.adam import Adam
from ir_attention.training.averaging import WeightAverage
from ir_attention.training.classifier_settings import (
    ClassifierSettings,
    classifier_settings,
    for_documents,
)
from ir_attention.training.labelled_parts import (
    document_weights,
    known_classes,
    labelled_parts,
)
from ir_attention.training.loop import Say, Trained, Watch, fit, versions
from ir_attention.training.schedules import WarmupDecay
from ir_attention.training.shortening import clips, shortened
from ir_attention.training.steps import fit_packed
from ir_attention.training.word_tables import learnt_words, read_words

__all__ = ["ClassifierLearner", "train_classifier"]

# Where a model is compiled for each size, what the lengths of ragged arrays are rounded up to.
_STEP = 1024


def train_classifier(
    train: Any,
    dev: Any = None,
    *,
    out: str | Path | None = None,
    vectors: Any = None,
    seed: int = 7,
    say: Say,
    watch: Watch = lambda row: None,
    options: dict[str, Any],
) -> Trained:
    """Trains a `han-classifier`, and keeps its best epoch by dev accuracy.

    Of epochs of the same accuracy it is the one to which the dev classes are the most likely.

    Args:
        train: Labelled documents, as `data.labelled.read_labelled` takes them.
        dev: The same, to choose the epoch. Default: a tenth of `train`, by seed, of each class
            alike, equal texts together.
        out, vectors, seed, say: As of `fitting.train`.
        watch: Is told each epoch's row of the history, and a row of every `log_every` steps.
        options: Fields of `ClassifierSettings`.

    Raises:
        DataError: The documents, the vectors or an option cannot be used.
        BundleError: There is something at `out` already.
    """
    settings = classifier_settings(options)
    if out is not None:
        check_free(out, overwrite=settings.overwrite)
    train, dev, notes = labelled_parts(train, dev, seed)
    for note in notes:
        say(note)
    learner = ClassifierLearner(train, dev, vectors, seed=seed, settings=settings)

    def told(row: dict[str, Any]) -> None:
        watch(row)
        say(
            f"epoch {row['epoch']}, step {row['step']} of {learner.steps}: so far in this epoch "
            f"loss {row['loss']:.4f}, accuracy {row['accuracy']:.4f}"
        )

    learner.told = told
    for note in learner.notes:
        say(note)
    history, ended = fit(learner, learner.accuracy, settings, say, watch, learner.likelihood)
    weights, vocabulary, own = learner.parts()
    facts = {
        "model": "han-classifier",
        "seed": seed,
        "versions": versions(),
        "training": learner.settings.to_json(),
        "data": {
            part: {str(one): n for one, n in sorted(Counter(documents["label"]).items())}
            for part, documents in (("train", train), ("dev", dev))
        },
        "history": history.to_dict("records"),
        "kept_epoch": history.attrs["kept"],
        **own,
    }
    notes = (*notes, *learner.notes)
    if ended == "interrupted":
        notes = (*notes, f"training was interrupted in epoch {len(history) + 1}")
    bundle = Bundle(facts, vocabulary, weights, classifier_card(facts, notes))
    folder = None if out is None else bundle.save(out, overwrite=settings.overwrite)
    return Trained(bundle, history, notes, ended, folder)


class ClassifierLearner:
    """A `HanClassifier` in training, as `loop.Learner` describes it.

    Args:
        train, dev: Checked documents with labels.
        vectors: As `read_vectors` takes them; or None to learn them from the training texts.
        seed: Of everything that is drawn.
        settings: See there.

    Attributes:
        told: Is told a row of every `log_every` steps: `epoch`, `step` since the first one, and
            of the epoch so far `loss` and `accuracy`, dropout and all.
        steps: Of all epochs.
    """

    told: Watch = staticmethod(lambda row: None)

    def __init__(
        self,
        train: pd.DataFrame,
        dev: pd.DataFrame,
        vectors: Any,
        *,
        seed: int,
        settings: ClassifierSettings,
    ) -> None:
        self.settings = settings = for_documents(settings, len(train))
        self.epochs, self.seed = settings.epochs or 0, seed
        self.classes, number = classes_of(train["label"])
        self.notes: list[str] = []
        cut = self._cut(train)
        words, table, note = (
            learnt_words(cut, settings, seed)
            if vectors is None
            else read_words(vectors, cut, settings)
        )
        self.notes.append(note)
        if not words:
            raise DataError(
                "no word of the training texts has a vector: lower `min_count`, or give vectors of "
                f"their words. Received: {note}"
            )
        # Row 0 is that of all other words. It begins as nothing, and is trained on.
        table = np.concatenate([np.zeros((1, table.shape[1]), np.float32), table])
        self.vocabulary = Vocabulary(words)
        documents = number_documents(cut, self.vocabulary)
        most, note = clips(documents, settings.sentence_words, settings.sentences)
        documents, left_out = shortened(documents, *most)
        self.notes += [one for one in (note, left_out) if one]
        weights = document_weights(self.classes, number, settings.class_weights)
        self.data = _Epochs(documents, np.stack([number, weights], axis=1), seed, settings)
        self.dev = number_documents(self._cut(dev), self.vocabulary)
        self.dev_class = known_classes(dev["label"], self.classes)
        self.model = HanClassifier(
            table,
            _sizes(settings, len(self.classes)),
            seed,
            steps=_steps(documents),
            threads=settings.threads,
        )
        self.average = WeightAverage(self.model, settings.average)
        self._best, self._waited = -np.inf, 0
        self._step: Any = None
        self.steps = self.epochs * len(self.data)
        self.model.compile(
            optimizer=_optimizer(settings, self.steps),
            loss=WeightedCrossEntropy(),
            metrics=[ClassAccuracy()] if settings.log_every else None,
            jit_compile=False if packs() else "auto",  # as of `matching`
        )

    def fit_epoch(self, epoch: int) -> float:
        self.data.draw(epoch)
        every, before = self.settings.log_every, (epoch - 1) * len(self.data)

        def told(number: int, logs: dict[str, Any]) -> None:
            self.average.step(before + number)
            if every and (before + number) % every == 0:
                means = {name: float(logs[name]) for name in ("loss", "accuracy")}
                self.told({"epoch": epoch, "step": before + number, **means})

        if not packs():
            tell = keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: told(batch + 1, logs)
            )
            history = self.model.fit(self.data, shuffle=False, verbose=0, callbacks=[tell])
            return float(history.history["loss"][-1])
        loss, self._step = fit_packed(self.model, self.data, self._step, told)
        return loss

    def score_dev(self) -> np.ndarray:
        with self.average.shown():
            return self._scorer().logits(self.dev)

    def accuracy(self, logits: np.ndarray) -> float:
        """The share of the dev documents whose class is found; the rate is cut if it stays."""
        value = float((logits.argmax(axis=1) == self.dev_class).mean())
        self._waited = 0 if value > self._best else self._waited + 1
        self._best = max(self._best, value)
        if self.settings.schedule == "plateau" and self._waited >= self.settings.plateau:
            rate = self.model.optimizer.learning_rate
            rate.assign(rate * self.settings.factor)
            self._waited = 0
        return value

    def likelihood(self, logits: np.ndarray) -> float:
        """The mean log-probability of the dev documents' classes: fewer epochs are level in it."""
        right = probabilities(logits)[np.arange(len(logits)), self.dev_class]
        return float(np.log(np.maximum(right, 1e-30)).mean())

    def state(self) -> list[np.ndarray]:
        with self.average.shown():
            return [np.array(weight) for weight in self.model.get_weights()]

    def restore(self, state: list[np.ndarray]) -> None:
        self.model.set_weights(state)

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        weights, table = self.model.weights_by_name(), self._table()
        trained = sum(weight.size for weight in weights.values())
        settings = {
            "classes": self.classes,
            "classifier": asdict(self.model.settings),
            "split_sentences": self.settings.split_sentences,
            "tokenizer": None if self.settings.tokenizer is None else "own",
            "parameters": trained + (table.size if self.settings.trainable_vectors else 0),
            "vectors": table.size,
        }
        return {**weights, "table": table}, self.vocabulary.to_json(), settings

    def _table(self) -> np.ndarray:
        return np.array(self.model.table.get_weights()[0])

    def _scorer(self) -> ClassifierScorer:
        settings = self.settings
        return ClassifierScorer(
            self._table(),
            self.model.weights_by_name(),
            vocabulary=self.vocabulary,
            pooling=(settings.word_pooling, settings.sentence_pooling),
            threads=settings.threads,
        )

    def _cut(self, documents: pd.DataFrame) -> Cut:
        return cut_documents(
            documents["text"].tolist(),
            tokenizer=self.settings.tokenizer,
            split_sentences=self.settings.split_sentences,
        )


class _Epochs(keras.utils.PyDataset):
    """The batches of an epoch, in buckets of documents of like length."""

    def __init__(
        self, documents: Numbered, target: np.ndarray, seed: int, settings: ClassifierSettings
    ) -> None:
        super().__init__(workers=1)
        self.documents, self.seed, self.settings = documents, seed, settings
        self.size = settings.batch or len(documents.lengths)
        self.target = target.astype(np.float32)
        self.step = 1 if packs() else _STEP
        self.draw(1)

    def draw(self, epoch: int) -> None:
        """Draws the batches of an epoch; the same for the same seed and number."""
        self.batches = length_buckets(
            self.documents.lengths,
            self.size,
            np.random.default_rng([self.seed, epoch]),
            diversity=self.settings.diversity,
        )

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        places = self.batches[index]
        part = self.documents.taken(places)
        inputs = document_inputs(
            part.word,
            part.sentence_lengths,
            part.sentence_counts,
            Sizes(pairs=self.size, step=self.step),
        )
        target = np.zeros((len(inputs["sentence_count"]), 2), np.float32)  # padding weighs 0
        target[: len(places)] = self.target[places]
        return inputs, target


def _steps(documents: Numbered) -> tuple[int | None, int | None]:
    """The most words of a sentence and sentences of a document, where sizes must be fixed."""
    if keras.backend.backend() == "torch":
        return None, None  # looked up in each batch, and no step too many
    lengths, counts = documents.sentence_lengths, documents.sentence_counts
    return int(lengths.max(initial=1)), int(counts.max(initial=1))


def _sizes(settings: ClassifierSettings, classes: int) -> HanClassifierSettings:
    names = HanClassifierSettings.__dataclass_fields__.keys() - {"classes", "levels"}
    levels = 2 if settings.split_sentences else 1
    return HanClassifierSettings(
        classes=classes, levels=levels, **{name: getattr(settings, name) for name in names}
    )


def _optimizer(settings: ClassifierSettings, steps: int) -> Any:
    rate: Any = settings.learning_rate
    if settings.schedule == "linear":
        rate = WarmupDecay(rate, min(settings.warmup, steps // 10), steps)
    makers: dict[str, Callable[..., Any]] = {
        "adam": Adam,
        "sgd": lambda rate, **clip: keras.optimizers.SGD(rate, float(settings.momentum), **clip),
    }
    return makers[settings.optimizer](rate, global_clipnorm=settings.clip)
