"""Explanations in the format of neat-vision, a viewer of attention weights.

Its data files are lists of items with `text`, `label`, `prediction`, `posterior`, `attention` and
`id`, its labels files have `name` and `desc` by the number of a class
(https://github.com/cbaziotis/neat-vision, README and samples).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ir_attention.reports.decisions import Decision, read_decisions

__all__ = ["neat_vision_items", "neat_vision_labels"]


def neat_vision_items(
    explanations: Sequence[Mapping[str, Any]], labels: Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """An item for each document, in the order given: what `json.dumps` makes a data file of.

    A score has no classes, so that its items are those of a regression: `prediction` and
    `posterior` are the score, a number. The items of a classifier are those of a classification:
    `label` and `prediction` are the numbers of classes, from 0, and `posterior` is the list of
    their probabilities; neat-vision has the names of classes from a file beside it, see
    `neat_vision_labels`.

    neat-vision knows no sentences: `attention` is flat, each word's weight times the root of its
    sentence's (`word_shares`), one for each word of `text`. The whole explanation stands beside
    them under `explanation`, which neat-vision passes over.

    Args:
        explanations: What `Explanation.to_json()` or `ClassExplanation.to_json()` gives, or the
            same read back from a file.
        labels: What is known of each document: a number, or the name of its class. Default: null,
            which neat-vision shows as nothing; its own samples all have one.

    Raises:
        DataError: The parts of an explanation do not fit, there are not as many labels, or one is
            no finite number or none of the classes.
    """
    if not explanations and not labels:
        return []
    decisions = read_decisions(list(explanations), labels)
    return [
        {
            "text": list(values["document_words"]),
            **_predicted(decision),
            "attention": decision.document.shares.round(6).tolist(),
            "id": f"document_{number}",
            "explanation": dict(values),
        }
        for number, (values, decision) in enumerate(zip(explanations, decisions, strict=True), 1)
    ]


def neat_vision_labels(classes: Sequence[Any]) -> dict[str, dict[str, str]]:
    """The labels file of a classifier: the name of each class by its number.

    >>> neat_vision_labels(["bad", "good"])["1"]
    {'name': 'good', 'desc': 'good'}
    """
    return {
        str(number): {"name": str(name), "desc": str(name)} for number, name in enumerate(classes)
    }


def _predicted(decision: Decision) -> dict[str, Any]:
    """`label`, `prediction` and `posterior`."""
    known, outcome = decision.known, decision.outcome
    if outcome is None:
        label = None if known is None else float(known)
        return {"label": label, "prediction": decision.score, "posterior": decision.score}
    return {
        "label": None if known is None else outcome.classes.index(known),
        "prediction": outcome.number,
        "posterior": outcome.probabilities.tolist(),
    }
