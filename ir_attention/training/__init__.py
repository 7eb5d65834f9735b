"""Pairs to a trained model: `train` fits, measures itself on dev queries, and writes a bundle."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "MODELS": "settings",
    "Trained": "loop",
    "TrainingSettings": "settings",
    "train": "fitting",
}

__all__ = ["MODELS", "Trained", "TrainingSettings", "train"]


def __getattr__(name: str) -> Any:
    # On first use: Keras takes seconds to import, and the names of models should be free.
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
