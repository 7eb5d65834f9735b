"""MatchZoo's data sets and vectors: read from a local copy, fetched only where there is none."""

from __future__ import annotations

import contextlib
import csv
import importlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pandas as pd

from ir_attention.backend import keras
from ir_attention.errors import DataError

__all__ = ["mend"]


class _Copy(NamedTuple):
    """Where the files of a data set lie below `USER_DATA_DIR`, and which name has their URL."""

    folder: str
    archive: str  # its name on the disk, which is also the folder that Keras 3 unpacks it into
    inner: str
    url: str = "_url"


# A loader, that function of it which gives the folder of the files, and the folder.
_SETS = [
    ("wiki_qa", "_download_data", _Copy("wiki_qa", "wikiqa", "WikiQACorpus")),
    ("snli", "_download_data", _Copy("snli", "snli", "snli_1.0")),
    ("quora_qp", "_download_data", _Copy("quora_qp", "quora_qp", "QQP")),
    (
        "cqa_ql_16",
        "_download_train_dev_data",
        _Copy("semeval_train", "semeval_train", "v3.2", "_train_dev_url"),
    ),
    (
        "cqa_ql_16",
        "_download_test_data",
        _Copy("semeval_test", "semeval_test", "SemEval2016_task3_test/English", "_test_url"),
    ),
]


def mend(matchzoo: Any) -> None:
    """Puts the functions below in place of MatchZoo's own."""
    for name, function, copy in _SETS:
        module = importlib.import_module(f"matchzoo.datasets.{name}.load_data")
        setattr(module, function, _finding(matchzoo, module, copy))
    importlib.import_module("xml.etree.ElementTree")  # CQA-QL-16 uses it without importing it
    quora: Any = importlib.import_module("matchzoo.datasets.quora_qp.load_data")
    quora.pd = SimpleNamespace(read_csv=_read_table, DataFrame=pd.DataFrame)
    toy = matchzoo.datasets.toy
    toy.Path = lambda file: _toy_folder(matchzoo, Path(file).parent) / "__init__.py"
    _mend_vectors(matchzoo)


def load_from_file(file_path: str | Path, mode: str = "word2vec") -> Any:
    """The vectors of a text file, a line each: the word and its numbers, between single spaces.

    Args:
        file_path: The file, UTF-8; it may be compressed (`.gz`, `.zip`).
        mode: `word2vec`, whose first line has the counts, or `glove`, which has no such line.

    Returns:
        An `Embedding`. Words like `nan` and `null` are words, and a quotation mark is one too.
    """
    from matchzoo.embedding import Embedding

    if mode not in ("glove", "word2vec"):
        raise TypeError(f"`mode` must be 'word2vec' or 'glove'. Received: mode={mode!r}")
    vectors = pd.read_csv(
        file_path,
        sep=" ",
        header=None,
        skiprows=1 if mode == "word2vec" else 0,
        dtype={0: str},
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        na_values=[""],
    ).set_index(0)
    return Embedding(vectors.dropna(axis="columns", how="all"))  # a space may end the lines


def _mend_vectors(matchzoo: Any) -> None:
    module: Any = importlib.import_module("matchzoo.embedding.embedding")
    matchzoo.embedding.load_from_file = module.load_from_file = load_from_file
    glove: Any = importlib.import_module("matchzoo.datasets.embeddings.load_glove_embedding")

    def load_glove_embedding(dimension: int = 50) -> Any:
        """The GloVe vectors of 6 billion words: 50, 100, 200 or 300 numbers for each."""
        copy = _Copy(
            "glove", "glove_embedding", f"glove.6B.{dimension}d.txt", "_glove_embedding_url"
        )
        return load_from_file(_find(matchzoo, glove, copy), mode="glove")

    matchzoo.datasets.embeddings.load_glove_embedding = load_glove_embedding
    glove.load_glove_embedding = load_glove_embedding


def _finding(matchzoo: Any, module: Any, copy: _Copy) -> Callable[[], Path]:
    return lambda: _find(matchzoo, module, copy)


def _find(matchzoo: Any, module: Any, copy: _Copy) -> Path:
    """The local copy, as Keras 2 or Keras 3 unpacks it; downloaded if there is none."""
    root = Path(matchzoo.USER_DATA_DIR, copy.folder)
    unpacked = root / copy.archive / copy.inner
    for place in (root / copy.inner, unpacked):
        if place.exists():
            return place
    url = vars(module)[copy.url]
    reason = _download(root, copy.archive, url)
    if reason or not unpacked.exists():
        # Keras would take it for the archive next time, and a page saying "gone" is none.
        with contextlib.suppress(OSError):
            (root / f"{copy.archive}_archive").unlink()
        raise DataError(
            "There is no local copy, and the download failed: "
            f"{reason or f'{copy.inner} is not in it'}. Get the files elsewhere, and put "
            f"{copy.inner} into {root}. Received: {url}"
        )
    return unpacked


def _download(root: Path, archive: str, url: str) -> str:
    """Downloads and unpacks an archive; returns why that failed, or nothing."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not os.access(root, os.W_OK):  # Keras would take a folder in /tmp, open to everybody
            return f"{root} cannot be written to"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is no archive, which is found out anyway
            keras.utils.get_file(archive, url, extract=True, cache_dir=str(root), cache_subdir="")
    except Exception as error:  # that class itself is what Keras raises for a failed download
        return str(error)
    return ""


def _toy_folder(matchzoo: Any, package: Path) -> Path:
    """The folder of the toy data: that of a checkout of MatchZoo, or a copy of it."""
    own = Path(matchzoo.USER_DATA_DIR, "toy")
    for folder in (package, own):
        if (folder / "train.csv").is_file():
            return folder
    raise DataError(
        "The package that is published lacks the toy data: copy matchzoo/datasets/toy of "
        f"MatchZoo's repository to {own}. Received: {package}"
    )


def _read_table(path: Path, sep: str, error_bad_lines: bool) -> pd.DataFrame:
    """Reads a table as pandas 0.23 did; the argument has another name today."""
    return pd.read_csv(path, sep=sep, on_bad_lines="error" if error_bad_lines else "skip")
