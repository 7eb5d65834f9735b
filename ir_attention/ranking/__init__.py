"""A bundle at work, without TensorFlow: load, score, rank, explain."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "ClassExplanation": "classifier",
    "Classifier": "classifier",
    "Explanation": "explain",
    "Ranker": "ranker",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
