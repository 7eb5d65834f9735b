"""Texts to arrays: unique words numbered once, texts as ragged runs of them, pairs for a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ir_attention.data.matches import (
    OVERALL_FEATURES,
    WORD_FEATURES,
    Lexicon,
    Matches,
    lexicon,
    match,
    spread,
)
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.text import STOP_WORDS, normal, sentences, stem, words

__all__ = [
    "Cuts",
    "PairArrays",
    "Runs",
    "Sizes",
    "Texts",
    "cut_report",
    "number_texts",
    "pad",
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
    """Pairs of queries and documents, ragged: what `models.forward` scores and `pad` pads."""

    pieces: np.ndarray  # unique vocabulary ids; the rest are places in it
    query: np.ndarray  # all queries, end to end
    query_lengths: np.ndarray  # (queries,)
    document: np.ndarray  # the document of each pair, end to end
    sentence_lengths: np.ndarray  # (sents of all pairs,)
    sentence_counts: np.ndarray  # (pairs,)
    pair_query: np.ndarray  # (pairs,) ascending
    document_features: np.ndarray  # (len(document), 8)
    query_features: np.ndarray  # (pieces of the query of each pair, end to end, 8)
    overall: np.ndarray  # (pairs, 11)


def number_texts(
    texts: Sequence[str],
    vocabulary: Vocabulary,
    *,
    tokenizer: Callable[[str], list[str]] | None = None,
    split_sentences: bool = True,
) -> Texts:
    """Cuts texts into sentences and words, and numbers the unique words.

    Sentences without a word are dropped. Nothing else is.
    """
    numbers: dict[str, int] = {}
    word: list[int] = []
    lengths: list[int] = []
    counts: list[int] = []
    cut = tokenizer or words
    for text in texts:
        spans = sentences(text) if split_sentences else [(0, len(text))]
        before = len(lengths)
        for start, end in spans:
            found = cut(text[start:end])
            if found:
                word.extend([numbers.setdefault(one, len(numbers)) for one in found])
                lengths.append(len(found))
        counts.append(len(lengths) - before)
    forms, places = _unique_forms(list(numbers))
    stems = stem(forms)
    pieces, piece_counts = vocabulary.ids(forms)
    return Texts(
        forms,
        lexicon(forms, stems, vocabulary.rarity(stems), STOP_WORDS),
        pieces,
        piece_counts,
        places[np.array(word, np.int64)],
        np.array(lengths, np.int64),
        np.array(counts, np.int64),
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
    of_text = Runs.of_texts(texts)
    queries = np.array([query for query, _ in groups], np.int64)
    documents = np.concatenate([np.zeros(0, np.int64), *[docs for _, docs in groups]])
    matches = [
        match(texts.words, of_text.words([query]), of_text.words(docs), of_text.lengths[docs])
        for query, docs in groups
    ]
    query = _cut(texts, of_text.words(queries), of_text.lengths[queries], cuts and cuts.query)
    document, sentence_counts = _cut_documents(texts, of_text, documents, cuts)
    unique, places = np.unique(np.concatenate([query.pieces, document.pieces]), return_inverse=True)
    features = _stack([m.document for m in matches], len(WORD_FEATURES))[document.words]
    return PairArrays(
        unique.astype(np.int32),
        places[: len(query.pieces)],
        query.lengths,
        places[len(query.pieces) :],
        document.lengths,
        sentence_counts,
        np.repeat(np.arange(len(groups)), np.array([len(docs) for _, docs in groups], np.int64)),
        features,
        _query_features(matches, query, of_text.lengths[queries]),
        _stack([m.overall for m in matches], len(OVERALL_FEATURES)),
    )


class _Pieces(NamedTuple):
    """Runs of words as runs of their pieces."""

    pieces: np.ndarray  # vocabulary ids, end to end
    lengths: np.ndarray  # pieces of each run
    words: np.ndarray  # for each piece, the place of its word among the words given


class Runs(NamedTuple):
    """Where the words and sentences of each text are in `Texts`."""

    texts: Texts
    starts: np.ndarray  # (texts,) the first word
    lengths: np.ndarray  # (texts,) words
    sentences: np.ndarray  # (texts,) the first sentence

    @classmethod
    def of_texts(cls, texts: Texts) -> Runs:
        bounds = np.concatenate([[0], np.cumsum(texts.sentence_lengths)])
        last = np.cumsum(texts.sentence_counts)
        first = last - texts.sentence_counts
        return cls(texts, bounds[first], bounds[last] - bounds[first], first)

    def words(self, places: Sequence[int] | np.ndarray) -> np.ndarray:
        """The words of some texts, end to end."""
        places = np.asarray(places, np.int64)
        return self.texts.word[spread(self.starts[places], self.lengths[places])]

    def sentence_places(self, places: Sequence[int] | np.ndarray) -> np.ndarray:
        """The sentences of some texts, as rows of `texts.sentence_lengths`."""
        places = np.asarray(places, np.int64)
        return spread(self.sentences[places], self.texts.sentence_counts[places])


def _cut(texts: Texts, word: np.ndarray, lengths: np.ndarray, limit: int | None) -> _Pieces:
    """The pieces of runs of words, at most `limit` of each run."""
    counts = texts.piece_counts[word]
    first = np.cumsum(texts.piece_counts) - texts.piece_counts
    pieces = texts.pieces[spread(first[word], counts)]
    source = np.repeat(np.arange(len(word)), counts)
    run = np.repeat(np.arange(len(lengths)), lengths)[source]
    totals = np.bincount(run, minlength=len(lengths))
    if limit is None or not len(totals) or totals.max() <= limit:
        return _Pieces(pieces, totals, source)
    kept = np.arange(len(run)) - (np.cumsum(totals) - totals)[run] < limit
    return _Pieces(pieces[kept], np.minimum(totals, limit), source[kept])


def _cut_documents(
    texts: Texts, of_text: Runs, documents: np.ndarray, cuts: Cuts | None
) -> tuple[_Pieces, np.ndarray]:
    """The pieces of documents by sentence, and how many sentences each document has."""
    counts = texts.sentence_counts[documents]
    lengths = texts.sentence_lengths[of_text.sentence_places(documents)]
    cut = _cut(texts, of_text.words(documents), lengths, cuts and cuts.sentence)
    if cuts is None or not len(counts) or counts.max() <= cuts.sentences:
        return cut, counts
    number = np.arange(len(lengths)) - np.repeat(np.cumsum(counts) - counts, counts)
    early = number < cuts.sentences
    kept = np.repeat(early, cut.lengths)
    cut = _Pieces(cut.pieces[kept], cut.lengths[early], cut.words[kept])
    return cut, np.minimum(counts, cuts.sentences)


def _query_features(matches: list[Matches], query: _Pieces, lengths: np.ndarray) -> np.ndarray:
    """The features of the query's pieces in each pair, `(pieces of all pairs, 8)`."""
    parts = []
    firsts, ends = np.cumsum(lengths) - lengths, np.cumsum(query.lengths)
    for m, first, end, size in zip(matches, firsts, ends, query.lengths, strict=True):
        local = query.words[end - size : end] - first
        parts.append(m.query[:, local].reshape(-1, len(WORD_FEATURES)))
    return _stack(parts, len(WORD_FEATURES))


def _stack(parts: list[np.ndarray], width: int) -> np.ndarray:
    return np.concatenate([np.zeros((0, width), np.float32), *parts])


def cut_report(texts: Texts, queries: np.ndarray, documents: np.ndarray, cuts: Cuts) -> list[str]:
    """What `cuts` leave out of the distinct texts of some pairs, a sentence for each kind."""
    of_text, said = Runs.of_texts(texts), []
    queries, documents = np.unique(queries), np.unique(documents)
    sizes = _cut(texts, of_text.words(queries), of_text.lengths[queries], None).lengths
    lines = [(sizes > cuts.query, f"queries are longer than {cuts.query} words")]
    document, counts = _cut_documents(texts, of_text, documents, None)
    long = document.lengths > cuts.sentence
    lines.append((long, f"sentences of documents are longer than {cuts.sentence}"))
    lines.append((counts > cuts.sentences, f"documents have over {cuts.sentences} sentences"))
    for over, what in lines:
        if over.any():
            said.append(f"{over.sum()} of {len(over)} {what}: training takes their beginning")
    return said


class Sizes(NamedTuple):
    """The fixed sizes of a padded batch, so that a model is traced once."""

    queries: int = 16
    pairs: int = 128
    query: int = 16  # pieces of a query
    sentence: int = 36  # pieces of a sentence
    sentences: int = 8  # sentences of a document
    pieces: int = 512  # unique pieces, rounded up to a multiple of this
    sents: int = 64  # sentences of all documents, likewise


def pad(arrays: PairArrays, sizes: Sizes) -> dict[str, np.ndarray]:
    """The same pairs as rectangles, for `models.matcher`. Padding pairs have no sentences.

    Returns:
        By name: `pieces` `(pieces,)`; `query` `(queries, words)`, `query_length` `(queries,)`;
        `document` `(sents, words)`, `sentence_length` and `sentence_pair` `(sents,)`; `slots`
        `(pairs, sentences)`, 1-based rows of `document`, 0 where there is none;
        `sentence_count`, `pair_query` `(pairs,)`; `document_features` `(sents, words, 8)`,
        `query_features` `(pairs, words, 8)`, `overall` `(pairs, 11)`.
    """
    pairs, sents = len(arrays.pair_query), len(arrays.sentence_lengths)
    total = _up(sents, sizes.sents)
    numbers = np.repeat(np.arange(pairs), arrays.sentence_counts)
    place = np.arange(sents) - np.repeat(
        np.cumsum(arrays.sentence_counts) - arrays.sentence_counts, arrays.sentence_counts
    )
    slots = np.zeros((sizes.pairs, sizes.sentences), np.int32)
    slots[numbers, place] = np.arange(1, sents + 1)
    of_pair = arrays.query_lengths[arrays.pair_query]
    return {
        "pieces": _filled(arrays.pieces, _up(len(arrays.pieces), sizes.pieces)),
        "query": _rows(arrays.query, arrays.query_lengths, (sizes.queries, sizes.query)),
        "query_length": _filled(arrays.query_lengths, sizes.queries),
        "document": _rows(arrays.document, arrays.sentence_lengths, (total, sizes.sentence)),
        "sentence_length": _filled(arrays.sentence_lengths, total),
        "sentence_pair": _filled(numbers, total),
        "slots": slots,
        "sentence_count": _filled(arrays.sentence_counts, sizes.pairs),
        "pair_query": _filled(arrays.pair_query, sizes.pairs),
        "document_features": _rows(
            arrays.document_features, arrays.sentence_lengths, (total, sizes.sentence)
        ),
        "query_features": _rows(arrays.query_features, of_pair, (sizes.pairs, sizes.query)),
        "overall": _filled(arrays.overall, sizes.pairs),
    }


def _up(number: int, step: int) -> int:
    return max(1, -(-number // step)) * step


def _filled(values: np.ndarray, size: int) -> np.ndarray:
    """`values` with rows of zeros behind, as int32 or float32."""
    out = np.zeros((size, *values.shape[1:]), _narrow(values))
    out[: len(values)] = values
    return out


def _rows(values: np.ndarray, lengths: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Ragged runs as rows of a rectangle with zeros behind each."""
    out = np.zeros((*shape, *values.shape[1:]), _narrow(values))
    out[: len(lengths)][np.arange(shape[1]) < lengths[:, None]] = values
    return out


def _narrow(values: np.ndarray) -> type:
    return np.float32 if values.dtype.kind == "f" else np.int32
