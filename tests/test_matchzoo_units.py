"""Text units and preprocessors: fixed numbers, no downloads, the pack they are given unchanged."""

import re

import numpy as np
import pandas as pd
import pytest

from ir_attention import matchzoo as mz
from ir_attention.errors import MissingExtra
from ir_attention.text import STOP_WORDS, words

units = mz.preprocessors.units
FRAME = pd.DataFrame(
    {
        "text_left": ["The cat sat!", "The cat sat!", "A dog?"],
        "text_right": ["cats sat, and sat", "the dog ran", "dog: the dog ran"],
        "label": [1, 0, 1],
    }
)


@pytest.fixture
def pack():
    return mz.pack(FRAME)


# text, tokens
TOKENS = {
    "words": ("covid 19 in Oslo", ["covid", "19", "in", "Oslo"]),
    "kept whole": ("Don't miss #jobs at 3.5% @POTUS", "Don't miss #jobs at 3.5% @POTUS".split()),
    "marks": ("To BE ! cleaned, 31.", ["To", "BE", "!", "cleaned", ",", "31", "."]),
    "runs": ('"well-known"... (no?!!)', ['"', "well", "-", "known", '"', "...", "("]
             + ["no", "?", "!!", ")"]),
    "marks alone": (" ?! ", ["?", "!"]),
    "other marks": ("“so” — he said", ["so", "he", "said"]),
    "nothing": ("", []),
    "space": (" \t\n", []),
}  # fmt: skip


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_are_our_words_and_the_marks_between(name):
    text, expected = TOKENS[name]
    tokens = units.Tokenize().transform(text)
    assert tokens == expected
    assert [token for token in tokens if any(map(str.isalnum, token))] == words(text)


def test_default_preprocessors_have_our_words_alone():
    chain = mz.chain_transform(mz.preprocessors.NaivePreprocessor._default_units())
    assert chain('"The end", he said... (to BE!) ?') == "the end he said to be".split()


def test_english_stop_words_are_ours():
    unit = units.StopRemoval()
    assert unit.transform(["a", "the", "test"]) == ["test"]
    assert unit.stopwords == sorted(STOP_WORDS)


def test_other_stop_words_ask_for_their_data(monkeypatch):
    import nltk

    monkeypatch.setattr(nltk.data, "path", [])
    with pytest.raises(MissingExtra, match="nltk.downloader stopwords.*Received: lang='german'"):
        units.StopRemoval(lang="german")


def test_lemmatization_asks_for_its_data(monkeypatch):
    import nltk

    def lemmatize(self, word, pos):
        raise LookupError("Resource wordnet not found.")

    monkeypatch.setattr(nltk.WordNetLemmatizer, "lemmatize", lemmatize)
    with pytest.raises(MissingExtra, match="nltk.downloader wordnet.*Received: 2 tokens"):
        units.Lemmatization().transform(["cats", "ran"])


def test_stemming_needs_no_data():
    assert units.Stemming().transform(["running", "ponies"]) == ["run", "poni"]
    assert units.Stemming("lancaster").transform(["running", "maximum"]) == ["run", "maxim"]


# unit, input, output
PURE = {
    "digits": (units.DigitRemoval(), ["3", "b3", "c"], ["b3", "c"]),
    "lower case": (units.Lowercase(), ["To", "BE"], ["to", "be"]),
    "punctuation": (units.PuncRemoval(), ["#tag", "isn't", "!"], ["tag", "isnt"]),
    "letters": (units.NgramLetter(), ["hello", "a"], "#he hel ell llo lo# #a#".split()),
    "bigrams": (units.NgramLetter(2, reduce_dim=False), ["ab"], [["#a", "ab", "b#"]]),
    "hashing": (
        units.WordHashing({"_PAD": 0, "OOV": 1, "st#": 2, "#te": 3, "est": 4, "tes": 5}),
        ["#te", "tes", "est", "tes", "new"],
        [0, 1, 0, 1, 1, 2],
    ),
    "characters": (
        units.CharacterIndex({"<PAD>": 0, "<OOV>": 1, "a": 2, "#": 3}, 2, 4),
        [["#", "a", "#"], ["#", "o", "#"]],
        [[3, 2, 3, 0], [3, 1, 3, 0]],
    ),
    "pre": (units.FixedLength(3), [1, 2], [0, 1, 2]),
    "pre, cut": (units.FixedLength(3), [1, 2, 3, 4, 5], [3, 4, 5]),
    "post": (units.FixedLength(3, pad_mode="post"), [1, 2], [1, 2, 0]),
    "post, cut": (units.FixedLength(3, truncate_mode="post"), [1, 2, 3, 4], [1, 2, 3]),
    "nothing": (units.FixedLength(3, pad_value=9), [], [9, 9, 9]),
    "histogram": (
        units.MatchingHistogram(3, np.array([[1.0, -1.0], [1.0, 2.0], [1.0, 3.0]]), True, "CH"),
        [[0, 1], [1, 2]],
        [[3, 1, 1], [1, 2, 2]],
    ),
}


@pytest.mark.parametrize("name", PURE)
def test_units_without_state(name):
    unit, tokens, expected = PURE[name]
    assert unit.transform(tokens) == expected


@pytest.mark.parametrize("size", [0, 1, 7, 29, 30, 31, 45])
def test_texts_in_the_middle(size):
    text = list(range(1, size + 1))
    before = max((30 - size) // 2, 0)
    fixed = units.FixedLength(30, pad_mode="both").transform(text)
    assert len(fixed) == 30
    assert fixed[:before] == [0] * before
    assert fixed[before : before + size] == text[-30:]
    assert not any(fixed[before + size :])


def test_seven_words_in_the_middle_of_thirty():
    fixed = units.FixedLength(30, pad_mode="both", truncate_mode="post").transform([5] * 7)
    assert fixed == [0] * 11 + [5] * 7 + [0] * 12


@pytest.mark.parametrize(
    "mode, bounds, kept",
    [("tf", {"low": 2}, "bc"), ("df", {"low": 2}, "b"), ("idf", {"low": 1.2}, "ac")],
)
def test_frequency_filter(mode, bounds, kept):
    unit = units.FrequencyFilter(mode=mode, **bounds)
    unit.fit([["a", "b", "b"], ["c", "b", "c"]])
    assert unit.transform(list("abc")) == list(kept)


def test_vocabularies_are_in_sorted_order():
    vocabulary = units.Vocabulary(pad_value="[PAD]", oov_value="[OOV]")
    vocabulary.fit(list("EDACBAA"))
    expected = ["[PAD]", "[OOV]", "A", "B", "C", "D", "E"]
    assert vocabulary.state["term_index"] == {term: at for at, term in enumerate(expected)}
    assert vocabulary.state["index_term"] == dict(enumerate(expected))
    assert vocabulary.transform(list("CAZ") + ["[PAD]"]) == [4, 2, 1, 0]


def test_chain_transform():
    chain = mz.chain_transform([units.Tokenize(), units.Lowercase(), units.NgramLetter()])
    assert chain("To be") == ["#to", "to#", "#be", "be#"]
    assert chain.__name__.endswith("Tokenize => Lowercase => NgramLetter")


def test_build_vocab_unit(pack):
    tokens = pack.apply_on_text(str.split, verbose=0)
    unit = mz.build_vocab_unit(tokens, mode="left", verbose=0)
    assert list(unit.state["term_index"]) == ["<PAD>", "<OOV>", "A", "The", "cat", "dog?", "sat!"]


def test_basic_preprocessor(pack):
    before = pack.frame()
    preprocessor = mz.preprocessors.BasicPreprocessor(
        fixed_length_left=4, fixed_length_right=5, remove_stop_words=True
    )
    done = preprocessor.fit_transform(pack, verbose=0)
    # Of the documents' words, those in two of them; of the queries', all: cat dog ran sat.
    assert preprocessor.context["vocab_unit"].state["term_index"] == {
        "<PAD>": 0, "<OOV>": 1, "cat": 2, "dog": 3, "ran": 4, "sat": 5
    }  # fmt: skip
    assert preprocessor.context["vocab_size"] == preprocessor.context["embedding_input_dim"] == 6
    assert preprocessor.context["input_shapes"] == [(4,), (5,)]
    x, y = done.unpack()
    np.testing.assert_array_equal(x["text_left"], [[2, 5, 0, 0], [2, 5, 0, 0], [3, 0, 0, 0]])
    np.testing.assert_array_equal(
        x["text_right"], [[0, 0, 0, 0, 0], [3, 4, 0, 0, 0], [3, 3, 4, 0, 0]]
    )
    assert x["length_right"].tolist() == [0, 2, 3]
    assert y.tolist() == [[1], [0], [1]]
    pd.testing.assert_frame_equal(pack.frame(), before)


def test_dssm_preprocessor(pack):
    preprocessor = mz.preprocessors.DSSMPreprocessor()
    x, _ = preprocessor.fit_transform(pack, verbose=0).unpack()
    index = preprocessor.context["vocab_unit"].state["term_index"]
    assert preprocessor.context["input_shapes"] == [(len(index),), (len(index),)]
    dog = [0] * len(index)
    for trigram in ("#do", "dog", "og#"):
        dog[index[trigram]] = 1
    assert x["text_left"][2].tolist() == dog
    assert x["text_right"][2][index["dog"]] == 2


@pytest.mark.parametrize(
    "preprocessor",
    [
        mz.preprocessors.NaivePreprocessor(),
        mz.preprocessors.CDSSMPreprocessor(fixed_length_left=3, fixed_length_right=4),
        mz.preprocessors.DIINPreprocessor(5, 5, 3),
    ],
    ids=lambda preprocessor: type(preprocessor).__name__,
)
def test_other_preprocessors(pack, preprocessor):
    before = pack.frame()
    x, _ = preprocessor.fit_transform(pack, verbose=0).unpack()
    assert x["text_left"].shape[0] == x["text_right"].shape[0] == 3
    assert x["text_left"].dtype != object
    pd.testing.assert_frame_equal(pack.frame(), before)


class _Letters(units.Unit):
    """The tutorials' tokenizer: letters and underscores, no digits, case kept."""

    def transform(self, input_):
        return re.findall(r"[^\d\W]+", input_)


class _Known(units.Unit):
    def __init__(self, table):
        self.table = table

    def transform(self, input_):
        return [word for word in input_ if word in self.table]


class _Embed(units.Unit):
    def __init__(self, table):
        self.table = table

    def transform(self, input_):
        return [self.table[word] for word in input_]


class _Vectors(mz.engine.base_preprocessor.BasePreprocessor):
    """The tutorials' preprocessor: tokens, those with a vector, their vectors, padded."""

    def __init__(self, table, length):
        super().__init__()
        self.chain = mz.chain_transform([_Letters(), _Known(table), _Embed(table)])
        self.shape = (length, len(next(iter(table.values()))))

    def fit(self, data_pack, verbose=1):
        return self

    def transform(self, data_pack, verbose=1):
        return data_pack.apply_on_text(self._fix, verbose=verbose)

    def _fix(self, text):
        fixed = np.zeros(self.shape)
        for step, vector in enumerate(self.chain(text)[: self.shape[0]]):
            fixed[step] = vector
        return fixed


def test_the_tutorials_tokenizer():
    assert _Letters().transform("COVID-19 isn't 2nd_try") == ["COVID", "isn", "t", "nd_try"]


def test_an_own_preprocessor(pack):
    before = pack.frame()
    preprocessor = _Vectors({"cat": [1.0, 2.0], "dog": [3.0, 4.0]}, length=3)
    x, _ = preprocessor.fit_transform(pack, verbose=0).unpack()
    assert x["text_left"].shape == (3, 3, 2)
    assert x["text_left"][0].tolist() == [[1, 2], [0, 0], [0, 0]]
    assert x["text_right"][2].tolist() == [[3, 4], [3, 4], [0, 0]]
    pd.testing.assert_frame_equal(pack.frame(), before)


def test_save_and_load(pack, tmp_path):
    preprocessor = mz.preprocessors.BasicPreprocessor(4, 5, filter_low_freq=1)
    done = preprocessor.fit_transform(pack, verbose=0)
    with pytest.warns(UserWarning, match="Writing a BasicPreprocessor with dill"):
        preprocessor.save(tmp_path / "preprocessor")
    with pytest.warns(UserWarning, match="Reading with dill"):
        again = mz.load_preprocessor(tmp_path / "preprocessor")
    assert again.context["vocab_size"] == preprocessor.context["vocab_size"]
    pd.testing.assert_frame_equal(again.transform(pack, verbose=0).frame(), done.frame())


def test_embedding_matrix(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("cat 1 2\ndog 3 4\n")
    embedding = mz.embedding.load_from_file(str(path), mode="glove")
    assert (embedding.input_dim, embedding.output_dim) == (2, 2)
    matrix = embedding.build_matrix({"<PAD>": 0, "dog": 1, "new": 2}, initializer=lambda: 7.0)
    assert matrix.tolist() == [[7, 7], [3, 4], [7, 7]]
