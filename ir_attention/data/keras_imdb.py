"""The reviews of `keras.datasets.imdb`, read from its file without running what is in it."""

from __future__ import annotations

import pickle
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from ir_attention.errors import DataError

__all__ = ["read_keras_imdb"]

_ARRAYS = ("x_train", "y_train", "x_test", "y_test")

# All that a pickled array of lists of whole numbers is made of, by NumPy 1 and 2.
_NEEDED = {
    (module, name)
    for module, names in {
        "numpy": ("ndarray", "dtype"),
        "numpy.core.multiarray": ("_reconstruct", "scalar"),
        "numpy._core.multiarray": ("_reconstruct", "scalar"),
        "_codecs": ("encode",),
    }.items()
    for name in names
}


def read_keras_imdb(path: str | Path) -> dict[str, tuple[list[np.ndarray], np.ndarray]]:
    """Reads `imdb.npz`: film reviews as numbers of words, the most frequent word being 1.

    The file holds pickled lists, and pickles can run programs; of these only what NumPy's arrays
    need is let through.

    Args:
        path: Of the file, as `keras.datasets.imdb` downloads it.

    Returns:
        `train` and `test`, each with the words of every review, and `(reviews,)` of 0 or 1.

    Raises:
        DataError: It is no such file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = {}
            for name in _ARRAYS:
                with archive.open(f"{name}.npy") as file:
                    found[name] = _array(file)
        parts = {
            part: (
                [_whole(review) for review in found[f"x_{part}"]],
                _whole(found[f"y_{part}"]),
            )
            for part in ("train", "test")
        }
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        pickle.UnpicklingError,
    ) as error:
        raise DataError(f"{path}: not the imdb.npz of keras.datasets.imdb ({error})") from error
    for part, (reviews, labels) in parts.items():
        if len(reviews) != len(labels) or not np.isin(labels, (0, 1)).all():
            raise DataError(
                f"{path}: every review of x_{part} needs a label 0 or 1 in y_{part}. Received: "
                f"{len(reviews)} reviews, {len(labels)} labels"
            )
    return parts


def _array(file: IO[bytes]) -> Any:
    """An array of a .npy file, pickled or not."""
    version = np.lib.format.read_magic(file)
    shape, _, dtype = (
        np.lib.format.read_array_header_1_0(file)
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0(file)
    )
    if dtype.hasobject:
        return _Harmless(file).load()
    return np.frombuffer(file.read(), dtype).reshape(shape)


def _whole(numbers: Any) -> np.ndarray:
    array = np.asarray(numbers)
    if array.ndim != 1 or not (array.size == 0 or np.issubdtype(array.dtype, np.integer)):
        raise ValueError(f"rows must be whole numbers, not {array.dtype} of shape {array.shape}")
    return array.astype(np.int64)


class _Harmless(pickle.Unpickler):
    """Makes lists, numbers and NumPy's arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NEEDED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)
