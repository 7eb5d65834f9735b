"""Frames and paragraphs as Markdown, plain text, LaTeX or HTML; what stands in them is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

__all__ = ["FORMS", "Code", "Form", "Picture", "page", "table"]

Form = Literal["markdown", "text", "latex", "html"]
FORMS: tuple[Form, ...] = ("markdown", "text", "latex", "html")

_STYLES = {"markdown": "pipe", "text": "simple", "latex": "latex_booktabs", "html": "html"}

# What Markdown takes for a sign of its own; the dollar begins a formula on some pages.
_MARKS = re.compile(r"([\\`*_{}\[\]<>|#~$&])")


# What LaTeX takes for an argument after the end of a row, or of an item's sign.
_OPENINGS = re.compile(r"^(?= *[\[*])", re.MULTILINE)


@dataclass(frozen=True)
class Code:
    """Text that is shown letter by letter, as a command."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        svg: The SVG element, which an HTML page holds itself.
        file: Its name beside the page, for the other forms.
        words: What it shows.
    """

    svg: str
    file: str
    words: str


Part = str | list[str] | pd.DataFrame | Code | Picture


def table(frame: pd.DataFrame, form: Form, *, left: int = 1) -> str:
    r"""The frame's columns and rows; the index is left out.

    Args:
        frame: Cells are shown by `str`; None and NaN as a dash. A line break becomes a space.
        form: One of `FORMS`.
        left: How many columns are flush left, from the first; the others are flush right.

    Returns:
        The table, without a line break at its end. LaTeX needs `booktabs`.

    >>> frame = pd.DataFrame({"model": ["a|b"], "MAP": ["0.500"]})
    >>> print(table(frame, "markdown"))
    | model   |   MAP |
    |:--------|------:|
    | a\|b    | 0.500 |
    """
    from tabulate import tabulate

    escape = _ESCAPES["markdown"] if form == "markdown" else str  # tabulate sees to the others
    text = str(
        tabulate(
            [[escape(_line(cell)) for cell in row] for row in frame.itertuples(index=False)],
            [escape(_line(name)) for name in frame.columns],
            tablefmt=_STYLES[form],
            disable_numparse=True,
            colalign=["left" if n < left else "right" for n in range(frame.shape[1])]
            if len(frame)
            else None,
        )
    )
    return _OPENINGS.sub("{}", text) if form == "latex" else text


def page(title: str, parts: Sequence[tuple[str, Part]], form: Form) -> str:
    r"""A title, and under it what belongs to it, each part with a heading or without.

    Args:
        title: Of the page.
        parts: A heading, which may be empty, and what stands under it: a paragraph, a list of
            them, a frame, `Code` or a `Picture`.
        form: One of `FORMS`. HTML is a whole page that runs no script; LaTeX is a piece to be
            read in with `\input`, which needs `booktabs` and `graphicx`.

    Returns:
        The page, with a line break at its end.
    """
    marks = _FORMS[form]
    escape = _ESCAPES[form]
    blocks = [marks.title.format(escape(title))]
    for heading, part in parts:
        if heading:
            blocks.append(marks.heading.format(escape(heading)))
        blocks.append(_block(part, form))
    body = "\n\n".join(blocks) + "\n"
    return _PAGE.format(title=escape(title), body=body) if form == "html" else body


def _block(part: Part, form: Form) -> str:
    marks, escape = _FORMS[form], _ESCAPES[form]
    if isinstance(part, pd.DataFrame):
        return marks.frame.format(table(part, form))
    if isinstance(part, Code):
        return marks.code.format(html.escape(part.text) if form == "html" else _code(part, form))
    if isinstance(part, Picture):
        svg = part.svg if form == "html" else ""
        return marks.picture.format(svg=svg, words=escape(part.words), file=part.file)
    if isinstance(part, str):
        return marks.paragraph.format(escape(part))
    items = "\n".join(marks.item.format(escape(one)) for one in part)
    return marks.items.format(items)


def _code(part: Code, form: Form) -> str:
    return _latex(_line(part.text)) if form == "latex" else _line(part.text)


def _line(value: object) -> str:
    """A value as one line of text, without control characters."""
    if value is None or value is pd.NA or value != value:  # NaN
        return "–"
    return re.sub(r"\s*[\x00-\x1f\x7f\x85\u2028\u2029]+\s*", " ", str(value))


def _latex(text: str) -> str:
    return _OPENINGS.sub("{}", "".join(_LATEX.get(letter, letter) for letter in text))


_LATEX = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\^{}",
    "\\": r"\textbackslash{}",
    "<": r"\ensuremath{<}",
    ">": r"\ensuremath{>}",
}

_ESCAPES: dict[Form, Callable[[str], str]] = {
    "markdown": lambda text: _MARKS.sub(r"\\\1", _line(text)),
    "text": _line,
    "latex": lambda text: _latex(_line(text)),
    "html": lambda text: html.escape(_line(text)),
}


@dataclass(frozen=True)
class _Marks:
    """What stands around a part, by its kind."""

    title: str
    heading: str
    paragraph: str
    items: str
    item: str
    frame: str
    code: str
    picture: str


_FORMS: dict[Form, _Marks] = {
    "markdown": _Marks("# {}", "## {}", "{}", "{}", "- {}", "{}", "    {}", "![{words}]({file})"),
    "text": _Marks("{}", "{}:", "{}", "{}", "- {}", "{}", "    {}", "{words}: see {file}"),
    "latex": _Marks(
        r"\section*{{{}}}",
        r"\subsection*{{{}}}",
        "{}",
        "\\begin{{itemize}}\n{}\n\\end{{itemize}}",
        r"\item {}",
        "{}",
        r"\texttt{{{}}}",
        "\\includegraphics[width=\\linewidth]{{{file}}}\n\n{words}",
    ),
    "html": _Marks(
        "<h1>{}</h1>",
        "<h2>{}</h2>",
        "<p>{}</p>",
        "<ul>\n{}\n</ul>",
        "<li>{}</li>",
        '<div class="wide">{}</div>',
        "<pre>{}</pre>",
        '<figure role="img" aria-label="{words}">{svg}</figure>',
    ),
}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto;
  padding: 0 1rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }}
th, td {{ padding: .25rem .6rem; border-bottom: 1px solid #8886; white-space: nowrap; }}
.wide, pre {{ overflow-x: auto; }} figure {{ margin: 1rem 0; }}
svg {{ max-width: 100%; height: auto; }}
</style>
</head>
<body>
{body}</body>
</html>
"""
