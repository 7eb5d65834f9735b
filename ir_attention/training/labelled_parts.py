"""What a classifier learns from, and what chooses its epoch: checked, numbered and weighted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.data.labelled import as_classes, read_labelled, split_by_text
from ir_attention.errors import DataError

__all__ = ["document_weights", "known_classes", "labelled_parts"]

# Documents of which a tenth is some.
_FEWEST = 20


def labelled_parts(
    train: Any, dev: Any, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Both parts, checked, and what is odd about them."""
    train, notes = read_labelled(train), []
    counts = Counter(train["label"])
    if len(counts) < 2:
        raise DataError(
            "a classifier needs documents of two classes at least. Received: "
            f"{len(train)} documents of {len(counts)} class{'es' * (not counts)}: {list(counts)}"
        )
    if dev is None:
        if len(train) < _FEWEST or min(counts.values()) < 2:
            raise DataError(
                f"no dev documents were given, and of fewer than {_FEWEST}, or of a class with one "
                f"alone, none can be kept apart for choosing the epoch. Received: {len(train)}, of "
                f"the smallest class {min(counts.values())}. Give `dev` (--dev)"
            )
        try:
            train, dev = split_by_text(train, (0.9, 0.1), seed=seed)
        except DataError as error:
            raise DataError(f"no dev documents were given. {error} Give `dev` (--dev)") from error
        notes.append(
            f"no dev documents were given: {len(dev)} of {len(train) + len(dev)} are kept apart "
            f"for choosing the epoch (seed {seed})"
        )
    else:
        dev = read_labelled(dev)
        if not len(dev):
            raise DataError("`dev` must have a document at least. Received: none")
        dev["label"] = as_classes(dev["label"], sorted(counts))
    for name, part in (("train", train), ("dev", dev)):
        empty = sum(
            not (text.strip() if isinstance(text, str) else any(text)) for text in part["text"]
        )
        if empty:
            notes.append(f"{name}: {empty} of {len(part)} documents have no text")
    shared = dev["text"].isin(set(train["text"])).sum()
    if shared:
        notes.append(f"dev: {shared} of {len(dev)} documents are in train too")
    return train, dev, tuple(notes)


def known_classes(labels: pd.Series, classes: list[Any]) -> np.ndarray:
    """The numbers of the labels' classes; a DataError for one that training does not have."""
    numbers = {one: number for number, one in enumerate(classes)}
    unknown = [label for label in labels if label not in numbers]
    if unknown:
        raise DataError(
            f"dev documents must have classes of the training documents, {classes[:10]}. Received: "
            f"{unknown[0]!r} ({len(unknown)} of {len(labels)} are like this)"
        )
    return np.array([numbers[label] for label in labels], np.int64)


def document_weights(classes: list[Any], number: np.ndarray, given: Any) -> np.ndarray:
    """What each document counts, `(documents,)`."""
    counts = np.bincount(number)
    if given is None:
        of_class = np.ones(len(classes))
    elif given == "balanced":
        of_class = len(number) / (len(classes) * counts)
    else:
        by_name = {str(one): weight for one, weight in given.items()}
        if unknown := by_name.keys() - {str(one) for one in classes}:
            raise DataError(
                f"`class_weights` must be of classes there are, {classes[:10]}. Received: "
                f"{sorted(unknown)}"
            )
        of_class = np.array([by_name.get(str(one), 1.0) for one in classes])
    return of_class[number]
