"""train: what it says, what it keeps, and that one seed gives one result."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ir_attention.bundle import Bundle
from ir_attention.errors import BundleError, DataError
from ir_attention.evaluation import evaluate
from ir_attention.ranking.ranker import Ranker
from ir_attention.training import train
from ir_attention.training.fitting import _fit
from ir_attention.training.settings import TrainingSettings


def test_leaves_a_bundle_a_history_and_notes(toy_trained):
    trained, said = toy_trained
    assert trained.history.columns.tolist() == ["epoch", "loss", "AP", "seconds"]
    assert trained.history["epoch"].tolist() == [1, 2]
    assert sorted(path.name for path in trained.folder.iterdir()) == [
        "README.md",
        "settings.json",
        "vocabulary.json",
        "weights.safetensors",
    ]
    settings = Bundle.load(trained.folder).settings
    assert (settings["model"], settings["seed"]) == ("han", 7)
    assert {"keras", "numpy", "ir_attention"} <= set(settings["versions"])
    assert any(line.startswith("no dev pairs were given: 5 of 48 queries") for line in said)
    assert sum(line.startswith("epoch ") for line in said) == 2
    assert set(trained.notes) <= set(said)


def test_the_card_holds_what_was_measured(toy_trained):
    trained, _ = toy_trained
    card = (trained.folder / "README.md").read_text()
    best = trained.history["AP"].max()
    assert f"AP {best:.4f}" in card and "Seed 7" in card


def test_the_dev_measure_is_what_the_ranker_gets(toy_pairs, toy_trained):
    from ir_attention.data import split_by_query

    trained, _ = toy_trained
    _, dev = split_by_query(toy_pairs, (0.9, 0.1), seed=7)
    run = Ranker.load(trained.folder).score(dev)
    result = evaluate(run, dev, ["AP"])
    assert result.measures["AP"] == pytest.approx(trained.history["AP"].max(), abs=1e-9)


class Scripted:
    """A learner whose weight is the number of the epoch, and whose dev scores are given."""

    notes = []

    def __init__(self, scores, losses=None):
        self.scores, self.losses, self.epochs, self.weight = scores, losses, len(scores), 0

    def fit_epoch(self, epoch):
        self.weight = epoch
        return self.losses[epoch - 1] if self.losses else 1.0

    def score_dev(self):
        return np.array(self.scores[self.weight - 1], float)

    def state(self):
        return [np.array(self.weight)]

    def restore(self, state):
        self.weight = int(state[0])


DEV = pd.DataFrame(
    {"id_left": ["q"] * 3, "id_right": ["a", "b", "b"], "label": [1, 0, 0]}  # b stands there twice
)
GOOD, FAIR, BAD = [3, 2, 1], [2, 3, 1], [1, 2, 3]  # AP 1, 1/2, 1/3


@pytest.mark.parametrize(
    ("scores", "best", "epochs"),
    [
        ([BAD, GOOD, FAIR, FAIR, GOOD], 2, 4),  # stops after two epochs without a better one
        ([BAD, FAIR, BAD, GOOD], 4, 4),
        ([GOOD, GOOD, GOOD, GOOD], 1, 3),  # equal is not better
    ],
)
def test_keeps_the_best_epoch(scores, best, epochs):
    learner, said = Scripted(scores), []
    history = _fit(learner, DEV, TrainingSettings(patience=2), said.append)
    assert learner.weight == best
    assert len(history) == epochs
    assert history["AP"].max() == pytest.approx({0: 1, 1: 1 / 2}[int(scores[best - 1] != GOOD)])
    assert said[-1].startswith(f"kept epoch {best}: ")


def test_a_loss_that_is_not_finite_ends_the_training():
    with pytest.raises(DataError, match="the loss of epoch 1 is nan: try a smaller"):
        _fit(Scripted([GOOD], [float("nan")]), DEV, TrainingSettings(), print)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "bert"}, "no model is called 'bert'. Known: bm25, "),
        ({"epoch": 3}, "no setting is called 'epoch'. Perhaps: epochs"),
        ({"epochs": 0}, "`epochs` must be a whole number of at least 1. Received: epochs=0"),
        ({"dropout": 1.0}, "`dropout` must be at least 0 and below 1. Received: dropout=1.0"),
        ({"loss": "bce"}, "`loss` must be softmax or hinge"),
        ({"patience": True}, "`patience` must be a whole number"),
        ({"split_sentences": "no"}, "`split_sentences` must be true or false. Received: .*'no'"),
        ({"measure": "APP"}, "no measure of that name"),
        ({"seed": -1}, "`seed` must be a whole number, 0 to .* Received: seed=-1"),
        ({"vectors": "no-such-file.txt"}, "no vectors at no-such-file.txt"),
    ],
)
def test_refuses_what_it_cannot_use(toy_pairs, arguments, message):
    with pytest.raises(DataError, match=message):
        train(toy_pairs, say=lambda line: None, **arguments)


def test_refuses_labels_of_one_class(toy_pairs):
    with pytest.raises(DataError, match="no query has both a relevant document and another"):
        train(toy_pairs.assign(label=1), toy_pairs, say=lambda line: None)


def test_refuses_an_output_that_exists_before_it_trains(toy_pairs, toy_trained):
    trained, _ = toy_trained
    with pytest.raises(BundleError, match="exists already"):
        train(toy_pairs, out=trained.folder, say=lambda line: pytest.fail("it trained"))


def test_the_callers_frame_is_left_alone(toy_pairs, toy_trained):
    assert toy_pairs.columns.tolist() == ["id_left", "text_left", "id_right", "text_right", "label"]
    assert toy_pairs.index.tolist() == list(range(240))


def test_bm25_goes_through_the_same_calls(toy_pairs, tmp_path):
    trained = train(toy_pairs, model="bm25", out=tmp_path / "bm25", say=lambda line: None)
    ranked = Ranker.load(trained.folder).rank("comet in Perth", ["a comet", "no", "Perth comet"])
    assert ranked["position"].tolist() == [2, 0, 1]
    assert ranked["score"].iloc[2] == 0


SCRIPT = """
import sys, hashlib, pandas as pd
from ir_attention.training import train
pairs = pd.read_json(sys.argv[1], lines=True)
trained = train(pairs, seed=int(sys.argv[2]), epochs=2, say=lambda line: None)
weights = trained.bundle.weights
print(hashlib.sha256(b"".join(weights[name].tobytes() for name in sorted(weights))).hexdigest())
"""


@pytest.mark.slow
def test_one_seed_one_result_in_two_processes(toy_pairs, tmp_path):
    toy_pairs.to_json(tmp_path / "toy.jsonl", orient="records", lines=True)
    seen = {}
    for name, seed, hash_seed in (("one", 7, "1"), ("same", 7, "2"), ("other", 8, "1")):
        seen[name] = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "toy.jsonl"), str(seed)],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
    assert seen["one"] == seen["same"] != seen["other"]


JAX = """
import json, sys, numpy as np, pandas as pd
from ir_attention.training import train
from ir_attention.ranking.ranker import Ranker
pairs = pd.read_json(sys.argv[1], lines=True)
trained = train(pairs, seed=7, epochs=2, out=sys.argv[2], say=lambda line: None)
assert "tensorflow" not in sys.modules
print(json.dumps(trained.history["loss"].tolist()))
"""


@pytest.mark.slow
def test_trains_on_jax_too(toy_pairs, tmp_path):
    pytest.importorskip("jax", reason="JAX is not installed: pip install jax")
    toy_pairs.to_json(tmp_path / "toy.jsonl", orient="records", lines=True)
    done = subprocess.run(
        [sys.executable, "-c", JAX, str(tmp_path / "toy.jsonl"), str(tmp_path / "han")],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )
    first, second = json.loads(done.stdout)
    assert second < first
    ranked = Ranker.load(tmp_path / "han").rank("comet in Perth", ["lunch", "a #comet over Perth"])
    assert np.isfinite(ranked["score"]).all()


def shout(text):
    return text.upper().split()


@pytest.mark.slow
def test_a_tokenizer_of_ones_own(toy_pairs, tmp_path):
    trained = train(
        toy_pairs, out=tmp_path / "own", epochs=1, tokenizer=shout, say=lambda line: None
    )
    with pytest.raises(BundleError, match="pass it as `Ranker.load"):
        Ranker.load(trained.folder)
    ranker = Ranker.load(trained.folder, tokenizer=shout)
    found = ranker.explain("comet in Perth", "well, a comet!")
    assert found.document_words == ["WELL,", "A", "COMET!"]


@pytest.fixture
def glove(tmp_path):
    words = "comet flood election match perth oslo quito lagos over near".split()
    rows = [f"{word} {number / 10} {number % 3} 1.5" for number, word in enumerate(words)]
    (tmp_path / "glove.txt").write_text("\n".join(rows) + "\n")
    return tmp_path / "glove.txt"


@pytest.fixture
def pieces(tmp_path):
    """A model2vec folder of four pieces with large values: `co ##met flo ##od`."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    vocabulary = {"[UNK]": 0, "co": 1, "##met": 2, "flo": 3, "##od": 4}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = tmp_path / "pieces"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)
    save_file({"embeddings": table}, folder / "model.safetensors")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["glove", "pieces"])
def test_pretrained_vectors_go_with_the_bundle(toy_pairs, tmp_path, kind, request):
    vectors, said = request.getfixturevalue(kind), []
    trained = train(toy_pairs, vectors=vectors, epochs=1, out=tmp_path / "han", say=said.append)
    assert any(line.startswith("vectors cover ") for line in said)
    ranker = Ranker.load(trained.folder)
    documents = ["a #comet over Perth", "qwxz", "Floodcomet!"]
    assert np.isfinite(ranker.rank("comet", documents)["score"]).all()
    assert ranker.explain("comet", documents[0]).document_words == ["a", "#comet", "over", "Perth"]
