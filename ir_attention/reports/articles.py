"""One explained document as a part of a page: score, query, sentences, curves, numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ir_attention.reports.curves import curve_section
from ir_attention.reports.decisions import Decision, Outcome, Sentence, Side
from ir_attention.reports.links import carried, link_rules, link_tables, linked
from ir_attention.reports.markup import decimal, direction, escaped, isolated
from ir_attention.reports.shading import LEAST_SHADE, shades

__all__ = ["article", "heading", "largest_effect", "outcome_lines", "rules"]

# Classes whose probabilities are said.
_CLASSES = 5


def article(decision: Decision, name: str, title: str, largest: float) -> str:
    """The HTML element of one document.

    Args:
        decision: What is shown.
        name: Its id on the page; those of its words begin with it.
        title: Which of several documents it is; empty of one alone.
        largest: The effect that has the full shade, on all of the page.
    """
    shown = linked(decision)
    query, document = decision.query, decision.document
    to_query = carried(decision.back if shown else None, len(query.words), "d")
    to_document = carried(decision.alignment if shown else None, len(document.words), "q")
    asked = list(_words(query, to_query, f"{name}q", largest, shown))
    read = list(_words(document, to_document, f"{name}d", largest, shown))
    return _ARTICLE.format(
        name=name,
        linked=" linked" if shown else "",
        title=_title(decision, title),
        score=_value(decision),
        outcome=_outcome(decision),
        query="" if decision.outcome else _QUERY.format(name=name, text=_text(query, asked)),
        document=_sentences(decision, read),
        skip=f'<a class="skip" href="#{name}e">Skip the words</a>\n' if shown else "",
        end=f'<span id="{name}e" tabindex="-1"></span>\n' if shown else "",
        curves=curve_section(decision.curves, f"{name}c") if decision.curves else "",
        numbers=_numbers(decision),
        tables=link_tables(decision),
    )


def heading(decision: Decision) -> str:
    """What is known and what was predicted, in words, to stand before the number.

    Of a pair `label 1, score`, of a class `class good, probability`.
    """
    if decision.outcome is not None:
        return f"class {decision.outcome.label}, probability"
    return "score" if decision.known is None else f"label {decision.known}, score"


def rules(decision: Decision, name: str) -> str:
    """What the page's style needs for the links of one document."""
    if not linked(decision) or decision.alignment is None or decision.back is None:
        return ""
    return link_rules(decision.alignment, name, "q", "document") + link_rules(
        decision.back, name, "d", "query"
    )


def outcome_lines(outcome: Outcome | None, known: str | None) -> list[str]:
    """What else there is to say of a class: the label that is known, how sure, the other classes.

    Of a pair nothing.
    """
    if outcome is None:
        return []
    lines = []
    if known is not None:
        right = "as predicted" if known == outcome.label else "not what was predicted"
        lines.append(f"The label that is known: {known}, {right}.")
    if outcome.confidence is not None:
        lines.append(f"Confidence {outcome.confidence:.2f}.")
    best = np.argsort(-outcome.probabilities, kind="stable")[:_CLASSES]
    each = ", ".join(f"{outcome.classes[at]} {outcome.probabilities[at]:.3f}" for at in best)
    more = len(outcome.classes) - len(best)
    return [*lines, f"Probabilities: {each}" + (f", and {more} more." if more else ".")]


def largest_effect(decisions: Sequence[Decision]) -> float:
    """Of any word of any of them, by size; 0 without effects."""
    effects = [
        np.abs(side.effects).max(initial=0)
        for decision in decisions
        for side in (decision.query, decision.document)
        if side.effects is not None
    ]
    return float(max(effects, default=0))


def _title(decision: Decision, title: str) -> str:
    said = heading(decision)
    return escaped(f"{title}, {said}" if title else said[0].upper() + said[1:])


def _value(decision: Decision) -> str:
    outcome = decision.outcome
    return decimal(decision.score if outcome is None else outcome.probability, 3)


def _outcome(decision: Decision) -> str:
    lines = outcome_lines(decision.outcome, decision.known)
    return f'<p class="outcome">{escaped(" ".join(lines))}</p>\n' if lines else ""


def _words(side: Side, links: list[str], name: str, largest: float, shown: bool) -> Iterator[str]:
    """Each word in its element, with its strengths, links and numbers."""
    strengths = shades(side.shares)
    for number, word in enumerate(side.words):
        kind, style = "w", f"--a:{strengths[number]:.2f}"
        title = f"attention {side.shares[number]:.4f}"
        if side.effects is not None:
            effect = side.effects[number]
            strength = abs(effect) / largest if largest else 0
            kind += " against" if effect < 0 and strength >= LEAST_SHADE else ""
            style += f";--e:{strength:.2f}"
            title += f", effect {effect:+.4f}"
        focus = f' id="{name}{number}" tabindex="0"' if shown else ""
        yield (
            f'<span class="{kind}"{focus} style="{style}{links[number]}" title="{title}">'
            f"{isolated(word)}</span>"
        )


def _text(side: Side, words: list[str]) -> str:
    """A text with its words in their elements."""
    whole = "".join(
        part for pair in zip(side.gaps, [*side.words, ""], strict=True) for part in pair
    )
    if not words:
        return _nothing(whole)
    pieces = [isolated(side.gaps[0].lstrip())]
    for word, gap in zip(words, [*side.gaps[1:-1], side.gaps[-1].rstrip()], strict=True):
        pieces += [word, isolated(gap)]
    return f'<p class="text" lang="" dir="{direction(whole)}">{"".join(pieces)}</p>'


def _nothing(text: str) -> str:
    written = (
        f': <span class="text" lang="">{isolated(text.strip())}</span>' if text.strip() else ""
    )
    return f'<p class="none">no words{written}</p>'


def _sentences(decision: Decision, words: list[str]) -> str:
    """A block per sentence: a chip with its weight, and its words."""
    if not words:
        return _nothing("".join(decision.document.gaps))
    blocks = "".join(_sentence(one, decision.document, words) for one in decision.sentences)
    return f'<ol class="sentences" role="list">{blocks}</ol>'


def _sentence(sentence: Sentence, document: Side, words: list[str]) -> str:
    pieces = [isolated(sentence.before)]
    for place in sentence.places:
        if place > sentence.places.start:
            pieces.append(isolated(document.gaps[place]))
        pieces.append(words[place])
    pieces.append(isolated(sentence.after))
    said = " ".join(document.words[place] for place in sentence.places)
    weight = sentence.weight
    return (
        f'<li><span class="chip" style="--s:{min(weight, 1):.2f}" '
        f'title="weight of sentence {sentence.number + 1}: {weight:.4f}">'
        f'<span class="vh">Sentence {sentence.number + 1}, weight </span>{weight:.2f}</span> '
        f'<p class="text" lang="" dir="{direction(said)}">{"".join(pieces)}</p></li>'
    )


def _numbers(decision: Decision) -> str:
    """Every word with its numbers, for whoever does not see shades."""
    sentence_of = {place: one.number for one in decision.sentences for place in one.places}
    parts = []
    for title, side, inside in (
        ("Query", decision.query, False),
        ("Document", decision.document, True),
    ):
        if not side.words:
            continue
        names = ["Word", *(["Sentence", "Weight in it"] if inside else []), "Attention"]
        names += ["Effect"] if side.effects is not None else []
        head = "".join(f'<th scope="col">{one}</th>' for one in names)
        rows = "".join(
            f'<tr><th scope="row"><bdi>{escaped(word)}</bdi></th>'
            + (f"<td>{sentence_of[at] + 1}</td><td>{side.weights[at]:.3f}</td>" if inside else "")
            + f"<td>{side.shares[at]:.3f}</td>"
            + ("" if side.effects is None else f"<td>{decimal(side.effects[at], 3, sign='+')}</td>")
            + "</tr>"
            for at, word in enumerate(side.words)
        )
        parts.append(
            f'<table class="numbers"><caption>{title}</caption><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )
    return _NUMBERS.format("".join(parts)) if parts else ""


_ARTICLE = """<article class="one{linked}" id="{name}" aria-labelledby="{name}t">
<h2 id="{name}t">{title} <span class="score">{score}</span></h2>
{outcome}{skip}<div class="sides">
{query}<section class="document" aria-labelledby="{name}b"><h3 id="{name}b">Document</h3>
{document}</section>
</div>
{end}{curves}{numbers}{tables}</article>
"""

_QUERY = """<section class="query" aria-labelledby="{name}a"><h3 id="{name}a">Query</h3>
{text}</section>
"""

_NUMBERS = """<details><summary>Every word in numbers</summary>
<div class="wide both">{}</div>
</details>
"""
