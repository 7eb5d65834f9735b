"""Vectors in the binary format of word2vec, as GoogleNews-vectors-negative300.bin has them."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from ir_attention.errors import DataError

__all__ = ["binary_vectors"]

_FASTTEXT = (793712314).to_bytes(4, "little")
_CHUNK = 1 << 22  # bytes read at once
_LONGEST = 4096  # bytes of a word
_WIDEST = 100_000


def binary_vectors(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The words of a file with their vectors, one at a time.

    A line `WORDS WIDTH`, and for each word its UTF-8 text, a space, and `WIDTH` float32 numbers,
    the lowest byte first; a line may end behind each vector.

    Args:
        path: Of the file; `.gz` too.

    Yields:
        A word, and its vector `(width,)`.

    Raises:
        DataError: It is no such file, or one that ends too early.
    """
    try:
        opened: Any = gzip.open(path) if path.suffix == ".gz" else open(path, "rb")
        with opened as file:
            yield from _words(path, file)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error


def _words(path: Path, file: IO[bytes]) -> Iterator[tuple[str, np.ndarray]]:
    head = file.readline(64)
    if head[:4] == _FASTTEXT:
        raise DataError(f"{path}: a model of fastText. Give its vectors, the file .vec beside it")
    found = re.fullmatch(rb"(\d{1,10}) (\d{1,6})\s*\n", head)
    count, width = (int(one) for one in found.groups()) if found else (0, 0)
    if not 0 < width <= _WIDEST:
        raise DataError(
            f"{path}: a binary file of word2vec begins with a line of two numbers, its words and "
            f"the width of their vectors, {_WIDEST:,} at most. Received: {head[:40]!r}"
        )
    size, buffer, at = 4 * width, b"", 0
    for number in range(count):
        if len(buffer) - at < _LONGEST + size:
            buffer, at = buffer[at:] + file.read(max(_CHUNK, _LONGEST + size)), 0
        space = buffer.find(b" ", at, at + _LONGEST)
        if space < 0 or space + 1 + size > len(buffer):
            raise DataError(
                f"{path}: of {count:,} words it has {number:,}, then there is no word with "
                f"{width} numbers behind it"
            )
        word = buffer[at:space].lstrip(b"\n").decode("utf-8", errors="replace")
        yield word, np.frombuffer(buffer, "<f4", width, space + 1)
        at = space + 1 + size
