"""train: what it says, what it keeps, and that one seed gives one result."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from other_backends import process

from ir_attention.bundle import Bundle
from ir_attention.errors import BundleError, DataError
from ir_attention.evaluation import evaluate
from ir_attention.ranking.ranker import Ranker
from ir_attention.training import train
from ir_attention.training.settings import usual_epochs


def test_leaves_a_bundle_a_history_and_notes(toy_trained):
    trained, said = toy_trained
    assert trained.history.columns.tolist() == ["epoch", "loss", "AP", "seconds", "cpu_seconds"]
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


def test_ctrl_c_leaves_no_half_written_bundle(toy_pairs, tmp_path, monkeypatch):
    from ir_attention.training.counting import CountingLearner

    def interrupt(self, epoch):
        raise KeyboardInterrupt

    monkeypatch.setattr(CountingLearner, "fit_epoch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(toy_pairs, model="bm25", out=tmp_path / "out", say=lambda line: None)
    assert not list(tmp_path.iterdir())


def test_few_queries_get_more_epochs():
    assert [usual_epochs(steps, 5) for steps in (1000, 60, 59, 7, 0)] == [5, 5, 6, 40, 40]
    assert usual_epochs(1000, 10) == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "bert"}, "no model is called 'bert'. Known: anmm, arc-i, "),
        ({"epoch": 3}, "no setting is called 'epoch'. Perhaps: epochs"),
        ({"epochs": 0}, "`epochs` must be a whole number of at least 1. Received: epochs=0"),
        ({"dropout": 1.0}, "`dropout` must be at least 0 and below 1. Received: dropout=1.0"),
        ({"word_dropout": -0.1}, "`word_dropout` must be at least 0 and below 1. Received"),
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


def test_a_few_queries_cannot_do_without_dev_pairs(toy_pairs):
    few = toy_pairs[toy_pairs["id_left"].isin([f"Q{n}" for n in range(4)])]
    with pytest.raises(DataError, match=r"fewer than 5 queries.*Received: 4. Give `dev`"):
        train(few, model="bm25", say=lambda line: None)


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


OTHER = """
import json, sys, keras, numpy as np, pandas as pd
from ir_attention.training import train
pairs = pd.read_json(sys.argv[1], lines=True)
for model in ("han", "han-bi"):
    trained = train(
        pairs, model=model, seed=7, epochs=2, out=f"{sys.argv[2]}/{model}", say=lambda line: None
    )
    print(json.dumps([keras.config.backend(), trained.history["loss"].tolist()]))
assert "tensorflow" not in sys.modules
"""

# A bundle's weights in the Keras model of this process' backend; its scores of a padded batch.
SCORES = """
import json, sys, keras, numpy as np
from ir_attention.bundle import Bundle
from ir_attention.data.arrays import pair_arrays
from ir_attention.data.inputs import Sizes, model_inputs
from ir_attention.models.bi_encoder import BiEncoder, BiEncoderSettings
from ir_attention.models.matcher import Matcher, MatcherSettings
from ir_attention.ranking.ranker import open_scorer
kinds = {"han": (Matcher, MatcherSettings), "han-bi": (BiEncoder, BiEncoderSettings)}
query, documents = json.loads(sys.argv[2])
bundle = Bundle.load(sys.argv[1])
request = open_scorer(bundle).number([query] * len(documents), documents)
network, sizes = kinds[bundle.model]
model = network(request.table, sizes(**bundle.settings["matcher"]))
model.load_by_name(bundle.weights)
arrays = pair_arrays(request.texts, [(int(request.query[0]), request.document)])
padded = model_inputs(arrays, Sizes(queries=2, pairs=8, step=16))
scores = keras.ops.convert_to_numpy(model(padded))[: len(documents)]
print(json.dumps([keras.config.backend(), scores.astype(float).tolist()]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_too_and_score_the_same(
    toy_pairs, toy_trained, toy_bi, tmp_path, backend
):
    """What one backend has trained scores the same on the others, and in NumPy."""
    pytest.importorskip(backend, reason=f"{backend} is not installed: pip install {backend}")
    toy_pairs.to_json(tmp_path / "toy.jsonl", orient="records", lines=True)
    for first, second in process(OTHER, tmp_path / "toy.jsonl", tmp_path, backend=backend):
        assert second < first
    query = "comet in Perth"
    documents = ["lunch", "a #comet over Perth. Look up!", "", "harbour talk, never mind"]
    here = [toy_trained[0].folder, toy_bi.folder]
    for folder in [*here, tmp_path / "han", tmp_path / "han-bi"]:
        run = pd.DataFrame({"text_left": query, "text_right": documents})
        expected = Ranker.load(folder).score(run)["score"]
        for other in (backend, "tensorflow"):
            [scores] = process(SCORES, folder, json.dumps([query, documents]), backend=other)
            np.testing.assert_allclose(
                scores, expected, rtol=2e-6, atol=1e-5, err_msg=f"{folder} {other}"
            )


INTERRUPT = """
import sys, pandas as pd
from ir_attention.cli import main
sys.argv = ["ir-attention", "train", sys.argv[1], "--out", sys.argv[2], "--keep-interrupted",
            "--epochs", "500", "--set", "patience=500"]
main()
"""


@pytest.mark.slow
def test_a_real_ctrl_c_writes_what_was_best(toy_pairs, tmp_path):
    toy_pairs.to_csv(tmp_path / "toy.csv", index=False)
    command = [sys.executable, "-c", INTERRUPT, tmp_path / "toy.csv", tmp_path / "han"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as training:
        said = []
        for line in training.stderr:
            said.append(line)
            if line.startswith("epoch 2 "):
                training.send_signal(signal.SIGINT)
                break
        said += training.stderr.readlines()
        assert training.wait() == 130
    assert "Traceback" not in "".join(said)
    assert said[-1] == f"wrote {tmp_path / 'han'}\n"
    assert len(Ranker.load(tmp_path / "han").rank("comet", ["a comet"])) == 1


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
