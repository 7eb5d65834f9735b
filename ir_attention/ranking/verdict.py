"""What came of erasing words of many pairs: means with their intervals, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ir_attention.errors import DataError
from ir_attention.evaluation.intervals import mean, resampled_sums
from ir_attention.ranking.erasing import SHARES
from ir_attention.ranking.explain import SHADING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MEASURES", "ORDERS", "Faithfulness", "Measured"]

# What words are erased in the order of, and what it is called.
ORDERS = {
    "attention": "attention",
    "effects": "leave-one-out",
    "gradient": "gradient",
    "gradient_input": "gradient x input",
    "random": "random",
}
MEASURES = ("area", "comprehensiveness", "sufficiency", "tau")

_TAILS = (0.025, 0.975)  # 95 %


class Measured(NamedTuple):
    """What came of one pair; both by order, of which the last is `random`."""

    query_id: str
    doc_id: str
    words: int  # of its document
    losses: dict[str, np.ndarray]  # (shares,)
    measures: dict[str, np.ndarray]  # (measures,)


@dataclass(frozen=True)
class Faithfulness:
    """How well different orders of a document's words tell what its score rests on.

    Attributes:
        model: `han` or `han-bi`.
        shading: What `explain` shows first of such a model: `attention` or `effects`.
        table: A row per order and measure: `order, measure, value, low, high`, the mean over pairs
            and its 95 % interval; `difference, difference_low, difference_high`, the same of what
            it has more than `random` of the same pairs.
        curves: A row per share of words, a column per order: the mean loss of score.
        pairs: A row per pair and order: `query_id, doc_id, words, order` and the measures.
        left_out: How many pairs were passed over, for their texts were too short or too long.
    """

    model: str
    shading: str
    table: pd.DataFrame
    curves: pd.DataFrame
    pairs: pd.DataFrame
    left_out: int

    @classmethod
    def of_pairs(
        cls, model: str, measured: Sequence[Measured], *, left_out: int, seed: int, resamples: int
    ) -> Faithfulness:
        """Of what came of each pair, one at least; see `faithfulness`."""
        orders = list(measured[0].measures)
        found = np.array([[one.measures[name] for name in orders] for one in measured])
        queries = [one.query_id for one in measured]
        return cls(
            model,
            SHADING[model],
            _table(found, queries, orders, seed=seed, resamples=resamples),
            _curves(measured, orders),
            _per_pair(found, measured, orders),
            left_out,
        )

    def value(self, order: str, measure: str) -> dict[str, float]:
        """One row of `table`, by the names of its numbers."""
        chosen = (self.table["order"] == order) & (self.table["measure"] == measure)
        if not chosen.any():
            raise DataError(f"no {measure!r} of {order!r}; see `table`")
        row = self.table[chosen].iloc[0]
        return {str(name): float(row[name]) for name in self.table.columns[2:]}

    def beats_chance(self, order: str) -> bool:
        """Whether the interval of the area's difference to random lies above 0."""
        return self.value(order, "area")["difference_low"] > 0

    def sentences(self) -> list[str]:
        """What it means, in plain words: of attention, and of leaving out each word."""
        return [_verdict(self, order) for order in ("attention", "effects")]

    def to_json(self) -> dict[str, Any]:
        """Plain values: the table as `order: measure: numbers`, the curves by order, counts."""
        return {
            "model": self.model,
            "shading": self.shading,
            "pairs": len(self.pairs) // len(self.curves.columns),
            "queries": int(self.pairs["query_id"].nunique()),
            "left_out": self.left_out,
            "orders": {
                order: {
                    measure: {
                        name: _plain(value) for name, value in self.value(order, measure).items()
                    }
                    for measure in MEASURES
                }
                for order in self.curves.columns
            },
            "curves": {
                "shares": SHARES.round(6).tolist(),
                **{name: self.curves[name].round(6).tolist() for name in self.curves.columns},
            },
            "sentences": self.sentences(),
        }


def _table(
    found: np.ndarray, queries: list[str], orders: list[str], *, seed: int, resamples: int
) -> pd.DataFrame:
    """Means over pairs and their intervals: of values, and of what they have more than chance's.

    Args:
        found: `(pairs, orders, measures)`; the last order is `random`.
    """
    import pandas as pd

    both = np.stack([found, found - found[:, -1:]]).swapaxes(0, 1)
    flat = both.reshape(len(found), -1)
    low, high = _intervals(flat, queries, seed=seed, resamples=resamples)
    means = [mean(column) for column in flat.T]
    numbers = np.stack([means, low, high]).reshape(3, 2, len(orders), len(MEASURES))
    columns = [f"{kind}{end}" for kind in ("value", "difference") for end in ("", "_low", "_high")]
    columns[1:3] = "low", "high"
    frame = pd.DataFrame(
        [(order, measure) for order in orders for measure in MEASURES], columns=["order", "measure"]
    )
    for name, values in zip(columns, numbers.swapaxes(0, 1).reshape(6, -1), strict=True):
        frame[name] = values
    return frame


def _intervals(
    values: np.ndarray, queries: list[str], *, seed: int, resamples: int
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % percentile bootstrap intervals of means, drawing queries with all their pairs.

    Args:
        values: `(pairs, columns)`; NaN is left out of a mean.
    """
    names, query = np.unique(queries, return_inverse=True)
    there = ~np.isnan(values)
    of_query = np.zeros((2, len(names), values.shape[1]))
    np.add.at(of_query[0], query, np.where(there, values, 0))
    np.add.at(of_query[1], query, there)
    rng = np.random.default_rng(seed)
    sums = np.concatenate(
        list(resampled_sums(np.concatenate(of_query, axis=1), rng=rng, resamples=resamples))
    )
    totals, counts = np.split(sums, 2, axis=1)
    ends = np.full((2, values.shape[1]), np.nan)
    some = there.any(axis=0)
    with np.errstate(invalid="ignore"):  # a draw may have no value of a measure
        ends[:, some] = np.nanquantile((totals / counts)[:, some], _TAILS, axis=0)
    return ends[0], ends[1]


def _curves(measured: Sequence[Measured], orders: list[str]) -> pd.DataFrame:
    import pandas as pd

    means = {name: np.mean([one.losses[name] for one in measured], axis=0) for name in orders}
    return pd.DataFrame(means, index=pd.Index(SHARES.round(6), name="share"))


def _per_pair(found: np.ndarray, measured: Sequence[Measured], orders: list[str]) -> pd.DataFrame:
    import pandas as pd

    keys = [(one.query_id, one.doc_id, one.words, order) for one in measured for order in orders]
    frame = pd.DataFrame(keys, columns=["query_id", "doc_id", "words", "order"])
    return frame.assign(**dict(zip(MEASURES, found.reshape(-1, len(MEASURES)).T, strict=True)))


def _verdict(found: Faithfulness, order: str) -> str:
    own, chance = found.value(order, "area"), found.value("random", "area")
    name = {"attention": "Attention", "effects": "Leaving out each word"}[order]
    better = "better than" if found.beats_chance(order) else "no better than"
    if own["difference_high"] < 0:
        better = "worse than"
    times = ""
    if chance["value"] > 0 and own["value"] > 0:
        times = f", {own['value'] / chance['value']:.1f} times as much"
    return (
        f"{name} explains this model {better} chance: erasing words in its order takes "
        f"{own['value']:.2f} of the score over all shares, in a random order "
        f"{chance['value']:.2f}{times} (95 % interval of the difference: "
        f"{own['difference_low']:.2f} to {own['difference_high']:.2f})."
    )


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 6)
