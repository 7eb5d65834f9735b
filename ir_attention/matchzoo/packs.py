"""DataPacks on pandas 3 and NumPy 2; saving that closes its files and warns about dill."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from ir_attention.errors import DataError

__all__ = ["mend"]


def mend(matchzoo: Any) -> None:
    """Puts the functions below in place of MatchZoo's own."""
    from matchzoo.data_pack import data_pack
    from matchzoo.engine import base_model, base_preprocessor

    packing: Any = importlib.import_module("matchzoo.data_pack.pack")  # hidden by its function
    cls = matchzoo.DataPack
    cls.unpack = unpack
    # The decorator gives them their argument `inplace`, which their docstrings have to explain.
    cls.drop_invalid = cls._optional_inplace(drop_invalid)
    cls.shuffle = cls._optional_inplace(shuffle)
    packing._merge = _texts_by_id
    for module in (data_pack, base_preprocessor, base_model):
        module.dill = _Dill


def unpack(self: Any) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """The columns as arrays, and the labels.

    Returns:
        A pair: a dict from each column of `frame()` but `label` to an array with a row per pair,
        and the labels, `(pairs, 1)`, or `(pairs, classes)` if they are one-hot; None if the pack
        has no labels. Texts of one length give an array of numbers, `(pairs, length)`; texts of
        different lengths an array of objects, `(pairs,)`, which holds the lists as they are.
    """
    frame = self.frame()
    y = np.vstack(list(frame.pop("label"))) if self.has_label else None
    return {name: _array(frame[name].tolist()) for name in frame.columns}, y


def shuffle(self: Any, seed: int | np.random.Generator | None = None) -> None:
    """Puts the pairs in a random order.

    :param inplace: `True` to modify inplace, `False` to return a modified copy. (default: `False`)
    :param seed: A seed, or a `numpy.random.Generator`. Default: NumPy's global state decides.
    """
    rng = None if seed is None else np.random.default_rng(seed)
    self._relation = self._relation.sample(frac=1, random_state=rng).reset_index(drop=True)


def drop_invalid(self: Any) -> None:
    """Removes texts of length 0, and the pairs that they are in.

    The lengths are those of `append_text_length`, which has to be called before.

    :param inplace: `True` to modify inplace, `False` to return a modified copy. (default: `False`)
    """
    if "length_left" not in self._left or "length_right" not in self._right:
        raise DataError(
            "`drop_invalid` needs `length_left` and `length_right`: call `append_text_length` "
            f"before. Received: columns {[*self._left.columns, *self._right.columns]}"
        )
    self._left = self._left[self._left["length_left"] != 0]
    self._right = self._right[self._right["length_right"] != 0]
    relation = self._relation
    valid = relation["id_left"].isin(self._left.index) & relation["id_right"].isin(
        self._right.index
    )
    self._relation = relation[valid].reset_index(drop=True)


def _texts_by_id(data: pd.DataFrame, ids: Any, text_label: str, id_label: str) -> pd.DataFrame:
    """The first text of each id, in order; pandas 3 warns about the way MatchZoo does it."""
    texts = pd.DataFrame({text_label: data[text_label], id_label: ids})
    return texts.drop_duplicates(id_label).set_index(id_label)


def _array(values: list[Any]) -> np.ndarray:
    try:
        return np.array(values)
    except ValueError:  # ragged: NumPy 1 made an array of objects by itself
        array = np.empty(len(values), dtype=object)
        for row, value in enumerate(values):
            array[row] = value
        return array


class _Dill:
    """Stands where MatchZoo's modules look for `dill`; closes the files that they leave open."""

    @staticmethod
    def dump(thing: Any, file: BinaryIO) -> None:
        import dill

        with file:
            _warn(f"Writing a {type(thing).__name__}", file)
            dill.dump(thing, file)

    @staticmethod
    def load(file: BinaryIO) -> Any:
        import dill

        with file:
            _warn("Reading", file)
            return dill.load(file)


def _warn(doing: str, file: BinaryIO) -> None:
    warnings.warn(
        f"{doing} with dill, as MatchZoo does: whoever loads such a file runs whatever code is in "
        "it, and other versions may not read it. Load only your own; a bundle of ir_attention "
        f"holds no code. Received: {Path(file.name)}",
        stacklevel=4,  # the caller of MatchZoo's `save` or `load_...`
    )
