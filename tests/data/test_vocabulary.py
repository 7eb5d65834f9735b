"""Vocabulary: ids of words and of pieces, rarity, and what is refused."""

import json
import math

import numpy as np
import pytest

from ir_attention.data.vocabulary import UNKNOWN, Vocabulary, stem_idf
from ir_attention.errors import DataError

PIECES = {"[PAD]": 0, "[UNK]": 1, "cat": 2, "run": 3, "##s": 4, "##n": 5}


def tokenizer(kind="WordPiece", pieces=PIECES, unknown="[UNK]"):
    """The JSON text of a tokenizer with a few pieces."""
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(getattr(tokenizers.models, kind)(pieces, unk_token=unknown))
    made.enable_padding(length=7)
    made.enable_truncation(1)
    return made.to_str()


def again(vocabulary):
    """What comes back through a JSON file."""
    return Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json())))


def listed(vocabulary, forms):
    ids, lengths = vocabulary.ids(forms)
    assert ids.dtype == np.int32
    return ids.tolist(), lengths.tolist()


def test_words():
    vocabulary = Vocabulary(["cat", "猫"], {"cat": 0.5})
    assert vocabulary.size == 3
    assert vocabulary.unknown == UNKNOWN == 0
    assert listed(vocabulary, ["猫", "dog", "cat", ""]) == ([2, 0, 1, 0], [1, 1, 1, 1])
    assert listed(vocabulary, []) == ([], [])


def test_no_words():
    assert Vocabulary().size == 1
    assert listed(Vocabulary(), ["cat"]) == ([0], [1])


@pytest.mark.parametrize("vocabulary", [lambda v: v, again], ids=["made", "read"])
def test_pieces(vocabulary):
    """Padding and truncation, which tokenizers carry along, are left out."""
    vocabulary = vocabulary(Vocabulary(tokenizer=tokenizer()))
    assert vocabulary.size == 6
    assert vocabulary.unknown == 1
    forms = ["cats", "dog", "", "runs", "cat"]
    assert listed(vocabulary, forms) == ([2, 4, 1, 1, 3, 4, 2], [2, 1, 1, 2, 1])
    assert listed(vocabulary, []) == ([], [])


def test_pieces_of_odd_characters():
    vocabulary = Vocabulary(tokenizer=tokenizer())
    assert listed(vocabulary, ["\ud800", "é"]) == ([1, 1], [1, 1])


@pytest.mark.parametrize("name", ["[UNK]", "<unk>", "UNK", "oov"])
def test_the_unknown_piece(name):
    pieces = {"cat": 0, "dog": 1, name: 2}
    vocabulary = Vocabulary(tokenizer=tokenizer("WordLevel", pieces, name))
    assert vocabulary.unknown == 2
    assert listed(vocabulary, ["dog", "zyx", ""]) == ([1, 2, 2], [1, 1, 1])


def test_reads_what_it_wrote():
    vocabulary = Vocabulary(["cat", "猫", "\ud800"], {"cat": 0.5, "run": 1})
    read = again(vocabulary)
    assert read.words == vocabulary.words
    assert read.idf == vocabulary.idf
    assert read.tokenizer is None
    pieces = Vocabulary(idf={"cat": 0.25}, tokenizer=tokenizer())
    read = again(pieces)
    assert (read.words, read.idf, read.tokenizer) == ((), {"cat": 0.25}, pieces.tokenizer)


def test_rarity():
    vocabulary = Vocabulary(idf={"cat": 0.5, "the": 0})
    rare = vocabulary.rarity(["the", "never seen", "cat"])
    assert rare.dtype == np.float32
    assert rare.tolist() == [0, 1, 0.5]
    assert vocabulary.rarity([]).shape == (0,)


def idf(*texts):
    """Of texts of words that are their own stems."""
    words = [word for text in texts for word in text.split()]
    unique = sorted(set(words), reverse=True)
    places = np.array([unique.index(word) for word in words], np.int64)
    return stem_idf(unique, places, np.array([len(text.split()) for text in texts], np.int64))


def test_idf_by_hand():
    found = idf("the cat the", "the dog", "the", "cat the cat")
    assert list(found) == ["cat", "dog", "the"]
    # log(4/2) / log 4, log(4/1) / log 4, log(4/4) / log 4
    assert found == pytest.approx({"cat": 0.5, "dog": 1, "the": 0})
    assert idf("cat", "cat", "dog")["cat"] == pytest.approx(math.log(3 / 2) / math.log(3), abs=1e-6)


def test_idf_is_of_stems():
    found = stem_idf(["run", "cat", "run"], np.array([0, 2, 1, 2]), np.array([2, 0, 2]))
    # Of three texts both others have a word of the stem `run`.
    assert found == pytest.approx({"cat": 1, "run": math.log(3 / 2) / math.log(3)}, abs=1e-6)


def test_idf_of_little():
    assert idf() == {}
    assert idf("cat") == {"cat": 0}
    assert idf("", "") == {}


def test_the_callers_values_are_its_own():
    words, idf = ["cat"], {"cat": 0.5}
    vocabulary = Vocabulary(words, idf)
    words.append("dog")
    idf["dog"] = 1
    assert (vocabulary.words, vocabulary.idf) == (("cat",), {"cat": 0.5})


GOOD = {"kind": "words", "words": ["cat"], "idf": {"cat": 0.5}}
DAMAGED = {
    "nothing": ({}, r"holds `kind` .* Received: \[\]"),
    "no idf": ({"kind": "words", "words": []}, r"Received: \['kind', 'words'\]"),
    "idf a list": (GOOD | {"idf": []}, "holds `kind`"),
    "another kind": (GOOD | {"kind": "letters"}, "kind 'letters'"),
    "kind a list": (GOOD | {"kind": ["words"]}, "holds `kind`"),
    "words a text": (GOOD | {"words": "cat"}, "holds `kind`"),
    "pieces a list": ({"kind": "pieces", "pieces": ["cat"], "idf": {}}, "holds `kind`"),
    "what kind names is missing": ({"kind": "pieces", "words": [], "idf": {}}, "holds `kind`"),
    "a word a number": (GOOD | {"words": ["cat", 3]}, r"must be text. Received: 3 \(1 of 1\)"),
    "a word twice": (GOOD | {"words": ["cat", "cat"]}, "must differ. Received: 'cat' twice"),
    "idf a word": (GOOD | {"idf": {"cat": "rare"}}, "from 0 to 1. Received: 'rare' for 'cat'"),
    "idf NaN": (GOOD | {"idf": {"cat": math.nan}}, "from 0 to 1. Received: nan for 'cat'"),
    "idf too large": (GOOD | {"idf": {"cat": 1, "dog": 7}}, r"Received: 7 for 'dog' \(1 of 1\)"),
    "not a tokenizer": ({"kind": "pieces", "pieces": "{", "idf": {}}, "not a tokenizer's JSON"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_refuses_damaged_values(name):
    values, message = DAMAGED[name]
    with pytest.raises(DataError, match=message):
        Vocabulary.from_json(values)
