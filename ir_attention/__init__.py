"""Rank documents for a query with hierarchical attention, and see where the model looked."""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["bundle", "data", "errors", "evaluation", "matchzoo", "models", "ranking", "training"]


def __getattr__(name: str) -> Any:
    # Rooms load on first use: Keras takes seconds to import, `ir-attention --help` must not.
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
