"""Classes to numbers: how often a classifier is right, of all and of each class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.errors import DataError
from ir_attention.evaluation.intervals import wilson_interval

__all__ = ["ClassResult", "measure_classes"]


@dataclass(frozen=True)
class ClassResult:
    """How often a class is right.

    Attributes:
        documents: How many there are.
        accuracy: The share of them whose class is right.
        interval: Its 95 % interval (Wilson's).
        macro_f1: The mean of F1 over the classes that are true of a document or said of one.
        table: A row per class: `class, documents, said, right, precision, recall, F1`; NaN where
            one has no documents, or was never said.
        confusion: How often each class was said of each, true classes down, said ones across.
    """

    documents: int
    accuracy: float
    interval: tuple[float, float]
    macro_f1: float
    table: pd.DataFrame
    confusion: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them; None for NaN."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        return {
            "documents": self.documents,
            "measures": {"accuracy": self.accuracy, "macro_f1": self.macro_f1},
            "intervals": {"accuracy": list(self.interval)},
            "classes": rows,
        }


def measure_classes(labels: Iterable[Any], said: Iterable[Any]) -> ClassResult:
    """Compares the classes that documents have with those that were said of them.

    Args:
        labels: The true classes.
        said: The ones said, in the same order.

    Raises:
        DataError: There are none, or not as many of both.
    """
    true, found = list(labels), list(said)
    if not true or len(true) != len(found):
        raise DataError(
            "there must be a class said of each document, and one document at least. Received: "
            f"{len(true)} labels and {len(found)} said"
        )
    names = _sorted({*true, *found})
    numbers = {name: number for number, name in enumerate(names)}
    cells = np.zeros((len(names), len(names)), np.int64)
    np.add.at(cells, ([numbers[one] for one in true], [numbers[one] for one in found]), 1)
    right, of_class, of_said = np.diag(cells), cells.sum(axis=1), cells.sum(axis=0)
    with np.errstate(invalid="ignore"):
        precision, recall = right / of_said, right / of_class
    f1 = 2 * right / (of_class + of_said)
    table = pd.DataFrame(
        {
            "class": pd.Series(names, dtype=object),
            "documents": of_class,
            "said": of_said,
            "right": right,
            "precision": precision,
            "recall": recall,
            "F1": f1,
        }
    )
    return ClassResult(
        documents=len(true),
        accuracy=float(right.sum() / len(true)),
        interval=wilson_interval(float(right.sum()), len(true)),
        macro_f1=float(f1.mean()),
        table=table,
        confusion=pd.DataFrame(cells, names, names),
    )


def _sorted(names: set[Any]) -> list[Any]:
    """Numbers by size, before text."""
    plain = [name.item() if isinstance(name, np.generic) else name for name in names]
    return sorted(plain, key=lambda name: (isinstance(name, str), name))
