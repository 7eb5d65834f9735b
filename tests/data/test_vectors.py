"""read_vectors: every form of pretrained vectors, and what each error says."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from ir_attention.data.vectors import read_vectors, word_vectors
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.errors import DataError

WORDS = {"the": [1, 2, 3], "cat": [-0.5, 0.25, 1e-3], "Dog": [4, 5, 6]}
GLOVE = "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in WORDS.items())


@pytest.fixture
def write(tmp_path):
    def write(content, name="vectors.txt"):
        path = tmp_path / name
        content = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


class KeyedVectors:
    """What gensim's class offers of its own."""

    key_to_index = {"Dog": 2, "the": 0, "cat": 1}
    vectors = np.array(list(WORDS.values()), "float32")


def check(read, words=("the", "cat", "dog")):
    """Words are in the form of `text.normal`."""
    assert read.words == list(words)
    assert read.tokenizer is None
    assert read.table.dtype == np.float32
    rows = {word.lower(): row for word, row in WORDS.items()}
    np.testing.assert_allclose(read.table, [rows[word] for word in words])


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
@pytest.mark.parametrize("head", ["", "3 3\n"], ids=["GloVe", "word2vec"])
def test_text_files(write, name, head):
    check(read_vectors(write(head + GLOVE, name)))
    check(read_vectors(str(write(head + GLOVE.replace("\n", " \r\n"), name))))


def test_values_in_memory():
    check(read_vectors(WORDS))
    check(read_vectors({word: np.array(row) for word, row in WORDS.items()}))
    check(read_vectors(KeyedVectors()), ["dog", "the", "cat"])


def test_words_with_spaces(write):
    read = read_vectors(write("the 1 2 3\n. . . 4 5 6\nat name@site.com 7 8 9\n1 1/2 1 2 3\n"))
    assert read.words == ["the", ". . .", "at name@site.com", "1 1/2"]
    np.testing.assert_array_equal(read.table[1:3], [[4, 5, 6], [7, 8, 9]])
    assert read_vectors(write("1 2\nNew York 1 2\n")).words == ["new york"]


def test_of_several_forms_the_first(write):
    read = read_vectors(write("Apple 1 2\napple 3 4\nAPPLE 5 6\n#apple 7 8\n"))
    assert read.words == ["apple"]
    np.testing.assert_array_equal(read.table, [[1, 2]])


@pytest.mark.parametrize("head", ["", "5 2\n"])
def test_the_most_frequent_and_the_wanted(write, head):
    lines = "a 1 1\nb 2 2\nc 3 3\nD 4 4\ne 5 5\n"
    wanted = frozenset({"d", "zyx"})
    assert read_vectors(write(head + lines), most=2).words == ["a", "b"]
    assert read_vectors(write(head + lines), most=2, wanted=wanted).words == ["a", "b", "d"]
    assert read_vectors(write(head + lines), most=0, wanted=wanted).words == ["d"]
    pairs = {line[0]: [1, 2] for line in lines.splitlines()}
    assert read_vectors(pairs, most=2, wanted=wanted).words == ["a", "b", "d"]


BROKEN = {
    "empty": ("", "0 words"),
    "only a header": ("3 3\n", "0 words"),
    "a value missing": ("the 1 2 3\ncat 1 2\n", "line 2: a word and 3 finite numbers.*'cat 1 2"),
    "a value missing after a header": ("2 3\nthe 1 2 3\ncat 1 2\n", "line 3: a word and 3"),
    "a value too many": ("the 1 2 3\ncat 0.5 1 2 3\n", "line 2: .*'cat 0.5 1 2 3"),
    "a blank line": ("the 1 2 3\n\ncat 1 2 3\n", "line 2: a word and 3 finite numbers"),
    "a word for a number": ("the 1 2 3\ncat 1 x 3\n", "line 2: .*'cat 1 x 3"),
    "NaN": ("the 1 2 3\ncat 1 nan 3\n", "line 2: .*finite"),
    "infinite": ("the 1 2 3\ncat 1 1e99 3\n", "line 2: .*finite"),
    "tabs": ("the\t1\t2\t3\n", "line 1: .*separated by single spaces"),
    "no word": ("1.5\n2.5\n", "line 1: a word and 2"),
    "binary": (b"3 2\nthe \x00\x00\x80?\xff\xfe\n", "not a text file.*ends with .bin"),
    "another encoding": ("the 1 2\ncaf\xe9 1 2\n".encode("latin-1"), "not a text file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_text_files(write, name):
    content, message = BROKEN[name]
    with pytest.raises(DataError, match=rf"vectors.txt.*{message}"):
        read_vectors(write(content))


def test_broken_archives(write, tmp_path):
    path = write(GLOVE * 100, "vectors.txt.gz")
    whole = path.read_bytes()
    for damaged in (whole[:-20], b"no archive", whole[:30] + b"\xff" * 30 + whole[60:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="vectors.txt.gz: not a text file"):
            read_vectors(path)


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="no vectors at .*nowhere: neither a file nor a folder"):
        read_vectors(tmp_path / "nowhere")


BROKEN_DICTS = {
    "empty": ({}, "the dict: .* 0 words"),
    "widths": ({"a": [1, 2], "b": [1]}, r"same width. Received: 2 words .*\(1,\), \(2,\)"),
    "scalars": ({"a": 1}, r"same width.*\[\(\)\]"),
    "nothing in it": ({"a": []}, "same width"),
    "a word": ({"a": "far"}, "the vector of 'a' is not numbers"),
    "ragged": ({"a": [[1], [2, 3]]}, "the vector of 'a' is not numbers"),
    "NaN": ({"a": [1, 2], "b": [1, np.nan]}, "NaN or inf for 'b'"),
}


@pytest.mark.parametrize("name", BROKEN_DICTS)
def test_broken_dicts(name):
    values, message = BROKEN_DICTS[name]
    with pytest.raises(DataError, match=message):
        read_vectors(values)


@pytest.mark.parametrize("source", [7, None, np.zeros((2, 3)), ["cat"]])
def test_other_kinds_of_source(source):
    with pytest.raises(DataError, match="file, a folder, a dict or KeyedVectors. Received: "):
        read_vectors(source)


# --- model2vec folders

PIECES = {"[UNK]": 0, "cat": 1, "##s": 2}


@pytest.fixture
def folder(tmp_path):
    """A small model2vec folder; tensors that are passed replace its own."""
    tokenizers = pytest.importorskip("tokenizers")
    numpy = pytest.importorskip("safetensors.numpy")

    def make(**tensors):
        tensors = {"embeddings": np.arange(6, dtype="float16").reshape(3, 2)} | tensors
        numpy.save_file(tensors, tmp_path / "model.safetensors")
        tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(PIECES, unk_token="[UNK]"))
        (tmp_path / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
        (tmp_path / "config.json").write_text(json.dumps({"normalize": True}))
        return tmp_path

    return make


def test_a_folder_brings_its_pieces(folder):
    read = read_vectors(folder(), most=1)
    assert read.words == []
    assert read.table.dtype == np.float32
    np.testing.assert_array_equal(read.table, [[0, 1], [2, 3], [4, 5]])
    ids, lengths = Vocabulary(tokenizer=read.tokenizer).ids(["cats", "dog"])
    assert (ids.tolist(), lengths.tolist()) == ([1, 2, 0], [2, 1])


def test_a_folder_with_shared_rows_and_weights(folder):
    read = read_vectors(
        folder(
            embeddings=np.array([[1, 2], [3, 4]], "float32"),
            mapping=np.array([0, 1, 1]),
            weights=np.array([1, 2, 0.5]),
        )
    )
    np.testing.assert_array_equal(read.table, [[1, 2], [6, 8], [1.5, 2]])


BROKEN_FOLDERS = {
    "few rows": ({"embeddings": np.ones((2, 2))}, "needs a vector. Received: 3 pieces, 2 vectors"),
    "NaN": ({"embeddings": np.full((3, 2), np.nan)}, "finite table"),
    "one axis": ({"embeddings": np.ones(3)}, "finite table"),
    "mapping": ({"mapping": np.array([0, 1, 9])}, "do not fit"),
    "weights": ({"weights": np.ones(5)}, "do not fit"),
}


@pytest.mark.parametrize("name", BROKEN_FOLDERS)
def test_broken_folders(folder, name):
    tensors, message = BROKEN_FOLDERS[name]
    with pytest.raises(DataError, match=message):
        read_vectors(folder(**tensors))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[1]"])
def test_damaged_folders(folder, name, content):
    path = folder() / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match="not a model2vec folder|not a tokenizer"):
        read_vectors(path.parent)


def test_a_folder_without_embeddings(folder):
    path = folder()
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file({"other": np.ones((3, 2))}, path / "model.safetensors")
    with pytest.raises(DataError, match="KeyError: 'embeddings'"):
        read_vectors(path)


def test_a_words_vector_is_the_direction_of_the_sum_of_its_pieces():
    table = np.array([[9, 9], [3, 0], [0, 4], [0, 0]], np.float16)  # row 0 is of unknown pieces
    pieces, counts = np.array([1, 2, 1, 0, 0, 3, 1]), np.array([2, 2, 1, 1, 1])
    vectors = word_vectors(pieces, counts, table, unknown=0)
    expected = [[0, 0], [2.4, 3.2], [4, 0], [0, 0], [0, 0], [4, 0]]
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert vectors.dtype == np.float32
    none = np.zeros(0, int)
    assert word_vectors(none, none, table, unknown=0).tolist() == [[0, 0]]


NEAR = {
    "green": [0.9, 0.3, 0.1],
    "blue": [0.8, 0.4, 0.2],
    "cloud": [0.1, 0.2, 0.9],
    "table": [0.2, -0.7, 0.3],
}
GLOVE_25 = Path(__file__).parents[2] / "data/embeddings/glove.twitter.27B.25d.top12k.txt.gz"


@pytest.mark.parametrize("real", [False, True])
def test_colours_are_nearer_than_cloud_and_table(real, write):
    if real and not GLOVE_25.exists():
        pytest.skip("no vectors of GloVe at data/embeddings")
    lines = "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in NEAR.items())
    read = read_vectors(GLOVE_25 if real else write(lines))
    green, blue, cloud, table = (read.table[read.words.index(word)] for word in NEAR)

    def near(one, other):
        return one @ other / np.linalg.norm(one) / np.linalg.norm(other)

    assert near(green, blue) > near(cloud, table)
