"""Where a model looked: the attention behind one score, with the words it belongs to.

And what each word does to the score, by leaving it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ir_attention.data.arrays import Runs
from ir_attention.errors import DataError
from ir_attention.ranking.erasing import (
    affordable,
    document_effects,
    erasure_curves,
    query_effects,
)
from ir_attention.scoring.matcher import MatcherScorer, Request
from ir_attention.text import sentences, word_spans
from ir_attention.threads import one_blas_thread

if TYPE_CHECKING:  # pandas takes half a second to import, which ranking does without
    import pandas as pd

__all__ = ["SHADING", "VERDICT", "Explanation", "explain_pair", "written_words"]

# By model, what a picture shows first. Erasing words in the order of their attention is no better
# than chance for a `han` of few pairs and a `han-bi` of many, while in the order of effects it
# takes at least twice as much of the score as at random; see `docs/attention.md`, measured by
# `pipelines/bench_faithfulness.py`.
SHADING = {"han": "effects", "han-bi": "effects"}

# Where a bundle's settings have what was measured of the model; see `Faithfulness.keep`.
VERDICT = "faithfulness"


class Reading(Protocol):
    """How a scorer cuts texts into words."""

    split_sentences: bool
    tokenizer: Callable[[str], list[str]] | None


@dataclass(frozen=True)
class Explanation:
    """The attention weights behind the score of a pair, and what each word does to it.

    Weights are shares, 0 to 1.

    Attributes:
        score: As `Ranker.rank` gives it.
        query, document: The texts as they were given.
        query_words: The words of the query, as written.
        document_words: Those of the document.
        query_offsets: Where each word of the query stands in it, `(query words, 2)`:
            `query[start:end]` is the word. A word of one's own tokenizer that is not there stands,
            empty, where the one before it ends.
        document_offsets: The same of the document, `(words, 2)`.
        query_weights: Of each query word, `(query words,)`; they sum to 1.
        word_weights: Of each document word in its sentence, `(words,)`.
        sentence_weights: Of each sentence in the document, `(sents,)`; they sum to 1.
        sentence_of_word: The number of each document word's sentence, `(words,)`.
        alignment: Of each query word over the document's words, `(query words, words)`; each row
            sums to 1. None of a `han-bi`, whose sides do not look at each other.
        document_over_query: Of each document word over the query's, `(words, query words)`, or
            None.
        query_effects: How much lower the score is without each query word, `(query words,)`: its
            leave-one-out effect, in units of the score, below 0 where the score is higher without.
            Left out is the word, not the characters around it: no other word and no sentence is
            cut anew. None where they were not asked for.
        document_effects: The same of each document word, `(words,)`, or None.
        shading: `attention` or `effects`: which of both tells better what a model of this kind
            scores by, as measured; see `faithfulness`.
        curves: What of the score is lost as words are erased; see `erasing.erasure_curves`. None
            where it was not asked for, or the document has no words.
        model_verdict: What was measured of the model, as `Faithfulness.verdict` gives it, if it is
            kept with the bundle; otherwise None.

    A word that the vocabulary cuts into pieces has the sum of its pieces' weights, where weights
    are shared out, and the mean, where its pieces each share out their own.
    """

    score: float
    query: str
    document: str
    query_words: list[str]
    document_words: list[str]
    query_offsets: np.ndarray
    document_offsets: np.ndarray
    query_weights: np.ndarray
    word_weights: np.ndarray
    sentence_weights: np.ndarray
    sentence_of_word: np.ndarray
    alignment: np.ndarray | None
    document_over_query: np.ndarray | None
    query_effects: np.ndarray | None
    document_effects: np.ndarray | None
    shading: str
    curves: dict[str, Any] | None
    model_verdict: dict[str, Any] | None = None

    @property
    def words(self) -> pd.DataFrame:
        """A row per document word: `word, sentence, weight, total, start, end, effect`.

        `total` is `weight` times the weight of the sentence; it sums to 1 over the document.
        `effect` is NaN where effects were not asked for.
        """
        total = self.word_weights * self.sentence_weights[self.sentence_of_word]
        return _frame(
            self.document_words,
            (self.document_offsets, self.document_effects),
            sentence=self.sentence_of_word,
            weight=self.word_weights,
            total=total,
        )

    @property
    def words_of_query(self) -> pd.DataFrame:
        """A row per query word: `word, weight, start, end, effect`."""
        both = self.query_offsets, self.query_effects
        return _frame(self.query_words, both, weight=self.query_weights)

    def matrix(self) -> pd.DataFrame:
        """`alignment` with the query's words down and the document's across.

        Raises:
            DataError: The model has none.
        """
        import pandas as pd

        if self.alignment is None:
            raise DataError("the sides of a han-bi do not look at each other; those of a han do")
        return pd.DataFrame(self.alignment, self.query_words, self.document_words)

    def to_json(self) -> dict[str, Any]:
        """Plain lists, by the names of the attributes; weights with six decimals.

        What the model does not have is left out.
        """
        values: dict[str, Any] = {"score": self.score}
        for name in ("query", "document", "query_words", "document_words", "shading"):
            values[name] = getattr(self, name)
        for name in _WEIGHTS:
            if (weights := getattr(self, name)) is not None:
                values[name] = weights.astype(float).round(6).tolist()
        for name in ("sentence_of_word", "query_offsets", "document_offsets"):
            values[name] = getattr(self, name).tolist()
        for name in ("curves", "model_verdict"):
            if (found := getattr(self, name)) is not None:
                values[name] = found
        return values


_WEIGHTS = (
    *("query_weights", "word_weights", "sentence_weights", "alignment", "document_over_query"),
    *("query_effects", "document_effects"),
)


def _frame(
    words: list[str], found: tuple[np.ndarray, np.ndarray | None], **columns: np.ndarray
) -> pd.DataFrame:
    """Words with some columns, and behind them where they stand and what they do."""
    import pandas as pd

    offsets, effects = found
    return pd.DataFrame(
        {
            "word": pd.Series(words, dtype=object),
            **columns,
            "start": offsets[:, 0],
            "end": offsets[:, 1],
            "effect": np.full(len(words), np.nan) if effects is None else effects,
        }
    )


def explain_pair(
    scorer: MatcherScorer,
    query: str,
    document: str,
    *,
    shading: str,
    verdict: dict[str, Any] | None = None,
    effects: bool | None = None,
    curves: bool | None = False,
) -> Explanation:
    """The attention of `scorer` on one pair, summed from pieces to words; see `Ranker.explain`."""
    with one_blas_thread():
        explained = _explained(scorer, (query, document), shading, effects, curves)
    return replace(explained, model_verdict=verdict)


def _explained(
    scorer: MatcherScorer,
    sides: tuple[str, str],
    shading: str,
    effects: bool | None,
    curves: bool | None,
) -> Explanation:
    score, looks, request = scorer.look(*sides)
    (query_words, query_offsets), (document_words, document_offsets) = (
        written_words(text, scorer) for text in sides
    )
    of_query = _pieces_per_word(request, int(request.query[0]))
    of_document = _pieces_per_word(request, int(request.document[0]))
    texts, place = request.texts, int(request.document[0])
    first = Runs.of_texts(texts).sentences[place]
    lengths = texts.sentence_lengths[first : first + texts.sentence_counts[place]]
    sentence_of_word = np.repeat(np.arange(len(lengths)), lengths)
    alignment = back = None
    if looks.grids:
        over_query, over_document = looks.grids[0]
        alignment = _averaged(_summed(over_document.T, of_document, axis=1), of_query)
        back = _averaged(_summed(over_query, of_query, axis=1), of_document)
    word_weights = _summed(looks.words, of_document)
    of_words = of_asked = drawn = None
    if curves or (affordable(request) if effects is None else effects):
        of_words = document_effects(scorer, request)
        of_asked = query_effects(scorer, request)
    if curves is not False and of_words is not None:
        totals = word_weights * looks.sentences[sentence_of_word]
        drawn = erasure_curves(scorer, request, {"attention": totals, "effects": of_words})
    return Explanation(
        score=score,
        query=sides[0],
        document=sides[1],
        query_words=query_words,
        document_words=document_words,
        query_offsets=query_offsets,
        document_offsets=document_offsets,
        query_weights=_summed(looks.query, of_query),
        word_weights=word_weights,
        sentence_weights=looks.sentences,
        sentence_of_word=sentence_of_word,
        alignment=alignment,
        document_over_query=back,
        query_effects=of_asked,
        document_effects=of_words,
        shading=shading,
        curves=drawn,
    )


def written_words(text: str, scorer: Reading) -> tuple[list[str], np.ndarray]:
    """The words of a text, sentence by sentence as a scorer reads them, and where they stand."""
    written: list[str] = []
    offsets: list[tuple[int, int]] = []
    for start, end in sentences(text) if scorer.split_sentences else [(0, len(text))]:
        words, spans = _in_sentence(text[start:end], scorer.tokenizer)
        written += words
        offsets += [(start + low, start + high) for low, high in spans]
    return written, np.array(offsets, np.int64).reshape(-1, 2)


def _in_sentence(
    text: str, tokenizer: Callable[[str], list[str]] | None
) -> tuple[list[str], list[tuple[int, int]]]:
    """Words as they are written, or as one's own tokenizer gives them; and their spans."""
    if tokenizer is None:
        spans = word_spans(text)
        return [text[start:end] for start, end in spans], spans
    words = tokenizer(text)
    return words, word_spans(text, lambda _: words)  # the text is cut once


def _pieces_per_word(request: Request, place: int) -> np.ndarray:
    """How many pieces each word of a text has."""
    return request.texts.piece_counts[Runs.of_texts(request.texts).words([place])]


def _summed(values: np.ndarray, counts: np.ndarray, axis: int = 0) -> np.ndarray:
    if not len(counts):
        return np.zeros([0 if at == axis else size for at, size in enumerate(values.shape)])
    return np.add.reduceat(values, np.cumsum(counts) - counts, axis=axis)


def _averaged(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return _summed(values, counts) / counts[:, None]
