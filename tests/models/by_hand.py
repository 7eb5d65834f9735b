"""Drawn arrays, and a softmax in Python's own floats: what the tests of attention share."""

import numpy as np


def normal(*shape, seed=0, dtype="float32"):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def softmax_by_hand(logits, mask):
    """One row, in Python's own floats."""
    kept = [logit for logit, keep in zip(logits, mask, strict=True) if keep]
    powers = [
        np.exp(float(logit) - float(max(kept))) if keep else 0.0
        for logit, keep in zip(logits, mask, strict=True)
    ]
    return np.array(powers) / (sum(powers) or 1)


def weights_of(layer):
    return {weight.name: np.asarray(weight) for weight in layer.weights}
