"""The shape of every weight of a model, to check a stranger's file against."""

from __future__ import annotations

from typing import Any

from ir_attention.models.forward import Pooling, poolings
from ir_attention.models.packed import WAYS

__all__ = [
    "PAIR_INPUTS",
    "WORD_INPUTS",
    "bi_encoder_shapes",
    "classifier_shapes",
    "matcher_shapes",
]

# How many match features a matcher reads: of a word, with the largest cosine, and of a pair.
WORD_INPUTS = 9
PAIR_INPUTS = 14

Shapes = dict[str, tuple[int, ...]]


def matcher_shapes(
    width: int,
    *,
    projection: int,
    attention: int,
    gru: int,
    pool: int,
    hidden: int,
    levels: int,
    **_: Any,
) -> Shapes:
    """The weights of a `Matcher`, by name.

    Args:
        width: Of word vectors; the others as in `MatcherSettings`.
    """
    shapes = _projection(width, projection)
    for side in ("document", "query"):
        square = (projection, attention)
        shapes |= _layer(
            f"{side}_attention", query_kernel=square, value_kernel=square, scale=(attention, 1)
        )
        shapes |= _layer(
            f"{side}_compare", kernel=(4 * projection + WORD_INPUTS, hidden), bias=(hidden,)
        )
    return {
        **shapes,
        **_hierarchy(hidden, gru=gru, pool=pool, levels=levels),
        **_pool("query_pool", hidden, pool),
        **_layer("score_hidden", kernel=(2 * gru + hidden + PAIR_INPUTS, hidden), bias=(hidden,)),
        **_layer("score_output", kernel=(hidden, 1), bias=(1,)),
        **_layer("score_skip", kernel=(PAIR_INPUTS, 1)),
    }


def bi_encoder_shapes(
    width: int, *, letters: int, projection: int, gru: int, pool: int, levels: int, **_: Any
) -> Shapes:
    """The weights of a `BiEncoder`, by name.

    Args:
        width: Of word vectors; the others as in `BiEncoderSettings`.
    """
    return {
        **_projection(width + letters + 1, projection),
        **_hierarchy(projection, gru=gru, pool=pool, levels=levels),
        **_pool("query_pool", projection, pool),
        **_layer("document_output", kernel=(2 * gru, projection)),
        **_layer("query_output", kernel=(projection, projection)),
        **_layer("strength", kernel=(3, 1)),
    }


def classifier_shapes(
    width: int,
    *,
    classes: int,
    gru: int,
    pool: int,
    hidden: int,
    levels: int,
    bidirectional: bool,
    word_pooling: str,
    sentence_pooling: str,
    **_: Any,
) -> Shapes:
    """The weights of a `HanClassifier`, by name.

    Args:
        width: Of word vectors; the others as in `HanClassifierSettings`.
    """
    pooling = word_pooling, sentence_pooling
    sizes: dict[str, Any] = {"gru": gru, "pool": pool, "levels": levels}
    shapes = _hierarchy(width, **sizes, bidirectional=bidirectional, pooling=pooling)
    states = (2 if bidirectional else 1) * gru
    if hidden:
        shapes |= _layer("hidden", kernel=(states, hidden), bias=(hidden,))
    return {**shapes, **_layer("output", kernel=(hidden or states, classes), bias=(classes,))}


def _projection(width: int, units: int) -> Shapes:
    kernel, bias = (width, units), (units,)
    return _layer("projection", gate_kernel=kernel, kernel=kernel, gate_bias=bias, bias=bias)


def _hierarchy(
    width: int,
    *,
    gru: int,
    pool: int,
    levels: int,
    bidirectional: bool = True,
    pooling: Pooling = "attention",
) -> Shapes:
    """The weights of a `HierarchicalEncoder` of that name, whose settings these are."""
    shapes: Shapes = {}
    ways = WAYS if bidirectional else WAYS[:1]
    wide = len(ways) * gru
    for level, of in (("word", width), ("sentence", wide))[:levels]:
        for way in ways:
            shapes |= _layer(
                f"document_encoder/{level}_gru",
                **{
                    f"{way}_kernel": (of, 3 * gru),
                    f"{way}_recurrent_kernel": (gru, 3 * gru),
                    f"{way}_bias": (2, 3 * gru),
                },
            )
        if poolings(pooling)[level] == "attention":
            shapes |= _pool(f"document_encoder/{level}_pool", wide, pool)
    return shapes


def _pool(layer: str, width: int, units: int) -> Shapes:
    return _layer(layer, W=(width, units), b=(units,), u=(units, 1))


def _layer(layer: str, **named: tuple[int, ...]) -> Shapes:
    return {f"{layer}/{name}": shape for name, shape in named.items()}
