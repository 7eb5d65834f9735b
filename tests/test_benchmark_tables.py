"""The README's tables: every number comes from the folders of the benchmark."""

import json
import runpy
import shlex
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[1] / "pipelines" / "benchmark_tables.py"
ONE = {
    **{"AP": 0.7, "low": 0.65, "high": 0.75, "lowest_seed": 0.69, "highest_seed": 0.71},
    **{"parameters": 1234, "train_cpu_seconds": 30.6, "pairs_scored_per_cpu_second": 5000.2},
    **{"vector_values": 0, "seeds": 3, "budget": 150.0},
}
MEASURES = ["AP", "RR", "nDCG@1", "nDCG@3", "nDCG@5", "nDCG@10", "P@1"]


@pytest.fixture
def folders(tmp_path):
    for name, knrm in (("one", 0.5), ("two-vectors", 0.75)):
        folder = tmp_path / name
        folder.mkdir()
        rows = [{"row": "knrm", **ONE, "AP": knrm, "parameters": 9}, {"row": "han", **ONE}]
        if name == "one":
            rows.append({"row": "dssm", **ONE, "AP": 1.0})
        pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
        compared = [
            {"measure": "AP", "baseline": "knrm", "difference": 0.7 - knrm, "p_holm": 0.0004},
            {"measure": "RR", "baseline": "knrm", "difference": 9, "p_holm": 0.9},
            {"measure": "AP", "baseline": "dssm", "difference": -0.3, "p_holm": 0.0421},
        ]
        pd.DataFrame(compared).to_csv(folder / "comparisons.csv", index=False)
    return tmp_path / "one", tmp_path / "two-vectors"


def printed(capsys, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    return capsys.readouterr().out.splitlines()


def test_side_by_side(folders, capsys, monkeypatch):
    head, rule, han, knrm, dssm, *_ = printed(capsys, monkeypatch, *folders)
    assert head.startswith("| | one MAP | `han` ahead by | p | two MAP | `han` ahead by | p | w")
    assert head.count("|") == rule.count("|") == han.count("|") == dssm.count("|")
    value = ".700 [.650, .750] |  |  |"
    assert han == f"| **`han`** | {value} {value} 1,234 | 0 | 31 | 5,000 |"
    value = "[.650, .750] |"
    assert knrm == (
        f"| K-NRM | .500 {value} .200 | <.001 | .750 {value} -.050 | <.001 | 9 | 0 | 31 | 5,000 |"
    )
    assert dssm == f"| DSSM | 1.000 {value} -.300 | .042 |  |  |  | 1,234 | 0 | 31 | 5,000 |"


def test_what_differs_between_rows_is_said_under_the_table(folders, capsys, monkeypatch):
    one, two = (pd.read_csv(folder / "table.csv") for folder in folders)
    bm25 = {"row": "bm25", **ONE, "seeds": 1, "budget": None}
    one = pd.concat([one, pd.DataFrame([bm25])], ignore_index=True)
    one.loc[one["row"] == "dssm", "seeds"] = 1
    two.loc[two["row"] == "knrm", ["seeds", "budget"]] = 2, 450
    two.loc[two["row"] == "han", "vector_values"] = 1_000_000
    for frame, folder in zip((one, two), folders, strict=True):
        frame.to_csv(folder / "table.csv", index=False)
    lines = printed(capsys, monkeypatch, *folders)
    assert lines[2].endswith("| 1,234 | 0 / 1,000,000 | 31 | 5,000 |")
    assert [line.split(" | ")[0] for line in lines[2:6]] == [
        *("| **`han`**", "| BM25", "| K-NRM ¹", "| DSSM ²")
    ]
    assert [line for line in lines[6:] if line] == [
        "Means of 3 seeds, 150 CPU seconds of epochs at most for each training; BM25: one run, as "
        "no seed decides on anything.",
        "¹ two: 450 CPU seconds of epochs at most, 2 seeds.",
        "² one: 1 seed.",
        "p: randomisation test over queries, corrected by Holm's method for all rows that `han` is "
        "set beside, its own variants among them: 3 tests on one, 3 tests on two.",
    ]


def test_the_command_of_each_folder(folders, capsys, monkeypatch):
    """One that makes it whole, whatever was typed at first."""
    here = "python pipelines/benchmark.py --data data/one --out results/one"
    runs = [
        ("han", "han", 7, 150.0, f"{here} --models han --seeds 1 --budget 150 --again"),
        ("han", "han", 9, 150.0, f"{here} --models=han,knrm --budget=150"),
        ("knrm", "knrm", 7, 450.0, f"{here} --models knrm --budget 450 --vectors 'my v'"),
        ("bm25", "bm25", 7, None, f"{here} --models bm25"),
        ("minilm", "minilm", 7, None, f"{here} --models minilm --minilm mini"),
    ]
    for row, model, seed, budget, command in runs:
        folder = folders[0] / "runs" / row / str(seed)
        folder.mkdir(parents=True)
        vectors = {"knrm": "my v", "minilm": "mini"}.get(row)
        key = {"budget": budget, "measures": MEASURES}
        facts = {"row": row, "model": model, "seed": seed, "vectors": vectors, "key": key}
        facts["code"] = "c0de" if row == "han" else "0dd"
        (folder / "result.json").write_text(json.dumps({**facts, "command": command}))
    lines = printed(capsys, monkeypatch, folders[0])
    assert lines[-3::2] == ["```", "```"]
    assert lines[-5] == (
        f"Not all runs are of the same code: 2 versions in {folders[0]}; "
        "`table.md` there says more."
    )
    assert shlex.split(lines[-2]) == [
        *("python", "pipelines/benchmark.py", "--data", "data/one"),
        *("--models", "han,bm25,minilm,knrm", "--seeds", "3", "--budget", "150,knrm=450"),
        *("--vectors", "my v", "--minilm", "mini", "--out", str(folders[0])),
    ]
    facts = {**facts, "row": "wide", "model": "han", "command": "python x --config own.toml"}
    (folder / "result.json").write_text(json.dumps(facts))
    lines = printed(capsys, monkeypatch, folders[0])
    assert lines[-6:-1] == [runs[3][-1], runs[0][-1], runs[1][-1], runs[2][-1], facts["command"]]


def test_nothing_is_less_than_nothing(folders, capsys, monkeypatch):
    compared = pd.read_csv(folders[0] / "comparisons.csv")
    compared["difference"] = -0.0004
    compared.to_csv(folders[0] / "comparisons.csv", index=False)
    assert " | .000 | <.001 | " in printed(capsys, monkeypatch, folders[0])[3]


def test_beside_what_others_print(folders, capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, *folders, "--published")
    knrm = ".500 (.690 to .710) | .750 (.690 to .710)"
    assert f"| K-NRM | {knrm} | .626 | .578 | .581, .569 |" in lines
    assert "| DSSM | 1.000 (.690 to .710) |  | .565 | .496 | .543, .506 |" in lines
