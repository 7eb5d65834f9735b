"""Cutting: the quick way by unique chunks gives what one text after the other gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.data import cutting
from ir_attention.data.arrays import number_texts
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.text import sentences, words

PIECES = [
    *("The cat", "a", "B.", "c!", "1,000", "#Tag", "@you", "don’t", "http://a.com/x?y=1.", "U.S."),
    *(" ", "  ", "\n", "\r\n", "\t", "\x1c", "\x85", "\xa0", "\u2028", "\u3000", "\u200d", "\0"),
    *("é", "日本。", "नमस्ते", "👍🏽", "🇺🇸", "\ud800", "...", "(1)", "ch. 3", '"', "”", "…", "-"),
]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), max_size=6)


def one_by_one(texts, split_sentences=True):
    """Words by sentence by text, as a reader would write it."""
    for text in texts:
        spans = sentences(text) if split_sentences else [(0, len(text))]
        found = [words(text[start:end]) for start, end in spans]
        yield [sentence for sentence in found if sentence]


def nested(cut):
    """The same of a Cut."""
    all_words = iter([cut.written[place] for place in cut.word])
    lengths = iter(cut.sentence_lengths)
    for count in cut.sentence_counts:
        yield [[next(all_words) for _ in range(next(lengths))] for _ in range(count)]


@pytest.fixture(params=[1 << 24, 1], ids=["one block", "a block for each sentence"])
def by_chunk(request, monkeypatch):
    monkeypatch.setattr(cutting, "_FEW", 0)
    monkeypatch.setattr(cutting, "_BLOCK", request.param)
    monkeypatch.setattr(cutting, "_one_by_one", None)


def test_words_by_hand(by_chunk):
    cut = cutting.cut_texts(["A cat. The cat, re-run!", "", "... !!!", "\xa0Cat\u3000cat"])
    assert cut.written == ["A", "cat", "The", "re", "run", "Cat"]
    assert cut.word.tolist() == [0, 1, 2, 1, 3, 4, 5, 1]
    assert cut.sentence_lengths.tolist() == [2, 4, 2]
    assert cut.sentence_counts.tolist() == [2, 0, 0, 1]


@given(TEXTS, st.booleans())
@settings(deadline=None)
def test_both_ways_agree(texts, split_sentences):
    expected = list(one_by_one(texts, split_sentences))
    order = list(dict.fromkeys(word for text in expected for part in text for word in part))
    few = cutting.cut_texts(texts, split_sentences=split_sentences)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "_FEW", 0)
        patch.setattr(cutting, "_BLOCK", 9)
        many = cutting.cut_texts(texts, split_sentences=split_sentences)
    for cut in (few, many):
        assert list(nested(cut)) == expected
        assert cut.written == order
        assert all(part.dtype == np.int64 for part in cut[1:])


@given(
    st.lists(st.lists(st.sampled_from(PIECES)).map(lambda parts: "".join("".join(parts).split())))
)
@settings(deadline=None)
def test_words_of_chunks(chunks):
    found, counts = cutting._words_of(chunks)
    assert counts.tolist() == [len(words(chunk)) for chunk in chunks]
    assert found == [word for chunk in chunks for word in words(chunk)]


def test_a_tokenizer_of_ones_own_is_asked(monkeypatch):
    monkeypatch.setattr(cutting, "_FEW", 0)
    monkeypatch.setattr(cutting, "_by_chunk", None)
    cut = cutting.cut_texts(["one two. Two one"], tokenizer=lambda text: [text])
    assert cut.written == ["one two.", "Two one"]
    assert cut.sentence_counts.tolist() == [2]


@pytest.mark.parametrize("texts", [[], [""], ["", "..."]])
def test_no_words(by_chunk, texts):
    cut = cutting.cut_texts(texts)
    assert (cut.written, cut.word.tolist(), cut.sentence_lengths.tolist()) == ([], [], [])
    assert cut.sentence_counts.tolist() == [0] * len(texts)


def test_what_is_cut_need_not_be_cut_again(by_chunk, monkeypatch):
    vocabulary = Vocabulary(["cat"], {"cat": 0.5})
    texts = ["The Cat. A dog!", "cat"]
    expected = number_texts(texts, vocabulary)
    cut = cutting.cut_texts(texts)
    monkeypatch.setattr(cutting, "sentence_texts", None)
    found = number_texts(cut, vocabulary)
    assert found.forms == expected.forms == ["the", "cat", "a", "dog"]
    for one, other in zip(found[2:], expected[2:], strict=True):
        np.testing.assert_array_equal(one, other)
