"""Texts to arrays: numbering, cutting, and padding that gives back what it got."""

import numpy as np
import pytest

from ir_attention.data.arrays import (
    Cuts,
    Runs,
    cut_report,
    number_texts,
    pair_arrays,
)
from ir_attention.data.vocabulary import Vocabulary

VOCABULARY = Vocabulary(["cat", "dog", "the"], {"cat": 0.5, "the": 0.1})
QUERY = "The cats"
DOCUMENTS = ["A cat. The dog, the cat!", "", "zyx zyx", "... !!!", "Cat"]
TEXTS = [QUERY, *DOCUMENTS]


def numbered(texts=TEXTS, **more):
    return number_texts(texts, VOCABULARY, **more)


def arrays_of(texts=TEXTS, cuts=None, **more):
    """The first text is the query of all others."""
    found = numbered(texts, **more)
    return pair_arrays(found, [(0, np.arange(1, len(texts)))], cuts)


def forms_of(texts, place):
    return [texts.forms[word] for word in Runs.of_texts(texts).words([place])]


# --- number_texts


def test_numbers_of_small_texts():
    texts = numbered()
    assert texts.forms == ["the", "cats", "a", "cat", "dog", "zyx"]
    assert texts.word.tolist() == [0, 1, 2, 3, 0, 4, 0, 3, 5, 5, 3]
    assert texts.sentence_lengths.tolist() == [2, 2, 4, 2, 1]
    assert texts.sentence_counts.tolist() == [1, 2, 0, 1, 0, 1]
    assert texts.pieces.tolist() == [3, 0, 0, 1, 2, 0]
    assert texts.piece_counts.tolist() == [1] * 6
    # The stem of cats and of cat is one; the unknown ones are as rare as can be.
    assert texts.words.stem.tolist() == [0, 1, 2, 1, 3, 4]
    np.testing.assert_allclose(texts.words.idf, [0.1, 0.5, 1, 0.5, 1, 1])
    assert texts.words.content.tolist() == [False, True, False, True, True, True]


def test_runs():
    texts = numbered()
    assert [forms_of(texts, place) for place in (0, 1, 2, 3)] == [
        ["the", "cats"],
        ["a", "cat", "the", "dog", "the", "cat"],
        [],
        ["zyx", "zyx"],
    ]
    several = Runs.of_texts(texts).words([3, 2, 0])
    assert [texts.forms[word] for word in several] == ["zyx", "zyx", "the", "cats"]


def test_words_written_differently_are_one():
    texts = numbered(["#Cat cat's CAT", "Ｃａｔ"])
    assert texts.forms == ["cat"]
    assert texts.word.tolist() == [0, 0, 0, 0]


def test_without_sentences():
    texts = numbered(["One two. Three.", "", "!"], split_sentences=False)
    assert texts.sentence_counts.tolist() == [1, 0, 0]
    assert texts.sentence_lengths.tolist() == [3]


def test_a_tokenizer_of_ones_own():
    texts = numbered(["one-two  three"], tokenizer=lambda text: text.split(" "))
    assert texts.forms == ["one-two", "", "three"]
    arrays = arrays_of(["one  two", "two  one"], tokenizer=lambda text: text.split(" "))
    assert arrays.overall[:, :11].all()


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_no_words(texts):
    found = numbered(texts)
    assert found.forms == []
    assert found.sentence_counts.tolist() == [0] * len(texts)
    assert all(part.dtype.kind == "i" for part in (found.word, found.sentence_lengths))


# --- pair_arrays


def test_arrays_of_a_small_pair():
    arrays = arrays_of()
    assert arrays.pieces.tolist() == [0, 1, 2, 3]  # unknown, cat, dog, the
    assert arrays.query.tolist() == [3, 0]
    assert arrays.query_lengths.tolist() == [2]
    assert arrays.document.tolist() == [0, 1, 3, 2, 3, 1, 0, 0, 1]
    assert arrays.sentence_lengths.tolist() == [2, 4, 2, 1]
    assert arrays.sentence_counts.tolist() == [2, 0, 1, 0, 1]
    assert arrays.pair_query.tolist() == [0] * 5
    assert arrays.document_features.shape == (9, 8)
    assert arrays.query_features.shape == (10, 8)
    assert arrays.overall.shape == (5, 14)
    # `the` is found, in the words of the first document alone.
    assert arrays.document_features[:, 0].tolist() == [0, 0, 1, 0, 1, 0, 0, 0, 0]
    assert arrays.query_features[:, 0].tolist() == [1, 0] + [0] * 8
    assert arrays.query_features[:, 1].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_each_pair_by_itself():
    """Several queries at once give what each gives alone."""
    texts = numbered(["cat dog", "the dog", "the", "", "cat. dog dog"])
    groups = [(0, np.array([1, 4])), (2, np.array([], int)), (3, np.array([1])), (2, np.array([4]))]
    together = pair_arrays(texts, groups)
    assert together.pair_query.tolist() == [0, 0, 2, 3]
    assert together.query_lengths.tolist() == [2, 1, 0, 1]
    words = pieces = at = 0
    for query, documents in groups:
        alone = pair_arrays(texts, [(query, documents)])
        for name, start in (
            ("overall", at),
            ("query_features", pieces),
            ("document_features", words),
        ):
            part = getattr(alone, name)
            whole = getattr(together, name)[start : start + len(part)]
            np.testing.assert_array_equal(part, whole)
        at += len(alone.overall)
        pieces += len(alone.query_features)
        words += len(alone.document_features)
    assert pieces == len(together.query_features)


def test_no_pairs():
    arrays = pair_arrays(numbered(), [])
    assert [len(part) for part in arrays] == [0] * len(arrays)
    assert arrays_of([QUERY]).overall.shape == (0, 14)


def test_words_in_pieces_share_their_features():
    tokenizers = pytest.importorskip("tokenizers")
    pieces = {"[UNK]": 0, "cat": 1, "##s": 2, "dog": 3}
    model = tokenizers.models.WordPiece(pieces, unk_token="[UNK]")
    vocabulary = Vocabulary(tokenizer=tokenizers.Tokenizer(model).to_str())
    texts = number_texts(["cats dog", "dogs. dog cats"], vocabulary)
    arrays = pair_arrays(texts, [(0, np.array([1]))])
    assert arrays.pieces.tolist() == [1, 2, 3]
    assert arrays.query.tolist() == [0, 1, 2]
    assert arrays.document.tolist() == [2, 1, 2, 0, 1]
    assert arrays.sentence_lengths.tolist() == [2, 3]
    same = arrays.document_features[:, 0].tolist()
    assert same == [0, 0, 1, 1, 1]
    assert arrays.query_features[:, 0].tolist() == [1, 1, 1]
    # A cut may go through a word; the features are still of all words.
    cut = pair_arrays(texts, [(0, np.array([1]))], Cuts(query=1, sentence=2, sentences=2))
    assert cut.pieces.tolist() == [1, 2, 3]
    assert cut.query.tolist() == [0]
    assert cut.document.tolist() == [2, 1, 2, 0]
    np.testing.assert_array_equal(cut.overall, arrays.overall)
    np.testing.assert_array_equal(cut.query_features, arrays.query_features[:1])


# --- cuts


def test_cuts():
    whole = arrays_of()
    cut = arrays_of(cuts=Cuts(query=1, sentence=3, sentences=1))
    assert cut.query.tolist() == [2]  # of cat, dog missing: unknown, cat, the
    assert cut.pieces.tolist() == [0, 1, 3]
    assert cut.query_lengths.tolist() == [1]
    assert cut.sentence_lengths.tolist() == [2, 2, 1]
    assert cut.sentence_counts.tolist() == [1, 0, 1, 0, 1]
    np.testing.assert_array_equal(cut.overall, whole.overall)
    np.testing.assert_array_equal(cut.document_features, whole.document_features[[0, 1, 6, 7, 8]])
    np.testing.assert_array_equal(cut.query_features, whole.query_features[::2])


def test_cuts_that_cut_nothing():
    for one, other in zip(arrays_of(), arrays_of(cuts=Cuts(2, 4, 2)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_report_of_cuts():
    texts, queries, documents = numbered(), np.zeros(5, int), np.arange(1, 6)
    assert cut_report(texts, queries, documents, Cuts(2, 4, 2)) == []
    # Each text counts once, however many pairs it is in.
    twice = np.concatenate([documents, documents])
    lines = cut_report(texts, np.zeros(10, int), twice, Cuts(1, 3, 1))
    assert lines == [
        "1 of 1 queries are longer than 1 words: training takes their beginning",
        "1 of 4 sentences of documents are longer than 3: training takes their beginning",
        "1 of 5 documents have over 1 sentences: training takes their beginning",
    ]


# --- pad


def test_nothing_is_changed():
    texts = numbered()
    copies = [np.array(part) for part in (*texts[2:], *texts.words)]
    arrays = pair_arrays(texts, [(0, np.arange(1, 6))], Cuts(1, 2, 1))
    before = [part.copy() for part in arrays]
    for one, other in zip((*texts[2:], *texts.words), copies, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(one, other)
