"""What came of erasing words of many pairs: its page, picture and rows, from plain values."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from page_reader import Page
from test_picture import size

from ir_attention.reports.faithfulness import (
    ORDERS,
    cell,
    faithfulness_page,
    faithfulness_picture,
    faithfulness_rows,
)

DOCS = Path(__file__).parents[2] / "docs" / "attention.md"
STORED = sorted((Path(__file__).parents[2] / "results" / "faithfulness").glob("*.json"))


def found(**others):
    """Straight curves, whose slopes are 1 for attention, 2 for leave-one-out, and so on."""
    shares = np.linspace(0, 1, 11)
    slopes = dict(zip(ORDERS, (1.0, 2.0, 1.5, 1.75, 0.5), strict=True))
    numbers = {
        order: {
            "value": slope / 2,
            **{"low": slope / 2 - 0.1, "high": slope / 2 + 0.1, "difference": slope / 2 - 0.25},
            **{"difference_low": slope / 2 - 0.35, "difference_high": slope / 2 - 0.15},
        }
        for order, slope in slopes.items()
    }
    nothing = dict.fromkeys(numbers["random"])
    measures = ("area", "comprehensiveness", "sufficiency")
    return {
        "model": "han",
        **{"pairs": 9, "queries": 7, "left_out": 2},
        "orders": {
            order: {**dict.fromkeys(measures, row), "tau": nothing}
            for order, row in numbers.items()
        },
        "curves": {
            "shares": shares.tolist(),
            **{order: (slope * shares).tolist() for order, slope in slopes.items()},
        },
        "curves_low": {o: (slope * shares - 0.1).tolist() for o, slope in slopes.items()},
        "curves_high": {o: (slope * shares + 0.2).tolist() for o, slope in slopes.items()},
        "sentences": ["Attention explains <it>: -0.50 (-1.00 to 2.00).", "So do effects."],
        **others,
    }


def test_the_page_has_the_table_the_curves_and_what_they_mean():
    page = faithfulness_page(found(), "pairs <b>.tsv")
    texts = Page(page).texts
    assert texts["h1"] == ["Does attention tell what this han scores by?"]
    assert texts["p"][0] == (
        "9 pairs of 7 queries of pairs <b>.tsv. 2 more were passed over: texts too short or too "
        "long."
    )
    assert "Attention explains <it>: −0.50 (−1.00 to 2.00)." in texts["p"]
    assert texts["td"][:4] == ["0.50 (0.40 to 0.60)"] * 3 + ["-"]
    assert texts["td"][20:23] == ["0.25 (0.15 to 0.35)"] * 3  # what it has more than random
    assert len(texts["tr"]) == 1 + 5 + 1 + 4
    lines = re.findall(r'<polyline class="line (\w+)"', page)
    assert lines == ["random", "gradient_input", "gradient", "effects", "attention"]
    assert "attention: 0.25 at 25%, 0.50 at 50%, 0.75 at 75%, 1.00 at 100%" in texts["desc"][0]


def test_bands_lie_around_their_lines():
    page = faithfulness_page(found())
    bands = dict(re.findall(r'<polygon class="range (\w+)" points="([^"]*)"', page))
    assert list(bands) == ["attention", "effects", "random"]
    lines = dict(re.findall(r'<polyline class="line (\w+)" points="([^"]*)"', page))

    def heights(points):
        return np.array([point.split(",") for point in points.split()], float)[:, 1]

    low, high = np.split(heights(bands["attention"]), 2)
    line = heights(lines["attention"])
    # Down is less: .1 below, and twice as far above.
    assert low - line == pytest.approx(np.full(11, (low - line)[0]), abs=0.11)
    assert line - high[::-1] == pytest.approx(2 * (low - line), abs=0.21)


def test_the_page_is_inert_and_needs_nothing_beside_itself():
    page = faithfulness_page(found(model="<script>x</script>"), "<script>")
    assert "<script" not in page and "http:" not in page and "url(" not in page
    assert "default-src 'none'" in page


def test_the_picture_is_the_same_for_the_same_values():
    first = faithfulness_picture(found())
    width, height = size(first)
    assert width > height > 500
    assert faithfulness_picture(found()) == first
    assert faithfulness_picture(found(curves=found()["curves_high"] | found()["curves"])) == first
    bare = found()
    del bare["orders"]["gradient"]
    assert faithfulness_picture(bare) != first


def test_a_cell_has_no_minus_before_zero():
    numbers = {"value": -0.004, "low": -0.0001, "high": -0.005001}
    assert cell(numbers) == "0.00 (0.00 to -0.01)"
    assert cell(dict.fromkeys(numbers)) == "-"


def test_rows_are_those_of_a_table_in_markdown():
    rows = faithfulness_rows(found(), "twitter_url")
    row = "0.50 (0.40 to 0.60)"
    assert rows[0] == f"| han, twitter_url | attention | {row} | {row} | {row} | - | 2.0 |"
    assert rows[1].startswith("|  | leave-one-out | 1.00 (0.90 to 1.10) |")
    assert rows[4].endswith("| 1.0 |")
    nothing = found()
    nothing["orders"]["random"]["area"] = nothing["orders"]["random"]["area"] | {"value": 0.0}
    assert faithfulness_rows(nothing, "x")[0].endswith("| - |")


@pytest.mark.skipif(not STORED, reason="no results/faithfulness/*.json: not measured here")
def test_the_documents_have_the_numbers_of_the_results():
    said = DOCS.read_text().splitlines()
    start = next(at for at, line in enumerate(said) if line.startswith("| model, test part |"))
    table = [line for line in said[start + 2 : said.index("", start)]]
    wanted = []
    for path in STORED:
        values = json.loads(path.read_text())
        rows = faithfulness_rows(values, values["data"])
        assert rows[0] in table, f"{path.name}: not in the table of {DOCS.name}"
        place = table.index(rows[0])
        assert table[place : place + len(rows)] == rows
        wanted += rows
    assert sorted(table) == sorted(wanted)
