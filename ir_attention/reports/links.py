"""Which word looks at which: shades on one side while a word of the other is pointed at, tables.

Every word carries how much each word of the other side looks at it, in thousandths: `--q3:120`
on a document word is the share that it has of query word 3. While that one is pointed at or has the
focus, a rule of its own makes `--q3` the number `--n`, by which the document is shaded. So a page
needs as many rules as there are words, not pairs, and no script.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir_attention.reports.decisions import Decision
from ir_attention.reports.markup import escaped
from ir_attention.reports.shading import shades

__all__ = ["LINK_STYLE", "carried", "link_rules", "link_tables", "linked"]

# With more words on a side, so many rules make the page slow.
_MOST_WORDS = 400
# With more cells, tables are pages long: the strongest few of each word are listed instead.
_MOST_CELLS = 10_000
_STRONGEST = 5

LINK_STYLE = """
.linked .w { position: relative; cursor: default; }
.linked .w:is(:hover, :focus) { outline: 2px solid var(--accent); outline-offset: 1px; }
.linked:has(.query .w:is(:hover, :focus)) .document .w,
.linked:has(.document .w:is(:hover, :focus)) .query .w { --over: var(--link);
  --linked: calc(var(--n) / var(--m)); --dots: transparent; }
.linked:has(.query .w:is(:hover, :focus)) .document .w::after,
.linked:has(.document .w:is(:hover, :focus)) .query .w::after { content: counter(share) "%";
  counter-reset: share calc(var(--n) / 10); position: absolute; inset-inline-start: .1em;
  bottom: 96%; font: .62rem/1 var(--sans); color: var(--ink); white-space: nowrap;
  pointer-events: none; opacity: clamp(0, calc(100 * (var(--linked) - .6)), 1); }
"""


def linked(decision: Decision) -> bool:
    """Whether the page can show links: the model has them, and the sides are not too long."""
    sizes = len(decision.query.words), len(decision.document.words)
    return decision.alignment is not None and min(sizes) > 0 and max(sizes) <= _MOST_WORDS


def carried(table: np.ndarray | None, words: int, letter: str) -> list[str]:
    """What each word adds to its style: the thousandths that words of the other side give it.

    Args:
        table: Each word of the other side over these, `(others, words)`; None: nothing is added.
        words: How many there are.
        letter: `q` if the others are the query's words, `d` if the document's.
    """
    if table is None:
        return [""] * words
    parts = np.rint(1000 * table).astype(int)
    return [
        "".join(f";--{letter}{other}:{column[other]}" for other in np.flatnonzero(column))
        for column in parts.T
    ]


def link_rules(table: np.ndarray, name: str, letter: str, others: str) -> str:
    """A rule for each word of a side, which shows what it looks at on the other.

    Args:
        table: Each word of the side over those of the other, `(words, others)`.
        name: The id of the document on the page; with `letter` and a number that of a word.
        letter: `q` if the words are the query's, `d` if the document's.
        others: The class of the other side.
    """
    full = [
        max(round(1000 * row.max() / top), 1) if (top := shades(row).max()) else 1 for row in table
    ]
    rules = [
        f".{others} .w{{--n:var(--{letter}{number},0);--m:{most}}}"
        for number, most in enumerate(full)
    ]
    # What is pointed at comes last: it wins over what has the focus.
    return "".join(
        f"#{name}:has(#{name}{letter}{number}:{state}) {rule}\n"
        for state in ("focus", "hover")
        for number, rule in enumerate(rules)
    )


def link_tables(decision: Decision) -> str:
    """Both tables, or for many words the strongest links of each; nothing without links."""
    if decision.alignment is None or decision.back is None or not decision.alignment.size:
        return ""
    query, document = decision.query.words, decision.document.words
    if decision.alignment.size > _MOST_CELLS:
        return _LISTS.format(
            count=_STRONGEST,
            alignment=_strongest(query, document, decision.alignment),
            back=_strongest(document, query, decision.back),
        )
    return _TABLES.format(
        alignment=_grid(query, document, decision.alignment, "Query words over the document"),
        back=_grid(query, document, decision.back.T, "Document words over the query"),
    )


def _grid(rows: Sequence[str], columns: Sequence[str], values: np.ndarray, caption: str) -> str:
    """A table with a shade per cell, and its share in per cent."""
    strengths = shades(values)
    across = [escaped(word) for word in columns]
    head = "".join(f'<th scope="col"><bdi title="{word}">{word}</bdi></th>' for word in across)
    lines = [f"<tr><td></td>{head}</tr>"]
    for row, word in enumerate(rows):
        name = escaped(word)
        cells = "".join(
            f'<td style="--s:{strengths[row, column]:.2f}" '
            f'title="{name} / {other}: {values[row, column]:.4f}">'
            f"{_percent(values[row, column])}</td>"
            for column, other in enumerate(across)
        )
        lines.append(f'<tr><th scope="row"><bdi title="{name}">{name}</bdi></th>{cells}</tr>')
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{caption}">'
        f'<table class="grid"><caption class="vh">{caption}, per cent</caption>{"".join(lines)}'
        "</table></div>"
    )


def _percent(share: float) -> str:
    """Nothing for less than a half: zeros would hide the rest."""
    return f"{100 * share:.0f}" if share >= 0.005 else ""


def _strongest(words: Sequence[str], others: Sequence[str], table: np.ndarray) -> str:
    """For each word the others that it looks at most."""
    lines = []
    for word, row in zip(words, table, strict=True):
        best = np.argsort(-row, kind="stable")[:_STRONGEST]
        links = ", ".join(
            f"<bdi>{escaped(others[other])}</bdi> {100 * row[other]:.0f} %" for other in best
        )
        lines.append(f"<li><b><bdi>{escaped(word)}</bdi></b>: {links}</li>")
    return f'<ul class="links">{"".join(lines)}</ul>'


_TABLES = """<details><summary>Which word looks at which, as tables</summary>
<h4>Where each query word looks in the document</h4>
<p class="note">Shares in per cent, from 1; each row sums to 100.</p>
{alignment}
<h4>Where each document word looks in the query</h4>
<p class="note">Shares in per cent, from 1; each column sums to 100.</p>
{back}
</details>
"""

_LISTS = """<details><summary>Which word looks at which, as lists</summary>
<h4>Where each query word looks in the document</h4>
<p class="note">The {count} words it looks at most, with their shares.</p>
{alignment}
<h4>Where each document word looks in the query</h4>
<p class="note">The {count} words it looks at most, with their shares.</p>
{back}
</details>
"""
