"""The hierarchical attention document encoder of Yang et al. (2016), over ragged documents."""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras
from ir_attention.models.attention import AttentionPool
from ir_attention.models.ragged import real_words, rows_of, run_sums, segment_sums
from ir_attention.models.recurrent import BiGRU, attended

__all__ = ["HierarchicalEncoder"]

ops = keras.ops


@keras.saving.register_keras_serializable("ir_attention")
class HierarchicalEncoder(keras.layers.Layer):
    """Words to sentences to a document: a BiGRU and attention at both levels.

    For each sentence `h_it = BiGRU(x_it)` and `s_i = sum_t a_it h_it` with `a_i` the attention
    over its words (equations 1-7 of Yang et al. 2016); for each document the same over its
    sentences (equations 8-10). Everything is ragged: words lie end to end, sentence after sentence,
    and sentences document after document, so that only real ones are computed.

    Masking: by lengths and counts. Words and sentences beyond them have no say, and neither have
    sentences without words, wherever they stand; a document without sentences gives zeros. A mask
    of `inputs` is not looked at, and none is passed on.

    Args:
        units: Width of one GRU direction; every vector that comes out is twice that wide.
        pool: Size of both attentions.
        levels: 2, or 1 for documents of a single sentence, whose vector is the document's; of
            several it is the sum.
        seed: Of the initial weights.
        packed, threads: As of `BiGRU`.

    Call arguments:
        inputs: Floats, `(words, width)`; or, with `places`, the rows of a table; or padded at the
            end of each sentence, `(sents, steps, width)`, and then `values` likewise.
        lengths: Words of each sentence, `(sents,)`.
        counts: Sentences of each document, `(batch,)`.
        places: Which of `inputs` each word is, `(words,)`. Each is multiplied once, however many
            words it stands for. Default: the words are the inputs.
        values: Floats, `(words, any)`, to be pooled by the same attention. Default: none.
        steps: The most words of a sentence and sentences of a document there may be. Needed where
            sizes must be known beforehand, as on JAX.

    Returns:
        Floats, `(batch, 2 * units)`; with `values` a pair, of this and of the values' means by the
        weights of words and sentences, `(batch, any)`.
    """

    def __init__(
        self,
        units: int,
        pool: int,
        *,
        levels: int = 2,
        seed: int | None = None,
        packed: bool | None = None,
        threads: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if levels not in (1, 2):
            raise ValueError(f"`levels` must be 1 or 2. Received: levels={levels!r}")
        self.units, self.pool, self.levels, self.seed = units, pool, levels, seed
        self.packed, self.threads = packed, threads
        seeds = [None if seed is None else seed + number for number in range(4)]
        dtype = self.dtype_policy

        def recurrent(seed: int | None, name: str) -> BiGRU:
            return BiGRU(units, seed, packed, threads, dtype=dtype, name=name)

        def attention(seed: int | None, name: str) -> AttentionPool:
            initializer = keras.initializers.GlorotUniform(seed)
            return AttentionPool(pool, initializer=initializer, dtype=dtype, name=name)

        self.word_gru = recurrent(seeds[0], "word_gru")
        self.word_pool = attention(seeds[1], "word_pool")
        if levels == 2:
            self.sentence_gru = recurrent(seeds[2], "sentence_gru")
            self.sentence_pool = attention(seeds[3], "sentence_pool")
        self.supports_jit = not self.word_gru.runs_packed

    def build(
        self,
        inputs_shape: Any,
        lengths_shape: Any = None,
        counts_shape: Any = None,
        places_shape: Any = None,
        values_shape: Any = None,
    ) -> None:
        self.word_gru.build(inputs_shape)
        wide = (None, None, 2 * self.units)
        self.word_pool.build(wide)
        if self.levels == 2:
            self.sentence_gru.build(wide)
            self.sentence_pool.build(wide)

    def call(
        self,
        inputs: Any,
        lengths: Any,
        counts: Any,
        places: Any = None,
        values: Any = None,
        steps: tuple[int | None, int | None] = (None, None),
    ) -> Any:
        lengths, counts = ops.cast(lengths, "int32"), ops.cast(counts, "int32")
        if len(inputs.shape) == 3:
            steps = (inputs.shape[1], steps[1])
            inputs, places = real_words(inputs, lengths)
            if values is not None:
                values = ops.take(real_words(values, lengths)[0], places, axis=0)
        sentences, word_weights = attended(
            self.word_gru, self.word_pool, inputs, lengths, places, steps[0]
        )
        if self.levels == 1:
            documents = segment_sums(sentences, counts)
            weights = word_weights
        else:
            # Sentences without words are none: the others move up.
            full = ops.cast(lengths > 0, "int32")
            number = ops.arange(ops.shape(lengths)[0], dtype="int32")
            order = ops.cast(ops.argsort(number + (1 - full) * ops.shape(lengths)[0]), "int32")
            documents, sentence_weights = attended(
                self.sentence_gru,
                self.sentence_pool,
                sentences,
                run_sums(full, counts),
                order,
                steps[1],
            )
            # Back to where they stood, and to their words.
            none = ops.zeros((1,), "int32")  # for padding, and where there are no sentences
            place = ops.concatenate([ops.maximum(ops.cumsum(full) - 1, 0), none])
            place = ops.take(place, rows_of(lengths, ops.shape(word_weights)[0]), axis=0)
            zero = ops.zeros((1,), sentence_weights.dtype)
            sentence_weights = ops.concatenate([sentence_weights, zero])
            weights = word_weights * ops.take(sentence_weights, place, axis=0)
        if values is None:
            return documents
        pooled = segment_sums(values * ops.expand_dims(weights, 1), run_sums(lengths, counts))
        return documents, pooled

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def compute_output_shape(
        self,
        inputs_shape: Any,
        lengths_shape: Any,
        counts_shape: Any,
        places_shape: Any = None,
        values_shape: Any = None,
    ) -> Any:
        documents = (counts_shape[0], 2 * self.units)
        return (
            documents if values_shape is None else (documents, (counts_shape[0], values_shape[-1]))
        )

    def get_config(self) -> dict[str, Any]:
        names = ("units", "pool", "levels", "seed", "packed", "threads")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
