"""What `evaluate`, `score` and `explain` do with the bundle of a classifier."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ir_attention.cli.inputs import open_labelled
from ir_attention.cli.outputs import aligned
from ir_attention.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "class_lines",
    "classified",
    "explained_classes",
    "is_classifier",
    "measured_classes",
]


def is_classifier(bundle: Path) -> bool:
    """Whether a bundle gives documents a class."""
    from ir_attention.bundle import model_of

    return model_of(bundle) == "han-classifier"


def measured_classes(
    bundle: Path, file: Path, text: str, label: str, *, threads: int, as_json: bool
) -> str:
    """How often the classes of labelled documents are right, as a table or as JSON."""
    from ir_attention.ranking.classifier import Classifier

    classifier = Classifier.load(bundle, threads=threads)
    found = classifier.evaluate(open_labelled(file, text, label))
    if as_json:
        return json.dumps(found.to_dict(), ensure_ascii=False, indent=1) + "\n"
    low, high = found.interval
    rows = [
        ("measure", "value", "95 % interval"),
        ("accuracy", f"{found.accuracy:.4f}", f"{low:.4f} to {high:.4f}"),
        ("macro F1", f"{found.macro_f1:.4f}", ""),
        ("documents", str(found.documents), ""),
    ]
    names = ("class", "documents", "said", "right", "precision", "recall", "F1")
    of_classes = [
        [row[name] if name in names[:4] else _share(row[name]) for name in names]
        for row in found.table.to_dict("records")
    ]
    classes = [names, *[tuple(map(str, row)) for row in of_classes]]
    return f"{aligned(rows)}\n{aligned(classes)}"


def classified(bundle: Path, file: Path, text: str, label: str, *, threads: int) -> pd.DataFrame:
    """The rows of a file with the class said of each, `predictions`, and its `probability`."""
    from ir_attention.data.files import read_table
    from ir_attention.ranking.classifier import Classifier

    classifier = Classifier.load(bundle, threads=threads)
    documents = open_labelled(file, text, label, labels="optional")
    frame = read_table(file)
    for name in ("predictions", "probability"):
        if name in frame:
            raise DataError(f"{file}: there is a column {name!r} already; name it otherwise")
    found = classifier.probabilities(documents["text"].tolist())
    best = found.argmax(axis=1)
    said = [classifier.classes[number] for number in best]
    return frame.assign(predictions=said, probability=found.max(axis=1))


def explained_classes(
    bundle: Path, documents: list[str], effects: bool | None
) -> list[dict[str, Any]]:
    """What a classifier makes of texts, as plain values."""
    from ir_attention.ranking.classifier import Classifier

    classifier = Classifier.load(bundle)
    return [classifier.explain(one, effects=effects).to_json() for one in documents]


def class_lines(explained: dict[str, Any], label: Any = None) -> Iterator[str]:
    """An explanation as text: classes, and each word with its effect and weight."""
    if label is not None:
        yield f"label {label}"
    for name, share in zip(explained["classes"], explained["probabilities"], strict=True):
        yield f"{'>' if name == explained['label'] else ' '} {name}  {share:.4f}"
    effects = explained.get("document_effects")
    if effects is None:
        lost = [""] * len(explained["document_words"])
        yield "each word's attention; what leaving it out does: --effects"
    else:
        lost = [f"{one:+8.3f}  " for one in effects]
        yield "each word's effect on the log-odds of the class, and its attention"
    for sentence, share in enumerate(explained["sentence_weights"]):
        yield f"sentence {sentence + 1}, weight {share:.2f}"
        for place, word in enumerate(explained["document_words"]):
            if explained["sentence_of_word"][place] == sentence:
                weight = explained["word_weights"][place]
                yield f"  {lost[place]}{weight:.2f} {'#' * round(20 * weight):20}  {word}"


def _share(value: float) -> str:
    return "" if value != value else f"{value:.4f}"
