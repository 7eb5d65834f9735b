"""How ragged sequences are laid out step by step, so that only real steps are computed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Part", "parts_of", "row_sums", "row_tops"]

Array = np.ndarray

# Rows that go through the loop over steps together at most: enough for long products, few enough
# that what a step touches stays in the cache.
_ROWS = 512
# Words from which there are two parts at least, so that two threads have something to do.
_WORDS = 8192


class Part(NamedTuple):
    """Some rows of like length. A slot is a word's place in the order of steps, row by row."""

    start: int  # slots of the parts before
    live: list[int]  # rows still running at each step
    rows: Array  # which sequences these are, longest first
    slots: Array  # (2, slots) the word of each slot, forwards and backwards
    row: Array  # (slots,) the row of each slot, of the part's own
    step: Array  # (slots,) its step
    mirror: Array  # (slots,) where the same word stands in the other direction's order

    def block_rows(self, kinds: int) -> Array:
        """Where each slot stands when a step holds `kinds` rows for each, kind after kind.

        Each step's numbers are then in one piece: `(kinds, slots)` places among `kinds * slots`.
        """
        running = np.array(self.live, np.int64)
        firsts = (np.cumsum(running) - running)[self.step]
        kind = np.arange(kinds)[:, None]
        return kinds * firsts + kind * running[self.step] + self.row


def parts_of(lengths: Array) -> list[Part]:
    """Parts of like length and about as many words each; sequences without words are in none."""
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
    if not len(order):
        return []
    starts, sizes = (np.cumsum(lengths) - lengths)[order], lengths[order]
    ends = np.cumsum(sizes)
    number = max(-(-len(order) // _ROWS), 2 if ends[-1] >= _WORDS else 1)
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, number) / number, side="left") + 1
    parts, start = [], 0
    for rows in np.split(np.arange(len(order)), np.unique(cuts)):
        if len(rows):
            parts.append(_part(start, order[rows], starts[rows], sizes[rows]))
            start += len(parts[-1].row)
    return parts


def _part(start: int, rows: Array, starts: Array, sizes: Array) -> Part:
    live = np.searchsorted(-sizes, -np.arange(sizes[0]), side="left")
    step = np.repeat(np.arange(len(live)), live)
    firsts = np.cumsum(live) - live  # the first slot of each step
    row = np.arange(len(step)) - firsts[step]
    there, back = starts[row] + step, starts[row] + sizes[row] - 1 - step
    mirror = firsts[sizes[row] - 1 - step] + row
    return Part(start, live.tolist(), rows, np.stack([there, back]), row, step, mirror)


def row_sums(values: Array, part: Part) -> Array:
    """The sum of one value per slot, `(slots,)`, over the steps of each row."""
    return _grid(values, part, 0).sum(axis=0)


def row_tops(values: Array, part: Part) -> Array:
    """The largest of one value per slot in each row."""
    return _grid(values, part, -np.inf).max(axis=0)


def _grid(values: Array, part: Part, rest: float) -> Array:
    grid = np.full((len(part.live), part.live[0]), rest, values.dtype)
    grid[part.step, part.row] = values
    return grid
