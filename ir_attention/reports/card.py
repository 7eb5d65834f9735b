"""The model card of a bundle: what it is, what it was trained on, what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["classifier_card", "model_card"]


def model_card(facts: Mapping[str, Any], notes: Sequence[str] = ()) -> str:
    """Markdown from the facts that a bundle's settings hold.

    Args:
        facts: `model`, `seed`, `versions`, `training`, `data` (by part: pairs, queries,
            positives) and `history` (a record per epoch).
        notes: What was noticed about the data, a sentence each.
    """
    lines = [
        _title(facts),
        "",
        "Ranks documents for a query. Higher scores are better; they compare documents of one",
        "query, and are no probabilities.",
        "",
        "    ir-attention rank THIS_FOLDER 'a query' documents.txt",
        "",
        "## Data",
        "",
        "| part | queries | pairs | relevant |",
        "| --- | ---: | ---: | ---: |",
    ]
    for part, size in facts["data"].items():
        lines.append(f"| {part} | {size['queries']} | {size['pairs']} | {size['positives']} |")
    lines += ["", *[f"- {note}" for note in notes]]
    return "\n".join([*lines, *_training(facts, "queries", "ir-attention evaluate"), ""])


def classifier_card(facts: Mapping[str, Any], notes: Sequence[str] = ()) -> str:
    """The same of a classifier; `data` has the documents of each class, by part."""
    classes = [str(one) for one in facts["classes"]]
    lines = [
        _title(facts),
        "",
        "Says which class a document has, and how probable each class is. Probabilities are the",
        "network's own, and tend to be too sure.",
        "",
        "    Classifier.load(THIS_FOLDER).predict(['a document'])",
        "",
        "## Data",
        "",
        f"| part | documents | {' | '.join(classes)} |",
        f"| --- | ---: |{' ---: |' * len(classes)}",
    ]
    for part, sizes in facts["data"].items():
        cells = [sum(sizes.values()), *(sizes.get(one, 0) for one in classes)]
        lines.append(f"| {part} | {' | '.join(map(str, cells))} |")
    lines += ["", *[f"- {note}" for note in notes]]
    return "\n".join([*lines, *_training(facts, "documents", "Classifier.evaluate"), ""])


def _title(facts: Mapping[str, Any]) -> str:
    return f"# {facts['model']}, trained with ir_attention {facts['versions']['ir_attention']}"


def _training(facts: Mapping[str, Any], of: str, door: str) -> list[str]:
    """The epochs, and what the number of the best one is worth."""
    measure = facts["training"]["measure"]
    best = next(row for row in facts["history"] if row["epoch"] == facts["kept_epoch"])
    lines = [
        "",
        "## Training",
        "",
        f"Seed {facts['seed']}. The epoch with the best {measure} on dev is kept: epoch "
        f"{best['epoch']}, {measure} {best[measure]:.4f}. As it was chosen by this number, expect",
        f"less on new {of}: measure that with `{door}`.",
        "",
        f"| epoch | loss | dev {measure} | seconds |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for row in facts["history"]:
        cells = f"{row['epoch']} | {row['loss']:.4f} | {row[measure]:.4f} | {row['seconds']}"
        lines.append(f"| {cells} |")
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    return [*lines, "", f"Versions: {versions}."]
