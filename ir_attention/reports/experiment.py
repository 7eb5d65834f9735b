"""An experiment as one HTML page: its table, its learning curves, a ranking with attended words."""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ir_attention.reports.articles import largest_effect
from ir_attention.reports.decisions import Decision, read_decisions
from ir_attention.reports.markup import decimal
from ir_attention.reports.shading import STYLE, marked, shades

__all__ = ["curves_picture", "experiment_page"]

# (value, low, high)
Interval = tuple[float, float, float]

# Told apart without colour vision, and on light and dark ground (Okabe and Ito 2008).
_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#d55e00", "#cc79a7", "#0072b2")


def experiment_page(
    title: str,
    *,
    lead: str,
    table: Sequence[Mapping[str, Any]],
    note: str,
    curves: Mapping[str, Sequence[float]],
    measure: str,
    ranking: str,
    query: str,
    ranked: Sequence[Mapping[str, Any]],
) -> str:
    """A whole page that needs nothing beside itself and runs no script.

    Whatever stands in a text is shown as text.

    Args:
        title: Of the page.
        lead: What the page is about, a sentence or two.
        table: A row per model, one at least: `model`, and by measure `(value, low, high)`.
        note: What to know of the table.
        curves: By model, the dev measure after each epoch. Without any there is no such part.
        measure: The name of that measure.
        ranking: The heading of the ranking.
        query: Its query.
        ranked: Its documents, best first: `score`, `label`, and `explanation`, as
            `Explanation.to_json` gives it. Their words are shaded by effect where that is what its
            `shading` says and all have effects, otherwise by attention.
    """
    looked = read_decisions([row["explanation"] for row in ranked]) if ranked else []
    by_effect = bool(looked) and all(one.shading == "effects" for one in looked)
    largest = largest_effect(looked) if by_effect else None
    return _PAGE.format(
        style=STYLE + _STYLE,
        title=html.escape(title),
        lead=html.escape(lead),
        table=_table(table),
        note=html.escape(note),
        curves=_CURVES.format(curves_picture(curves, measure)) if curves else "",
        ranking=html.escape(ranking),
        query=html.escape(query),
        legend=_LEGEND.format(most=f"{largest:.2f}") if largest is not None else _LOOKED,
        ranked="".join(
            _document(row, one, largest) for row, one in zip(ranked, looked, strict=True)
        ),
    )


def curves_picture(curves: Mapping[str, Sequence[float]], measure: str) -> str:
    """The learning curves as an SVG element, a line for each model, named at its end.

    Args:
        curves: By name, a value for each epoch, from epoch 1; one curve and one value at least.
        measure: The name of the values.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    # Text stays text, and the same curves give the same bytes.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ir_attention"}):
        figure = Figure(figsize=(7.5, 3.4))
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        for (name, values), colour in zip(curves.items(), _COLOURS * len(curves), strict=False):
            epochs = np.arange(1, len(values) + 1)
            axes.plot(epochs, values, color=colour, marker="o", markersize=3, label=name)
            best = int(np.argmax(values))
            axes.plot(epochs[best], values[best], color=colour, marker="o", markersize=8)
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"{measure} on dev", parse_math=False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        buffer = io.StringIO()
        figure.savefig(
            buffer,
            format="svg",
            bbox_inches="tight",
            transparent=True,
            metadata={"Date": None, "Creator": None},
        )
    picture = buffer.getvalue()
    # The element alone, in the colour of the page's text, so that it reads in the dark too.
    return picture[picture.index("<svg") :].replace("#000000", "currentColor")


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    measures = [name for name in rows[0] if name != "model"]
    best = {name: max(row[name][0] for row in rows) for name in measures}
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("model", *measures))
    lines = []
    for row in rows:
        cells = "".join(_cell(row[name], row[name][0] == best[name]) for name in measures)
        lines.append(f'<tr><th scope="row">{html.escape(row["model"])}</th>{cells}</tr>')
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _cell(interval: Interval, best: bool) -> str:
    value, low, high = interval
    shown = f"<b>{value:.3f}</b>" if best else f"{value:.3f}"
    return f"<td>{shown}<br><small>{low:.3f} to {high:.3f}</small></td>"


def _document(row: Mapping[str, Any], looked: Decision, largest: float | None) -> str:
    """A ranked document: whether it is about the query, its score, its words on their shades."""
    document = looked.document
    if largest is None or document.effects is None:
        text = marked(document.words, document.shares, shades(document.shares))
    else:
        strengths = np.abs(document.effects) / (largest or 1)
        text = marked(document.words, document.effects, strengths, sign=True)
    sign = '<span class="hit">about it</span>' if row["label"] > 0 else "<span></span>"
    score = decimal(row["score"], 2)
    return f'<li>{sign}<span class="n">{score}</span> <span dir="auto">{text}</span></li>'


_STYLE = """
ol { padding-left: 1.6rem; } li { margin: .5rem 0; }
li > span.n { display: inline-block; width: 3.2rem; font-variant-numeric: tabular-nums; }
li > span:first-child { display: inline-block; width: 4.6rem; font-size: .8rem; }
.scale { display: flex; gap: .6rem; align-items: center; }
.bar { width: 9rem; height: .85rem; border-radius: .2rem; border: 1px solid var(--line);
  background: linear-gradient(to right, rgb(var(--against)), rgb(var(--against) / 0) 50%,
  rgb(var(--tone) / 0) 50%, rgb(var(--tone))); }
.hit { color: light-dark(#00714f, #34c79a); font-weight: bold; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .25rem .8rem; text-align: center; border-bottom: 1px solid var(--line);
  line-height: 1.3; }
th[scope=row] { text-align: left; } small { opacity: .75; }
.wide { overflow-x: auto; } svg { max-width: 100%; height: auto; } svg text { fill: currentColor; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<p>{lead}</p>
<h2>How well each model ranks</h2>
<div class="wide">{table}</div>
<p class="key">{note}</p>
{curves}
<h2>{ranking}</h2>
<p><b dir="auto">{query}</b></p>
{legend}<ol>{ranked}</ol>
</body>
</html>
"""

_CURVES = """<h2>How they learnt</h2>
<p class="key">After each epoch the dev part is ranked; the large dot is the epoch that is kept.</p>
{}"""

_LOOKED = """<p class="key">Best first, with the score. The stronger the shade of a word, the more
the model looked at it: its share of the sentence, times the square root of the sentence's share of
the whole. The shades say where it looked, which is not always why it decided.</p>
"""

_LEGEND = """<p class="key">Best first, with the score. The shade of a word is how much lower the
score is without it: blue speaks for the match, orange, with dots below, against it.</p>
<p class="scale key"><span>against \u2212{most}</span> <span class="bar" aria-hidden="true"></span>
<span>for +{most}</span></p>
"""
