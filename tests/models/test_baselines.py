"""MatchZoo's models by our calls: they learn, are left as plain parts, come back, and rank."""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ir_attention.matchzoo as mz
from ir_attention.backend import keras
from ir_attention.bundle import Bundle
from ir_attention.errors import DataError
from ir_attention.models.baselines import Baseline, global_seed
from ir_attention.models.recipes import BASELINES
from ir_attention.ranking import Ranker
from ir_attention.training import MODELS, train
from ir_attention.training.baseline import BaselineLearner
from ir_attention.training.settings import TrainingSettings

# Each takes seconds to trace, Conv-KNRM with its 99 kernels most of all.
QUICK = ("dssm",)
EVERY = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in BASELINES
]
ODD = ["", "nothing like it #zzz", "flood in Oslo", "日本 👍🏽", "a the of", "flood " * 90]


def learn(pairs, name, seed=7, epochs=2, **options):
    """A training without its loop: the losses, and the learner."""
    settings = TrainingSettings(width=11, **options)
    learner = BaselineLearner(name, pairs, pairs[:50], seed=seed, settings=settings)
    return [learner.fit_epoch(epoch) for epoch in range(1, epochs + 1)], learner


@pytest.fixture(scope="module")
def trained(toy_pairs, tmp_path_factory):
    """`trained(name)`: a short training by the common road, once for each model."""
    kept = {}

    def trained(name):
        if name not in kept:
            folder = tmp_path_factory.mktemp("bundles") / name
            options = {"width": 11, "epochs": 2, "learning_rate": 0.01, "say": lambda line: None}
            kept[name] = train(toy_pairs, model=name, out=folder, seed=7, **options)
        return kept[name]

    return trained


def test_every_one_can_be_trained_by_name():
    assert set(BASELINES) == {name for name, (kind, _) in MODELS.items() if kind == "MatchZoo"}


@pytest.mark.parametrize("name", EVERY)
def test_learns_comes_back_and_ranks(name, trained, toy_pairs):
    result = trained(name)
    loss = result.history["loss"]
    assert loss.iloc[-1] < loss.iloc[0]
    assert result.bundle.settings["training"]["loss"] == BASELINES[name].loss
    ranker = Ranker.load(result.folder)
    scores = ranker.score(toy_pairs)["score"].to_numpy()
    again = Baseline.from_parts(
        result.bundle.weights, result.bundle.vocabulary, result.bundle.settings
    )
    same = again.score(list(toy_pairs["text_left"]), list(toy_pairs["text_right"]))
    np.testing.assert_array_equal(scores, same)
    ranked = ranker.rank("flood in Oslo", ODD)
    assert sorted(ranked["position"]) == list(range(len(ODD)))
    assert np.isfinite(ranked["score"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BASELINES))
def test_one_seed_one_result_and_no_trace(name, toy_pairs, tmp_path):
    keras.utils.set_random_seed(1)
    before = random.getstate(), np.random.get_state()
    losses, learner = learn(toy_pairs, name, epochs=1)
    assert random.getstate() == before[0]
    for one, other in zip(np.random.get_state(), before[1], strict=True):
        np.testing.assert_array_equal(one, other)
    keras.utils.set_random_seed(2)
    losses_again, again = learn(toy_pairs, name, epochs=1)
    assert losses_again == losses
    for one, other in zip(learner.state(), again.state(), strict=True):
        np.testing.assert_array_equal(one, other)
    other_seed = learn(toy_pairs, name, seed=8, epochs=0)[1]
    assert not np.array_equal(other_seed.state()[0], learner.state()[0])

    weights, vocabulary, settings = learner.parts()  # and it is all there in a bundle
    folder = Bundle({**settings, "model": name}, vocabulary, weights).save(tmp_path / name)
    loaded = Ranker.load(folder).score(toy_pairs[:50])["score"].to_numpy()
    np.testing.assert_array_equal(loaded, learner.score_dev())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BASELINES))
def test_another_process_gives_the_same_scores(name, trained):
    query, documents = "flood in Oslo", ODD
    expected = Ranker.load(trained(name).folder).rank(query, documents)
    code = (
        "import json, sys; from ir_attention.ranking import Ranker; "
        "folder, query, documents = json.load(sys.stdin); "
        "ranked = Ranker.load(folder).rank(query, documents); "
        "print(json.dumps([ranked['position'].tolist(), ranked['score'].tolist()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps([str(trained(name).folder), query, documents]),
        capture_output=True,
        text=True,
        check=True,
    )
    positions, scores = json.loads(done.stdout)
    assert done.stderr == ""
    assert positions == expected["position"].tolist()
    np.testing.assert_allclose(scores, expected["score"], atol=1e-6)


def test_global_seed_gives_back_what_was():
    random.seed(3), np.random.seed(3)
    expected = random.random(), np.random.rand()
    random.seed(3), np.random.seed(3)
    with pytest.raises(ZeroDivisionError), global_seed(5):
        drawn = random.random(), np.random.rand()
        raise ZeroDivisionError
    assert (random.random(), np.random.rand()) == expected
    with global_seed(5):
        assert (random.random(), np.random.rand()) == drawn


def dense(counts):
    from tensorflow import sparse

    return sparse.to_dense(counts) if hasattr(counts, "indices") else counts


def test_texts_are_read_as_matchzoo_does(toy_pairs):
    texts = mz.pack(pd.DataFrame({"text_left": ODD, "text_right": ODD[::-1]}))
    for name in ("dssm", "cdssm", "drmm"):
        with global_seed(7):
            baseline = Baseline.fitted(name, mz.pack(toy_pairs), lengths=(3, 5), parameters={})
        feed = baseline.read(texts)
        x = baseline.inputs(feed, feed.query, feed.document)
        if name != "drmm":
            baseline.preprocessor.with_word_hashing = True
        expected, _ = baseline.preprocessor.transform(texts, verbose=0).unpack()
        for side in ("text_left", "text_right"):
            if side in x:
                np.testing.assert_array_equal(dense(x[side]), expected[side])
        if name == "drmm":
            callback = mz.data_generator.callbacks.Histogram(baseline.compared, hist_mode="LCH")
            callback.on_batch_unpacked(expected, None)
            ours, theirs = x["match_histogram"], expected["match_histogram"]
            # The words that match themselves: MatchZoo rounds some of them into another bin.
            np.testing.assert_allclose(ours[..., :28], theirs[..., :28], atol=1e-6)
            sums = [np.expm1(one[..., 28:]).sum(-1) for one in (ours, theirs)]
            np.testing.assert_allclose(*sums, atol=1e-5)


@pytest.mark.parametrize("name", ["dssm", "cdssm"])
def test_sparse_counts_give_the_same_scores_and_gradients(name, toy_pairs):
    import tensorflow as tf

    with global_seed(7):
        baseline = Baseline.fitted(name, mz.pack(toy_pairs), lengths=(3, 5), parameters={})
    feed = baseline.read(mz.pack(pd.DataFrame({"text_left": ODD, "text_right": ODD[::-1]})))
    x = baseline.inputs(feed, feed.query, feed.document)
    whole = {side: dense(counts) for side, counts in x.items()}
    own, twin = baseline.model.backend, baseline.network
    found = {}
    for model, inputs in ((own, whole), (twin, x)):
        with tf.GradientTape() as tape:
            scores = model(inputs, training=False)
            loss = tf.reduce_sum(scores * tf.range(1.0, len(ODD) + 1)[:, None])
        gradients = tape.gradient(loss, own.trainable_variables)
        found[model is own] = [scores, *map(tf.convert_to_tensor, gradients)]
    assert {id(one) for one in own.weights} == {id(one) for one in twin.weights}
    for one, other in zip(found[True], found[False], strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)
    assert float(tf.reduce_max(abs(found[True][1]))) > 1e-4


def test_each_epoch_draws_from_the_whole_pack(toy_pairs):
    """MatchZoo's own generator overwrites its pack, and would go on with the negatives it drew."""
    learner = learn(toy_pairs, "dssm", epochs=0)[1]
    labels = toy_pairs["label"].to_numpy()
    relevant = {
        (query, document)
        for query, document, label in zip(
            learner.data.query, learner.data.document, labels, strict=True
        )
        if label > 0
    }
    drawn, epochs = [], 12
    for epoch in range(1, epochs + 1):
        batches = list(learner.draw(epoch))
        pairs = [
            (query, document, label > 0)
            for batch in batches
            for query, document, label in zip(*batch[:2], batch[2][:, 0], strict=True)
        ]
        assert {one[:2] for one in pairs if one[2]} == relevant
        assert all((one[:2] in relevant) == one[2] for one in pairs)
        groups = np.array([one[2] for one in pairs]).reshape(-1, 5)
        assert groups[:, 0].all() and not groups[:, 1:].any()
        queries = np.array([one[0] for one in pairs]).reshape(-1, 5)
        assert (queries == queries[:, :1]).all()
        drawn.append({one[:2] for one in pairs if not one[2]})
    assert drawn[0] != drawn[1]
    again = list(learner.draw(1))
    for one, other in zip(again, learner.draw(1), strict=True):
        np.testing.assert_array_equal(one[1], other[1])
    negatives = {
        (query, document)
        for query, document in zip(learner.data.query, learner.data.document, strict=True)
        if (query, document) not in relevant
    }
    assert set().union(*drawn) == negatives


def test_scores_keep_the_order_and_do_not_depend_on_company(trained):
    ranker = Ranker.load(trained("dssm").folder)
    documents = [f"{text} {number}" for number in range(25) for text in ODD] + [""]
    frame = pd.DataFrame({"text_left": "flood in Oslo", "text_right": documents})
    together = ranker.score(frame)["score"].to_numpy()
    backwards = ranker.score(frame[::-1].reset_index(drop=True))["score"].to_numpy()
    np.testing.assert_array_equal(together, backwards[::-1])
    alone = ranker.score(frame[70:71].reset_index(drop=True))["score"].to_numpy()
    np.testing.assert_array_equal(alone, together[70:71])
    assert len(ranker.rank("flood", [])) == 0
    assert len(ranker.rank("", ["", ""])) == 2


def test_scoring_traces_once(trained):
    baseline = Ranker.load(trained("dssm").folder)._scorer
    for size in (1, 5, 64, 65, 130):
        baseline.score(["flood"] * size, ["flood in Oslo"] * size)
    assert baseline.network.predict_function.experimental_get_tracing_count() == 1


VECTORS = {"flood": np.arange(5.0), "oslo": np.ones(5), "unseen": np.zeros(5)}


def test_vectors_start_the_embedding(toy_pairs):
    settings = TrainingSettings()
    learner = BaselineLearner(
        "mv-lstm", toy_pairs, toy_pairs[:9], seed=7, settings=settings, vectors=VECTORS
    )
    terms = learner.baseline.preprocessor.context["vocab_unit"].context["term_index"]
    table = learner.state()[0]
    assert table.shape == (len(terms), 5)
    np.testing.assert_array_equal(table[terms["flood"]], VECTORS["flood"])
    np.testing.assert_array_equal(table[terms["oslo"]], VECTORS["oslo"])
    assert np.abs(table[terms["comet"]]).max() < 0.2
    assert f"vectors cover 2 of the {len(terms)} terms of the model" in learner.notes


def test_vectors_of_pieces_are_summed(toy_pairs, tmp_path):
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models

    pieces = {"[UNK]": 0, "flo": 1, "##od": 2, "os": 3, "##lo": 4}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    vectors = np.array([[9, 9], [1, 2], [10, 20], [3, 4], [0.5, 0]], np.float32)
    save_file({"embeddings": vectors}, tmp_path / "model.safetensors")
    settings = TrainingSettings()
    learner = BaselineLearner(
        "match-pyramid", toy_pairs, toy_pairs[:9], seed=7, settings=settings, vectors=tmp_path
    )
    terms = learner.baseline.preprocessor.context["vocab_unit"].context["term_index"]
    table = learner.state()[0]
    assert table[terms["flood"]].tolist() == [11, 22]
    assert table[terms["oslo"]].tolist() == [3.5, 4]
    assert np.abs(table[terms["comet"]]).max() < 0.2  # a piece of it is unknown


def test_what_cannot_be_used(toy_pairs):
    def learner(name, vectors, **options):
        settings = TrainingSettings(**options)
        return BaselineLearner(
            name, toy_pairs, toy_pairs, seed=7, settings=settings, vectors=vectors
        )

    with pytest.raises(DataError, match="dssm reads letters and has no use for vectors"):
        learner("dssm", VECTORS)
    with pytest.raises(DataError, match="every word needs a vector"):
        learner("mv-lstm", {})
    with pytest.raises(DataError, match=r"dssm has no dropout\. Received: dropout=0\.3"):
        learner("dssm", None, dropout=0.3)
    with pytest.raises(DataError, match="`query_side` can be left out of han alone"):
        learner("dssm", None, query_side=False)
    with pytest.raises(DataError, match="dssm reads the words of `text.words`"):
        learner("dssm", None, tokenizer=str.split)
    with pytest.raises(DataError, match="no query has both a relevant document and another"):
        BaselineLearner("dssm", toy_pairs[:0], toy_pairs, seed=7, settings=TrainingSettings())


def test_hinge_and_cuts(toy_pairs):
    _, learner = learn(toy_pairs, "dssm", loss="hinge", margin=0.5, epochs=0)
    assert (learner.model.loss.num_neg, learner.model.loss.margin) == (1, 0.5)
    assert learner.negatives == 1
    assert learner.notes == []
    settings = TrainingSettings(query_words=2)
    cut = BaselineLearner("mv-lstm", toy_pairs, toy_pairs[:9], seed=7, settings=settings)
    assert cut.notes == ["48 of 48 queries have 2 words or more; the last 2 are read"]


def test_the_table_of_the_docs_is_the_recipes():
    text = (Path(__file__).parents[2] / "docs" / "baselines.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    rows = [row for row in rows if len(row) == 8]
    assert [row[0].strip("`") for row in rows] == list(BASELINES)
    for row, recipe in zip(rows, BASELINES.values(), strict=True):
        letters = recipe.reads == "letters"
        assert ("trigrams" in row[1]) == (recipe.reads != "words")
        assert ("no stop words" in row[1]) == recipe.remove_stop_words
        assert ("histograms" in row[1]) == (recipe.beside == "histogram")
        assert ("pooling" in row[1]) == (recipe.beside == "pooling")
        assert row[2] == ("all" if letters else str(recipe.document_words))
        assert row[3] == (str(recipe.width) if recipe.reads == "words" else "-")
        others = {"hinge": "hinge, 1", "softmax": "softmax, 4"}
        assert row[4:7] == [others[recipe.loss], str(recipe.groups), str(recipe.epochs)]
        assert row[7] == "; ".join(f"{name} {value}" for name, value in recipe.parameters.items())
