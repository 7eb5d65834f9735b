"""Ragged sequences in Keras: to rectangles and back.

Words lie end to end, `(words, ...)`, with the lengths of the sequences beside them, `(rows,)`.
There may be more words than the lengths add up to: padding, so that sizes need not change.
"""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras

__all__ = [
    "padded_rows",
    "ragged_words",
    "real_words",
    "rows_of",
    "run_sums",
    "segment_sums",
    "spread",
]

ops = keras.ops


def padded_rows(inputs: Any, lengths: Any, places: Any = None, steps: int | None = None) -> Any:
    """Each sequence as a row, `(rows, steps, ...)`; what stands at padding is any word or 0.

    Args:
        inputs: `(words, ...)`, or the rows of a table.
        lengths: `(rows,)`.
        places: Which row of the table each word is, `(words,)`. Default: the words are the rows.
        steps: The longest length there may be. Default: looked up, which JAX cannot while it
            compiles.
    """
    if steps is None:
        steps = _longest(lengths)
    starts = ops.cumsum(lengths) - lengths
    index = ops.expand_dims(starts, 1) + ops.arange(steps, dtype="int32")
    words = ops.shape(inputs if places is None else places)[0]
    index = ops.clip(index, 0, words)  # behind the last there is one more, of zeros
    if places is not None:
        table = ops.shape(inputs)[0] * ops.ones((1,), "int32")
        index = ops.take(ops.concatenate([ops.cast(places, "int32"), table]), index, axis=0)
    none = ops.zeros((1, *inputs.shape[1:]), inputs.dtype)
    return ops.take(ops.concatenate([inputs, none]), index, axis=0)


def _longest(lengths: Any) -> Any:
    """The longest length, at least 1: a number, or in a graph of TensorFlow a tensor."""
    if keras.backend.backend() == "tensorflow":
        zero = ops.zeros((1,), lengths.dtype)
        return ops.maximum(ops.max(ops.concatenate([lengths, zero])), 1)
    try:
        return max(1, int(ops.convert_to_numpy(lengths).max(initial=1)))
    except Exception as error:  # each backend has its own for a value that is not known yet
        raise ValueError(
            "`steps` must be given where lengths are not known beforehand. Received: steps=None"
        ) from error


def ragged_words(padded: Any, lengths: Any, words: Any) -> Any:
    """The words of rows, `(rows, steps, width)`, end to end, `(words, width)`; 0 at padding."""
    rows, steps = ops.shape(padded)[:2]
    width = padded.shape[2]
    row = rows_of(lengths, words)
    starts = ops.concatenate([ops.zeros((1,), lengths.dtype), ops.cumsum(lengths)])
    place = row * steps + ops.arange(words, dtype="int32") - ops.take(starts, row, axis=0)
    flat = ops.reshape(padded, (-1, width))
    flat = ops.concatenate([flat, ops.zeros((1, width), flat.dtype)])
    return ops.take(flat, ops.where(row < rows, place, rows * steps), axis=0)


def real_words(inputs: Any, lengths: Any) -> tuple[Any, Any]:
    """Padded rows, `(rows, steps, width)`, as a table with zeros at padding, and its real rows.

    Returns:
        `(rows * steps, width)`, and places in it, `(rows * steps,)`: of real words end to end, and
        of padding behind them.
    """
    steps, width = inputs.shape[1:]
    real = ops.arange(steps, dtype="int32") < ops.expand_dims(lengths, 1)
    inputs = ops.where(ops.expand_dims(real, -1), inputs, ops.zeros_like(inputs))
    real = ops.cast(ops.reshape(real, (-1,)), "int32")
    size = ops.shape(real)[0]
    order = ops.argsort(ops.arange(size, dtype="int32") + (1 - real) * size)
    return ops.reshape(inputs, (-1, width)), ops.cast(order, "int32")


def rows_of(lengths: Any, words: Any) -> Any:
    """The sequence of each word, `(words,)`; of padding the number of sequences."""
    number = ops.arange(words, dtype="int32")
    return ops.cast(ops.searchsorted(ops.cumsum(lengths), number, side="right"), "int32")


def run_sums(values: Any, counts: Any) -> Any:
    """The sum of each run of `counts` values, whole numbers, `(runs,)`."""
    bounds = ops.concatenate([ops.zeros((1,), values.dtype), ops.cumsum(values)])
    last = ops.cumsum(counts)
    return ops.take(bounds, last, axis=0) - ops.take(bounds, last - counts, axis=0)


def segment_sums(values: Any, lengths: Any) -> Any:
    """The sum of the words of each sequence, `(words, ...)` to `(rows, ...)`."""
    rows = ops.shape(lengths)[0]
    row = rows_of(lengths, ops.shape(values)[0])
    return ops.segment_sum(values, row, num_segments=rows + 1)[:-1]


def spread(starts: Any, lengths: Any, words: Any) -> Any:
    """The places `start, start + 1, ...` of several runs, end to end, `(words,)`; 0 at padding."""
    row = rows_of(lengths, words)
    shift = ops.concatenate(
        [starts - (ops.cumsum(lengths) - lengths), ops.zeros((1,), starts.dtype)]
    )
    number = ops.arange(words, dtype="int32")
    places = number + ops.take(shift, row, axis=0)
    return ops.where(row < ops.shape(lengths)[0], places, ops.zeros_like(places))
