"""Texts to arrays: unique words numbered once, texts as ragged runs of them, pairs for a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ir_attention.data.cutting import Cut, cut_texts
from ir_attention.data.matches import Lexicon, Sides, lexicon, match
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.runs import spread
from ir_attention.text import STOP_WORDS, normal, stems

__all__ = [
    "Cuts",
    "Grouped",
    "PairArrays",
    "Runs",
    "Texts",
    "arrays_of_groups",
    "cut_report",
    "number_pairs",
    "number_texts",
    "pair_arrays",
]


class Cuts(NamedTuple):
    """How much of a text training takes, in pieces. Scoring takes all."""

    query: int = 16
    sentence: int = 36
    sentences: int = 30


class Texts(NamedTuple):
    """Texts as numbers. `words` numbers the unique words of these texts alone."""

    forms: list[str]
    words: Lexicon
    pieces: np.ndarray  # vocabulary ids of the unique words, end to end
    piece_counts: np.ndarray  # (unique words,)
    word: np.ndarray  # every word of every text, as a number in `words`
    sentence_lengths: np.ndarray  # in words
    sentence_counts: np.ndarray  # (texts,)


class PairArrays(NamedTuple):
    """Pairs of queries and documents, ragged: what is scored, and what batches are made of.

    What a model thinks of a document's word up to its sentence depends on the word and the query
    alone: `row_piece`, `row_query` and `row_features` have each of these once, `document_row` says
    which of them each word of a document is.
    """

    pieces: np.ndarray  # unique vocabulary ids; the rest are places in it
    query: np.ndarray  # all queries, end to end
    query_lengths: np.ndarray  # (queries,)
    document: np.ndarray  # the document of each pair, end to end
    sentence_lengths: np.ndarray  # (sents of all pairs,)
    sentence_counts: np.ndarray  # (pairs,)
    pair_query: np.ndarray  # (pairs,) ascending
    document_features: np.ndarray  # (len(document), 8)
    query_features: np.ndarray  # (pieces of the query of each pair, end to end, 8)
    overall: np.ndarray  # (pairs, 14)
    row_piece: np.ndarray  # (rows,) places in `pieces`
    row_query: np.ndarray  # (rows,) ascending
    row_features: np.ndarray  # (rows, 8)
    document_row: np.ndarray  # (len(document),)


def number_pairs(
    queries: Sequence[str], documents: Sequence[str]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The distinct texts of pairs, queries first, and the places of both in them, `(pairs,)`."""
    numbers: dict[str, int] = {}
    query, document = (
        np.array([numbers.setdefault(text, len(numbers)) for text in side], np.int64)
        for side in (queries, documents)
    )
    return list(numbers), query, document


def number_texts(
    texts: Sequence[str] | Cut,
    vocabulary: Vocabulary,
    *,
    tokenizer: Callable[[str], list[str]] | None = None,
    split_sentences: bool = True,
) -> Texts:
    """Cuts texts into sentences and words, and numbers the unique words.

    Sentences without a word are dropped. Nothing else is. Texts that are cut already
    (`cutting.cut_texts`) are numbered as they are, whatever the other arguments say.
    """
    if not isinstance(texts, Cut):
        texts = cut_texts(texts, tokenizer=tokenizer, split_sentences=split_sentences)
    forms, places = _unique_forms(texts.written)
    roots = stems(forms)
    pieces, piece_counts = vocabulary.ids(forms)
    return Texts(
        forms,
        lexicon(forms, roots, vocabulary.rarity(roots), STOP_WORDS),
        pieces,
        piece_counts,
        places[texts.word],
        texts.sentence_lengths,
        texts.sentence_counts,
    )


def _unique_forms(written: list[str]) -> tuple[list[str], np.ndarray]:
    """The forms in which words match, and the place of each written word's form among them."""
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(normal(one), len(numbers)) for one in written]
    return list(numbers), np.array(places, np.int64)


def pair_arrays(
    texts: Texts, groups: Iterable[tuple[int, np.ndarray]], cuts: Cuts | None = None
) -> PairArrays:
    """The arrays of some queries with some documents each.

    Args:
        texts: Queries and documents, numbered together.
        groups: Of each query: its place in `texts`, and those of its documents.
        cuts: Where to cut. Default: nowhere.
    """
    groups = list(groups)
    queries = np.array([query for query, _ in groups], np.int64)
    documents = np.concatenate([np.zeros(0, np.int64), *[docs for _, docs in groups]])
    sizes = np.fromiter((len(docs) for _, docs in groups), np.int64, len(groups))
    grouped = Grouped(queries, documents, np.repeat(np.arange(len(groups)), sizes))
    return arrays_of_groups(Runs.of_texts(texts), grouped, cuts)


class Grouped(NamedTuple):
    """Queries and the documents of each, as places of texts."""

    queries: np.ndarray  # (queries,)
    documents: np.ndarray  # (pairs,)
    pair_query: np.ndarray  # (pairs,) ascending places in `queries`


def arrays_of_groups(of_text: Runs, grouped: Grouped, cuts: Cuts | None = None) -> PairArrays:
    """As `pair_arrays`, of many queries at once."""
    texts, (queries, documents, pair_query) = of_text.texts, grouped
    sides = Sides(
        of_text.words(queries),
        of_text.lengths[queries],
        of_text.words(documents),
        of_text.lengths[documents],
        pair_query,
    )
    found = match(texts.words, sides)
    query = _cut(of_text, sides.query, sides.query_lengths, cuts and cuts.query)
    document, sentence_counts = _cut_documents(of_text, documents, cuts)
    # Words to pieces: a row of each piece of each row.
    rows = _cut(of_text, found.rows, np.ones(len(found.rows), np.int64), None)
    first = np.cumsum(rows.lengths) - rows.lengths
    document_row = first[found.place[document.words]] + document.numbers
    row = _marked(document_row, len(rows.pieces))  # a cut may leave out some
    unique = _marked(np.concatenate([query.pieces, rows.pieces[row.kept]]), of_text.most + 1)
    row_piece = unique.place[rows.pieces[row.kept]]
    of_row = found.document[rows.words[row.kept]]
    document_row = row.place[document_row]
    return PairArrays(
        unique.kept.astype(np.int32),
        unique.place[query.pieces],
        query.lengths,
        row_piece[document_row],
        document.lengths,
        sentence_counts,
        pair_query,
        of_row[document_row],
        found.query[_words_of_pairs(query, sides)],
        found.overall,
        row_piece,
        found.row_query[rows.words[row.kept]],
        of_row,
        document_row,
    )


class _Marked(NamedTuple):
    """Which of some numbers occur."""

    kept: np.ndarray  # those that do, ascending
    place: np.ndarray  # (limit,) of each that does in `kept`


def _marked(numbers: np.ndarray, limit: int) -> _Marked:
    """By a table: for numbers below a limit that is not much larger than their count."""
    occurs = np.zeros(limit, bool)
    occurs[numbers] = True
    return _Marked(np.flatnonzero(occurs), np.cumsum(occurs) - 1)


def _words_of_pairs(query: _Pieces, sides: Sides) -> np.ndarray:
    """For the query's pieces in each pair, the place of their word among those of all pairs."""
    of_pair = sides.query_lengths[sides.pair_query]
    starts = np.cumsum(of_pair) - of_pair
    sizes = query.lengths[sides.pair_query]
    ends = np.cumsum(query.lengths)
    piece = spread((ends - query.lengths)[sides.pair_query], sizes)
    firsts = np.cumsum(sides.query_lengths) - sides.query_lengths
    return query.words[piece] + np.repeat(starts - firsts[sides.pair_query], sizes)


class _Pieces(NamedTuple):
    """Runs of words as runs of their pieces."""

    pieces: np.ndarray  # vocabulary ids, end to end
    lengths: np.ndarray  # pieces of each run
    words: np.ndarray  # for each piece, the place of its word among the words given
    numbers: np.ndarray  # and which piece of it it is


class Runs(NamedTuple):
    """Where the words and sentences of each text are in `Texts`."""

    texts: Texts
    starts: np.ndarray  # (texts,) the first word
    lengths: np.ndarray  # (texts,) words
    sentences: np.ndarray  # (texts,) the first sentence
    pieces: np.ndarray  # (unique words,) the first piece
    whole: bool  # whether each word is a piece
    most: int  # the largest id of a piece

    @classmethod
    def of_texts(cls, texts: Texts) -> Runs:
        bounds = np.concatenate([[0], np.cumsum(texts.sentence_lengths)])
        last = np.cumsum(texts.sentence_counts)
        first = last - texts.sentence_counts
        pieces = np.cumsum(texts.piece_counts) - texts.piece_counts
        whole = bool((texts.piece_counts == 1).all())
        most = int(texts.pieces.max(initial=0))
        lengths = bounds[last] - bounds[first]
        return cls(texts, bounds[first], lengths, first, pieces, whole, most)

    def words(self, places: Sequence[int] | np.ndarray) -> np.ndarray:
        """The words of some texts, end to end."""
        places = np.asarray(places, np.int64)
        return self.texts.word[spread(self.starts[places], self.lengths[places])]

    def sentence_places(self, places: Sequence[int] | np.ndarray) -> np.ndarray:
        """The sentences of some texts, as rows of `texts.sentence_lengths`."""
        places = np.asarray(places, np.int64)
        return spread(self.sentences[places], self.texts.sentence_counts[places])


def _cut(of_text: Runs, word: np.ndarray, lengths: np.ndarray, limit: int | None) -> _Pieces:
    """The pieces of runs of words, at most `limit` of each run."""
    texts, at = of_text.texts, np.arange(len(word))
    if of_text.whole and (limit is None or lengths.max(initial=0) <= limit):
        return _Pieces(texts.pieces[word], lengths, at, np.zeros(len(word), np.int64))
    counts = texts.piece_counts[word]
    pieces = texts.pieces[spread(of_text.pieces[word], counts)]
    source = np.repeat(at, counts)
    number = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
    run = np.repeat(np.arange(len(lengths)), lengths)[source]
    totals = np.bincount(run, minlength=len(lengths))
    if limit is None or totals.max(initial=0) <= limit:
        return _Pieces(pieces, totals, source, number)
    kept = np.arange(len(run)) - (np.cumsum(totals) - totals)[run] < limit
    return _Pieces(pieces[kept], np.minimum(totals, limit), source[kept], number[kept])


def _cut_documents(
    of_text: Runs, documents: np.ndarray, cuts: Cuts | None
) -> tuple[_Pieces, np.ndarray]:
    """The pieces of documents by sentence, and how many sentences each document has."""
    counts = of_text.texts.sentence_counts[documents]
    lengths = of_text.texts.sentence_lengths[of_text.sentence_places(documents)]
    cut = _cut(of_text, of_text.words(documents), lengths, cuts and cuts.sentence)
    if cuts is None or counts.max(initial=0) <= cuts.sentences:
        return cut, counts
    number = np.arange(len(lengths)) - np.repeat(np.cumsum(counts) - counts, counts)
    early = number < cuts.sentences
    kept = np.repeat(early, cut.lengths)
    cut = _Pieces(cut.pieces[kept], cut.lengths[early], cut.words[kept], cut.numbers[kept])
    return cut, np.minimum(counts, cuts.sentences)


def cut_report(texts: Texts, queries: np.ndarray, documents: np.ndarray, cuts: Cuts) -> list[str]:
    """What `cuts` leave out of the distinct texts of some pairs, a sentence for each kind."""
    of_text, said = Runs.of_texts(texts), []
    queries, documents = np.unique(queries), np.unique(documents)
    sizes = _cut(of_text, of_text.words(queries), of_text.lengths[queries], None).lengths
    lines = [(sizes > cuts.query, f"queries are longer than {cuts.query} words")]
    document, counts = _cut_documents(of_text, documents, None)
    long = document.lengths > cuts.sentence
    lines.append((long, f"sentences of documents are longer than {cuts.sentence}"))
    lines.append((counts > cuts.sentences, f"documents have over {cuts.sentences} sentences"))
    for over, what in lines:
        if over.any():
            said.append(f"{over.sum()} of {len(over)} {what}: training takes their beginning")
    return said
