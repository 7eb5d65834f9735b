"""Evidence that two texts share words: exactly, by stem, or by their letters.

The features hold for words never seen in training, which is why a matcher needs them. They are
computed for one query and all its documents at once, for training and ranking alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["OVERALL_FEATURES", "WORD_FEATURES", "Lexicon", "Matches", "lexicon", "match", "spread"]

# Of a word, against all words of the other side.
WORD_FEATURES = (
    "same word",
    "same stem",
    "idf",
    "same stem x idf",
    "letters shared",  # best Dice of character trigrams with a content word
    "letters shared x idf",
)
# Of a pair.
OVERALL_FEATURES = (
    "query stems found",
    "query stems found, by idf",
    "query content stems found",
    "query content stems found, by idf",
    "letters of query content words",
    "letters of query content words, by idf",
    "document words in query",
    "document length",
    "query length",
)


class Lexicon(NamedTuple):
    """What matching needs to know of each unique word of a request."""

    stem: np.ndarray  # (words,) equal numbers for equal stems
    idf: np.ndarray  # (words,) 0 to 1
    content: np.ndarray  # (words,) False for function words
    trigrams: np.ndarray  # end to end; each word's sorted
    trigram_counts: np.ndarray  # (words,)


class Matches(NamedTuple):
    """The features of one query and its documents."""

    document: np.ndarray  # (words of all documents, 6)
    query: np.ndarray  # (documents, words of the query, 6)
    overall: np.ndarray  # (documents, 9)


def lexicon(
    forms: list[str], stems: list[str], idf: np.ndarray, stop_words: frozenset[str]
) -> Lexicon:
    """Numbers the stems and letter trigrams of unique words, so that matching is arithmetic."""
    numbers: dict[str, int] = {}
    stem = np.array([numbers.setdefault(one, len(numbers)) for one in stems], np.int32)
    content = np.array([form not in stop_words for form in forms], bool)
    trigrams, counts = _trigrams(forms)
    return Lexicon(stem, idf, content, trigrams, counts)


def match(words: Lexicon, query: np.ndarray, documents: np.ndarray, lengths: np.ndarray) -> Matches:
    """The match features of a query with each of its documents.

    Args:
        words: Of all words that occur.
        query: The query's words as numbers in `words`, `(query words,)`.
        documents: Those of all documents, end to end.
        lengths: Words of each document; 0 is allowed.
    """
    unique, place = np.unique(documents, return_inverse=True)
    same = unique[:, None] == query
    stem = words.stem[unique][:, None] == words.stem[query]
    dice = _dice(words, unique, query)  # (unique words, query words)

    idf = words.idf[unique]
    best = (dice * words.content[query]).max(axis=1, initial=0)
    hit = stem.any(axis=1)
    document = np.stack([same.any(axis=1), hit, idf, hit * idf, best, best * idf], axis=1)

    grids = np.stack([same, stem, dice * words.content[unique][:, None]], axis=2)
    found = _longest(grids.astype(np.float32)[place], lengths)  # (documents, query words, 3)
    rare = words.idf[query]
    of_query = np.empty((*found.shape[:2], 6), np.float32)
    of_query[..., :2] = found[..., :2]
    of_query[..., 2] = rare
    of_query[..., 3] = found[..., 1] * rare
    of_query[..., 4] = found[..., 2]
    of_query[..., 5] = found[..., 2] * rare
    overall = _overall(words, query, found, hit[place], lengths)
    return Matches(document.astype(np.float32)[place], of_query, overall)


def _overall(
    words: Lexicon, query: np.ndarray, found: np.ndarray, hit: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """The nine features of each pair, `(documents, 9)`; means over no words are 0."""
    rare, content = words.idf[query], words.content[query]

    def mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return values @ weights / max(float(weights.sum()), 1e-9)

    stems, letters = found[..., 1], found[..., 2]
    inside = np.bincount(np.repeat(np.arange(len(lengths)), lengths), hit, len(lengths))
    columns = [
        mean(stems, np.ones_like(rare)),
        mean(stems, rare),
        mean(stems, content.astype(np.float32)),
        mean(stems, content * rare),
        mean(letters, content.astype(np.float32)),
        mean(letters, content * rare),
        inside / np.maximum(lengths, 1),
        np.log1p(lengths) / 4,
        np.full(len(lengths), np.log1p(len(query)) / 4),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _dice(words: Lexicon, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """`2 |A & B| / (|A| + |B|)` of the letter trigrams of words: `(rows, cols)`."""
    if not len(rows) or not len(cols):
        return np.zeros((len(rows), len(cols)), np.float32)
    starts = np.cumsum(words.trigram_counts) - words.trigram_counts
    wanted, sizes = words.trigrams, words.trigram_counts
    of_cols = wanted[spread(starts[cols], sizes[cols])]
    known = np.unique(of_cols)
    # Which of the columns' trigrams each column has; the last row stands for all others.
    has = np.zeros((len(known) + 1, len(cols)), np.float32)
    has[np.searchsorted(known, of_cols), np.repeat(np.arange(len(cols)), sizes[cols])] = 1
    of_rows = wanted[spread(starts[rows], sizes[rows])]
    at = np.searchsorted(known, of_rows)
    at[known[np.minimum(at, len(known) - 1)] != of_rows] = len(known)
    firsts = np.cumsum(sizes[rows]) - sizes[rows]
    shared = np.add.reduceat(has[at], firsts)
    return 2 * shared / (sizes[rows][:, None] + sizes[cols])


def _trigrams(forms: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The set of letter trigrams of each word with a mark at both ends: `^cat$` has three."""
    # Some tokenizers give empty words, which have no trigram; a space does for them.
    forms = [form or " " for form in forms]
    lengths = np.fromiter(map(len, forms), np.int64, len(forms))
    text = "".join(f"\x02{form}\x03" for form in forms)
    code = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
    at = spread(np.cumsum(lengths + 2) - lengths - 2, lengths)
    word = np.repeat(np.arange(len(forms)), lengths)
    # A code point has 21 bits: three make one number, the same for the same trigram.
    trigram = (code[at] << 42) | (code[at + 1] << 21) | code[at + 2]
    order = np.lexsort((trigram, word))
    trigram, word = trigram[order], word[order]
    first = np.ones(len(trigram), bool)
    first[1:] = (trigram[1:] != trigram[:-1]) | (word[1:] != word[:-1])
    return trigram[first], np.bincount(word[first], minlength=len(forms))


def spread(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The places `start, start + 1, ...` of several ragged rows, end to end."""
    shift = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) + np.repeat(starts - shift, lengths)


def _longest(grid: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The maximum over each document's words: `(words, ...)` to `(documents, ...)`."""
    best = np.zeros((len(lengths), *grid.shape[1:]), grid.dtype)
    full = np.flatnonzero(lengths)
    if len(full) and grid.shape[1]:
        best[full] = np.maximum.reduceat(grid, (np.cumsum(lengths) - lengths)[full])
    return best
