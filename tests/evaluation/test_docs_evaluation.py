"""The Python of docs/evaluation.md runs as it stands, on small files of the names it uses."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from ir_attention.data import read_pairs
from ir_attention.evaluation import write_run

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_the_python_of_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(4)
    number = np.arange(290)
    pairs = pd.DataFrame(
        {
            "id_left": [f"q{one // 10}" for one in number],
            "text_left": [f"headline {one // 10}" for one in number],
            "id_right": [f"d{one}" for one in number],
            "text_right": [f"tweet {one}" for one in number],
            "label": number % 10 < 3,
        }
    ).astype({"label": int})
    pairs.to_csv("test.tsv", sep="\t", index=False)
    Path("han").mkdir()
    for name, skill in (("bm25", 1), ("han/1", 2), ("han/2", 2), ("han/3", 2)):
        score = skill * pairs["label"] + rng.normal(size=len(pairs))
        write_run(pairs.assign(score=score), f"{name}.run")
    for name in ("dev", "test", "tweets"):
        score = 3 * pairs["label"] + rng.normal(size=len(pairs))
        pairs.assign(predictions=score).to_csv(f"{name}.csv", index=False)
    Path("tweets.txt").write_text('one, two\nsay "three"\n', "utf-8")

    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), {})
    shown = capsys.readouterr().out
    assert "han has a higher AP than bm25" in shown
    assert "CountEstimate(count=" in shown
    assert read_pairs("pairs.csv", labels="optional")["text_right"].tolist() == [
        *("one, two", 'say "three"')
    ]
