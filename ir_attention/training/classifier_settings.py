"""The settings of the training of a classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from ir_attention.errors import DataError
from ir_attention.training.checking import (
    check_setting,
    is_positive,
    is_share,
    is_whole,
    known_settings,
)
from ir_attention.training.settings import usual_epochs

__all__ = ["POOLINGS", "ClassifierSettings", "classifier_settings", "for_documents"]

# HN-ATT, HN-AVE and HN-MAX of Yang et al. (2016).
POOLINGS = ("attention", "mean", "max")

_WHOLE = (
    "epochs patience batch diversity width gru pool min_count most_vectors threads plateau"
).split()
# Settings that may be None: as fits the documents, or no limit.
_DEFAULTED = ("epochs", "patience", "batch", "min_count", "budget", "learning_rate")

_SWITCHES = (
    "split_sentences",
    "bidirectional",
    "trainable_vectors",
    "overwrite",
    "keep_interrupted",
)
_OPTIMIZERS = ("adam", "sgd")
_SCHEDULES = ("linear", "plateau", "constant")

# Of 80 and of 200 reviews in batches of 64 nothing was learnt in 40 epochs; in batches of 8 most
# of it in 10. An epoch has so many steps at least, as far as batches of 8 allow.
_SMALLEST, _STEPS = 8, 20
_HEAVIEST = 1_000_000  # of class weights: beyond, float32 loses the others
_FEW = 1000  # documents; with fewer, words that occur twice have a vector

# Rates that fit: of Adam as of `han`, of SGD as others train the network with momentum.
_RATES = {"adam": 2e-3, "sgd": 1e-2}


@dataclass(frozen=True)
class ClassifierSettings:
    """The settings of the training of a `han-classifier`.

    Args:
        epochs: Rounds over the training documents at most. Default: 5; of few documents as many as
            make 300 steps, 40 at most.
        budget: Seconds of processor time; see `TrainingSettings`. Default: no limit.
        patience: Rounds without a better dev accuracy after which training stops. Default: 2, or a
            quarter of the epochs if that is more.
        min_delta: By how much accuracy must rise to count as better there.
        batch: Documents in a batch. Default: 64; of fewer than 1,280 documents a twentieth of them,
            8 at least.
        diversity: Batches whose documents are sorted by length together; see
            `data.buckets.length_buckets`. 1 is none.
        optimizer: `adam` or `sgd`.
        momentum: Of SGD.
        learning_rate: Default: .002 of Adam, .01 of SGD.
        schedule: `linear`: the rate rises in `warmup` steps and falls to a tenth; `plateau`: it is
            cut to `factor` of itself after `plateau` epochs without a better dev accuracy;
            `constant`.
        warmup, factor, plateau: Of the schedules.
        clip: Largest norm of all gradients together.
        average: How much of the mean of the weights stays every ten steps; the mean is what is
            measured and kept. 0 for the weights as they are. See `averaging.WeightAverage`.
        class_weights: None; `balanced`, so that all classes count the same; or a dict from class
            to weight, 1 for those that are not in it.
        sentence_words: Words of a sentence that training takes, or a share: .98 is as many as 98 %
            of the training sentences have at most. Predictions take all.
        sentences: The same of sentences of a document.
        split_sentences: Whether a document has sentences, or is read as one.
        width: Of word vectors that are learnt from the training texts.
        gru, pool, hidden, bidirectional, trainable_vectors: Of the network; see
            `models.classifier.HanClassifierSettings`.
        word_pooling, sentence_pooling: `attention`, `mean` or `max`.
        dropout, word_dropout, output_dropout: See there, too.
        min_count: How often a word must occur to have a vector. Default: 5; of fewer than 1,000
            documents 2.
        most_vectors: Words that have one at most; of a file, words beyond the training texts'.
        tokenizer: Cuts a text into words, `str -> list[str]`, instead of `text.words`. It cannot be
            kept in the bundle: pass it to `Classifier.load` again.
        threads: How many take part. The result does not depend on it.
        log_every: Steps after which loss and accuracy of the epoch so far are said, and sent to
            TensorBoard; 0 for never.
        overwrite, keep_interrupted: See `TrainingSettings`.
    """

    epochs: int | None = None
    budget: float | None = None
    patience: int | None = None
    min_delta: float = 0.0
    batch: int | None = None
    diversity: int = 10
    optimizer: str = "adam"
    momentum: float = 0.9
    learning_rate: float | None = None
    schedule: str = "linear"
    warmup: int = 50
    factor: float = 0.1
    plateau: int = 1
    clip: float = 5.0
    average: float = 0.98
    class_weights: str | dict[Any, float] | None = None
    sentence_words: float = 100
    sentences: float = 100
    split_sentences: bool = True
    width: int = 128
    gru: int = 64
    pool: int = 64
    hidden: int = 0
    bidirectional: bool = True
    trainable_vectors: bool = True
    word_pooling: str = "attention"
    sentence_pooling: str = "attention"
    dropout: float = 0.4
    word_dropout: float = 0.3
    output_dropout: float = 0.5
    min_count: int | None = None
    most_vectors: int = 50_000
    tokenizer: Callable[[str], list[str]] | None = None
    threads: int = 1
    log_every: int = 0
    overwrite: bool = False
    keep_interrupted: bool = False

    # What decides which epoch is the best.
    measure = "accuracy"

    def to_json(self) -> dict[str, Any]:
        """Plain values, by name; of a tokenizer only whether there is one."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if isinstance(self.class_weights, dict):
            values["class_weights"] = {str(one): w for one, w in self.class_weights.items()}
        own = None if self.tokenizer is None else "own"
        return {**values, "tokenizer": own, "measure": self.measure}


def classifier_settings(options: dict[str, Any]) -> ClassifierSettings:
    """Settings from keyword arguments.

    Raises:
        DataError: A name is unknown, or a value is of the wrong type or out of range.
    """
    known_settings(options, ClassifierSettings)
    settings = ClassifierSettings(**options)

    def check(name: str, good: Callable[[Any], bool], rule: str) -> None:
        check_setting(settings, name, good, rule)

    for name in _given(settings, _WHOLE):
        check(name, is_whole(1), "a whole number of at least 1")
    for name in ("sentence_words", "sentences"):
        check(name, _is_limit, "a whole number of at least 1, or a share above 0 and below 1")
    for name in ("warmup", "hidden", "log_every"):
        check(name, is_whole(0), "a whole number of at least 0")
    for name in ("dropout", "word_dropout", "output_dropout", "momentum", "min_delta", "average"):
        check(name, is_share, "at least 0 and below 1")
    check("clip", is_positive, "a number above 0")
    check("factor", lambda value: is_positive(value) and value < 1, "above 0 and below 1")
    for name in _given(settings, ("budget", "learning_rate")):
        check(name, is_positive, "a number above 0")
    for name in _SWITCHES:
        check(name, lambda value: isinstance(value, bool), "true or false")
    for name, choices in (
        ("optimizer", _OPTIMIZERS),
        ("schedule", _SCHEDULES),
        ("word_pooling", POOLINGS),
        ("sentence_pooling", POOLINGS),
    ):
        check(name, choices.__contains__, f"one of {choices}")
    check("tokenizer", lambda value: value is None or callable(value), "callable")
    _check_weights(settings.class_weights)
    rate = settings.learning_rate or _RATES[settings.optimizer]
    return replace(settings, learning_rate=rate)


def _given(settings: ClassifierSettings, names: Iterable[str]) -> list[str]:
    """Those that have a value to check."""
    return [name for name in names if name not in _DEFAULTED or getattr(settings, name) is not None]


def for_documents(settings: ClassifierSettings, documents: int) -> ClassifierSettings:
    """The settings with the defaults that fit so many training documents."""
    batch = settings.batch or max(_SMALLEST, min(64, documents // _STEPS))
    epochs = settings.epochs or usual_epochs(-(-documents // batch), least=5)
    min_count = settings.min_count or (5 if documents >= _FEW else 2)
    return replace(settings, batch=batch, epochs=epochs, min_count=min_count)


def _is_limit(value: Any) -> bool:
    return is_whole(1)(value) or (isinstance(value, float) and 0 < value < 1)


def _check_weights(weights: Any) -> None:
    fine = weights is None or weights == "balanced"
    if isinstance(weights, dict):
        values = list(weights.values())
        fine = bool(values) and all(
            isinstance(weight, int | float) and is_positive(weight) and weight < _HEAVIEST
            for weight in values
        )
    if not fine:
        raise DataError(
            "`class_weights` must be `balanced`, or say of classes what they count, above 0 and "
            f"below {_HEAVIEST:,}. "
            f"Received: class_weights={weights!r}"
        )
