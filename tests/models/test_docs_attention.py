"""The Python of docs/attention.md runs as it stands, and its tables name what there is."""

import re
from pathlib import Path

import numpy as np
import pytest

from ir_attention import models

# Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PAGE = (Path(__file__).parents[2] / "docs" / "attention.md").read_text("utf-8")


def test_the_python_of_the_layers_runs(capsys):
    section = PAGE.split("## The layers")[1].split("\n## ")[0]
    (block,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names = {}
    exec(compile(block, "docs/attention.md", "exec"), names)
    word_weights = np.asarray(names["word_weights"])
    np.testing.assert_allclose(word_weights.sum(axis=2), [[1, 1, 0]], atol=1e-6)
    np.testing.assert_array_equal(word_weights > 0, names["documents"] > 0)
    shown = capsys.readouterr().out.splitlines()
    of_queries = [line for line in shown if line.startswith("(1, 7) [[")]
    assert len(of_queries) == len(set(of_queries)) == 2
    assert shown[-1] == "(1, 3, 7)"


def test_the_tables_name_what_there_is():
    """Each call in a table can be made as it is written."""
    calls = re.findall(r"^\| `(\w+)\((.*?)\)` \|", PAGE, re.MULTILINE)
    assert {name for name, _ in calls} == {
        name
        for name in models.__all__
        if name.endswith(("Attention", "Pool")) or name == "HierarchicalEncoder"
    }
    for name, arguments in calls:
        sizes = {"units": 3, "pool": 5, "hops": 2, "score": "dot"}
        eval(f"layer({arguments})", {"layer": getattr(models, name), **sizes})
