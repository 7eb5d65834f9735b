"""A GRU and its attention over ragged sequences in NumPy: real steps alone.

Sequences lie end to end, `(words, width)` with the lengths beside them. They are sorted by length,
longest first, and laid out step by step: at step t the first `live[t]` rows are still running, so
every step is a dense product of exactly these. Both directions go through one loop; weights without
`backward_*` are of a GRU that reads forwards alone. Of the inputs, each distinct vector is
multiplied once, whatever the number of words that it stands for.

Training runs on it through `recurrent.py`, with the way back in `packed_back.py`; ranking through
`forward.py`. Sizes: rows (sequences), words, slots (words in the order of steps), width, units;
ways, the number of directions, 2 or 1; and pool, the size of the attention.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from ir_attention.models.rooms import Take, rooms
from ir_attention.models.slots import Part, parts_of, row_sums, row_tops
from ir_attention.threads import over_threads

__all__ = [
    "WAYS",
    "Folded",
    "Kept",
    "aligned",
    "aligned_rows",
    "attended_gru",
    "bidirectional_gru",
    "carved",
    "each",
    "fold",
    "kept_size",
    "side_by_side",
]

Array = np.ndarray
Weights = dict[str, Array]
Result = TypeVar("Result")

WAYS = ("forward", "backward")

# z and r are 1 / (1 + exp(-x)), the candidate 2 / (1 + exp(-2 x)) - 1, which takes less time than
# NumPy's tanh. The factors of x go into the weights; they are powers of two, so nothing is lost.
_SIGNS = (-1.0, -1.0, -2.0)


class Folded(NamedTuple):
    """Inputs that have been through the input product, for one GRU: what each step adds up."""

    table: Array  # (rows * 3 ways, units): z, r, candidate forwards, then backwards


class Kept(NamedTuple):
    """What the way back needs of the way there, for one part of the rows.

    Rows stand step after step, and within a step kind after kind (`Part.block_rows`), so that each
    step's numbers are in one piece.
    """

    gates: Array  # (3 ways * slots, units) z, r, candidate forwards, then backwards
    recurrent: Array  # (ways * slots, units) -2 (h R_c + b'), before the reset
    states: Array  # (ways * slots, units)
    hidden: Array  # (slots, pool) of the attention
    alpha: Array  # (slots,)


def fold(inputs: Array, weights: Weights) -> Folded:
    """The input product of all rows of a table, `(rows, width)`, with the biases."""
    kernel, recurrent, bias = side_by_side(weights)
    ways, units = recurrent.shape[::3]
    scale = np.array(_SIGNS, kernel.dtype)
    scaled = kernel.reshape(-1, ways, 3, units) * scale[:, None]
    table = inputs @ scaled.reshape(-1, 3 * ways * units)
    folded = bias[:, 0].copy()
    folded[:, :2] += bias[:, 1, :2]  # only the candidate's recurrent bias stands within the reset
    table += (folded * scale[:, None]).ravel()
    return Folded(table.reshape(-1, units))


def bidirectional_gru(
    inputs: Array | Folded,
    lengths: Array,
    weights: Weights,
    places: Array | None = None,
    *,
    threads: int = 1,
    kept: Array | None = None,
) -> Array:
    """The states of both directions, or one. Cho et al. (2014), with the reset after the product.

    `z, r = sigmoid(x W + h R + b)`, `c = tanh(x W_c + b + r * (h R_c + b'))`,
    `h = z * h + (1 - z) * c`.

    Args:
        inputs: `(rows of a table, width)`, each of them multiplied once; or what `fold` made.
        lengths: Words of each sequence, `(rows,)`; 0 is allowed.
        weights: For `forward` and `backward`, or `forward` alone, `*_kernel` `(width, 3 units)`,
            `*_recurrent_kernel` `(units, 3 units)`, `*_bias` `(2, 3 units)`; the gates in the order
            z, r, candidate, as in Keras.
        places: The row of `inputs` that each word is, `(words,)`, the sequences end to end.
            Default: the words are the rows.
        threads: How many take part; the result does not depend on it.
        kept: `(kept_size,)`, to be filled with what the way back needs. Default: no way back.

    Returns:
        The states after each word, `(words, ways * units)`, forward beside backward.
    """
    folded, recurrent, bias = _prepared(inputs, weights)
    ways, units = recurrent.shape[::3]
    out = np.empty((int(lengths.sum()), ways * units), recurrent.dtype)

    def run(part: Part, take: Take) -> None:
        own = None if kept is None else carved(kept, part, ways, units)
        states = _there(folded, part, places, (recurrent, bias), own, take)
        out[part.slots[0]] = aligned(states, part, take)

    each(run, parts_of(lengths), threads)
    return out


def attended_gru(
    inputs: Array | Folded,
    lengths: Array,
    weights: Weights,
    pool: Weights,
    places: Array | None = None,
    *,
    threads: int = 1,
    kept: Array | None = None,
) -> tuple[Array, Array]:
    """The states of `bidirectional_gru`, pooled by attention: one level of Yang et al. (2016).

    `hidden = tanh(h W + b)`, `alpha = softmax(hidden u)` over the words of a sequence.

    Args:
        inputs, lengths, weights, places, threads, kept: As of `bidirectional_gru`.
        pool: `W` `(ways * units, pool)`, `b` `(pool,)`, `u` `(pool,)` or `(pool, 1)`.

    Returns:
        A vector of each sequence, `(rows, ways * units)`, zeros of one without words; and alpha,
        `(words,)`.
    """
    folded, recurrent, bias = _prepared(inputs, weights)
    ways, units = recurrent.shape[::3]
    kernel, shift, context = -2 * pool["W"], -2 * pool["b"], pool["u"].ravel()
    vectors = np.zeros((len(lengths), ways * units), recurrent.dtype)
    alpha = np.empty(int(lengths.sum()), recurrent.dtype)

    def run(part: Part, take: Take) -> None:
        own = None if kept is None else carved(kept, part, ways, units, len(context))
        states = _there(folded, part, places, (recurrent, bias), own, take)
        both = aligned(states, part, take)
        hidden = take((len(both), len(context)), both.dtype) if own is None else own.hidden
        np.matmul(both, kernel, out=hidden)
        hidden += shift
        _tanh_of_minus_two(hidden)
        logits = hidden @ context
        logits -= row_tops(logits, part)[part.row]
        np.exp(logits, out=logits)
        logits /= row_sums(logits, part)[part.row]
        if own is not None:
            own.alpha[...] = logits
        alpha[part.slots[0]] = logits
        both *= logits[:, None]
        vectors[part.rows] = _step_sums(both, part.live)

    each(run, parts_of(lengths), threads)
    return vectors, alpha


def kept_size(words: int, ways: int, units: int, pool: int = 0) -> int:
    """How many numbers the way back needs; `pool` is 0 without attention."""
    return words * (5 * ways * units + pool + 1)


def side_by_side(weights: Weights) -> tuple[Array, Array, Array]:
    """`(width, 3 ways units)`, `(ways, 3, units, units)` by gate, and `(ways, 2, 3, units)`."""
    there = [way for way in WAYS if f"{way}_kernel" in weights]
    kernel = np.concatenate([weights[f"{way}_kernel"] for way in there], axis=1)
    recurrent = np.stack([weights[f"{way}_recurrent_kernel"] for way in there])
    ways, units = recurrent.shape[:2]
    bias = np.stack([weights[f"{way}_bias"] for way in there]).reshape(ways, 2, 3, units)
    return kernel, recurrent.reshape(ways, units, 3, units).swapaxes(1, 2), bias


def _prepared(inputs: Array | Folded, weights: Weights) -> tuple[Array, Array, Array]:
    """The folded inputs, and the candidate's share of biases and all recurrent kernels, scaled."""
    _, recurrent, bias = side_by_side(weights)
    scale = np.array(_SIGNS, recurrent.dtype)
    folded = inputs if isinstance(inputs, Folded) else fold(inputs, weights)
    return folded.table, recurrent * scale[:, None, None], bias[:, 1, 2:] * scale[2]


def carved(kept: Array, part: Part, ways: int, units: int, pool: int = 0) -> Kept:
    """A part's own share of `kept`."""
    slots = len(part.row)
    size = kept_size(slots, ways, units, pool)
    start = kept_size(part.start, ways, units, pool)
    ends = np.cumsum([3 * ways * units, ways * units, ways * units, pool, 1]) * slots
    gates, recurrent, states, hidden, alpha = np.split(kept[start : start + size], ends[:-1])
    return Kept(
        gates.reshape(3 * ways * slots, units),
        recurrent.reshape(ways * slots, units),
        states.reshape(ways * slots, units),
        hidden.reshape(slots, pool),
        alpha,
    )


def each(run: Callable[[Part, Take], Result], parts: list[Part], threads: int) -> list[Result]:
    """What `run` gives for each part, in their order."""

    def one(part: Part) -> Result:
        # Overflow: 1 / (1 + inf) is the 0 that it should be.
        with np.errstate(over="ignore"), rooms() as take:
            return run(part, take)

    return over_threads(one, parts, threads)


def _there(
    table: Array,
    part: Part,
    places: Array | None,
    inner: tuple[Array, Array],
    own: Kept | None,
    take: Take,
) -> Array:
    """The states of a part, `(ways * slots, units)`, step by step; fills what is to be kept.

    What is not kept is computed in the same room again and again, which stays in the cache.
    """
    recurrent, bias = inner
    ways, units = recurrent.shape[::3]
    kinds, first, size = 3 * ways, part.live[0], len(part.row)
    rows = np.empty(kinds * size, np.int64)
    slots = part.slots[:ways] if places is None else places[part.slots[:ways]]
    rows[part.block_rows(kinds)] = np.repeat(kinds * slots, 3, axis=0) + np.arange(kinds)[:, None]
    room = take((3, kinds * first, units), table.dtype)
    states = take((ways * size, units), table.dtype) if own is None else own.states
    state = np.zeros((ways, first, units), table.dtype)
    at = 0
    for running in part.live:
        three, one = (slice(by * at, by * (at + running)) for by in (kinds, ways))
        at += running
        before, h = state[:, :running], room[0, : kinds * running]
        gate = room[1, : kinds * running] if own is None else own.gates[three]
        share = room[2, : ways * running] if own is None else own.recurrent[one]
        np.take(table, rows[three], axis=0, out=gate, mode="clip")
        h, gate = (one.reshape(ways, 3, running, units) for one in (h, gate))
        share, state = (one.reshape(ways, running, units) for one in (share, states[one]))
        np.matmul(before[:, None], recurrent, out=h)
        both = gate[:, :2]
        both += h[:, :2]
        np.exp(both, out=both)
        both += 1
        np.divide(1, both, out=both)
        np.add(h[:, 2], bias, out=share)
        candidate = gate[:, 2]
        candidate += np.multiply(both[:, 1], share, out=h[:, 2])
        _tanh_of_minus_two(candidate)
        np.subtract(before, candidate, out=state)
        state *= both[:, 0]
        state += candidate
    return states


def _tanh_of_minus_two(x: Array) -> None:
    """`tanh(-x / 2)`, in place."""
    np.exp(x, out=x)
    x += 1
    np.divide(2, x, out=x)
    x -= 1


def aligned(states: Array, part: Part, take: Take) -> Array:
    """The directions of each word side by side, `(slots, ways * units)`, in the forward order."""
    ways = len(states) // len(part.row)
    both = take(states.shape, states.dtype)
    np.take(states, aligned_rows(part, ways).T.ravel(), axis=0, out=both, mode="clip")
    return both.reshape(len(part.row), -1)


def aligned_rows(part: Part, ways: int) -> Array:
    """Where `aligned` finds the states of each direction, `(ways, slots)`."""
    rows = part.block_rows(ways)
    rows[1:] = rows[1:, part.mirror]
    return rows


def _step_sums(values: Array, live: list[int]) -> Array:
    """The sum over the steps of each row, `(rows, width)`; in the room of the first step."""
    total = values[: live[0]]
    at = live[0]
    for running in live[1:]:
        total[:running] += values[at : at + running]
        at += running
    return total
