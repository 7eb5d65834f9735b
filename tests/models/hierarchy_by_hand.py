"""The encoder's equations in plain NumPy, and what its tests share: encoders, documents, arrays."""

from functools import cache

import numpy as np

from ir_attention.models.han import HierarchicalEncoder

WIDTH, UNITS, POOL = 3, 5, 7
# Words of the sentences of five documents: some have none, and two documents have no words at all.
SHAPE = [[2, 4, 1], [3], [], [0], [1, 0, 2]]


@cache
def made(levels=2, **more):
    """An encoder whose biases are not all 0; the same one for the same arguments."""
    encoder = HierarchicalEncoder(UNITS, POOL, levels=levels, **more)
    encoder.build((None, WIDTH))
    rng = np.random.default_rng(1)
    encoder.set_weights([rng.normal(size=weight.shape) for weight in encoder.weights])
    return encoder


def weights_of(encoder):
    """By `layer/weight`."""
    weights = {}
    for level in ("word", "sentence")[: encoder.levels]:
        gru, pool = getattr(encoder, f"{level}_gru"), getattr(encoder, f"{level}_pool", None)
        weights |= {f"{level}_gru/{name}": np.asarray(one) for name, one in gru.named().items()}
        if pool is not None:
            weights |= {f"{level}_pool/{name}": np.asarray(getattr(pool, name)) for name in "Wbu"}
    return weights


def drawn(shape):
    """Documents of sentences of so many words."""
    rng = np.random.default_rng(3)
    return [[rng.normal(size=(words, WIDTH)) for words in document] for document in shape]


def arrays(documents, extra=0):
    """The call arguments, with `extra` words of NaN and sentences of none behind as padding."""
    sentences = [words for document in documents for words in document]
    inputs = np.concatenate([np.zeros((0, WIDTH)), *sentences, np.full((extra, WIDTH), np.nan)])
    lengths = np.array([len(words) for words in sentences] + [0] * extra, "int32")
    counts = np.array([len(document) for document in documents], "int32")
    return inputs.astype("float32"), lengths, counts


def documents_by_hand(documents, weights, pooling="attention"):
    """A document is a list of sentences, a sentence a list of vectors; `pooling` as of the layer.

    Without weights of a level or a direction there is none.
    """
    of_words, of_sentences = [pooling, pooling] if isinstance(pooling, str) else pooling
    width = UNITS * (1 + ("word_gru/backward_kernel" in weights))
    vectors = []
    for document in documents:
        sentences = [
            level_by_hand(words, weights, "word", of_words) for words in document if len(words)
        ]
        if "sentence_gru/forward_kernel" in weights and sentences:
            sentences = [level_by_hand(sentences, weights, "sentence", of_sentences)]
        vectors.append(sum(sentences, np.zeros(width)))
    return np.array(vectors)


def level_by_hand(xs, weights, level, pooling="attention"):
    """One level: the annotations of each direction, then their weighted sum, equations 5-7."""
    gru = {name.split("/")[1]: one for name, one in weights.items() if f"{level}_gru/" in name}
    states = states_by_hand(xs, gru)
    if pooling != "attention":
        return np.mean(states, axis=0) if pooling == "mean" else np.max(states, axis=0)
    pool = {name: weights[f"{level}_pool/{name}"] for name in ("W", "b", "u")}
    powers = [np.exp(np.tanh(h @ pool["W"] + pool["b"]) @ pool["u"][:, 0]) for h in states]
    return sum(p / sum(powers) * h for p, h in zip(powers, states, strict=True))


def states_by_hand(xs, gru):
    """After each step, forward beside backward if there are weights of that."""

    def one(way, xs):
        return gru_by_hand(xs, *(gru[f"{way}_{n}"] for n in ("kernel", "recurrent_kernel", "bias")))

    states = one("forward", xs)
    if "backward_kernel" in gru:
        back = one("backward", xs[::-1])[::-1]
        states = [np.concatenate(both) for both in zip(states, back, strict=True)]
    return states


def gru_by_hand(xs, kernel, recurrent, bias):
    """Equations 1-4 of Yang et al. (2016), step by step, with the reset after the product."""
    u, state, states = len(recurrent), np.zeros(len(recurrent)), []
    for x in xs:
        from_x, from_h = x @ kernel + bias[0], state @ recurrent + bias[1]
        z, r = sigmoid(from_x[:u] + from_h[:u]), sigmoid(from_x[u : 2 * u] + from_h[u : 2 * u])
        candidate = np.tanh(from_x[2 * u :] + r * from_h[2 * u :])
        state = (1 - z) * candidate + z * state
        states.append(state)
    return states


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
