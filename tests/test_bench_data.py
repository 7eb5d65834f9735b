"""The benchmarks of the data path and of start-up run, and their ways agree."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PIPELINES = Path(__file__).parents[1] / "pipelines"


def run(name, *arguments, cwd):
    command = [sys.executable, PIPELINES / name, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


SMALL = ["--repeats", 1, "--queries", 30, "--candidates", 8, "--documents", 50, "--steps", 1]


@pytest.mark.slow
def test_bench_data_on_ones_own_pairs(toy_pairs, tmp_path):
    toy_pairs.to_csv(tmp_path / "pairs.csv", index=False)
    arguments = [*SMALL, "--pairs", "pairs.csv", "--skip", "epochs", "memory"]
    found = run("bench_data.py", *arguments, cwd=tmp_path)
    assert found["bench"] == "data" and found["cores"] > 0
    assert set(found["versions"]) >= {"python", "numpy", "pandas"}
    numbering = found["numbering"]
    assert numbering["pairs"] == 240
    texts = {*toy_pairs["text_left"], *toy_pairs["text_right"]}
    assert numbering["texts"] == len(texts)
    assert numbering["words"]["of distinct texts"] < numbering["words"]["of all rows"]
    assert {"cpu_s", "wall_s"} <= numbering["fast"].keys() & numbering["plain"].keys()
    assert not list(tmp_path.glob("*.parquet"))


@pytest.mark.slow
def test_bench_data(tmp_path):
    found = run("bench_data.py", *SMALL, cwd=tmp_path)
    assert found["epochs"]["pairs"] == 240 and "ratio" in found["epochs"]
    peaks = list(found["memory_gib"].values())
    assert peaks == sorted(peaks) and 0 < peaks[-1] < 4
    assert list(found["memory_gib"])[-1] == "1 steps"


@pytest.mark.slow
def test_bench_startup(toy_trained, tmp_path):
    arguments = ["--bundle", toy_trained[0].folder, "--repeats", 1]
    found = run("bench_startup.py", *arguments, cwd=tmp_path)
    assert found["documents"] == 100
    assert {"python", "import ir_attention", "--help", "rank"} <= set(found["results"])
