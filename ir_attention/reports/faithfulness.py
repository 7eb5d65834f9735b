"""What came of erasing words of many pairs, from plain values to a page, a picture, a table.

All take what `Faithfulness.to_json()` gives, or the same read back from a file.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ir_attention.reports.chart import CHART_STYLE, Lines, chart, key
from ir_attention.reports.markup import decimal, escaped, minus, typed
from ir_attention.reports.shading import PALETTE
from ir_attention.reports.verdicts import INTERVALS

__all__ = [
    "CELLS",
    "MEASURES",
    "ORDERS",
    "cell",
    "faithfulness_page",
    "faithfulness_picture",
    "faithfulness_rows",
]

# What words are erased in the order of, and what it is called.
ORDERS = {
    "attention": "attention",
    "effects": "leave-one-out",
    "gradient": "gradient",
    "gradient_input": "gradient x input",
    "random": "random",
}
MEASURES = ("area", "comprehensiveness", "sufficiency", "tau")
# The numbers of a cell: of the value, and of what it is more than that of random orders.
CELLS = {
    "value": ("value", "low", "high"),
    "difference": ("difference", "difference_low", "difference_high"),
}

# Colours and lines of the orders in the picture: those of the page, in the light.
_LOOKS = {
    "attention": ("#1f5fb0", "-"),
    "effects": ("#8a3f0d", "--"),
    "gradient": ("#5f5b54", "-"),
    "gradient_input": ("#5f5b54", "-."),
    "random": ("#5f5b54", ":"),
}


def cell(row: Mapping[str, float | None], columns: Sequence[str] = CELLS["value"]) -> str:
    """A mean with the ends of its interval; a dash where there is none.

    >>> cell({"value": 0.5, "low": -0.001, "high": 1.25})
    '0.50 (0.00 to 1.25)'
    """
    value, low, high = (row[name] for name in columns)
    if value is None or low is None or high is None:
        return "-"
    return f"{typed(value, 2)} ({typed(low, 2)} to {typed(high, 2)})"


def faithfulness_rows(values: Mapping[str, Any], data: str) -> list[str]:
    """The rows of a Markdown table: the orders, their measures, the area beside random's.

    Args:
        values: What was found.
        data: What the model was asked on; stands beside its name.
    """
    chance = values["orders"]["random"]["area"]["value"]
    rows = []
    for number, (order, measures) in enumerate(values["orders"].items()):
        name = f" {values['model']}, {data} " if not number else "  "
        cells = " | ".join(cell(measures[measure]) for measure in MEASURES)
        times = typed(measures["area"]["value"] / chance, 1) if chance > 0 else "-"
        rows.append(f"|{name}| {ORDERS[order]} | {cells} | {times} |")
    return rows


def faithfulness_page(values: Mapping[str, Any], data: str = "") -> str:
    """A whole page that needs nothing beside itself and runs no script.

    The table of means with intervals, what each has more than random orders, the mean curves with
    their bands, and what it means in words.

    Args:
        values: What was found.
        data: The name of the file, shown as text.
    """
    orders = list(values["orders"])
    lines = Lines(
        np.array(values["curves"]["shares"]),
        {order: np.array(values["curves"][order]) for order in reversed(orders)},
        {
            order: (np.array(values["curves_low"][order]), np.array(values["curves_high"][order]))
            for order in orders
            if order in _BANDS
        },
    )
    on = f" of {escaped(data)}" if data else ""
    passed = values["left_out"]
    return _PAGE.format(
        style=PALETTE + CHART_STYLE + _STYLE,
        model=escaped(str(values["model"])),
        on=f"{values['pairs']} pairs of {values['queries']} queries{on}",
        passed=f" {passed} more were passed over: texts too short or too long." if passed else "",
        sentences="".join(f"<p>{minus(escaped(one))}</p>\n" for one in values["sentences"]),
        intervals=INTERVALS,
        chart=chart(lines, "c", title=_TITLE, described=_described(values)),
        key=key({order: ORDERS[order] for order in orders}),
        table=_table(values, "value", "erased first"),
        more=_table(values, "difference", "more than random"),
    )


def faithfulness_picture(values: Mapping[str, Any]) -> bytes:
    """A PNG of the mean curves, a band around each of attention, leave-one-out and random."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    curves = values["curves"]
    shares = 100 * np.array(curves["shares"])
    for order in values["orders"]:
        colour, style = _LOOKS[order]
        axes.plot(shares, curves[order], style, color=colour, label=ORDERS[order])
        if order in _BANDS:
            ends = (values[f"curves_{end}"][order] for end in ("low", "high"))
            axes.fill_between(shares, *ends, color=colour, alpha=0.18, linewidth=0)
    axes.axhline(0, color="#d9d5cc", linewidth=1, zorder=0)
    axes.set_xlabel("words of the document erased, per cent")
    axes.set_ylabel("score lost, mean and 95 % interval")
    axes.set_title(
        f"{values['model']}, {values['pairs']} pairs of {values['queries']} queries",
        fontsize=11,
        loc="left",
    )
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, title="erased first")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue()


_BANDS = ("attention", "effects", "random")
_TITLE = "How much of the score is lost on average as words are erased"


def _described(values: Mapping[str, Any]) -> str:
    """The curves in words: the loss at each quarter."""
    curves = values["curves"]
    return "; ".join(
        f"{ORDERS[order]}: "
        + ", ".join(
            f"{decimal(np.interp(share, curves['shares'], curves[order]), 2)} at {share:.0%}"
            for share in (0.25, 0.5, 0.75, 1)
        )
        for order in values["orders"]
    )


def _table(values: Mapping[str, Any], kind: str, corner: str) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in (corner, *MEASURES))
    rows = [
        f'<tr><th scope="row">{ORDERS[order]}</th>'
        + "".join(f"<td>{minus(cell(measures[name], CELLS[kind]))}</td>" for name in MEASURES)
        + "</tr>"
        for order, measures in values["orders"].items()
        if kind == "value" or order != "random"
    ]
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table></div>"
    )


_STYLE = """
:root { --sans: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
* { box-sizing: border-box; }
body { font: 1rem/1.55 var(--sans); background: var(--paper); color: var(--ink); margin: 0 auto;
  padding: 2rem 1.25rem 3rem; max-width: 58rem; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
p, li { max-width: 46rem; } .on { color: var(--soft); }
.said { border-inline-start: 4px solid var(--accent); background: var(--quiet);
  padding: .3rem 1rem; max-width: 50rem; }
.curves { max-width: 40rem; }
.curve-key { display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); text-align: start;
  white-space: nowrap; } th[scope=row] { font-weight: 600; }
thead th { color: var(--soft); font-weight: normal; }
footer { color: var(--soft); font-size: .875rem; } footer li { margin-bottom: .3rem; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
base-uri 'none'; form-action 'none'">
<title>Does attention tell what a {model} scores by?</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>Does attention tell what this {model} scores by?</h1>
<p class="on">{on}.{passed}</p>
<div class="said">
{sentences}<p class="on">All {intervals}.</p></div>
<h2>What the score loses as words are erased</h2>
{chart}
<ul class="curve-key" role="list">{key}</ul>
<h2>Means over the pairs, with 95 % intervals</h2>
{table}
<h2>More than random orders of the same pairs</h2>
{more}
</main>
<footer><h2>How to read this</h2>
<ul>
<li>Words of a document are erased, the first of an order first; what the score loses tells which
order found the words that count. Bands and intervals are 95 % bootstrap intervals over queries,
each drawn with all its pairs.</li>
<li><b>Area</b>: under the curve, the mean loss over all shares of erased words, in units of the
score. <b>Comprehensiveness</b>: the mean loss without the first 10 to 50 %. <b>Sufficiency</b>: the
mean loss with these alone; the lower, the better. <b>Tau</b>: rank correlation with what the score
loses without each word alone, \u22121 to 1.</li>
<li><b>Leave-one-out</b> orders words by what the score loses without each alone, <b>gradient</b> by
the length of the score\u2019s gradient, <b>gradient x input</b> by its product with the word\u2019s
vector; <b>random</b> is the mean over orders by chance.</li>
</ul></footer>
</body>
</html>
"""
