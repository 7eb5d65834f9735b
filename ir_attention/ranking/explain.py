"""Where a model looked: the attention behind one score, with the words it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ir_attention.data.arrays import Runs
from ir_attention.errors import DataError
from ir_attention.scoring.matcher import MatcherScorer, Request
from ir_attention.text import sentences, word_spans

if TYPE_CHECKING:  # pandas takes half a second to import, which ranking does without
    import pandas as pd

__all__ = ["Explanation", "explain_pair"]


@dataclass(frozen=True)
class Explanation:
    """The attention weights behind the score of a pair. All are shares, 0 to 1.

    Attributes:
        score: As `Ranker.rank` gives it.
        query_words: The words of the query, as written.
        document_words: Those of the document.
        query_weights: Of each query word, `(query words,)`; they sum to 1.
        word_weights: Of each document word in its sentence, `(words,)`.
        sentence_weights: Of each sentence in the document, `(sents,)`; they sum to 1.
        sentence_of_word: The number of each document word's sentence, `(words,)`.
        alignment: Of each query word over the document's words, `(query words, words)`; each row
            sums to 1. None of a `han-bi`, whose sides do not look at each other.
        document_over_query: Of each document word over the query's, `(words, query words)`, or
            None.

    A word that the vocabulary cuts into pieces has the sum of its pieces' weights, where weights
    are shared out, and the mean, where its pieces each share out their own.
    """

    score: float
    query_words: list[str]
    document_words: list[str]
    query_weights: np.ndarray
    word_weights: np.ndarray
    sentence_weights: np.ndarray
    sentence_of_word: np.ndarray
    alignment: np.ndarray | None
    document_over_query: np.ndarray | None

    @property
    def words(self) -> pd.DataFrame:
        """A row per document word: `word, sentence, weight, total`.

        `total` is `weight` times the weight of the sentence; it sums to 1 over the document.
        """
        import pandas as pd

        total = self.word_weights * self.sentence_weights[self.sentence_of_word]
        return pd.DataFrame(
            {
                "word": pd.Series(self.document_words, dtype=object),
                "sentence": self.sentence_of_word,
                "weight": self.word_weights,
                "total": total,
            }
        )

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
        for name in ("query_words", "document_words"):
            values[name] = list(getattr(self, name))
        for name in (
            "query_weights",
            "word_weights",
            "sentence_weights",
            "alignment",
            "document_over_query",
        ):
            if (weights := getattr(self, name)) is not None:
                values[name] = weights.astype(float).round(6).tolist()
        values["sentence_of_word"] = self.sentence_of_word.tolist()
        return values


def explain_pair(scorer: MatcherScorer, query: str, document: str) -> Explanation:
    """The attention of `scorer` on one pair, summed from pieces to words."""
    score, looks, request = scorer.look(query, document)
    query_words = _written(query, scorer)
    document_words = _written(document, scorer)
    of_query = _pieces_per_word(request, int(request.query[0]))
    of_document = _pieces_per_word(request, int(request.document[0]))
    texts, place = request.texts, int(request.document[0])
    first = Runs.of_texts(texts).sentences[place]
    lengths = texts.sentence_lengths[first : first + texts.sentence_counts[place]]
    alignment = back = None
    if looks.grids:
        over_query, over_document = looks.grids[0]
        alignment = _averaged(_summed(over_document.T, of_document, axis=1), of_query)
        back = _averaged(_summed(over_query, of_query, axis=1), of_document)
    return Explanation(
        score=score,
        query_words=query_words,
        document_words=document_words,
        query_weights=_summed(looks.query, of_query),
        word_weights=_summed(looks.words, of_document),
        sentence_weights=looks.sentences,
        sentence_of_word=np.repeat(np.arange(len(lengths)), lengths),
        alignment=alignment,
        document_over_query=back,
    )


def _written(text: str, scorer: MatcherScorer) -> list[str]:
    """The words of a text as they are written, sentence by sentence as the scorer reads them."""
    spans = sentences(text) if scorer.split_sentences else [(0, len(text))]
    if scorer.tokenizer is not None:
        return [word for start, end in spans for word in scorer.tokenizer(text[start:end])]
    return [
        text[start + begin : start + stop]
        for start, end in spans
        for begin, stop in word_spans(text[start:end])
    ]


def _pieces_per_word(request: Request, place: int) -> np.ndarray:
    """How many pieces each word of a text has."""
    return request.texts.piece_counts[Runs.of_texts(request.texts).words([place])]


def _summed(values: np.ndarray, counts: np.ndarray, axis: int = 0) -> np.ndarray:
    if not len(counts):
        return np.zeros([0 if at == axis else size for at, size in enumerate(values.shape)])
    return np.add.reduceat(values, np.cumsum(counts) - counts, axis=axis)


def _averaged(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return _summed(values, counts) / counts[:, None]
