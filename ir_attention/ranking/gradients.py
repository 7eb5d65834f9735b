"""The gradient of a pair's score with respect to each word of its document: Keras is loaded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ir_attention.data.arrays import PairArrays, pair_arrays
from ir_attention.data.inputs import Sizes, model_inputs
from ir_attention.errors import DataError
from ir_attention.runs import run_sums
from ir_attention.scoring.matcher import MatcherScorer, Request

__all__ = ["Gradients", "Network", "check_gradients"]


class Gradients(NamedTuple):
    """Of one pair, for each word of the document, `(words,)`."""

    norm: np.ndarray  # the length of the gradient
    product: np.ndarray  # the gradient times the word's own vector


def check_gradients() -> None:
    """Raises a DataError where Keras runs on another backend than TensorFlow. Loads Keras."""
    from ir_attention.backend import load_keras

    if (backend := load_keras().config.backend()) != "tensorflow":
        raise DataError(
            "gradients of words need the TensorFlow backend of Keras: set KERAS_BACKEND="
            f"tensorflow, or leave them out (`gradient=False`, --no-gradient). Received: {backend}"
        )


class Network:
    """The Keras model with the weights of a scorer, for gradients that NumPy does not give.

    Args:
        scorer: Of a `han` or `han-bi`.
        model: Which of both.
        settings: The sizes, as a bundle has them.

    Raises:
        DataError: The backend of Keras is not TensorFlow.
    """

    def __init__(self, scorer: MatcherScorer, model: str, settings: dict[str, Any]) -> None:
        check_gradients()
        self.scorer, self.model, self.settings = scorer, model, settings

    def gradients(self, request: Request) -> list[Gradients]:
        """Of the score of each pair with respect to the vectors of its document's words.

        Every word of every document has its own, even where a word stands twice: each is a row of
        the table here. What is looked at is what a word's vector does on its way through the
        network (Simonyan et al. 2014; of words: Li et al. 2016). Match
        features, and the cosine that `han` takes of the vectors, have no gradient, and are held.

        Args:
            request: The pairs, all of whose words are numbered.
        """
        pairs, table = own_rows(request)
        tensorflow, network = self._built(table)
        inputs = model_inputs(pairs, Sizes())
        vectors = network.table.embeddings.value
        with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(vectors)
            # The pairs do not look at each other, so that one sum has the gradients of all.
            total = tensorflow.reduce_sum(network(inputs, training=False))
        found = tensorflow.convert_to_tensor(tape.gradient(total, vectors)).numpy()
        of_words = found[1 : len(pairs.document) + 1].astype(float)
        norms = np.sqrt((of_words**2).sum(axis=1))
        products = (of_words * table[1 : len(pairs.document) + 1]).sum(axis=1)
        ends = np.cumsum(run_sums(pairs.sentence_lengths, pairs.sentence_counts))[:-1]
        both = zip(np.split(norms, ends), np.split(products, ends), strict=True)
        return [Gradients(*one) for one in both]

    def _built(self, table: np.ndarray) -> tuple[Any, Any]:
        """TensorFlow, and the model with these vectors."""
        from ir_attention.backend import load_tensorflow
        from ir_attention.models.bi_encoder import BiEncoder, BiEncoderSettings
        from ir_attention.models.matcher import Matcher, MatcherSettings

        network: Any
        if self.model == "han-bi":
            network = BiEncoder(table, BiEncoderSettings(**self.settings))
        else:
            network = Matcher(table, MatcherSettings(**self.settings))
        network.load_by_name(self.scorer.weights)
        return load_tensorflow(), network


def own_rows(request: Request) -> tuple[PairArrays, np.ndarray]:
    """Pairs whose words are each a row of a table: those of documents first, then of queries.

    Returns:
        The arrays, each pair with a query of its own; and the table, `(words + 1, width)`, whose
        row 0 is padding.
    """
    each = zip(request.query.tolist(), request.document[:, None], strict=True)
    pairs = pair_arrays(request.texts, each)
    words, asked = len(pairs.document), len(pairs.query)
    ids = pairs.pieces[np.concatenate([pairs.document, pairs.query])]
    table = np.concatenate([np.zeros_like(request.table[:1]), request.table[ids]])
    place = np.arange(words)
    lengths = run_sums(pairs.sentence_lengths, pairs.sentence_counts)
    own = pairs._replace(
        pieces=np.arange(1, words + asked + 1, dtype=np.int32),
        query=words + np.arange(asked),
        document=place,
        row_piece=place,
        row_query=np.repeat(pairs.pair_query, lengths),
        row_features=pairs.document_features,
        document_row=place,
    )
    return own, table
