"""What erasing words does to the score: a small chart as SVG, and in a sentence."""

from __future__ import annotations

import numpy as np

from ir_attention.reports.decisions import Curves
from ir_attention.reports.markup import decimal

__all__ = ["CURVE_STYLE", "curve_section", "no_better_than_chance"]

CURVE_STYLE = """
.why { display: grid; gap: .2rem 2rem; align-items: center; margin-top: 1.6rem; }
.why h3 { grid-column: 1 / -1; }
.why p { margin: .3rem 0; max-width: 40rem; }
.curves { width: 100%; max-width: 27rem; height: auto; display: block; }
.curves text { font: 11px var(--sans); fill: var(--soft); }
.curves .axis { stroke: var(--line); fill: none; }
.curves .zero { stroke: var(--soft); fill: none; }
.curves .range { fill: var(--soft); opacity: .18; }
.line { fill: none; stroke-width: 2; }
.line.random { stroke: var(--soft); stroke-dasharray: 1 3; stroke-linecap: round; }
.line.attention { stroke: var(--accent); }
.line.effects { stroke: var(--warn); stroke-dasharray: 6 3; }
.curve-key { list-style: none; padding: 0; margin: .2rem 0; font: .8rem/1.6 var(--sans);
  color: var(--soft); }
.curve-key svg { width: 2rem; height: .6rem; margin-inline-end: .5rem; vertical-align: middle; }
@container (min-width: 40rem) {
  .why { grid-template-columns: minmax(0, 27rem) minmax(14rem, 1fr); } }
@media (forced-colors: active) { .why .line, .curves .axis, .curves .zero { stroke: CanvasText; }
  .curves .range { fill: GrayText; } }
"""

# The size of the chart, and where its axes are.
_WIDE, _HIGH = 420, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 412, 14, 168
_BELOW = ((0, "middle"), (0.25, "middle"), (0.5, "middle"), (0.75, "middle"), (1, "end"))
_ROUND = (1, 2, 2.5, 5, 10)  # distances between marks, times a power of ten


def no_better_than_chance(curves: Curves, which: str) -> str:
    """The words for the top of the page; none where attention and effects do better.

    Args:
        curves: Of the document.
        which: Begins the sentence.
    """
    loses = {name: decimal(area, 2) for name, area in curves.areas.items()}
    chance = f"at random {loses['random']} {_interval(curves)}"
    effects_beat = curves.areas.get("effects", np.inf) > curves.areas["random_high"]
    if curves.attention_beats_chance and effects_beat:
        return ""
    if not curves.attention_beats_chance and not effects_beat:
        return (
            f"<strong>{which} neither attention nor the effects explain the score better than "
            "chance.</strong> Erasing words in the order of attention loses "
            f"{loses['attention']} of the score, of the effects {loses['effects']}, {chance}."
        )
    if effects_beat:
        other = f"; effects lose {loses['effects']}" if "effects" in loses else ""
        return (
            f"<strong>{which} attention explains the score no better than chance.</strong> "
            f"Erasing words in its order loses {loses['attention']} of the score, {chance}{other}. "
            "Its shades say where the model looked, not why it decided."
        )
    return (
        f"<strong>{which} the effects explain the score no better than chance.</strong> Erasing "
        f"words in their order loses {loses['effects']} of the score, {chance}; in the order of "
        f"attention {loses['attention']}. Words that say the same stand in for each other."
    )


def curve_section(curves: Curves, name: str) -> str:
    """The chart with its sentence. `name` begins the ids of its parts."""
    areas = curves.areas
    effects = (
        f", in the order of the effects {decimal(areas['effects'], 2)}"
        if "effects" in areas
        else ""
    )
    sentence = (
        "Erasing the words in the order of attention loses "
        f"{decimal(areas['attention'], 2)} of the score{effects}, at random "
        f"{decimal(areas['random'], 2)} {_interval(curves)}."
    )
    return _SECTION.format(
        name=name, sentence=sentence, chart=_chart(curves, name), key=_key(curves)
    )


def _interval(curves: Curves) -> str:
    return f"[{decimal(curves.areas['random_low'], 2)}, {decimal(curves.areas['random_high'], 2)}]"


def _chart(curves: Curves, name: str) -> str:
    bottom, top = _ends(np.concatenate([[0.0], *curves.losses.values()]))
    marks = _marks(bottom, top)

    def x(share: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * share

    def y(loss: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (loss - bottom) / (top - bottom)

    def points(losses: np.ndarray, shares: np.ndarray = curves.shares) -> str:
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
    losses = curves.losses
    outline = (
        points(losses["random_low"])
        + " "
        + points(losses["random_high"][::-1], curves.shares[::-1])
    )
    parts.append(f'<polygon class="range" points="{outline}"/>')
    for order in ("random", "effects", "attention"):
        if order in losses:
            parts.append(f'<polyline class="line {order}" points="{points(losses[order])}"/>')
    return _CHART.format(
        name=name, wide=_WIDE, high=_HIGH, parts="".join(parts), described=_described(curves)
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


def _described(curves: Curves) -> str:
    """The chart in words: the loss at each quarter."""
    said = []
    for order, losses in curves.losses.items():
        at = ", ".join(
            f"{decimal(np.interp(share, curves.shares, losses), 2)} at {100 * share:.0f} %"
            for share in (0.25, 0.5, 0.75, 1)
        )
        said.append(f"{order.replace('random_', 'random, ')}: {at}")
    return "; ".join(said)


def _key(curves: Curves) -> str:
    orders = [("attention", "in the order of attention")]
    if "effects" in curves.losses:
        orders.append(("effects", "in the order of the effects"))
    orders.append(("random", "at random; the band holds 95 % of the orders"))
    return "".join(
        f'<li><svg viewBox="0 0 32 8" aria-hidden="true"><line class="line {order}" x1="1" x2="31" '
        f'y1="4" y2="4"/></svg>{text}</li>'
        for order, text in orders
    )


_SECTION = """<section class="why" aria-labelledby="{name}t"><h3 id="{name}t">Is that why?</h3>
{chart}
<div><p>{sentence}</p>
<ul class="curve-key" role="list">{key}</ul>
<p class="note">The loss is the mean over all shares of erased words: the area under the curve. The
more it is, the more the order says about what the score depends on.</p></div></section>
"""

_CHART = """<svg class="curves" viewBox="0 0 {wide} {high}" role="img"
aria-labelledby="{name}n" aria-describedby="{name}d">
<title id="{name}n">How much of the score is lost as words are erased</title>
<desc id="{name}d">{described}</desc>
{parts}<text x="228" y="204" text-anchor="middle">words of the document erased</text>
</svg>"""
