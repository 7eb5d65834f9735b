"""What erasing words of one document does to the score: a small chart, and in sentences."""

from __future__ import annotations

import numpy as np

from ir_attention.reports.chart import CHART_STYLE, Lines, chart, key
from ir_attention.reports.decisions import Curves
from ir_attention.reports.markup import decimal

__all__ = ["CURVE_STYLE", "curve_section", "no_better_than_chance"]

CURVE_STYLE = (
    CHART_STYLE
    + """
.why { display: grid; gap: .2rem 2rem; align-items: center; margin-top: 1.6rem; }
.why h3 { grid-column: 1 / -1; }
.why p { margin: .3rem 0; max-width: 40rem; }
@container (min-width: 40rem) {
  .why { grid-template-columns: minmax(0, 27rem) minmax(14rem, 1fr); } }
"""
)


def no_better_than_chance(curves: Curves, which: str) -> str:
    """The words for the top of the page; none where attention and effects do better.

    None either where nothing can be told: in a text of a few words, every order is like another.

    Args:
        curves: Of the document.
        which: Begins the sentence.
    """
    if curves.attention_beats_chance is None:
        return ""
    loses = {name: decimal(area, 2) for name, area in curves.areas.items()}
    effects_beat = curves.areas.get("effects", np.inf) > curves.areas["random_high"]
    if curves.attention_beats_chance and effects_beat:
        return ""
    if not curves.attention_beats_chance and not effects_beat:
        said = (
            f"<strong>{which} neither attention nor the effects explain the score better than "
            "chance.</strong> Erasing words in the order of attention loses "
            f"{loses['attention']} of the score, of the effects {loses['effects']}"
        )
        end = ""
    elif effects_beat:
        said = (
            f"<strong>{which} attention explains the score no better than chance.</strong> "
            f"Erasing words in its order loses {loses['attention']} of the score"
            + (f", in that of the effects {loses['effects']}" if "effects" in loses else "")
        )
        end = " Its shades say where the model looked, not why it decided."
    else:
        said = (
            f"<strong>{which} the effects explain the score no better than chance.</strong> "
            f"Erasing words in their order loses {loses['effects']} of the score, in that of "
            f"attention {loses['attention']}"
        )
        end = " Words that say the same stand in for each other."
    return f"{said}; {_chance(curves)}.{end}"


def curve_section(curves: Curves, name: str) -> str:
    """The chart with its sentences. `name` begins the ids of its parts."""
    areas = curves.areas
    effects = (
        f", in the order of the effects {decimal(areas['effects'], 2)}"
        if "effects" in areas
        else ""
    )
    said = [
        "Erasing the words in the order of attention loses "
        f"{decimal(areas['attention'], 2)} of the score{effects}; {_chance(curves)}."
    ]
    if curves.as_good:
        said.append(_as_good(curves))
    if curves.attention_beats_chance is None:
        said.append(
            "These are too few words to say whether an order is better than chance: nearly every "
            "order is like another."
        )
    elif curves.losses["random"][-1] < 0:
        said.append(
            "Without any word the score would be higher: the words speak against a match on the "
            "whole, and no order of them can take much off the score."
        )
    lines = Lines(curves.shares, _drawn(curves), {"random": _range(curves)})
    return _SECTION.format(
        name=name,
        sentences="".join(f"<p>{one}</p>\n" for one in said),
        chart=chart(lines, name, title=_TITLE, described=_described(curves)),
        key=key(_key(curves)),
    )


_TITLE = "How much of the score is lost as words are erased"


def _chance(curves: Curves) -> str:
    low, high = (decimal(curves.areas[f"random_{end}"], 2) for end in ("low", "high"))
    orders = "random orders" if curves.orders is None else f"{curves.orders} random orders"
    mean = decimal(curves.areas["random"], 2)
    return f"{orders} lose {mean} on average, and 95 % of them {low} to {high}"


def _as_good(curves: Curves) -> str:
    names = {"attention": "attention", "effects": "the effects"}
    counts = [
        f"{curves.as_good[order]} lose as much as {name}"
        for order, name in names.items()
        if order in curves.as_good
    ]
    return f"Of the random orders, {' and '.join(counts)}, or more."


def _range(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    return curves.losses["random_low"], curves.losses["random_high"]


def _drawn(curves: Curves) -> dict[str, np.ndarray]:
    there = ("random", "effects", "attention")
    return {order: curves.losses[order] for order in there if order in curves.losses}


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


def _key(curves: Curves) -> dict[str, str]:
    many = "" if curves.orders is None else f", mean of {curves.orders} orders"
    texts = {
        "attention": "in the order of attention",
        "effects": "in the order of the effects",
        "random": f"at random{many}; the band holds 95 % of them",
    }
    return {order: text for order, text in texts.items() if order in curves.losses}


_SECTION = """<section class="why" aria-labelledby="{name}t"><h3 id="{name}t">Is that why?</h3>
{chart}
<div>{sentences}<ul class="curve-key" role="list">{key}</ul>
<p class="note">The loss is the mean over all shares of erased words: the area under the curve. The
more it is, the more the order says about what the score depends on.</p></div></section>
"""
