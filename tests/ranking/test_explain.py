"""explain: shares that sum to one, of the words as they are written."""

import dataclasses
import json

import numpy as np
import pytest

from ir_attention.bundle import Bundle
from ir_attention.errors import DataError
from ir_attention.ranking.ranker import Ranker, open_scorer
from ir_attention.training import train
from ir_attention.training.matching import MatcherLearner
from ir_attention.training.settings import TrainingSettings

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


def test_offsets_point_into_the_texts(ranker):
    # What breaks or surrounds a sentence is no part of a word; a sentence of marks has none.
    document = "  A #comet, over Perth!\n...\nLook up \u202enow\u202c… 👨‍👩‍👧 don’t\r\n"
    found = ranker.explain(QUERY, document)
    for text, words, offsets in (
        (QUERY, found.query_words, found.query_offsets),
        (document, found.document_words, found.document_offsets),
    ):
        assert [text[start:end] for start, end in offsets] == words
    assert found.document_words == "A #comet over Perth Look up now 👨‍👩‍👧 don’t".split()
    assert len(found.word_weights) == len(found.document_effects) == 9
    assert (found.query, found.document) == (QUERY, document)


def test_offsets_with_a_tokenizer_of_ones_own(toy_pairs):
    def cut(text):
        return [word.lower().removesuffix("ly") for word in text.split()] + ["</s>"]

    settings = TrainingSettings(tokenizer=cut)
    learner = MatcherLearner("han", toy_pairs, toy_pairs[:5], None, seed=3, settings=settings)
    weights, vocabulary, parts = learner.parts()  # as they are drawn, without an epoch
    bundle = Bundle({**parts, "model": "han"}, vocabulary, weights)
    ranker = Ranker(bundle, open_scorer(bundle, tokenizer=cut))
    found = ranker.explain("Comet", "Suddenly a comet. Wow")
    assert found.document_words == ["sudden", "a", "comet.", "</s>", "wow", "</s>"]
    # What is not there stands, empty, where the word before it ends.
    expected = [[0, 6], [9, 10], [11, 17], [17, 17], [18, 21], [21, 21]]
    assert found.document_offsets.tolist() == expected
    assert found.query_offsets.tolist() == [[0, 5], [5, 5]]
    assert len(found.document_effects) == 6
    # Left out by the tokenizer itself, of the same two sentences.
    bare = Ranker(bundle, open_scorer(bundle, tokenizer=lambda text: drop(cut(text), "comet.")))
    expected = found.score - bare.explain("Comet", "Suddenly a comet. Wow").score
    assert found.document_effects[2] == pytest.approx(expected, abs=1e-5)


def drop(words, one):
    return [word for word in words if word != one]


def test_effects_are_what_a_word_is_worth(ranker):
    found = ranker.explain(QUERY, DOCUMENT)
    others = DOCUMENT.replace("#comet", ""), DOCUMENT.replace("Perth", "")
    scores = [ranker.explain(QUERY, other).score for other in others]
    expected = [found.score - score for score in scores]
    np.testing.assert_allclose(found.document_effects[[1, 3]], expected, atol=1e-5)
    score = ranker.explain(QUERY.replace("Comet", ""), DOCUMENT).score
    assert found.query_effects[0] == pytest.approx(found.score - score, abs=1e-5)
    np.testing.assert_array_equal(found.words["effect"], found.document_effects)
    assert found.words_of_query.columns.tolist() == ["word", "weight", "start", "end", "effect"]
    assert found.words.columns.tolist()[-3:] == ["start", "end", "effect"]


def test_effects_and_curves_are_there_when_they_are_wanted(ranker, monkeypatch):
    bare = ranker.explain(QUERY, DOCUMENT, effects=False)
    assert bare.document_effects is None and bare.curves is None
    assert bare.words["effect"].isna().all()
    assert not {"document_effects", "query_effects", "curves"} & bare.to_json().keys()
    assert ranker.explain(QUERY, DOCUMENT).curves is None
    full = ranker.explain(QUERY, DOCUMENT, curves=True)
    assert full.curves["effects"][-1] == pytest.approx(
        full.score - ranker.explain(QUERY, "").score, abs=1e-5
    )
    # Of long texts, only if they are asked for.
    monkeypatch.setattr("ir_attention.ranking.erasing.AFFORDABLE", 10)
    assert ranker.explain(QUERY, DOCUMENT).document_effects is None
    assert ranker.explain(QUERY, DOCUMENT, effects=True).document_effects is not None


def test_all_of_it_is_plain_values(ranker):
    found = ranker.explain(QUERY, DOCUMENT, curves=True)
    values = json.loads(json.dumps(found.to_json()))
    assert values["document_offsets"][0] == [0, 1]
    assert values["shading"] in ("attention", "effects")
    np.testing.assert_allclose(values["document_effects"], found.document_effects, atol=1e-6)
    np.testing.assert_allclose(values["query_effects"], found.query_effects, atol=1e-6)
    assert values["curves"] == found.curves
    assert (values["query"], values["document"]) == (QUERY, DOCUMENT)


@pytest.mark.parametrize(("query", "document"), [("", DOCUMENT), (QUERY, ""), ("", ""), ("?", "!")])
def test_nothing_to_look_at_gives_empty_weights(ranker, query, document):
    found = ranker.explain(query, document)
    assert np.isfinite(found.score)
    assert found.alignment.shape == (len(found.query_words), len(found.document_words))
    assert found.to_json()["alignment"] == found.alignment.tolist()


def test_a_model_without_attention_says_so(toy_pairs):
    bundle = train(toy_pairs, model="bm25", say=lambda line: None).bundle
    with pytest.raises(DataError, match="bm25 has no attention to show; han and han-bi have"):
        Ranker(bundle, open_scorer(bundle)).explain(QUERY, DOCUMENT)


@pytest.mark.parametrize(("texts", "name"), [((3, "a"), "query"), (("a", None), "document")])
def test_what_is_no_text_is_said_by_its_name(ranker, texts, name):
    with pytest.raises(DataError, match=f"`{name}` must be text"):
        ranker.explain(*texts)


def test_what_was_measured_of_the_model_is_handed_on(ranker):
    assert ranker.explain(QUERY, DOCUMENT).model_verdict is None
    assert "model_verdict" not in ranker.explain(QUERY, DOCUMENT).to_json()
    settings = {**ranker.bundle.settings, "faithfulness": {"pairs": 3}}
    other = dataclasses.replace(ranker.bundle, settings=settings)
    found = Ranker(other, open_scorer(other)).explain(QUERY, DOCUMENT)
    assert found.model_verdict == found.to_json()["model_verdict"] == {"pairs": 3}
