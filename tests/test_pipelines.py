"""The experiments run from end to end, on small data."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PIPELINES = Path(__file__).parents[1] / "pipelines"
pytestmark = pytest.mark.slow


def run(name, *arguments, cwd):
    done = subprocess.run(
        [sys.executable, PIPELINES / name, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_evaluation(toy_pairs, toy_trained, tmp_path):
    toy_pairs.to_csv(tmp_path / "pairs.csv", index=False)
    folder = toy_trained[0].folder
    printed = run("evaluation.py", folder, "pairs.csv", "--mixed", "--out", "run", cwd=tmp_path)
    assert printed.startswith("240 pairs, 48 queries measured\nAP ")
    written = pd.read_csv(tmp_path / "run/predictions.csv")
    pd.testing.assert_frame_equal(written[toy_pairs.columns], toy_pairs, check_dtype=False)
    # Each prediction stands beside its own pair, though candidates were shuffled.
    from ir_attention.ranking import Ranker

    expected = Ranker.load(folder).score(toy_pairs)["score"]
    assert (written["predictions"] - expected).abs().max() < 1e-5
    assert len((tmp_path / "run/run.trec").read_text().splitlines()) == 240


def test_headline_tweets_on_a_file_of_ones_own(toy_pairs, tmp_path):
    own = {"text_left": "Query Headline", "text_right": "Document Headline", "label": "Match"}
    toy_pairs.rename(columns=own).to_csv(tmp_path / "own.csv", index=False)
    columns = [f"{name}={header}" for name, header in own.items()]
    arguments = ["own.csv"] * 3 + ["--columns", *columns, "--epochs", 1, "--out", "out"]
    printed = run("headline_tweets.py", *arguments, cwd=tmp_path)
    assert "bm25, 48 queries" in printed and "han - bm25: AP " in printed
    written = pd.read_csv(tmp_path / "out/predictions.csv")
    assert written["text_right"].tolist() == toy_pairs["text_right"].tolist()
    from ir_attention.ranking import Ranker

    expected = Ranker.load(tmp_path / "out/han").score(toy_pairs)["score"]
    assert (written["predictions"] - expected).abs().max() < 1e-5
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("bm25", "han", "run.trec", "per_query.csv", "predictions.csv")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--columns", "text_left=Headline"], "Headline"),
        (["--columns", "foo"], "foo"),
        (["no-such-file.csv"], "no-such-file.csv"),
        (["--model", "bert"], "no model is called 'bert'"),
    ],
)
def test_headline_tweets_answers_in_a_sentence(tmp_path, arguments, message):
    command = [sys.executable, PIPELINES / "headline_tweets.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert message in done.stderr.splitlines()[-1]


def test_headline_tweets_is_short_enough_to_copy():
    assert len((PIPELINES / "headline_tweets.py").read_text().splitlines()) < 100


def test_headline_tweets_on_the_shipped_data(tmp_path):
    printed = run("headline_tweets.py", "--epochs", 1, cwd=tmp_path)
    assert "han, 60 queries" in printed
    assert len(pd.read_csv(tmp_path / "runs/headline_tweets/predictions.csv")) == 600


def test_bench_headlines(tmp_path):
    arguments = ["--models", "bm25", "han-bi", "--folds", 2, "--epochs", 1]
    row = json.loads(run("bench_headlines.py", *arguments, cwd=tmp_path).splitlines()[-1])
    assert row["queries"] == 200
    assert set(row["models"]) == {"bm25", "han-bi"}
    assert row["differences"][0]["run"] == "han-bi"


def test_bench_quality(toy_pairs, tmp_path):
    (tmp_path / "data/toy").mkdir(parents=True)
    for part in ("train", "dev", "test"):
        toy_pairs.to_csv(tmp_path / f"data/toy/{part}.tsv", sep="\t", index=False)
    printed = run(
        "bench_quality.py", "--data", "toy", "--seeds", 7, "--option", "epochs", 1, cwd=tmp_path
    )
    row = json.loads(printed.splitlines()[0])
    assert row["test_queries"] == 48 and 0 < row["test_AP"] <= 1
    assert "toy test_AP: mean " in printed


def test_bench_hierarchy(toy_pairs, tmp_path):
    folder = tmp_path / "data/toy"
    folder.mkdir(parents=True)
    documents = toy_pairs.drop_duplicates("id_right")
    corpus = pd.DataFrame({"_id": documents["id_right"], "text": documents["text_right"]})
    corpus.assign(title="").to_json(folder / "corpus.jsonl", orient="records", lines=True)
    queries = toy_pairs.drop_duplicates("id_left")[["id_left", "text_left"]]
    queries.columns = ["_id", "text"]
    queries.to_json(folder / "queries.jsonl", orient="records", lines=True)
    qrels = toy_pairs[["id_left", "id_right", "label"]]
    qrels.columns = ["query-id", "corpus-id", "score"]
    qrels.to_csv(folder / "qrels.tsv", sep="\t", index=False)
    printed = run(
        "bench_hierarchy.py", "--data", "toy", "--folds", 2, "--top", 20, "--steps", 2, cwd=tmp_path
    )
    rows = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert [row["run"] for row in rows] == ["bm25", "han", "han, flattened"]
    assert all(row["queries"] == 48 for row in rows)


def test_bench_pairs(toy_pairs, tmp_path):
    toy_pairs.to_csv(tmp_path / "pairs.csv", index=False)
    arguments = ["--pairs", "pairs.csv", "--skip", "conv-knrm", "--minilm", "no-such-folder"]
    arguments += ["--epochs", 1, "--peer-queries", 8, "--repeats", 1]
    printed = run("bench_pairs.py", *arguments, cwd=tmp_path)
    found = json.loads(printed.splitlines()[-1])
    assert set(found) == {
        *("bench", "repeats", "threads", "cores", "versions", "scoring", "training"),
        *("end_to_end", "ratios", "gemm", "floor", "skipped"),
    }
    # 24 queries with 5 documents each are scored, half to warm up; half of 24 are trained on.
    assert set(found["scoring"]) == {"han", "han-bi", "mv-lstm", "mv-lstm, forward"}
    assert {row["pairs"] for row in found["scoring"].values()} == {60}
    assert set(found["training"]) == {"han", "mv-lstm"}
    assert found["training"]["han"]["pairs"] == found["end_to_end"]["han"]["pairs"] == 120
    assert found["training"]["mv-lstm"]["pairs"] == 32  # 2 groups of 2 for each of 8 queries
    assert found["floor"].keys() == {
        f"{part}_{unit}" for part in ("scoring", "training") for unit in ("mflop", "percent")
    }
    assert found["skipped"] == {
        "conv-knrm": "left out by --skip",
        "minilm": "there is no folder no-such-folder",
    }
    assert "skipped: minilm: there is no folder no-such-folder" in printed


# Runs a script as where PyTorch is not installed.
WITHOUT_TORCH = """
import runpy, sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *given: None if name == "torch" else find(name, *given)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("torch", ["installed", "missing"])
def test_bench_encoder(tmp_path, torch):
    command, ways = [PIPELINES / "bench_encoder.py"], {"packed", "keras"}
    if torch == "installed":
        pytest.importorskip("torch")
        ways |= {"torch", "torch data"}
    else:
        command.insert(0, tmp_path / "without_torch.py")
        command[0].write_text(WITHOUT_TORCH)
    arguments = ["--texts", "tweets", "--batch", 16, "--repeats", 1]
    printed = run(*command, *arguments, cwd=tmp_path)
    assert "all ways agree" in printed
    assert ("torch: skipped, PyTorch is not installed" in printed) == (torch == "missing")
    found = json.loads(printed.splitlines()[-1])
    assert found["bench"] == "encoder" and found["cores"] > 0
    assert {"python", "numpy", "keras", "tensorflow"} <= set(found)
    assert bool(found["torch"]) == (torch == "installed")
    assert set(found["results"]) == {"tweets"}
    for what in ("training", "encoding"):
        measured = found["results"]["tweets"][what]
        assert set(measured) == {"matrix_gflops", "floor_ms", *ways}
        assert measured["packed"]["times_ours"] == 1
        assert all(
            set(measured[way])
            == {"cpu_ms", "wall_ms", "texts_per_cpu_s", "of_the_floor", "times_ours"}
            for way in ways
        )


def test_bench_faithfulness(toy_trained, toy_bi, tmp_path):
    arguments = ["--data", "headline_tweets", "--pairs", 9, "--turns", 1, "--out", "found"]
    for model, trained in (("han", toy_trained[0]), ("han-bi", toy_bi)):
        arguments += ["--bundle", model, "headline_tweets", trained.folder]
    printed = run("bench_faithfulness.py", *arguments, cwd=tmp_path)
    rows = [
        json.loads((tmp_path / "found" / f"{model}-headline_tweets.json").read_text())
        for model in ("han", "han-bi")
    ]
    assert json.loads(printed.splitlines()[-1]) == rows
    assert [(row["model"], row["pairs"]) for row in rows] == [("han", 9), ("han-bi", 9)]
    assert "| han, headline_tweets | attention | " in printed
    assert len([line for line in printed.splitlines() if line.startswith("|")]) == 12


def test_imdb_lstm(tmp_path):
    rng = np.random.default_rng(4)
    parts = {}
    for part in ("train", "test"):  # a word below 10 says what the label is
        labels = rng.integers(2, size=200)
        reviews = np.empty(200, object)
        for place, label in enumerate(labels):
            words = rng.integers(10, 30_000, size=rng.integers(1, 150))
            reviews[place] = [int(label) + 1, *words.tolist()]
        parts |= {f"x_{part}": reviews, f"y_{part}": labels}
    np.savez(tmp_path / "imdb.npz", **parts)
    printed = run("imdb_lstm.py", "imdb.npz", "--epochs", 8, "--seed", 8, cwd=tmp_path)
    lines = printed.splitlines()
    assert lines[0] == "162,417 weights"
    assert [line.split(":")[0] for line in lines[1:-1]] == [f"epoch {n}" for n in range(1, 9)]
    assert lines[-1].startswith("accuracy on test ")
    again = run("imdb_lstm.py", "imdb.npz", "--epochs", 1, "--seed", 8, cwd=tmp_path)
    assert again.splitlines()[1] == lines[1]
    rows = pd.DataFrame(
        {"text": ["So good<br />good, good.", "Bad and bad"] * 20, "label": [1, 0] * 20}
    )
    for part in ("train", "test"):
        rows.to_csv(tmp_path / f"{part}.csv.gz", index=False)
    lines = run("imdb_lstm.py", ".", "--epochs", 40, cwd=tmp_path).splitlines()
    assert lines[0] == "162,417 weights" and lines[-1].startswith("accuracy on test 1.0000")
    assert run("imdb_lstm.py", "none.npz", cwd=tmp_path).startswith("skipped: no none.npz")


def test_imdb_sentiment(tmp_path):
    rng = np.random.default_rng(5)
    for part in ("train", "test"):
        label = np.arange(60) % 2
        words = [("dreadful", "wonderful")[one] for one in label]
        text = [
            f"A {rng.choice(['film', 'plot'])}.<br />So {word}! {n}" for n, word in enumerate(words)
        ]
        frame = pd.DataFrame({"text": text, "label": label, "rating": label * 7 + 2})
        frame.to_csv(tmp_path / f"{part}.csv.gz", index=False)
    small = ["--data", ".", "--epochs", 1, "--poolings", "attention", "mean", "--seeds", 7, 8]
    printed = run("imdb_sentiment.py", *small, "--label", "rating", cwd=tmp_path)
    table = pd.read_csv(tmp_path / "results/imdb/rating/table.csv").set_index("model")
    assert list(table.index) == ["attention", "mean", "linear"]
    true = pd.read_csv(tmp_path / "test.csv.gz")["rating"].to_numpy()
    for name, seeds in (("attention", (7, 8)), ("mean", (7, 8))):
        found = [
            (np.loadtxt(tmp_path / f"results/imdb/rating/{name}-{seed}.txt", int) == true).mean()
            for seed in seeds
        ]
        assert table.loc[name, "accuracy"] == pytest.approx(np.mean(found))
        assert table.loc[name, "seeds"] == " ".join(f"{one:.4f}" for one in found)
    assert table.loc["linear", "accuracy"] == 1 and table["p"].notna().tolist() == [
        False,
        True,
        True,
    ]
    # What is there is not run again: the table alone is printed.
    again = run("imdb_sentiment.py", *small, "--label", "rating", cwd=tmp_path)
    assert again.splitlines() == printed.splitlines()[-4:]
    other = [sys.executable, PIPELINES / "imdb_sentiment.py", *map(str, small), "--label", "rating"]
    done = subprocess.run([*other, "--epochs", "2"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and "made with another settings" in done.stderr
    done = subprocess.run([*other, "--data", "no"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("Error: ")
