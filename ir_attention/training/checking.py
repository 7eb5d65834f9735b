"""Settings from keyword arguments: which names there are, and what values they may have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from ir_attention.errors import DataError

__all__ = ["check_setting", "is_positive", "is_share", "is_whole", "known_settings"]


def known_settings(options: Iterable[str], kind: Any) -> None:
    """Raises a DataError if a name is none of the fields of the dataclass `kind`."""
    known = {field.name: field for field in fields(kind)}
    for name in options:
        if name not in known:
            close = get_close_matches(name, known, 3) or sorted(known)
            raise DataError(f"no setting is called {name!r}. Perhaps: {', '.join(close)}")


def check_setting(settings: Any, name: str, good: Callable[[Any], bool], rule: str) -> None:
    """Raises a DataError unless the value of a setting is good, whatever its type."""
    value = getattr(settings, name)
    try:
        fine = bool(good(value))
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise DataError(f"`{name}` must be {rule}. Received: {name}={value!r}")


def is_whole(least: int) -> Callable[[Any], bool]:
    """Whether a value is a whole number of at least `least`."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_positive(value: Any) -> bool:
    """Whether a value is a finite number above 0."""
    return not isinstance(value, bool) and 0 < value < float("inf")


def is_share(value: Any) -> bool:
    """Whether a value is a number of at least 0 and below 1."""
    return not isinstance(value, bool) and 0 <= value < 1
