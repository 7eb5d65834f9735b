"""Arrays to scores: attention, the hierarchical encoder, the matcher, and their NumPy twins."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "AdditiveAttention": "attention",
    "AttentionPool": "attention",
    "BiGRU": "recurrent",
    "ConditionedPool": "pooling",
    "HanClassifier": "classifier",
    "HanClassifierSettings": "classifier",
    "HierarchicalEncoder": "han",
    "LastStateAttention": "scored_attention",
    "ListwiseSoftmax": "losses",
    "Matcher": "matcher",
    "MatcherSettings": "matcher",
    "MaxPool": "pooling",
    "MeanPool": "pooling",
    "MultiHopPool": "pooling",
    "PairwiseHinge": "losses",
    "ScoredAttention": "scored_attention",
    "masked_softmax": "attention",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # On first use: `forward` is needed without Keras, which takes seconds to import. All at once,
    # for Keras can load a saved layer only if its class has been imported.
    if name in _HOMES:
        homes = {home: importlib.import_module(f"{__name__}.{home}") for home in _HOMES.values()}
        return getattr(homes[_HOMES[name]], name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
