"""Erasing words: scores against those of texts, and curves against numbers worked by hand."""

import numpy as np
import pytest
from erased_texts import without

from ir_attention.data.arrays import Runs, number_texts
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.ranking import erasing
from ir_attention.ranking.ranker import Ranker
from ir_attention.scoring.matcher import Request

QUERY = "comet seen in Perth again"
# Repeated words, a word by itself in its sentence, words that are the query's and unknown ones.
DOCUMENT = "a comet near perth zyxx! wow! the comet is near perth perth and the match goes on!"


@pytest.fixture(scope="module", params=["han", "han-bi"])
def scorer(request, toy_trained, toy_bi):
    folder = toy_trained[0].folder if request.param == "han" else toy_bi.folder
    return Ranker.load(folder).attentive


def plain(scorer, queries, documents):
    """Scores of texts, each by itself."""
    pairs = zip(queries, documents, strict=True)
    return np.array([scorer.score([query], [document])[0] for query, document in pairs])


def test_effects_are_those_of_texts_without_the_word(scorer):
    request, words = scorer.number([QUERY], [DOCUMENT]), len(DOCUMENT.split())
    texts = [without(DOCUMENT, [number]) for number in range(words)]
    assert request.texts.sentence_counts.tolist() == [1, 3]
    score = plain(scorer, [QUERY], [DOCUMENT])
    expected = score - plain(scorer, [QUERY] * words, texts)
    found = erasing.document_effects(scorer, request)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(found) > 1e-3  # or the model looks at nothing
    queries = [without(QUERY, [number]) for number in range(5)]
    expected = score - plain(scorer, queries, [DOCUMENT] * 5)
    np.testing.assert_allclose(erasing.query_effects(scorer, request), expected, atol=1e-5)


def test_losses_are_those_of_texts_without_the_words(scorer):
    request, words = scorer.number([QUERY], [DOCUMENT]), len(DOCUMENT.split())
    order = np.random.default_rng(2).permutation(words)
    gone, alone = erasing.erasure(scorer, request, [np.arange(words), order])
    score = plain(scorer, [QUERY], [DOCUMENT])
    for row, places in enumerate([np.arange(words), order]):
        firsts = [places[: -(-share * words // 10)] for share in range(11)]
        rests = [np.setdiff1d(places, first) for first in firsts]
        texts = [without(DOCUMENT, first) for first in firsts]
        expected = score - plain(scorer, [QUERY] * 11, texts)
        np.testing.assert_allclose(gone[row], expected, atol=1e-5)
        texts = [without(DOCUMENT, rest) for rest in rests]
        expected = score - plain(scorer, [QUERY] * 11, texts)
        np.testing.assert_allclose(alone[row], expected, atol=1e-5)


def test_the_parts_that_variants_are_scored_in_change_nothing(scorer, monkeypatch):
    request = scorer.number([QUERY], [DOCUMENT])
    whole = erasing.document_effects(scorer, request), erasing.query_effects(scorer, request)
    monkeypatch.setattr(erasing, "_WORDS", 40)
    np.testing.assert_allclose(erasing.document_effects(scorer, request), whole[0], atol=1e-5)
    np.testing.assert_allclose(erasing.query_effects(scorer, request), whole[1], atol=1e-5)


@pytest.mark.parametrize(
    ("query", "document"), [("", "a comet."), (QUERY, ""), ("", ""), ("?", "!"), (QUERY, "comet")]
)
def test_texts_of_one_word_or_none(scorer, query, document):
    request = scorer.number([query], [document])
    score = plain(scorer, [query], [document])[0]
    effects = erasing.document_effects(scorer, request)
    expected = {"": [], "!": [], "comet": [score - plain(scorer, [query], [""])[0]]}
    if document in expected:
        np.testing.assert_allclose(effects, expected[document], atol=1e-5)
    assert len(erasing.query_effects(scorer, request)) == len(query.replace("?", "").split())
    curves = erasing.erasure_curves(scorer, request, {"attention": np.ones(len(effects))})
    assert (curves is None) == (len(effects) == 0)
    if document == "comet":  # every order is the same
        assert curves["attention"] == curves["random"] == curves["random_high"]
        assert curves["attention_beats_chance"] is None  # too few words to tell
        assert curves["as_good"] == {"attention": curves["orders"]}


class Counting:
    """Its score is the sum of what is left of the words' values: erasing is arithmetic."""

    def __init__(self, *values):
        self.values = np.array(values, float)
        self.scored = 0

    def number(self):
        count = len(self.values)
        texts = number_texts(["q", " ".join(f"w{n}" for n in range(count))], Vocabulary())
        return Request(texts, np.zeros((1, 1)), np.array([0]), np.array([1]))

    def score_request(self, request, *, alike=False):
        of_text = Runs.of_texts(request.texts)
        self.scored += len(request.document)
        # The query's word comes first among the words.
        left = [of_text.words([place]) - 1 for place in request.document]
        return np.array([self.values[words].sum() for words in left])


def test_a_curve_worked_by_hand():
    """Four words worth 8, 4, 2 and 1: rounded up, .1 and .2 are a word, .3 to .5 two, and so on."""
    toy = Counting(8, 4, 2, 1)
    best, worst = [0, 1, 2, 3], [3, 2, 1, 0]
    gone, alone = erasing.erasure(toy, toy.number(), [best, worst])
    assert gone[0].tolist() == [0, 8, 8, 12, 12, 12, 14, 14, 15, 15, 15]
    assert gone[1].tolist() == [0, 1, 1, 3, 3, 3, 7, 7, 15, 15, 15]
    assert alone[0].tolist() == [15, 7, 7, 3, 3, 3, 1, 1, 0, 0, 0]
    # Trapezoids: half of both ends and all between, a tenth wide each.
    assert erasing.area(gone[0]) == pytest.approx((0 / 2 + 110 + 15 / 2) / 10)
    assert erasing.area(gone).tolist() == pytest.approx([11.75, (55 + 7.5) / 10])


def test_the_curves_of_one_pair():
    toy = Counting(16, 8, 4, 2, 1)
    values = {"attention": toy.values, "effects": -toy.values}
    found = erasing.erasure_curves(toy, toy.number(), values)
    assert found["shares"] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert found["attention"] == [0, 16, 16, 24, 24, 28, 28, 30, 30, 31, 31]
    assert found["effects"] == [0, 1, 1, 3, 3, 7, 7, 15, 15, 31, 31]
    assert found["areas"]["attention"] == pytest.approx((31 / 2 + 227) / 10)
    low, mean, high = (found["areas"][name] for name in ("random_low", "random", "random_high"))
    assert (83 + 31 / 2) / 10 <= low < mean < high < found["areas"]["attention"]
    assert found["attention_beats_chance"]
    turned = {"attention": -toy.values}
    assert not erasing.erasure_curves(toy, toy.number(), turned)["attention_beats_chance"]
    # Whichever order, at 0 nothing is lost and at 1 all.
    for name in ("random", "random_low", "random_high"):
        assert (found[name][0], found[name][-1]) == (0, 31)


@pytest.mark.parametrize("words", range(1, 9))
def test_of_fewer_than_five_words_there_is_no_verdict(words):
    """With five, the best order of all is beyond the range of random ones, whichever they are."""
    toy = Counting(*2.0 ** np.arange(words)[::-1])
    for seed in range(20):
        found = erasing.erasure_curves(toy, toy.number(), {"attention": toy.values}, seed=seed)
        assert found["attention_beats_chance"] is (True if words >= 5 else None)
    worst = erasing.erasure_curves(toy, toy.number(), {"attention": -toy.values})
    assert worst["attention_beats_chance"] is (False if words >= 5 else None)


def test_random_orders_are_counted_and_the_range_is_of_them():
    toy = Counting(16, 8, 4, 2, 1)
    found = erasing.erasure_curves(toy, toy.number(), {"attention": toy.values}, seed=3)
    orders = erasing.random_orders(5, 3, found["orders"])
    areas = erasing.area(erasing.losses(toy, toy.number(), orders))
    best = erasing.area(erasing.losses(toy, toy.number(), [np.arange(5)]))[0]
    assert found["orders"] == len(areas) == 100
    assert found["as_good"] == {"attention": (areas >= best).sum()}
    ends = np.percentile(areas, [2.5, 97.5])
    chance = [found["areas"][f"random_{end}"] for end in ("low", "high")]
    assert chance == pytest.approx(ends, abs=1e-6)
    assert found["areas"]["random"] == pytest.approx(areas.mean(), abs=1e-6)


def test_losses_are_those_of_erasure():
    toy = Counting(8, 4, 2, 1)
    orders = [[0, 1, 2, 3], [3, 1, 0, 2]]
    gone, _ = erasing.erasure(toy, toy.number(), orders)
    assert erasing.losses(toy, toy.number(), orders).tolist() == gone.tolist()


def test_what_is_left_twice_is_scored_once():
    toy = Counting(8, 4, 2, 1)
    kept = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]], bool)
    assert erasing.kept_scores(toy, toy.number(), kept).tolist() == [12, 0, 12]
    assert toy.scored == 2


def test_equal_values_keep_the_order_of_the_text():
    assert erasing.order_of(np.array([1.0, 2, 1, 2])).tolist() == [1, 3, 0, 2]


def test_random_orders_are_orders():
    orders = erasing.random_orders(7, 5)
    assert orders.shape == (20, 7)
    assert (np.sort(orders, axis=1) == np.arange(7)).all()
    assert (orders == erasing.random_orders(7, 5)).all()
    assert (orders != erasing.random_orders(7, 6)).any()


def test_long_texts_are_left_out_unless_they_are_asked_for():
    small, large = (Counting(*np.ones(n)).number() for n in (300, 600))
    assert erasing.affordable(small)  # in one sentence: each word's variant reads all others
    assert not erasing.affordable(large)
    # In many sentences, a variant reads one of them, and the vectors of the others.
    texts = large.texts._replace(
        sentence_lengths=np.array([1, *[20] * 30]), sentence_counts=np.array([1, 30])
    )
    assert erasing.affordable(large._replace(texts=texts))
