"""Attention weights as plain values to a page (HTML) or a picture (PNG) of where a model looked.

Both take what `Explanation.to_json()` gives, or the same read back from a file: `score`, the words
`query_words` and `document_words`, their weights `query_weights` and `word_weights`,
`sentence_weights` and `sentence_of_word`. What else is there is shown too: `alignment` (query words
down, document words across) and `document_over_query` (the other way round) of a model whose sides
look at each other; the texts `query` and `document` with `query_offsets` and `document_offsets`;
`query_effects` and `document_effects`, how much lower the score is without each word; `shading`,
which of attention and effects comes first; and `curves`, what erasing words does to the score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ir_attention.errors import DataError
from ir_attention.reports.articles import article, largest_effect, rules
from ir_attention.reports.curves import no_better_than_chance
from ir_attention.reports.decisions import Decision, read_decision
from ir_attention.reports.links import linked
from ir_attention.reports.markup import escaped
from ir_attention.reports.page_style import PAGE_STYLE

__all__ = ["attention_page", "attention_picture", "word_shares"]

# One document, or several.
Explained = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def word_shares(explanation: Mapping[str, Any]) -> np.ndarray:
    """How much each document word counts, `(words,)`: its weight times the root of its sentence's.

    The root keeps the words of a weak sentence readable (Yang et al. 2016, section 3.3).
    """
    return read_decision(explanation).document.shares


def attention_page(explanations: Explained) -> str:
    """A whole HTML page: words shaded by weight or effect, sentences, links, curves, numbers.

    The page needs nothing beside itself and runs no script; whatever stands in a text is shown as
    text. Several documents stand side by side. All numbers are there as text too.

    Args:
        explanations: Of one document, or of several in the order of the page.

    Raises:
        DataError: A part is missing, or the parts do not fit together.
    """
    decisions = _read(explanations)
    largest = largest_effect(decisions)
    several = len(decisions) > 1
    names = [f"x{number}" for number in range(1, len(decisions) + 1)]
    titles = [f"Document {number}, score" for number in range(1, len(decisions) + 1)]
    shown = "these documents" if several else "this document"
    asked = escaped(" ".join(decisions[0].query.words)[:_TITLE])
    return _PAGE.format(
        style=PAGE_STYLE + "".join(map(rules, decisions, names)),
        title=f"How the model read {shown}" + (f": {asked}" if asked else ""),
        several=' class="several"' if several else "",
        shown=shown,
        notices="".join(_notice(one, at, several) for at, one in enumerate(decisions, 1)),
        legend=_legend(decisions, largest),
        how=_how_to_read(decisions),
        articles="".join(
            article(one, name, title if several else "Score", largest)
            for one, name, title in zip(decisions, names, titles, strict=True)
        ),
    )


def attention_picture(explanations: Explained) -> bytes:
    """A PNG of the words on their shades, a line or more per sentence, and of the alignment.

    The alignment, where the model has one: query words down, document words across, a panel per
    40 of these. Several documents stand below each other.

    Raises:
        DataError: A part is missing, the parts do not fit together, or there are no words, or too
            many for a picture.
    """
    from ir_attention.reports.picture import drawn

    return drawn(_read(explanations))


_TITLE = 80  # letters of the query in the page's title


def _read(explanations: Explained) -> list[Decision]:
    if isinstance(explanations, Mapping):
        return [read_decision(explanations)]
    if not explanations:
        raise DataError("there must be an explanation of a document at least. Received: none")
    return [read_decision(one) for one in explanations]


def _notice(decision: Decision, number: int, several: bool) -> str:
    if decision.curves is None:
        return ""
    said = no_better_than_chance(decision.curves, f"Document {number}:" if several else "Here")
    return f'<p class="notice" role="note">{said}</p>\n' if said else ""


def _legend(decisions: list[Decision], largest: float) -> str:
    """The switch between both meanings of the shades, where there are two, and their scales."""
    parts = [_LOOKED]
    if any(one.document.effects is not None for one in decisions):
        first = decisions[0].shading
        checked = {f"by_{name}": " checked" if name == first else "" for name in _SHADINGS}
        parts = [_SWITCH.format(**checked), *parts, _CHANGED.format(most=f"{largest:.2f}")]
    hint = _LINKED if any(map(linked, decisions)) else ""
    return f'<div class="legend">\n{"".join(parts)}</div>\n{hint}'


def _how_to_read(decisions: list[Decision]) -> str:
    lines = [_READ_SCORE, _READ_ATTENTION]
    if any(one.document.effects is not None for one in decisions):
        lines.append(_READ_EFFECTS)
        if decisions[0].shading == "effects":
            lines.append(_READ_FIRST)
    if all(one.alignment is None for one in decisions):
        lines.append(_READ_APART)
    elif any(_too_long(one) for one in decisions):
        lines.append(_READ_LONG)
    return "".join(f"<li>{line}</li>\n" for line in lines)


def _too_long(decision: Decision) -> bool:
    """Whether there are links, but too many to show in place."""
    return decision.alignment is not None and decision.alignment.size > 0 and not linked(decision)


_SHADINGS = ("attention", "effects")

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
base-uri 'none'; form-action 'none'">
<title>{title}</title>
<style>{style}</style>
</head>
<body{several}>
<header>
<h1>How the model read {shown}</h1>
{notices}{legend}</header>
<main>
{articles}</main>
<footer><h2>How to read this</h2>
<ul>
{how}</ul></footer>
</body>
</html>
"""

_SWITCH = """<fieldset class="switch"><legend>Shade words by</legend>
<label><input type="radio" name="shade" id="attention"{by_attention}>attention</label>
<label><input type="radio" name="shade" id="effects"{by_effects}>effect on the score</label>
</fieldset>
"""

_LOOKED = """<p class="range by-attention"><span>less looked at</span>
<span class="scale" aria-hidden="true"></span><span>more</span></p>
"""

_CHANGED = """<p class="range by-effects"><span>against \u2212{most}</span>
<span class="scale two" aria-hidden="true"></span><span>for +{most}</span></p>
"""

_LINKED = """<p class="note">Point at a word, or go to it with Tab, to see in yellow how much it
looks at each word of the other side, in per cent. A click keeps it.</p>
"""

_READ_SCORE = """<b>Score.</b> It compares the documents of one query: the higher, the better the
match. It is no probability."""

_READ_ATTENTION = """<b>Attention.</b> How much the model looked at a word: its share of its
sentence, times the square root of the sentence\u2019s share of the document, which is the number
beside it; of a query word, its share of the query. Where a model looks is not always why it
decides. With colours forced by your system, the thickness of a line stands for the shade."""

_READ_EFFECTS = """<b>Effect.</b> How much lower the score is when this word alone is left out. Blue
speaks for the match; orange, with dots below, against it. Of two words that say the same, either
can be left out without much effect."""

_READ_FIRST = """Effects are shown first: with models of this kind they tell more reliably than
attention what the score rests on."""

_READ_APART = """This model reads query and document apart: no word looks at one of the other
side."""

_READ_LONG = """Where a text is too long to show in place which word looks at which, lists or tables
below it do."""
