"""The notebooks of `docs/tutorials`: what is kept of them is clean, they run, and show the truth.

Numbers that they show are found here in another way. Those that hang on no long training are
checked in the kept outputs too.
"""

import ast
import asyncio
import csv
import itertools
import json
import re
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from ir_attention.data import headline_tweets

FOLDER = Path(__file__).parents[1] / "docs" / "tutorials"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
FIRST, SECOND = "1_additive_attention", "2_headline_to_tweet"
LIMIT = 300  # seconds for a whole notebook, as its readers are promised
LARGEST = 1_000_000  # bytes

# What the base install brings, and no more.
ALLOWED = {"IPython", "ir_attention", "matplotlib", "numpy", "pandas", "tensorflow"}

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

PROBE = """
import json
lists = {"queries": test["id_left"], "labels": test["label"], "dev": dev_scores}
lists |= {"dev_labels": dev["label"], "known": known["score"], "known_labels": known["label"]}
lists |= {"stream": stream["score"], **{name: run["score"] for name, run in runs.items()}}
torn = sorted({*known["id_left"]} & {*stream["id_left"]})
found = {name: one.tolist() for name, one in lists.items()}
print(json.dumps({**found, "torn": torn, "threshold": threshold.value}))
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


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_is_clean(name):
    path = FOLDER / f"{name}.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    nbformat.validate(notebook)
    assert path.stat().st_size < LARGEST
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"] == {"name": "python"}  # no version of somebody's
    cells = code_cells(kept(name))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert cell.outputs or not cell.metadata.get("tags"), cell.source
        assert "execution" not in cell.metadata  # holds the time of day
    check_outputs(kept(name))
    assert any("image/png" in output.data for cell in cells for output in cell.outputs)


@pytest.mark.parametrize("name", NAMES)
def test_no_path_and_no_dead_link(name):
    notebook = kept(name)
    for cell in notebook.cells:
        assert not PATH.search(cell.source), cell.source
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\(([\w./-]+)\)", cell.source):
                assert (FOLDER / link).exists(), f"{name} points to {link}"


@pytest.mark.parametrize("name", NAMES)
def test_the_base_install_will_do(name):
    tree = ast.parse("\n".join(cell.source for cell in code_cells(kept(name))))
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in ast.walk(tree):
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    assert {name.split(".")[0] for name in names} <= ALLOWED | sys.stdlib_module_names


def test_what_is_a_path():
    for text in ("see /tmp/x", "'/home/me/a.csv'", "C:\\Users", "lib/site-packages/x", "/work/a"):
        assert PATH.search(text), text
    for text in ("https://example.org/data/x", "../../datasets/a", "train/dev", "</tmp>", "1/2"):
        assert not PATH.search(text), text


def check_outputs(notebook):
    """Nothing went wrong, was said on the side, or names a place of this machine."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type in ("display_data", "execute_result"), output
            for kind, text in output.data.items():
                assert kind.startswith("image/") or not PATH.search(text), text


# The first notebook, another way.


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


@pytest.fixture(scope="module")
def drawn():
    """What the notebook draws, in its order: arrays by name, the mask, the factors of the loss."""
    rng = np.random.default_rng(3)
    arrays = {"query": rng.normal(size=(3, 2, 7)), "value": rng.normal(size=(3, 5, 7))}
    arrays |= {name: 0.5 * rng.normal(size=(7, 11)) for name in "WU"}
    arrays["v"] = rng.normal(size=11)
    return arrays, np.arange(5) < np.array([[5], [3], [0]]), rng.normal(size=(3, 2, 7))


def check_attention(notebook, drawn):
    """The weights, and the gradients by a complex step, which needs no differences."""
    arrays, mask, factors = drawn
    weights = {name: arrays[name] for name in "WUv"}
    alphas = plain_attention(arrays["query"], arrays["value"], mask, weights)[1][:, 0]
    for row, expected in zip(table(notebook, "weights").values(), alphas, strict=True):
        np.testing.assert_allclose(steps(row), expected, atol=6e-5)
        assert float(row["sum"]) == expected.any()
    assert [float(row["value"]) for row in table(notebook, "padding").values()] == [0, 0, 0]

    for name, row in table(notebook, "gradients").items():
        gradient = np.zeros(arrays[name].shape)
        for place in np.ndindex(gradient.shape):
            moved = {**arrays, name: arrays[name].astype(complex)}
            moved[name][place] += 1e-30j
            own = {letter: moved[letter] for letter in "WUv"}
            found, _ = plain_attention(moved["query"], moved["value"], mask, own)
            gradient[place] = (found * factors).sum().imag / 1e-30
        assert int(row["numbers"]) == gradient.size
        assert float(row["largest gradient"]) == pytest.approx(np.abs(gradient).max(), abs=6e-4)
        assert below(row["off finite differences"]) <= 1e-6
        assert below(row["off TensorFlow"]) <= 1e-12


def check_learning(notebook):
    """What each start learns, and what the layers make of it."""
    rows = table(notebook, "learnt")
    assert sorted(rows) == ["1", "2", "3"]
    for row in rows.values():
        # Of n numbers in -1 to 1, the mean less one of them: 1/3 (1 - 1/n), n from 2 to 5.
        expected = np.mean([(1 - 1 / n) / 3 for n in (2, 3, 4, 5)])
        assert float(row["error of equal weights"]) == pytest.approx(expected, abs=0.04)
        assert float(row["learnt"]) < 0.002
        hits, count = map(int, row["right step"].split(" of "))
        assert count == 500 and hits >= 490
        # Wilson's interval as the two rates from which the count is 1.96 deviations away.
        for rate in map(float, row["95 % interval"].split(" to ")):
            distance = abs(hits / count - rate)
            assert distance == pytest.approx(1.96 * (rate * (1 - rate) / count) ** 0.5, abs=2e-3)
    for row in table(notebook, "layers").values():
        assert max(below(row["found, off NumPy"]), below(row["weights, off NumPy"])) <= 1e-5
        nothing = row["largest weight of padding"], row["largest number found without words"]
        assert [*map(float, nothing)] == [0, 0]
    for row in table(notebook, "keras").values():
        assert below(row["ours and Keras differ"]) <= 1e-5
    rows = table(notebook, "keras-padding")
    own, theirs, own_empty, their_empty = map(steps, rows.values())
    assert own == pytest.approx(theirs, abs=2e-4) and own[3:] == [0, 0]
    assert own_empty == [0] * 5 and their_empty == [0.2] * 5
    assert [row["finite if padding is NaN"] for row in rows.values()] == ["True", "False"] * 2


def steps(row):
    return [float(row[f"step {place}"]) for place in range(1, 6)]


def check_lambda(notebook):
    """What the Lambda lacks, and the layer has: a weight that moves by its gradient, and stays."""
    said = value(notebook, "lambda")
    assert said["weights that the model knows"] == 0
    assert said["predict"].startswith("ValueError: ")
    assert said["scores of the first question"] != said["the same question once more"]
    assert said["fit, without a graph"] == "The model does not have any trainable weights."
    rows = table(notebook, "step")
    assert list(rows) == ["query_kernel", "value_kernel", "scale"]
    for row in rows.values():
        assert int(row["numbers that moved"]) == int(row["numbers"])
        assert float(row["largest move"]) > 0
        assert below(row["off rate times gradient by hand"]) <= 1e-5
    error, vector, answers = (float(row["value"]) for row in table(notebook, "saved").values())
    assert (vector, answers) == (0, 0) and error < 0.002


# The second notebook, another way.


def rows_of(part):
    with headline_tweets(part).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def check_data(notebook):
    """Counts of the files, and how a split by row tears the headlines."""
    for part, row in table(notebook, "sizes").items():
        pairs = rows_of(part)
        assert int(row["headlines"]) == len({pair["id_left"] for pair in pairs})
        assert int(row["tweets"]) == len({pair["id_right"] for pair in pairs})
        assert int(row["pairs"]) == len(pairs)
        assert int(row["about the headline"]) == sum(pair["label"] == "1" for pair in pairs)
    assert value(notebook, "own-file")["same pairs"] is True
    assert "no column 'Match'" in value(notebook, "own-file-error")

    ids = pd.Series([pair["id_left"] for part in ("train", "dev") for pair in rows_of(part)])
    shuffled = ids.sample(frac=1, random_state=7).tolist()
    cut = int(0.8 * len(ids))
    learnt, measured = set(shuffled[:cut]), set(shuffled[cut:])
    rows = table(notebook, "split")
    by_row, by_headline = rows["split by row"], rows["split by headline"]
    assert int(by_row["headlines measured"]) == len(measured)
    assert int(by_row["seen in training"]) == len(learnt & measured) > 100
    assert by_row["tweets of each"] == f"{(len(ids) - cut) / len(measured):.1f}"
    assert int(by_headline["headlines measured"]) == len(set(ids)) / 5
    assert by_headline["seen in training"] == by_headline["without a match"] == "0"
    assert f"{len(learnt & measured)} of {len(set(ids))}" in value(notebook, "split-warning")


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


def check_measures(notebook, found):
    """The table of the test part, from the scores behind it."""
    rng = np.random.default_rng(1)
    means = {}
    for name, row in table(notebook, "test").items():
        means[name], low, high = map(float, re.findall(r"\d\.\d+", row["AP"]))
        draws, near = (200, 0.005) if name == "bm25" else (1, 0.0006)  # BM25 has ties
        expected = np.mean([mean_ap(found, name, rng) for _ in range(draws)])
        assert means[name] == pytest.approx(expected, abs=near)
        assert low < means[name] < high < low + 0.2
    for row in table(notebook, "compared").values():
        expected = means["han"] - means[row["baseline"]]
        assert float(row["difference"]) == pytest.approx(expected, abs=0.0011)
        assert float(row["low"]) <= float(row["difference"]) <= float(row["high"])
        assert sum(int(row[what]) for what in ("wins", "ties", "losses")) == 60
    assert means["bm25"] + 0.1 < means["han"]
    orders = itertools.product([0, 1], repeat=10)  # the .371 of a random order
    chance = np.mean([average_precision(order) for order in orders if sum(order) == 2])
    assert round(chance, 3) == 0.371


def check_count(notebook, found):
    """The threshold by trying all of them, the rates by counting, the count by its formula."""
    scores, labels = np.array(found["dev"]), np.array(found["dev_labels"])

    def f1(threshold):
        yes = scores >= threshold
        return 2 * (yes & (labels == 1)).sum() / (yes.sum() + labels.sum())

    row, threshold = table(notebook, "threshold")["on dev"], found["threshold"]
    assert float(row["threshold"]) == pytest.approx(threshold, abs=6e-4)
    assert float(row["F1"]) == pytest.approx(max(map(f1, scores)), abs=6e-4)
    known, truth = np.array(found["known"]), np.array(found["known_labels"])
    assert not found["torn"] and len(known) == 400
    yes = known >= threshold
    tpr, fpr = yes[truth == 1].mean(), yes[truth == 0].mean()
    rows = table(notebook, "count")
    assert float(rows["recall"]["share"]) == pytest.approx(tpr, abs=6e-4)
    assert float(rows["precision"]["share"]) == pytest.approx(truth[yes].mean(), abs=6e-4)
    stream = np.array(found["stream"])
    said = (stream >= threshold).sum()
    rows = table(notebook, "counted")
    assert float(rows["counted: those said yes"]["tweets"]) == said
    expected = np.clip((said - len(stream) * fpr) / (tpr - fpr), 0, len(stream))
    assert float(rows["estimated"]["tweets"]) == pytest.approx(expected, abs=0.06)
    assert float(rows["true"]["tweets"]) == 20 and len(stream) == 180


def check_ranking(notebook):
    rows = table(notebook, "ranked").values()
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert sorted(int(row["position"]) for row in rows) == list(range(8))
    assert {int(row["position"]) for row in rows if row["about"] == "True"} == {0, 1, 4, 7}
    saved = value(notebook, "saved")
    assert saved["rows"] == 600 and saved["columns"][-1] == "predictions"


def check_first(notebook, drawn):
    check_attention(notebook, drawn)
    check_learning(notebook)
    check_lambda(notebook)


def test_numbers_that_are_kept(drawn):
    check_first(kept(FIRST), drawn)
    check_data(kept(SECOND))
    check_ranking(kept(SECOND))


# They run.


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


@pytest.mark.slow
def test_the_first_runs(drawn, tmp_path, monkeypatch):
    check_first(executed(FIRST, "print(0)", tmp_path, monkeypatch)[0], drawn)


@pytest.mark.slow
def test_the_second_runs(tmp_path, monkeypatch):
    notebook, found = executed(SECOND, PROBE, tmp_path, monkeypatch)
    check_data(notebook)
    check_ranking(notebook)
    check_measures(notebook, found)
    check_count(notebook, found)
