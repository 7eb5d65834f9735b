"""explain: shares that sum to one, of the words as they are written."""

import numpy as np
import pytest

from ir_attention.errors import DataError
from ir_attention.ranking.ranker import Ranker
from ir_attention.training import train

QUERY, DOCUMENT = "Comet seen in Perth", "A #comet, over Perth! Look up, now. Wow 🎉"


@pytest.fixture(scope="module")
def ranker(toy_trained):
    return Ranker.load(toy_trained[0].folder)


def test_words_stand_as_written(ranker):
    found = ranker.explain(QUERY, DOCUMENT)
    assert found.query_words == ["Comet", "seen", "in", "Perth"]
    assert found.document_words == "A #comet over Perth Look up now Wow 🎉".split()
    assert found.sentence_of_word.tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2]
    assert found.matrix().shape == (4, 9)
    assert found.matrix().index.tolist() == found.query_words


def test_shares_sum_to_one(ranker):
    found = ranker.explain(QUERY, DOCUMENT)
    assert found.query_weights.sum() == pytest.approx(1, abs=1e-6)
    assert found.sentence_weights.sum() == pytest.approx(1, abs=1e-6)
    for number in range(3):
        inside = found.word_weights[found.sentence_of_word == number]
        assert inside.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(found.alignment.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.document_over_query.sum(axis=1), 1, atol=1e-6)
    assert found.words["total"].sum() == pytest.approx(1, abs=1e-6)


def test_the_score_is_that_of_rank(ranker):
    expected = ranker.rank(QUERY, [DOCUMENT])["score"][0]
    assert ranker.explain(QUERY, DOCUMENT).score == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("query", "document"), [("", DOCUMENT), (QUERY, ""), ("", ""), ("?", "!")])
def test_nothing_to_look_at_gives_empty_weights(ranker, query, document):
    found = ranker.explain(query, document)
    assert np.isfinite(found.score)
    assert found.alignment.shape == (len(found.query_words), len(found.document_words))
    assert found.to_json()["alignment"] == found.alignment.tolist()


def test_a_model_without_attention_says_so(toy_pairs):
    bundle = train(toy_pairs, model="bm25", say=lambda line: None).bundle
    from ir_attention.ranking.ranker import open_scorer

    with pytest.raises(DataError, match="bm25 has no attention to show"):
        Ranker(bundle, open_scorer(bundle)).explain(QUERY, DOCUMENT)
