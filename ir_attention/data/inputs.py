"""Pairs to what the Keras models take: a dict of arrays, whose sizes may be fixed beforehand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ir_attention.data.arrays import PairArrays

__all__ = ["Sizes", "document_inputs", "model_inputs"]


class Sizes(NamedTuple):
    """How large a batch may be, where sizes are fixed."""

    queries: int = 16
    pairs: int = 128
    # What the lengths of arrays are rounded up to, so that they seldom change; 1 leaves them.
    step: int = 1


def model_inputs(arrays: PairArrays, sizes: Sizes) -> dict[str, np.ndarray]:
    """Pairs as `models.matcher` and `models.bi_encoder` take them: ragged, as int32 and float32.

    Where sizes are rounded up, zeros stand behind everything: queries without words, documents
    without sentences, words beyond the lengths.

    Returns:
        By name: `pieces` `(pieces,)`, unique ids, the rest are places in it; `query` `(asked,)`,
        all queries end to end, and `query_length` `(queries,)`; `row_piece` `(rows,)` and
        `row_features` `(rows, 8)`, the words of each query's documents once each, and `row_count`
        `(queries,)`; `pair_count` `(queries,)`, documents of each; `document_row` `(words,)`, the
        row of each word of the documents, with `sentence_length` `(sents,)` and `sentence_count`
        `(pairs,)`; `query_features` `(asked of each pair, 8)` and `overall` `(pairs, 14)`.
    """
    queries = len(arrays.query_lengths)
    ragged = {
        "pieces": arrays.pieces,
        "query": arrays.query,
        "row_piece": arrays.row_piece,
        "row_features": arrays.row_features,
        "document_row": arrays.document_row,
        "sentence_length": arrays.sentence_lengths,
        "query_features": arrays.query_features,
    }
    of_queries = {
        "query_length": arrays.query_lengths,
        "row_count": np.bincount(arrays.row_query, minlength=queries),
        "pair_count": np.bincount(arrays.pair_query, minlength=queries),
    }
    of_pairs = {"sentence_count": arrays.sentence_counts, "overall": arrays.overall}
    exact = sizes.step == 1
    return {
        **{name: _filled(one, _up(len(one), sizes.step)) for name, one in ragged.items()},
        **{
            name: _filled(one, queries if exact else sizes.queries)
            for name, one in of_queries.items()
        },
        **{
            name: _filled(one, len(one) if exact else sizes.pairs) for name, one in of_pairs.items()
        },
    }


def document_inputs(
    word: np.ndarray, lengths: np.ndarray, counts: np.ndarray, sizes: Sizes
) -> dict[str, np.ndarray]:
    """Documents as `models.classifier` takes them: ragged, as int32.

    Args:
        word: Every word of the documents, end to end, as its id in a vocabulary.
        lengths: Words of each sentence.
        counts: Sentences of each document.
        sizes: Where sizes are rounded up, zeros stand behind everything; `pairs` are documents.

    Returns:
        By name: `pieces`, the distinct ids; `place` `(words,)`, which of them each word is;
        `sentence_length` `(sents,)`; `sentence_count` `(documents,)`.
    """
    pieces, place = np.unique(word, return_inverse=True)
    ragged = {"pieces": pieces, "place": place, "sentence_length": lengths}
    batch = len(counts) if sizes.step == 1 else sizes.pairs
    return {
        **{name: _filled(one, _up(len(one), sizes.step)) for name, one in ragged.items()},
        "sentence_count": _filled(counts, batch),
    }


def _up(number: int, step: int) -> int:
    return max(1, -(-number // step)) * step


def _filled(values: np.ndarray, size: int) -> np.ndarray:
    """`values` with rows of zeros behind, as int32 or float32."""
    narrow = np.float32 if values.dtype.kind == "f" else np.int32
    if len(values) == size:
        return values.astype(narrow, copy=False)
    if len(values) > size:
        raise ValueError(f"a batch must fit into `sizes`. Received: {len(values)} for {size}")
    out = np.zeros((size, *values.shape[1:]), narrow)
    out[: len(values)] = values
    return out
