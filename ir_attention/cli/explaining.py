"""What `explain` writes: explanations as text, as a page, a picture or numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from ir_attention.cli.classifying import class_lines
from ir_attention.errors import DataError

__all__ = ["VIEWS", "WITH_CURVES", "checked_labels", "lines"]


def checked_labels(given: list[str] | None, values: list[dict[str, Any]]) -> list[Any] | None:
    """The labels that are known, one for each document, or None.

    Of a classifier they are its classes; of others, finite numbers.

    Raises:
        DataError: There are not as many, or one is none of these.
    """
    if not given:
        return None
    if len(given) != len(values):
        raise DataError(
            f"--label must be given once for each of the {len(values)} documents. "
            f"Received: {len(given)}"
        )
    if "classes" in values[0]:
        classes = {str(one): one for one in values[0]["classes"]}
        if unknown := [label for label in given if label not in classes]:
            raise DataError(
                f"--label must be a class, one of {', '.join(classes)}. Received: {unknown[0]}"
            )
        return [classes[label] for label in given]
    return [_number(label) for label in given]


def _number(label: str) -> float:
    try:
        value = float(label)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"--label must be a finite number. Received: {label}")
    return value


def _as_page(values: list[dict[str, Any]], labels: list[Any] | None) -> bytes:
    from ir_attention.reports.heatmaps import attention_page

    return attention_page(values, labels).encode()


def _as_picture(values: list[dict[str, Any]], labels: list[Any] | None) -> bytes:
    from ir_attention.reports.heatmaps import attention_picture

    return attention_picture(values, labels)


def _as_json(values: list[dict[str, Any]], labels: list[Any] | None) -> bytes:
    from ir_attention.reports.neat_vision import neat_vision_items

    items = neat_vision_items(values, labels)
    try:
        return (json.dumps(items, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except ValueError as error:  # of what a stranger wrote into a bundle
        raise DataError(f"JSON holds finite numbers alone ({error})") from error


VIEWS = {".html": _as_page, ".png": _as_picture, ".json": _as_json}
WITH_CURVES = {".html", ".json"}


def lines(explanations: list[dict[str, Any]], labels: list[Any] | None = None) -> Iterator[str]:
    """Explanations as text, each with its number if there are several.

    Every word with its effect and its weight, that first which says more about the score; then the
    strongest pair of each query word; and last what was measured of the model.
    """
    for number, values in enumerate(explanations, 1):
        if len(explanations) > 1:
            yield f"document {number}"
        label = None if labels is None else labels[number - 1]
        yield from (class_lines if "classes" in values else _lines_of_one)(values, label)
    yield from _of_the_model(explanations[0])


def _lines_of_one(values: dict[str, Any], label: float | None) -> Iterator[str]:
    has_effects = "document_effects" in values
    wanted = values["shading"] == "effects"
    known = "" if label is None else f"label {label:.12g}, "
    yield f"{known}score {values['score']:.4f}"
    if has_effects and wanted:
        yield "each word's effect on the score, and its attention"
    elif has_effects:
        yield "each word's attention, and its effect on the score"
    else:
        yield "each word's attention"
    columns = {
        side: [values[f"{side}_words"], values[weights], values.get(f"{side}_effects")]
        for side, weights in (("query", "query_weights"), ("document", "word_weights"))
    }
    largest = max([abs(one) for _, _, found in columns.values() for one in found or []], default=0)
    shown = {
        side: [
            _line(word, weight, None if found is None else found[at], largest, wanted)
            for at, (word, weight) in enumerate(zip(words, weights, strict=True))
        ]
        for side, (words, weights, found) in columns.items()
    }
    yield "query"
    yield from shown["query"]
    for sentence, share in enumerate(values["sentence_weights"]):
        yield f"sentence {sentence + 1}, weight {share:.2f}"
        places = zip(values["sentence_of_word"], shown["document"], strict=True)
        yield from (line for place, line in places if place == sentence)
    if "alignment" in values and any(values["alignment"]):
        yield "the document word that each query word looks at most"
        for word, shares in zip(values["query_words"], values["alignment"], strict=True):
            share = max(shares)
            yield f"  {_bar(share)}  {word} > {values['document_words'][shares.index(share)]}"
    if wanted and not has_effects and values["document_words"]:
        yield (
            "Effects were not computed: the text is long, or they were not wanted. They tell more "
            "reliably what the score rests on; ask for them with --effects."
        )


def _line(word: str, weight: float, effect: float | None, largest: float, first: bool) -> str:
    """A word behind its numbers; the bar stands for what says more."""
    if effect is None:
        return f"  {_bar(weight)}  {word}"
    if not first:
        return f"  {_bar(weight)}  {_signed(effect)}  {word}"
    sign = "-" if effect < 0 else "#"
    length = round(20 * abs(effect) / largest) if largest else 0
    return f"  {_signed(effect)} {sign * length:20}  {weight:.2f}  {word}"


def _signed(effect: float) -> str:
    from ir_attention.reports.markup import typed

    return f"{typed(effect, 3, '+'):>8}"


def _bar(share: float) -> str:
    return f"{share:.2f} {'#' * round(20 * share):20}"


def _of_the_model(values: dict[str, Any]) -> Iterator[str]:
    """Whether attention and effects beat chance with this model, if that was measured."""
    from ir_attention.reports.verdicts import INTERVALS, read_verdict

    if (kept := values.get("model_verdict")) is not None:
        verdict = read_verdict(kept)
        yield from verdict.sentences
        yield f"Measured on {verdict.on}, {INTERVALS}."
