"""`train` and `models`."""

from types import SimpleNamespace

import pandas as pd
from cli_calls import good, ir_attention, mistake, written


def test_models_shows_everything_that_trains():
    from ir_attention.training.settings import CLASSIFIERS, MODELS

    lines = good("models").stdout.splitlines()[1:]
    known = dict(sorted({**MODELS, **CLASSIFIERS}.items()))
    assert [line.split()[0] for line in lines] == list(known)
    assert [line.split()[1] for line in lines] == [kind for kind, _ in known.values()]


def test_weights_are_as_many_as_models_says(toy_trained, toy_bi):
    shown = {line.split()[0]: line.split()[2] for line in good("models").stdout.splitlines()[1:]}
    for trained in (toy_trained[0], toy_bi):
        assert shown[trained.bundle.model] == f"{trained.bundle.settings['parameters']:,}"


def test_train_writes_a_bundle_that_ranks(tmp_path, toy_pairs):
    own = {"text_left": "Query Headline", "text_right": "Document Headline", "label": "Match"}
    frame = toy_pairs.rename(columns=own)[list(own.values())]
    path, out = written(frame, tmp_path / "own.csv"), tmp_path / "models" / "words"
    named = ("--query", "Query Headline", "--document", "Document Headline", "--label", "Match")
    result = good("train", path, "--out", out, "--model", "bm25", "--measure", "RR", *named)
    assert result.stdout == ""
    said = result.stderr.splitlines()
    assert said[0].startswith("no dev pairs were given: 5 of 48 queries")
    assert "dev RR" in said[-2]
    assert said[-1] == f"wrote {out}"
    assert good("rank", out, "flood", input="comet\nflood\n").stdout.startswith("1\t")
    assert "bm25 has no attention" in mistake("explain", out, "q", "d")
    assert "exists already" in ir_attention("train", path, "--out", out, *named).stderr
    good("train", path, "--out", out, "--model", "bm25", "--overwrite", *named)


def test_train_hands_on_what_it_is_told(tmp_path, toy_pairs, monkeypatch):
    given = {}

    def train(*pairs, **options):
        given.update(options, pairs=pairs)
        return SimpleNamespace(interrupted=False)

    monkeypatch.setattr("ir_attention.training.fitting.train", train)
    path = written(toy_pairs, tmp_path / "pairs.csv")
    good(*("train", path, "--dev", path, "--out", "b", "--vectors", "v.txt", "--seed", 3),
         *("--epochs", 2, "--one-sentence", "--overwrite", "--set", "loss=hinge"),
         *("--set", "learning-rate=1e-4", "--set", "patience=3"))  # fmt: skip
    del given["say"]
    train_pairs, dev_pairs = given.pop("pairs")
    pd.testing.assert_frame_equal(train_pairs, dev_pairs)
    assert {
        name: str(value) if name in ("out", "vectors") else value for name, value in given.items()
    } == {
        "model": "han",
        "out": "b",
        "vectors": "v.txt",
        "seed": 3,
        "epochs": 2,
        "split_sentences": False,
        "overwrite": True,
        "loss": "hinge",
        "learning_rate": 1e-4,
        "patience": 3,
    }
    given.clear()
    good("train", path, "--out", "b")
    assert set(given) == {"pairs", "model", "out", "vectors", "seed", "say"}
