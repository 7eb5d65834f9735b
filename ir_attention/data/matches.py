"""Evidence that two texts share words: exactly, by stem, or by their letters.

The features hold for words never seen in training, which is why a matcher needs them. They are
computed for one query and all its documents at once, for training and ranking alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = [
    "OVERALL_FEATURES",
    "WORD_FEATURES",
    "Lexicon",
    "Matches",
    "letter_trigrams",
    "lexicon",
    "match",
    "spread",
]

# Of a word, against all words of the other side.
WORD_FEATURES = (
    "same word",
    "same stem",
    "idf",
    "same stem x idf",
    "letters shared",  # best Dice of character trigrams with a content word
    "letters shared x idf",
    "found",  # the same stem, or a content word within the other: `harbour`, `#harbourbridge`
    "found x idf",
)
# The marks at both ends of a word.
_START, _END = 2, 3

# Letters of the shorter word at least, if one stands within the other: `bus` is in `busy`.
_PART = 4

# Of a pair.
OVERALL_FEATURES = (
    "query stems found",
    "query stems found, by idf",
    "query content stems found",
    "query content stems found, by idf",
    "letters of query content words",
    "letters of query content words, by idf",
    "query content words found",
    "query content words found, by idf",
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

    document: np.ndarray  # (words of all documents, 8)
    query: np.ndarray  # (documents, words of the query, 8)
    overall: np.ndarray  # (documents, 11)


def lexicon(
    forms: list[str], stems: list[str], idf: np.ndarray, stop_words: frozenset[str]
) -> Lexicon:
    """Numbers the stems and letter trigrams of unique words, so that matching is arithmetic."""
    numbers: dict[str, int] = {}
    stem = np.array([numbers.setdefault(one, len(numbers)) for one in stems], np.int32)
    content = np.array([form not in stop_words for form in forms], bool)
    trigrams, counts = letter_trigrams(forms)
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
    dice, part = _letters(words, unique, query)  # (unique words, query words)
    part &= words.content[query] & words.content[unique][:, None]
    found = stem | part

    idf = words.idf[unique]
    best = (dice * words.content[query]).max(axis=1, initial=0)
    hit, any_found = stem.any(axis=1), found.any(axis=1)
    document = np.stack(
        [
            same.any(axis=1),
            *(hit, idf, hit * idf),
            *(best, best * idf),
            *(any_found, any_found * idf),
        ],
        axis=1,
    )
    grids = np.stack([same, stem, dice * words.content[unique][:, None], found], axis=2)
    longest = _longest(grids.astype(np.float32)[place], lengths)  # (documents, query words, 4)
    rare = words.idf[query]
    of_query = np.empty((*longest.shape[:2], len(WORD_FEATURES)), np.float32)
    of_query[..., [0, 1, 4, 6]] = longest
    of_query[..., 2] = rare
    of_query[..., [3, 5, 7]] = longest[..., 1:] * rare[:, None]
    overall = _overall(words, query, longest, hit[place], lengths)
    return Matches(document.astype(np.float32)[place], of_query, overall)


def letter_trigrams(forms: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The set of letter trigrams of each word with a mark at both ends: `^cat$` has three."""
    # Some tokenizers give empty words, which have no trigram; a space does for them.
    forms = [form or " " for form in forms]
    lengths = np.fromiter(map(len, forms), np.int64, len(forms))
    text = "".join(f"{chr(_START)}{form}{chr(_END)}" for form in forms)
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


def _overall(
    words: Lexicon, query: np.ndarray, found: np.ndarray, hit: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """The features of each pair, `(documents, 11)`; means over no words are 0."""
    rare, content = words.idf[query], words.content[query]

    def mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return values @ weights / max(float(weights.sum()), 1e-9)

    _, stems, letters, parts = np.moveaxis(found, 2, 0)
    inside = np.bincount(np.repeat(np.arange(len(lengths)), lengths), hit, len(lengths))
    columns = [
        mean(stems, np.ones_like(rare)),
        mean(stems, rare),
        mean(stems, content.astype(np.float32)),
        mean(stems, content * rare),
        mean(letters, content.astype(np.float32)),
        mean(letters, content * rare),
        mean(parts, content.astype(np.float32)),
        mean(parts, content * rare),
        inside / np.maximum(lengths, 1),
        np.log1p(lengths) / 4,
        np.full(len(lengths), np.log1p(len(query)) / 4),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _letters(words: Lexicon, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How alike the letters of words are, and whether one is part of the other.

    Of their sets of letter trigrams, `2 |A & B| / (|A| + |B|)`, and whether the inner ones, which
    touch neither end, of the shorter word are all in the longer: `(rows, cols)` each.
    """
    if not len(rows) or not len(cols):
        return np.zeros((len(rows), len(cols)), np.float32), np.zeros((len(rows), len(cols)), bool)
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
    dice = 2 * shared / (sizes[rows][:, None] + sizes[cols])

    inner = _inner(of_rows)
    both = np.add.reduceat(has[at] * inner[:, None], firsts)
    row_sizes = np.add.reduceat(inner, firsts)
    col_sizes = _inner(known) @ has[:-1]
    shorter = np.minimum(row_sizes[:, None], col_sizes)
    return dice, (both == shorter) & (shorter >= _PART - 2)


def _inner(trigrams: np.ndarray) -> np.ndarray:
    """1 for trigrams that touch neither end of their word, 0 for others."""
    first, last = trigrams >> 42, trigrams & 0x1FFFFF
    return ((first != _START) & (last != _END)).astype(np.float32)


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
