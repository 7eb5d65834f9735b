"""MatchZoo's models, each with its own preprocessor: pairs of texts in, scores out.

They read texts themselves, the one exception to the rule that models know nothing of text. A
model is left behind as plain arrays and plain values (`Baseline.parts`) and built anew from them
(`Baseline.from_parts`); nothing is pickled.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

import ir_attention.matchzoo as mz
from ir_attention.backend import quiet
from ir_attention.errors import BundleError

__all__ = ["BASELINES", "Baseline", "Recipe", "global_seed"]

# Pairs that are scored at once. Batches are filled up to this, so that TensorFlow traces the model
# a single time, and a pair's score is the same whatever it is scored with.
_ROWS = 64


@dataclass(frozen=True)
class Recipe:
    """How a model is built, after MatchZoo's tutorials on WikiQA.

    Attributes:
        model: Its class in `matchzoo.models`.
        parameters: Of the model, by MatchZoo's names.
        letters: Whether it reads letter trigrams, `DSSMPreprocessor`, or words,
            `BasicPreprocessor`.
        remove_stop_words: Whether function words are left out; trigrams always do without.
    """

    model: str
    parameters: dict[str, Any] = field(default_factory=dict)
    letters: bool = False
    remove_stop_words: bool = False


BASELINES = {
    "conv-knrm": Recipe(
        "ConvKNRM",
        {
            "filters": 128,
            "conv_activation_func": "tanh",
            "max_ngram": 3,
            "use_crossmatch": True,
            "kernel_num": 11,
            "sigma": 0.1,
            "exact_sigma": 0.001,
        },
    ),
    "dssm": Recipe(
        "DSSM",
        {
            "mlp_num_layers": 3,
            "mlp_num_units": 300,
            "mlp_num_fan_out": 128,
            "mlp_activation_func": "relu",
        },
        letters=True,
    ),
    "mv-lstm": Recipe(
        "MVLSTM",
        {
            "lstm_units": 50,
            "top_k": 20,
            "mlp_num_layers": 2,
            "mlp_num_units": 10,
            "mlp_num_fan_out": 5,
            "mlp_activation_func": "relu",
        },
        remove_stop_words=True,
    ),
}

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
    """

    def __init__(self, name: str, preprocessor: Any, parameters: Mapping[str, Any]) -> None:
        self.recipe, self.preprocessor = BASELINES[name], preprocessor
        self.model = getattr(mz.models, self.recipe.model)()
        known = self.model.params
        known["task"] = mz.tasks.Ranking()
        for parameter, value in {**self.recipe.parameters, **parameters}.items():
            known[parameter] = value
        known.update(preprocessor.context)  # the sizes of the vocabulary and of the inputs
        self.model.guess_and_fill_missing_params(verbose=0)
        self.model.build()
        _rename(self.model.backend)

    @classmethod
    def fitted(
        cls, name: str, pack: Any, *, lengths: tuple[int, int], parameters: Mapping[str, Any]
    ) -> Baseline:
        """An untrained model, with the vocabulary of a DataPack.

        Args:
            name: A key of `BASELINES`.
            pack: Its texts are what MatchZoo's preprocessor is fitted on.
            lengths: Words of a query and of a document that the model has inputs for; of longer
                texts the last ones are kept. Trigrams are counted in the whole text.
            parameters: As of the class.
        """
        preprocessor = _preprocessor(BASELINES[name], lengths)
        return cls(name, preprocessor.fit(pack, verbose=0), parameters)

    def read(self, pack: Any) -> Any:
        """A DataPack as the model wants it, but for what `on_batch` does; rows keep their order."""
        return self.preprocessor.transform(pack, verbose=0)

    def on_batch(self, x: dict[str, Any]) -> None:
        """Makes the model's inputs of an unpacked batch, in place: trigrams become their counts.

        Of all texts at once, counts would take gigabytes: `(texts, trigrams)`.
        """
        if self.recipe.letters:
            index = self.preprocessor.context["vocab_unit"].context["term_index"]
            for side in ("text_left", "text_right"):
                x[side] = _counts(x[side], index)

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts, `(pairs,)`, higher is better; a text may be empty."""
        if not len(queries):
            return np.zeros(0)
        frame = pd.DataFrame({"text_left": list(queries), "text_right": list(documents)})
        return self.score_read(self.read(mz.pack(frame)))

    def score_read(self, data: Any) -> np.ndarray:
        """The scores of the rows of a DataPack that `read` gave, `(rows,)`."""
        columns, _ = data.unpack()
        scores = np.zeros(len(data))
        for start in range(0, len(scores), _ROWS):
            x = {side: columns[side][start : start + _ROWS] for side in ("text_left", "text_right")}
            self.on_batch(x)
            rows = len(x["text_left"])
            full = {side: _filled(values) for side, values in x.items()}
            scores[start : start + rows] = self.model.backend.predict_on_batch(full)[:rows, 0]
        return scores

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        """Weights by name, vocabulary and settings, as a bundle holds them."""
        context = self.preprocessor.context
        numbered = context["vocab_unit"].context["index_term"]
        vocabulary: dict[str, Any] = {"terms": [numbered[row] for row in range(len(numbered))]}
        if not self.recipe.letters:
            vocabulary["document_terms"] = sorted(context["filter_unit"].context["df"])
        kept = [name for name in self.model.params.keys() if name not in _NOT_KEPT]
        parameters = {name: self.model.params[name] for name in kept}
        return self._weights(), vocabulary, {"baseline": parameters}

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
        parameters = _parameters(settings)
        lengths = _lengths(parameters)
        preprocessor = _preprocessor(BASELINES[name], lengths)
        _put_back(preprocessor, vocabulary, BASELINES[name], lengths)
        try:
            with global_seed(0):
                built = cls(name, preprocessor, parameters)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"settings.json does not describe a {name} ({error})") from error
        _check_weights(built._weights(), weights)
        built.model.backend.set_weights([weights[key] for key in built._weights()])
        # TensorFlow compiles with the first batch, and now and then has something to say about it.
        with quiet():
            built.score(["a"], ["a"])
        return built

    def _weights(self) -> dict[str, np.ndarray]:
        """By number, since MatchZoo's layers are named after how many there were before them."""
        backend = self.model.backend
        return {
            f"weight_{number:03d}_{variable.name}": np.asarray(value)
            for number, (variable, value) in enumerate(
                zip(backend.weights, backend.get_weights(), strict=True)
            )
        }


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
        if layer.name not in ("embedding", "text_left", "text_right"):  # MatchZoo's own names
            layer.name = f"layer_{place:03d}"


def _preprocessor(recipe: Recipe, lengths: tuple[int, int]) -> Any:
    if recipe.letters:
        return mz.preprocessors.DSSMPreprocessor(with_word_hashing=False)
    return mz.preprocessors.BasicPreprocessor(*lengths, remove_stop_words=recipe.remove_stop_words)


def _counts(texts: Any, index: Mapping[str, int]) -> np.ndarray:
    """How often each trigram is in each text, `(texts, trigrams)`, as MatchZoo's `WordHashing`.

    Column 1 is for trigrams never seen in training; as there, it counts one of them.
    """
    counts = np.zeros((len(texts), len(index)), np.float32)
    for row, trigrams in zip(counts, texts, strict=True):
        for trigram, count in Counter(trigrams).items():
            row[index.get(trigram, 1)] = count
    return counts


def _filled(values: np.ndarray) -> np.ndarray:
    """Zeros after the rows, up to a whole batch."""
    missing = _ROWS - len(values)
    return np.concatenate([values, np.zeros((missing, *values.shape[1:]), values.dtype)])


def _parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    parameters = settings.get("baseline")
    if not isinstance(parameters, dict):
        raise BundleError(
            "settings.json must hold the model's parameters, an object `baseline`. Received: "
            f"{type(parameters).__name__}"
        )
    return parameters


def _lengths(parameters: Mapping[str, Any]) -> tuple[int, int]:
    """How many words the model has inputs for, on either side."""
    shapes = parameters.get("input_shapes")
    try:
        (left,), (right,) = shapes  # type: ignore[misc]
        good = all(isinstance(size, int) and size > 0 for size in (left, right))
    except (TypeError, ValueError):
        good = False
    if not good:
        raise BundleError(
            "settings.json: `input_shapes` must be two lists of a positive number. Received: "
            f"{shapes!r}"
        )
    return left, right


def _put_back(preprocessor: Any, vocabulary: Any, recipe: Recipe, lengths: tuple[int, int]) -> None:
    """Gives a new preprocessor the state of the one that `parts` described."""
    terms = _terms(vocabulary, "terms")
    units = mz.preprocessors.units
    numbers = units.Vocabulary()
    numbers.context["term_index"].update((term, row) for row, term in enumerate(terms))
    numbers.context["index_term"].update(enumerate(terms))
    shapes = [(len(terms),)] * 2 if recipe.letters else [(length,) for length in lengths]
    preprocessor.context.update(
        vocab_unit=numbers,
        vocab_size=len(terms),
        embedding_input_dim=len(terms),
        input_shapes=shapes,
    )
    if not recipe.letters:
        kept = units.FrequencyFilter(mode="df")
        kept.context["df"] = set(_terms(vocabulary, "document_terms"))
        preprocessor.context["filter_unit"] = kept


def _terms(vocabulary: Any, name: str) -> list[str]:
    terms = vocabulary.get(name)
    if (
        not isinstance(terms, list)
        or not all(isinstance(term, str) for term in terms)
        or len(set(terms)) < len(terms)
    ):
        raise BundleError(
            f"vocabulary.json: `{name}` must be a list of different strings. Received: "
            f"{str(terms)[:60]}"
        )
    return terms


def _check_weights(wanted: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> None:
    """Raises a BundleError if a weight is missing, too many, or of another shape."""
    shapes = {name: weight.shape for name, weight in found.items()}
    for name in sorted(set(wanted) | set(shapes)):
        shape = wanted[name].shape if name in wanted else None
        if shape != shapes.get(name):
            raise BundleError(
                f"weights.safetensors: {name} should have shape {shape}. "
                f"Received: {shapes.get(name)}"
            )
