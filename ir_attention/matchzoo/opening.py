"""Imports MatchZoo 2.2.0 under Keras 3, leaving no trace in Keras, `sys.modules` or the home."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from ir_attention.backend import load_keras, load_tensorflow, quiet

__all__ = ["open_matchzoo"]

_VERSION = "2.2.0"


def open_matchzoo() -> ModuleType:
    """The package `matchzoo` as it is installed, imported but not yet mended.

    MatchZoo imports TensorFlow itself, whatever backend Keras has.

    Raises:
        ImportError: MatchZoo is missing, or is not the version that the mending was made for.
    """
    keras = load_keras()
    load_tensorflow()
    with quiet(), _names_of_keras_2(keras), _home_left_alone():
        matchzoo = importlib.import_module("matchzoo")
    if matchzoo.__version__ != _VERSION:
        raise ImportError(
            f"ir_attention works with MatchZoo {_VERSION} alone: "
            f"`pip install matchzoo=={_VERSION}`. Received: matchzoo {matchzoo.__version__}"
        )
    return matchzoo


@contextlib.contextmanager
def _names_of_keras_2(keras: Any) -> Iterator[None]:
    """Answers for two modules that Keras 3 no longer has, while MatchZoo imports names of them.

    Entries in `sys.modules` are enough: the import system looks there before it asks `keras`.
    """
    engine: Any = ModuleType("keras.engine")
    engine.Layer = keras.layers.Layer
    losses_utils: Any = ModuleType("keras.utils.losses_utils")
    losses_utils.Reduction = SimpleNamespace(SUM_OVER_BATCH_SIZE="sum_over_batch_size")
    stand_ins = {module.__name__: module for module in (engine, losses_utils)}
    missing = [name for name in stand_ins if name not in sys.modules]
    sys.modules.update({name: stand_ins[name] for name in missing})
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


@contextlib.contextmanager
def _home_left_alone() -> Iterator[None]:
    """Lets MatchZoo believe that the folders exist which it would make in the home at import.

    It asks `Path.expanduser(Path("~"))`, which also fails where a user has no home.
    """

    class Home(type(Path())):  # type: ignore[misc]
        def exists(self, **kwargs: Any) -> bool:
            return True

    expanduser = Path.expanduser
    Path.expanduser = lambda path: Home(os.path.expanduser(path))  # type: ignore
    try:
        yield
    finally:
        Path.expanduser = expanduser  # type: ignore[method-assign]
        del Home.exists  # MatchZoo keeps its paths: from now on they tell the truth
