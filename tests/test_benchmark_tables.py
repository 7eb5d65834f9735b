"""The README's tables: every number comes from the folders of the benchmark."""

import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[1] / "pipelines" / "benchmark_tables.py"
ONE = {
    **{"AP": 0.7, "low": 0.65, "high": 0.75, "lowest_seed": 0.69, "highest_seed": 0.71},
    **{"parameters": 1234, "train_cpu_seconds": 30.6, "pairs_scored_per_cpu_second": 5000.2},
}


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
    head, rule, han, knrm, dssm = printed(capsys, monkeypatch, *folders)
    assert head.startswith("| | one MAP | `han` ahead by | p | two MAP | `han` ahead by | p | w")
    assert head.count("|") == rule.count("|") == han.count("|") == dssm.count("|")
    value = ".700 [.650, .750] |  |  |"
    assert han == f"| **`han`** | {value} {value} 1,234 | 31 | 5,000 |"
    value = "[.650, .750] |"
    assert knrm == (
        f"| K-NRM | .500 {value} .200 | <.001 | .750 {value} -.050 | <.001 | 9 | 31 | 5,000 |"
    )
    assert dssm == f"| DSSM | 1.000 {value} -.300 | .042 |  |  |  | 1,234 | 31 | 5,000 |"


def test_beside_what_others_print(folders, capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, *folders, "--published")
    knrm = ".500 (.690 to .710) | .750 (.690 to .710)"
    assert f"| K-NRM | {knrm} | .626 | .578 | .581, .569 |" in lines
    assert "| DSSM | 1.000 (.690 to .710) |  | .565 | .496 | .543, .506 |" in lines
