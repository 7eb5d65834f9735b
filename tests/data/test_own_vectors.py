"""learn_vectors: counts and information against plain Python, and what the vectors say."""

from collections import Counter
from math import log

import numpy as np

from ir_attention.data import own_vectors
from ir_attention.data.arrays import number_texts
from ir_attention.data.own_vectors import learn_vectors
from ir_attention.data.vocabulary import Vocabulary

TEXTS = ["the cat drinks milk", "the dog drinks water", "the cat. The dog!", "rain", ""]
WORDS = ["cat", "dog", "drinks", "milk", "rain", "water"]  # `the` is passed over


def numbered(texts=TEXTS):
    return number_texts(texts, Vocabulary())


def oracle_counts(texts, words):
    counts = Counter()
    for text in texts:
        found = text.lower().replace(".", "").replace("!", "").split()
        for i, one in enumerate(found):
            for j, other in enumerate(found):
                if 0 < abs(i - j) <= 8 and one in words and other in words:
                    counts[words.index(one), words.index(other)] += 1 / abs(i - j)
    return counts


def number(words):
    places = {word: place for place, word in enumerate(words)}
    return np.array([places.get(form, -1) for form in numbered().forms])


def test_counts_are_those_of_a_plain_loop():
    counts = own_vectors._counts(numbered(), number(WORDS), len(WORDS)).toarray()
    expected = np.zeros((6, 6))
    for pair, count in oracle_counts(TEXTS, WORDS).items():
        expected[pair] = count
    np.testing.assert_allclose(counts, expected, atol=1e-12)


def test_counts_do_not_depend_on_the_chunks(monkeypatch):
    whole = own_vectors._counts(numbered(), number(WORDS), len(WORDS)).toarray()
    monkeypatch.setattr(own_vectors, "_CHUNK", 3)
    parts = own_vectors._counts(numbered(), number(WORDS), len(WORDS)).toarray()
    np.testing.assert_allclose(parts, whole, atol=1e-12)


def test_information_is_the_positive_part_of_pmi():
    counts = own_vectors._counts(numbered(), number(WORDS), len(WORDS))
    found = own_vectors._information(counts).toarray()
    table = counts.toarray()
    often = table.sum(axis=1)
    for i in range(6):
        for j in range(6):
            share = often[j] ** 0.75 / sum(often**0.75)
            expected = log(table[i, j] / (often[i] * share)) if table[i, j] else 0
            assert abs(found[i, j] - max(expected, 0)) < 1e-9


def test_like_company_makes_like_vectors():
    texts = [f"the {pet} drinks {what}" for pet in ("cat", "dog") for what in ("milk", "water")]
    texts += [f"a {ship} sails {way}" for ship in ("boat", "ferry") for way in ("north", "home")]
    words = ["boat", "cat", "dog", "ferry"]
    all_words = sorted({word for text in texts for word in text.split()})
    vectors = learn_vectors(numbered(texts), all_words, width=4, seed=7)
    boat, cat, dog, ferry = (vectors[all_words.index(word)] for word in words)
    assert cat @ dog > 0.9 and boat @ ferry > 0.9
    assert abs(cat @ boat) < 0.1


def test_same_seed_same_vectors_and_zeros_for_the_lonely():
    one = learn_vectors(numbered(), WORDS, width=3, seed=7)
    np.testing.assert_array_equal(one, learn_vectors(numbered(), WORDS, width=3, seed=7))
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one[WORDS.index("rain")], 0)
    lengths = np.linalg.norm(np.delete(one, WORDS.index("rain"), axis=0), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


def test_fewer_words_than_width_and_none_at_all():
    vectors = learn_vectors(numbered(), WORDS, width=64, seed=7)
    assert vectors.shape == (6, 64) and not vectors[:, 6:].any()
    assert learn_vectors(numbered([]), [], width=8, seed=7).shape == (0, 8)
    assert not learn_vectors(numbered(["rain"]), ["rain"], width=8, seed=7).any()
