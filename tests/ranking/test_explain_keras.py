"""The weights that `explain` shows, from NumPy, are those of the Keras layers to 1e-6."""

import keras
import numpy as np
import pytest

from ir_attention.data.arrays import pair_arrays
from ir_attention.data.inputs import Sizes, model_inputs
from ir_attention.models.bi_encoder import BiEncoder, BiEncoderSettings
from ir_attention.models.classifier import HanClassifier, HanClassifierSettings
from ir_attention.models.matcher import Matcher, MatcherSettings
from ir_attention.ranking.classifier import Classifier
from ir_attention.ranking.ranker import Ranker

QUERY = "vaccine talk near Lagos"
DOCUMENT = "So the vaccine near #Lagos ... wow. Comet! Never mind the museum, harbour talk again."
NETWORKS = {"han": (Matcher, MatcherSettings), "han-bi": (BiEncoder, BiEncoderSettings)}


def seen_by_keras(trained):
    """The weights of words, sentences and the query in the Keras model of a bundle."""
    scorer = Ranker.load(trained.folder).attentive
    request = scorer.number([QUERY], [DOCUMENT])
    network, sizes = NETWORKS[trained.bundle.model]
    model = network(request.table, sizes(**trained.bundle.settings["matcher"]))
    model.load_by_name({k: v for k, v in trained.bundle.weights.items() if k != "table"})
    seen = {}
    encoder, pool = model.document_encoder, model.query_pool
    encoder.return_weights, read, attend = True, encoder.call, pool.attention

    def call(*args, **kwargs):
        *outputs, seen["words"], seen["sentences"] = read(*args, **kwargs)
        return tuple(outputs) if len(outputs) > 1 else outputs[0]

    def attention(inputs, mask=None):
        seen["query"] = attend(inputs, mask)
        return seen["query"]

    encoder.call, pool.attention = call, attention
    pairs = pair_arrays(request.texts, [(int(request.query[0]), request.document)])
    score = model(model_inputs(pairs, Sizes()))
    values = {name: keras.ops.convert_to_numpy(one).ravel() for name, one in seen.items()}
    return {**values, "score": float(score[0])}


@pytest.mark.parametrize("model", ["han", "han-bi"])
def test_weights_of_a_matcher(model, toy_trained, toy_bi):
    trained = {"han": toy_trained[0], "han-bi": toy_bi}[model]
    seen = seen_by_keras(trained)
    explained = Ranker.load(trained.folder).explain(QUERY, DOCUMENT)
    for name, weights in (
        ("words", explained.word_weights),
        ("sentences", explained.sentence_weights),
        ("query", explained.query_weights),
    ):
        np.testing.assert_allclose(weights, seen[name][: len(weights)], atol=1e-6, rtol=0)
    assert explained.score == pytest.approx(seen["score"], abs=1e-5)


def test_weights_of_a_classifier(toy_pairs, tmp_path):
    from ir_attention.training import train

    texts = toy_pairs[["text_right", "label"]].set_axis(["text", "label"], axis=1)
    made = train(
        texts,
        model="han-classifier",
        out=tmp_path / "m",
        say=lambda line: None,
        **{"epochs": 1, "width": 11, "gru": 5, "pool": 7, "min_count": 1},
    )
    weights = dict(made.bundle.weights)
    table = weights.pop("table")
    sizes = HanClassifierSettings(**made.bundle.settings["classifier"])
    model = HanClassifier(table, sizes)
    model.load_by_name(weights)
    classifier = Classifier.load(made.folder)
    explained = classifier.explain(DOCUMENT)
    numbered = classifier._scorer.number([DOCUMENT])
    padded = np.zeros((1, len(numbered.sentence_lengths), numbered.sentence_lengths.max()), int)
    real = np.arange(padded.shape[2]) < numbered.sentence_lengths[:, None]
    padded[0][real] = numbered.word
    known = padded > 0  # words that have no vector are padding to `look`
    assert known[0][real].all()
    seen = model.look(padded)
    np.testing.assert_allclose(explained.word_weights, seen["w_scores"][0][real], atol=1e-6)
    np.testing.assert_allclose(explained.sentence_weights, seen["s_scores"][0], atol=1e-6)
    np.testing.assert_allclose(explained.probabilities, seen["logits"][0], atol=1e-6)
