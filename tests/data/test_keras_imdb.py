"""Keras's imdb.npz, read without running what is in it."""

import os

import numpy as np
import pytest

from ir_attention.data.keras_imdb import read_keras_imdb
from ir_attention.errors import DataError

REVIEWS = [[1, 5, 3], [2], [], [7, 7]]


def saved(path, **changed):
    """Lists in arrays of objects, as Keras's file has them."""
    rows = np.empty(len(REVIEWS), object)
    rows[:] = REVIEWS
    parts = {"x_train": rows, "y_train": np.array([1, 0, 1, 0]), "x_test": rows[:2]}
    np.savez(path, **{**parts, "y_test": np.array([0, 1]), **changed})
    return path


def test_reads_both_parts(tmp_path):
    parts = read_keras_imdb(saved(tmp_path / "imdb.npz"))
    assert list(parts) == ["train", "test"]
    reviews, labels = parts["train"]
    assert [review.tolist() for review in reviews] == REVIEWS
    assert labels.tolist() == [1, 0, 1, 0]
    assert [review.tolist() for review in parts["test"][0]] == REVIEWS[:2]
    # The same as NumPy, which would run anything.
    with np.load(tmp_path / "imdb.npz", allow_pickle=True) as theirs:
        assert list(theirs["x_train"]) == REVIEWS


class Trap:
    def __reduce__(self):
        return os.mkdir, ("trapped",)


def test_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.array([Trap(), None], object)
    with pytest.raises(DataError, match=r"imdb.npz: not the .*it asks for .*mkdir"):
        read_keras_imdb(saved(tmp_path / "imdb.npz", x_test=rows))
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"y_train": np.array([1, 0, 1])}, "4 reviews, 3 labels"),
        ({"y_test": np.array([1, 2])}, "a label 0 or 1"),
        ({"x_test": np.array(["a", "b"], object)}, "must be whole numbers"),
        ({"x_test": np.array([[0.5], [1.5]])}, "must be whole numbers"),
        ({"x_test": np.array(7)}, "not the imdb.npz"),
    ],
)
def test_says_what_is_wrong(tmp_path, changed, said):
    with pytest.raises(DataError, match=said):
        read_keras_imdb(saved(tmp_path / "imdb.npz", **changed))


def test_other_files(tmp_path):
    path = tmp_path / "imdb.npz"
    with pytest.raises(DataError, match="not the imdb.npz"):
        read_keras_imdb(path)
    path.write_bytes(b"PK no archive")
    with pytest.raises(DataError, match="not the imdb.npz"):
        read_keras_imdb(path)
    np.savez(path, x_train=np.zeros(3))
    with pytest.raises(DataError, match="not the imdb.npz"):
        read_keras_imdb(path)
    whole = saved(path).read_bytes()
    for damaged in (whole[:-300], whole[:90] + bytes(40) + whole[130:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="not the imdb.npz"):
            read_keras_imdb(path)
