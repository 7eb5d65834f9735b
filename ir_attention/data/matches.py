"""Evidence that two texts share words: exactly, by stem, or by their letters.

The features hold for words never seen in training, which is why a matcher needs them. They are
computed for queries and all their documents at once, for training and ranking alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ir_attention.runs import spread

__all__ = [
    "OVERALL_FEATURES",
    "WORD_FEATURES",
    "Lexicon",
    "Matches",
    "Sides",
    "letter_trigrams",
    "lexicon",
    "match",
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
    "where the first query content word is found",  # log(1 + words before it) / 4
    "query numbers found",
    "a number beside the query's",  # 1 if the document has a number that the query has not
)


class Lexicon(NamedTuple):
    """What matching needs to know of each unique word of a request.

    Its marks are what it can share with another word: its letter trigrams, sorted, and behind
    them its stem. All are numbers that are the same for the same mark of any word.
    """

    stem: np.ndarray  # (words,) equal numbers for equal stems
    idf: np.ndarray  # (words,) 0 to 1
    content: np.ndarray  # (words,) False for function words
    digits: np.ndarray  # (words,) whether a digit is in it
    marks: np.ndarray  # end to end
    starts: np.ndarray  # (words,) of each word's marks
    trigrams: np.ndarray  # (words,) how many
    inner: np.ndarray  # (words,) how many of them touch neither end of the word
    kinds: np.ndarray  # (distinct marks,) what each is: 0 a stem, 1 a trigram, 2 an inner one
    codes: np.ndarray  # (distinct trigrams,) what `letter_trigrams` calls them

    def letters(self) -> tuple[np.ndarray, np.ndarray]:
        """As `letter_trigrams` of all words."""
        return self.codes[self.marks[spread(self.starts, self.trigrams)]], self.trigrams


class Sides(NamedTuple):
    """Queries and their documents, as numbers of words in a lexicon."""

    query: np.ndarray  # the words of all queries, end to end
    query_lengths: np.ndarray  # (queries,)
    document: np.ndarray  # the words of each pair's document, end to end
    lengths: np.ndarray  # (pairs,) words of each document; 0 is allowed
    pair_query: np.ndarray  # (pairs,) ascending


class Matches(NamedTuple):
    """The features of pairs. A row is a word of a query's documents, whatever their number."""

    rows: np.ndarray  # (rows,) the word; of one query ascending
    row_query: np.ndarray  # (rows,) ascending
    place: np.ndarray  # the row of each word of each pair's document, end to end
    document: np.ndarray  # (rows, 8)
    query: np.ndarray  # (words of the query of each pair, end to end, 8)
    overall: np.ndarray  # (pairs, 14)


class _Shared(NamedTuple):
    """Where a row and a word of its query have something in common, by rows."""

    row: np.ndarray  # (entries,) ascending
    column: np.ndarray  # (entries,) the place of the query's word among all queries' words
    same: np.ndarray  # (entries,) the same word
    stem: np.ndarray  # the same stem
    dice: np.ndarray  # how alike their letters are, 0 to 1
    found: np.ndarray  # the same stem, or one content word within the other


def lexicon(
    forms: list[str], stems: list[str], idf: np.ndarray, stop_words: frozenset[str]
) -> Lexicon:
    """Numbers the stems and letter trigrams of unique words, so that matching is arithmetic."""
    numbers: dict[str, int] = {}
    stem = np.array([numbers.setdefault(one, len(numbers)) for one in stems], np.int32)
    content = np.array([form not in stop_words for form in forms], bool)
    digits = np.array([any(map(str.isdecimal, form)) for form in forms], bool)
    codes, trigram, counts = _numbered_trigrams(forms)
    ends = np.cumsum(counts + 1)
    marks = np.empty(len(trigram) + len(forms), np.int32)
    of_stem = np.zeros(len(marks), bool)
    of_stem[ends - 1] = True
    marks[~of_stem] = trigram
    marks[of_stem] = stem + len(codes)
    touching = (codes >> 42 == _START) | (codes & 0x1FFFFF == _END)
    kinds = np.zeros(len(codes) + len(numbers), np.int8)
    kinds[: len(codes)] = 2 - touching
    word = np.repeat(np.arange(len(forms)), counts)
    inner = np.bincount(word[kinds[trigram] == 2], minlength=len(forms))
    starts = ends - counts - 1
    return Lexicon(stem, idf, content, digits, marks, starts, counts, inner, kinds, codes)


def match(words: Lexicon, sides: Sides) -> Matches:
    """The match features of queries with their documents.

    Of the words of a query's documents, each is looked at once. Most have nothing in common with
    the query, so only what is shared is ever listed.

    Args:
        words: Of all words that occur.
        sides: The pairs.
    """
    owner = np.repeat(sides.pair_query, sides.lengths)
    keys, place = np.unique(owner * len(words.stem) + sides.document, return_inverse=True)
    row_query, rows = np.divmod(keys, max(len(words.stem), 1))
    shared = _shared(words, sides, rows, row_query)
    idf = words.idf[rows]
    document = np.zeros((len(rows), len(WORD_FEATURES)), np.float32)
    document[shared.row[shared.same], 0] = 1
    document[shared.row[shared.stem], 1] = 1
    document[:, 2] = idf
    np.maximum.at(
        document[:, 4], shared.row, shared.dice * words.content[sides.query[shared.column]]
    )
    document[shared.row[shared.found], 6] = 1
    document[:, 3::2] = document[:, [1, 4, 6]] * idf[:, None]
    of_query = _of_query(words, sides, shared, rows, place)
    overall = _overall(words, sides, of_query, document[place, 1])
    return Matches(rows, row_query, place, document, of_query, overall)


def letter_trigrams(forms: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The set of letter trigrams of each word with a mark at both ends: `^cat$` has three."""
    codes, trigram, counts = _numbered_trigrams(forms)
    return codes[trigram], counts


def _numbered_trigrams(forms: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct trigrams of all words, sorted; those of each word as places; their counts."""
    # Some tokenizers give empty words, which have no trigram; a space does for them.
    forms = [form or " " for form in forms]
    lengths = np.fromiter(map(len, forms), np.int64, len(forms))
    start, end = chr(_START), chr(_END)
    text = start + f"{end}{start}".join(forms) + end if forms else ""
    code = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
    at = spread(np.cumsum(lengths + 2) - lengths - 2, lengths)
    # A code point has 21 bits: three make one number, the same for the same trigram.
    trigram = (code[at] << 42) | (code[at + 1] << 21) | code[at + 2]
    codes, number = np.unique(trigram, return_inverse=True)
    word = np.repeat(np.arange(len(forms)), lengths)
    keys = np.sort(word << 32 | number)
    keys = keys[np.diff(keys, prepend=-1) > 0]
    return codes, keys & 0xFFFFFFFF, np.bincount(keys >> 32, minlength=len(forms))


def _shared(words: Lexicon, sides: Sides, rows: np.ndarray, row_query: np.ndarray) -> _Shared:
    """What each row shares with the words of its query."""
    sizes = sides.query_lengths[row_query]
    firsts = np.cumsum(sizes) - sizes  # of the cells of each row, one for each word of its query
    row, column, kind = _common_marks(words, sides, rows, row_query)
    starts = np.cumsum(sides.query_lengths) - sides.query_lengths
    cell = firsts[row] + column - starts[row_query[row]]
    cells = int(sizes.sum())
    letters = np.bincount(cell[kind > 0], minlength=cells)
    both = np.bincount(cell[kind == 2], minlength=cells)
    any_shared = letters > 0
    any_shared[cell[kind == 0]] = True
    found = np.flatnonzero(any_shared)
    row = np.repeat(np.arange(len(rows)), sizes)[found]
    column = found - firsts[row] + starts[row_query[row]]
    one, other = rows[row], sides.query[column]
    dice = 2 * letters[found] / (words.trigrams[one] + words.trigrams[other])
    stem = words.stem[one] == words.stem[other]
    shorter = np.minimum(words.inner[one], words.inner[other])
    part = (both[found] == shorter) & (shorter >= _PART - 2)
    part &= words.content[one] & words.content[other]
    return _Shared(row, column, one == other, stem, dice.astype(np.float32), stem | part)


def _common_marks(
    words: Lexicon, sides: Sides, rows: np.ndarray, row_query: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each mark that a row and a word of its query have in common: row, column, kind of mark."""
    asked = words.trigrams[sides.query] + 1
    of_query = words.marks[spread(words.starts[sides.query], asked)]
    column = np.repeat(np.arange(len(sides.query)), asked)
    owner = np.repeat(np.arange(len(sides.query_lengths)), sides.query_lengths)[column]
    # The marks of these queries alone are numbered anew, from 1: a small table then says for each
    # query and mark which of its words have it.
    number = np.zeros(len(words.kinds), np.int64)
    number[of_query] = 1
    number = np.cumsum(number) * number
    width = int(number.max(initial=0)) + 1
    key = owner * width + number[of_query]
    column = column[np.argsort(key, kind="stable")]
    counts = np.bincount(key, minlength=len(sides.query_lengths) * width)
    firsts = np.cumsum(counts) - counts

    sizes = words.trigrams[rows] + 1
    mark = words.marks[spread(words.starts[rows], sizes)]
    row = np.repeat(np.arange(len(rows)), sizes)
    kept = np.flatnonzero(number[mark])
    mark, row = mark[kept], row[kept]
    key = row_query[row] * width + number[mark]
    times = counts[key]
    return (
        np.repeat(row, times),
        column[spread(firsts[key], times)],
        np.repeat(words.kinds[mark], times),
    )


def _of_query(
    words: Lexicon, sides: Sides, shared: _Shared, rows: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """The features of the query's words in each pair: the best over the document's words."""
    sizes = sides.query_lengths[sides.pair_query]
    firsts = np.cumsum(sizes) - sizes
    starts = np.cumsum(sides.query_lengths) - sides.query_lengths
    out = np.zeros((int(sizes.sum()), len(WORD_FEATURES)), np.float32)
    # Every word of a document brings what its row shares with the query.
    counts = np.bincount(shared.row, minlength=len(rows))
    times = counts[place]
    entry = spread((np.cumsum(counts) - counts)[place], times)
    pair = np.repeat(np.repeat(np.arange(len(sides.lengths)), sides.lengths), times)
    at = (firsts - starts[sides.pair_query])[pair] + shared.column[entry]
    out[at[shared.same[entry]], 0] = 1
    out[at[shared.stem[entry]], 1] = 1
    content = words.content[rows][shared.row[entry]]
    np.maximum.at(out[:, 4], at, shared.dice[entry] * content)
    out[at[shared.found[entry]], 6] = 1
    rare = words.idf[sides.query[spread(starts[sides.pair_query], sizes)]]
    out[:, 2] = rare
    out[:, 3::2] = out[:, [1, 4, 6]] * rare[:, None]
    return out


def _overall(words: Lexicon, sides: Sides, of_query: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """The features of each pair, `(pairs, 14)`; means over no words are 0."""
    pairs = len(sides.lengths)
    sizes = sides.query_lengths[sides.pair_query]
    starts = np.cumsum(sides.query_lengths) - sides.query_lengths
    pair = np.repeat(np.arange(pairs), sizes)
    asked = sides.query[spread(starts[sides.pair_query], sizes)]
    content = words.content[asked]

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(pair, values, pairs)

    def mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return total(values) / np.maximum(weights, 1e-9)

    stems, rare, rare_stems, letters, rare_letters, parts, rare_parts = of_query[:, 1:].T
    contents, rares = total(content), total(rare)
    rare_contents = total(rare * content)
    owner = np.repeat(np.arange(pairs), sides.lengths)
    inside = np.bincount(owner, hit, pairs)
    numbers = words.digits[asked]
    other_numbers = np.bincount(owner, words.digits[sides.document] & (hit == 0), pairs)
    columns = [
        mean(stems, sizes),
        mean(rare_stems, rares),
        mean(stems * content, contents),
        mean(rare_stems * content, rare_contents),
        mean(letters * content, contents),
        mean(rare_letters * content, rare_contents),
        mean(parts * content, contents),
        mean(rare_parts * content, rare_contents),
        inside / np.maximum(sides.lengths, 1),
        np.log1p(sides.lengths) / 4,
        np.log1p(sizes) / 4,
        np.log1p(_first(words, sides, hit)) / 4,
        mean(stems * numbers, total(numbers)),
        other_numbers > 0,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _first(words: Lexicon, sides: Sides, hit: np.ndarray) -> np.ndarray:
    """How many words of each document come before the first content word that is in the query.

    All of them, if there is none.
    """
    owner = np.repeat(np.arange(len(sides.lengths)), sides.lengths)
    place = spread(np.zeros(len(sides.lengths), np.int64), sides.lengths)
    hits = (hit > 0) & words.content[sides.document]
    first = np.array(sides.lengths)
    np.minimum.at(first, owner[hits], place[hits])
    return first
