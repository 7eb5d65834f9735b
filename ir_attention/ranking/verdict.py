"""What came of erasing words of many pairs: means with their intervals, and what they mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ir_attention.bundle import Bundle
from ir_attention.errors import BundleError, DataError
from ir_attention.evaluation.intervals import mean, resampled_sums
from ir_attention.ranking.erasing import SHARES, TAILS
from ir_attention.ranking.explain import SHADING, VERDICT
from ir_attention.reports.faithfulness import MEASURES
from ir_attention.reports.markup import typed
from ir_attention.reports.verdicts import explains, with_verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Faithfulness", "Measured"]


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
        curves_low, curves_high: The ends of its 95 % interval, in the same form.
        pairs: A row per pair and order: `query_id, doc_id, words, order` and the measures.
        left_out: How many pairs were passed over, for their texts were too short or too long.
        trained: The settings of the bundle that was looked at.
    """

    model: str
    shading: str
    table: pd.DataFrame
    curves: pd.DataFrame
    curves_low: pd.DataFrame
    curves_high: pd.DataFrame
    pairs: pd.DataFrame
    left_out: int
    trained: dict[str, Any] = field(repr=False)

    @classmethod
    def of_pairs(
        cls,
        trained: dict[str, Any],
        measured: Sequence[Measured],
        *,
        left_out: int,
        seed: int,
        resamples: int,
    ) -> Faithfulness:
        """Of what came of each pair, one at least; see `faithfulness`."""
        model = str(trained["model"])
        orders = list(measured[0].measures)
        found = np.array([[one.measures[name] for name in orders] for one in measured])
        queries = [one.query_id for one in measured]
        curves = _curves(measured, queries, orders, seed=seed, resamples=resamples)
        return cls(
            model,
            SHADING[model],
            _table(found, queries, orders, seed=seed, resamples=resamples),
            *curves,
            _per_pair(found, measured, orders),
            left_out,
            trained,
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
        """What it means, in plain words: of attention, of leaving out each word, and of all."""
        chance = self.value("random", "area")
        said = [
            explains(order, self.value(order, "area"), chance) for order in ("attention", "effects")
        ]
        last = self.curves["random"].iloc[-1]
        return [*said, f"Without any word, {typed(last, 2)} of the score is gone on average."]

    def verdict(self, data: str | None = None) -> dict[str, Any]:
        """What there is to remember of a model: plain values; see `keep`.

        Args:
            data: What was looked at, such as the name of a file.
        """
        return {
            "data": data,
            "pairs": self._count(),
            "queries": int(self.pairs["query_id"].nunique()),
            "area": {
                order: {name: round(value, 6) for name, value in self.value(order, "area").items()}
                for order in ("attention", "effects", "random")
            },
        }

    def keep(self, folder: str | Path, data: str | None = None) -> Path:
        """Keeps the verdict with the model, where `explain` finds it; an earlier one is replaced.

        It goes to the settings of the bundle as `faithfulness`, and to its card.

        Args:
            folder: The bundle that was looked at.
            data: As of `verdict`.

        Raises:
            BundleError: There is another bundle, or none, or it cannot be written. Then nothing is
                changed.
        """
        bundle = Bundle.load(folder)
        if _training(bundle.settings) != _training(self.trained):
            raise BundleError(
                f"{folder}: not the {self.model} that was looked at, or trained again since. Its "
                f"verdict is not kept. Received: a {bundle.model}"
            )
        verdict = self.verdict(data)
        settings = {**bundle.settings, VERDICT: verdict}
        card = with_verdict(bundle.card, verdict)
        return replace(bundle, settings=settings, card=card).save(folder, overwrite=True)

    def _count(self) -> int:
        return len(self.pairs) // len(self.curves.columns)

    def to_json(self) -> dict[str, Any]:
        """Plain values: the table as `order: measure: numbers`, the curves by order, counts."""
        return {
            "model": self.model,
            "shading": self.shading,
            "pairs": self._count(),
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
            "curves": {"shares": SHARES.round(6).tolist(), **_lists(self.curves)},
            "curves_low": _lists(self.curves_low),
            "curves_high": _lists(self.curves_high),
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
        ends[:, some] = np.nanquantile((totals / counts)[:, some], TAILS, axis=0)
    return ends[0], ends[1]


def _curves(
    measured: Sequence[Measured],
    queries: list[str],
    orders: list[str],
    *,
    seed: int,
    resamples: int,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Mean losses at each share, and the low and the high ends of their intervals."""
    import pandas as pd

    losses = np.array([[one.losses[name] for name in orders] for one in measured])
    flat = losses.reshape(len(losses), -1)
    low, high = _intervals(flat, queries, seed=seed, resamples=resamples)

    def frame(values: np.ndarray) -> pd.DataFrame:
        shares = pd.Index(SHARES.round(6), name="share")
        return pd.DataFrame(values.reshape(len(orders), -1).T, index=shares, columns=orders)

    return frame(flat.mean(axis=0)), frame(low), frame(high)


def _per_pair(found: np.ndarray, measured: Sequence[Measured], orders: list[str]) -> pd.DataFrame:
    import pandas as pd

    keys = [(one.query_id, one.doc_id, one.words, order) for one in measured for order in orders]
    frame = pd.DataFrame(keys, columns=["query_id", "doc_id", "words", "order"])
    return frame.assign(**dict(zip(MEASURES, found.reshape(-1, len(MEASURES)).T, strict=True)))


def _training(settings: dict[str, Any]) -> str:
    """What tells a trained model from others: all of its settings but what is kept later."""
    kept = {name: value for name, value in settings.items() if name not in (VERDICT, "format")}
    return json.dumps(kept, sort_keys=True)


def _lists(frame: pd.DataFrame) -> dict[str, list[float]]:
    return {str(name): frame[name].round(6).tolist() for name in frame.columns}


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 6)
