"""The hierarchical attention document encoder of Yang et al. (2016), over ragged documents."""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras
from ir_attention.models.attention import AttentionPool
from ir_attention.models.forward import Pooling, poolings
from ir_attention.models.pooling import RAGGED
from ir_attention.models.ragged import real_words, rows_of, run_sums, segment_sums
from ir_attention.models.recurrent import BiGRU, attended

__all__ = ["HierarchicalEncoder"]

ops = keras.ops


@keras.saving.register_keras_serializable("ir_attention")
class HierarchicalEncoder(keras.layers.Layer):
    """Words to sentences to a document: a BiGRU and attention at both levels.

    For each sentence `h_it = BiGRU(x_it)` and `s_i = sum_t a_it h_it` with `a_i` the attention
    over its words (equations 1-7 of Yang et al. 2016); for each document the same over its
    sentences (equations 8-10). With `pooling="mean"` or `"max"` the states are pooled without
    attention at both levels, which the paper calls HN-AVE and HN-MAX (section 3.4) and measures
    attention, HN-ATT, against; with a pair, as `("mean", "attention")`, each level in its own way.
    Everything is ragged: words lie end to end, sentence after sentence, and sentences document
    after document, so that only real ones are computed.

    Masking: by lengths and counts. Words and sentences beyond them have no say, and neither have
    sentences without words, wherever they stand; a document without sentences gives zeros. A mask
    of `inputs` is not looked at, and none is passed on.

    Args:
        units: Width of one GRU direction; every vector that comes out is twice that wide, or that
            wide if there is one direction.
        pool: Size of both attentions. Default: as wide as what they pool.
        pooling: `attention`, `mean` or `max`, of words and of sentences, or a pair of these names.
            The last two have no weights of their own. With one level the second has no say.
        levels: 2, or 1 for documents of a single sentence, whose vector is the document's; of
            several it is the sum.
        seed: Of the initial weights.
        packed, threads: As of `BiGRU`.
        bidirectional: Whether both GRUs read from the end too; without, they have half the weights.
        return_weights: Whether a call returns the weights of words and sentences too.

    Call arguments:
        inputs: Floats, `(words, width)`; or, with `places`, the rows of a table; or padded at the
            end of each sentence, `(sents, steps, width)`, and then `values` likewise.
        lengths: Words of each sentence, `(sents,)`.
        counts: Sentences of each document, `(batch,)`.
        places: Which of `inputs` each word is, `(words,)`. Each is multiplied once, however many
            words it stands for. Default: the words are the inputs.
        values: Floats, `(words, any)`, to be pooled by the same weights. Default: none.
        steps: The most words of a sentence and sentences of a document there may be. Needed where
            sizes must be known beforehand, as on JAX.

    Returns:
        Floats, `(batch, 2 * units)`, or `(batch, units)` if there is one direction. With `values`
        also their means by the weights of words and sentences, `(batch, any)`. With
        `return_weights` also the weight of each word in its sentence, `(words,)` or, of padded
        inputs, `(sents, steps)`, and of each sentence in its document, `(sents,)`, 1 if there is
        one level. Those of `max` are shares: see `MaxPool`.
    """

    def __init__(
        self,
        units: int,
        pool: int | None = None,
        *,
        pooling: Pooling = "attention",
        levels: int = 2,
        seed: int | None = None,
        packed: bool | None = None,
        threads: int = 1,
        bidirectional: bool = True,
        return_weights: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._poolings = poolings(pooling)
        if levels not in (1, 2):
            raise ValueError(f"`levels` must be 1 or 2. Received: levels={levels!r}")
        self.units, self.pool, self.levels, self.seed = units, pool, levels, seed
        self.pooling = pooling if isinstance(pooling, str) else tuple(pooling)
        self.packed, self.threads = packed, threads
        self.bidirectional, self.return_weights = bidirectional, return_weights
        seeds = [None if seed is None else seed + number for number in range(4)]
        dtype = self.dtype_policy

        def recurrent(seed: int | None, name: str) -> BiGRU:
            more = {"bidirectional": bidirectional, "dtype": dtype, "name": name}
            return BiGRU(units, seed, packed, threads, **more)

        def attention(seed: int | None, name: str) -> AttentionPool:
            initializer = keras.initializers.GlorotUniform(seed)
            return AttentionPool(pool, initializer=initializer, dtype=dtype, name=name)

        for number, level in enumerate(("word", "sentence")[:levels]):
            setattr(self, f"{level}_gru", recurrent(seeds[2 * number], f"{level}_gru"))
            if self._poolings[level] == "attention":
                setattr(self, f"{level}_pool", attention(seeds[2 * number + 1], f"{level}_pool"))
        self.supports_jit = not self.word_gru.runs_packed

    def build(
        self,
        inputs_shape: Any,
        lengths_shape: Any = None,
        counts_shape: Any = None,
        places_shape: Any = None,
        values_shape: Any = None,
    ) -> None:
        wide = (None, None, self.word_gru.width)
        for level, shape in (("word", inputs_shape), ("sentence", wide))[: self.levels]:
            getattr(self, f"{level}_gru").build(shape)
            if self._poolings[level] == "attention":
                getattr(self, f"{level}_pool").build(wide)

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
        padded = len(inputs.shape) == 3
        if padded:
            steps = (inputs.shape[1], steps[1])
            inputs, places = real_words(inputs, lengths)
            if values is not None:
                values = ops.take(real_words(values, lengths)[0], places, axis=0)
        sentences, word_weights = self._level("word", inputs, lengths, places, steps[0])
        if self.levels == 1:
            documents = segment_sums(sentences, counts)
            sentence_weights = ops.ones((ops.shape(lengths)[0],), word_weights.dtype)
        else:
            # Sentences without words are none: the others move up.
            full = ops.cast(lengths > 0, "int32")
            number = ops.arange(ops.shape(lengths)[0], dtype="int32")
            order = ops.cast(ops.argsort(number + (1 - full) * ops.shape(lengths)[0]), "int32")
            documents, sentence_weights = self._level(
                "sentence", sentences, run_sums(full, counts), order, steps[1]
            )
            # Back to where they stood; to those without words comes what stands behind the rest.
            place = ops.where(lengths > 0, ops.cumsum(full) - 1, ops.sum(full))
            sentence_weights = ops.take(sentence_weights, place, axis=0)
        outputs = [documents]
        if values is not None:
            weights = word_weights
            if self.levels == 2:
                row = rows_of(lengths, ops.shape(word_weights)[0])
                none = ops.zeros((1,), sentence_weights.dtype)  # for padding
                of_words = ops.take(ops.concatenate([sentence_weights, none]), row, axis=0)
                weights = word_weights * of_words
            pooled = values * ops.expand_dims(weights, 1)
            outputs.append(segment_sums(pooled, run_sums(lengths, counts)))
        if self.return_weights:
            if padded:  # back to where they came from
                word_weights = ops.take(word_weights, ops.argsort(places), axis=0)
                word_weights = ops.reshape(word_weights, (-1, steps[0]))
            outputs += [word_weights, sentence_weights]
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _level(
        self, level: str, inputs: Any, lengths: Any, places: Any, steps: int | None
    ) -> tuple[Any, Any]:
        """Vectors of the sequences, `(rows, gru.width)`, and weights of the words, `(words,)`."""
        gru, pooling = getattr(self, f"{level}_gru"), self._poolings[level]
        if pooling == "attention":
            return attended(gru, getattr(self, f"{level}_pool"), inputs, lengths, places, steps)
        return RAGGED[pooling](gru(inputs, lengths, places=places, steps=steps), lengths)

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
        outputs = [(counts_shape[0], self.word_gru.width)]
        if values_shape is not None:
            outputs.append((counts_shape[0], values_shape[-1]))
        if self.return_weights:
            words = inputs_shape[:-1] if places_shape is None else places_shape
            outputs += [tuple(words), tuple(lengths_shape)]
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def get_config(self) -> dict[str, Any]:
        names = (
            "units",
            "pool",
            "pooling",
            "levels",
            "seed",
            "packed",
            "threads",
            "bidirectional",
            "return_weights",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
