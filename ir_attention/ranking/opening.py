"""What bundles of our own networks have in common: how they read, and weights that fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ir_attention.bundle import Bundle
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.errors import BundleError, DataError

__all__ = ["check_reading", "check_shapes", "opened_table"]

Shapes = dict[str, tuple[int, ...]]

# What is no size among the settings of a model.
_NO_SIZES = {
    *("bidirectional", "dropout", "match_features", "output_dropout", "query_side"),
    *("sentence_pooling", "trainable_vectors", "word_dropout", "word_pooling"),
}


def check_reading(bundle: Bundle, tokenizer: Any, threads: int, *, door: str) -> None:
    """Raises unless the tokenizer is there if the model was trained with one, and only then.

    Args:
        bundle: A trained model.
        tokenizer: One's own, or None.
        threads: At least 1.
        door: The class that opens it.

    Raises:
        BundleError: There is none, or one too many.
        DataError: `threads` is not a whole number from 1.
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise DataError(f"`threads` must be a whole number from 1. Received: {threads!r}")
    own = bundle.settings.get("tokenizer") is not None
    if own and tokenizer is None:
        raise BundleError(
            "this model was trained with a tokenizer of its user's own: pass it as "
            f"`{door}.load(folder, tokenizer=...)`"
        )
    if tokenizer is not None and not own:
        raise BundleError("this model was trained without a tokenizer: pass no `tokenizer`")


def opened_table(bundle: Bundle) -> tuple[np.ndarray, dict[str, np.ndarray], Vocabulary, bool]:
    """The table of vectors, the other weights, the vocabulary, and whether sentences are split.

    Raises:
        BundleError: One is missing, or they do not fit together.
    """
    weights = dict(bundle.weights)
    try:
        table = weights.pop("table")
        vocabulary = Vocabulary.from_json(bundle.vocabulary)
        split = bundle.settings["split_sentences"]
    except (KeyError, DataError) as error:
        raise BundleError(f"the bundle of a {bundle.model} is incomplete: {error}") from error
    if not isinstance(split, bool):
        raise BundleError(f"`split_sentences` must be true or false. Received: {split!r}")
    if table.ndim != 2 or len(table) < vocabulary.size:
        raise BundleError(
            f"the table of vectors must have a row for each of the {vocabulary.size} ids of "
            f"the vocabulary. Received: shape {table.shape}. Are the files of two bundles mixed?"
        )
    return table, weights, vocabulary, split


def check_shapes(
    shapes: Callable[..., Shapes],
    width: int,
    sizes: Any,
    weights: dict[str, np.ndarray],
    model: str,
) -> None:
    """Raises a BundleError if a weight is missing or of another shape than the settings say.

    Args:
        shapes: Gives the shapes of a model's weights; one of `models.shapes`.
        width: Of word vectors.
        sizes: The model's settings, as the bundle has them.
        weights: All but the table.
        model: The name of the model.
    """
    try:
        for name in sorted(set(sizes) - _NO_SIZES):
            if type(sizes[name]) is not int:
                raise TypeError(f"{name} must be a whole number. Received: {sizes[name]!r}")
        wanted = shapes(width, **sizes)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"settings.json does not describe a {model} ({error})") from error
    found = {name: weight.shape for name, weight in weights.items()}
    for name in sorted(set(wanted) | set(found)):
        if wanted.get(name) != found.get(name):
            rule = f"should have shape {wanted[name]}" if name in wanted else "should not be there"
            raise BundleError(
                f"weights.safetensors: {name} {rule}, by settings.json. Received: "
                f"{found.get(name, 'no such weight')}. Are the files of two bundles mixed?"
            )
