"""Texts to sentences and words as they are written, each unique word numbered once."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np

from ir_attention.runs import spread
from ir_attention.text import sentence_texts, word_pattern, words

__all__ = ["Cut", "cut_texts"]

# Characters below which words are counted one by one: pyarrow would take longer to import; and
# where it is there already, little would come of it.
_FEW, _FEWER = 1 << 20, 1 << 14
# Bytes of text that are cut at once, which take some ten times as much while they are.
_BLOCK = 1 << 24

# What `str.split` takes for white space, of one byte.
_SPACE = np.zeros(256, bool)
_SPACE[[*range(0x09, 0x0E), *range(0x1C, 0x21)]] = True


class Cut(NamedTuple):
    """Texts cut into sentences and words. Sentences without a word are left out."""

    written: list[str]  # the unique words, in the order in which they appear
    word: np.ndarray  # every word of every text, as a place in `written`
    sentence_lengths: np.ndarray  # in words
    sentence_counts: np.ndarray  # (texts,)


def cut_texts(
    texts: Sequence[str],
    *,
    tokenizer: Callable[[str], list[str]] | None = None,
    split_sentences: bool = True,
) -> Cut:
    """Cuts each text into sentences, and these into words.

    No word reaches over white space, so that with the package's own `text.words` only the unique
    chunks between white space are looked at; a tokenizer of one's own is asked for every sentence.
    """
    few = sum(map(len, texts)) < (min(_FEW, _FEWER) if "pyarrow" in sys.modules else _FEW)
    if split_sentences:
        of_text = [sentence_texts(text) for text in texts]
        parts = list(chain.from_iterable(of_text))
        counts = np.fromiter(map(len, of_text), np.int64, len(of_text))
    else:
        parts, counts = list(texts), np.ones(len(texts), np.int64)
    if tokenizer is not None or few:
        written, word, lengths = _one_by_one(parts, tokenizer or words)
    else:
        written, word, lengths = _by_chunk(parts)
    full = lengths > 0
    of_part = np.repeat(np.arange(len(counts)), counts)
    sentence_counts = np.bincount(of_part[full], minlength=len(counts)).astype(np.int64)
    return Cut(written, word, lengths[full], sentence_counts)


_Words = tuple[list[str], np.ndarray, np.ndarray]


def _one_by_one(parts: list[str], cut: Callable[[str], list[str]]) -> _Words:
    """The unique words of parts, the place of each word, and how many each part has."""
    numbers: dict[str, int] = {}
    word: list[int] = []
    lengths: list[int] = []
    for part in parts:
        found = cut(part)
        word.extend([numbers.setdefault(one, len(numbers)) for one in found])
        lengths.append(len(found))
    return list(numbers), np.array(word, np.int64), np.array(lengths, np.int64)


def _by_chunk(parts: list[str]) -> _Words:
    """The same with `text.words`, by the chunks between white space: each unique one once."""
    numbers: dict[str, int] = {}  # of unique chunks, in the order in which they appear
    chunks: list[np.ndarray] = []
    sizes: list[np.ndarray] = []  # chunks of each part
    for block in _blocks(parts):
        data, starts, lengths, counts = _chunks(block)
        unique, places = _unique(data, starts, lengths)
        known = [numbers.setdefault(chunk, len(numbers)) for chunk in unique]
        chunks.append(np.array(known, np.int64)[places])
        sizes.append(counts)
    numbers_of_words: dict[str, int] = {}
    found, word_counts = _words_of(list(numbers))
    flat = np.array(
        [numbers_of_words.setdefault(one, len(numbers_of_words)) for one in found], np.int64
    )
    chunk = np.concatenate([np.zeros(0, np.int64), *chunks])
    firsts = np.cumsum(word_counts) - word_counts
    word = flat[spread(firsts[chunk], word_counts[chunk])]
    ends = np.concatenate([[0], np.cumsum(word_counts[chunk])])
    bounds = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, np.int64), *sizes]))])
    return list(numbers_of_words), word, np.diff(ends[bounds])


def _blocks(parts: list[str]) -> Iterator[list[bytes]]:
    """The parts as UTF-8 with no white space outside ASCII, some at a time."""
    block: list[bytes] = []
    size = 0
    for part in parts:
        if not part.isascii():
            part = " ".join(part.split())
        data = part.encode("utf-8", "surrogatepass")
        block.append(data)
        size += len(data)
        if size > _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _chunks(block: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The bytes of some parts without white space, and their chunks.

    Returns:
        The bytes; where each chunk begins; its length; and how many chunks each part has.
    """
    data = np.frombuffer(b" ".join(chain(block, (b"",))), np.uint8)
    space = _SPACE[data]
    edges = np.flatnonzero(np.diff(space, prepend=True, append=True))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    sizes = np.fromiter(map(len, block), np.int64, len(block))
    bounds = np.concatenate([[0], np.cumsum(sizes + 1)])
    counts = np.diff(np.searchsorted(starts, bounds))
    return data[~space], np.cumsum(lengths) - lengths, lengths, counts


def _unique(
    data: np.ndarray, starts: np.ndarray, lengths: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """The unique chunks in the order in which they appear, and the place of each among them."""
    import pyarrow as pa

    offsets = np.append(starts, len(data)).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    coded = pa.Array.from_buffers(pa.binary(), len(lengths), buffers).dictionary_encode()
    unique = [chunk.decode("utf-8", "surrogatepass") for chunk in coded.dictionary.to_pylist()]
    return unique, coded.indices.to_numpy()


def _words_of(chunks: list[str]) -> tuple[list[str], np.ndarray]:
    """The words of many texts without white space, found in one go, and how many each has."""
    lines = "\n".join([*chunks, ""])
    found = _line(lines.isascii()).findall(lines)
    ends = np.fromiter(map("\n".__eq__, found), bool, len(found))
    counts = np.diff(np.flatnonzero(ends), prepend=-1) - 1
    return [word for word in found if word != "\n"], counts


@cache
def _line(ascii: bool) -> re.Pattern[str]:
    """A word, or the end of a line."""
    return re.compile(word_pattern(ascii).pattern + r"| \n", re.VERBOSE)
