"""The hierarchical attention network as a classifier of documents. Yang et al. (2016)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_attention.backend import keras
from ir_attention.models.han import HierarchicalEncoder
from ir_attention.models.matcher import named_weights

__all__ = ["ClassAccuracy", "HanClassifier", "HanClassifierSettings", "WeightedCrossEntropy"]

ops = keras.ops


@dataclass(frozen=True)
class HanClassifierSettings:
    """The sizes of a `HanClassifier`. Widths in numbers, dropouts as shares.

    Args:
        classes: How many.
        gru: Width of one direction of both GRUs.
        pool: Size of both attentions, as wide as the context vectors.
        hidden: Width of a layer with a ReLU before the classes; 0 for none, as in the paper.
        bidirectional: Whether sequences are read from both ends.
        word_pooling, sentence_pooling: `attention`, `mean` or `max`: HN-ATT, HN-AVE and HN-MAX.
        levels: 2, or 1 for documents read as one sentence.
        trainable_vectors: Whether word vectors are trained on.
        dropout: Share of the values of word vectors that are dropped in training.
        word_dropout: Share of the words of a batch whose vectors are not shown at all.
        output_dropout: Share of the values dropped before each of the last layers.
    """

    classes: int
    gru: int = 64
    pool: int = 64
    hidden: int = 0
    bidirectional: bool = True
    word_pooling: str = "attention"
    sentence_pooling: str = "attention"
    levels: int = 2
    trainable_vectors: bool = True
    dropout: float = 0.4
    word_dropout: float = 0.3
    output_dropout: float = 0.5


class HanClassifier(keras.Model):
    """Words to sentences to a document to classes.

    `h_it = BiGRU(W_e w_it)`, sentences `s_i = sum_t a_it h_it`, `h_i = BiGRU(s_i)`, the document
    `v = sum_i a_i h_i`, classes `p = softmax(W_c v + b_c)`: equations 1 to 11 of Yang et al.
    (2016), with the attention of `AttentionPool` at both levels. With `hidden`, `v` goes through
    `relu(W v + b)` first.

    Masking: by lengths and counts, as in `HierarchicalEncoder`. A document without words has the
    vector 0, so that its classes are those that are usual.

    Args:
        table: Vectors of words, `(vocabulary, width)`; row 0 is that of unknown words.
        settings: The sizes.
        seed: Of the initial weights and of dropout.
        steps: The most words of a sentence and sentences of a document; needed on JAX.
        packed, threads: As of `BiGRU`.

    Call arguments:
        inputs: Integers by name: `pieces`, the distinct words of the batch as rows of `table`;
            `place` `(words,)`, which of them each word is, documents end to end;
            `sentence_length` `(sents,)`, in words; `sentence_count` `(batch,)`.

    Returns:
        The logits of the classes, `(batch, classes)`: `p` is their softmax.
    """

    def __init__(
        self,
        table: np.ndarray,
        settings: HanClassifierSettings,
        seed: int = 7,
        *,
        steps: tuple[int | None, int | None] = (None, None),
        packed: bool | None = None,
        threads: int = 1,
        dtype: Any = None,
    ) -> None:
        super().__init__(name="han_classifier", dtype=dtype)
        dtype = self.dtype_policy
        self.settings = s = settings
        self.steps = steps
        take = iter(int(one) for one in np.random.SeedSequence(seed).generate_state(8) >> 1)
        self.table = keras.layers.Embedding(
            *table.shape,
            trainable=s.trainable_vectors,
            weights=[table],
            name="table",
            dtype=dtype,
        )
        self.document_encoder = HierarchicalEncoder(
            s.gru,
            s.pool,
            pooling=(s.word_pooling, s.sentence_pooling),
            bidirectional=s.bidirectional,
            levels=s.levels,
            seed=next(take),
            packed=packed,
            threads=threads,
            return_weights=True,
            name="document_encoder",
            dtype=dtype,
        )

        def dense(units: int, name: str, activation: str | None = None) -> Any:
            initializer = keras.initializers.GlorotUniform(next(take))
            return keras.layers.Dense(
                units, activation, kernel_initializer=initializer, name=name, dtype=dtype
            )

        self.hidden = dense(s.hidden, "hidden", "relu") if s.hidden else None
        self.output_layer = dense(s.classes, "output")
        self.drop_values = keras.layers.Dropout(s.dropout, seed=next(take), dtype=dtype)
        self.drop_words = keras.layers.Dropout(
            s.word_dropout, noise_shape=(None, 1), seed=next(take), dtype=dtype
        )
        self.drop_outputs = [
            keras.layers.Dropout(s.output_dropout, seed=next(take), dtype=dtype) for _ in range(2)
        ]
        self._build(table.shape[1])

    def _build(self, width: int) -> None:
        s = self.settings
        states = self.document_encoder.word_gru.width
        self.table.build((None,))
        self.document_encoder.build((None, None, width))
        if self.hidden is not None:
            self.hidden.build((None, states))
        self.output_layer.build((None, s.hidden or states))
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self._read(inputs, training)[0]

    def look(self, documents: np.ndarray) -> dict[str, np.ndarray]:
        """What the network makes of padded documents, and where it looked.

        Args:
            documents: Words as rows of the table, `(batch, sents, words)`; 0 is padding, wherever
                it stands.

        Returns:
            `logits`, the classes' probabilities, `(batch, classes)`, by the name that others
            who show this network have for them; `w_scores`, the weight of
            each word in its sentence, of the shape of `documents`; `s_scores`, that of each
            sentence, `(batch, sents)`. Padding has weight 0.
        """
        documents = np.asarray(documents)
        real = documents > 0
        pieces, place = np.unique(documents[real], return_inverse=True)
        inputs = {
            "pieces": pieces,
            "place": place,
            "sentence_length": real.sum(axis=2).ravel(),
            "sentence_count": np.full(len(documents), documents.shape[1]),
        }
        inputs = {name: np.asarray(one, np.int32) for name, one in inputs.items()}
        logits, words, sentences = self._read(inputs, training=False)
        of_words = np.zeros(documents.shape, np.float32)
        of_words[real] = ops.convert_to_numpy(words)
        return {
            "logits": ops.convert_to_numpy(ops.softmax(logits, axis=-1)),
            "w_scores": of_words,
            "s_scores": ops.convert_to_numpy(sentences).reshape(documents.shape[:2]),
        }

    def weights_by_name(self) -> dict[str, np.ndarray]:
        """Every weight but the table, as `layer/weight`: what `classifier_forward` takes."""
        return {name: ops.convert_to_numpy(weight) for name, weight in named_weights(self).items()}

    def load_by_name(self, weights: Mapping[str, np.ndarray]) -> None:
        """Sets every weight but the table, whatever backend it was trained on; see `Bundle`."""
        for name, weight in named_weights(self).items():
            weight.assign(weights[name])

    def _read(self, inputs: Any, training: bool) -> tuple[Any, Any, Any]:
        x = inputs
        words = self.drop_words(self.table(x["pieces"]), training=training)
        words = self.drop_values(words, training=training)
        vectors, of_words, of_sentences = self.document_encoder(
            words, x["sentence_length"], x["sentence_count"], x["place"], steps=self.steps
        )
        drop_vector, drop_hidden = self.drop_outputs
        vectors = drop_vector(vectors, training=training)
        if self.hidden is not None:
            vectors = drop_hidden(self.hidden(vectors), training=training)
        logits = ops.cast(self.output_layer(vectors), "float32")
        return logits, of_words, of_sentences


@keras.saving.register_keras_serializable("ir_attention")
class WeightedCrossEntropy(keras.losses.Loss):
    """`-sum_d w_d log p_d(y_d) / sum_d w_d` over the documents of a batch.

    Call arguments:
        y_true: Floats, `(batch, 2)`: the number of the class, and the weight of the document, 0
            for padding.
        y_pred: Logits, `(batch, classes)`.
    """

    def __init__(self, name: str = "weighted_cross_entropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        number, weight = ops.cast(y_true[:, 0], "int32"), ops.cast(y_true[:, 1], y_pred.dtype)
        losses = keras.losses.sparse_categorical_crossentropy(number, y_pred, from_logits=True)
        return ops.sum(weight * losses) / ops.maximum(ops.sum(weight), 1e-9)


@keras.saving.register_keras_serializable("ir_attention")
class ClassAccuracy(keras.metrics.Mean):
    """The share of documents whose class has the largest logit; padding does not count.

    Call arguments: As of `WeightedCrossEntropy`. Documents count the same, whatever their weight.
    """

    def __init__(self, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        hits = ops.equal(ops.argmax(y_pred, axis=-1), ops.cast(y_true[:, 0], "int64"))
        real = ops.cast(y_true[:, 1] > 0, self.dtype)
        super().update_state(ops.cast(hits, self.dtype), sample_weight=real)
