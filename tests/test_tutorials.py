"""The notebooks of `docs/tutorials`: what is kept of them is clean, they run, and show the truth.

Numbers that they show are found here in another way. Those that hang on no long training are
checked in the kept outputs too.
"""

import ast
import csv
import itertools
import json
import re
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest
from notebooks import (
    ALLOWED,
    FOLDER,
    LARGEST,
    NAMES,
    PATH,
    average_precision,
    below,
    check_outputs,
    code_cells,
    executed,
    kept,
    mean_ap,
    plain_attention,
    shown,
    steps,
    table,
    value,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from ir_attention.data import film_reviews, headline_tweets

FIRST, SECOND = "1_additive_attention", "2_headline_to_tweet"
THIRD, FOURTH = "3_hierarchical_attention", "4_attention_family"

PROBE = """
import json
lists = {"queries": test["id_left"], "labels": test["label"], "dev": dev_scores}
lists |= {"dev_labels": dev["label"], "known": known["score"], "known_labels": known["label"]}
lists |= {"stream": stream["score"], **{name: run["score"] for name, run in runs.items()}}
torn = sorted({*known["id_left"]} & {*stream["id_left"]})
found = {name: one.tolist() for name, one in lists.items()}
print(json.dumps({**found, "torn": torn, "threshold": threshold.value}))
"""

SAID = """
import json
print(json.dumps({name: found.tolist() for name, found in said.items()}))
"""


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


# The first notebook, another way.


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


# The third and the fourth.


def check_reviews(notebook):
    """Counts of the files; what is learnt from a hundred reviews, and what from five steps."""
    parts = {part: pd.read_csv(film_reviews(part)) for part in ("train", "test")}
    rows = table(notebook, "sizes")
    counts = {name: (int(row["reviews"]), int(row["good"])) for name, row in rows.items()}
    assert counts == {"train": (60, 30), "dev": (20, 10), "test": (40, 20)}
    rows = table(notebook, "settings")
    many, few = rows["as of many"], rows["by itself"]
    assert int(many["steps"]) <= 5 and int(few["steps"]) > 60 and int(few["steps"]) % 8 == 0
    first, last = (float(many[f"loss, {which} epoch"]) for which in ("first", "last"))
    assert (first, last) == pytest.approx((np.log(2), np.log(2)), abs=0.06)
    assert float(few["loss, last epoch"]) < 0.3
    for name in ("probabilities of the test reviews", "weights of the sentences above"):
        assert below(table(notebook, "by-hand")[name]["off by hand"]) <= 1e-4

    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10))
    found = model.fit(parts["train"]["text"], parts["train"]["label"]).predict(
        parts["test"]["text"]
    )
    rows = table(notebook, "test")
    right = (found == parts["test"]["label"]).mean()
    assert float(rows["TF-IDF, linear"]["accuracy"]) == pytest.approx(right, abs=6e-4)
    for name, row in rows.items():
        low, high = map(float, row["95 % interval"].split(" to "))
        starts = [float(share) for share in row["starts"].split()]
        assert len(starts) == (1 if "linear" in name else 3)
        assert float(row["accuracy"]) == pytest.approx(np.mean(starts), abs=1.1e-3)
        assert low < float(row["accuracy"]) < high < low + 0.35 and min(starts) > 0.6


def check_why(notebook):
    """Effects, weights of sentences; of IMDb there are numbers alone, or a sentence."""
    rows = table(notebook, "sentences")
    assert len(rows) == 4
    assert sum(float(row["weight"]) for row in rows.values()) == pytest.approx(1, abs=0.025)
    effects = [abs(float(row["effect"])) for row in table(notebook, "explained").values()]
    assert effects == sorted(effects, reverse=True)
    means = {name: float(row["mean"]) for name, row in table(notebook, "erased").items()}
    largest, most, chance, share = means.values()
    assert largest >= most > chance and 0 <= share < 0.5
    rows = [float(row["film_reviews"]) for row in table(notebook, "sure").values()]
    assert 0.5 < rows[0] < 1 and all(0 < share <= 1 for share in rows)
    assert rows[1] == pytest.approx(float(table(notebook, "test")["HN-ATT"]["accuracy"]), abs=1e-3)
    cell = next(one for one in code_cells(notebook) if "imdb" in one.metadata.get("tags", ()))
    (output,) = cell.outputs
    if "text/html" in output.data:
        rows = table(notebook, "imdb")
        assert all(re.fullmatch(r"\d+ of 1000", row["right"]) for row in rows.values())
        assert list(rows) == ["HN-ATT", "TF-IDF, linear"]
    else:
        assert "is not there" in shown(notebook, "imdb", "text/plain")


def check_family(notebook):
    """Weights by the equations; what the query decides; equal weights by their expectation."""
    flat = np.mean([1 / n for n in range(3, 9)])
    for tag, most in (("fixed", 9), ("asked", 3)):
        rows = table(notebook, tag)
        rows = {name: row for name, row in rows.items() if row["accuracy"]}
        assert len(rows) == most
        assert float(rows["mean"]["weight on it"]) == pytest.approx(flat, abs=0.02)
        for row in rows.values():
            low, high = map(float, row["95 % interval"].split(" to "))
            mean = np.mean([float(share) for share in row["starts"].split()])
            assert low <= float(row["accuracy"]) <= high
            assert float(row["accuracy"]) == pytest.approx(mean, abs=1.1e-3)
    asked = {name: float(row["accuracy"]) for name, row in rows.items()}
    best = asked.pop("by the query")
    assert best > 0.9 and best > max(asked.values()) + 0.05
    for row in table(notebook, "formulas").values():
        assert below(row["weights, off the equation"]) <= 1e-5
        assert float(row["largest weight of padding"]) == 0
    for row in table(notebook, "queries-formula").values():
        assert below(row["weights, off the equation"]) <= 1e-5


def check_first(notebook, drawn):
    check_attention(notebook, drawn)
    check_learning(notebook)
    check_lambda(notebook)


def test_numbers_that_are_kept(drawn):
    check_first(kept(FIRST), drawn)
    check_data(kept(SECOND))
    check_ranking(kept(SECOND))
    check_reviews(kept(THIRD))
    check_why(kept(THIRD))
    check_family(kept(FOURTH))


# They run.


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


@pytest.mark.slow
def test_the_third_runs(tmp_path, monkeypatch):
    notebook, said = executed(THIRD, SAID, tmp_path, monkeypatch)
    check_reviews(notebook)
    check_why(notebook)
    truth = pd.read_csv(film_reviews("test"))["label"].to_numpy()
    for name, row in table(notebook, "test").items():
        assert float(row["accuracy"]) == pytest.approx((said[name] == truth).mean(), abs=6e-4)


@pytest.mark.slow
def test_the_fourth_runs(tmp_path, monkeypatch):
    check_family(executed(FOURTH, "print(0)", tmp_path, monkeypatch)[0])
