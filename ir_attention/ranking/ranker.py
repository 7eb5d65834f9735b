"""A trained model at work: scores pairs, ranks documents for a query, says where it looked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ir_attention.bundle import Bundle
from ir_attention.errors import BundleError, DataError
from ir_attention.models.recipes import BASELINES
from ir_attention.models.shapes import bi_encoder_shapes, matcher_shapes
from ir_attention.ranking.encoder import CAPACITY, Encoder
from ir_attention.ranking.explain import SHADING, VERDICT, Explanation, explain_pair
from ir_attention.ranking.opening import check_reading, check_shapes, opened_table
from ir_attention.scoring.bi_encoder import BiEncoderScorer
from ir_attention.scoring.matcher import MatcherScorer

if TYPE_CHECKING:  # pandas takes half a second to import, which `order` does without
    import pandas as pd

__all__ = ["Ranker", "open_scorer"]

# By model, what gives the shapes of its weights.
_SHAPES: dict[str, Callable[..., dict[str, tuple[int, ...]]]] = {
    "han": matcher_shapes,
    "han-bi": bi_encoder_shapes,
}
# Beside bm25, models that no network of ours or MatchZoo's scores with.
_READY = ("lexical", "minilm", "tfidf")

Tokenizer = Callable[[str], list[str]]


class Scorer(Protocol):
    """Whatever gives pairs their scores."""

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts."""


class Ranker:
    """Ranks documents that it has never seen, with the model of a bundle.

    A `han` is read and run with NumPy; MatchZoo's models need TensorFlow, which is loaded when
    they are. Scores are any real numbers, higher is better; they compare documents of one query.

    Args:
        bundle: A trained model.
        scorer: What `open_scorer` made of it.
        vectors: How many vectors of documents a `han-bi` remembers, the latest ones, so that it
            ranks the same documents for another query without encoding them again; 0 for none.
            The default is 32,768, some 60 MB.

    >>> ranker = Ranker.load("models/news")                               # doctest: +SKIP
    >>> ranker.rank("Ivy League cancels winter sports", tweets, top_k=5)  # doctest: +SKIP
    """

    def __init__(self, bundle: Bundle, scorer: Scorer, *, vectors: int = CAPACITY) -> None:
        self.bundle = bundle
        self._scorer = scorer
        self._remembering = (
            Encoder(scorer, vectors) if isinstance(scorer, BiEncoderScorer) else None
        )

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        tokenizer: Tokenizer | None = None,
        threads: int = 1,
        vectors: int = CAPACITY,
    ) -> Ranker:
        """Reads a bundle.

        Args:
            folder: What `train` wrote.
            tokenizer: What cut the texts into words, if the model was trained with one's own.
            threads: How many of them score the pairs of a request, with `han` and `han-bi`; worth
                it where cores are idle and documents long. Scores do not depend on it.
            vectors: How many vectors of documents a `han-bi` remembers; see `Ranker`.

        Raises:
            BundleError: The folder is not a bundle, or damaged, or of another version.
            DataError: `threads` or `vectors` is not a whole number, or too small.
        """
        bundle = Bundle.load(folder)
        try:
            scorer = open_scorer(bundle, tokenizer=tokenizer, threads=threads)
            return cls(bundle, scorer, vectors=vectors)
        except BundleError as error:
            raise BundleError(f"{folder}: {error}") from error

    def score(self, pairs: Any) -> pd.DataFrame:
        """Scores pairs; labels are not needed.

        Args:
            pairs: A frame with the columns of a DataPack, a DataPack, or a file of them.

        Returns:
            A run in the order of the pairs: `query_id, doc_id, score`.
        """
        from ir_attention.data.readers import as_pairs  # pyarrow, which `rank` does without

        frame = as_pairs(pairs, labels="optional")
        run = frame[["id_left", "id_right"]].rename(
            columns={"id_left": "query_id", "id_right": "doc_id"}
        )
        scores = self._scores(list(frame["text_left"]), list(frame["text_right"]))
        return run.assign(score=scores)

    def rank(self, query: str, documents: Sequence[str], top_k: int | None = None) -> pd.DataFrame:
        """Ranks documents for a query.

        Args:
            query: A text.
            documents: Texts, in any order; the same text may stand there twice.
            top_k: How many to return. Default: all.

        Returns:
            `position` (the document's place in `documents`, from 0), `document`, `score`; best
            first, and of equal scores the one that came first.

        Raises:
            DataError: The query or a document is not a string, or `top_k` is below 1.
        """
        import pandas as pd

        documents = _texts(query, documents)
        places, scores = self.order(query, documents, top_k)
        found = pd.Series([documents[place] for place in places], dtype=object)
        return pd.DataFrame({"position": places, "document": found, "score": scores})

    def order(
        self, query: str, documents: Sequence[str], top_k: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What `rank` returns as two arrays, positions and scores, without loading pandas."""
        documents = _texts(query, documents)
        if top_k is not None and top_k < 1:
            raise DataError(f"`top_k` must be at least 1. Received: top_k={top_k!r}")
        scores = self._scores([query] * len(documents), documents)
        order = np.argsort(-scores, kind="stable")[:top_k]
        return order, scores[order]

    def _scores(self, queries: list[str], documents: list[str]) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):  # `_finite` says it
            scorer = self._remembering or self._scorer
            return self._finite(scorer.score(queries, documents))

    def _finite(self, scores: np.ndarray) -> np.ndarray:
        """Scores or vectors; a BundleError if weights that are finite gave some that are not."""
        bad = ~np.isfinite(scores)
        if bad.any():
            raise BundleError(
                f"the weights of this {self.bundle.model} give scores that are not finite: copy "
                f"the bundle again, or train it again. Received: {scores[bad][0]} ({bad.sum()} of "
                f"{bad.size} numbers are like this)"
            )
        return scores

    def encode(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of documents, for an index of one's own; only with a `han-bi`.

        A document's score for a query is the product of its vector and the query's
        (`encode_queries`), so that whatever finds the largest products, finds the best documents.

        Args:
            documents: Texts, in any order.

        Returns:
            `(documents, width)` float32, three vectors side by side: of states, of letters, of
            words. Of length 1 if no part is empty; `sqrt(2 / 3)` where no word has a vector of its
            own, and 0 without words. So an index has to compare products, not cosines.

        Raises:
            DataError: The model has no vectors of documents, or a document is not a string.
        """
        encoder, documents = self._encoder(), _texts("", documents)
        with np.errstate(over="ignore", invalid="ignore"):
            return self._finite(encoder.encode_documents(documents))

    def encode_queries(self, queries: Sequence[str]) -> np.ndarray:
        """Vectors of queries, `(queries, width)` float32; see `encode`. They are of any length."""
        encoder, queries = self._encoder(), _texts("", queries, "queries")
        with np.errstate(over="ignore", invalid="ignore"):
            return self._finite(encoder.encode_queries(queries))

    def _encoder(self) -> Encoder:
        if self._remembering is None:
            raise DataError(
                f"{self.bundle.model} has no vector of a document by itself; han-bi has"
            )
        return self._remembering

    def explain(
        self, query: str, document: str, *, effects: bool | None = None, curves: bool | None = False
    ) -> Explanation:
        """Where the model looked, and what each word does to the score.

        The weights of words and sentences, and word to word; and how much lower the score is
        without each word, found by leaving it out.

        Args:
            query, document: Two texts.
            effects: Whether to leave out each word. Default: if it takes a second or two at most,
                as with any text of some hundred words.
            curves: Whether to erase words in the order of their weights, of their effects and by
                chance, to see how much of the score goes with them. Takes effects, too; None: if
                there are effects.

        Raises:
            DataError: The model has no attention to show, or a text is not a string.
        """
        _texts(query, [document], "document")
        scorer = self.attentive
        with np.errstate(over="ignore", invalid="ignore"):
            explained = explain_pair(
                scorer,
                query,
                document,
                shading=SHADING[self.bundle.model],
                verdict=self.bundle.settings.get(VERDICT),
                effects=effects,
                curves=curves,
            )
        self._finite(np.array([explained.score]))
        for found in (explained.query_effects, explained.document_effects):
            if found is not None:
                self._finite(found)
        return explained

    @property
    def attentive(self) -> MatcherScorer:
        """What scores, if it has attention to show; a DataError if not."""
        if not isinstance(self._scorer, MatcherScorer):
            raise DataError(f"{self.bundle.model} has no attention to show; han and han-bi have")
        return self._scorer


def open_scorer(bundle: Bundle, *, tokenizer: Tokenizer | None = None, threads: int = 1) -> Scorer:
    """The scorer of a bundle; see `Ranker.load`.

    Raises:
        BundleError: The bundle's parts do not fit together.
        DataError: `threads` is not a whole number from 1.
    """
    check_reading(bundle, tokenizer, threads, door="Ranker")
    if bundle.model == "han-classifier":
        raise BundleError(
            "a han-classifier gives documents a class and ranks nothing: open it with "
            "`Classifier.load`"
        )
    if bundle.model in ("han", "han-bi"):
        return _matcher_scorer(bundle, tokenizer, threads)
    if bundle.model == "bm25":
        from ir_attention.bm25 import BM25Scorer

        try:
            return BM25Scorer(**bundle.settings["bm25"])
        except (KeyError, TypeError, DataError) as error:
            raise BundleError(f"settings.json does not describe a bm25 ({error})") from error
    if bundle.model in _READY:
        return _ready_scorer(bundle, threads)
    if bundle.model not in BASELINES:
        known = ", ".join(sorted(("bm25", *_READY, *_SHAPES, *BASELINES)))
        raise BundleError(
            f"settings.json names no model that is known here. Known: {known}. Received: "
            f"model={bundle.model!r}"
        )
    from ir_attention.models.baselines import Baseline

    return Baseline.from_parts(bundle.weights, bundle.vocabulary, bundle.settings)


def _ready_scorer(bundle: Bundle, threads: int) -> Scorer:
    from ir_attention.scoring.lexical import LexicalScorer
    from ir_attention.scoring.minilm import MiniLMScorer
    from ir_attention.scoring.tfidf import TfidfScorer

    weights, vocabulary, settings = bundle.weights, bundle.vocabulary, bundle.settings
    try:
        if bundle.model == "minilm":
            return MiniLMScorer.from_parts(settings, threads=threads)
        kind = LexicalScorer if bundle.model == "lexical" else TfidfScorer
        return kind.from_parts(weights, vocabulary, settings)
    except DataError as error:
        raise BundleError(f"the bundle does not describe a {bundle.model}: {error}") from error


def _matcher_scorer(bundle: Bundle, tokenizer: Tokenizer | None, threads: int) -> MatcherScorer:
    table, weights, vocabulary, split = opened_table(bundle)
    sizes = bundle.settings.get("matcher")
    check_shapes(_SHAPES[bundle.model], table.shape[1], sizes, weights, bundle.model)
    reading: dict[str, Any] = {
        "vocabulary": vocabulary,
        "split_sentences": split,
        "tokenizer": tokenizer,
        "threads": threads,
    }
    if bundle.model == "han":
        return MatcherScorer(table, weights, **reading)
    letters = bundle.settings["matcher"]["letters"]
    return BiEncoderScorer(table, weights, letters=letters, **reading)


def _texts(query: str, documents: Sequence[str], name: str = "documents") -> list[str]:
    """The documents as a list: a Series would be asked for its labels, not its places."""
    if isinstance(documents, str):
        raise DataError(f"`{name}` must be a list of texts. Received: one string")
    for name, text in [("query", query), *[(name, document) for document in documents]]:
        if not isinstance(text, str):
            raise DataError(f"`{name}` must be text. Received: {type(text).__name__} {text!r}")
    return list(documents)
