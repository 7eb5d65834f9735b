"""The binary format of word2vec: what its own program writes, and files that are something else."""

import gzip

import numpy as np
import pytest

from ir_attention.data.vectors import read_vectors
from ir_attention.data.word2vec_binary import binary_vectors
from ir_attention.errors import DataError

ROWS = {"the": [1.0, 2.0, 3.0], "Zürich": [-0.5, 0.25, 1e-3], "New_York": [4.0, 5.0, 6.0]}


def written(rows=ROWS, end=b"\n", head=None):
    """As the C program writes it: a line of sizes; a word, a space, floats, a line's end."""
    head = f"{len(rows)} {len(next(iter(rows.values())))}\n".encode() if head is None else head
    body = [word.encode() + b" " + np.array(row, "<f4").tobytes() for word, row in rows.items()]
    return head + b"".join(one + end for one in body)


@pytest.mark.parametrize("end", [b"\n", b""])
@pytest.mark.parametrize("name", ["v.bin", "v.bin.gz"])
def test_reads_what_word2vec_writes(tmp_path, end, name):
    content = written(end=end)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    read = read_vectors(tmp_path / name, most=2, wanted={"new_york"})
    assert read.words == ["the", "zürich", "new_york"]
    np.testing.assert_array_equal(read.table, np.array(list(ROWS.values()), np.float32))
    assert read_vectors(tmp_path / name, most=1).words == ["the"]


def test_chunks_do_not_matter(tmp_path, monkeypatch):
    monkeypatch.setattr("ir_attention.data.word2vec_binary._CHUNK", 1)
    monkeypatch.setattr("ir_attention.data.word2vec_binary._LONGEST", 12)
    rows = {f"w{number}": np.random.default_rng(number).normal(size=7) for number in range(50)}
    (tmp_path / "v.bin").write_bytes(written(rows))
    found = dict(binary_vectors(tmp_path / "v.bin"))
    assert list(found) == list(rows)
    for word, row in rows.items():
        np.testing.assert_array_equal(found[word], row.astype("<f4"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "begins with a line of two numbers"),
        (b"the 1 2 3\n", "begins with a line of two numbers"),
        (b"3 0\n", "begins with a line of two numbers"),
        (b"1 999999\nthe ", "100,000 at most"),
        (b"9999999999 3\n", "it has 0, then"),
        (written()[:-5], "of 3 words it has 2, then"),
        (b"2 3\n" + b"x" * 9000, "it has 0, then"),
        ((793712314).to_bytes(4, "little") + bytes(60), "a model of fastText.*.vec"),
        (written({"the": [1.0, float("nan")]}), "NaN or inf for 'the'"),
        (b"0 3\n", "0 words"),
    ],
)
def test_says_what_is_wrong(tmp_path, content, said):
    (tmp_path / "v.bin").write_bytes(content)
    with pytest.raises(DataError, match=rf"v.bin.*{said}"):
        read_vectors(tmp_path / "v.bin")


def test_a_damaged_archive(tmp_path):
    (tmp_path / "v.bin.gz").write_bytes(gzip.compress(written())[:-12])
    with pytest.raises(DataError, match=r"v.bin.gz: cannot be read"):
        read_vectors(tmp_path / "v.bin.gz")
