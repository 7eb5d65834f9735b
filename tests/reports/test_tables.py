"""Tables and pages: what they look like, and that nothing in them is taken for a sign."""

import html
import re

import numpy as np
import pandas as pd
import pytest

from ir_attention.reports.tables import FORMS, Code, Picture, page, table

HOSTILE = r"<script>alert(1)</script> | a_b * 100 % & $x$ \input{x} #1 {~^} `c` [d](e)"
FRAME = pd.DataFrame({"model": ["han", "bm25"], "MAP": ["0.738", None]})


def test_markdown():
    assert table(FRAME, "markdown").splitlines() == [
        "| model   |   MAP |",
        "|:--------|------:|",
        "| han     | 0.738 |",
        "| bm25    |     – |",
    ]


def test_text():
    assert table(FRAME, "text").splitlines() == [
        "model      MAP",
        "-------  -----",
        "han      0.738",
        "bm25         –",
    ]


def test_latex():
    lines = [line.replace(" ", "") for line in table(FRAME, "latex").splitlines()]
    assert lines == [
        *(r"\begin{tabular}{lr}", r"\toprule", r"model&MAP\\", r"\midrule"),
        *(r"han&0.738\\", r"bm25&–\\", r"\bottomrule", r"\end{tabular}"),
    ]


def test_html():
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", table(FRAME, "html"))
    assert [cell.strip() for cell in cells] == ["model", "MAP", "han", "0.738", "bm25", "–"]


def test_numbers_stay_as_they_are():
    frame = pd.DataFrame({"name": ["007", "1e3"], "value": ["0.50", "1,000"]})
    for form in FORMS:
        for cell in ("007", "1e3", "0.50", "1,000"):
            assert cell in table(frame, form)


@pytest.mark.parametrize("place", ["cell", "head"])
def test_signs_are_escaped(place):
    frame = pd.DataFrame({HOSTILE: ["x"]} if place == "head" else {"x": [HOSTILE]})
    markdown = table(frame, "markdown")
    assert len(markdown.splitlines()) == 3
    # A sign without a backslash before it would be one to Markdown.
    row = next(line for line in markdown.splitlines() if "script" in line)
    assert not re.search(r"(?<!\\)[`*_\[<$&#~]", row)
    assert len(re.findall(r"(?<!\\)\|", row)) == 2
    assert "<script" not in table(frame, "html")
    shown = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", table(frame, "html"))
    assert HOSTILE in [html.unescape(cell).strip() for cell in shown]
    latex = table(frame, "latex")
    assert r"\input" not in latex and r"\textbackslash{}input\{x\}" in latex
    assert not re.search(r"(?<!\\)[%$#_]", latex)


@pytest.mark.parametrize("form", FORMS)
def test_a_cell_is_one_line(form):
    frame = pd.DataFrame({"x": ["a\n\n| b\r\x1b[31mc\u2028d"]})
    assert len(table(frame, form).splitlines()) == len(
        table(pd.DataFrame({"x": ["a"]}), form).splitlines()
    )
    assert "\x1b" not in table(frame, form)


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_frame_is_its_head(form):
    assert "MAP" in table(FRAME.head(0), form)


def test_a_frame_is_not_changed():
    frame = pd.DataFrame({"x": [np.nan, HOSTILE]})
    before = frame.copy()
    for form in FORMS:
        table(frame, form)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("cell", ["[4pt] x", "*x", "  [x]"])
def test_nothing_is_an_argument_in_latex(cell):
    r"""`\\[4pt]` and `\item [x]` would be: after them, spaces and line ends are skipped."""
    frame = pd.DataFrame({cell: [cell, "b"], "c": [cell, "d"]})
    text = table(frame, "latex") + page(cell, [("", [cell]), ("", cell)], "latex")
    assert not re.search(r"(\\\\|\\item|rule)\s*[\[*]", text)
    shown = re.sub(r"[{}]", "", text)
    assert shown.count(cell.strip()) == 6


PARTS = [
    ("", "A paragraph & more."),
    ("Quality", FRAME),
    ("Notes", ["one_two", "3 < 4"]),
    ("", Picture("<svg></svg>", "cost.png", "What it costs")),
    ("Command", Code("python x.py --a_b '<c>'")),
]


def test_a_page_in_markdown():
    text = page("A | title", PARTS, "markdown")
    assert text.startswith("# A \\| title\n\nA paragraph \\& more.\n\n## Quality\n\n| model")
    assert "\n\n- one\\_two\n- 3 \\< 4\n\n" in text
    assert "\n\n![What it costs](cost.png)\n\n" in text
    assert text.endswith("## Command\n\n    python x.py --a_b '<c>'\n")


def test_a_page_in_text():
    text = page("A | title", PARTS, "text")
    assert text.startswith("A | title\n\nA paragraph & more.\n\nQuality:\n\nmodel")
    assert "What it costs: see cost.png" in text
    assert text.endswith("    python x.py --a_b '<c>'\n")


def test_a_page_in_latex():
    text = page("A_title", PARTS, "latex")
    assert text.startswith("\\section*{A\\_title}\n\nA paragraph \\& more.")
    assert "\\begin{itemize}\n\\item one\\_two\n\\item 3 \\ensuremath{<} 4\n\\end{itemize}" in text
    assert "\\includegraphics[width=\\linewidth]{cost.png}" in text
    assert "\\texttt{python x.py --a\\_b '\\ensuremath{<}c\\ensuremath{>}'}" in text
    assert text.count("{") == text.count("}")


def test_a_page_in_html():
    text = page(HOSTILE, [*PARTS, (HOSTILE, HOSTILE), ("", [HOSTILE])], "html")
    assert text.startswith("<!DOCTYPE html>") and text.endswith("</html>\n")
    assert "<script" not in text and "default-src 'none'" in text
    assert text.count(html.escape(HOSTILE)) == 5  # title twice, heading, paragraph, item
    assert '<figure role="img" aria-label="What it costs"><svg></svg></figure>' in text
    assert "<pre>python x.py --a_b &#x27;&lt;c&gt;&#x27;</pre>" in text


def test_code_cannot_end_its_block():
    text = page("t", [("", Code("a\n```\nb"))], "markdown")
    assert text.endswith("\n\n    a ``` b\n")
