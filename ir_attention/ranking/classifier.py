"""A trained classifier at work: the classes of documents, and where it looked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ir_attention.bundle import Bundle
from ir_attention.data.labelled import without_markup
from ir_attention.errors import BundleError, DataError
from ir_attention.models.shapes import classifier_shapes
from ir_attention.ranking.explain import written_words
from ir_attention.ranking.opening import check_reading, check_shapes, opened_table
from ir_attention.scoring.classifier import ClassifierScorer
from ir_attention.threads import one_blas_thread

if TYPE_CHECKING:  # pandas takes half a second to import
    import pandas as pd

    from ir_attention.evaluation.classes import ClassResult

__all__ = ["ClassExplanation", "Classifier"]

Tokenizer = Callable[[str], list[str]]

# Words up to which effects are worth waiting for: a second or two.
_AFFORDABLE = 1000


@dataclass(frozen=True)
class ClassExplanation:
    """The attention weights behind the class of a document, and what each word does to it.

    Weights are shares, 0 to 1.

    Attributes:
        label: The most probable class.
        classes: All of them.
        probabilities: Of each, `(classes,)`; they sum to 1.
        document: The text as it was given.
        document_words: Its words, as written.
        document_offsets: Where each stands, `(words, 2)`: `document[start:end]` is the word.
        word_weights: Of each word in its sentence, `(words,)`.
        sentence_weights: Of each sentence, `(sents,)`; they sum to 1.
        sentence_of_word: The number of each word's sentence, `(words,)`.
        document_effects: How much lower the log-odds of `label` are without each word, `(words,)`,
            below 0 where they are higher; None of a text of more than 1,000 words.
    """

    label: Any
    classes: list[Any]
    probabilities: np.ndarray
    document: str
    document_words: list[str]
    document_offsets: np.ndarray
    word_weights: np.ndarray
    sentence_weights: np.ndarray
    sentence_of_word: np.ndarray
    document_effects: np.ndarray | None

    @property
    def probability(self) -> float:
        """Of `label`."""
        return float(self.probabilities.max())

    @property
    def words(self) -> pd.DataFrame:
        """A row per word, with the columns of `Explanation.words`."""
        import pandas as pd

        total = self.word_weights * self.sentence_weights[self.sentence_of_word]
        effects = self.document_effects
        return pd.DataFrame(
            {
                "word": pd.Series(self.document_words, dtype=object),
                "sentence": self.sentence_of_word,
                "weight": self.word_weights,
                "total": total,
                "start": self.document_offsets[:, 0],
                "end": self.document_offsets[:, 1],
                "effect": np.full(len(total), np.nan) if effects is None else effects,
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Plain lists, by the names of the attributes; weights with six decimals."""
        values: dict[str, Any] = {"label": self.label, "classes": self.classes}
        values |= {"document": self.document, "document_words": self.document_words}
        for name in ("probabilities", "word_weights", "sentence_weights", "document_effects"):
            if (weights := getattr(self, name)) is not None:
                values[name] = weights.astype(float).round(6).tolist()
        for name in ("sentence_of_word", "document_offsets"):
            values[name] = getattr(self, name).tolist()
        return values


class Classifier:
    """Says which class documents have that it has never seen, in NumPy.

    Args:
        bundle: A trained `han-classifier`.
        scorer: What `load` made of it.

    >>> classifier = Classifier.load("models/reviews")            # doctest: +SKIP
    >>> classifier.predict(["A dull film.", "I laughed, twice."])  # doctest: +SKIP
    """

    def __init__(self, bundle: Bundle, scorer: ClassifierScorer) -> None:
        self.bundle = bundle
        self.classes: list[Any] = list(bundle.settings["classes"])
        self._scorer = scorer

    @classmethod
    def load(
        cls, folder: str | Path, *, tokenizer: Tokenizer | None = None, threads: int = 1
    ) -> Classifier:
        """Reads a bundle.

        Args:
            folder: What `train(..., model="han-classifier")` wrote.
            tokenizer: What cut the texts into words, if the model was trained with one's own.
            threads: How many work on a request. The result does not depend on it.

        Raises:
            BundleError: The folder is not the bundle of a classifier, or damaged.
            DataError: `threads` is not a whole number of at least 1.
        """
        bundle = Bundle.load(folder)
        try:
            return cls(bundle, _opened(bundle, tokenizer, threads))
        except BundleError as error:
            raise BundleError(f"{folder}: {error}") from error

    def predict(self, documents: Sequence[Any]) -> np.ndarray:
        """The most probable class of each document, `(documents,)`; of equal ones the first.

        Args:
            documents: Texts; or sentences of words, of documents that are cut already.
        """
        numbers = self.probabilities(documents).argmax(axis=1)
        return np.array(self.classes)[numbers]

    def probabilities(self, documents: Sequence[Any]) -> np.ndarray:
        """The probability of each of `classes`, `(documents, classes)`; rows sum to 1.

        They are the network's own and tend to be too sure. A document without words has those
        that are usual.
        """
        numbered = self._scorer.number(_documents(documents))
        return self._scorer.probabilities(numbered).astype(float)

    def evaluate(self, documents: Any) -> ClassResult:
        """How often the class is right, on labelled documents.

        Args:
            documents: A frame or a file, as `data.labelled.read_labelled` takes them.
        """
        from ir_attention.data.labelled import as_classes, read_labelled
        from ir_attention.evaluation.classes import measure_classes

        checked = read_labelled(documents)
        labels = as_classes(checked["label"], self.classes)
        return measure_classes(labels, self.predict(checked["text"].tolist()).tolist())

    def explain(self, document: str, *, effects: bool | None = None) -> ClassExplanation:
        """Where the network looked, and what each word does to the class.

        Args:
            document: A text.
            effects: Whether to leave out each word. Default: of up to 1,000 words.
        """
        if not isinstance(document, str):
            raise DataError(f"`document` must be text. Received: {type(document).__name__}")
        scorer = self._scorer
        numbered = scorer.number([document])
        words, offsets = written_words(without_markup(document), scorer)
        with one_blas_thread():
            looked = scorer.look(numbered)
            asked = len(words) <= _AFFORDABLE if effects is None else effects
            lost = scorer.effects(numbered) if asked else None
        found = scorer.probabilities(numbered)[0].astype(float)
        best = int(found.argmax())
        lengths = numbered.sentence_lengths
        return ClassExplanation(
            label=self.classes[best],
            classes=self.classes,
            probabilities=found,
            document=document,
            document_words=words,
            document_offsets=offsets,
            word_weights=looked.words,
            sentence_weights=looked.sentences,
            sentence_of_word=np.repeat(np.arange(len(lengths)), lengths),
            document_effects=None if lost is None else _log_odds(looked.logits[0], lost, best),
        )


def _log_odds(logits: np.ndarray, lost: np.ndarray, best: int) -> np.ndarray:
    """How much lower the log-odds of a class are without each word, `(words,)`."""

    def odds(values: np.ndarray) -> np.ndarray:
        others = np.delete(values, best, axis=-1)
        top = others.max(axis=-1, keepdims=True)
        sums = np.log(np.exp(others - top).sum(axis=-1)) + top[..., 0]
        return np.asarray(values[..., best] - sums)

    logits = logits.astype(float)
    return odds(logits) - odds(logits - lost)


def _documents(documents: Sequence[Any]) -> list[Any]:
    import pandas as pd

    from ir_attention.data.labelled import read_labelled

    if isinstance(documents, str) or documents is None:
        raise DataError(f"`documents` must be a list of texts. Received: {documents!r:.60}")
    frame = pd.DataFrame({"text": pd.Series(list(documents), dtype=object)})
    return read_labelled(frame, labels="optional")["text"].tolist() if len(frame) else []


def _opened(bundle: Bundle, tokenizer: Tokenizer | None, threads: int) -> ClassifierScorer:
    if bundle.model != "han-classifier":
        raise BundleError(
            f"a classifier is needed. Received: a {bundle.model}, which ranks documents: open it "
            "with Ranker.load"
        )
    settings = bundle.settings
    check_reading(bundle, tokenizer, threads, door="Classifier")
    table, weights, vocabulary, split = opened_table(bundle)
    classes: Any = settings.get("classes")
    sizes: Any = settings.get("classifier")
    if not isinstance(classes, list) or len(set(map(str, classes))) != len(classes):
        raise BundleError(f"`classes` must be a list of different classes. Received: {classes!r}")
    check_shapes(classifier_shapes, table.shape[1], sizes, weights, "han-classifier")
    if len(classes) != sizes["classes"]:
        raise BundleError(
            f"`classes` must name {sizes['classes']} classes, by `classifier`. Received: "
            f"{len(classes)}"
        )
    return ClassifierScorer(
        table,
        weights,
        vocabulary=vocabulary,
        pooling=(sizes["word_pooling"], sizes["sentence_pooling"]),
        split_sentences=split,
        tokenizer=tokenizer,
        threads=threads,
    )
