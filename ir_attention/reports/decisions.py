"""An explanation as plain values to one that is checked, its words put back into their text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ir_attention.errors import DataError
from ir_attention.reports.verdicts import Verdict, read_verdict

__all__ = ["SHADINGS", "Curves", "Decision", "Outcome", "Sentence", "Side", "read_decisions"]

# What words may be shaded by.
SHADINGS = ("attention", "effects")

# One explanation, or several.
Explained = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Side:
    """The words of one side, in the text they come from.

    Attributes:
        words: As they stand in the text.
        gaps: What stands before each word, and after the last: one more than words.
        shares: How much the model looked at each word, `(words,)`, at least 0. Of a document: the
            word's weight in its sentence times the root of the sentence's.
        weights: The words' own weights, `(words,)`. The same for a query.
        effects: How much lower the score is without each word, `(words,)`, or None.
    """

    words: list[str]
    gaps: list[str]
    shares: np.ndarray
    weights: np.ndarray
    effects: np.ndarray | None


@dataclass(frozen=True)
class Sentence:
    """A sentence with words: what is before the first, the places of all, what is after the last.

    Attributes:
        number: Its place among all sentences, from 0.
        weight: Its share of the document.
        before, after: Text around its words.
        places: Its words among those of the document.
    """

    number: int
    weight: float
    before: str
    places: range
    after: str


@dataclass(frozen=True)
class Curves:
    """How much of the score is lost when words are erased.

    Attributes:
        shares: Of the words that are erased, going up, `(steps,)`.
        losses: By the name of the order, `attention` and perhaps `effects`, and by `random`,
            `random_low` and `random_high`: the mean over random orders, and the ends of the range
            that holds 95 % of them, `(steps,)` each.
        areas: Under each of them, by the same names.
        orders: How many random orders there are; None in older files.
        as_good: By the name of the order, how many of them lose as much or more; may be empty.
        attention_beats_chance: Whether its area is above that of `random_high`; None where there
            are too few words to tell.
    """

    shares: np.ndarray
    losses: dict[str, np.ndarray]
    areas: dict[str, float]
    orders: int | None
    as_good: dict[str, int]
    attention_beats_chance: bool | None


@dataclass(frozen=True)
class Outcome:
    """The class of a document.

    Attributes:
        classes: The names of all.
        number: Of the most probable one among them, from 0.
        probabilities: Of each, `(classes,)`.
    """

    classes: list[str]
    number: int
    probabilities: np.ndarray

    @property
    def label(self) -> str:
        """The name of the most probable class."""
        return self.classes[self.number]

    @property
    def probability(self) -> float:
        """Of that class."""
        return float(self.probabilities[self.number])

    @property
    def confidence(self) -> float | None:
        """0 to 1: how far the probability of two classes is from a half; None of more classes."""
        return abs(2 * self.probability - 1) if len(self.classes) == 2 else None


@dataclass(frozen=True)
class Decision:
    """What the pages show.

    Attributes:
        score: Of the pair; 0 of a class.
        outcome: The class of a document; None of a pair.
        known: The label that is known of the document, as it is shown, or None.
        query: Its words; of a class none.
        document: Its words.
        sentences: Those of the document that have words, in order.
        alignment: Each query word over the document's words, `(query words, words)`, or None.
        back: Each document word over the query's, `(words, query words)`, or None.
        shading: What is shown first, `attention` or `effects`.
        lacks_effects: Whether effects would come first, but were not computed.
        curves: What erasing words does to the score, or None.
        verdict: What was measured of the model, or None.
    """

    score: float
    outcome: Outcome | None
    known: str | None
    query: Side
    document: Side
    sentences: list[Sentence]
    alignment: np.ndarray | None
    back: np.ndarray | None
    shading: str
    lacks_effects: bool
    curves: Curves | None
    verdict: Verdict | None


def read_decisions(explanations: Explained, labels: Sequence[Any] | None = None) -> list[Decision]:
    """Checks what `Explanation.to_json()` gives, or the same read back from a file.

    What older files do not have may be missing: texts with offsets, effects, `shading`, curves. Of
    a class (`ClassExplanation.to_json()`), there is no query and no score.

    Args:
        explanations: One or several, of scores or of classes.
        labels: What is known of each document: its relevance, or the name of its class.

    Raises:
        DataError: A part is missing, is not of numbers, or does not fit the others; there is no
            explanation; or there are not as many labels.
    """
    several = [explanations] if isinstance(explanations, Mapping) else list(explanations)
    if not several:
        raise DataError("there must be an explanation of a document at least. Received: none")
    found = [_read(values) for values in several]
    if len({one.outcome is None for one in found}) > 1:
        raise DataError("explanations must all be of scores, or all of classes. Received: both")
    if labels is None:
        return found
    if len(labels) != len(found):
        raise DataError(
            f"there must be a label for each of the {len(found)} documents. Received: {len(labels)}"
        )
    return [
        replace(one, known=_known(one, label)) for one, label in zip(found, labels, strict=True)
    ]


def _known(decision: Decision, label: Any) -> str | None:
    """A label as it is shown."""
    if label is None:
        return None
    if decision.outcome is not None:
        if str(label) not in decision.outcome.classes:
            known = ", ".join(decision.outcome.classes)
            raise DataError(f"a label must be one of the classes: {known}. Received: {label!r:.60}")
        return str(label)
    return f"{float(_numbers('a label', label, ())):.12g}"


def _read(values: Mapping[str, Any]) -> Decision:
    outcome = _outcome(values)
    if outcome is not None:  # it has no query, nor what belongs to it
        values = {**_NO_QUERY, **values}
    aligned = any(name in values for name in _TABLES)
    needed = ["score", *_SIDES, "sentence_weights", *_WEIGHTS, *(_TABLES if aligned else ())]
    if missing := [name for name in needed if name not in values]:
        raise DataError(f"an explanation needs {', '.join(needed)}. Missing: {', '.join(missing)}")
    sizes = {side: len(values[side]) for side in _SIDES}
    parts = {
        name: _numbers(name, values[name], tuple(sizes[side] for side in sides))
        for name, sides in (_WEIGHTS | _EFFECTS | _TABLES).items()
        if name in values
    }
    of_sentences = _numbers("sentence_weights", values["sentence_weights"])
    for name, part in {**parts, "sentence_weights": of_sentences}.items():
        if name not in _EFFECTS and part.min(initial=0) < 0:
            raise DataError(f"{name} must hold no number below 0. Received: {part.min()}")
    place = _places(parts["sentence_of_word"], len(of_sentences))
    weights = parts["word_weights"]
    sides = {
        "query": (parts["query_weights"], parts["query_weights"]),
        "document": (weights * np.sqrt(of_sentences[place]), weights),
    }
    query, document = (
        Side(*_in_text(values, side), shares, own, parts.get(f"{side}_effects"))
        for side, (shares, own) in sides.items()
    )
    verdict = values.get("model_verdict")
    shading = values.get("shading", "attention")
    if shading not in SHADINGS:
        raise DataError(f"shading must be one of {', '.join(SHADINGS)}. Received: {shading!r}")
    bare = document.effects is None
    return Decision(
        score=float(_numbers("score", values["score"], ())),
        outcome=outcome,
        known=None,
        query=query,
        document=document,
        sentences=_sentences(place, of_sentences, document.gaps),
        alignment=parts.get("alignment"),
        back=parts.get("document_over_query"),
        shading="attention" if bare else shading,
        lacks_effects=bare and shading == "effects" and bool(document.words),
        curves=_curves(values["curves"]) if values.get("curves") else None,
        verdict=None if verdict is None else read_verdict(verdict),
    )


def _outcome(values: Mapping[str, Any]) -> Outcome | None:
    if "classes" not in values or "query_words" in values:
        return None
    needed = ("label", "classes", "probabilities")
    if missing := [name for name in needed if name not in values]:
        raise DataError(f"the explanation of a class needs {', '.join(needed)}. Missing: {missing}")
    classes = [str(one) for one in values["classes"]]
    if str(values["label"]) not in classes:
        raise DataError(
            f"the label must be one of the classes {', '.join(classes)}. Received: "
            f"{values['label']!r:.60}"
        )
    probabilities = _numbers("probabilities", values["probabilities"], (len(classes),))
    return Outcome(classes, classes.index(str(values["label"])), probabilities)


_NO_QUERY: dict[str, Any] = {"score": 0.0, "query_words": [], "query_weights": []}

# The parts that are always there, those that may be, and the sizes of each.
_SIDES = ("query_words", "document_words")
_WEIGHTS: dict[str, tuple[str, ...]] = {
    "query_weights": ("query_words",),
    "word_weights": ("document_words",),
    "sentence_of_word": ("document_words",),
}
_EFFECTS: dict[str, tuple[str, ...]] = {
    "query_effects": ("query_words",),
    "document_effects": ("document_words",),
}
_TABLES: dict[str, tuple[str, ...]] = {
    "alignment": ("query_words", "document_words"),
    "document_over_query": ("document_words", "query_words"),
}


def _numbers(name: str, values: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """A part as an array of the shape of its words; a DataError unless it is one of numbers."""
    try:
        array = np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must hold numbers, as many in each row: {error}") from error
    if shape is not None:
        if array.size == 0 and 0 in shape:  # a table without words has lost a size
            return array.reshape(shape)
        if array.shape != shape:
            raise DataError(
                f"{name} must have the shape {shape} of the words. Received: {array.shape}"
            )
    if not np.isfinite(array).all():
        raise DataError(f"{name} must hold finite numbers. Received: {values!r:.60}")
    return array


def _places(places: np.ndarray, sentences: int) -> np.ndarray:
    """The number of each word's sentence."""
    whole = places.astype(int)
    if not set(places.tolist()) <= set(range(sentences)):
        raise DataError(
            f"sentence_of_word must hold numbers from 0 below {sentences}. "
            f"Received: {sorted(set(places.tolist()))}"
        )
    if (np.diff(whole) < 0).any():
        raise DataError(f"sentence_of_word must not go down. Received: {whole.tolist()}")
    return whole


def _in_text(values: Mapping[str, Any], side: str) -> tuple[list[str], list[str]]:
    """The words and what stands between them: a space where the text or the offsets are missing."""
    words = list(values[f"{side}_words"])
    if not all(isinstance(word, str) for word in words):
        raise DataError(f"{side}_words must be texts. Received: {words!r:.60}")
    text, spans = values.get(side), values.get(f"{side}_offsets")
    if text is None or spans is None:
        return words, ["", *[" "] * (len(words) - 1), *([""] if words else [])]
    if not isinstance(text, str):
        raise DataError(f"{side} must be a text. Received: {text!r:.60}")
    offsets = _numbers(f"{side}_offsets", spans, (len(words), 2)).astype(int)
    edges = [0, *offsets.ravel().tolist(), len(text)]
    if any(later < earlier for earlier, later in zip(edges, edges[1:], strict=False)):
        raise DataError(f"{side}_offsets must go from left to right within the {side}")
    # A word that is not in the text, such as a stem, is shown beside the one before it.
    shown = [
        text[start:end] or word for word, (start, end) in zip(words, offsets.tolist(), strict=True)
    ]
    gaps = [text[end:start] for end, start in zip(edges[::2], edges[1::2], strict=True)]
    for number, (start, end) in enumerate(offsets.tolist()):
        if start == end and number and not gaps[number]:
            gaps[number] = " "
    return shown, gaps


def _sentences(place: np.ndarray, weights: np.ndarray, gaps: list[str]) -> list[Sentence]:
    """The text between two sentences is parted behind its last white space."""
    starts = [0, *(np.flatnonzero(np.diff(place)) + 1).tolist()] if len(place) else []
    ends = [*starts[1:], len(place)]
    befores, afters = [gaps[0]], []
    for start in starts[1:]:
        # An opening quote goes with what it opens; without white space nothing tells, as in 。
        cut = len(_UNPARTED.sub("", gaps[start])) or len(gaps[start])
        afters.append(gaps[start][:cut])
        befores.append(gaps[start][cut:])
    return [
        Sentence(
            number=int(place[start]),
            weight=float(weights[place[start]]),
            before=before.lstrip(),
            places=range(start, end),
            after=after.rstrip(),
        )
        for start, end, before, after in zip(
            starts, ends, befores, [*afters, gaps[-1]], strict=bool(starts)
        )
    ]


_UNPARTED = re.compile(r"\S*\Z")
_CHANCE = ("random", "random_low", "random_high")


def _curves(values: Mapping[str, Any]) -> Curves:
    needed = ["shares", "attention", *_CHANCE, "areas", "attention_beats_chance"]
    if missing := [name for name in needed if name not in values]:
        raise DataError(f"curves need {', '.join(needed)}. Missing: {', '.join(missing)}")
    shares = _numbers("the shares of curves", values["shares"])
    if shares.ndim != 1 or len(shares) < 2 or (np.diff(shares) <= 0).any():
        raise DataError(f"the shares of curves must go up. Received: {values['shares']!r:.60}")
    names = [name for name in (*SHADINGS, *_CHANCE) if name in values]
    beats = values["attention_beats_chance"]
    if missing := [name for name in names if name not in values["areas"]]:
        raise DataError(f"the areas of curves lack {', '.join(missing)}")
    return Curves(
        shares=shares,
        losses={name: _numbers(f"the curve {name}", values[name], shares.shape) for name in names},
        areas={name: float(_numbers("areas", values["areas"][name], ())) for name in names},
        orders=int(_numbers("orders", values["orders"], ())) if "orders" in values else None,
        as_good={
            name: int(_numbers("as_good", count, ()))
            for name, count in dict(values.get("as_good", {})).items()
            if name in SHADINGS
        },
        attention_beats_chance=None if beats is None else bool(beats),
    )
