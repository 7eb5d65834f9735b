"""The additive-attention tutorial on MatchZoo, put right: a preprocessor and a model for its calls.

    from ir_attention import matchzoo as mz
    from ir_attention.models.tutorial import AdditiveMatcher, VectorPreprocessor

    data = VectorPreprocessor(vectors).transform(mz.pack(frame))
    model = AdditiveMatcher()
    model.params["task"] = mz.tasks.Ranking(loss=mz.losses.RankHingeLoss())
    model.build()
    model.compile()
    model.fit_generator(mz.DataGenerator(data, mode="pair", num_dup=5, batch_size=10), epochs=10)

What the tutorial gets wrong is not repeated here: the vector that scores is a weight and is
trained, attention goes over words and not over dimensions, padding gets none of it, and its
direction has a name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import ir_attention.matchzoo as mz
from ir_attention.backend import keras, ops
from ir_attention.models.attention import AdditiveAttention
from ir_attention.text import normal

__all__ = ["AdditiveMatcher", "VectorPreprocessor"]

# Letters and underscores: digits and punctuation end a word, case is kept.
_WORD = re.compile(r"[^\d\W]+")

# Vectors of words that have none are drawn from here, as MatchZoo draws them.
_UNKNOWN = 0.2

_POLICIES = ("drop", "unk", "random")


class VectorPreprocessor(mz.engine.base_preprocessor.BasePreprocessor):
    """Texts to the vectors of their words, in the middle of zeros: `(length, width)` each.

    Words are runs of letters and underscores, as they are written. Of longer texts the first
    `length` words that remain are kept.

    All texts become arrays at once, 36 kB each at the tutorial's sizes: ten thousand documents
    take 360 MB.

    Args:
        vectors: A dict from word to vector or gensim's KeyedVectors, asked for a word as it is
            written; or what `data.vectors.read_vectors` read from a file, asked for its matching
            form (`text.normal`), which has no capitals.
        length: Words of a text.
        unknown: What becomes of words that have no vector: `drop` leaves them out, `unk` gives
            them all one vector and `random` each one of its own; both are drawn by `seed`.
        seed: A number of at least 0.

    Attributes:
        missing: How often each word without a vector came up in the last `transform`.

    Raises:
        ValueError: `unknown` is none of these.
    """

    def __init__(
        self, vectors: Any, length: int = 30, *, unknown: str = "drop", seed: int = 7
    ) -> None:
        super().__init__()
        if unknown not in _POLICIES:
            raise ValueError(f"`unknown` must be one of {_POLICIES}. Received: unknown={unknown!r}")
        self.length, self.unknown, self.seed = length, unknown, seed
        self.missing: Counter[str] = Counter()
        self._vectors, self._form, self.width = _table(vectors)
        self._fixed = mz.preprocessors.units.FixedLength(
            length,
            pad_value=np.zeros(self.width, np.float32),
            pad_mode="both",
            truncate_mode="post",
        )

    def fit(self, data_pack: Any, verbose: int = 1) -> VectorPreprocessor:
        """Nothing: everything is known beforehand."""
        return self

    def transform(self, data_pack: Any, verbose: int = 1) -> Any:
        """A copy of the pack with arrays for texts; with `verbose`, a line on words left over."""
        self.missing = Counter()
        data_pack = data_pack.copy()
        data_pack.apply_on_text(self.embed, inplace=True, verbose=verbose)
        if verbose and self.missing:
            print(  # noqa: T201  (what `verbose` is for)
                f"{self.missing.total()} words, {len(self.missing)} different ones, have no "
                f"vector: unknown={self.unknown!r}"
            )
        return data_pack

    def embed(self, text: str) -> np.ndarray:
        """The vectors of one text, `(length, width)` float32."""
        vectors = [self._vector(word) for word in _WORD.findall(text)]
        kept = [vector for vector in vectors if vector is not None]
        return np.stack(self._fixed.transform(kept))

    def _vector(self, word: str) -> np.ndarray | None:
        form = self._form(word)
        if form in self._vectors:
            return np.asarray(self._vectors[form], np.float32)
        self.missing[word] += 1
        if self.unknown == "drop":
            return None
        own = word.encode() if self.unknown == "random" else b""
        rng = np.random.default_rng([self.seed, *own])
        return rng.uniform(-_UNKNOWN, _UNKNOWN, self.width).astype(np.float32)


class AdditiveMatcher(mz.engine.base_model.BaseModel):
    """The cosine of a text and of what its words find in the other text.

    Each word of one text attends over the words of the other with additive attention, `softmax_j(v
    . tanh(q_i + d_j))` (Bahdanau et al. 2015, without projections): `(batch, 30, 300)`. The text
    and what it found are flattened, go through one shared `Dense(64, "elu")`, and the score is the
    cosine of the two, in `[-1, 1]`. A hinge loss with a margin of 1 therefore rarely reaches 0.

    Rows of zeros are padding: no attention goes to them, and where they attend, they find zeros.

    Parameters beside MatchZoo's own:
        input_shapes: `[(words, width), (words, width)]`, the same twice. Default: 30 and 300.
        attend_over: Whose words the attention is spread over: `document`, where the query's words
            attend (as the tutorial's code does it), or `query` (as its text has it).
    """

    @classmethod
    def get_default_params(cls) -> Any:
        """MatchZoo's table of parameters."""
        params = super().get_default_params()
        params["input_shapes"] = [(30, 300), (30, 300)]
        params.add(
            mz.engine.param.Param(
                "attend_over", "document", desc="Whose words are attended: document or query."
            )
        )
        return params

    def build(self) -> None:
        """Builds the Keras model, `backend`, and beside it the one that `weights` asks."""
        over = self.params["attend_over"]
        if over not in ("document", "query"):
            raise ValueError(
                f"`attend_over` must be 'document' or 'query'. Received: attend_over={over!r}"
            )
        inputs = self._make_inputs()
        own, other = inputs if over == "document" else inputs[::-1]
        self.attention = AdditiveAttention(name="attention")
        found, weights = self.attention(own, other, value_mask=_is_word(other))
        found = found * ops.cast(ops.expand_dims(_is_word(own), -1), found.dtype)
        self.dense = keras.layers.Dense(64, activation="elu", name="dense")
        sides = [self.dense(keras.layers.Flatten()(side)) for side in (own, found)]
        score = keras.layers.Dot(axes=1, normalize=True, name="cosine")(sides)
        self._backend = keras.Model(inputs, score)
        self._looking = keras.Model(inputs, weights)

    def weights(self, x: Mapping[str, np.ndarray]) -> np.ndarray:
        """Where the words looked, `(rows, words, words)`: the last axis is the attended text."""
        sides = {side: x[side] for side in ("text_left", "text_right")}
        return self._looking.predict(sides, verbose=0)


def _is_word(side: Any) -> Any:
    return ops.any(ops.not_equal(side, 0.0), axis=-1)  # (batch, words)


def _table(vectors: Any) -> tuple[Any, Callable[[str], str], int]:
    """Vectors by word, the form in which they are asked for, and their width."""
    if hasattr(vectors, "table"):  # read from a file, by forms
        words = dict(zip(vectors.words, vectors.table, strict=True))
        return words, normal, vectors.table.shape[1]
    if hasattr(vectors, "vector_size"):  # gensim's
        return vectors, str, vectors.vector_size
    return vectors, str, len(next(iter(vectors.values())))
