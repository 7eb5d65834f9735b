"""Pretrained word vectors from a file, a folder or memory, for the words that are wanted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ir_attention.errors import DataError
from ir_attention.text import normal

__all__ = ["Vectors", "read_vectors"]


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
        source: A text file of word2vec (its first line holds two numbers) or GloVe, `.gz` too; a
            model2vec folder (`model.safetensors` and `tokenizer.json`); a dict from word to
            vector; or gensim's KeyedVectors.
        wanted: Words to read wherever in the file they stand, in the form of `text.normal`.
        most: Of other words, read the first `most`. Such files begin with the frequent ones.

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
    path = Path(source)
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise DataError(f"no vectors at {path}: neither a file nor a folder")
    return _from_file(path, wanted, most)


def _from_pairs(pairs: Any, wanted: Any, most: int, where: str) -> Vectors:
    rows: dict[str, np.ndarray] = {}
    for number, (word, vector) in enumerate(pairs):
        form = normal(str(word))
        if form not in rows and (number < most or form in wanted):
            rows[form] = np.asarray(vector, np.float32)
    widths = {row.shape for row in rows.values()}
    if len(widths) != 1 or len(next(iter(widths))) != 1:
        raise DataError(
            f"{where}: every word needs a vector of the same width. Received: {len(rows)} words "
            f"with shapes {sorted(widths)[:5]}"
        )
    table = np.stack(list(rows.values()))
    if not np.isfinite(table).all():
        bad = list(rows)[int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])]
        raise DataError(f"{where}: a vector must be finite. Received: NaN or inf for {bad!r}")
    return Vectors(list(rows), table, None)


def _from_file(path: Path, wanted: Any, most: int) -> Vectors:
    rows: dict[str, np.ndarray] = {}
    width = 0
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        try:
            for number, line in enumerate(file, start=1):
                # Some words hold spaces of their own: the vector is what stands last.
                parts = line.decode("utf-8").rstrip().split(" ")
                if number == 1 and len(parts) == 2 and all(part.isdigit() for part in parts):
                    width = int(parts[1])
                    continue
                width = width or len(parts) - 1
                if len(parts) <= width or width < 2:
                    raise DataError(
                        f"{path}, line {number}: a word and {max(width, 2)} numbers, separated "
                        f"by spaces. Received: {line[:60]!r}"
                    )
                form = normal(" ".join(parts[:-width]))
                if form not in rows and (number <= most or form in wanted):
                    rows[form] = np.array(parts[-width:], np.float32)
        except (ValueError, OSError, EOFError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{path}: not a text file of word vectors ({error}). For a binary file, save it "
                "as text first"
            ) from error
    return _from_pairs(rows.items(), wanted, len(rows), str(path))


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
    # Newer folders share rows between pieces, and keep the weight of each piece apart.
    if "mapping" in tensors:
        table = table[tensors["mapping"]]
    table = table.astype(np.float32)
    if "weights" in tensors:
        table = table * tensors["weights"].astype(np.float32).reshape(-1, 1)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise DataError(f"{path}: embeddings must be a finite table. Received: {table.shape}")
    return Vectors([], table, tokenizer)
