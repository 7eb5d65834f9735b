"""The bi-encoder: a query and a document, each read by itself, to vectors and their product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_attention.backend import keras
from ir_attention.models.attention import AttentionPool
from ir_attention.models.crossed import NO_STEPS, Steps
from ir_attention.models.han import HierarchicalEncoder
from ir_attention.models.matcher import GatedProjection, named_weights
from ir_attention.models.ragged import padded_rows, rows_of

__all__ = ["BiEncoder", "BiEncoderSettings"]

ops = keras.ops

# Keeps the length of a vector of zeros, and its gradient, finite.
_TINY = 1e-12


@dataclass(frozen=True)
class BiEncoderSettings:
    """The sizes of a `BiEncoder`. Widths in numbers, dropout as a share."""

    letters: int = 256
    projection: int = 64
    gru: int = 64
    pool: int = 64
    dropout: float = 0.2
    levels: int = 2


class BiEncoder(keras.Model):
    """`han-bi`: scores a query and a document that know nothing of each other.

    Each word comes with its vector, its letters and its idf. Documents go up the hierarchy of
    `HierarchicalEncoder`, queries through an additive attention of their own. A text becomes three
    vectors of length 1: of its states, and, pooled by the same attention and weighted by idf, of
    its words' letters and of their vectors. The letters let a word never seen in training match
    itself, the way word hashing does in DSSM (Huang et al. 2013, section 3.2). The score is the
    sum of the three cosines, each times a strength that is learnt: one product of the query's
    vector, which holds the strengths, and the document's, so that an index for products can rank.

    Masking: by the lengths in the inputs, as in `Matcher`. A text without words has a vector of
    zeros, and score 0.

    Args:
        table: Floats, `(vocabulary, width + letters + 1)`: of each word its vector, its letters,
            and its idf; row 0 is padding and all zeros.
        settings: The sizes.
        seed: Of the initial weights and of dropout.
        steps, packed, threads, dtype: As of `Matcher`.

    Call arguments:
        inputs: What `data.inputs.model_inputs` returns; match features are not looked at.

    Returns:
        Scores, `(pairs,)`: any real number, higher is better.
    """

    def __init__(
        self,
        table: np.ndarray,
        settings: BiEncoderSettings | None = None,
        seed: int = 7,
        *,
        steps: Steps = NO_STEPS,
        packed: bool | None = None,
        threads: int = 1,
        dtype: Any = None,
    ) -> None:
        super().__init__(name="han_bi", dtype=dtype)
        dtype = self.dtype_policy
        self.steps = steps
        self.settings = s = settings or BiEncoderSettings()
        seeds = iter(int(one) for one in np.random.SeedSequence(seed).generate_state(8) >> 1)
        self.table = keras.layers.Embedding(
            *table.shape, trainable=False, weights=[table], name="table", dtype=dtype
        )
        self.projection = GatedProjection(s.projection, next(seeds), name="projection", dtype=dtype)
        self.document_encoder = HierarchicalEncoder(
            s.gru,
            s.pool,
            levels=s.levels,
            seed=next(seeds),
            packed=packed,
            threads=threads,
            name="document_encoder",
            dtype=dtype,
        )
        self.query_pool = AttentionPool(
            s.pool,
            initializer=keras.initializers.GlorotUniform(next(seeds)),
            name="query_pool",
            dtype=dtype,
        )
        self.document_output, self.query_output = (
            keras.layers.Dense(
                s.projection,
                use_bias=False,
                kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
                name=f"{side}_output",
                dtype=dtype,
            )
            for side in ("document", "query")
        )
        self.strength = keras.layers.Dense(
            1, use_bias=False, kernel_initializer=_start, name="strength", dtype=dtype
        )
        self.dropout = keras.layers.Dropout(s.dropout, seed=next(seeds), dtype=dtype)
        self._build(table.shape[1])

    def _build(self, width: int) -> None:
        s = self.settings
        self.table.build((None,))
        self.projection.build((None, width))
        self.document_encoder.build((None, None, s.projection))
        self.query_pool.build((None, None, s.projection))
        self.document_output.build((None, 2 * s.gru))
        self.query_output.build((None, s.projection))
        self.strength.build((None, 3))
        self.built = True

    def weights_by_name(self) -> dict[str, np.ndarray]:
        """Every weight but the table, as `layer/weight`: what `bi_forward` takes."""
        return {name: ops.convert_to_numpy(weight) for name, weight in named_weights(self).items()}

    def load_by_name(self, weights: Mapping[str, np.ndarray]) -> None:
        """Sets every weight but the table, whatever backend it was trained on; see `Bundle`."""
        for name, weight in named_weights(self).items():
            weight.assign(weights[name])

    def call(self, inputs: Any, training: bool = False) -> Any:
        x = inputs
        raw = self.table(x["pieces"])
        raw = raw * ops.cast(ops.expand_dims(x["pieces"] > 0, 1), raw.dtype)
        known = self.projection(raw)
        values = raw[:, :-1] * raw[:, -1:]  # by idf

        d = self.dropout(ops.take(known, x["row_piece"], axis=0), training=training)
        documents, pooled = self.document_encoder(
            d,
            x["sentence_length"],
            x["sentence_count"],
            x["document_row"],
            ops.take(values, ops.take(x["row_piece"], x["document_row"], axis=0), axis=0),
            steps=self.steps[1:],
        )
        documents = self._parts(self.document_output(documents), pooled)

        q = self.dropout(ops.take(known, x["query"], axis=0), training=training)
        q, values = (
            padded_rows(one, x["query_length"], steps=self.steps[0])
            for one in (q, ops.take(values, x["query"], axis=0))
        )
        mask = ops.arange(ops.shape(q)[1], dtype="int32") < ops.expand_dims(x["query_length"], 1)
        weights = ops.expand_dims(self.query_pool.attention(q, mask), 1)
        queries, pooled = (ops.squeeze(ops.matmul(weights, one), axis=1) for one in (q, values))
        queries = self._parts(self.query_output(queries), pooled)
        query = rows_of(x["pair_count"], ops.shape(x["sentence_count"])[0])
        query = ops.minimum(query, ops.shape(x["pair_count"])[0] - 1)  # of padding too
        queries = [ops.take(one, query, axis=0) for one in queries]
        cosines = [ops.sum(a * b, axis=-1) for a, b in zip(queries, documents, strict=True)]
        score = self.strength(ops.stack(cosines, axis=-1))
        return ops.cast(ops.squeeze(score, axis=-1), "float32")

    def _parts(self, states: Any, pooled: Any) -> list[Any]:
        """Three vectors of length 1, or 0 if nothing is in them."""
        width = pooled.shape[-1] - self.settings.letters
        return [_unit(one) for one in (states, pooled[:, width:], pooled[:, :width])]


def _start(shape: Any, dtype: Any = None) -> Any:
    """What the cosines of states, letters and word vectors count at first.

    Of a size at which a softmax over candidates tells cosines apart; the letters know most at the
    start, the states nothing. Chosen on dev.
    """
    return ops.reshape(ops.convert_to_tensor([2.0, 10.0, 5.0], dtype), shape)


def _unit(vectors: Any) -> Any:
    return vectors * ops.rsqrt(ops.sum(vectors * vectors, axis=-1, keepdims=True) + _TINY)
