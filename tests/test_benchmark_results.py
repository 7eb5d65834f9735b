"""Results of a benchmark: kept and found again, summed up, and what the tables say of them."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmark_results import MEASURES, asked, result

from ir_attention.benchmark import summary as summary_module
from ir_attention.benchmark import wording
from ir_attention.benchmark.store import claim_folder, has_result, read_results, write_result
from ir_attention.benchmark.summary import comparisons, figures, write_summary
from ir_attention.errors import DataError
from ir_attention.evaluation import compare, read_run

DOCS = Path(__file__).parents[1] / "docs" / "benchmark.md"
_DOT = (b"", "<svg></svg>")
HOSTILE = "<script>alert(1)</script> | a_b & 100 %"


@pytest.fixture
def no_picture(monkeypatch):
    """Where the tables are looked at, and drawing would take most of the time."""
    monkeypatch.setattr(summary_module, "cost_picture", lambda *_, **__: _DOT)


def test_results_are_found_again(tmp_path):
    folder = result(tmp_path, "han:no-matches", 8, label=HOSTILE)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("history.csv", "per_query.csv.gz", "result.json", "run.trec.gz")
    ]
    found = read_results(tmp_path)["han:no-matches"][8]
    assert found.per_query["AP"].to_dict() == {"q0": 1.0, "q1": 0.5, "q2": 0.25}
    assert found.facts["label"] == HOSTILE
    assert read_run(folder / "run.trec.gz")["score"].tolist() == [0.5]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result(tmp_path, "han:no-matches", 8, label=HOSTILE)  # in place of the first
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["8"]


def test_a_run_with_another_key_is_no_match(tmp_path):
    folder = result(tmp_path)
    key = {"row": "han", "seed": 7, "budget": 20.0, "data": {"test": "0"}}
    assert has_result(folder, key)
    assert not has_result(tmp_path / "runs/han/8", key)
    with pytest.raises(DataError, match=r"another --out.*budget: 20.0, now 30.0"):
        has_result(folder, {**key, "budget": 30.0})
    with pytest.raises(DataError, match=r"Received: data.test: '0', now '1'$"):
        has_result(folder, {**key, "data": {"test": "1"}})


@pytest.mark.parametrize("query", ["NA", "null", "None", "nan", "", "07", "1e5", "#N/A"])
def test_a_query_may_be_called_anything(tmp_path, query):
    folder = tmp_path / "runs/han/7"
    result(tmp_path)
    per_query = pd.DataFrame(
        [(query, "AP", 0.5), (query, "RR", float("nan")), ("q1", "AP", 0.25), ("q1", "RR", 1.0)],
        columns=["query_id", "measure", "value"],
    )
    run = pd.DataFrame({"query_id": ["q0"], "doc_id": ["d0"], "score": [0.5]})
    facts = json.loads((folder / "result.json").read_bytes())
    write_result(folder, facts, per_query=per_query, run=run, history=pd.DataFrame({"epoch": [1]}))
    found = read_results(tmp_path)["han"][7].per_query
    assert found["AP"].to_dict() == {query: 0.5, "q1": 0.25}
    assert np.isnan(found["RR"][query]) and found["RR"]["q1"] == 1


@pytest.mark.parametrize("damage", ["result.json", "per_query.csv.gz", "run.trec.gz", "all"])
def test_a_damaged_result_is_said(tmp_path, damage):
    folder = result(tmp_path)
    for path in folder.iterdir():
        if damage == "all":
            path.write_bytes(b"\x1f\x8b[")
        elif path.name == damage:
            path.unlink()
    with pytest.raises(DataError, match="must hold a whole result"):
        has_result(folder, {})


def test_a_folder_belongs_to_its_data(tmp_path):
    claim_folder(tmp_path / "out", {"test": "1"})
    claim_folder(tmp_path / "out", {"test": "1"})
    with pytest.raises(DataError, match="other data"):
        claim_folder(tmp_path / "out", {"test": "2"})
    with pytest.raises(DataError, match="must be a new folder"):
        claim_folder(tmp_path, {"test": "1"})
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="must be a new folder"):
        claim_folder(tmp_path / "file", {"test": "1"})


def test_figures(tmp_path):
    result(tmp_path, "han", 7, (1.0, 0.5, 0.0))
    result(tmp_path, "han", 8, (0.8, 0.7, 0.6), budget_ended_it=True, kept_epoch=4)
    row = figures(read_results(tmp_path), MEASURES).iloc[0]
    assert row["AP"] == pytest.approx(0.6)
    assert (row["lowest_seed"], row["highest_seed"]) == pytest.approx((0.5, 0.7))
    # Of .9, .6 and .3, the means over seeds.
    assert 0.3 <= row["low"] < 0.6 < row["high"] <= 0.9
    assert row["train_cpu_seconds"] == 27.5 and row["peak_mib"] == 508
    assert (row["seeds"], row["budget_ended"], row["still_rising"]) == (2, 1, 1)
    assert {*row.index} <= set(re.findall(r"`([\w@]+)`", DOCS.read_text()))


def test_comparisons_are_those_of_compare(tmp_path):
    """The same from runs: with one relevant document at rank r, AP is 1 / r."""
    rng = np.random.default_rng(3)
    ranks = rng.integers(1, 6, size=(3, 25))
    qrels = {f"q{n}": {"d0": 1, **{f"d{m}": 0 for m in range(1, 6)}} for n in range(25)}

    def run(places):
        return {
            f"q{n}": {"d0": -place, **{f"d{m}": -m - (m >= place) for m in range(1, 6)}}
            for n, place in enumerate(places)
        }

    result(tmp_path, "han", 7, 1 / ranks[0])
    result(tmp_path, "han", 8, 1 / ranks[1])
    result(tmp_path, "bm25", 7, 1 / ranks[2])
    ours = comparisons(read_results(tmp_path), "AP", "han")
    runs = {"bm25": run(ranks[2]), "han": [run(ranks[0]), run(ranks[1])]}
    theirs = compare(qrels, runs, "AP", against="han")
    assert ours["difference"].item() == pytest.approx(theirs["difference"].item(), abs=1e-11)
    assert ours["p_holm"].item() == theirs["p_holm"].item()
    assert ours[["wins", "ties", "losses"]].equals(theirs[["wins", "ties", "losses"]])
    assert comparisons(read_results(tmp_path), "AP", None).empty


def test_the_summary(tmp_path):
    result(tmp_path, "bm25", 7, (0.5, 0.25, 0.25), label=HOSTILE)
    result(tmp_path, "dssm", 7, (1.0, 1.0, 0.5))
    result(tmp_path, "han", 7, (1.0, 0.5, 0.0))
    frame = write_summary(tmp_path, asked(skipped={"minilm": "it is not here"}))
    assert frame["row"].tolist() == ["han", "bm25", "dssm"]
    names = {path.name for path in tmp_path.iterdir()} - {"runs"}
    assert names == {
        *("table.md", "table.txt", "table.tex", "table.html", "table.csv", "comparisons.csv"),
        *("summary.json", "cost.png", "cost.svg"),
    }
    text = (tmp_path / "table.txt").read_text()
    rows = [line.split() for line in text.splitlines() if line.startswith("han ")]
    assert rows[1][:5] == ["han", "0.500", "0.000", "to", "1.000"] and rows[1][-3:] == [
        *("1", "of", "2")
    ]
    assert rows[2] == ["han", "1,234,567", "0", "4", "2", "27.0", "17.0", "100", "2,000", "507"]
    assert "han has the 2nd highest MAP of 3 rows: 0.500." in text
    assert (
        f"- Not significantly different from that of {HOSTILE} (+0.167), dssm (-0.333).\n"
        "- Significant is p < 0.01" in text
    )
    assert "3 queries with both labels; the part has 9 pairs" in text
    assert "Budget: 20 CPU seconds" in text and "Not complete: minilm: it is not here." in text
    assert "numpy 2.0" in text and "python x" in text
    assert "<script" not in (tmp_path / "table.html").read_text()
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    assert [row["AP"] for row in summary["rows"]] == [0.5, 0.333333, 0.833333]
    assert pd.read_csv(tmp_path / "table.csv")["AP"].tolist() == [0.5, 0.3333, 0.8333]
    assert len(pd.read_csv(tmp_path / "comparisons.csv")) == 2
    before = {path: path.read_bytes() for path in tmp_path.glob("*.*")}
    write_summary(tmp_path, asked(skipped={"minilm": "it is not here"}))
    assert {path: path.read_bytes() for path in tmp_path.glob("*.*")} == before


def test_the_summary_of_nothing(tmp_path):
    assert write_summary(tmp_path, asked()).empty and not list(tmp_path.iterdir())


def test_runs_of_other_settings_are_not_averaged(tmp_path, no_picture):
    result(tmp_path, "han", 7, (1.0, 1.0, 1.0))
    other = {"row": "han", "seed": 8, "budget": 99.0, "data": {"test": "0"}}
    result(tmp_path, "han", 8, (0.0, 0.0, 0.0), key=other)
    frame = write_summary(tmp_path, asked())
    assert frame["AP"].tolist() == [1.0] and frame["seeds"].tolist() == [1]
    text = (tmp_path / "table.txt").read_text()
    assert "Not in the tables: han, seed 8: run with other budget than seed 7." in text
    write_summary(tmp_path, asked(measures=["AP", "P@1", "RR"]))  # and then there is none
    assert (tmp_path / "table.txt").read_text() == text


def test_the_tables_are_of_all_calls(tmp_path, no_picture):
    """Two calls wrote to one folder, with other code: all rows are there, with their commands."""
    result(tmp_path, "bm25", 7, command="python b --models bm25")
    result(tmp_path, "han", 7, command="python a 'x y'")
    result(tmp_path, "han", 8, command="python a 'x y'", code="0dd")
    frame = write_summary(tmp_path, asked(seeds={"han": 2}))
    assert frame["row"].tolist() == ["han", "bm25"]
    text = (tmp_path / "table.txt").read_text()
    assert text.endswith("Command:\n\n    python a 'x y'\n\n    python b --models bm25\n")
    assert "c0de for han (seed 7), bm25; 0dd for han (seed 8)." in text
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    assert summary["commands"] == ["python a 'x y'", "python b --models bm25"]
    assert summary["code"] == {"c0de": ["han (seed 7)", "bm25"], "0dd": ["han (seed 8)"]}


def test_a_result_that_comes_meanwhile_is_in_the_tables(tmp_path, monkeypatch, no_picture):
    result(tmp_path, "han")
    figured = summary_module.figures

    def slow(*given):
        if not (tmp_path / "runs/bm25").exists():
            result(tmp_path, "bm25")
        return figured(*given)

    monkeypatch.setattr(summary_module, "figures", slow)
    assert write_summary(tmp_path, asked())["row"].tolist() == ["han", "bm25"]
    assert pd.read_csv(tmp_path / "table.csv")["row"].tolist() == ["han", "bm25"]


def test_what_is_significant(tmp_path):
    """With all of 12 queries better, 2 of 4,096 signs are as extreme; with all of 6, 2 of 64."""
    for count, words in ((12, "Significantly {}"), (6, "Not significantly different from")):
        for value, way in ((0.75, "lower than"), (0.25, "higher than")):
            out = tmp_path / f"{count}-{value}"
            result(out, "han", values=[0.5] * count)
            result(out, "bm25", values=[value] * count)
            found = read_results(out)
            tests = comparisons(found, "AP", "han")
            assert tests["p_holm"].item() == pytest.approx(2 / 2**count, rel=0.3)
            _, told = wording.verdict(figures(found, MEASURES), tests, "AP", "han")
            assert told[0] == f"{words.format(way)} that of bm25 ({0.5 - value:+.3f})."


def test_what_is_in_the_picture(tmp_path, monkeypatch):
    result(tmp_path, "bm25", pairs_scored_per_cpu_second=9000.0, train_cpu_seconds=0.0)
    result(tmp_path, "han", values=(0.5, 0.25, 0.0))
    drawn = []
    monkeypatch.setattr(
        summary_module, "cost_picture", lambda *given, **named: drawn.append((given, named)) or _DOT
    )
    write_summary(tmp_path, asked())
    ((points,), named), *_ = drawn
    assert [(point.name, point.value, point.costs) for point in points] == [
        ("han", 0.25, (27.0, 2000.0)),
        ("bm25", pytest.approx(7 / 12), (0.01, 9000.0)),
    ]
    assert all(point.low < point.value < point.high for point in points)
    assert named["panels"] == ["training, CPU seconds", "pairs scored per CPU second"]


def test_words_without_a_reference_or_a_training(tmp_path, no_picture):
    result(tmp_path, "bm25", values=(0.5, 0.25, 0.0), pairs_trained_per_cpu_second=None)
    result(tmp_path, "lexical", pairs_trained_per_cpu_second=None)
    write_summary(tmp_path, asked(title="\udcff"))  # a folder whose name is not UTF-8
    text = (tmp_path / "table.txt").read_text()
    assert "\nlexical has the highest MAP: 0.583.\n" in text
    assert "- Budget: none; no row here is trained in epochs.\n" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": None}, "key must be an object"),
        ({"key": {"budget": "x", "data": {}}}, "key must have a budget"),
        ({"key": {"budget": 1}}, "checksums of the data"),
        ({"versions": None}, "versions must be an object"),
        ({"versions": {"numpy": 2}}, "versions must be texts"),
        ({"dev": "x"}, "dev must be a number or null"),
        ({"dev": True}, "dev must be a number or null"),
        ({"seed": 7.5}, "seed must be a whole number"),
        ({"row": 3}, "row must be a text"),
        ({"budget_ended_it": 1}, "budget_ended_it must be true or false"),
        ({"code": None}, "code must be a text"),
        ({"commit": 7}, "commit must be a text or null"),
        ("[]", "must be an object"),
        ("[" * 100_000, "RecursionError"),
    ],
)
def test_facts_of_another_type_are_said(tmp_path, change, message):
    path = result(tmp_path) / "result.json"
    facts = json.loads(path.read_bytes())
    path.write_text(change if isinstance(change, str) else json.dumps({**facts, **change}))
    with pytest.raises(DataError, match=f"must hold a whole result.*{message}"):
        read_results(tmp_path)


def test_what_a_killed_write_left_is_removed(tmp_path):
    folder = result(tmp_path)
    for name in (".draft-7-x", ".draft-7-x-old", ".draft-8-y"):
        (folder.parent / name).mkdir()
    result(tmp_path)
    assert {path.name for path in folder.parent.iterdir()} == {"7", ".draft-8-y"}  # another's


def test_words():
    assert wording.several([{"numpy": "1"}, {"numpy": "2"}, {"numpy": "1"}]) == {"numpy": "1/2"}
    assert [wording._p(p) for p in (0.00001, 0.0123, 0.5, 1.0)] == ["< .001", ".012", ".50", "1.00"]
    assert wording._nth(1) == "1st" and wording._nth(12) == "12th" and wording._nth(23) == "23rd"
