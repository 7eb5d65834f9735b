"""The matching model: a query and a document, each read in the light of the other, to a score."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_attention.backend import keras
from ir_attention.models.attention import AdditiveAttention, AttentionPool, check_units
from ir_attention.models.crossed import NO_STEPS, Members, Steps, crossed
from ir_attention.models.han import HierarchicalEncoder
from ir_attention.models.ragged import padded_rows, run_sums
from ir_attention.models.shapes import PAIR_INPUTS, WORD_INPUTS

__all__ = ["GatedProjection", "Matcher", "MatcherSettings", "named_weights"]

ops = keras.ops

_SIDES = ("document", "query")

# The weights of one way of a BiGRU lie in a cell in a layer of Keras.
_OF_CELL = re.compile("/(forward|backward)/gru_cell/")


@dataclass(frozen=True)
class MatcherSettings:
    """The sizes of a `Matcher`. Widths in numbers, dropout as a share; a training sets its own.

    Beside `dropout` of single values, `word_dropout` takes all of a word's vector, wherever in the
    batch it stands; its matches stay (of vectors of words, see Gal and Ghahramani 2016).

    Without `match_features` or `query_side` the model is as large as with them, but what they would
    give it is 0, and so are the weights of it that `weights_by_name` gives.
    """

    projection: int = 64
    attention: int = 32
    gru: int = 64
    pool: int = 64
    hidden: int = 64
    dropout: float = 0.2
    word_dropout: float = 0.0
    levels: int = 2
    trainable_vectors: bool = False
    match_features: bool = True
    query_side: bool = True


@keras.saving.register_keras_serializable("ir_attention")
class GatedProjection(keras.layers.Layer):
    """`sigmoid(x A + a) * tanh(x B + b)`: `(..., width)` to `(..., units)`.

    As in Wang and Jiang (2017), equation 1, with biases.

    Masking: each step by itself; a mask is passed on.

    Args:
        units: Width of the output, a positive integer.
        seed: Of the initial weights.

    Call arguments:
        inputs: Floats, `(..., width)`.

    Returns:
        Floats, `(..., units)`.
    """

    def __init__(self, units: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_units(units)
        self.units, self.seed = units, seed
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1], self.units)
        for number, name in enumerate(("gate_kernel", "kernel")):
            seed = None if self.seed is None else self.seed + number
            initializer = keras.initializers.GlorotUniform(seed)
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer=initializer))
        for name in ("gate_bias", "bias"):
            weight = self.add_weight(name=name, shape=(self.units,), initializer="zeros")
            setattr(self, name, weight)

    def call(self, inputs: Any) -> Any:
        gate = ops.sigmoid(ops.matmul(inputs, self.gate_kernel) + self.gate_bias)
        return gate * ops.tanh(ops.matmul(inputs, self.kernel) + self.bias)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "seed": self.seed}


class Matcher(keras.Model):
    """`han`: scores a query and a document that attend to each other.

    Each word's vector goes through a gated projection. Each document word attends over the
    query's words with additive attention; what it finds, `a`, is compared with the word itself,
    `d`, as `[d, a, d * a, |d - a|, features]` (Wang and Jiang 2017, section 2.3; features are those
    of `data.matches` and the largest cosine of the raw vectors), and goes up the hierarchy of
    `HierarchicalEncoder`. Each query word attends over the document's words with its own
    attention, is compared likewise and pooled by its own additive attention. Both vectors and
    fourteen features of the pair give the score, with a linear way past the hidden layer.

    Everything up to the sentences is computed once for each word of a query's documents, however
    often it stands there; dropout takes the same of it everywhere.

    Masking: by the lengths in the inputs. Padding of words, sentences or pairs, and other pairs
    in the batch, change no score.

    Args:
        vectors: Floats, `(vocabulary, width)`; row 0 is of unknown words and stays all zeros.
        settings: The sizes.
        seed: Of the initial weights and of dropout.
        steps: The most words of a query, words of a sentence and sentences of a document there
            may be. Needed only where sizes must be known beforehand, as on JAX.
        packed, threads: As of `BiGRU`.
        dtype: A dtype policy of Keras, such as `"mixed_bfloat16"`; scores are float32 in any case.

    Call arguments:
        inputs: What `data.inputs.model_inputs` returns.

    Returns:
        Scores, `(pairs,)`: any real number, higher is better.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        settings: MatcherSettings | None = None,
        seed: int = 7,
        *,
        steps: Steps = NO_STEPS,
        packed: bool | None = None,
        threads: int = 1,
        dtype: Any = None,
    ) -> None:
        super().__init__(name="han", dtype=dtype)
        dtype = self.dtype_policy
        self.settings = s = settings or MatcherSettings()
        self.steps = steps
        seeds = np.random.SeedSequence(seed).generate_state(16) >> 1
        self._seeds = [int(one) for one in seeds]
        take = iter(self._seeds)

        def dense(units: int, name: str, activation: str = "linear", bias: bool = True) -> Any:
            initializer = keras.initializers.GlorotUniform(next(take))
            return keras.layers.Dense(
                units,
                activation,
                use_bias=bias,
                kernel_initializer=initializer,
                name=name,
                dtype=dtype,
            )

        def attention(name: str) -> AdditiveAttention:
            return AdditiveAttention(
                s.attention, keras.initializers.GlorotUniform(next(take)), name=name, dtype=dtype
            )

        self.table = keras.layers.Embedding(
            *vectors.shape,
            trainable=s.trainable_vectors,
            weights=[vectors],
            name="table",
            dtype=dtype,
        )
        self.projection = GatedProjection(s.projection, next(take), name="projection", dtype=dtype)
        self.document_attention = attention("document_attention")
        self.query_attention = attention("query_attention")
        self.document_compare = dense(s.hidden, "document_compare", "relu")
        self.query_compare = dense(s.hidden, "query_compare", "relu")
        self.document_encoder = HierarchicalEncoder(
            s.gru,
            s.pool,
            levels=s.levels,
            seed=next(take),
            packed=packed,
            threads=threads,
            name="document_encoder",
            dtype=dtype,
        )
        self.query_pool = AttentionPool(
            s.pool,
            initializer=keras.initializers.GlorotUniform(next(take)),
            name="query_pool",
            dtype=dtype,
        )
        self.score_hidden = dense(s.hidden, "score_hidden", "relu")
        self.score_output = dense(1, "score_output")
        self.score_skip = keras.layers.Dense(
            1,
            use_bias=False,
            kernel_initializer="zeros",
            name="score_skip",
            dtype=dtype,
        )
        self.dropout = [
            keras.layers.Dropout(s.dropout, seed=next(take), dtype=dtype) for _ in range(4)
        ]
        self.word_dropout = keras.layers.Dropout(
            s.word_dropout, noise_shape=(None, 1), seed=next(take), dtype=dtype
        )
        self._build(vectors.shape[1])

    def _build(self, width: int) -> None:
        s = self.settings
        self.table.build((None,))
        self.projection.build((None, width))
        words = (None, None, s.projection)
        compared = (None, None, 4 * s.projection + WORD_INPUTS)
        for attention in (self.document_attention, self.query_attention):
            attention.build(words, words)
        self.document_compare.build(compared)
        self.query_compare.build(compared)
        self.document_encoder.build((None, None, s.hidden))
        self.query_pool.build((None, None, s.hidden))
        self.score_hidden.build((None, 2 * s.gru + s.hidden + PAIR_INPUTS))
        self.score_output.build((None, s.hidden))
        self.score_skip.build((None, PAIR_INPUTS))
        self.built = True

    def start_from(self, weights: np.ndarray) -> None:
        """Sets what each feature of a pair counts by itself, `(14,)`, before training begins.

        Random weights rank some data sets upside down at first, and a few hundred labels do not
        turn them round; `training` takes those of a logistic regression.
        """
        self.score_skip.kernel.assign(weights.astype(np.float32)[:, None])

    def weights_by_name(self) -> dict[str, np.ndarray]:
        """Every weight but the table, as `layer/weight`: what `pair_forward.score_pairs` takes."""
        weights = {
            name: ops.convert_to_numpy(weight) for name, weight in named_weights(self).items()
        }
        for name, rows in self._unused():
            weights[name] = weights[name].copy()
            weights[name][rows] = 0
        return weights

    def _unused(self) -> list[tuple[str, slice]]:
        """Rows of weights that only ever meet zeros."""
        s, rows = self.settings, []
        if not s.match_features:
            rows += [(f"{side}_compare/kernel", slice(-WORD_INPUTS, None)) for side in _SIDES]
            rows += [("score_hidden/kernel", slice(-PAIR_INPUTS, None))]
            rows += [("score_skip/kernel", slice(None))]
        if not s.query_side:
            rows += [("score_hidden/kernel", slice(2 * s.gru, 2 * s.gru + s.hidden))]
        return rows

    def load_by_name(self, weights: Mapping[str, np.ndarray]) -> None:
        """Sets every weight but the table, whatever backend it was trained on; see `Bundle`."""
        for name, weight in named_weights(self).items():
            weight.assign(weights[name])

    def call(self, inputs: Any, training: bool = False) -> Any:
        x = inputs
        drop_word, drop_compare, drop_score, drop_hidden = self.dropout
        raw = self.table(x["pieces"])
        raw = raw * ops.cast(ops.expand_dims(x["pieces"] > 0, 1), raw.dtype)
        known = self.word_dropout(self.projection(raw), training=training)
        unit = ops.stop_gradient(raw / ops.maximum(ops.norm(raw, axis=1, keepdims=True), 1e-9))
        d = drop_word(ops.take(known, x["row_piece"], axis=0), training=training)
        q = drop_word(ops.take(known, x["query"], axis=0), training=training)
        lengths = run_sums(x["sentence_length"], x["sentence_count"])
        members = Members(
            x["query_length"], x["row_count"], x["pair_count"], lengths, x["document_row"]
        )
        asked_words = ops.shape(x["query_features"])[0]
        found = crossed(
            (d, q),
            (self.document_attention, self.query_attention),
            tuple(ops.take(unit, x[name], axis=0) for name in ("row_piece", "query")),
            members,
            asked_words,
            steps=self.steps,
            packed=self.document_encoder.word_gru.runs_packed,
        )
        seen = float(self.settings.match_features)
        features = _features(x["row_features"], found.best_document, seen)
        compared = self.document_compare(_compare(d, found.document, features))
        document = self.document_encoder(
            drop_compare(compared, training=training),
            x["sentence_length"],
            x["sentence_count"],
            x["document_row"],
            steps=self.steps[1:],
        )

        # The words of its query, for each pair.
        asked, places = members.asked_of_pairs(asked_words)
        features = _features(x["query_features"], found.best_query, seen)
        q = ops.take(q, places, axis=0)
        compared = self.query_compare(_compare(q, found.query, features))
        compared = padded_rows(
            drop_compare(compared, training=training), asked, steps=self.steps[0]
        )
        mask = ops.arange(ops.shape(compared)[1], dtype="int32") < ops.expand_dims(asked, 1)
        pooled = self.query_pool(compared, mask=mask)

        pooled, overall = pooled * float(self.settings.query_side), x["overall"] * seen
        vector = ops.concatenate([document, pooled, overall], axis=-1)
        hidden = self.score_hidden(drop_score(vector, training=training))
        score = self.score_output(drop_hidden(hidden, training=training))
        return ops.cast(ops.squeeze(score + self.score_skip(overall), axis=-1), "float32")


def named_weights(model: Any) -> dict[str, Any]:
    """The Keras variables of a model but its table, as `layer/weight`, on any backend."""
    return {
        _OF_CELL.sub(r"/\1_", weight.path[weight.path.index(layer.name) :]): weight
        for layer in model.layers
        if layer is not model.table
        for weight in layer.trainable_weights
    }


def _features(matches: Any, cosine: Any, seen: float) -> Any:
    """The match features of words, or zeros in their place if `seen` is 0."""
    return seen * ops.concatenate([matches, cosine[:, None]], axis=-1)


def _compare(one: Any, other: Any, features: Any) -> Any:
    parts = [one, other, one * other, ops.abs(one - other), features]
    return ops.concatenate(parts, axis=-1)
