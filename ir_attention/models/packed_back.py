"""The way back through `packed`: gradients of a GRU and its attention, by hand, in NumPy.

Only the product with the recurrent weights stays in the loop over the steps. After it, the gradient
of these weights is one product over all slots, and that of the inputs one sum per row of the table.
Sizes are named as in `packed`.
"""

from __future__ import annotations

import numpy as np

from ir_attention.models.packed import Kept, aligned, carved, each, side_by_side
from ir_attention.models.rooms import Take
from ir_attention.models.slots import Part, parts_of, previous_slots, row_sums

__all__ = ["attended_gru_gradients", "bidirectional_gru_gradients"]

Array = np.ndarray
Weights = dict[str, Array]


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
        outgoing: Gradients of the states, `(words, 2 units)`.
        inputs, lengths, weights, places, threads: As they were on the way there.
        kept: As it was filled there.

    Returns:
        Gradients of the inputs, `(rows of a table, width)`, and of the weights, by name.
    """
    recurrent = side_by_side(weights)[1]
    units = recurrent.shape[-1]
    rows = np.ascontiguousarray(outgoing).reshape(-1, units)
    back = np.ascontiguousarray(recurrent.swapaxes(2, 3))
    of_gates = np.empty((3 * len(rows), units), rows.dtype)

    def run(part: Part, take: Take) -> list[Array]:
        own = carved(kept, part, units, 0)
        of_states = take((2, len(part.row), units), rows.dtype)
        np.take(rows, 2 * part.slots + [[0], [1]], axis=0, out=of_states, mode="clip")
        return _through_gates(of_states, own, part, back, of_gates, take)

    sums = _summed(each(run, parts_of(lengths), threads))
    return _of_inputs(of_gates, inputs, weights, places, *sums)


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
        outgoing: Gradients of the vectors, `(rows, 2 units)`, and of alpha, `(words,)`.
        inputs, lengths, weights, pool, places, threads: As they were on the way there.
        kept: As it was filled there.

    Returns:
        Gradients of the inputs, `(rows of a table, width)`, of the GRU's weights, by name, and of
        the attention's.
    """
    recurrent = side_by_side(weights)[1]
    units, context = recurrent.shape[-1], pool["u"].ravel()
    back = np.ascontiguousarray(recurrent.swapaxes(2, 3))
    words = int(lengths.sum())
    of_gates = np.empty((6 * words, units), recurrent.dtype)

    def run(part: Part, take: Take) -> list[Array]:
        own = carved(kept, part, units, len(context))
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
        of_states = take((2, len(both), units), both.dtype)
        of_states[0] = incoming[:, :units]
        np.take(
            incoming.reshape(-1, units), 2 * part.mirror + 1, axis=0, out=of_states[1], mode="clip"
        )
        return [*_through_gates(of_states, own, part, back, of_gates, take), *of_pool]

    product, inside, *of_pool = _summed(each(run, parts_of(lengths), threads))
    of_inputs, of_weights = _of_inputs(of_gates, inputs, weights, places, product, inside)
    of_pool[2] = of_pool[2].reshape(pool["u"].shape)
    return of_inputs, of_weights, dict(zip("Wbu", of_pool, strict=True))


def _summed(done: list[list[Array]]) -> list[Array]:
    """The sums over the parts, in their order."""
    return [sum(ones[1:], start=ones[0]) for ones in zip(*done, strict=True)]


def _through_gates(
    of_states: Array, own: Kept, part: Part, back: Array, of_gates: Array, take: Take
) -> list[Array]:
    """The way back through a part: fills its rows of `of_gates`.

    Returns:
        Its shares of the gradients of the recurrent kernels, `(2, 3, units, units)`, and of the
        biases within, `(2, 3, units)`.
    """
    first, before = part.live[0], take(of_states.shape, of_states.dtype)
    before[:, :first] = 0
    previous = previous_slots(part.live)
    for states, room in zip(own.states, before, strict=True):
        np.take(states, previous, axis=0, out=room[first:], mode="clip")
    inside, candidate = _back(of_states, before, own, part.live, back, take)
    product = np.matmul(before.swapaxes(1, 2)[:, None], inside)
    of_bias = inside.sum(axis=2)
    inside[:, 2] = candidate
    of_gates[6 * part.slots[:, None] + np.arange(6).reshape(2, 3, 1)] = inside
    return [product, of_bias]


def _back(
    outgoing: Array, before: Array, own: Kept, live: list[int], recurrent: Array, take: Take
) -> tuple[Array, Array]:
    """The gradients of what is summed in each gate.

    Args:
        outgoing: Gradients of the states, `(2, slots, units)`; they are overwritten.
        before: The states one step before.

    Returns:
        Of the recurrent shares, `(2, 3, slots, units)`, and of the candidate's whole sum,
        `(2, slots, units)`; the other gates' shares have the gradient of the sum.
    """
    update, reset, candidate = (own.gates[:, number] for number in range(3))
    dtype, shape = outgoing.dtype, outgoing.shape
    inside, rest, of_candidate = (
        take(own.gates.shape, dtype),
        take(shape, dtype),
        take(shape, dtype),
    )
    # What a gradient of the state is multiplied with on its way into each gate, for all steps.
    np.subtract(1, update, out=rest)
    of_update = np.subtract(before, candidate, out=inside[:, 0])
    of_update *= update
    of_update *= rest
    np.multiply(candidate, candidate, out=of_candidate)
    np.subtract(1, of_candidate, out=of_candidate)
    of_candidate *= rest
    of_reset = np.subtract(1, reset, out=inside[:, 1])
    of_reset *= reset
    of_reset *= own.recurrent
    of_reset *= -0.5
    inside[:, 2] = reset
    room = take((6 * live[0] * shape[-1],), dtype)
    carried: Array | None = None
    end = shape[1]
    for rows in reversed(live):
        now = slice(end - rows, end)
        gradient = outgoing[:, now]
        if carried is not None:
            gradient[:, : carried.shape[1]] += carried
        inside[:, 0, now] *= gradient
        of_candidate[:, now] *= gradient
        inside[:, 1:, now] *= of_candidate[:, None, now]
        if end > rows:
            h = room[: 6 * rows * shape[-1]].reshape(2, 3, rows, shape[-1])
            np.matmul(inside[:, :, now], recurrent, out=h)
            carried = np.multiply(gradient, update[:, now], out=gradient)
            carried += h[:, 0]
            carried += h[:, 1]
            carried += h[:, 2]
        end -= rows
    return inside, of_candidate


def _of_inputs(
    of_gates: Array,
    inputs: Array,
    weights: Weights,
    places: Array | None,
    product: Array,
    inside: Array,
) -> tuple[Array, Weights]:
    """Gradients of inputs and weights, from those of the gates `(words * 6, units)`."""
    kernel, units = side_by_side(weights)[0], of_gates.shape[1]
    grid = of_gates.reshape(-1, 6 * units)
    if places is not None:
        grid = _sums(grid, places, len(inputs))
    of_kernel = (inputs.T @ grid).reshape(-1, 2, 3 * units)
    of_bias = np.stack([grid.sum(axis=0).reshape(2, -1), inside.reshape(2, -1)], axis=1)
    of_weights = {}
    for number, way in enumerate(("forward", "backward")):
        of_weights[f"{way}_kernel"] = of_kernel[:, number]
        of_weights[f"{way}_recurrent_kernel"] = product[number].swapaxes(0, 1).reshape(units, -1)
        of_weights[f"{way}_bias"] = of_bias[number]
    return grid @ kernel.T, of_weights


def _sums(values: Array, places: Array, size: int) -> Array:
    """The sum of the rows of each place, `(size, any)`."""
    from scipy.sparse import csr_matrix  # ten times as fast as np.add.reduceat; training alone

    ones = np.ones(len(places), values.dtype)
    return csr_matrix((ones, (places, np.arange(len(places)))), (size, len(places))) @ values
