"""Explained documents as a PNG: their words on shades, and the alignment below."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_attention.errors import DataError
from ir_attention.reports.articles import heading, largest_effect, outcome_lines
from ir_attention.reports.decisions import Decision, Side
from ir_attention.reports.markup import decimal, visible
from ir_attention.reports.shading import shades

__all__ = ["drawn"]

_DPI = 150
_ACROSS = 40  # words in a panel: with more, a picture is wider than a screen
_MOST_COLUMNS = 1000  # 25 panels
_MOST_CELLS = 40_000
_LETTERS = 24  # of a word; addresses are longer

# Inches.
_CELL = 0.28
_LETTER = 0.085  # wider ones make the cut-out picture a little larger
_LINE = 0.32
_SPACE = 0.075
_WIDTH = 7.5  # at least
_MARGIN = 0.62  # to the left of the words, for the weights of sentences

# The colours of the page in the light, see `shading`: what speaks for and against, and the text's.
_TONE, _AGAINST = np.array([118, 176, 245]) / 255, np.array([243, 156, 106]) / 255
_INK, _SOFT = "#1d1c1a", "#5f5b54"

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


def drawn(decisions: Sequence[Decision]) -> bytes:
    """A PNG file; the same decisions give the same bytes.

    Raises:
        DataError: There are no words, or too many for a picture.
    """
    _check(decisions)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(dpi=_DPI)
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A character that no font here has is drawn as a box, which says it all.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        _draw(figure, decisions)
        figure.savefig(
            buffer,
            format="png",
            dpi=_DPI,
            bbox_inches="tight",
            pad_inches=0.15,
            metadata={"Software": None},
        )
    return buffer.getvalue()


def _check(decisions: Sequence[Decision]) -> None:
    for one in decisions:
        rows, columns = len(one.query.words), len(one.document.words)
        if one.outcome is not None:  # it has no query
            rows = 1
        if not rows or not columns:
            raise DataError("a picture needs a word on both sides; a page (.html) does without")
        if rows * columns > _MOST_CELLS or max(rows, columns) > _MOST_COLUMNS:
            raise DataError(
                f"a picture of {rows} by {columns} words could not be read; a page (.html) can"
            )
    words = sum(len(one.document.words) for one in decisions)
    if words > _MOST_COLUMNS:
        raise DataError(
            f"a picture of documents with {words} words together could not be read; a page (.html) "
            "can"
        )


@dataclass
class _Sheet:
    """A figure that is filled from the top; `depth` is where the next line goes, in inches.

    Its size is not known before it is full: all has its place in inches from the top left corner,
    below which nothing is cut off.
    """

    figure: Any
    look: dict[str, Any]
    width: float
    depth: float = 0.0

    def text(self, text: str, x: float, **how: Any) -> Any:
        """A text on the line at `depth`."""
        # Inches from the top left, as the sheet has a height of one inch until then.
        return self.figure.text(
            x, 1 - self.depth, text, **{"va": "baseline", "color": _INK, **self.look, **how}
        )

    def wide(self, text: Any) -> float:
        return text.get_window_extent(self.figure.canvas.get_renderer()).width / _DPI


def _draw(figure: Any, decisions: Sequence[Decision]) -> None:
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    # parse_math: a tweet's "$5 to $10" is no formula.
    look = {
        "family": ["DejaVu Sans", *(name for name in _FONTS if name in installed)],
        "parse_math": False,
    }
    # An inch is one unit of the figure's own coordinates, and negative ones lie below: what is
    # saved is cut out around all that was drawn.
    figure.set_size_inches(1, 1)
    wide = max(min(len(one.document.words), _ACROSS) for one in decisions) * _CELL
    sheet = _Sheet(figure, look, max(_WIDTH, wide + _MARGIN))
    largest = largest_effect(decisions)
    for one in decisions:
        _draw_words(sheet, one, largest)
        if one.alignment is not None and one.outcome is None:
            _draw_alignment(sheet, one, one.alignment)
        sheet.depth += _LINE


def _draw_words(sheet: _Sheet, decision: Decision, largest: float) -> None:
    """The score or the class, the query, and a block per sentence, with its weight before it."""
    effects = decision.shading == "effects"
    query, document, outcome = decision.query, decision.document, decision.outcome
    value = decision.score if outcome is None else outcome.probability
    sheet.text(f"{visible(heading(decision))} {decimal(value, 3)}", 0, fontsize=12, weight="bold")
    sheet.depth += _LINE * 0.8
    sheet.text(_shaded(decision, largest), 0, fontsize=8, color=_SOFT)
    for line in outcome_lines(outcome, decision.known):
        sheet.depth += _LINE * 0.6
        sheet.text(visible(line), 0, fontsize=8, color=_SOFT)
    sheet.depth += _LINE * 1.3
    if outcome is None:
        colours = _colours(query, largest, effects)
        ends = query.gaps[0].lstrip(), query.gaps[-1].rstrip()
        _flow(sheet, "query", _pieces(query, range(len(query.words)), colours, ends))
    colours = _colours(document, largest, effects)
    for one in decision.sentences:
        pieces = _pieces(document, one.places, colours, (one.before, one.after))
        _flow(sheet, f"{one.weight:.2f}", pieces)


def _shaded(decision: Decision, largest: float) -> str:
    """What the shades and the numbers at the left are."""
    weights = "before each sentence its weight"
    if decision.shading != "effects":
        return f"shaded by attention; {weights}"
    on, whole = ("score", "the match") if decision.outcome is None else ("class", "the class")
    most = decimal(largest, 2)
    return (
        f"shaded by the effect of each word on the {on}, orange against {whole}, full at {most}; "
        f"{weights}"
    )


# A text, the colour behind it, and whether a space stands before it.
_Piece = tuple[str, Any, bool]


def _pieces(
    side: Side, places: range, colours: np.ndarray, ends: tuple[str, str]
) -> Iterator[_Piece]:
    """Words, what stands between them, and what stands before the first and after the last."""
    for place in places:
        gap = side.gaps[place] if place > places.start else ends[0]
        yield from _marks(gap)
        yield side.words[place], colours[place], gap[-1:].isspace()
    yield from _marks(ends[1])


def _marks(gap: str) -> Iterator[_Piece]:
    """The marks in a gap, one by one where spaces part them."""
    for number, part in enumerate(gap.split()):
        yield part, None, number > 0 or gap[:1].isspace()


def _colours(side: Side, largest: float, effects: bool) -> np.ndarray:
    """The colour behind each word, `(words, 3)`."""
    if effects and side.effects is not None:
        strengths = np.abs(side.effects) / (largest or 1)
        tones = np.where(side.effects[:, None] < 0, _AGAINST, _TONE)
    else:
        strengths, tones = shades(side.shares), _TONE
    return 1 - strengths[:, None] * (1 - tones)


def _flow(sheet: _Sheet, label: str, pieces: Iterator[_Piece]) -> None:
    """Pieces in lines as wide as the sheet, the label before the first."""
    sheet.text(label, 0, fontsize=8, color=_SOFT)
    x = _MARGIN
    for word, colour, spaced in pieces:
        box = None
        if colour is not None:
            box = {"boxstyle": "round,pad=0.16", "facecolor": colour, "edgecolor": "none"}
        text = sheet.text(_cut(word), x, fontsize=11, bbox=box)
        size = sheet.wide(text)
        if spaced:
            x += _SPACE
        if x + size > sheet.width and x > _MARGIN:
            x = _MARGIN
            sheet.depth += _LINE
        text.set_position((x, 1 - sheet.depth))
        x += size + 0.02
    sheet.depth += _LINE * 1.15


def _draw_alignment(sheet: _Sheet, decision: Decision, table: np.ndarray) -> None:
    """Query words down, document words across, in panels one below the other."""
    query = [_cut(word) for word in decision.query.words]
    document = [_cut(word) for word in decision.document.words]
    sheet.depth += 0.1
    sheet.text(
        "where each query word looks; below, the sentences' weights", 0, fontsize=8, color=_SOFT
    )
    rows, columns = table.shape
    height, strengths = rows * _CELL, shades(table)
    left, above = (max(map(len, words)) * _LETTER + 0.2 for words in (query, document))
    for start in range(0, columns, _ACROSS):
        size = min(_ACROSS, columns - start)
        sheet.depth += above + height
        axes = sheet.figure.add_axes((left, 1 - sheet.depth, size * _CELL, height))
        part = slice(start, start + size)
        axes.imshow(strengths[:, part], cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(size), document[part], rotation=90, fontsize=9, **sheet.look)
        axes.set_yticks(range(rows), query, fontsize=9, **sheet.look)
        axes.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
        for side in axes.spines.values():
            side.set_visible(False)
        _mark_sentences(axes, decision, part)
        sheet.depth += 0.3


def _mark_sentences(axes: Any, decision: Decision, part: slice) -> None:
    """A line between sentences, and under each its weight."""
    for sentence in decision.sentences:
        start = max(sentence.places.start, part.start) - part.start
        end = min(sentence.places.stop, part.stop) - part.start
        if start >= end:
            continue
        if start:
            axes.axvline(start - 0.5, color="white", linewidth=3)
        axes.annotate(
            f"{sentence.weight:.2f}",
            ((start + end - 1) / 2, 0),
            xytext=(0, -4),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7,
            color=_SOFT,
            family="DejaVu Sans",
        )


def _cut(word: str) -> str:
    word = " ".join(visible(word).split())
    return word if len(word) <= _LETTERS else word[: _LETTERS - 1] + "…"
