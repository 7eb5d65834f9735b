"""The benchmark: what is asked of it, single runs, and the script."""

import gzip
import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ir_attention.benchmark import plan as plan_module
from ir_attention.benchmark import single
from ir_attention.benchmark.config import wanted
from ir_attention.benchmark.jobs import jobs_of
from ir_attention.benchmark.plan import VARIANTS, content_sum, key_of, parts_in, rows_of, seeds_of
from ir_attention.benchmark.single import _pairs_of_an_epoch, run_one
from ir_attention.benchmark.store import read_results
from ir_attention.errors import DataError
from ir_attention.evaluation import read_run
from ir_attention.evaluation.measures import evaluate_quietly
from ir_attention.models.recipes import BASELINES
from ir_attention.training.fitting import train
from ir_attention.training.settings import filled

_GIVEN = ("data", "columns", "measures", "budget", "vectors")

SCRIPT = Path(__file__).parents[1] / "pipelines" / "benchmark.py"
DOCS = Path(__file__).parents[1] / "docs" / "benchmark.md"


@pytest.fixture
def data(toy_pairs, tmp_path):
    """A folder of three parts, the toy pairs each; `dev` is packed."""
    folder = tmp_path / "data"
    folder.mkdir()
    text = toy_pairs.to_csv(sep="\t", index=False).encode()
    (folder / "train.tsv").write_bytes(text)
    (folder / "dev.tsv.gz").write_bytes(gzip.compress(text))
    (folder / "test.tsv").write_bytes(text)
    return folder


# What is asked


def test_rows():
    rows = rows_of(["han", "han:no-matches", "bm25", "dssm", "conv-knrm", "han"])
    assert [row.name for row in rows] == ["han", "han:no-matches", "bm25", "dssm", "conv-knrm"]
    assert rows[1].options == {"match_features": False} and rows[1].folder == "han--no-matches"
    assert rows[1].label == "han, without match features"
    assert [row.takes_vectors for row in rows] == [True, True, False, False, True]
    assert [row.takes_budget for row in rows] == [True, True, False, True, True]
    assert [seeds_of(row, 3) for row in rows[1:4]] == [[7, 8, 9], [7], [7, 8, 9]]
    assert len(rows_of(VARIANTS)) == len(VARIANTS)


def key(row, **changes):
    plain = {"data": {"test": "0"}, "columns": {}, "measures": ["AP"], "budget": 9.0}
    return key_of(row, 7, **{**plain, "vectors": None, **changes})


def test_the_key_has_what_a_run_depends_on():
    han, bm25, dssm = rows_of(["han", "bm25", "dssm"])
    plain = key(han)
    assert json.loads(json.dumps(plain)) == plain
    for changes in (
        {"data": {"test": "1"}},
        {"columns": {"label": "x"}},
        {"measures": ["AP", "RR"]},
        {"budget": 8.0},
        {"vectors": "5a"},
    ):
        (name,) = changes
        odd = key(han, **changes)
        assert {part for part in plain if odd[part] != plain[part]} == {name}
    assert key_of(han, 8, **{name: plain[name] for name in _GIVEN}) == {**plain, "seed": 8}
    assert key(bm25) == key(bm25, budget=None) and key(bm25)["settings"] == {"measure": "AP"}
    assert key(dssm)["recipe"]["parameters"]["mlp_num_layers"] == 3 and plain["recipe"] is None
    # Whether an option is the default or was typed, it is the same run; any other is not.
    assert key(replace(han, options={"queries": 16})) == plain
    assert key(replace(han, options={"queries": 17})) != plain


def test_another_default_is_another_run(monkeypatch):
    """As if the package had been changed between two calls."""
    rows = rows_of(["han", "bm25", "dssm"])
    before = [key(row) for row in rows]

    def changed(settings, model):
        return replace(filled(settings, model), dropout=0.5)

    monkeypatch.setattr(plan_module, "filled", changed)
    assert [key(row) == old for row, old in zip(rows, before, strict=True)] == [False, True, False]
    monkeypatch.undo()
    recipe = replace(BASELINES["dssm"], groups=33)
    monkeypatch.setitem(BASELINES, "dssm", recipe)
    assert [key(row) == old for row, old in zip(rows, before, strict=True)] == [True, True, False]


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "", ".x", "a\\b", "a\x00", "a:", "x" * 61])
def test_a_name_cannot_leave_the_folder(name):
    with pytest.raises(DataError, match="the name of a row must be"):
        rows_of([name], {name: ("bm25", {}, "x")})


@pytest.mark.parametrize(
    ("names", "variants", "message"),
    [
        ([], {}, "must name one at least"),
        (["bert"], {}, "no model is called 'bert'"),
        (["a"], {"a": ("han", {"wide": 3}, "a")}, "a: no setting is called 'wide'"),
        (["a"], {"a": ("han", {"epochs": 0}, "a")}, "a: `epochs` must be"),
        (["a"], {"a": ("han", {"budget": 9}, "a")}, "a budget is no option of a row"),
        (["a"], {"a": ("bm25", {"match_features": False}, "a")}, "bm25 takes the options measure"),
        (["a"], {"a": ("han-bi", {"query_side": False}, "a")}, "han-bi takes .*: query_side"),
        (["a"], {"a": ("dssm", {"width": 9}, "a")}, "dssm takes .* Received: width"),
        (["a"], {"a": ("han", {"overwrite": True}, "a")}, "Received: overwrite"),
        (["A", "a"], {"A": ("han", {}, "A"), "a": ("han", {}, "a")}, "share a folder"),
    ],
)
def test_rows_that_cannot_be(names, variants, message):
    with pytest.raises(DataError, match=message):
        rows_of(names, variants)


def test_the_parts_of_a_folder(data):
    found = parts_in(data)
    assert found.title == "data" and found.files["dev"].name == "dev.tsv.gz"
    assert len({content_sum(path) for path in found.files.values()}) == 1  # packed or not
    (data / "test.csv").touch()
    with pytest.raises(DataError, match=r"one file of the test pairs.*test.csv, test.tsv"):
        parts_in(data)
    with pytest.raises(DataError, match="must be a folder"):
        parts_in(data / "train.tsv")


def test_a_file_of_ones_own(data, tmp_path):
    (tmp_path / "own.toml").write_text(
        'title = "Mine"\ntrain = "data/train.tsv"\ndev = "data/dev.tsv.gz"\n'
        'test = "data/test.tsv"\nmodels = ["wide", "bm25"]\nmeasures = ["nDCG@3"]\nbudget = 5\n'
        'against = "wide"\nvectors = "vectors"\nbudgets = { wide = 7.5 }\n'
        '[columns]\ntext_left = "Headline"\n'
        '[variants.wide]\nmodel = "han"\nlabel = "wide han"\noptions = { width = 256 }\n'
    )
    plan = wanted({"seeds": 2, "models": None}, tmp_path / "own.toml")
    assert plan.data.title == "Mine" and plan.data.columns == {"text_left": "Headline"}
    assert plan.data.files["train"] == tmp_path / "data/train.tsv"
    assert [(row.name, row.label, row.options) for row in plan.rows] == [
        ("wide", "wide han", {"width": 256}),
        ("bm25", "bm25", {}),
    ]
    assert (plan.measures, plan.seeds, plan.budget) == (["nDCG@3"], 2, 5.0)
    assert [plan.budget_of(row) for row in plan.rows] == [7.5, 5.0]
    assert plan.vectors == tmp_path / "vectors"
    # What is typed wins.
    plan = wanted({"data": data, "budget": 9.0}, tmp_path / "own.toml")
    assert [plan.budget_of(row) for row in plan.rows] == [9.0, 9.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models = ", "must be a TOML file"),
        ('modles = ["han"]', "must have no keys but .* Received: modles"),
        ('models = "han"', "models must be a list"),
        ("models = [1]", "models must be a list of names"),
        ("seeds = true", "seeds must be a whole number"),
        ("seeds = 1.5", "seeds must be a whole number"),
        ('train = "a.tsv"', "must name train, dev and test"),
        ('title = "a"', "title is for files that it names itself"),
        ('train = "a"\ndev = "a"\ntest = "a"\ncolumns.label = 1', "columns must name columns"),
        ("variants.a = 1", "variants.a must be a table with a model"),
        ('variants.a = { model = "han", width = 3 }', "variants.a: must have no keys but"),
        ('variants.han = { model = "bm25" }', "a name that no row has yet"),
        ('variants."han:no-matches" = { model = "bm25" }', "a name that no row has yet"),
        ('vectors = "a\\u0000"', "vectors must have no character U"),
        ('variants."../a".model = "han"\nmodels = ["../a"]', "the name of a row must be"),
        ('models = ["han"]\nmeasures = ["MAPP"]', "no measure of that name"),
        ('models = ["han"]\nbudget = -1', "--budget"),
        ('models = ["han"]\nbudgets = { han = 0 }', "--budget: must be CPU seconds, above 0"),
        ('models = ["han"]\nbudgets = { han = "9" }', "han must be a number"),
        ('models = ["han"]\nbudgets = { bm25 = 9 }', "trained in epochs, han. Received: bm25"),
        ('models = ["han"]\nagainst = "bm25"', "--against: must be one of the rows"),
    ],
)
def test_a_file_that_cannot_be(data, tmp_path, text, message):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(DataError, match=message):
        wanted({"data": data}, tmp_path / "own.toml")


def test_a_file_with_a_byte_order_mark(data, tmp_path):
    (tmp_path / "own.toml").write_bytes(b'\xef\xbb\xbfmodels = ["bm25"]\n')
    assert [row.name for row in wanted({"data": data}, tmp_path / "own.toml").rows] == ["bm25"]


def test_the_example_of_the_docs(tmp_path):
    example = DOCS.read_text().split("```toml\n")[1].split("```")[0]
    (tmp_path / "newsroom.toml").write_text(example)
    plan = wanted({}, tmp_path / "newsroom.toml")
    assert [row.name for row in plan.rows] == ["han", "han-wide", "conv-knrm", "bm25"]
    assert plan.rows[1].options == {"width": 256, "epochs": 10}
    assert (plan.measures[0], plan.seeds, plan.budget) == ("nDCG@5", 5, 300.0)


# What is done


def test_one_run_and_going_on(data, toy_pairs, tmp_path):
    out = tmp_path / "out"
    plan = wanted({"data": data, "models": "bm25,tfidf,minilm", "seeds": 2})
    jobs, skipped = jobs_of(plan, out, command="python x")
    assert [(job["row"]["name"], job["seed"]) for job in jobs] == [("bm25", 7), ("tfidf", 7)]
    assert skipped == {"minilm": "no folder of the model was given (--minilm)"}
    facts = run_one(json.loads(json.dumps(jobs[0])))
    left, _ = jobs_of(plan, out, command="python x", say=(said := []).append)
    assert [job["row"]["name"] for job in left] == ["tfidf"] and said == ["bm25, seed 7: complete"]
    assert len(jobs_of(plan, out, command="python x", again=True)[0]) == 2
    # The run gives these measures once more, and holds ids, not texts.
    found = read_results(out)["bm25"][7]
    run = read_run(out / "runs/bm25/7/run.trec.gz")
    again = evaluate_quietly(run, toy_pairs, plan.measures, only_mixed=True)
    assert again.measures == pytest.approx(facts["measures"])
    assert found.per_query["AP"].mean() == pytest.approx(facts["measures"]["AP"])
    for path in (out / "runs/bm25/7").iterdir():
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert b"talk again" not in content and str(tmp_path).encode() not in content
    assert facts["peak_mib"] > 10 and facts["pairs_scored_per_cpu_second"] > 0


def test_what_a_training_is_given(data, toy_pairs, tmp_path, monkeypatch):
    """`train` gets the pairs, shuffled, and all that the job says; a bm25 trains in its place."""
    given = []

    def fake(*pairs, model, seed, vectors, say, **options):
        given.append((pairs, {"model": model, "seed": seed, "vectors": vectors, **options}))
        return train(*pairs, model="bm25", say=say)

    positive = toy_pairs.head(1).assign(id_left="all-relevant", label=1)
    (pd.concat([toy_pairs, positive])).to_csv(data / "test.tsv", sep="\t", index=False)
    (tmp_path / "vectors.txt").write_text("talk 1 0\n")
    (tmp_path / "own.toml").write_text(
        'variants.mine = { model = "han", options = { width = 16, epochs = 2 } }\n'
    )
    vectors = tmp_path / "vectors.txt"
    asked = {"data": data, "models": "mine", "seeds": 2, "budget": 9, "vectors": vectors}
    jobs, _ = jobs_of(wanted(asked, tmp_path / "own.toml"), tmp_path / "out", command="")
    monkeypatch.setattr(single, "train", fake)
    monkeypatch.setattr(single, "_import_ahead", lambda model: None)
    facts = run_one(json.loads(json.dumps(jobs[1])))
    (((first, second), options),) = given
    assert options == {
        **{"model": "han", "seed": 8, "vectors": str(vectors), "budget": 9.0},
        **{"width": 16, "epochs": 2},
    }
    by_text = ["text_left", "text_right"]
    for part in (first, second):
        labels = list(part["label"])
        assert labels != list(toy_pairs["label"]) and labels != sorted(labels, reverse=True)
        pd.testing.assert_frame_equal(
            part.sort_values(by_text, ignore_index=True)[[*by_text, "label"]],
            toy_pairs.sort_values(by_text, ignore_index=True)[[*by_text, "label"]],
        )
    # A query with nothing to be wrong about is scored, and not measured.
    assert (facts["queries"], facts["test_pairs"]) == (48, len(toy_pairs) + 1)
    found = read_results(tmp_path / "out")["mine"][8]
    assert len(found.per_query) == 48 and "all-relevant" not in found.per_query.index
    assert facts["key"]["settings"]["width"] == 16 and len(facts["code"]) == 12
    assert facts["commit"] is None or re.fullmatch("[0-9a-f]{12}[+]?", facts["commit"])


def test_parts_that_cannot_be_measured(data, toy_pairs, tmp_path):
    toy_pairs.assign(label=1).to_csv(data / "test.tsv", sep="\t", index=False)
    plan = wanted({"data": data, "models": "bm25"})
    with pytest.raises(DataError, match="test.tsv: must have a query with a relevant document"):
        jobs_of(plan, tmp_path / "out", command="")
    assert not (tmp_path / "out").exists()


def test_pairs_of_an_epoch(toy_pairs):
    row = {"options": {}}
    # 48 queries with 2 relevant documents and 3 others each.
    assert _pairs_of_an_epoch(toy_pairs, {**row, "model": "han"}) == 48 * 5
    assert _pairs_of_an_epoch(toy_pairs, {**row, "model": "knrm"}) == 96 * 2  # hinge: 1 other
    assert _pairs_of_an_epoch(toy_pairs, {**row, "model": "dssm"}) == 96 * 5  # softmax: 4 others
    few = {"model": "han", "options": {"candidates": 3}}
    assert _pairs_of_an_epoch(toy_pairs, few) == 48 * 3
    assert _pairs_of_an_epoch(toy_pairs, {**row, "model": "bm25"}) is None


# The script


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("benchmark_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--out: must name"),
        (["--out", "x"], "--data: must name a folder"),
        (["--out", "x", "--data", "nowhere"], "--data: must be a folder"),
        (["--out", "x", "--data", "data"], "--models: must name one"),
        (["--out", "x", "--data", "data", "--models", " ,"], "--models: must name one"),
        (["--out", "x", "--data", "data", "--models", "han,bert"], "'bert'"),
        (["--out", "x", "--data", "data", "--models", "han", "--seeds", "0"], "--seeds"),
        (["--out", "x", "--data", "data", "--models", "han", "--seeds", "many"], "--seeds"),
        (["--out", "x", "--data", "data", "--models", "han", "--budget", "nan"], "--budget"),
        (["--out", "x", "--data", "data", "--models", "han", "--vectors", "no"], "no: cannot be"),
        (["--out", "x", "--data", "data", "--models", "han", "--jobs", "0"], "--jobs"),
        (["--out", "data", "--data", "data", "--models", "han"], "--out: must be a new folder"),
        (["--mdoels", "han"], "--mdoels"),
    ],
)
def test_wrong_arguments(script, data, monkeypatch, arguments, message):
    monkeypatch.chdir(data.parent)
    monkeypatch.setattr(sys, "argv", ["benchmark.py", *arguments])
    with pytest.raises(DataError, match=message):
        script.main()
    assert not (data.parent / "x").exists()


def test_nothing_ran(script, data, monkeypatch, capsys):
    monkeypatch.chdir(data.parent)
    arguments = ["--data", "data", "--models", "minilm", "--out", "x"]
    monkeypatch.setattr(sys, "argv", ["x", *arguments])
    assert script.main() == 1
    said = capsys.readouterr()
    assert said.err == "minilm: skipped: no folder of the model was given (--minilm)\n"
    assert said.out == ""


@pytest.mark.slow
def test_from_end_to_end(data):
    own = data.parent / "own.toml"
    own.write_text('variants.bad = { model = "dssm", options = { learning_rate = 1e30 } }\n')
    arguments = ["--data", "data", "--config", own, "--seeds", 2, "--budget", 2, "--out", "out"]

    def run(models):
        command = [sys.executable, SCRIPT, *arguments, "--models", models]
        return subprocess.run(
            [*map(str, command)], capture_output=True, text=True, cwd=data.parent, timeout=300
        )

    first = run("bad,bm25,dssm")
    assert first.returncode == 1 and "bad, seed 7: failed" in first.stderr
    assert "try a smaller learning_rate" in first.stderr and "Traceback" not in first.stderr
    assert "Not complete: bad: a run of it failed." in first.stdout
    second = run("bm25,dssm,tfidf")
    assert second.returncode == 0, second.stderr
    assert second.stderr.splitlines()[:3] == [
        *("bm25, seed 7: complete", "dssm, seed 7: complete", "dssm, seed 8: complete")
    ]
    frame = pd.read_csv(data.parent / "out/table.csv")
    assert frame["row"].tolist() == ["bm25", "tfidf", "dssm"]
    assert frame["seeds"].tolist() == [1, 1, 2]
    wrong = run("bert")
    assert wrong.returncode == 1 and len(wrong.stderr.splitlines()) == 1
    assert wrong.stderr.startswith("Error: no model is called 'bert'.")
