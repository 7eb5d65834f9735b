"""Word vectors learnt from the user's own texts, for when there is no file of them.

Words that stand near the same words get like vectors: the positive pointwise mutual information
of words within a few places of each other, `max(0, log p(w, c) / (p(w) p'(c)))`, cut down by a
singular value decomposition to `U sqrt(S)` (Levy and Goldberg 2014, equations 10 and 14; the weight
of a context, `p'`, smoothed with the power .75 as in Levy, Goldberg and Dagan 2015, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from ir_attention.data.arrays import Runs, Texts

__all__ = ["learn_vectors"]

# How far apart two words may stand; each pair counts one over its distance.
_WINDOW = 8
_SMOOTHING = 0.75
# Words of text that are counted at once: the pairs of one distance take 16 bytes each.
_CHUNK = 1 << 22


def learn_vectors(texts: Texts, words: Sequence[str], *, width: int, seed: int) -> np.ndarray:
    """Vectors of `words`, from the company they keep in `texts`.

    Args:
        texts: Each distinct text once.
        words: In the form of `text.normal`; other words of the texts are passed over.
        width: Of a vector. With fewer words than that, the rest is zeros.
        seed: Of the decomposition, which draws its start.

    Returns:
        `(len(words), width)` float32, of length 1 each; a word without company has zeros.
    """
    numbers = {word: number for number, word in enumerate(words)}
    number = np.array([numbers.get(form, -1) for form in texts.forms], np.int64)
    information = _information(_counts(texts, number, len(words)))
    vectors = np.zeros((len(words), width), np.float32)
    rank = min(width, len(words) - 1)
    if rank < 1 or information.nnz == 0:
        return vectors
    from sklearn.utils.extmath import randomized_svd

    # The number of threads would show in the last digits: one, wherever it is called from.
    with threadpool_limits(1, "blas"):
        left, values, _ = randomized_svd(information, rank, random_state=seed)
    vectors[:, : left.shape[1]] = left * np.sqrt(values)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 1e-6)


def _counts(texts: Texts, number: np.ndarray, size: int):  # type: ignore[no-untyped-def]
    """How often words stand near each other, a symmetric sparse matrix `(size, size)`."""
    from scipy.sparse import coo_matrix, csr_matrix

    word = number[texts.word]
    lengths = Runs.of_texts(texts).lengths
    of_text = np.repeat(np.arange(len(lengths)), lengths)
    total = csr_matrix((size, size), dtype=np.float64)
    for start in range(0, len(word), _CHUNK):
        for distance in range(1, _WINDOW + 1):
            end = min(start + _CHUNK, len(word) - distance)
            here, there = slice(start, end), slice(start + distance, end + distance)
            near = (of_text[here] == of_text[there]) & (word[here] >= 0) & (word[there] >= 0)
            pair = (word[here][near], word[there][near])
            weights = np.full(int(near.sum()), 1 / distance)
            total = total + coo_matrix((weights, pair), shape=(size, size)).tocsr()
    return total + total.T


def _information(counts):  # type: ignore[no-untyped-def]
    """The positive pointwise mutual information of each pair that occurs."""
    from scipy.sparse import csr_matrix

    pairs = counts.tocoo()
    often = np.asarray(counts.sum(axis=1)).ravel()
    context = often**_SMOOTHING
    expected = often[pairs.row] * context[pairs.col] / max(context.sum(), 1e-12)
    values = np.log(pairs.data / expected)
    good = values > 0
    return csr_matrix((values[good], (pairs.row[good], pairs.col[good])), shape=counts.shape)
