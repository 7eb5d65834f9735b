"""The Python of docs/han.md runs as it stands."""

import re
from pathlib import Path

import pandas as pd
import pytest

from ir_attention.data.labelled import read_labelled

PAGE = Path(__file__).parents[2] / "docs" / "han.md"


@pytest.mark.slow
def test_the_python_of_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first, second = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    exec(compile(first, str(PAGE), "exec"), {})
    shown = capsys.readouterr().out
    assert re.match(r"\[[01] [01]\]\n\(0\.\d+, ", shown) and "music" in shown
    Path("yahoo_answers_csv").mkdir()
    lines = [f'"{1 + one % 2}","why {one}?","","as {one}, ""so"""' for one in range(40)]
    Path("yahoo_answers_csv/train.csv").write_text("\n".join(lines))
    exec(compile(second, str(PAGE), "exec"), {})
    rows = pd.concat([read_labelled("train.parquet"), read_labelled("dev.parquet")])
    assert len(rows) == 40 and sorted(set(rows["label"])) == [1, 2]
    assert 'why 7?\n\nas 7, "so"' in set(rows["text"])
