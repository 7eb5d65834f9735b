"""`han-bi` at work: vectors of both sides, whose products are the scores."""

import numpy as np
import pandas as pd
import pytest

from ir_attention.errors import BundleError, DataError
from ir_attention.ranking.ranker import Ranker
from ir_attention.reports.heatmaps import attention_page, attention_picture
from ir_attention.scoring import bi_encoder

QUERY = "comet seen in Perth"
TWEETS = ["Zyxxquorn? never heard", "a #comet over Perth!! Look up. Now", "", "comet", "comet"]


@pytest.fixture(scope="module")
def ranker(toy_bi):
    return Ranker.load(toy_bi.folder)


def test_the_product_of_the_vectors_is_the_score(ranker):
    documents, queries = ranker.encode(TWEETS), ranker.encode_queries([QUERY, "lunch"])
    assert documents.shape == (5, queries.shape[1])
    assert documents.dtype == queries.dtype == np.float32
    for text, products in zip([QUERY, "lunch"], queries @ documents.T, strict=True):
        pairs = pd.DataFrame({"text_left": text, "text_right": TWEETS})
        np.testing.assert_allclose(products, ranker.score(pairs)["score"], atol=1e-5)


def test_lengths_of_vectors(ranker):
    """1 as a rule; less one of three parts if no word has a vector; 0 without words."""
    lengths = np.linalg.norm(ranker.encode([*TWEETS, "Zyxxquorn"]), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 0, 1, 1, np.sqrt(2 / 3)], atol=1e-5)


def test_a_vector_depends_on_its_text_alone(ranker):
    together = ranker.encode(TWEETS)
    np.testing.assert_allclose(together, [ranker.encode([t])[0] for t in TWEETS], atol=1e-6)
    np.testing.assert_array_equal(together[3], together[4])


def test_a_document_may_be_the_query_itself(ranker):
    """It is numbered with the queries, before the other documents, and stands where it stood."""
    documents = ["lunch again", "a #comet over Perth", QUERY, "comet"]
    alone = [ranker.rank(QUERY, [document])["score"][0] for document in documents]
    ranked = ranker.rank(QUERY, documents)
    assert ranked["position"][0] == 2
    scores = ranked.set_index("position")["score"].sort_index()
    np.testing.assert_allclose(scores, alone, atol=1e-5)
    pairs = pd.DataFrame({"text_left": QUERY, "text_right": documents})
    np.testing.assert_allclose(ranker.score(pairs)["score"], alone, atol=1e-5)


def test_large_requests_are_encoded_in_parts_and_come_back_in_order(ranker, monkeypatch):
    documents = [f"comet number {n} " * (n % 5) + "over Perth" for n in range(30)]
    whole = ranker.encode(documents)
    monkeypatch.setattr(bi_encoder, "_WORDS", 20)
    np.testing.assert_allclose(ranker.encode(documents), whole, atol=1e-6)


def test_nothing_to_encode_gives_an_empty_array(ranker):
    width = ranker.encode(["a"]).shape[1]
    assert ranker.encode([]).shape == ranker.encode_queries([]).shape == (0, width)
    assert len(ranker.rank(QUERY, [])) == 0


def test_a_word_never_seen_matches_itself(ranker):
    tweets = ["nothing of the kind", "look at the #Quorbridge", "lunch again"]
    assert ranker.rank("Quorbridge falls", tweets)["position"][0] == 1


def test_training_measures_what_the_ranker_gives(toy_pairs, toy_bi, ranker):
    from ir_attention.data import split_by_query
    from ir_attention.evaluation import evaluate

    _, dev = split_by_query(toy_pairs, (0.9, 0.1), seed=7)
    found = evaluate(ranker.score(dev), dev, ["AP"]).measures["AP"]
    assert found == pytest.approx(toy_bi.history["AP"].max(), abs=1e-9)


def test_explain_has_shares_of_words_but_none_of_word_to_word(ranker):
    found = ranker.explain(QUERY, TWEETS[1])
    assert found.score == pytest.approx(ranker.rank(QUERY, TWEETS[1:2])["score"][0], abs=1e-5)
    assert found.query_weights.sum() == pytest.approx(1, abs=1e-6)
    assert found.words["total"].sum() == pytest.approx(1, abs=1e-6)
    assert found.alignment is None
    with pytest.raises(DataError, match="do not look at each other"):
        found.matrix()
    values = found.to_json()
    assert "alignment" not in values
    page = attention_page(values)
    assert "#comet" in page and "Where each query word looks" not in page
    assert attention_picture(values).startswith(b"\x89PNG")


def test_only_a_han_bi_encodes(toy_trained):
    with pytest.raises(DataError, match="han has no vector of a document by itself; han-bi has"):
        Ranker.load(toy_trained[0].folder).encode(TWEETS)


@pytest.mark.parametrize(("texts", "message"), [("one", "`documents`.*one string"), ([3], "int 3")])
def test_texts_must_be_texts(ranker, texts, message):
    with pytest.raises(DataError, match=message):
        ranker.encode(texts)
    with pytest.raises(DataError, match=message.replace("documents", "queries")):
        ranker.encode_queries(texts)


def test_a_weight_of_another_shape_is_refused(toy_bi):
    from ir_attention.bundle import Bundle
    from ir_attention.ranking.ranker import open_scorer

    bundle = Bundle.load(toy_bi.folder)
    bundle.weights["strength/kernel"] = np.ones((4, 1), np.float32)
    with pytest.raises(BundleError, match=r"strength/kernel should have shape \(3, 1\)"):
        open_scorer(bundle)
    for odd in ("all", 256.0, True, None):
        bundle.settings["matcher"]["letters"] = odd
        with pytest.raises(BundleError, match="does not describe a han-bi"):
            open_scorer(bundle)


def test_products_of_many_pairs_are_summed_in_parts(ranker, toy_pairs, monkeypatch):
    whole = ranker.score(toy_pairs)["score"]
    monkeypatch.setattr(bi_encoder, "_PAIRS", 7)
    np.testing.assert_array_equal(ranker.score(toy_pairs)["score"], whole)


def test_vectors_that_are_not_finite_are_said(toy_bi):
    from ir_attention.bundle import Bundle
    from ir_attention.ranking.ranker import open_scorer

    bundle = Bundle.load(toy_bi.folder)
    bundle.weights["strength/kernel"] = np.full((3, 1), 3e38, np.float32)
    with pytest.raises(BundleError, match="not finite"):
        Ranker(bundle, open_scorer(bundle)).encode_queries(["a comet"])
