"""Words to vectors by their letters, without a table: every word has one, seen or not."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from ir_attention.data.matches import letter_trigrams
from ir_attention.text import stems

__all__ = ["letter_vectors"]

# Places that a stem or a trigram adds to: with several, two of them seldom look the same.
_PLACES = 4
# Words whose vectors are made at once: those of the usual width stay in the cache.
_WORDS = 512


def letter_vectors(
    forms: Sequence[str], width: int, letters: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """A vector for each word, of its stem and its letter trigrams.

    Each stem and each trigram adds 1 or -1 to a few places that its hash names (feature hashing,
    Weinberger et al. 2009; letter trigrams as in Huang et al. 2013, section 3.2). Half of a vector
    is the stem's, half the trigrams'. So words of one stem are close to each other, words that
    share letters less so (`bridge`, `bridgewatch`), and all others about at right angles: the
    product of two such words is around 0 by `1 / sqrt(width)`.

    Args:
        forms: Words in the form of `text.normal`.
        width: Of a vector; the fewer, the more often two trigrams fall together.
        letters: What `matches.letter_trigrams` gives for the words, if it is at hand.

    Returns:
        `(words, width)` float32, each of length 1; the same in every process.
    """
    trigrams, counts = letters or letter_trigrams(list(forms))
    roots = [zlib.crc32(one.encode("utf-8", "surrogatepass")) for one in stems(list(forms))]
    # Set apart from trigrams, whose highest bit is never set.
    numbers = np.array(roots, np.uint64) | np.uint64(1 << 63)
    vectors = np.empty((len(forms), width), np.float32)
    ends = np.cumsum(counts)
    for start in range(0, len(forms), _WORDS):
        part = slice(start, start + _WORDS)
        own = slice((ends - counts)[start], ends[part][-1])
        of_word = np.repeat(np.arange(len(counts[part])), counts[part])
        both = _hashed(trigrams[own].astype(np.uint64), of_word, vectors[part].shape)
        both += _hashed(numbers[part], np.arange(len(both)), both.shape)
        vectors[part] = _unit(both)
    return vectors


def _hashed(features: np.ndarray, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The sum of signed places of each row's features, made 1 long."""
    bits = _mixed(features)
    places, signs = [], []
    for _ in range(_PLACES):
        place = (bits & np.uint64(0x7FFF)) % np.uint64(shape[1])
        places.append(rows * shape[1] + place.astype(np.int64))
        signs.append(np.where(bits & np.uint64(0x8000), 1.0, -1.0))
        bits = bits >> np.uint64(16)
    sums = np.bincount(np.concatenate(places), np.concatenate(signs), shape[0] * shape[1])
    return _unit(sums.astype(np.float32).reshape(shape))


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """64 bits, each of which depends on all of the number's (SplitMix64, Steele et al. 2014)."""
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _unit(vectors: np.ndarray) -> np.ndarray:
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    vectors /= np.where(norms > 0, norms, 1)
    return vectors
