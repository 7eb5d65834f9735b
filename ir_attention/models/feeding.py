"""Pairs as MatchZoo's models take them: arrays of whole data sets, and the inputs of any rows.

MatchZoo makes its histograms, pooling indices and counts of trigrams pair by pair in Python; here
they are made of a batch at once, and are equal to its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_attention.models.sparse_inputs import sparse_tensor

__all__ = ["Feed", "Side", "hashed", "match_histogram", "pooling_index"]

BINS = 30


@dataclass(frozen=True)
class Side:
    """The texts of one side, each distinct one once.

    Attributes:
        words: Their ids, `(texts, length)` int32, 0 after the last; or, of trigrams, a sparse
            matrix of counts, `(texts * steps, trigrams)`.
        lengths: Words of each text, at most as many as the model reads, `(texts,)`.
        steps: Rows of the matrix that are one text; 0 if there are ids.
    """

    words: Any
    lengths: np.ndarray
    steps: int = 0

    def take(self, texts: np.ndarray) -> Any:
        """What a model is given of some of them: ids, or counts as a `tf.SparseTensor`."""
        if not self.steps:
            return self.words[texts]
        rows = (texts[:, None] * self.steps + np.arange(self.steps)).ravel()
        counts = self.words[rows]
        one = self.steps == 1
        return sparse_tensor(counts, counts.shape if one else (len(texts), self.steps, -1))


@dataclass(frozen=True)
class Feed:
    """Pairs as arrays.

    Attributes:
        left, right: The texts.
        query, document: Which of them each pair is, `(pairs,)`.
    """

    left: Side
    right: Side
    query: np.ndarray
    document: np.ndarray


def hashed(texts: Sequence[Sequence[Any]], index: Mapping[str, int], steps: int) -> Any:
    """How often each trigram is in each text, a sparse float32 matrix, as MatchZoo's `WordHashing`.

    Column 1 is for trigrams never seen in training; as there, it counts the last of them.

    Args:
        texts: Trigrams of each text; with `steps` above 1 a list of them for each of its words.
        index: The columns of the trigrams.
        steps: Words of a text, all with a row of their own; 1 for a row a text.

    Returns:
        A `scipy.sparse.csr_matrix`, `(texts * steps, trigrams)`.
    """
    from scipy.sparse import csr_matrix

    rows = texts if steps == 1 else [word for text in texts for word in text]
    columns: list[int] = []
    counts: list[int] = []
    starts = [0]
    for trigrams in rows:
        row = {index.get(trigram, 1): count for trigram, count in Counter(trigrams).items()}
        columns += row.keys()
        counts += row.values()
        starts.append(len(columns))
    return csr_matrix(
        (np.array(counts, np.float32), np.array(columns, np.int32), np.array(starts)),
        shape=(len(rows), len(index)),
    )


def match_histogram(
    vectors: np.ndarray, left: np.ndarray, right: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """How similar the words of a document are to each word of a query, counted in bins.

    The histogram of DRMM (Guo et al. 2016, section 3.1) as MatchZoo's `MatchingHistogram` has it
    in mode `LCH`: the logarithm of one more than the cosines in each of 30 bins from -1 to 1, the
    last one for exact matches. Here they are sure to fall into it, by a margin of 1e-5 of a bin;
    there, rounding puts some into the one before.

    Args:
        vectors: Of length 1, `(vocabulary, width)`.
        left, right: Ids of words, `(pairs, query words)` and `(pairs, document words)`.
        lengths: Of the documents, `(pairs,)`; what comes after is not counted.

    Returns:
        Floats, `(pairs, query words, 30)` float32.
    """
    cosines = vectors[left] @ vectors[right].transpose(0, 2, 1)  # (pairs, query, document)
    bins = ((cosines + 1.0) / 2.0 * (BINS - 1.0) + 1e-5).astype(np.int64)
    bins = np.clip(bins, 0, BINS - 1)
    there = np.broadcast_to(np.arange(right.shape[1]) < lengths[:, None, None], bins.shape)
    place = (np.arange(bins[..., 0].size).reshape(*bins.shape[:2], 1) * BINS + bins)[there]
    counts = np.bincount(place, minlength=bins[..., 0].size * BINS)
    return np.log1p(counts.reshape(*bins.shape[:2], BINS)).astype(np.float32)


def pooling_index(left: np.ndarray, right: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Which cell of a matrix of words each cell of the whole input is filled with.

    As MatchZoo's `DynamicPooling`: the words of a shorter text are spread over all places
    (Pang et al. 2016, section 3.2).

    Args:
        left, right: Words of the texts, `(pairs,)`.
        shape: Words that the model has inputs for, of a query and of a document.

    Returns:
        Places, `(pairs, *shape, 2)` int32.
    """
    sides = []
    for lengths, size in zip((left, right), shape, strict=True):
        stride = np.where(lengths == 0, size, size / np.maximum(lengths, 1))
        sides.append((np.arange(size) / stride[:, None]).astype(np.int32))
    grid = np.empty((len(left), *shape, 2), np.int32)
    grid[..., 0], grid[..., 1] = sides[0][:, :, None], sides[1][:, None, :]
    return grid
