"""MatchZoo's two ranking losses, on any backend, with settings that survive saving."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_attention.backend import ops

__all__ = ["mend"]


def mend(matchzoo: Any) -> None:
    """Puts the functions below in place of MatchZoo's own."""
    hinge, cross_entropy = matchzoo.losses.RankHingeLoss, matchzoo.losses.RankCrossEntropyLoss
    hinge.call, hinge.get_config = rank_hinge, _hinge_config
    cross_entropy.call, cross_entropy.get_config = rank_cross_entropy, _cross_entropy_config
    for loss in (hinge, cross_entropy):
        loss.__reduce__ = _reduce


def rank_hinge(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
    """The mean of `max(0, margin + mean(negatives) - positive)` over the groups of a batch.

    Rows belong together by their order: a positive and its `num_neg` negatives, as
    `DataGenerator(mode="pair")` lays them. Labels are not looked at. A cosine lies in [-1, 1]:
    with a margin of 1 the loss of a good pair of cosines rarely ends at 0.

    Args:
        y_true: Ignored.
        y_pred: Scores, `(groups * (1 + num_neg), 1)`.
        sample_weight: Ignored; weights passed to the loss itself scale its value.

    Raises:
        ValueError: A row has more than one score, or rows are left over.
    """
    scores = _groups(y_pred, self.num_neg)  # (groups, 1 + num_neg)
    negative = ops.mean(scores[:, 1:], axis=-1)
    return ops.mean(ops.maximum(0.0, self.margin + negative - scores[:, 0]))


def rank_cross_entropy(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
    """The mean of `-sum(labels * log(softmax(scores)))` over the groups of a batch.

    Args:
        y_true: Labels, `(groups * (1 + num_neg), 1)`, in groups as in `rank_hinge`.
        y_pred: Scores of that shape.
        sample_weight: Ignored; weights passed to the loss itself scale its value.

    Raises:
        ValueError: A row has more than one score, or rows are left over.
    """
    labels, scores = _groups(y_true, self.num_neg), _groups(y_pred, self.num_neg)
    # MatchZoo's guard against log(0); adding it changes no other probability in float32.
    logs = ops.log(ops.softmax(scores, axis=-1) + np.finfo(float).eps)
    return ops.mean(-ops.sum(labels * logs, axis=-1))


def _groups(values: Any, num_neg: int) -> Any:
    shape = tuple(values.shape)
    rows = shape[0] if shape else None
    if shape[1:] not in ((), (1,)) or (rows is not None and rows % (num_neg + 1)):
        raise ValueError(
            f"A ranking loss with num_neg={num_neg} needs one score a row, and groups of "
            f"{num_neg + 1} rows, as DataGenerator(mode='pair', num_neg={num_neg}) makes them. "
            f"Received: shape={shape}"
        )
    return ops.reshape(values, (-1, num_neg + 1))


def _hinge_config(self: Any) -> dict[str, Any]:
    return {"num_neg": self.num_neg, "margin": self.margin}


def _cross_entropy_config(self: Any) -> dict[str, Any]:
    return {"num_neg": self.num_neg}


def _reduce(self: Any) -> tuple[Any, ...]:
    """Pickles the settings: Keras 3 would look the class up in a register that it is not in."""
    return type(self).from_config, (self.get_config(),)
