"""DataGenerators that leave their caller's pack as it is, and draw from a seed of their own."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.backend import keras
from ir_attention.errors import DataError

__all__ = ["mend"]


def mend(matchzoo: Any) -> None:
    """Puts the functions below in place of MatchZoo's own."""
    generator = matchzoo.DataGenerator
    generator.__init__ = _init
    generator.reset_index = reset_index
    generator.on_epoch_end = _on_epoch_end
    generator._reorganize_pair_wise = staticmethod(pairwise)
    for name in ("mode", "num_dup", "num_neg"):
        setattr(generator, name, _setting(name))


def _init(
    self: Any,
    data_pack: Any,
    mode: str = "point",
    num_dup: int = 1,
    num_neg: int = 1,
    resample: bool = True,
    batch_size: int = 128,
    shuffle: bool = True,
    callbacks: list[Any] | None = None,
    seed: int | np.random.Generator | None = None,
) -> None:
    """Batches of a DataPack, for `fit_generator`.

    With `mode="pair"` a batch is `batch_size` groups of `1 + num_neg` rows, each a document and
    then `num_neg` documents of the same query with lower labels, drawn with replacement: the
    order that `losses.RankHingeLoss(num_neg)` and `RankCrossEntropyLoss(num_neg)` rely on. Every
    document that has one with a lower label beside it leads `num_dup` groups.

    Args:
        data_pack: The DataPack; it is neither changed nor looked at again.
        mode: `point`, for the rows as they are, or `pair`.
        num_dup: How many groups a document leads in an epoch, with `mode="pair"`.
        num_neg: How many documents follow it in each group.
        resample: Whether to draw these anew for each epoch.
        batch_size: Rows in a batch, or groups with `mode="pair"`. The last one may be smaller.
        shuffle: Whether each epoch has an order of its own.
        callbacks: See `matchzoo.data_generator.callbacks`.
        seed: A seed, or a `numpy.random.Generator` to go on with. Default: a seed taken from
            NumPy's global state, so that `numpy.random.seed` decides as it always did.

    Raises:
        DataError: With `mode="pair"`, the pack has no labels, or no query has documents of
            different labels.
    """
    if mode not in ("point", "pair", "list"):
        raise ValueError(f"`mode` must be 'point', 'pair' or 'list'. Received: mode={mode!r}")
    keras.utils.PyDataset.__init__(self)
    self._mode = mode
    self._num_dup = num_dup
    self._num_neg = num_neg
    self._batch_size = batch_size
    self._shuffle = shuffle
    self._resample = resample
    self._callbacks = list(callbacks or [])
    self._rng = np.random.default_rng(np.random.randint(2**31) if seed is None else seed)
    self._orig_relation = data_pack.relation.reset_index(drop=True)
    self._data_pack = copy.copy(data_pack)  # the texts are shared: batches are copies of them
    self._data_pack._left = data_pack.left.copy(deep=False)
    self._data_pack._right = data_pack.right.copy(deep=False)
    self._batch_indices = None
    _draw(self)
    self.reset_index()


def reset_index(self: Any) -> None:
    """Deals the rows, or with `mode="pair"` the groups of rows, into batches."""
    if self._mode == "list":
        raise NotImplementedError("MatchZoo has no generator of lists. Received: mode='list'")
    size = self._num_neg + 1 if self._mode == "pair" else 1
    groups = np.arange(len(self._data_pack)).reshape(-1, size)
    if self._shuffle:
        groups = self._rng.permutation(groups)
    starts = range(0, len(groups), self._batch_size)
    self._batch_indices = [
        groups[start : start + self._batch_size].ravel().tolist() for start in starts
    ]


def pairwise(
    relation: pd.DataFrame,
    num_dup: int = 1,
    num_neg: int = 1,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """The rows of a relation in groups of `1 + num_neg`, as `DataGenerator` describes them.

    Queries come by id, a query's leading documents by label, the highest first, and documents of
    one label in the relation's order, all of them `num_dup` times over.
    """
    if "label" not in relation:
        raise DataError(f"mode='pair' needs labels. Received: columns {list(relation.columns)}")
    rng = rng or np.random.default_rng(np.random.randint(2**31))
    labels = relation["label"].to_numpy()
    rows: list[np.ndarray] = []
    for _, group in pd.Series(range(len(labels))).groupby(relation["id_left"].to_numpy()):
        at = group.to_numpy()
        for label in np.unique(labels[at])[:0:-1]:  # the lowest has nothing below it
            leading = np.tile(at[labels[at] == label], num_dup)
            lower = rng.choice(at[labels[at] < label], size=(len(leading), num_neg))
            rows.append(np.column_stack([leading, lower]).ravel())
    if not rows:
        raise DataError(
            "mode='pair' needs a query that has documents of different labels. Received: "
            f"{relation['id_left'].nunique()} queries, with one label each"
        )
    return relation.iloc[np.concatenate(rows)].reset_index(drop=True)


def _on_epoch_end(self: Any) -> None:
    if self._resample:
        _draw(self)
    self.reset_index()


def _draw(self: Any) -> None:
    """Draws the groups of `mode="pair"` from the caller's relation; else takes it as it is."""
    relation = self._orig_relation
    if self._mode == "pair":
        relation = pairwise(relation, self._num_dup, self._num_neg, self._rng)
    self._data_pack.relation = relation


def _setting(name: str) -> property:
    """A property whose change takes effect: MatchZoo regroups the rows, but draws none anew."""

    def change(self: Any, value: Any) -> None:
        setattr(self, f"_{name}", value)
        _draw(self)
        self.reset_index()

    return property(lambda self: getattr(self, f"_{name}"), change)
