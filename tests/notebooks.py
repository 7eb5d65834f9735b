"""What the notebooks of `docs/tutorials` hold: their cells and tables; and how they are run.

At the end, another way to numbers that they show.
"""

import ast
import asyncio
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "docs" / "tutorials"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
LIMIT = 300  # seconds for a whole notebook, as its readers are promised
LARGEST = 1_000_000  # bytes

# What the base install brings, and no more.
ALLOWED = {"IPython", "ir_attention", "matplotlib", "numpy", "pandas", "sklearn", "tensorflow"}

# A path of somebody's machine. URLs and relative paths have other beginnings.
PATH = re.compile(
    r"(?<![\w.:/<])/(?:Users|app|builds?|data|etc|home|mnt|opt|private|root|srv|tmp|usr|var|work)/"
    r"|\b[A-Z]:\\|\bipykernel_\d|site-packages"
)

# The kernel then refuses every name and address of the network.
OFFLINE = """
import socket
def _refuse(*given, **named):
    raise OSError("the tutorials do without a network")
socket.getaddrinfo = socket.create_connection = socket.socket.connect = _refuse
"""


def kept(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(notebook, tag, kind):
    """What the cell with a tag shows, as HTML or as text."""
    cells = [cell for cell in code_cells(notebook) if tag in cell.metadata.get("tags", ())]
    return next(one.data[kind] for cell in cells for one in cell.outputs if kind in one.data)


def table(notebook, tag):
    """The table that a cell shows: by the name of a row, its cells by the name of the column."""
    html = shown(notebook, tag, "text/html")
    rows = [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.DOTALL)
    ]
    head, *body = [row for row in rows if any(row[1:])]  # the name of an index has its own row
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in body}


def below(text):
    """The number of a cell that says `below 1e-6`."""
    return float(text.removeprefix("below "))


def value(notebook, tag):
    """The plain value that a cell shows."""
    return ast.literal_eval(shown(notebook, tag, "text/plain"))


def check_outputs(notebook):
    """Nothing went wrong, was said on the side, or names a place of this machine."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type in ("display_data", "execute_result"), output
            for kind, text in output.data.items():
                assert kind.startswith("image/") or not PATH.search(text), text


def executed(name, probe, tmp_path, monkeypatch):
    """The notebook after a run in a fresh kernel, from its folder, offline; what the probe says."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = kept(name)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    first, last = map(nbformat.v4.new_code_cell, (OFFLINE, probe))
    run = nbformat.v4.new_notebook(cells=[first, *notebook.cells, last], metadata=notebook.metadata)
    before = {*FOLDER.iterdir()}
    asyncio.run(_execute(run))
    assert {*FOLDER.iterdir()} == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")]
    check_outputs(notebook)
    return notebook, json.loads("".join(output.text for output in last.outputs))


async def _execute(notebook):
    client = NotebookClient(notebook, timeout=LIMIT, resources={"metadata": {"path": str(FOLDER)}})
    # nbclient's own limit is that of a cell; this is the whole notebook's.
    await asyncio.wait_for(client.async_execute(), LIMIT)


def steps(row):
    return [float(row[f"step {place}"]) for place in range(1, 6)]


def plain_attention(query, value, mask, weights):
    """The equations as they stand, sum by sum; for complex numbers too."""
    found = np.zeros(query.shape, np.result_type(query, value, *weights.values()))
    alphas = np.zeros((*query.shape[:2], value.shape[1]), found.dtype)
    for b, i in np.ndindex(query.shape[:2]):
        real = [j for j in range(value.shape[1]) if mask[b, j]]
        left = query[b, i] @ weights["W"]
        powers = [np.exp(np.tanh(left + value[b, j] @ weights["U"]) @ weights["v"]) for j in real]
        for j, power in zip(real, powers, strict=True):
            alphas[b, i, j] = power / sum(powers)
            found[b, i] += alphas[b, i, j] * value[b, j]
    return found, alphas


def average_precision(labels):
    """Of labels in ranked order."""
    places = [place for place, label in enumerate(labels, 1) if label]
    return sum(n / place for n, place in enumerate(places, 1)) / len(places)


def mean_ap(found, name, rng):
    """Over the headlines; equal scores in an order by chance."""
    columns = {"query": found["queries"], "label": found["labels"], "score": found[name]}
    frame = pd.DataFrame(columns).sample(frac=1, random_state=rng)
    frame = frame.sort_values("score", ascending=False, kind="stable")
    return np.mean([average_precision(labels) for _, labels in frame.groupby("query")["label"]])
