"""Explanations in the format of neat-vision, a viewer of attention weights.

Its data files are lists of items with `text`, `label`, `prediction`, `posterior`, `attention` and
`id` (https://github.com/cbaziotis/neat-vision, README and samples).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ir_attention.errors import DataError
from ir_attention.reports.decisions import read_decision

__all__ = ["neat_vision_items"]


def neat_vision_items(
    explanations: Sequence[Mapping[str, Any]], labels: Sequence[float] | None = None
) -> list[dict[str, Any]]:
    """An item for each document, in the order given: what `json.dumps` makes a data file of.

    A score has no classes, so that the items are those of a regression: `prediction` and
    `posterior` are the score, a number. neat-vision knows no sentences: `attention` is flat, each
    word's weight times the root of its sentence's (`word_shares`), one for each word of `text`.
    The whole explanation stands beside them under `explanation`, which neat-vision passes over.

    Args:
        explanations: What `Explanation.to_json()` gives, or the same read back from a file.
        labels: What is known of each document. Default: null, which neat-vision shows as nothing;
            its own samples all have one.

    Raises:
        DataError: The parts of an explanation do not fit, or there are not as many labels.
    """
    if labels is not None and len(labels) != len(explanations):
        raise DataError(
            f"there must be a label for each of the {len(explanations)} documents. "
            f"Received: {len(labels)}"
        )
    items = []
    for number, values in enumerate(explanations):
        decision = read_decision(values)
        items.append(
            {
                "text": list(values["document_words"]),
                "label": None if labels is None else float(labels[number]),
                "prediction": decision.score,
                "posterior": decision.score,
                "attention": decision.document.shares.round(6).tolist(),
                "id": f"document_{number + 1}",
                "explanation": dict(values),
            }
        )
    return items
