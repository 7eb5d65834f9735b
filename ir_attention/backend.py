"""The only place where Keras and its backend are first imported, without their start-up noise.

TensorFlow writes to file descriptor 2 from C++ before any of its settings is read, so the quiet
import redirects the descriptor itself for the seconds that the import takes. Nothing is loaded
before it is asked for:

    from ir_attention.backend import load_keras      # keras = load_keras()
    from ir_attention.backend import keras, ops      # the same, at the top of a model's file
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import IO, Any

__all__ = ["load_keras", "load_tensorflow", "quiet"]

# One import at a time: a second redirection would take the first one's file for the terminal.
_LOCK = threading.RLock()

# Set when TensorFlow has looked for its devices, which an import by somebody else leaves undone.
_SETTLED = threading.Event()


def load_keras() -> ModuleType:
    """The `keras` module, imported quietly on its first use.

    The backend is the one that Keras picks: the environment variable `KERAS_BACKEND`
    (`tensorflow`, `jax` or `torch`), then `~/.keras/keras.json`, then TensorFlow. TensorFlow is
    loaded only if it is the backend.

    Raises:
        ImportError: Keras or its backend is missing or broken; what the import wrote to stderr
            is then written there after all.
    """
    keras = _loaded("keras")
    if keras is None:
        with quiet():
            keras = importlib.import_module("keras")
    if keras.config.backend() == "tensorflow":
        load_tensorflow()
    return keras


def load_tensorflow() -> ModuleType:
    """The `tensorflow` module, imported quietly on its first use, whatever backend Keras has."""
    tensorflow = _loaded("tensorflow")
    if tensorflow is None or not _SETTLED.is_set():
        with quiet():
            tensorflow = importlib.import_module("tensorflow")
            # The search for a GPU complains too, and would wait for the first operation to do so.
            tensorflow.config.list_physical_devices()
            # Advice on retracing and autograph, for the author of a model, not for its user.
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
            _SETTLED.set()
    return tensorflow


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Holds back warnings and everything written to file descriptor 2, from C++ too.

    What was held back is forgotten if the block ends well, and written out if it raises. The
    descriptor is restored in any case. Other threads' words on stderr are held back with it, so
    the block should be short.
    """
    # Read at TensorFlow's first message, and obeyed by later ones (a GPU's name, cuDNN's version).
    # 3 leaves out errors as well: those that matter reach Python as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _LOCK, warnings.catch_warnings(), _stderr_held():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _stderr_held() -> Iterator[None]:
    try:
        terminal = os.dup(2)
    except OSError:  # a service may run with stderr closed: there is nobody to disturb
        yield
        return
    try:
        with _scratch() as held:
            _flush()
            os.dup2(held.fileno(), 2)
            failed = False
            try:
                yield
            except Exception:  # not Ctrl-C: whoever stops an import need not read about it
                failed = True
                raise
            finally:
                _flush()
                os.dup2(terminal, 2)
                if failed:
                    _write(2, held)
    finally:
        os.close(terminal)


def _scratch() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError:  # nowhere to write: the noise is lost, which only a failing import would miss
        return open(os.devnull, "w+b")


def _write(descriptor: int, held: IO[bytes]) -> None:
    held.seek(0)
    while text := held.read(1 << 16):
        os.write(descriptor, text)


def _flush() -> None:
    if sys.stderr is not None:  # None under pythonw
        with contextlib.suppress(ValueError, OSError):  # closed by its owner
            sys.stderr.flush()


def _loaded(name: str) -> ModuleType | None:
    """The module if its import is over; one that another thread is still busy with is not."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    return None if getattr(spec, "_initializing", False) else module


def __getattr__(name: str) -> Any:
    if name == "keras":
        return load_keras()
    if name == "tensorflow":
        return load_tensorflow()
    if name in ("layers", "ops"):
        return getattr(load_keras(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
