"""What is known of a model's attention, from plain values to sentences: does it beat chance?

The values are what `Faithfulness.verdict` gives, and what a bundle keeps of it: `data`, `pairs`,
`queries`, and under `area` for each of `attention`, `effects` and `random` the mean area with its
95 % interval, and what it has more than random.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from typing import Any

import numpy as np

from ir_attention.errors import DataError
from ir_attention.reports.markup import typed

__all__ = ["INTERVALS", "UNMEASURED", "Verdict", "explains", "read_verdict", "with_verdict"]

# What a page says of a model that was never asked.
UNMEASURED = (
    "Whether attention or the effects tell what this model scores by was not measured. "
    "`ir-attention faithfulness BUNDLE PAIRS --keep` measures it on pairs, and keeps the answer "
    "with the model."
)

# What the numbers of the sentences are.
INTERVALS = "in units of the score, means over all shares of erased words, with 95 % intervals"

# A row of numbers, by their names.
Numbers = Mapping[str, float]

_NAMES = {"attention": "Attention", "effects": "Leaving out each word"}
_COLUMNS = ("value", "low", "high", "difference", "difference_low", "difference_high")
_MOST = 200  # letters of the name of a file
_HEADING = "## Is that why?"


@dataclass(frozen=True)
class Verdict:
    """What was measured of a model.

    Attributes:
        beats_chance: By `attention` and `effects`, whether the interval of what it has more than
            random orders lies above 0.
        sentences: The same in words, of each.
        on: On how many pairs of which file, in words.
    """

    beats_chance: dict[str, bool]
    sentences: list[str]
    on: str


def explains(order: str, own: Numbers, chance: Numbers) -> str:
    """One sentence: whether words erased in an order take more of the score than by chance.

    Numbers are means over all shares of erased words, with 95 % intervals; see `INTERVALS`.

    Args:
        order: `attention` or `effects`.
        own, chance: Of the area of this order and of random ones, the numbers by name.
    """
    better = "better than" if own["difference_low"] > 0 else "no better than"
    if own["difference_high"] < 0:
        better = "worse than"
    times = "beside"
    if chance["value"] > 0 and own["value"] > 0:
        times = f"{own['value'] / chance['value']:.1f} times"
    return (
        f"{_NAMES[order]} explains this model {better} chance: erasing words in its order takes "
        f"{_with_interval(own)} off the score, {times} the {_with_interval(chance)} of random "
        f"orders; the difference is {typed(own['difference'], 2)} "
        f"({typed(own['difference_low'], 2)} to {typed(own['difference_high'], 2)})."
    )


def read_verdict(values: Any) -> Verdict:
    """Checks what a bundle keeps, which a stranger may have written.

    Raises:
        DataError: A part is missing, or is not of numbers.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("area"), Mapping):
        raise DataError(f"a verdict on a model must have `area`. Received: {values!r:.60}")
    area = {name: _numbers(name, values["area"].get(name)) for name in (*_NAMES, "random")}
    counts = [values.get(name) for name in ("pairs", "queries")]
    if not all(isinstance(count, int) and count > 0 for count in counts):
        raise DataError(f"a verdict on a model must count pairs and queries. Received: {counts!r}")
    pairs, queries = counts
    data = values.get("data")
    if not (data is None or isinstance(data, str)):
        raise DataError(f"`data` of a verdict must be the name of a file. Received: {data!r:.60}")
    return Verdict(
        beats_chance={name: area[name]["difference_low"] > 0 for name in _NAMES},
        sentences=[explains(name, area[name], area["random"]) for name in _NAMES],
        on=f"{pairs} pairs of {queries} queries" + (f" of {data[:_MOST]}" if data else ""),
    )


def with_verdict(card: str, values: Any) -> str:
    """A model card with a section of what was measured, in place of an earlier one.

    Args:
        card: Markdown.
        values: As of `read_verdict`.
    """
    found = read_verdict(values)
    lines = iter(card.rstrip().splitlines())
    kept = list(takewhile(lambda line: line != _HEADING, lines))
    rest = list(dropwhile(lambda line: not line.startswith("## "), lines))
    before = "\n".join(kept).rstrip()
    section = [_HEADING, "", f"On {found.on}, {INTERVALS}:", ""]
    section += [*(f"- {one}" for one in found.sentences), "", *rest]
    return "\n".join([*([before, ""] if before else []), *section]).rstrip() + "\n"


def _with_interval(numbers: Numbers) -> str:
    low, high = typed(numbers["low"], 2), typed(numbers["high"], 2)
    return f"{typed(numbers['value'], 2)} ({low} to {high})"


def _numbers(order: str, row: Any) -> dict[str, float]:
    if not isinstance(row, Mapping) or any(
        isinstance(row.get(name), bool) or not isinstance(row.get(name), int | float)
        for name in _COLUMNS
    ):
        raise DataError(
            f"a verdict on a model needs numbers {', '.join(_COLUMNS)} of {order}. Received: "
            f"{row!r:.60}"
        )
    if not all(np.isfinite(row[name]) for name in _COLUMNS):
        raise DataError(f"the numbers of {order} must be finite. Received: {row!r:.60}")
    return {name: float(row[name]) for name in _COLUMNS}
