"""Attention weights as plain values to a page (HTML) or a picture (PNG) of where a model looked.

Both take what `Explanation.to_json()` gives, or the same read back from a file: `score`, the words
`query_words` and `document_words`, their weights `query_weights` and `word_weights`,
`sentence_weights`, `sentence_of_word`, and, of a model whose sides look at each other, the tables
`alignment` (query words down, document words across) and `document_over_query` (the other way
round).
"""

from __future__ import annotations

import html
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ir_attention.errors import DataError
from ir_attention.reports.shading import STYLE, marked, shades

__all__ = ["attention_page", "attention_picture", "word_shares"]


def word_shares(explanation: Mapping[str, Any]) -> np.ndarray:
    """How much each document word counts, `(words,)`: its weight times the root of its sentence's.

    The root keeps the words of a weak sentence readable (Yang et al. 2016, section 3.3).
    """
    sentence = np.asarray(explanation["sentence_weights"], float)
    place = np.asarray(explanation["sentence_of_word"], int)
    return np.asarray(explanation["word_weights"], float) * np.sqrt(sentence[place])


def attention_page(explanation: Mapping[str, Any]) -> str:
    """A whole HTML page: words shaded by weight, sentences with bars, and the alignment as tables.

    The page needs nothing beside itself and runs no script; whatever stands in a text is shown as
    text. Every shade carries its number as a title.

    Raises:
        DataError: A part is missing, or the parts do not fit together.
    """
    _check(explanation)
    query, document = explanation["query_words"], explanation["document_words"]
    tables = ""
    if "alignment" in explanation:
        tables = _TABLES.format(
            alignment=_grid(query, document, explanation["alignment"]),
            back=_grid(query, document, np.transpose(_table(explanation, "document_over_query"))),
        )
    return _PAGE.format(
        style=STYLE + _STYLE,
        score=f"{explanation['score']:.4f}",
        query=marked(query, np.asarray(explanation["query_weights"], float)),
        document=_sentences(explanation),
        tables=tables,
    )


def attention_picture(explanation: Mapping[str, Any]) -> bytes:
    """A PNG of the alignment: query words down, document words across, a panel per 40 of these.

    Under each panel stand the weights of the sentences; white lines part them.

    Raises:
        DataError: A part is missing, the parts do not fit together, or there are no words, or too
            many for a picture; or the model's sides do not look at each other.
    """
    _check(explanation)
    if "alignment" not in explanation:
        raise DataError(
            "a picture shows which word looks at which, and the sides of this model do not look at "
            "each other; a page (.html) shows the rest"
        )
    rows, columns = len(explanation["query_words"]), len(explanation["document_words"])
    if not rows or not columns:
        raise DataError("a picture needs a word on both sides; a page (.html) does without")
    if rows * columns > _MOST_CELLS or columns > _MOST_COLUMNS:
        raise DataError(
            f"a picture of {rows} by {columns} words could not be read; a page (.html) can"
        )
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    _draw(figure, explanation)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A character that no font here has is drawn as a box, which says it all.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight", pad_inches=0.15)
    return buffer.getvalue()


# A table, and the sizes of its two sides.
_PARTS: dict[str, tuple[str, ...]] = {
    "query_weights": ("query_words",),
    "word_weights": ("document_words",),
    "sentence_of_word": ("document_words",),
}
_TABLES_OF: dict[str, tuple[str, ...]] = {
    "alignment": ("query_words", "document_words"),
    "document_over_query": ("document_words", "query_words"),
}


def _check(explanation: Mapping[str, Any]) -> None:
    """Raises a DataError unless every part is there and as long as its words."""
    needed = ["score", "query_words", "document_words", "sentence_weights", *_PARTS]
    parts = _PARTS
    if any(name in explanation for name in _TABLES_OF):
        needed, parts = [*needed, *_TABLES_OF], _PARTS | _TABLES_OF
    missing = [name for name in needed if name not in explanation]
    if missing:
        raise DataError(f"an explanation needs {', '.join(needed)}. Missing: {', '.join(missing)}")
    for name, sides in parts.items():
        wanted = tuple(len(explanation[side]) for side in sides)
        found = _table(explanation, name).shape
        if found != wanted:
            raise DataError(f"{name} must have the shape {wanted} of the words. Received: {found}")
    sentences = len(explanation["sentence_weights"])
    places = set(explanation["sentence_of_word"])
    if not places <= set(range(sentences)):
        raise DataError(
            f"sentence_of_word must hold numbers from 0 below {sentences}. "
            f"Received: {sorted(places)}"
        )


def _table(explanation: Mapping[str, Any], name: str) -> np.ndarray:
    """A part as an array; one without words keeps the sizes of its sides."""
    values = np.asarray(explanation[name], float)
    if values.size == 0:
        sides = (_PARTS | _TABLES_OF)[name]
        return values.reshape([len(explanation[side]) for side in sides])
    return values


# --- the page ---


def _sentences(explanation: Mapping[str, Any]) -> str:
    """A row per sentence: its weight, as a number and a bar, and its words."""
    place = np.asarray(explanation["sentence_of_word"], int)
    words = np.array(explanation["document_words"], object)
    shares = word_shares(explanation)
    strengths = shades(shares)
    rows = []
    for number, weight in enumerate(explanation["sentence_weights"]):
        here = place == number
        text = marked(words[here].tolist(), shares[here], strengths[here])
        rows.append(
            f'<li><span class="bar" title="sentence {number + 1}: {weight:.4f}">'
            f'<span style="width:{100 * weight:.1f}%"></span></span>'
            f'<span class="n">{weight:.2f}</span> <span class="t" dir="auto">{text}</span></li>'
        )
    return f"<ol>{''.join(rows)}</ol>" if rows else "<p><i>no words</i></p>"


def _grid(rows: Sequence[str], columns: Sequence[str], values: Any) -> str:
    """A table with a shade per cell, and its share in per cent."""
    if not len(rows) or not len(columns):
        return "<p><i>no words</i></p>"
    values = np.asarray(values, float)
    strengths = shades(values)
    across = [html.escape(word) for word in columns]
    head = "".join(f'<th scope="col" title="{word}"><span>{word}</span></th>' for word in across)
    lines = [f"<tr><td></td>{head}</tr>"]
    for row, word in enumerate(rows):
        name = html.escape(word)
        cells = "".join(
            f'<td style="--s:{strengths[row, column]:.2f}" '
            f'title="{name} / {other}: {values[row, column]:.4f}">'
            f"{_percent(values[row, column])}</td>"
            for column, other in enumerate(across)
        )
        lines.append(f'<tr><th scope="row" title="{name}"><span>{name}</span></th>{cells}</tr>')
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def _percent(share: float) -> str:
    """Nothing for less than a half: zeros would hide the rest."""
    return f"{100 * share:.0f}" if share >= 0.005 else ""


_STYLE = """
ol { list-style: none; padding: 0; margin: 0; }
li { display: flex; gap: .6rem; align-items: baseline; margin: .35rem 0; }
.bar { flex: 0 0 5rem; height: .7rem; border: 1px solid var(--line); border-radius: .2rem; }
.bar span { display: block; height: 100%; background: rgb(var(--tone)); }
.n { flex: 0 0 2.2rem; font-size: .85rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .8rem; }
tr > td:not(:first-child), tr > th + td { background: rgb(var(--tone) / var(--s, 0));
  border: 1px solid var(--line); min-width: 1.5rem; padding: .1rem .2rem; text-align: center;
  font-size: .7rem; font-variant-numeric: tabular-nums; }
th { font-weight: normal; }
th[scope=row] { text-align: right; padding-right: .5rem; white-space: nowrap;
  position: sticky; left: 0; background: Canvas; }
th span { display: inline-block; max-width: 10rem; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; vertical-align: bottom; }
th[scope=col] { vertical-align: bottom; padding: .2rem 0; }
th[scope=col] span { writing-mode: vertical-rl; transform: rotate(180deg); max-width: none;
  max-height: 10rem; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Where the model looked</title>
<style>{style}</style>
</head>
<body>
<h1>Score {score}</h1>
<h2>Query</h2>
<p class="key">The stronger the shade of a word, the larger its share of the query.</p>
<p dir="auto">{query}</p>
<h2>Document</h2>
<p class="key">A line per sentence. The bar is the sentence's share of the document; the shade of a
word is its share of the sentence, times the square root of the sentence's.</p>
{document}
{tables}</body>
</html>
"""

_TABLES = """<h2>Where each query word looks in the document</h2>
<p class="key">Shares in per cent, from 1; each row sums to 100.</p>
{alignment}
<h2>Where each document word looks in the query</h2>
<p class="key">Shares in per cent, from 1; each column sums to 100.</p>
{back}
"""


# --- the picture ---

_DPI = 150
_ACROSS = 40  # words in a panel: with more, a picture is wider than a screen
_MOST_COLUMNS = 1000  # 25 panels
_MOST_CELLS = 40_000
_CELL = 0.28  # inches
_LETTERS = 24  # of a word; addresses are longer
_LETTER = 0.085  # inches; wider ones make the cut-out picture a little larger

# Fonts for what DejaVu Sans, which comes with Matplotlib, does not have.
_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
    "WenQuanYi Zen Hei",
    "Noto Sans",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Emoji",
    "Segoe UI Emoji",
    "Symbola",
    "Arial Unicode MS",
)


def _draw(figure: Any, explanation: Mapping[str, Any]) -> None:
    """Draws the panels one below the other. `figure` has any size: the picture is cut to them."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    # parse_math: a tweet's "$5 to $10" is no formula.
    look = {
        "family": ["DejaVu Sans", *(name for name in _FONTS if name in installed)],
        "parse_math": False,
    }
    values = np.asarray(explanation["alignment"], float)
    rows, columns = values.shape
    query = [_cut(word) for word in explanation["query_words"]]
    document = [_cut(word) for word in explanation["document_words"]]
    starts = range(0, columns, _ACROSS)
    width, height = min(columns, _ACROSS) * _CELL, rows * _CELL
    left, above = (max(map(len, words)) * _LETTER + 0.2 for words in (query, document))
    step = height + above + 0.3
    figure.set_size_inches(width + left, step * len(starts))
    total = figure.get_size_inches()
    for number, start in enumerate(starts):
        size = min(_ACROSS, columns - start)
        bottom = total[1] - number * step - above - height
        box = (left / total[0], bottom / total[1], size * _CELL / total[0], height / total[1])
        axes = figure.add_axes(box)
        part = slice(start, start + size)
        axes.imshow(shades(values)[:, part], cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(size), document[part], rotation=90, fontsize=9, **look)
        axes.set_yticks(range(rows), query, fontsize=9, **look)
        axes.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
        for side in axes.spines.values():
            side.set_visible(False)
        _mark_sentences(axes, explanation, part)
    title = (
        f"score {explanation['score']:.4f}: where each query word looks\n"
        "(below, the weights of the sentences)"
    )
    figure.text(0, 1, title, fontsize=9, va="bottom", family="DejaVu Sans")


def _mark_sentences(axes: Any, explanation: Mapping[str, Any], part: slice) -> None:
    """A line between sentences, and under each its weight."""
    place = np.asarray(explanation["sentence_of_word"], int)[part]
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(place)) + 1, [len(place)]])
    for start, end in zip(bounds[:-1], bounds[1:], strict=True):
        if start:
            axes.axvline(start - 0.5, color="white", linewidth=3)
        weight = explanation["sentence_weights"][place[start]]
        middle = (start + end - 1) / 2
        axes.annotate(
            f"{weight:.2f}",
            (middle, 0),
            xytext=(0, -4),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7,
            color="#444",
            family="DejaVu Sans",
        )


def _cut(word: str) -> str:
    return word if len(word) <= _LETTERS else word[: _LETTERS - 1] + "…"
