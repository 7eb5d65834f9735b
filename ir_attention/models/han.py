"""The hierarchical attention document encoder of Yang et al. (2016), over ragged documents."""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras
from ir_attention.models.attention import AttentionPool
from ir_attention.models.recurrent import BiGRU

__all__ = ["HierarchicalEncoder", "within"]

ops = keras.ops


@keras.saving.register_keras_serializable("ir_attention")
class HierarchicalEncoder(keras.layers.Layer):
    """Words to sentences to a document: a BiGRU and attention at both levels.

    For each sentence `h_it = BiGRU(x_it)` and `s_i = sum_t a_it h_it` with `a_i` the attention
    over its words (equations 1-7 of Yang et al. 2016); for each document the same over its
    sentences (equations 8-10). Sentences of all documents lie in one axis, so that only real
    ones are computed, and `slots` says which are whose.

    Masking: by lengths and counts. Words and sentences beyond them have no say, and neither have
    sentences without words, wherever they stand; a document without sentences gives zeros. A mask
    of `inputs` is not looked at, and none is passed on.

    Args:
        units: Width of one GRU direction; every vector that comes out is twice that wide.
        pool: Size of both attentions.
        levels: 2, or 1 for documents of a single sentence, whose vector is the document's; of
            several it is the sum.
        seed: Of the initial weights.

    Call arguments:
        inputs: Floats, `(sents, words, width)`.
        lengths: Words of each sentence, `(sents,)`.
        slots: The sentences of each document, `(batch, most)`: 1-based rows of `inputs`; 0 is
            padding, at the end.
        counts: Sentences of each document, `(batch,)`.
        values: Floats, `(sents, words, any)`, to be pooled by the same attention. Default: none.

    Returns:
        Floats, `(batch, 2 * units)`; with `values` a pair, of this and of the values' means by the
        weights of words and sentences, `(batch, any)`.
    """

    def __init__(
        self, units: int, pool: int, *, levels: int = 2, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if levels not in (1, 2):
            raise ValueError(f"`levels` must be 1 or 2. Received: levels={levels!r}")
        self.units, self.pool, self.levels, self.seed = units, pool, levels, seed
        seeds = [None if seed is None else seed + number for number in range(4)]
        dtype = self.dtype_policy

        def attention(seed: int | None, name: str) -> AttentionPool:
            initializer = keras.initializers.GlorotUniform(seed)
            return AttentionPool(pool, initializer=initializer, dtype=dtype, name=name)

        self.word_gru = BiGRU(units, seeds[0], dtype=dtype, name="word_gru")
        self.word_pool = attention(seeds[1], "word_pool")
        if levels == 2:
            self.sentence_gru = BiGRU(units, seeds[2], dtype=dtype, name="sentence_gru")
            self.sentence_pool = attention(seeds[3], "sentence_pool")

    def build(
        self,
        inputs_shape: Any,
        lengths_shape: Any = None,
        slots_shape: Any = None,
        counts_shape: Any = None,
        values_shape: Any = None,
    ) -> None:
        self.word_gru.build(inputs_shape)
        wide = (None, None, 2 * self.units)
        self.word_pool.build(wide)
        if self.levels == 2:
            self.sentence_gru.build(wide)
            self.sentence_pool.build(wide)

    def call(self, inputs: Any, lengths: Any, slots: Any, counts: Any, values: Any = None) -> Any:
        pooled = self._pool(
            self.word_gru(inputs, lengths), self.word_pool, within(lengths, inputs.shape[1]), values
        )
        slots, counts = _closed_up(lengths, slots, counts)
        documents, values = (None if one is None else _gather(one, slots) for one in pooled)
        if self.levels == 1:
            pooled = [None if one is None else ops.sum(one, axis=1) for one in (documents, values)]
        else:
            states, mask = self.sentence_gru(documents, counts), within(counts, slots.shape[1])
            pooled = self._pool(states, self.sentence_pool, mask, values)
        return pooled[0] if values is None else tuple(pooled)

    def _pool(self, states: Any, attention: Any, mask: Any, values: Any) -> list[Any]:
        """Pools the states, and the values with the weights of the states."""
        pooled = attention(states, mask=mask)
        if values is not None:
            weights = ops.expand_dims(attention.attention(states, mask), 1)
            values = ops.squeeze(ops.matmul(weights, values), axis=1)
        return [pooled, values]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def compute_output_shape(
        self,
        inputs_shape: Any,
        lengths_shape: Any,
        slots_shape: Any,
        counts_shape: Any,
        values_shape: Any = None,
    ) -> Any:
        documents = (counts_shape[0], 2 * self.units)
        return (
            documents if values_shape is None else (documents, (counts_shape[0], values_shape[-1]))
        )

    def get_config(self) -> dict[str, Any]:
        own = {"units": self.units, "pool": self.pool, "levels": self.levels, "seed": self.seed}
        return {**super().get_config(), **own}


def within(lengths: Any, steps: int) -> Any:
    """The mask of right-padded rows: `(rows,)` lengths to booleans `(rows, steps)`."""
    return ops.arange(steps, dtype="int32") < ops.expand_dims(ops.cast(lengths, "int32"), 1)


def _gather(vectors: Any, slots: Any) -> Any:
    """The sentences of each document, `(batch, most, width)`; zeros at padding."""
    rows = ops.concatenate([ops.zeros_like(vectors[:1]), vectors])
    return ops.take(rows, slots, axis=0)


def _closed_up(lengths: Any, slots: Any, counts: Any) -> tuple[Any, Any]:
    """Slots and counts without the sentences that have no words; the others keep their order."""
    most = slots.shape[1]
    has_words = ops.concatenate([ops.zeros_like(lengths[:1]), lengths]) > 0
    kept = ops.take(has_words, slots, axis=0) & within(counts, most)
    place = ops.arange(most, dtype="int32") + most * ops.cast(ops.logical_not(kept), "int32")
    slots = ops.where(kept, slots, ops.zeros_like(slots))
    slots = ops.take_along_axis(slots, ops.argsort(place, axis=1), axis=1)
    return slots, ops.sum(ops.cast(kept, "int32"), axis=1)
