"""The classifier: equations by hand, its twin in NumPy, padding, class weights, what is frozen."""

import keras
import numpy as np
import pytest

from ir_attention.models.classifier import (
    HanClassifier,
    HanClassifierSettings,
    WeightedCrossEntropy,
)
from ir_attention.models.classifier_forward import class_logits, fold_words, probabilities
from ir_attention.models.forward import encode_documents, of_layer

WIDTH, VOCABULARY = 7, 23


@pytest.fixture
def table():
    return np.random.default_rng(2).normal(size=(VOCABULARY, WIDTH)).astype(np.float32)


def network(table, **sizes):
    sizes = {"classes": 3, "gru": 5, "pool": 11, **sizes}
    return HanClassifier(table, HanClassifierSettings(**sizes), seed=1)


def ragged(seed=4):
    """Three documents: of 3, 0 and 2 sentences, one of them without words."""
    rng = np.random.default_rng(seed)
    lengths = np.array([4, 0, 2, 5, 1], np.int32)
    word = rng.integers(0, VOCABULARY, lengths.sum())
    pieces, place = np.unique(word, return_inverse=True)
    return {
        "pieces": pieces.astype(np.int32),
        "place": place.astype(np.int32),
        "sentence_length": lengths,
        "sentence_count": np.array([3, 0, 2], np.int32),
    }


@pytest.mark.parametrize("hidden", [0, 13])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(
    ("words", "sentences"), [("attention", "attention"), ("mean", "attention"), ("max", "mean")]
)
def test_the_twin_gives_the_same_logits(table, hidden, bidirectional, words, sentences):
    model = network(
        table,
        hidden=hidden,
        bidirectional=bidirectional,
        word_pooling=words,
        sentence_pooling=sentences,
    )
    inputs = ragged()
    logits = keras.ops.convert_to_numpy(model(inputs))
    weights = model.weights_by_name()
    folded = fold_words(table[inputs["pieces"]], weights)
    parts = (inputs[name] for name in ("place", "sentence_length", "sentence_count"))
    looked = class_logits(folded, *parts, weights, pooling=(words, sentences))
    np.testing.assert_allclose(looked.logits, logits, atol=1e-6)
    assert ("hidden/kernel" in weights) == bool(hidden)


def test_equation_11_by_hand(table):
    model = network(table)
    inputs = ragged()
    weights = model.weights_by_name()
    vectors, _, _ = encode_documents(
        table[inputs["pieces"]],
        inputs["sentence_length"],
        inputs["sentence_count"],
        of_layer(weights, "document_encoder"),
        inputs["place"],
    )
    scores = vectors @ weights["output/kernel"] + weights["output/bias"]
    powers = np.exp(scores)
    by_hand = powers / powers.sum(axis=1, keepdims=True)
    found = keras.ops.convert_to_numpy(keras.ops.softmax(model(inputs)))
    np.testing.assert_allclose(found, by_hand, atol=1e-6)
    np.testing.assert_allclose(probabilities(scores), by_hand, atol=1e-6)


def test_looks_at_padded_documents(table):
    model = network(table)
    documents = np.zeros((2, 4, 6), int)
    documents[0, 0, :3] = [5, 9, 5]
    documents[0, 2, :6] = [1, 2, 3, 4, 5, 6]
    documents[1, 1, :2] = [22, 7]
    found = model.look(documents)
    assert sorted(found) == ["logits", "s_scores", "w_scores"]
    assert found["logits"].shape == (2, 3)
    assert (found["logits"] >= 0).all() and (found["logits"] <= 1).all()
    assert found["w_scores"].shape == documents.shape
    assert found["s_scores"].shape == documents.shape[:2]
    assert (found["w_scores"][documents == 0] == 0).all()
    np.testing.assert_allclose(found["w_scores"].sum(axis=2), (documents > 0).any(axis=2))
    np.testing.assert_allclose(found["s_scores"].sum(axis=1), 1, atol=1e-6)
    # Documents do not depend on each other, nor on how much padding there is.
    alone = model.look(np.pad(documents[1:], ((0, 0), (0, 3), (0, 2))))
    np.testing.assert_allclose(alone["logits"], found["logits"][1:], atol=1e-6)


@pytest.mark.parametrize(
    ("hidden", "bidirectional"), [(0, True), (0, False), (13, True), (13, False)]
)
def test_counts_its_weights(table, hidden, bidirectional):
    model = network(table, hidden=hidden, bidirectional=bidirectional)
    ways, gru, pool, classes = 1 + bidirectional, 5, 11, 3
    states = ways * gru
    of_gru = lambda width: ways * 3 * gru * (width + gru + 2)  # noqa: E731
    of_pool = states * pool + 2 * pool
    last = hidden or states
    wanted = of_gru(WIDTH) + of_gru(states) + 2 * of_pool + (last + 1) * classes
    wanted += (states + 1) * hidden
    assert sum(weight.size for weight in model.weights_by_name().values()) == wanted


@pytest.mark.parametrize("trainable", [True, False])
def test_both_levels_learn_in_a_step_and_vectors_if_asked(table, trainable):
    model = network(table, trainable_vectors=trainable)
    model.compile(keras.optimizers.SGD(0.5), WeightedCrossEntropy(), jit_compile=False)
    before = model.weights_by_name() | {"table": np.array(model.table.get_weights()[0])}
    target = np.array([[0, 1], [1, 1], [2, 1]], np.float32)
    inputs = ragged()
    model.train_on_batch(inputs, target)
    after = model.weights_by_name() | {"table": np.array(model.table.get_weights()[0])}
    moved = {name for name, weight in after.items() if (weight != before[name]).any()}
    levels = ("word_gru", "word_pool", "sentence_gru", "sentence_pool")
    assert all(any(level in name for name in moved) for level in levels)
    assert ("table" in moved) == trainable
    rows = (after["table"] != before["table"]).any(axis=1)
    assert not rows[np.setdiff1d(np.arange(VOCABULARY), inputs["pieces"])].any()


def test_the_loss_by_hand():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]], np.float32))
    target = np.array([[0, 1.0], [2, 3.0], [0, 0.0]], np.float32)  # the last one is padding
    found = float(WeightedCrossEntropy()(target, logits))
    assert found == pytest.approx(-(np.log(0.5) + 3 * np.log(0.3)) / 4)
    assert float(WeightedCrossEntropy()(target * [1, 0], logits)) == 0
