"""Documents to vectors with a `han-bi`, each text once: what was encoded lately is remembered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from ir_attention.errors import DataError
from ir_attention.scoring.bi_encoder import BiEncoderScorer, products

__all__ = ["CAPACITY", "Encoder", "VectorCache"]

# Vectors that are remembered. One of the default model has 448 numbers, 1.8 kB: 60 MB in all.
CAPACITY = 32_768


class VectorCache:
    """The vectors of the texts that were asked for last, by content.

    A text is known by a hash of its bytes, so that texts themselves are not kept. Where there is
    no room left, the one that nobody asked for longest goes first.

    Args:
        capacity: How many vectors to remember; 0 for none.
        width: Of a vector.
    """

    def __init__(self, capacity: int, width: int) -> None:
        self.capacity = capacity
        self._rows = np.empty((0, width), np.float32)
        self._row_of: OrderedDict[bytes, int] = OrderedDict()  # the latest last

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, key: bytes) -> bool:
        return key in self._row_of

    def get(self, keys: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Which keys are known, booleans `(keys,)`, and the vectors of those, `(known, width)`."""
        rows = np.array([self._row_of.get(key, -1) for key in keys], np.int64)
        known = rows >= 0
        for key, here in zip(keys, known.tolist(), strict=True):
            if here:
                self._row_of.move_to_end(key)
        return known, self._rows[rows[known]]

    def put(self, keys: Sequence[bytes], vectors: np.ndarray) -> None:
        """Remembers vectors `(keys, width)` of keys that are not known and differ."""
        keys = keys[max(len(keys) - self.capacity, 0) :]
        if not keys:
            return
        free = [self._row_of.popitem(last=False)[1] for _ in range(self._excess(len(keys)))]
        free += range(len(self._row_of) + len(free), len(self._row_of) + len(keys))
        self._grow(len(self._row_of) + len(keys))
        self._row_of.update(zip(keys, free, strict=True))
        self._rows[free] = vectors[len(vectors) - len(keys) :]

    def _excess(self, number: int) -> int:
        return max(len(self._row_of) + number - self.capacity, 0)

    def _grow(self, number: int) -> None:
        if number > len(self._rows):
            more = min(max(2 * len(self._rows), number), self.capacity)
            rows = np.empty((more, self._rows.shape[1]), np.float32)
            rows[: len(self._rows)] = self._rows
            self._rows = rows


class Encoder:
    """A `han-bi` that encodes no document again while it remembers it.

    Args:
        scorer: The model.
        capacity: How many vectors of documents to remember; 0 for none.
    """

    def __init__(self, scorer: BiEncoderScorer, capacity: int = CAPACITY) -> None:
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 0:
            raise DataError(f"`vectors` must be a whole number from 0. Received: {capacity!r}")
        self.scorer = scorer
        self.cache = VectorCache(capacity, scorer.width)
        self._lock = threading.Lock()  # a server may ask from several threads

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, in another process too, remembers nothing yet."""
        return Encoder, (self.scorer, self.cache.capacity)

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts, higher is better."""
        texts, place = _distinct(queries)
        distinct, document = _distinct(documents)
        left, right = self._encoded(texts, distinct)
        return products(left, place, right, document)

    def encode_documents(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of documents, `(documents, width)` float32."""
        distinct, place = _distinct(documents)
        return self._encoded([], distinct)[1][place]

    def encode_queries(self, queries: Sequence[str]) -> np.ndarray:
        """Vectors of queries, `(queries, width)` float32."""
        return self.scorer.encode(queries, [])[0]

    def _encoded(self, queries: list[str], documents: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """The vectors of queries and of distinct documents."""
        if not self.cache.capacity:
            return self.scorer.encode(queries, documents)
        keys = [
            blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            for text in documents
        ]
        with self._lock:
            known, old = self.cache.get(keys)
        missing = np.flatnonzero(~known).tolist()
        left, new = self.scorer.encode(queries, [documents[number] for number in missing])
        with self._lock:
            # Another thread may have been quicker.
            fresh = [at for at, number in enumerate(missing) if keys[number] not in self.cache]
            self.cache.put([keys[missing[at]] for at in fresh], new[fresh])
        vectors = np.empty((len(documents), self.scorer.width), np.float32)
        vectors[known], vectors[~known] = old, new
        return left, vectors


def _distinct(texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The distinct texts, and the place of each text among them."""
    numbers: dict[str, int] = {}
    place = np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)
    return list(numbers), place
