"""How MatchZoo's models are built and trained: the sizes of its tutorials, in one table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["BASELINES", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How a model is built and trained, after MatchZoo's tutorials on WikiQA.

    Attributes:
        model: Its class in `matchzoo.models`.
        parameters: Of the model, by MatchZoo's names; all others as MatchZoo has them.
        reads: What a text becomes: the ids of its `words` (`BasicPreprocessor`), the counts of its
            letter trigrams (`letters`, `DSSMPreprocessor`), or those of each word (`word-letters`,
            `CDSSMPreprocessor`).
        beside: What it is told of a pair besides: `histogram` of how similar the words are
            (30 bins, logarithm of counts), `pooling` indices by the texts' lengths, or nothing.
        document_words: Words of a document that the model has inputs for; trigrams of `letters`
            are counted in the whole text.
        width: Of the vectors of words, where none are given.
        spread: Those are drawn from as far as this to both sides of 0.
        remove_stop_words: Whether function words are left out; trigrams always do without.
        loss: `hinge` over a relevant document and another one, or `softmax` over it and four.
        groups: Relevant documents in a batch, each with those that are not.
        epochs: Rounds over the relevant documents at most.
    """

    model: str
    parameters: dict[str, Any] = field(default_factory=dict)
    reads: Literal["words", "letters", "word-letters"] = "words"
    beside: Literal["histogram", "pooling"] | None = None
    document_words: int = 40
    width: int = 300
    spread: float = 0.2
    remove_stop_words: bool = False
    loss: Literal["hinge", "softmax"] = "hinge"
    groups: int = 20
    epochs: int = 30


def _perceptron(layers: int, units: int, fan_out: int, activation: str) -> dict[str, Any]:
    return {
        "mlp_num_layers": layers,
        "mlp_num_units": units,
        "mlp_num_fan_out": fan_out,
        "mlp_activation_func": activation,
    }


def _sides(**values: Any) -> dict[str, Any]:
    """The same for a query and a document."""
    return {f"{side}_{name}": value for name, value in values.items() for side in ("left", "right")}


BASELINES = {
    # No tutorial: MatchZoo's defaults, but for the one output a query word that its sum needs.
    "anmm": Recipe("ANMM", {"num_layers": 2, "hidden_sizes": [30, 1]}, beside="histogram"),
    # The tutorial's one hidden output under a ReLU and nine in ten values dropped gave every pair
    # the same score from the first epoch on; MatchZoo's usual 64 outputs and half of them learn.
    "arc-i": Recipe(
        "ArcI",
        {
            "num_blocks": 1,
            **_sides(filters=[128], kernel_sizes=[3], pool_sizes=[4]),
            "conv_activation_func": "relu",
            **_perceptron(1, 100, 64, "relu"),
            "dropout_rate": 0.5,
        },
        document_words=100,
        remove_stop_words=True,
    ),
    "arc-ii": Recipe(
        "ArcII",
        {
            "num_blocks": 2,
            "kernel_1d_count": 32,
            "kernel_1d_size": 3,
            "kernel_2d_count": [64, 64],
            "kernel_2d_size": [3, 3],
            "pool_2d_size": [[3, 3], [3, 3]],
        },
        document_words=100,
        width=100,
    ),
    "cdssm": Recipe(
        "CDSSM",
        {
            "filters": 64,
            "kernel_size": 3,
            "strides": 1,
            "padding": "same",
            "conv_activation_func": "tanh",
            "w_initializer": "glorot_normal",
            "b_initializer": "zeros",
            **_perceptron(1, 64, 64, "tanh"),
            "dropout_rate": 0.8,
        },
        reads="word-letters",
        groups=64,
    ),
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
    "drmm": Recipe(
        "DRMM",
        {"mask_value": 0, **_perceptron(1, 10, 1, "tanh")},
        beside="histogram",
        document_words=100,
        loss="softmax",
    ),
    "drmmtks": Recipe(
        "DRMMTKS",
        {"mask_value": -1, "top_k": 20, **_perceptron(1, 5, 1, "relu")},
        document_words=100,
        width=100,
    ),
    "dssm": Recipe(
        "DSSM",
        _perceptron(3, 300, 128, "relu"),
        reads="letters",
        loss="softmax",
        groups=32,
        epochs=20,
    ),
    "duet": Recipe(
        "DUET",
        {
            "lm_filters": 32,
            "lm_hidden_sizes": [32],
            "dm_filters": 32,
            "dm_kernel_size": 3,
            "dm_d_mpool": 4,
            "dm_hidden_sizes": [32],
            "dropout_rate": 0.5,
        },
    ),
    "knrm": Recipe("KNRM", {"kernel_num": 21, "sigma": 0.1, "exact_sigma": 0.001}, spread=0.05),
    "match-pyramid": Recipe(
        "MatchPyramid",
        {
            "num_blocks": 2,
            "kernel_count": [16, 32],
            "kernel_size": [[3, 3], [3, 3]],
            "dpool_size": [3, 10],
            "dropout_rate": 0.1,
        },
        beside="pooling",
        width=100,
        remove_stop_words=True,
    ),
    "mv-lstm": Recipe(
        "MVLSTM",
        {"lstm_units": 50, "top_k": 20, **_perceptron(2, 10, 5, "relu"), "dropout_rate": 0.5},
        width=100,
        remove_stop_words=True,
    ),
}
