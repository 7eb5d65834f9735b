"""The layout step by step: every word once in each direction, in rows that only get fewer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.models import slots


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=40), st.sampled_from([3, 384]))
def test_every_word_once(lengths, rows):
    lengths = np.array(lengths, int)
    starts = np.cumsum(lengths) - lengths
    before, slots._ROWS = slots._ROWS, rows
    try:
        parts = slots.parts_of(lengths)
    finally:
        slots._ROWS = before
    for way in (0, 1):
        words = [part.slots[way] for part in parts]
        assert sorted(np.concatenate([[], *words])) == list(range(lengths.sum()))
    at = 0
    for part in parts:
        assert part.start == at and sum(part.live) == len(part.row)
        assert part.live == sorted(part.live, reverse=True) and len(part.rows) == part.live[0]
        at += len(part.row)
        for slot, (row, step) in enumerate(zip(part.row, part.step, strict=True)):
            sequence = part.rows[row]
            there = starts[sequence] + step
            assert part.slots[0][slot] == there
            assert part.slots[1][slot] == starts[sequence] + lengths[sequence] - 1 - step
            assert part.slots[1][part.mirror[slot]] == there
        for kinds in (1, 6):
            rows = part.block_rows(kinds)
            assert sorted(rows.ravel()) == list(range(kinds * len(part.row)))
            for step, running in enumerate(part.live):  # kind after kind, row after row
                first = kinds * sum(part.live[:step])
                own = rows[:, part.step == step].ravel()
                np.testing.assert_array_equal(own, first + np.arange(kinds * running))
        values = np.arange(1.0, len(part.row) + 1)
        for row in range(part.live[0]):
            own = values[part.row == row]
            assert slots.row_sums(values, part)[row] == own.sum()
            assert slots.row_tops(-values, part)[row] == -own.min()


def test_many_words_make_two_parts():
    parts = slots.parts_of(np.full(400, 30))
    sizes = [len(part.row) for part in parts]
    assert len(sizes) == 2 and sum(sizes) == 12_000
    assert max(sizes) / min(sizes) == pytest.approx(1, abs=0.05)
