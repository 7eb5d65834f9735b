"""Two functions of Keras 2 for scripts that use MatchZoo, and for nobody else.

MatchZoo's examples and tests take `variable` and `eval` from `keras.backend`, where Keras 3 has
them no more. Importing the door lets that module answer for them, to a caller which has a name of
MatchZoo among its globals; for all other code Keras is what it was.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ir_attention.backend import keras

__all__ = ["mend"]


def mend(matchzoo: Any) -> None:
    """Lets `keras.backend` answer for the functions below."""
    if not hasattr(keras.backend, "__getattr__"):  # should Keras come to have one, it is Keras's
        keras.backend.__getattr__ = _answer


def variable(value: Any, dtype: str | None = None, name: str | None = None) -> Any:
    """A variable that starts with `value`, of Keras's default type unless `dtype` says another."""
    return keras.Variable(np.asarray(value), dtype=dtype or keras.config.floatx(), name=name)


def evaluate(x: Any) -> np.ndarray:
    """The numbers of a tensor or a variable."""
    return keras.ops.convert_to_numpy(x)


_NAMES = {"variable": variable, "eval": evaluate}


def _answer(name: str) -> Any:
    if name in _NAMES and _uses_matchzoo(sys._getframe(1).f_globals):
        return _NAMES[name]
    raise AttributeError(f"module 'keras.backend' has no attribute {name!r}")


def _uses_matchzoo(caller: dict[str, Any]) -> bool:
    names = [caller.get("__name__")]
    for value in list(caller.values()):
        if isinstance(value, ModuleType):
            names.append(value.__name__)
        elif isinstance(value, (type, FunctionType)):
            names.append(value.__module__)
    return any(
        f"{name}.".startswith(("matchzoo.", "ir_attention.matchzoo.")) for name in names if name
    )
