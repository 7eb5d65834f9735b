"""An explanation as plain values to one that is checked, its words put back into their text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_attention.errors import DataError

__all__ = ["Curves", "Decision", "Sentence", "Side", "read_decision"]


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
        attention_beats_chance: Whether its area is above that of `random_high`.
    """

    shares: np.ndarray
    losses: dict[str, np.ndarray]
    areas: dict[str, float]
    attention_beats_chance: bool


@dataclass(frozen=True)
class Decision:
    """What the pages show.

    Attributes:
        score: Of the pair.
        query, document: Their words.
        sentences: Those of the document that have words, in order.
        alignment: Each query word over the document's words, `(query words, words)`, or None.
        back: Each document word over the query's, `(words, query words)`, or None.
        shading: What is shown first, `attention` or `effects`.
        curves: What erasing words does to the score, or None.
    """

    score: float
    query: Side
    document: Side
    sentences: list[Sentence]
    alignment: np.ndarray | None
    back: np.ndarray | None
    shading: str
    curves: Curves | None


def read_decision(values: Mapping[str, Any]) -> Decision:
    """Checks what `Explanation.to_json()` gives, or the same read back from a file.

    What older files do not have may be missing: texts with offsets, effects, `shading`, curves.

    Raises:
        DataError: A part is missing, is not of numbers, or does not fit the others.
    """
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
    return Decision(
        score=float(_numbers("score", values["score"], ())),
        query=query,
        document=document,
        sentences=_sentences(place, of_sentences, document.gaps),
        alignment=parts.get("alignment"),
        back=parts.get("document_over_query"),
        shading=_shading(values, document),
        curves=_curves(values["curves"]) if values.get("curves") else None,
    )


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


def _shading(values: Mapping[str, Any], document: Side) -> str:
    shading = values.get("shading", "attention")
    if shading not in _SHADINGS:
        raise DataError(f"shading must be one of {', '.join(_SHADINGS)}. Received: {shading!r}")
    return shading if document.effects is not None else "attention"


_UNPARTED = re.compile(r"\S*\Z")
_SHADINGS = ("attention", "effects")
_CHANCE = ("random", "random_low", "random_high")


def _curves(values: Mapping[str, Any]) -> Curves:
    needed = ["shares", "attention", *_CHANCE, "areas", "attention_beats_chance"]
    if missing := [name for name in needed if name not in values]:
        raise DataError(f"curves need {', '.join(needed)}. Missing: {', '.join(missing)}")
    shares = _numbers("the shares of curves", values["shares"])
    if shares.ndim != 1 or len(shares) < 2 or (np.diff(shares) <= 0).any():
        raise DataError(f"the shares of curves must go up. Received: {values['shares']!r:.60}")
    names = [name for name in (*_SHADINGS, *_CHANCE) if name in values]
    if missing := [name for name in names if name not in values["areas"]]:
        raise DataError(f"the areas of curves lack {', '.join(missing)}")
    return Curves(
        shares=shares,
        losses={name: _numbers(f"the curve {name}", values[name], shares.shape) for name in names},
        areas={name: float(_numbers("areas", values["areas"][name], ())) for name in names},
        attention_beats_chance=bool(values["attention_beats_chance"]),
    )
