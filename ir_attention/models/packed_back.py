"""The way back through `packed`: gradients of a GRU and its attention, by hand, in NumPy.

Only the product with the recurrent weights stays in the loop over the steps. After it, the gradient
of these weights is one product over all slots, and that of the inputs one sum per row of the table.
Sizes are named as in `packed`.
"""

from __future__ import annotations

import numpy as np

from ir_attention.models.packed import (
    WAYS,
    Kept,
    aligned,
    aligned_rows,
    carved,
    each,
    side_by_side,
)
from ir_attention.models.rooms import Take, lent
from ir_attention.models.slots import Part, parts_of, row_sums

__all__ = ["attended_gru_gradients", "bidirectional_gru_gradients"]

Array = np.ndarray
Weights = dict[str, Array]

# What the gradients of z, r and candidate are to be multiplied with; see `_slopes`.
_MADE_UP = np.array([1, -0.5, 1], np.float32)


def bidirectional_gru_gradients(
    outgoing: Array,
    inputs: Array,
    lengths: Array,
    weights: Weights,
    kept: Array,
    places: Array | None = None,
    *,
    threads: int = 1,
) -> tuple[Array, Weights]:
    """The way back through `bidirectional_gru`.

    Args:
        outgoing: Gradients of the states, `(words, ways * units)`.
        inputs, lengths, weights, places, threads: As they were on the way there.
        kept: As it was filled there.

    Returns:
        Gradients of the inputs, `(rows of a table, width)`, and of the weights, by name.
    """
    recurrent = side_by_side(weights)[1]
    ways, units = recurrent.shape[::3]
    back = _back(recurrent)
    of_gates = lent(3 * outgoing.size, outgoing.dtype).reshape(-1, units)

    def run(part: Part, take: Take) -> list[Array]:
        own = carved(kept, part, ways, units)
        of_states = _of_aligned(outgoing[part.slots[0]], part, ways, take)
        return _through_gates(of_states, own, part, back, of_gates, take)

    parts = parts_of(lengths)
    sums = _summed(each(run, parts, threads), weights)
    return _of_inputs(_sums(of_gates, parts, ways, places, len(inputs)), inputs, weights, *sums)


def attended_gru_gradients(
    outgoing: tuple[Array, Array],
    inputs: Array,
    lengths: Array,
    weights: Weights,
    pool: Weights,
    kept: Array,
    places: Array | None = None,
    *,
    threads: int = 1,
) -> tuple[Array, Weights, Weights]:
    """The way back through `attended_gru`.

    Args:
        outgoing: Gradients of the vectors, `(rows, ways * units)`, and of alpha, `(words,)`.
        inputs, lengths, weights, pool, places, threads: As they were on the way there.
        kept: As it was filled there.

    Returns:
        Gradients of the inputs, `(rows of a table, width)`, of the GRU's weights, by name, and of
        the attention's.
    """
    recurrent = side_by_side(weights)[1]
    (ways, units), context = recurrent.shape[::3], pool["u"].ravel()
    back = _back(recurrent)
    words = int(lengths.sum())
    of_gates = lent(3 * ways * words * units, recurrent.dtype).reshape(-1, units)

    def run(part: Part, take: Take) -> list[Array]:
        own = carved(kept, part, ways, units, len(context))
        both = aligned(own.states, part, take)
        incoming = take(both.shape, both.dtype)
        np.take(outgoing[0], part.rows[part.row], axis=0, out=incoming, mode="clip")
        of_alpha = np.einsum("sw,sw->s", both, incoming)
        of_alpha += outgoing[1][part.slots[0]]
        of_alpha -= row_sums(own.alpha * of_alpha, part)[part.row]
        of_logits = own.alpha * of_alpha
        of_hidden = np.multiply(own.hidden, own.hidden, out=take(own.hidden.shape, both.dtype))
        np.subtract(1, of_hidden, out=of_hidden)
        of_hidden *= of_logits[:, None]
        of_hidden *= context
        of_pool = [both.T @ of_hidden, of_hidden.sum(axis=0), own.hidden.T @ of_logits]
        incoming *= own.alpha[:, None]
        incoming += np.matmul(of_hidden, pool["W"].T, out=both)
        of_states = _of_aligned(incoming, part, ways, take)
        return [*_through_gates(of_states, own, part, back, of_gates, take), *of_pool]

    parts = parts_of(lengths)
    product, inside, *of_pool = _summed(each(run, parts, threads), weights, pool)
    grid = _sums(of_gates, parts, ways, places, len(inputs))
    of_inputs, of_weights = _of_inputs(grid, inputs, weights, product, inside)
    of_pool[2] = of_pool[2].reshape(pool["u"].shape)
    return of_inputs, of_weights, dict(zip("Wbu", of_pool, strict=True))


def _summed(done: list[list[Array]], weights: Weights, pool: Weights | None = None) -> list[Array]:
    """The sums over the parts, in their order; without any, zeros."""
    recurrent = side_by_side(weights)[1]
    zeros = [np.zeros_like(recurrent), np.zeros_like(recurrent[:, 0, 0])]
    if pool is not None:
        zeros += [np.zeros_like(one) for one in (pool["W"], pool["b"], pool["u"].ravel())]
    return [sum(ones, start=zero) for *ones, zero in zip(*done, zeros, strict=True)]


def _of_aligned(both: Array, part: Part, ways: int, take: Take) -> Array:
    """The way back through `aligned`: `(slots, ways * units)` to `(ways * slots, units)`."""
    by_way = both.reshape(len(both), ways, -1)
    of_states = take((ways * len(both), by_way.shape[2]), both.dtype)
    for way, rows in enumerate(aligned_rows(part, ways)):
        of_states[rows] = by_way[:, way]
    return of_states


def _through_gates(
    of_states: Array, own: Kept, part: Part, back: Array, of_gates: Array, take: Take
) -> list[Array]:
    """The way back through a part: fills its rows of `of_gates`.

    Args:
        of_states: Gradients of the states, `(ways * slots, units)`, as in `Kept`; overwritten.
        back: Recurrent kernels, transposed, of the reset gate times -1 / 2; see `_slopes`.
        of_gates: Gradients of the gates of all parts, `(3 ways * words, units)`, as in `Kept`.

    Returns:
        Its shares of the gradients of the recurrent kernels, `(ways, 3, units, units)`, and of the
        candidate's bias within the reset, `(ways, units)`.
    """
    ways, units = back.shape[::3]
    kinds, first = 3 * ways, part.live[0]
    inside = of_gates[kinds * part.start : kinds * (part.start + len(part.row))]
    room = take((2, kinds * first, units), of_states.dtype)
    product, of_bias = np.zeros_like(back), np.zeros((ways, units), of_states.dtype)
    ones = np.ones((1, first), of_states.dtype)
    carried: Array | None = None
    end = len(part.row)
    for step in reversed(range(len(part.live))):
        rows = part.live[step]
        three, one = (slice(by * (end - rows), by * end) for by in (kinds, ways))
        end -= rows
        gradient = of_states[one].reshape(ways, rows, units)
        if carried is not None:
            gradient[:, : carried.shape[1]] += carried
        gates, through = (x[three].reshape(ways, 3, rows, units) for x in (own.gates, inside))
        before = None
        if step:
            earlier = part.live[step - 1]
            before = own.states[ways * (end - earlier) : ways * end]
            before = before.reshape(ways, earlier, units)[:, :rows]
        share = own.recurrent[one].reshape(ways, rows, units)
        _slopes(gates, share, before, gradient, through, room[1, : 2 * ways * rows])
        of_bias += np.matmul(ones[:, :rows], through[:, 2])[:, 0]
        if before is not None:
            h = room[0, : kinds * rows].reshape(ways, 3, rows, units)
            np.matmul(through, back, out=h)
            carried = np.multiply(gradient, gates[:, 0], out=gradient)
            carried += h[:, 0]
            carried += h[:, 1]
            carried += h[:, 2]
            product += np.matmul(before.swapaxes(1, 2)[:, None], through)
        # What goes on to the inputs is the gradient of the candidate's whole sum.
        through[:, 2] = room[1, : ways * rows].reshape(ways, rows, units)
    return [product, of_bias]


def _slopes(
    gates: Array, share: Array, before: Array | None, gradient: Array, through: Array, room: Array
) -> None:
    """Fills `through` with the gradients of what the recurrent weights gave each gate of a step.

    That of the reset gate comes times -2, as `share` is: a product less.

    Args:
        gates: `(ways, 3, rows, units)`; all else is `(ways, rows, units)`.
        share: The candidate's recurrent share, times -2.
        before: The states before the step; None are zeros.
        gradient: Of the states after it.
        room: `(2 ways * rows, units)`, whose first half is left with the gradients of the
            candidate's whole sum.
    """
    update, reset, candidate = (gates[:, number] for number in range(3))
    of_candidate, rest = room.reshape(2, *gradient.shape)
    np.subtract(1, update, out=rest)
    rest *= gradient
    of_update = through[:, 0]
    if before is None:
        np.negative(candidate, out=of_update)
    else:
        np.subtract(before, candidate, out=of_update)
    of_update *= update
    of_update *= rest
    np.multiply(candidate, candidate, out=of_candidate)
    np.subtract(1, of_candidate, out=of_candidate)
    of_candidate *= rest
    np.multiply(of_candidate, reset, out=through[:, 2])
    of_reset = np.subtract(1, reset, out=through[:, 1])
    of_reset *= share
    of_reset *= through[:, 2]


def _back(recurrent: Array) -> Array:
    """The recurrent kernels of the way back; the reset gate's makes up for what comes times -2."""
    return np.ascontiguousarray((recurrent * _MADE_UP[:, None, None]).swapaxes(2, 3))


def _of_inputs(
    grid: Array, inputs: Array, weights: Weights, product: Array, inside: Array
) -> tuple[Array, Weights]:
    """Gradients of inputs and weights.

    Args:
        grid: Of the gates, `(rows of a table, 3 ways units)`; of the reset gates times -2.
        inputs, weights: As of `bidirectional_gru_gradients`.
        product: Of the recurrent kernels, `(ways, 3, units, units)`, likewise.
        inside: Of the candidate's bias within the reset, `(ways, units)`.
    """
    ways, units = inside.shape
    made_up = np.tile(np.repeat(_MADE_UP, units), ways).astype(grid.dtype)
    of_kernel = ((inputs.T @ grid) * made_up).reshape(-1, ways, 3 * units)
    sums = (grid.sum(axis=0) * made_up).reshape(ways, 3, units)
    inner = np.concatenate([sums[:, :2], inside[:, None]], axis=1)
    product = product * _MADE_UP[:, None, None].astype(grid.dtype)
    of_weights = {}
    for number, way in enumerate(WAYS[:ways]):
        of_weights[f"{way}_kernel"] = of_kernel[:, number]
        of_weights[f"{way}_recurrent_kernel"] = product[number].swapaxes(0, 1).reshape(units, -1)
        of_weights[f"{way}_bias"] = np.stack([sums[number].ravel(), inner[number].ravel()])
    return grid @ (side_by_side(weights)[0] * made_up).T, of_weights


def _sums(of_gates: Array, parts: list[Part], ways: int, places: Array | None, size: int) -> Array:
    """The gradients of the gates of all words that each row of the table stands for.

    Args:
        of_gates: `(3 ways * words, units)`, part after part, as in `Kept`.
        parts, places: Of these words.
        size: Rows of the table.

    Returns:
        `(size, 3 ways units)`.
    """
    from scipy.sparse import csr_matrix  # a tenth of the time of np.add.reduceat; training alone

    kinds = 3 * ways
    words, units = len(of_gates) // kinds, of_gates.shape[1]
    rows = np.empty((kinds, words), np.int32)  # of each kind, where a word's gradient stands
    for part in parts:
        own = kinds * part.start + part.block_rows(kinds).reshape(ways, 3, -1)
        for way, slots in enumerate(part.slots[:ways]):
            rows[3 * way : 3 * way + 3, slots] = own[way]
    places = np.arange(words) if places is None else places
    order = np.argsort(places, kind="stable")
    counts = np.bincount(places, minlength=size)
    firsts = np.cumsum(counts) - counts
    place, kind = places[order], np.arange(kinds)[:, None]
    column = np.empty(kinds * words, np.int32)
    within = np.arange(words) - firsts[place]
    column[kinds * firsts[place] + kind * counts[place] + within] = rows[:, order]
    starts = (kinds * firsts[:, None] + kind.T * counts[:, None]).ravel()
    starts = np.append(starts, kinds * words).astype(np.int32)
    ones = np.ones(kinds * words, of_gates.dtype)
    matrix = csr_matrix((ones, column, starts), (kinds * size, kinds * words))
    return (matrix @ of_gates).reshape(size, kinds * units)
