"""What a bundle of one of MatchZoo's models may hold: a stranger's parts are checked before use.

Settings and vocabulary are what JSON can say, weights are arrays of any shape. What passes needs no
more memory than a training of the same model does, and names no object that Keras would build.
"""

from __future__ import annotations

import contextlib
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ir_attention.backend import load_tensorflow
from ir_attention.errors import BundleError
from ir_attention.models.recipes import Recipe

__all__ = [
    "COMPARED",
    "MOST_QUERY_WORDS",
    "bundle_errors",
    "check_sized",
    "check_weights",
    "chosen_parameters",
    "different_strings",
    "too_large",
    "words_read",
]

# The words of a query that a model may have inputs for, and how wide vectors of words may be. With
# the words of a document in the recipe they bound what a stranger's bundle can ask for, beyond its
# own size: at most 3 GiB (MV-LSTM) and 16 seconds (Conv-KNRM).
MOST_QUERY_WORDS = 512
_MOST_WIDTH = 4096

# What the vectors of histograms are called among the weights.
COMPARED = "compared"

# What a training may decide on, with the rule. All else of a bundle must be as in the recipe:
# among MatchZoo's parameters are numbers of layers, and names and objects that Keras would build.
_CHOSEN = {
    "dropout_rate": (
        "a number of at least 0 and below 1",
        lambda one: type(one) in (int, float) and 0 <= one < 1,
    ),
    "embedding_output_dim": (
        f"a whole number from 1 to {_MOST_WIDTH}",
        lambda one: type(one) is int and 1 <= one <= _MOST_WIDTH,
    ),
}


def chosen_parameters(
    settings: Mapping[str, Any], name: str, known: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters that a training decided on.

    Args:
        settings: A stranger's.
        name: Of the model.
        known: All parameters as plain values, as they have to be but for those.

    Raises:
        BundleError: One that a training leaves alone is missing, unknown or of another value.
    """
    found = settings.get("baseline")
    if not isinstance(found, dict):
        raise BundleError(
            "settings.json must hold the model's parameters, an object `baseline`. Received: "
            f"{type(found).__name__}"
        )
    for parameter in sorted(known.keys() | found):
        value = found.get(parameter)
        rule, good = repr(known.get(parameter)), value == known.get(parameter)
        if parameter in known and parameter in _CHOSEN:
            rule, good = _CHOSEN[parameter][0], _CHOSEN[parameter][1](value)
        if not good:
            raise BundleError(
                f"settings.json does not describe a {name} of this version: "
                f"{reprlib.repr(parameter)} must be {rule}. Received: {reprlib.repr(value)}"
            )
    return {parameter: found[parameter] for parameter in _CHOSEN if parameter in known}


def words_read(settings: Mapping[str, Any]) -> tuple[int, int]:
    """How many words of a query and of a document the model has inputs for."""
    lengths = settings.get("words")
    if (
        not isinstance(lengths, list)
        or len(lengths) != 2
        or not all(type(one) is int and one > 0 for one in lengths)
    ):
        raise BundleError(
            "settings.json: `words` must be two whole numbers of at least 1. Received: "
            f"{reprlib.repr(lengths)}"
        )
    return lengths[0], lengths[1]


def too_large(recipe: Recipe, lengths: tuple[int, int], width: int = 0) -> str:
    """The rule that a model of these sizes breaks, or an empty string.

    Args:
        recipe: Its own.
        lengths: Words of a query and of a document that it has inputs for.
        width: Of the vectors of words; 0 if it has none.
    """
    if recipe.reads == "letters":
        return ""
    query, document = lengths
    if query > MOST_QUERY_WORDS:
        return f"at most {MOST_QUERY_WORDS} words of a query can be read. Received: {query}"
    if document > recipe.document_words:
        return f"at most {recipe.document_words} words of a document are read. Received: {document}"
    if width > _MOST_WIDTH:
        return f"vectors of words can be {_MOST_WIDTH} numbers wide at most. Received: {width}"
    return ""


def different_strings(vocabulary: Any, name: str) -> list[str]:
    """A list of a vocabulary; raises a BundleError unless its strings differ."""
    terms = vocabulary.get(name)
    if (
        not isinstance(terms, list)
        or not all(isinstance(term, str) for term in terms)
        or len(set(terms)) < len(terms)
    ):
        raise BundleError(
            f"vocabulary.json: `{name}` must be a list of different strings. Received: "
            f"{reprlib.repr(terms)}"
        )
    return terms


def check_sized(weights: Mapping[str, np.ndarray], recipe: Recipe, terms: int, width: int) -> None:
    """Raises a BundleError unless the weights are as large as the vocabulary, by which they grow.

    Before the model is built, so that it takes no more memory than its file gives reason for.
    """
    sizes = recipe.parameters
    shape: tuple[int, ...] = (terms, width)
    if recipe.reads == "letters":
        shape = terms, sizes["mlp_num_units"]
    if recipe.reads == "word-letters":
        shape = sizes["kernel_size"], terms, sizes["filters"]
    shapes = {name: weight.shape for name, weight in weights.items() if name != COMPARED}
    if shape not in shapes.values():
        raise BundleError(
            f"weights.safetensors: a weight should have shape {shape}, for {terms} terms. "
            f"Received: {reprlib.repr(list(shapes.values()))}"
        )
    if recipe.beside == "histogram":
        compared = weights.get(COMPARED, np.zeros(()))
        most = np.abs(compared).max(initial=0)
        if compared.shape != shape or most > 1.001:
            raise BundleError(
                f"weights.safetensors: {COMPARED} should have shape {shape} and hold vectors of "
                f"length 1. Received: shape {compared.shape}, up to {most:.6g}"
            )


def check_weights(wanted: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> None:
    """Raises a BundleError if a weight is missing, too many, or of another shape."""
    shapes = {name: weight.shape for name, weight in found.items()}
    for name in sorted(set(wanted) | set(shapes)):
        shape = wanted[name].shape if name in wanted else None
        if shape != shapes.get(name):
            raise BundleError(
                f"weights.safetensors: {reprlib.repr(name)} should have shape {shape}. "
                f"Received: {shapes.get(name)}"
            )


@contextlib.contextmanager
def bundle_errors(name: str) -> Iterator[None]:
    """Makes a BundleError of whatever Keras and TensorFlow raise at a model that cannot be."""
    try:
        yield
    except BundleError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        TypeError,
        ValueError,
        load_tensorflow().errors.OpError,
    ) as error:
        reason = " ".join(str(error).split())[:200]
        raise BundleError(f"settings.json does not describe a {name} ({reason})") from error
