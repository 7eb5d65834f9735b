"""What a benchmark's tables say beside their numbers: one verdict, what is unlike, one order."""

import json

import pandas as pd
import pytest
from benchmark_results import asked, result

from ir_attention.benchmark import summary as summary_module
from ir_attention.benchmark.summary import write_summary


@pytest.fixture
def no_picture(monkeypatch):
    """Without a picture, which takes the time."""
    monkeypatch.setattr(summary_module, "cost_picture", lambda *_, **__: (b"", "<svg></svg>"))


def test_a_folder_has_one_verdict(tmp_path, no_picture):
    """All of 7 queries better: p is 2 of 128, between the usual .05 and the table's .01."""
    result(tmp_path, "han", values=[0.5] * 7)
    result(tmp_path, "bm25", values=[0.25] * 7)
    write_summary(tmp_path, asked())
    row = pd.read_csv(tmp_path / "comparisons.csv").iloc[0]
    assert row["p_holm"] == pytest.approx(2 / 128, abs=1e-4)
    assert row["result"].startswith("han and bm25 do not differ significantly in AP: ")
    assert "significant below 0.01)" in row["result"]
    text = (tmp_path / "table.txt").read_text()
    assert "- Not significantly different from that of bm25 (+0.250).\n" in text
    assert (
        json.loads((tmp_path / "summary.json").read_bytes())["comparisons"][0]["result"]
        == (row["result"])
    )


def test_what_makes_rows_unlike_is_said(tmp_path, no_picture):
    """Who had more time, whose time was up, who was still getting better, who knew words."""
    key = {"row": "knrm", "seed": 7, "budget": 60.0, "data": {"test": "0"}}
    result(tmp_path, "han", 7, budget_ended_it=True, vectors="words-9")
    result(tmp_path, "han", 8, kept_epoch=4, vectors="words-9")
    result(tmp_path, "dssm", 7, budget_ended_it=True)
    result(tmp_path, "knrm", 7, key=key, epochs=1, kept_epoch=1, vectors="words-9")
    result(tmp_path, "bm25", 7, pairs_trained_per_cpu_second=None, epochs=1, kept_epoch=1)
    write_summary(tmp_path, asked())
    lines = (tmp_path / "table.txt").read_text().splitlines()
    assert {
        "- Budget: not the same for all rows, in CPU seconds of epochs for each training: 60 for "
        "knrm; 20 for the others.",
        "- Pretrained vectors: words-9 for han, knrm.",
        "- Ended by the budget: han (1 of 2 seeds), dssm (1 of 1 seeds).",
        "- Best in the last epoch, so that more epochs may help: han (1 of 2 seeds).",
    } <= {*lines}
    (note,) = [line for line in lines if line.startswith("- p: ")]
    assert "corrected for 3 tests, han beside each other row of the table" in note
    (cost,) = [line.split() for line in lines if line.startswith("bm25 ") and "1,234,567" in line]
    assert cost[1:5] == ["1,234,567", "0", "–", "–"]


def test_what_all_rows_share_is_said(tmp_path, no_picture):
    result(tmp_path, "han", 7)
    result(tmp_path, "dssm", 7, vector_values=5000)
    write_summary(tmp_path, asked())
    text = (tmp_path / "table.txt").read_text()
    assert "- Budget: 20 CPU seconds of epochs for each training.\n" in text
    assert "- Pretrained vectors: none.\n" in text
    assert "Ended by the budget" not in text and "Best in the last epoch" not in text
    assert ["dssm", "1,234,567", "5,000"] in [line.split()[:3] for line in text.splitlines()]


def test_rows_stand_in_one_order_whoever_asks(tmp_path, no_picture):
    names = ["arc-i", "knrm", "bm25", "han:no-sentences", "han:wide", "lexical", "han-bi", "han"]
    for name in [*names, "han:no-matches"]:
        result(tmp_path, name)
    tables = set()
    for seeds in ({"knrm": 1}, {"bm25": 1, "han": 1}):
        frame = write_summary(tmp_path, asked(seeds=seeds))
        tables.add((tmp_path / "table.csv").read_bytes())
    assert len(tables) == 1
    assert frame["row"].tolist() == [
        *("han", "han:no-matches", "han:no-sentences", "han:wide", "han-bi", "lexical", "bm25"),
        *("arc-i", "knrm"),
    ]


def test_the_commits_are_said_where_they_are_known(tmp_path, no_picture):
    result(tmp_path, "han", 7, commit="5eed")
    result(tmp_path, "han", 8, commit="5eed+")
    result(tmp_path, "bm25", 7)
    write_summary(tmp_path, asked())
    assert "code c0de (commit 5eed, 5eed+). Machine" in (tmp_path / "table.txt").read_text()
    result(tmp_path, "bm25", 7, code="0dd", commit=None)
    write_summary(tmp_path, asked())
    assert (
        "c0de (commit 5eed, 5eed+) for han; 0dd for bm25." in (tmp_path / "table.txt").read_text()
    )
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    assert summary["commits"] == {"c0de": ["5eed", "5eed+"], "0dd": []}
