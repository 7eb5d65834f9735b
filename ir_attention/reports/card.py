"""The model card of a bundle: what it is, what it was trained on, what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["model_card"]


def model_card(facts: Mapping[str, Any], notes: Sequence[str] = ()) -> str:
    """Markdown from the facts that a bundle's settings hold.

    Args:
        facts: `model`, `seed`, `versions`, `training`, `data` (by part: pairs, queries,
            positives) and `history` (a record per epoch).
        notes: What was noticed about the data, a sentence each.
    """
    measure = facts["training"]["measure"]
    best = max(facts["history"], key=lambda row: row[measure])
    lines = [
        f"# {facts['model']}, trained with ir_attention {facts['versions']['ir_attention']}",
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
    lines += [
        "",
        "## Training",
        "",
        f"Seed {facts['seed']}. The epoch with the best {measure} on dev is kept: epoch "
        f"{best['epoch']}, {measure} {best[measure]:.4f}. As it was chosen by this number, expect",
        "less on new queries: measure that with `ir-attention evaluate`.",
        "",
        f"| epoch | loss | dev {measure} | seconds |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for row in facts["history"]:
        cells = f"{row['epoch']} | {row['loss']:.4f} | {row[measure]:.4f} | {row['seconds']}"
        lines.append(f"| {cells} |")
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    return "\n".join([*lines, "", f"Versions: {versions}.", ""])
