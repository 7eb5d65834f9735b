"""MatchZoo's models, each with its own preprocessor: pairs of texts in, scores out.

They read texts themselves, the one exception to the rule that models know nothing of text. A
model is left behind as plain arrays and plain values (`Baseline.parts`) and built anew from them
(`Baseline.from_parts`); nothing is pickled.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

import ir_attention.matchzoo as mz
from ir_attention.backend import quiet
from ir_attention.errors import BundleError, DataError
from ir_attention.models.baseline_parts import (
    COMPARED,
    bundle_errors,
    check_sized,
    check_weights,
    chosen_parameters,
    different_strings,
    too_large,
    words_read,
)
from ir_attention.models.feeding import BINS, Feed, Side, hashed, match_histogram, pooling_index
from ir_attention.models.recipes import BASELINES, Recipe
from ir_attention.models.sparse_inputs import sparse_twin

__all__ = ["Baseline", "global_seed"]

# Pairs that are scored at once. Batches are filled up to this, so that TensorFlow traces the model
# a single time, and a pair's score is the same whatever it is scored with.
_ROWS = 64

# Layers with names of MatchZoo's own.
_NAMED = ("dpool_index", "embedding", "match_histogram", "text_left", "text_right")

# What says nothing about the shape of a network, or is no plain value.
_NOT_KEPT = ("model_class", "optimizer", "task")


class Baseline:
    """A model of MatchZoo and how it reads texts.

    The model is built, not compiled, with weights from Python's global `random`: build it inside
    `global_seed`.

    Args:
        name: A key of `BASELINES`.
        preprocessor: MatchZoo's, fitted.
        parameters: Of the model, by MatchZoo's names; they win over those of the recipe.
        compared: Vectors of length 1 by which words are compared in a histogram, `(vocabulary,
            width)`. Default: those that the model's embedding begins with; see `compare_by`.
    """

    def __init__(
        self,
        name: str,
        preprocessor: Any,
        parameters: Mapping[str, Any],
        compared: np.ndarray | None = None,
    ) -> None:
        self.recipe, self.preprocessor = BASELINES[name], preprocessor
        self.lengths = _words_read(preprocessor)
        self.model = _unbuilt(self.recipe, preprocessor, parameters)
        self.model.build()
        _rename(self.model.backend)
        # What trains and scores: MatchZoo's network, or its twin that takes sparse counts.
        counted = self.recipe.reads != "words"
        self.network = sparse_twin(self.model.backend) if counted else self.model.backend
        self.compared = compared
        if self.recipe.beside == "histogram" and compared is None:
            self.compare_by(self.model.backend.get_layer("embedding").get_weights()[0])

    @classmethod
    def fitted(
        cls, name: str, pack: Any, *, lengths: tuple[int, int], parameters: Mapping[str, Any]
    ) -> Baseline:
        """An untrained model, with the vocabulary of a DataPack.

        Args:
            name: A key of `BASELINES`.
            pack: Its texts are what MatchZoo's preprocessor is fitted on.
            lengths: Words of a query and of a document that the model has inputs for; of longer
                texts the last ones are kept. DSSM's trigrams are counted in the whole text.
            parameters: As of the class. With others than `dropout_rate` and
                `embedding_output_dim` it cannot come back from its parts.

        Raises:
            DataError: The inputs or the vectors would be too large.
        """
        recipe, width = BASELINES[name], parameters.get("embedding_output_dim", 0)
        rule = too_large(recipe, lengths, width)
        if rule:
            raise DataError(f"{name}: {rule}")
        preprocessor = _preprocessor(recipe, lengths).fit(pack, verbose=0)
        return cls(name, preprocessor, parameters)

    def compare_by(self, vectors: np.ndarray) -> None:
        """Sets the vectors of histograms; they stay when those of the embedding are trained."""
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        self.compared = (vectors / np.maximum(norms, 1e-9)).astype(np.float32)

    def read(self, pack: Any) -> Feed:
        """A DataPack as arrays; pairs keep their order."""
        data = self.preprocessor.transform(pack, verbose=0)
        left, right = (
            self._side(table[f"text_{side}"], table.get(f"length_{side}"))
            for side, table in (("left", data.left), ("right", data.right))
        )
        relation = data.relation
        query = data.left.index.get_indexer(relation["id_left"])
        return Feed(left, right, query, data.right.index.get_indexer(relation["id_right"]))

    def _side(self, texts: Any, lengths: Any) -> Side:
        if self.recipe.reads == "words":
            return Side(np.array(texts.tolist(), np.int32), lengths.to_numpy())
        index = self.preprocessor.context["vocab_unit"].context["term_index"]
        steps = 1 if self.recipe.reads == "letters" else len(texts.iloc[0])
        return Side(hashed(texts.tolist(), index, steps), np.zeros(len(texts), int), steps)

    def inputs(self, feed: Feed, query: np.ndarray, document: np.ndarray) -> dict[str, np.ndarray]:
        """What the model takes, by the names of its inputs.

        Args:
            feed: What `read` gave.
            query, document: Places of texts in it, `(pairs,)`.
        """
        inputs = {"text_left": feed.left.take(query), "text_right": feed.right.take(document)}
        lengths = feed.left.lengths[query], feed.right.lengths[document]
        if self.recipe.beside == "pooling":
            inputs["dpool_index"] = pooling_index(*lengths, self.lengths)
        if self.recipe.beside == "histogram":
            words = inputs["text_left"], inputs.pop("text_right")
            histogram = match_histogram(np.asarray(self.compared), *words, lengths[1])
            # MatchZoo's aNMM has no other name for it.
            inputs["text_right" if self.recipe.model == "ANMM" else "match_histogram"] = histogram
        return inputs

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts, `(pairs,)`, higher is better; a text may be empty."""
        if not len(queries):
            return np.zeros(0)
        frame = pd.DataFrame({"text_left": list(queries), "text_right": list(documents)})
        return self.score_read(self.read(mz.pack(frame)))

    def score_read(self, feed: Feed) -> np.ndarray:
        """The scores of the pairs that `read` gave, `(pairs,)`."""
        scores = np.zeros(len(feed.query))
        for start in range(0, len(scores), _ROWS):
            rows = slice(start, start + _ROWS)
            query, document = feed.query[rows], feed.document[rows]
            filled = np.concatenate([np.arange(len(query)), np.zeros(_ROWS - len(query), int)])
            x = self.inputs(feed, query[filled], document[filled])
            scores[rows] = self.network.predict_on_batch(x)[: len(query), 0]
        return scores

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        """Weights by name, vocabulary and settings, as a bundle holds them."""
        context = self.preprocessor.context
        numbered = context["vocab_unit"].context["index_term"]
        vocabulary: dict[str, Any] = {"terms": [numbered[row] for row in range(len(numbered))]}
        if self.recipe.reads == "words":
            vocabulary["document_terms"] = sorted(context["filter_unit"].context["df"])
        settings = {"baseline": _kept(self.model.params), "words": list(self.lengths)}
        return self._weights(), vocabulary, settings

    @classmethod
    def from_parts(
        cls, weights: Mapping[str, np.ndarray], vocabulary: Any, settings: Mapping[str, Any]
    ) -> Baseline:
        """The model that `parts` described; Python's and NumPy's global state stay as they are.

        Raises:
            BundleError: The parts are incomplete or do not fit together.
        """
        name = settings.get("model")
        if name not in BASELINES:
            raise BundleError(
                f"settings.json names no model of MatchZoo that is known here. Known: "
                f"{', '.join(BASELINES)}. Received: model={name!r}"
            )
        recipe, lengths = BASELINES[name], words_read(settings)
        rule = too_large(recipe, lengths)
        if rule:
            raise BundleError(f"settings.json: {rule}")
        preprocessor = _preprocessor(recipe, lengths)
        _put_back(preprocessor, vocabulary, recipe, lengths)
        known = _kept(_unbuilt(recipe, preprocessor, {}).params)
        parameters = chosen_parameters(settings, name, known)
        width = parameters.get("embedding_output_dim", 0)
        check_sized(weights, recipe, preprocessor.context["vocab_size"], width)
        compared = weights[COMPARED] if recipe.beside == "histogram" else None
        with bundle_errors(name), global_seed(0):
            built = cls(name, preprocessor, parameters, compared)
            wanted = built._weights()
            check_weights(wanted, weights)
            built.model.backend.set_weights([weights[one] for one in wanted if one != COMPARED])
            # TensorFlow compiles with the first batch, and now and then says something about it.
            with quiet():
                built.score(["a"], ["a"])
        return built

    def _weights(self) -> dict[str, np.ndarray]:
        """By number, since MatchZoo's layers are named after how many there were before them."""
        backend = self.model.backend
        weights = {
            f"weight_{number:03d}_{variable.name}": np.asarray(value)
            for number, (variable, value) in enumerate(
                zip(backend.weights, backend.get_weights(), strict=True)
            )
        }
        return weights if self.compared is None else {**weights, COMPARED: self.compared}


@contextlib.contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Seeds Python's and NumPy's global states, and puts them back as they were.

    MatchZoo's layers name no seed. Keras then draws the seeds of their weights and of their
    dropout from Python's global `random` when they are made, so that these two states decide on
    everything; those of TensorFlow and Keras, which cannot be put back, are left alone.
    """
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _rename(backend: Any) -> None:
    """Names what Keras has numbered through the process, model after model, by its place.

    TensorFlow orders the sums of gradients by name: the second Conv-KNRM of a process would else
    differ from the first one, by float noise that grows with every step.
    """
    backend.name = "baseline"
    for place, layer in enumerate(backend.layers):
        if layer.name not in _NAMED:
            layer.name = f"layer_{place:03d}"


def _preprocessor(recipe: Recipe, lengths: tuple[int, int]) -> Any:
    if recipe.reads == "letters":
        return mz.preprocessors.DSSMPreprocessor(with_word_hashing=False)
    if recipe.reads == "word-letters":
        return mz.preprocessors.CDSSMPreprocessor(*lengths, with_word_hashing=False)
    return mz.preprocessors.BasicPreprocessor(*lengths, remove_stop_words=recipe.remove_stop_words)


def _words_read(preprocessor: Any) -> tuple[int, int]:
    """Words of a query and of a document that there are inputs for; 1 if there is one for all."""
    if isinstance(preprocessor, mz.preprocessors.DSSMPreprocessor):
        return 1, 1
    return preprocessor._fixed_length_left, preprocessor._fixed_length_right


def _unbuilt(recipe: Recipe, preprocessor: Any, parameters: Mapping[str, Any]) -> Any:
    """MatchZoo's model with all its parameters; no weight is made yet."""
    model = getattr(mz.models, recipe.model)()
    known = model.params
    known["task"] = mz.tasks.Ranking()
    for parameter, value in {**recipe.parameters, **parameters}.items():
        known[parameter] = value
    known.update(preprocessor.context)  # the sizes of the vocabulary and of the inputs
    if recipe.beside == "histogram":
        length = _words_read(preprocessor)[0]
        known["input_shapes"] = [(length,), (length, BINS)]
    model.guess_and_fill_missing_params(verbose=0)
    return model


def _kept(parameters: Any) -> dict[str, Any]:
    """The parameters of a model as plain values of JSON."""
    names = [name for name in parameters.keys() if name not in _NOT_KEPT]
    plain: dict[str, Any] = json.loads(json.dumps({name: parameters[name] for name in names}))
    return plain


def _put_back(preprocessor: Any, vocabulary: Any, recipe: Recipe, lengths: tuple[int, int]) -> None:
    """Gives a new preprocessor the state of the one that `parts` described."""
    terms = different_strings(vocabulary, "terms")
    if len(terms) < 2:
        raise BundleError(
            "vocabulary.json: the first of `terms` stand for no word and for an unknown one. "
            f"Received: {len(terms)} terms"
        )
    units = mz.preprocessors.units
    numbers = units.Vocabulary()
    numbers.context["term_index"].update((term, row) for row, term in enumerate(terms))
    numbers.context["index_term"].update(enumerate(terms))
    shapes = {
        "words": [(length,) for length in lengths],
        "letters": [(len(terms),)] * 2,
        "word-letters": [(length, len(terms)) for length in lengths],
    }[recipe.reads]
    preprocessor.context.update(
        vocab_unit=numbers,
        vocab_size=len(terms),
        embedding_input_dim=len(terms),
        input_shapes=shapes,
    )
    if recipe.reads == "words":
        kept = units.FrequencyFilter(mode="df")
        kept.context["df"] = set(different_strings(vocabulary, "document_terms"))
        preprocessor.context["filter_unit"] = kept
