"""Words to vectors by their letters, without a table: every word has one, seen or not."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from ir_attention.data.matches import letter_trigrams
from ir_attention.text import stem

__all__ = ["letter_vectors"]

# Places that a stem or a trigram adds to: with several, two of them seldom look the same.
_PLACES = 4


def letter_vectors(forms: Sequence[str], width: int) -> np.ndarray:
    """A vector for each word, of its stem and its letter trigrams.

    Each stem and each trigram adds 1 or -1 to a few places that its hash names (feature hashing,
    Weinberger et al. 2009; letter trigrams as in Huang et al. 2013, section 3.2). Half of a vector
    is the stem's, half the trigrams'. So words of one stem are close to each other, words that
    share letters less so (`bridge`, `bridgewatch`), and all others about at right angles: the
    product of two such words is around 0 by `1 / sqrt(width)`.

    Args:
        forms: Words in the form of `text.normal`.
        width: Of a vector; the fewer, the more often two trigrams fall together.

    Returns:
        `(words, width)` float32, each of length 1; the same in every process.
    """
    trigrams, counts = letter_trigrams(list(forms))
    of_word = np.repeat(np.arange(len(forms)), counts)
    letters = _hashed(trigrams.astype(np.uint64), of_word, (len(forms), width))
    stems = [zlib.crc32(one.encode("utf-8", "surrogatepass")) for one in stem(list(forms))]
    # Set apart from trigrams, whose highest bit is never set.
    numbers = np.array(stems, np.uint64) | np.uint64(1 << 63)
    both = _unit(letters) + _unit(_hashed(numbers, np.arange(len(forms)), (len(forms), width)))
    return _unit(both)


def _hashed(features: np.ndarray, rows: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The sum of signed places of each row's features."""
    out = np.zeros(shape, np.float32)
    bits = _mixed(features)
    for _ in range(_PLACES):
        place = (bits & np.uint64(0x7FFF)) % np.uint64(shape[1])
        sign = np.where(bits & np.uint64(0x8000), np.float32(1), np.float32(-1))
        np.add.at(out, (rows, place.astype(np.int64)), sign)
        bits = bits >> np.uint64(16)
    return out


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """64 bits, each of which depends on all of the number's (SplitMix64, Steele et al. 2014)."""
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _unit(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
