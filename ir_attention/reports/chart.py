"""Curves over the share of erased words, as SVG: lines on their bands, and what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ir_attention.reports.markup import decimal

__all__ = ["CHART_STYLE", "Lines", "chart", "key"]

CHART_STYLE = """
.curves { width: 100%; max-width: 27rem; height: auto; display: block; }
.curves text { font: 11px var(--sans); fill: var(--soft); }
.curves .axis { stroke: var(--line); fill: none; }
.curves .zero { stroke: var(--soft); fill: none; }
.curves .range { fill: var(--soft); opacity: .18; }
.line { fill: none; stroke: var(--soft); stroke-width: 2; }
.line.random { stroke-dasharray: 1 3; stroke-linecap: round; }
.line.attention { stroke: var(--accent); } .curves .range.attention { fill: var(--accent); }
.line.effects { stroke: var(--warn); stroke-dasharray: 6 3; }
.curves .range.effects { fill: var(--warn); }
.line.gradient { stroke-width: 1.2; } .line.gradient_input { stroke-width: 1.2;
  stroke-dasharray: 8 2 2 2; }
.curve-key { list-style: none; padding: 0; margin: .2rem 0; font: .8rem/1.6 var(--sans);
  color: var(--soft); }
.curve-key svg { width: 2rem; height: .6rem; margin-inline-end: .5rem; vertical-align: middle; }
@media (forced-colors: active) { .line, .curves .axis, .curves .zero { stroke: CanvasText; }
  .curves .range { fill: GrayText; } }
"""

# The size of the chart, and where its axes are.
_WIDE, _HIGH = 420, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 412, 14, 168
_BELOW = ((0, "middle"), (0.25, "middle"), (0.5, "middle"), (0.75, "middle"), (1, "end"))
_ROUND = (1, 2, 2.5, 5, 10)  # distances between marks, times a power of ten


@dataclass(frozen=True)
class Lines:
    """What is drawn.

    Attributes:
        shares: Of the words that are erased, going up, `(steps,)`.
        losses: By the name of the order, how much of the score is lost, `(steps,)` each; the last
            is on top.
        bands: By the name of the order, the low and the high end around it.
    """

    shares: np.ndarray
    losses: Mapping[str, np.ndarray]
    bands: Mapping[str, tuple[np.ndarray, np.ndarray]]


def chart(lines: Lines, name: str, *, title: str, described: str) -> str:
    """An SVG element with its title and its numbers in words; `name` begins the ids of both."""
    ends = [end for band in lines.bands.values() for end in band]
    bottom, top = _ends(np.concatenate([[0.0], *lines.losses.values(), *ends]))
    marks = _marks(bottom, top)

    def x(share: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * share

    def y(loss: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (loss - bottom) / (top - bottom)

    def points(losses: np.ndarray, shares: np.ndarray = lines.shares) -> str:
        return " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in zip(shares, losses, strict=True))

    digits = max(0, -int(np.floor(np.log10(marks[1] - marks[0]) + 1e-9)))
    digits += (marks[1] - marks[0]) * 10**digits % 1 > 1e-6
    parts = [
        f'<line class="{"zero" if abs(mark) < 1e-12 else "axis"}" x1="{_LEFT}" x2="{_RIGHT}" '
        f'y1="{y(mark):.1f}" y2="{y(mark):.1f}"/><text x="{_LEFT - 6}" y="{y(mark) + 4:.1f}" '
        f'text-anchor="end">{decimal(mark, digits)}</text>'
        for mark in marks
    ]
    parts += [
        f'<text x="{x(share):.1f}" y="{_BOTTOM + 18}" text-anchor="{anchor}">{share:.0%}</text>'
        for share, anchor in _BELOW
    ]
    for order, (low, high) in lines.bands.items():
        outline = f"{points(low)} {points(high[::-1], lines.shares[::-1])}"
        parts.append(f'<polygon class="range {order}" points="{outline}"/>')
    parts += [
        f'<polyline class="line {order}" points="{points(losses)}"/>'
        for order, losses in lines.losses.items()
    ]
    return _CHART.format(
        name=name, wide=_WIDE, high=_HIGH, parts="".join(parts), title=title, described=described
    )


def key(orders: Mapping[str, str]) -> str:
    """What each line is: list items, by the name of the order."""
    return "".join(
        f'<li><svg viewBox="0 0 32 8" aria-hidden="true"><line class="line {order}" x1="1" x2="31" '
        f'y1="4" y2="4"/></svg>{text}</li>'
        for order, text in orders.items()
    )


def _ends(values: np.ndarray) -> tuple[float, float]:
    """The lowest and the highest, never the same."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if high - low > 1e-9 else (low, low + 1.0)


def _marks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, two to six of them."""
    rough = (high - low) / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * factor for factor in _ROUND if power * factor >= rough * 0.999)
    return [
        float(step * n)
        for n in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)
    ]


_CHART = """<svg class="curves" viewBox="0 0 {wide} {high}" role="img"
aria-labelledby="{name}n" aria-describedby="{name}d">
<title id="{name}n">{title}</title>
<desc id="{name}d">{described}</desc>
{parts}<text x="228" y="204" text-anchor="middle">words of the document erased</text>
</svg>"""
