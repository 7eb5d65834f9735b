"""Attention weights as plain values to a page (HTML) or a picture (PNG) of where a model looked.

Both take what `Explanation.to_json()` gives, or the same read back from a file: `score`, the words
`query_words` and `document_words`, their weights `query_weights` and `word_weights`,
`sentence_weights` and `sentence_of_word`. What else is there is shown too: `alignment` (query words
down, document words across) and `document_over_query` (the other way round) of a model whose sides
look at each other; the texts `query` and `document` with `query_offsets` and `document_offsets`;
`query_effects` and `document_effects`, how much lower the score is without each word; `shading`,
which of attention and effects comes first; `curves`, what erasing words does to the score; and
`model_verdict`, what was measured of the model.

Of a class (`ClassExplanation.to_json()`) there is no query and no score, but `label`, `classes` and
`probabilities`; effects are on the log-odds of the class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ir_attention.reports.articles import article, largest_effect, rules
from ir_attention.reports.curves import no_better_than_chance
from ir_attention.reports.decisions import SHADINGS, Decision, read_decisions
from ir_attention.reports.links import linked
from ir_attention.reports.markup import escaped, minus
from ir_attention.reports.page_style import PAGE_STYLE
from ir_attention.reports.verdicts import INTERVALS, UNMEASURED

__all__ = ["attention_page", "attention_picture", "word_shares"]

# One document, or several.
Explained = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def word_shares(explanation: Mapping[str, Any]) -> np.ndarray:
    """How much each document word counts, `(words,)`: its weight times the root of its sentence's.

    The root keeps the words of a weak sentence readable (Yang et al. 2016, section 3.6).
    """
    return read_decisions(explanation)[0].document.shares


def attention_page(explanations: Explained, labels: Sequence[Any] | None = None) -> str:
    """A whole HTML page: words shaded by weight or effect, sentences, links, curves, numbers.

    The page needs nothing beside itself and runs no script; whatever stands in a text is shown as
    text. Several documents stand side by side. All numbers are there as text too.

    Args:
        explanations: Of one document, or of several in the order of the page.
        labels: What is known of each: its relevance, or its class.

    Raises:
        DataError: A part is missing, the parts do not fit together, or there are not as many
            labels.
    """
    decisions = read_decisions(explanations, labels)
    largest = largest_effect(decisions)
    several = len(decisions) > 1
    names = [f"x{number}" for number in range(1, len(decisions) + 1)]
    shown = "these documents" if several else "this document"
    queries = {" ".join(one.query.words) for one in decisions}
    asked = escaped(queries.pop()[:_TITLE]) if len(queries) == 1 else ""
    return _PAGE.format(
        style=PAGE_STYLE + "".join(map(rules, decisions, names)),
        title=f"How the model read {shown}" + (f": {asked}" if asked else ""),
        several=' class="several"' if several else "",
        shown=shown,
        notices=_of_the_model(decisions)
        + "".join(_notice(one, at, several) for at, one in enumerate(decisions, 1)),
        legend=_legend(decisions, largest),
        how=_how_to_read(decisions),
        articles="".join(
            article(one, name, f"Document {at}" if several else "", largest)
            for at, (one, name) in enumerate(zip(decisions, names, strict=True), 1)
        ),
    )


def attention_picture(explanations: Explained, labels: Sequence[Any] | None = None) -> bytes:
    """A PNG of the words on their shades, a line or more per sentence, and of the alignment.

    The alignment, where the model has one: query words down, document words across, a panel per
    40 of these. Several documents stand below each other.

    Args:
        explanations, labels: As of `attention_page`.

    Raises:
        DataError: A part is missing, the parts do not fit together, or there are no words, or too
            many for a picture.
    """
    from ir_attention.reports.picture import drawn

    return drawn(read_decisions(explanations, labels))


_TITLE = 80  # letters of the query in the page's title


def _of_the_model(decisions: list[Decision]) -> str:
    """Whether attention beats chance with this model, above the shades; of classes nothing."""
    if decisions[0].outcome is not None:
        return ""
    verdicts = [one.verdict for one in decisions if one.verdict is not None]
    if not verdicts:
        text = escaped(UNMEASURED).replace("`ir", "<code>ir").replace("keep`", "keep</code>")
        return f'<p class="model">{text}</p>\n'
    said = dict.fromkeys((one.on, *one.sentences) for one in verdicts)
    return "".join(
        _MODEL.format(attention=_strong(attention), effects=minus(effects), on=escaped(on))
        for on, attention, effects in said
    )


def _strong(sentence: str) -> str:
    """What attention does is what matters."""
    claim, colon, numbers = minus(sentence).partition(":")
    return f"<strong>{claim}</strong>{colon}{numbers}"


def _notice(decision: Decision, number: int, several: bool) -> str:
    said = []
    if decision.lacks_effects:
        which = f"Document {number} is" if several else "This document is"
        said.append(_LACKING.format(which=which))
    if decision.curves is not None:
        which = f"Document {number}:" if several else "Here"
        said.append(no_better_than_chance(decision.curves, which))
    return "".join(f'<p class="notice" role="note">{one}</p>\n' for one in said if one)


def _legend(decisions: list[Decision], largest: float) -> str:
    """The switch between both meanings of the shades, where there are two, and their scales."""
    parts = [_LOOKED]
    if any(one.document.effects is not None for one in decisions):
        first = _first(decisions)
        on = "score" if decisions[0].outcome is None else "class"
        checked = {f"by_{name}": " checked" if name == first else "" for name in SHADINGS}
        switch = _SWITCH.format(**checked, on=on)
        parts = [switch, *parts, _CHANGED.format(most=f"{largest:.2f}")]
    hint = _LINKED if any(map(linked, decisions)) else ""
    return f'<div class="legend">\n{"".join(parts)}</div>\n{hint}'


def _first(decisions: list[Decision]) -> str:
    """What the shades show at first."""
    return next((one.shading for one in decisions if one.document.effects is not None), SHADINGS[0])


def _how_to_read(decisions: list[Decision]) -> str:
    of_class = decisions[0].outcome is not None
    lines = [_READ_CLASS if of_class else _READ_SCORE, _READ_ATTENTION]
    lines[1] = lines[1].format(asked="" if of_class else _READ_ASKED)
    if any(one.document.effects is not None for one in decisions):
        lines.append(_READ_CLASS_EFFECTS if of_class else _READ_EFFECTS)
        if _first(decisions) == "effects" and not of_class:
            lines.append(_READ_FIRST)
    if all(one.alignment is None for one in decisions):
        lines += [] if of_class else [_READ_APART]
    elif any(_too_long(one) for one in decisions):
        lines.append(_READ_LONG)
    return "".join(f"<li>{line}</li>\n" for line in lines)


def _too_long(decision: Decision) -> bool:
    """Whether there are links, but too many to show in place."""
    return decision.alignment is not None and decision.alignment.size > 0 and not linked(decision)


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
<label><input type="radio" name="shade" id="effects"{by_effects}>effect on the {on}</label>
</fieldset>
"""

_LOOKED = """<p class="range by-attention"><span>less looked at</span>
<span class="scale" aria-hidden="true"></span><span>more</span></p>
"""

_CHANGED = """<p class="range by-effects"><span>against \u2212{most}</span>
<span class="scale two" aria-hidden="true"></span><span>for +{most}</span></p>
"""

_MODEL = """<div class="model"><p>{attention}</p>
<p>{effects}</p>
<p>Measured on {on}, {intervals}.</p></div>
""".replace("{intervals}", INTERVALS)

_LACKING = """<strong>{which} shaded by attention alone.</strong> With models of this kind the
effects tell more reliably what the score rests on, but they were not computed: by default they are
of texts of some hundred words. Ask for them with <code>ir-attention explain --effects</code>, or
<code>explain(query, document, effects=True)</code>; it takes some seconds."""

_LINKED = """<p class="note">Point at a word, or go to it with Tab, to see in yellow how much it
looks at each word of the other side, in per cent. A click keeps it.</p>
"""

_READ_SCORE = """<b>Score.</b> It compares the documents of one query: the higher, the better the
match. It is no probability."""

_READ_CLASS = """<b>Probability.</b> Of the most probable class, by the network itself, which tends
to be too sure. The confidence in one of two classes is |2p \u2212 1|: how far from a half."""

_READ_ASKED = "; of a query word, its share of the query"

_READ_ATTENTION = """<b>Attention.</b> How much the model looked at a word: its share of its
sentence, times the square root of the sentence\u2019s share of the document, which is the number
beside it{asked}. Where a model looks is not always why it
decides. With colours forced by your system, the thickness of a line stands for the shade."""

_READ_EFFECTS = """<b>Effect.</b> How much lower the score is when this word alone is left out. Blue
speaks for the match; orange, with dots below, against it. Of two words that say the same, either
can be left out without much effect."""

_READ_CLASS_EFFECTS = """<b>Effect.</b> How much lower the log-odds of the class are when this word
alone is left out. Blue speaks for the class; orange, with dots below, against it. Of two words that
say the same, either can be left out without much effect."""

_READ_FIRST = """Effects are shown first: with models of this kind they tell more reliably than
attention what the score rests on."""

_READ_APART = """This model reads query and document apart: no word looks at one of the other
side."""

_READ_LONG = """Where a text is too long to show in place which word looks at which, lists or tables
below it do."""
