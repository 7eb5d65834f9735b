"""Losses over the candidates of a query. Which rows belong together stands in the batch."""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras

__all__ = ["LOSSES", "ListwiseSoftmax", "PairwiseHinge"]

ops = keras.ops


@keras.saving.register_keras_serializable("ir_attention")
class ListwiseSoftmax(keras.losses.Loss):
    """Cross entropy between the softmax of a query's scores and its labels, made to sum to 1.

    `-sum_i (y_i / sum y) log softmax(s)_i` over the candidates of one query, the mean over the
    queries: ListNet's top-one loss (Cao et al. 2007, equation 4) with labels as the target.

    Args:
        groups: How many queries a batch has at most.

    Call arguments:
        y_true: Floats, `(batch, 2)`: label (at least 0), and the number of the row's query, 0
            to `groups - 1`; a row of padding has -1 there. Rows may come in any order.
        y_pred: Scores, `(batch,)` or `(batch, 1)`.

    A query whose labels are all 0 has nothing to teach here and counts 0.
    """

    def __init__(self, groups: int, name: str = "listwise_softmax", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.groups = groups

    def call(self, y_true: Any, y_pred: Any) -> Any:
        scores = ops.reshape(y_pred, (1, -1))
        label, member = _rows(y_true, self.groups, scores.dtype)
        target = member * label  # (groups, batch)
        total = ops.sum(target, axis=1)
        top = ops.max(ops.where(member > 0, scores, -3.0e38), axis=1, keepdims=True)
        top = ops.stop_gradient(ops.maximum(top, -1.0e30))
        powers = ops.exp(ops.where(member > 0, scores - top, 0.0)) * member
        log_sum = ops.log(ops.maximum(ops.sum(powers, axis=1, keepdims=True), 1e-30)) + top
        losses = ops.sum(target * (log_sum - scores), axis=1) / ops.maximum(total, 1e-9)
        taught = ops.cast(total > 0, losses.dtype)
        return ops.sum(losses * taught) / ops.maximum(ops.sum(taught), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups}


@keras.saving.register_keras_serializable("ir_attention")
class PairwiseHinge(keras.losses.Loss):
    """`max(0, margin - s_i + s_j)` over all i, j of one query with label i above label j.

    The mean over the pairs of a query, then over the queries that have a pair. With one positive
    and one negative a query this is MatchZoo's `RankHingeLoss(num_neg=1)`.

    Args:
        groups: How many queries a batch has at most.
        margin: How far apart the scores should be. For cosines, between -1 and 1, a margin of 1
            keeps pushing pairs that are well apart already.

    Call arguments: as of `ListwiseSoftmax`.
    """

    def __init__(
        self, groups: int, margin: float = 1.0, name: str = "pairwise_hinge", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.groups, self.margin = groups, margin

    def call(self, y_true: Any, y_pred: Any) -> Any:
        scores = ops.reshape(y_pred, (-1,))
        label, member = _rows(y_true, self.groups, scores.dtype)
        label = ops.reshape(label, (-1,))
        # (batch, batch): row i should be above column j.
        together = ops.matmul(ops.transpose(member), member)
        better = together * ops.cast(label[:, None] > label[None, :], scores.dtype)
        hinge = better * ops.relu(self.margin - scores[:, None] + scores[None, :])
        losses = ops.sum(ops.matmul(member, hinge), axis=1)
        pairs = ops.sum(ops.matmul(member, better), axis=1)
        taught = ops.cast(pairs > 0, losses.dtype)
        return ops.sum(losses / ops.maximum(pairs, 1.0)) / ops.maximum(ops.sum(taught), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups, "margin": self.margin}


LOSSES = {"softmax": ListwiseSoftmax, "hinge": PairwiseHinge}


def _rows(y_true: Any, groups: int, dtype: Any) -> tuple[Any, Any]:
    """Labels `(1, batch)`, and membership in each group as 0 and 1, `(groups, batch)`."""
    label, group = y_true[None, :, 0], y_true[None, :, 1]
    numbers = ops.expand_dims(ops.arange(groups, dtype=y_true.dtype), 1)
    return ops.cast(label, dtype), ops.cast(ops.equal(group, numbers), dtype)
