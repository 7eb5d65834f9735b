"""Bundles of `lexical`, `tfidf` and `minilm`: damaged or hostile ones are refused in a sentence."""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from ir_attention.bundle import Bundle
from ir_attention.errors import BundleError, DataError, MissingExtra
from ir_attention.ranking import Ranker
from ir_attention.scoring import minilm
from ir_attention.scoring.minilm import MiniLMScorer
from ir_attention.training import train


def silent(line):
    pass


@pytest.fixture(scope="module")
def bundles(toy_pairs):
    return {name: train(toy_pairs, model=name, say=silent).bundle for name in ("lexical", "tfidf")}


SPOILED = {
    "lexical, a short weight": (
        "lexical",
        lambda w, v, s: w.update(means=w["means"][1:]),
        r"means must have shape \(14,\)",
    ),
    "lexical, a weight gone": (
        "lexical",
        lambda w, v, s: w.pop("intercept"),
        "the weights must be",
    ),
    "lexical, a weight more": (
        "lexical",
        lambda w, v, s: w.update(more=w["means"]),
        "the weights must be",
    ),
    "lexical, scales of 0": (
        "lexical",
        lambda w, v, s: w.update(scales=0 * w["scales"]),
        "must be above 0",
    ),
    "lexical, other features": (
        "lexical",
        lambda w, v, s: s.update(lexical={"features": ["a"]}),
        "`features` must be the 14",
    ),
    "lexical, no settings": ("lexical", lambda w, v, s: s.pop("lexical"), "Received: None"),
    "lexical, odd settings": ("lexical", lambda w, v, s: s.update(lexical=[1]), "Received: None"),
    "lexical, no idf": ("lexical", lambda w, v, s: v.pop("idf"), "a vocabulary holds"),
    "tfidf, no idf": ("tfidf", lambda w, v, s: w.clear(), "a tfidf has the weight `idf`"),
    "tfidf, a short idf": (
        "tfidf",
        lambda w, v, s: w.update(idf=w["idf"][1:]),
        "`idf` must be from 1",
    ),
    "tfidf, idf of 0": ("tfidf", lambda w, v, s: w.update(idf=0 * w["idf"]), "from 1 to "),
    "tfidf, large idf": ("tfidf", lambda w, v, s: w.update(idf=1e300 * w["idf"]), "from 1 to "),
    "tfidf, no stems": ("tfidf", lambda w, v, s: v.update(stems="abc"), "a tfidf has the weight"),
    "tfidf, odd stems": (
        "tfidf",
        lambda w, v, s: v["stems"].__setitem__(0, 5),
        "must be texts that differ",
    ),
    "tfidf, a stem twice": (
        "tfidf",
        lambda w, v, s: v["stems"].__setitem__(0, v["stems"][1]),
        "must be texts that differ",
    ),
    "tfidf, odd texts": (
        "tfidf",
        lambda w, v, s: s.update(tfidf={"texts": 1.5}),
        "`texts` must be a whole number",
    ),
    "tfidf, negative texts": (
        "tfidf",
        lambda w, v, s: s.update(tfidf={"texts": -1}),
        "`texts` must be a whole number",
    ),
    "tfidf, no settings": ("tfidf", lambda w, v, s: s.pop("tfidf"), "a tfidf has the weight"),
    "minilm, no settings": (
        "lexical",
        lambda w, v, s: s.update(model="minilm"),
        "`minilm` must hold a `folder`",
    ),
    "minilm, an odd folder": (
        "lexical",
        lambda w, v, s: s.update(model="minilm", minilm={"folder": 5, "sha256": "a"}),
        "`minilm` must hold a `folder`",
    ),
    "minilm, no such folder": (
        "lexical",
        lambda w, v, s: s.update(model="minilm", minilm={"folder": "no\0", "sha256": "a"}),
        "a model of sentence-transformers is a folder",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_bundle_that_does_not_fit(bundles, tmp_path, name):
    model, spoil, message = SPOILED[name]
    bundle = bundles[model]
    weights = dict(bundle.weights)
    vocabulary, settings = json.loads(json.dumps([bundle.vocabulary, bundle.settings]))
    spoil(weights, vocabulary, settings)
    folder = Bundle(settings, vocabulary, weights).save(tmp_path / "spoiled")
    with pytest.raises(BundleError, match=message) as caught:
        Ranker.load(folder)
    assert str(caught.value).startswith(f"{folder}: ")


def test_numbers_that_are_too_large_for_a_score(bundles, tmp_path):
    """Each is finite, their sum is not: no NaN gets into a ranking."""
    lexical = bundles["lexical"]
    weights = {**lexical.weights, "coefficients": np.full(14, 1e308)}
    folder = Bundle(lexical.settings, lexical.vocabulary, weights).save(tmp_path / "large")
    with pytest.raises(BundleError, match="scores that are not finite"):
        Ranker.load(folder).rank("flood", ["a flood"])


# --- minilm, with letters for an encoder

WEIGHTS = b"the weights"
PARTS = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]


@pytest.fixture
def folder(tmp_path):
    """What `open` looks at of a model of sentence-transformers."""
    return made(
        tmp_path / "model", [(path, f"sentence_transformers.models.{k}") for path, k in PARTS]
    )


def made(folder, modules):
    folder.mkdir()
    listed = [{"idx": n, "path": path, "type": kind} for n, (path, kind) in enumerate(modules)]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    return folder


def by_letters(texts):
    """Counts of letters, of length 1."""
    counts = np.array([[text.count(letter) for letter in "abcdefghijklmnopq"] for text in texts])
    return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def asked(monkeypatch):
    """The texts that each call of the stub is given, and what it was opened with."""
    seen = {"texts": [], "opened": []}

    def encoder(folder, threads):
        seen["opened"].append((folder, threads))

        def encode(texts):
            seen["texts"].append(texts)
            return by_letters(texts)

        return encode

    monkeypatch.setattr(minilm, "_encoder", encoder)
    return seen


def test_minilm_goes_through_the_same_calls(toy_pairs, folder, asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "bundle"
    trained = train(toy_pairs, model="minilm", vectors="model", out=out, say=silent)
    assert trained.bundle.settings["minilm"] == {
        "folder": str(folder),
        "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
    }
    assert trained.bundle.weights == {}
    asked["texts"].clear()
    monkeypatch.chdir("/")
    ranker = Ranker.load(out, threads=2)
    assert asked["opened"] == [(folder, 1), (folder, 2)]
    left = ["bad \udc80cab", "gap", "gap", ""]
    right = ["cab bad", "bad", "cab bad", "gap"]
    scores = ranker._scores(left, right)
    texts = [["bad ?cab", "gap", "", "cab bad", "bad"]]
    assert asked["texts"] == texts  # each once
    expected = (by_letters([one.replace("\udc80", "?") for one in left]) * by_letters(right)).sum(1)
    np.testing.assert_allclose(scores, expected)
    assert scores[0] == pytest.approx(1) and scores[3] == 0
    assert len(ranker.rank("gap", [])) == 0


def test_many_pairs_of_few_texts(monkeypatch):
    monkeypatch.setattr(minilm, "_PAIRS", 3)
    scorer = MiniLMScorer(by_letters, folder="", sha256="")
    left, right = [["bad", "cab"][n % 2] for n in range(7)], ["bad"] * 7
    once = scorer.score(["bad", "cab"], ["bad", "bad"])
    np.testing.assert_array_equal(scorer.score(left, right), np.tile(once, 4)[:7])


def test_minilm_needs_a_folder(toy_pairs, tmp_path, asked):
    for vectors, message in (
        (None, r"give `vectors` \(--vectors\)"),
        (tmp_path / "nowhere", "a folder with modules.json and model.safetensors"),
        ({"a": [1.0]}, "must be a folder. Received: {"),
    ):
        with pytest.raises(DataError, match=message):
            train(toy_pairs, model="minilm", vectors=vectors, say=silent)
    assert not asked["opened"]


def test_weights_that_are_others_are_refused(toy_pairs, folder, asked, tmp_path):
    out = tmp_path / "bundle"
    train(toy_pairs, model="minilm", vectors=folder, out=out, say=silent)
    (folder / "model.safetensors").write_bytes(WEIGHTS + b"!")
    with pytest.raises(BundleError, match=r"its weights must be those .* of SHA-256"):
        Ranker.load(out)
    (folder / "model.safetensors").unlink()
    with pytest.raises(BundleError, match="Received: 1 places of weights"):
        Ranker.load(out)
    os.mkdir(folder / "model.safetensors")
    with pytest.raises(BundleError, match="a folder with modules.json and model.safetensors"):
        Ranker.load(out)
    assert len(asked["opened"]) == 1


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ([("", "os.system")], r"must be the library's .* and Normalize\. Received: 'os"),
        ([("", "sentence_transformers.evil.Transformer")], "modules must be"),
        ([("", "sentence_transformers.models.Transformer.Transformer")], "modules must be"),
        ([("", ["sentence_transformers.models.Transformer"])], "modules must be"),
        ([("", "sentence_transformers.models.Dense")], "modules must be"),
        ([("", "sentence_transformers_own.Transformer")], "modules must be"),
        ([("", 5)], "modules must be"),
        ([("../model", "sentence_transformers.models.Transformer")], "must lie in the folder"),
        ([("/etc", "sentence_transformers.models.Transformer")], "must lie in the folder"),
        ([(None, "sentence_transformers.models.Transformer")], "must lie in the folder"),
        ([("0", "sentence_transformers.models.Transformer")], "1 places of weights"),
        ([("0" * 5000, "sentence_transformers.models.Transformer")], "1 places of weights: ..00"),
        ([("\0", "sentence_transformers.models.Transformer")], "1 places of weights"),
        ([], "0 places of weights"),
    ],
)
def test_a_folder_that_could_run_something(tmp_path, asked, modules, message):
    with pytest.raises(DataError, match=message):
        MiniLMScorer.open(made(tmp_path / "model", modules))
    assert not asked["opened"]


def test_names_of_modules_since_they_moved(tmp_path, asked):
    """As sentence-transformers 6.2 writes them."""
    home = "sentence_transformers"
    modules = [
        ("", f"{home}.base.modules.transformer.Transformer"),
        ("1_Pooling", f"{home}.sentence_transformer.modules.pooling.Pooling"),
        ("2_Normalize", f"{home}.base.modules.normalize.Normalize"),
    ]
    scorer = MiniLMScorer.open(made(tmp_path / "model", modules))
    assert scorer.sha256 == hashlib.sha256(WEIGHTS).hexdigest()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"type": 1}', b"[" * 10_000, b"\xff"])
def test_modules_that_are_no_list_of_modules(folder, asked, content):
    (folder / "modules.json").write_bytes(content)
    with pytest.raises(DataError, match="a folder with modules.json and model.safetensors"):
        MiniLMScorer.open(folder)


def test_without_sentence_transformers(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ir_attention\[bench\]'"):
        MiniLMScorer.open(folder)


def test_the_model_itself(toy_pairs, tmp_path):
    """With IR_ATTENTION_MINILM, the folder of all-MiniLM-L6-v2."""
    pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    home = os.environ.get("IR_ATTENTION_MINILM", "")
    if not Path(home, "modules.json").is_file():
        pytest.skip("IR_ATTENTION_MINILM names no folder of all-MiniLM-L6-v2")
    import torch
    from sentence_transformers import SentenceTransformer

    threads = torch.get_num_threads()
    train(toy_pairs, model="minilm", vectors=home, out=tmp_path / "minilm", say=silent)
    ranker = Ranker.load(tmp_path / "minilm")
    documents = ["A cat is asleep.", "Stocks fell", "", "two kittens napping"]
    ranked = ranker.rank("a sleeping cat", documents)
    assert ranked["position"].tolist()[:2] == [0, 3]
    theirs = SentenceTransformer(home, device="cpu")
    expected = theirs.similarity(
        theirs.encode(["a sleeping cat"]), theirs.encode(ranked["document"].tolist())
    )
    np.testing.assert_allclose(ranked["score"], expected[0], atol=1e-5)
    assert torch.get_num_threads() == threads
