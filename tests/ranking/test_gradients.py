"""Gradients of words against differences of scores, which NumPy computes."""

from types import SimpleNamespace

import numpy as np
import pytest

from ir_attention.errors import DataError
from ir_attention.models.bi_forward import Words, document_vectors, query_vectors
from ir_attention.models.pair_forward import score_pairs
from ir_attention.ranking.gradients import Network, check_gradients, own_rows
from ir_attention.ranking.ranker import Ranker, open_scorer

QUERIES = ["comet near Perth", "a flood", "", "comet near Perth"]
# A word that stands there twice, in two sentences; one of a vector of zeros; a text of none.
DOCUMENTS = ["the comet near a zyxx. Now the comet!", "near a flood, flood", "a match", ""]
WORDS = [8, 4, 2, 0]


def network_of(bundle):
    scorer = open_scorer(bundle)
    # The cosine of two words has no gradient in `han`, by design: here it counts for nothing.
    for name in scorer.weights:
        if name.endswith("_compare/kernel"):
            scorer.weights[name] = scorer.weights[name].copy()
            scorer.weights[name][-1] = 0
    return Network(scorer, bundle.model, bundle.settings["matcher"])


@pytest.fixture(scope="module", params=["han", "han-bi"])
def network(request, toy_trained, toy_bi):
    trained = toy_trained[0] if request.param == "han" else toy_bi
    return network_of(Ranker.load(trained.folder).bundle)


def scores_of_rows(network, pairs, table):
    """The scores of pairs whose words are rows of a table."""
    weights = network.scorer.weights
    if network.model == "han":
        return score_pairs(pairs, table, weights)[0]
    weights = {name: weight.astype(float) for name, weight in weights.items()}
    words = Words.of_table(table[1:].astype(float), weights, network.scorer.letters)
    left, _ = query_vectors(words, pairs.query, pairs.query_lengths, weights)
    given = pairs.document, pairs.sentence_lengths, pairs.sentence_counts
    right, *_ = document_vectors(words, *given, weights)
    return (left * right).sum(axis=1)


def test_words_of_their_own_change_no_score(network):
    request = network.scorer.number(QUERIES, DOCUMENTS)
    pairs, table = own_rows(request)
    expected = network.scorer.score(QUERIES, DOCUMENTS)
    np.testing.assert_allclose(scores_of_rows(network, pairs, table), expected, atol=1e-5)
    assert len(pairs.document) == sum(WORDS)


def differences(network, pair, steps):
    """What scores gain when the words' vectors move half that way, from half back.

    Args:
        pair: A query and a document.
        steps: `(copies, words, width)`, of as many copies of the pair.
    """
    request = network.scorer.number(*([text] * len(steps) for text in pair))
    pairs, table = own_rows(request)
    moved = np.zeros(table.shape)
    moved[1 : 1 + len(pairs.document)] = steps.reshape(-1, table.shape[1]) / 2
    after, before = (
        scores_of_rows(network, pairs, table.astype(float) + sign * moved) for sign in (1, -1)
    )
    return after.astype(float) - before


def test_gradients_are_differences_of_scores(network):
    """Along a word's own vector: the product. Along each of its numbers, all together: the norm."""
    found = network.gradients(network.scorer.number(QUERIES, DOCUMENTS))
    assert [len(one.norm) for one in found] == WORDS
    # float64 allows smaller steps than float32, in which `han` is computed.
    step, near = (1e-4, 1e-4) if network.model == "han-bi" else (0.02, 0.05)
    for own, words, *pair in zip(found[:3], WORDS, QUERIES, DOCUMENTS, strict=False):
        table = own_rows(network.scorer.number(*([text] for text in pair)))[1]
        places = np.arange(words)
        steps = np.zeros((words, words, table.shape[1]))
        steps[places, places] = step * table[1 : 1 + words]
        slopes = differences(network, pair, steps) / step
        np.testing.assert_allclose(own.product, slopes, atol=near * np.abs(slopes).max() + 1e-5)
    assert not np.isclose(found[0].product[1], found[0].product[7], rtol=1e-3)  # both `comet`
    if network.model == "han-bi":
        places = np.arange(table.shape[1])
        for word in (1, 3):
            steps = np.zeros((len(places), WORDS[0], len(places)))
            steps[places, word, places] = step
            slopes = differences(network, (QUERIES[0], DOCUMENTS[0]), steps) / step
            assert found[0].norm[word] == pytest.approx(np.linalg.norm(slopes), rel=1e-3)


def test_a_norm_is_at_least_what_its_product_needs(network):
    """Cauchy and Schwarz: the gradient is no shorter than its part along the word's vector."""
    request = network.scorer.number(QUERIES[:1], DOCUMENTS[:1])
    found = network.gradients(request)[0]
    lengths = np.linalg.norm(own_rows(request)[1][1:9], axis=1)
    assert (found.norm * lengths >= np.abs(found.product) - 1e-6).all()
    assert found.norm[1] > 0


def test_pairs_together_or_alone(network):
    request = network.scorer.number(QUERIES, DOCUMENTS)
    for pair, together in enumerate(network.gradients(request)):
        one = network.scorer.number(QUERIES[pair : pair + 1], DOCUMENTS[pair : pair + 1])
        alone = network.gradients(one)[0]
        np.testing.assert_allclose(alone.norm, together.norm, atol=1e-5)
        np.testing.assert_allclose(alone.product, together.product, atol=1e-5)


def test_another_backend_is_said(monkeypatch):
    other = SimpleNamespace(config=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setattr("ir_attention.backend.load_keras", lambda: other)
    with pytest.raises(DataError, match="TensorFlow backend.*--no-gradient.*Received: jax"):
        check_gradients()
