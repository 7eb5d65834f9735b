"""Pretrained word vectors from a file, a folder or memory, for the words that are wanted."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ir_attention.data.vocabulary import Vocabulary
from ir_attention.data.word2vec_binary import binary_vectors
from ir_attention.errors import DataError
from ir_attention.text import normal

__all__ = ["WORD_LENGTH", "Vectors", "read_vectors", "word_vectors"]

# Word vectors are made this long, so that the gates behind them open and close; found in trials.
WORD_LENGTH = 4.0


class Vectors(NamedTuple):
    """Words, or the pieces of a tokenizer, with a vector each."""

    words: list[str]  # in the form of `text.normal`; empty if there is a tokenizer
    table: np.ndarray  # (words or pieces, width) float32
    tokenizer: str | None  # JSON text of a `tokenizers` tokenizer, whose ids are rows


def read_vectors(
    source: str | Path | Mapping[str, Any] | Any,
    *,
    wanted: frozenset[str] | set[str] = frozenset(),
    most: int = 50_000,
) -> Vectors:
    """Reads pretrained vectors.

    Args:
        source: A text file of word2vec or fastText (its first line holds two numbers) or GloVe; a
            binary file of word2vec, if its name ends with `.bin`; both `.gz` too; a model2vec
            folder (`model.safetensors` and `tokenizer.json`); a dict from word to
            vector; or gensim's KeyedVectors.
        wanted: Words to read wherever they stand, in the form of `text.normal`.
        most: Other words are read if they are among the first `most`. Such files begin with the
            frequent ones.

    Returns:
        Each word once: of several that are written differently (`Apple`, `apple`) the first.

    Raises:
        DataError: The source is none of these, a line has the wrong number of values, or no
            word has a vector.
    """
    if isinstance(source, Mapping):
        return _from_pairs(source.items(), wanted, most, "the dict")
    if hasattr(source, "key_to_index") and hasattr(source, "vectors"):
        pairs = ((word, source.vectors[row]) for word, row in source.key_to_index.items())
        return _from_pairs(pairs, wanted, most, "the KeyedVectors")
    if not isinstance(source, str | Path):
        raise DataError(
            "vectors come from a file, a folder, a dict or KeyedVectors. Received: "
            f"{type(source).__name__}"
        )
    path = Path(source)
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise DataError(f"no vectors at {path}: neither a file nor a folder")
    if ".bin" in path.suffixes[-2:]:
        return _from_pairs(binary_vectors(path), wanted, most, str(path))
    return _from_file(path, wanted, most)


def word_vectors(
    pieces: np.ndarray, counts: np.ndarray, table: np.ndarray, *, unknown: int
) -> np.ndarray:
    """The vector of each word: the sum of its pieces', made 4 long.

    Args:
        pieces: Rows of `table`, those of all words end to end.
        counts: Pieces of each word, at least 1.
        table: `(pieces, width)`.
        unknown: The row of unknown pieces, which adds nothing: two words with only such pieces
            are not alike.

    Returns:
        `(words + 1, width)` float32: a row of zeros, and behind it a row for each word, zeros too
        if nothing is known of it.
    """
    vectors = np.zeros((len(counts) + 1, table.shape[1]), np.float32)
    if not len(counts):
        return vectors
    rows = table[pieces].astype(np.float32)
    rows[pieces == unknown] = 0
    whole = len(rows) == len(counts)  # each word is a piece
    sums = rows if whole else np.add.reduceat(rows, np.cumsum(counts) - counts)
    norms = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    known = norms > 1e-9
    scale = np.divide(WORD_LENGTH, norms, out=np.zeros_like(norms), where=known)
    np.multiply(sums, scale[:, None], out=vectors[1:])
    return vectors


def _from_pairs(pairs: Any, wanted: Any, most: int, where: str) -> Vectors:
    rows: dict[str, np.ndarray] = {}
    for number, (word, vector) in enumerate(pairs):
        form = normal(str(word))
        if form in rows or not (number < most or form in wanted):
            continue
        try:
            with np.errstate(over="ignore"):
                rows[form] = np.asarray(vector, np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(f"{where}: the vector of {word!r} is not numbers ({error})") from error
        if not np.isfinite(rows[form]).all():
            raise DataError(f"{where}: a vector must be finite. Received: NaN or inf for {word!r}")
    return _table(rows, where)


def _table(rows: dict[str, np.ndarray], where: str) -> Vectors:
    shapes = {row.shape for row in rows.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1 or (0,) in shapes:
        raise DataError(
            f"{where}: every word needs a vector of the same width. Received: {len(rows)} words "
            f"with shapes {sorted(shapes)[:5]}"
        )
    return Vectors(list(rows), np.stack(list(rows.values())), None)


def _from_file(path: Path, wanted: Any, most: int) -> Vectors:
    rows: dict[str, np.ndarray] = {}
    width, first = 0, 1  # the number of values, and of the first line with a word
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                parts = line.decode("utf-8").rstrip().split(" ")
                if number == 1 and len(parts) == 2 and all(part.isdigit() for part in parts):
                    width, first = int(parts[1]), 2
                    continue
                width = width or len(parts) - 1
                values = parts[-width:] if width > 1 else []
                # Some words hold spaces of their own: the vector is what stands last.
                word = parts[: len(parts) - width]
                if not values or not word or _is_decimal(word[1:]):
                    raise _bad_line(path, number, width, line)
                form = normal(" ".join(word))
                if form not in rows and (number - first < most or form in wanted):
                    rows[form] = _numbers(values)
                    if not np.isfinite(rows[form]).all():
                        raise _bad_line(path, number, width, line)
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: not a text file of word vectors ({error}). A binary file of "
            "word2vec has a name that ends with .bin"
        ) from error
    return _table(rows, str(path))


def _numbers(values: list[str]) -> np.ndarray:
    """The numbers, or NaN if they are none; one too large for float32 becomes infinite."""
    try:
        with np.errstate(over="ignore"):
            return np.array(values, np.float32)
    except ValueError:
        return np.array(np.nan, np.float32)


def _is_decimal(parts: list[str]) -> bool:
    """Whether what should be the last part of a word is one number of the vector too many."""
    if not parts or "." not in parts[-1]:
        return False
    try:
        float(parts[-1])
    except ValueError:
        return False
    return True


def _bad_line(path: Path, number: int, width: int, line: bytes) -> DataError:
    return DataError(
        f"{path}, line {number}: a word and {max(width, 2)} finite numbers, separated by single "
        f"spaces. Received: {line[:60]!r}"
    )


def _from_folder(path: Path) -> Vectors:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path / "model.safetensors")
        tokenizer = (path / "tokenizer.json").read_text(encoding="utf-8")
        json.loads(tokenizer)
        table = tensors["embeddings"]
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise DataError(
            f"{path}: not a model2vec folder, which holds model.safetensors with a tensor "
            f"`embeddings`, and tokenizer.json ({type(error).__name__}: {error})"
        ) from error
    try:
        # Newer folders share rows between pieces, and keep the weight of each piece apart.
        if "mapping" in tensors:
            table = table[tensors["mapping"]]
        table = table.astype(np.float32)
        if "weights" in tensors:
            table = table * tensors["weights"].astype(np.float32).reshape(-1, 1)
    except (IndexError, ValueError) as error:
        raise DataError(f"{path}: embeddings, mapping and weights do not fit ({error})") from error
    if table.ndim != 2 or not np.isfinite(table).all():
        raise DataError(f"{path}: embeddings must be a finite table. Received: {table.shape}")
    if (pieces := Vocabulary(tokenizer=tokenizer).size) > len(table):
        raise DataError(
            f"{path}: every piece of the tokenizer needs a vector. Received: {pieces} pieces, "
            f"{len(table)} vectors"
        )
    return Vectors([], table, tokenizer)
