"""What can be trained, and the settings of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from ir_attention.errors import DataError
from ir_attention.models.recipes import BASELINES
from ir_attention.training.checking import (
    check_setting,
    is_positive,
    is_share,
    is_whole,
    known_settings,
)

__all__ = [
    "CLASSIFIERS",
    "MODELS",
    "PRECISIONS",
    "TrainingSettings",
    "check_model",
    "filled",
    "training_settings",
    "usual_epochs",
]

# By name: its kind, and what it is in a line.
MODELS = {
    "anmm": ("MatchZoo", "aNMM: bins of similarities, query words weighted (Yang et al. 2016)"),
    "arc-i": ("MatchZoo", "ARC-I: two towers of convolutions (Hu et al. 2014)"),
    "arc-ii": ("MatchZoo", "ARC-II: convolutions over pairs of phrases (Hu et al. 2014)"),
    "bm25": (
        "words",
        "BM25 over the candidates; how rare a word is, is counted over those of a request",
    ),
    "cdssm": ("MatchZoo", "CDSSM: convolutions over words as trigrams (Shen et al. 2014)"),
    "conv-knrm": ("MatchZoo", "Conv-KNRM: kernels over n-gram similarities (Dai et al. 2018)"),
    "drmm": ("MatchZoo", "DRMM: histograms of word similarities (Guo et al. 2016)"),
    "drmmtks": ("MatchZoo", "DRMM-TKS: the strongest similarities of each query word"),
    "dssm": ("MatchZoo", "DSSM: two towers over letter trigrams (Huang et al. 2013)"),
    "duet": ("MatchZoo", "DUET: exact matches beside learnt ones (Mitra et al. 2017)"),
    "han": ("attention", "hierarchical documents that attend over the query; for re-ranking"),
    "han-bi": ("attention", "queries and documents to vectors, each by itself; for indexes"),
    "knrm": ("MatchZoo", "K-NRM: kernels over word similarities (Xiong et al. 2017)"),
    "lexical": ("words", "a logistic regression over fourteen features of the words in common"),
    "match-pyramid": ("MatchZoo", "MatchPyramid: images of similarities (Pang et al. 2016)"),
    "minilm": (
        "vectors",
        "all-MiniLM-L6-v2 as it is (--vectors FOLDER): cosines, no training",
    ),
    "mv-lstm": ("MatchZoo", "MV-LSTM: similarities of BiLSTM states (Wan et al. 2016)"),
    "tfidf": ("words", "cosines of TF-IDF vectors; how rare a word is, is counted in training"),
}

# The same of what gives documents a class.
CLASSIFIERS = {
    "han-classifier": ("attention", "hierarchical documents to classes (Yang et al. 2016)"),
}

# What Keras calls the precisions.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

# Settings that are whole numbers of at least 1.
_WHOLE = (
    "epochs patience queries positives query_words sentence_words sentences width min_count "
    "most_vectors threads"
).split()

_SWITCHES = ("split_sentences", "match_features", "query_side", "overwrite", "keep_interrupted")

# Settings whose default depends on the model or on the data.
_DEFAULTED = ("budget", "dropout", "epochs", "loss", "patience", "width")

# With 110 headlines, 7 steps an epoch, a matcher was still far from its best after 5 epochs, and at
# its best from 10 to 40 on; chosen on dev.
_STEPS, _MOST_EPOCHS = 300, 40


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training; the defaults are the recipe's.

    Args:
        epochs: Rounds over the training queries at most. Default: 12, of han-bi 5, of MatchZoo's
            models 20 to 30; with few queries as many as make 300 steps, 40 at most.
        budget: Seconds of processor time, of all threads, after which no further round begins that
            would not end in time, by what the one before took; the first one always does. What
            is kept then depends on how fast the machine is. Default: no limit.
        patience: Rounds without a better dev measure after which training stops. Default: 2, or a
            quarter of the epochs if that is more.
        min_delta: By how much the measure must rise to count as better there.
        measure: What decides which epoch is the best, by its `ir_measures` name.
        loss: `softmax` over the list of candidates, or `hinge` over pairs of it. Default: softmax,
            of MatchZoo's models that of their recipes.
        margin: Of the hinge loss, in units of the score.
        learning_rate: Of Adam; decays linearly to a tenth.
        warmup: Steps in which the rate rises to it; a tenth of all steps at most.
        clip: Largest norm of all gradients together.
        queries: Queries in a batch.
        candidates: Documents of a query in a batch at most; others are drawn next time.
        positives: Relevant ones among them at most.
        query_words: Words of a query that training takes. Scoring takes all.
        sentence_words: The same of each sentence of a document.
        sentences: Sentences of a document that training takes at most; fewer if all but one in
            200 documents have fewer.
        split_sentences: Whether a document has sentences, or is read as one.
        match_features: Whether `han` is told which words match, and how alike their vectors are at
            most; False to see what that is worth.
        query_side: Whether `han` has a vector of the query, too; False as above.
        dropout: Share of values dropped in training. Default: .2, of MatchZoo's models that of
            their recipes.
        word_dropout: Share of the words of a batch whose vectors `han` is not shown, all at once,
            in training: it keeps it from learning which words, not which matches, are relevant.
        width: Of word vectors that are learnt from the training texts. Default: 128, of MatchZoo's
            models that of their recipes.
        min_count: How often a word must occur there to have one.
        most_vectors: Words that have one at most; of a file, words beyond the training texts'.
        tokenizer: Cuts a text into words, `str -> list[str]`, instead of `text.words`. It cannot be
            kept in the bundle: pass it to `Ranker.load` again.
        precision: `float32`, or `bfloat16` for products on a GPU that is quicker at it; weights,
            losses and scores are float32 in any case.
        threads: How many take part in the steps of a GRU and in scoring. The result does not depend
            on it; where cores are shared, one is quicker.
        overwrite: Whether a bundle that is there already may be replaced.
        keep_interrupted: Whether Ctrl-C ends the training with the best epoch so far, which is then
            written as any other; it is passed on if no epoch is over, and always by default.

    MatchZoo's models take `epochs`, `budget`, `patience`, `min_delta`, `measure`, `loss` (with 4
    irrelevant documents beside a relevant one, or with 1 if it is `hinge`), `margin`,
    `learning_rate` (it stays as it is), `clip`, `query_words` (512 at most; in scoring too, as
    their inputs have a fixed length), `dropout`, `width`, `most_vectors`, `overwrite` and
    `keep_interrupted`.
    """

    epochs: int | None = None
    budget: float | None = None
    patience: int | None = None
    min_delta: float = 0.0
    measure: str = "AP"
    loss: str | None = None
    margin: float = 1.0
    learning_rate: float = 1e-3
    warmup: int = 50
    clip: float = 5.0
    queries: int = 16
    candidates: int = 8
    positives: int = 4
    query_words: int = 16
    sentence_words: int = 36
    sentences: int = 30
    split_sentences: bool = True
    match_features: bool = True
    query_side: bool = True
    dropout: float | None = None
    word_dropout: float = 0.4
    width: int | None = None
    min_count: int = 1
    most_vectors: int = 50_000
    tokenizer: Callable[[str], list[str]] | None = None
    precision: str = "float32"
    threads: int = 1
    overwrite: bool = False
    keep_interrupted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values, by name; of a tokenizer only whether there is one."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "tokenizer": None if self.tokenizer is None else "own"}


def check_model(name: str) -> None:
    """Raises a DataError unless there is a model of that name."""
    known = sorted({**MODELS, **CLASSIFIERS})
    if name not in known:
        raise DataError(f"no model is called {name!r}. Known: {', '.join(known)}")


def training_settings(options: dict[str, Any]) -> TrainingSettings:
    """Settings from keyword arguments.

    Raises:
        DataError: A name is unknown, or a value is of the wrong type or out of range.
    """
    known_settings(options, TrainingSettings)
    settings = TrainingSettings(**options)
    if isinstance(settings.measure, str):
        settings = replace(settings, measure=settings.measure.strip())
    for name in _WHOLE:
        _check(settings, name, is_whole(1), "a whole number of at least 1")
    _check(settings, "candidates", is_whole(2), "a whole number of at least 2")
    _check(settings, "warmup", is_whole(0), "a whole number of at least 0")
    for name in ("dropout", "word_dropout", "min_delta"):
        _check(settings, name, is_share, "at least 0 and below 1")
    for name in ("learning_rate", "clip", "margin", "budget"):
        _check(settings, name, is_positive, "a number above 0")
    for name in _SWITCHES:
        _check(settings, name, lambda value: isinstance(value, bool), "true or false")
    _check(settings, "loss", lambda value: value in ("softmax", "hinge"), "softmax or hinge")
    _check(
        settings, "precision", lambda value: value in PRECISIONS, " or ".join(sorted(PRECISIONS))
    )
    _check(settings, "tokenizer", lambda value: value is None or callable(value), "callable")
    return settings


def filled(settings: TrainingSettings, model: str) -> TrainingSettings:
    """The settings with the model's own defaults where nothing else was asked for.

    Raises:
        DataError: Something is left out that only `han` has.
    """
    for name in ("match_features", "query_side"):
        if not getattr(settings, name) and model != "han":
            raise DataError(f"`{name}` can be left out of han alone. Received: model={model!r}")
    if model in BASELINES:
        recipe = BASELINES[model]
        own: dict[str, Any] = {"loss": recipe.loss, "width": recipe.width}
    else:
        own = {"loss": "softmax", "width": 128, "dropout": 0.2}
    missing = {name: value for name, value in own.items() if getattr(settings, name) is None}
    return replace(settings, **missing)


def usual_epochs(steps: int, least: int) -> int:
    """The default of `epochs`: few labels need more rounds to learn anything at all.

    Args:
        steps: Batches in an epoch.
        least: Where there are many.
    """
    return max(least, min(_MOST_EPOCHS, -(-_STEPS // max(steps, 1))))


def _check(settings: TrainingSettings, name: str, good: Any, rule: str) -> None:
    if name not in _DEFAULTED or getattr(settings, name) is not None:
        check_setting(settings, name, good, rule)
