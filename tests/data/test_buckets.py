"""Buckets: every document once, lengths alike, less padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ir_attention.data.buckets import length_buckets, padded_share


@given(
    lengths=st.lists(st.integers(0, 40), max_size=60),
    size=st.integers(1, 7),
    diversity=st.integers(1, 5),
)
def test_an_epoch_is_a_permutation(lengths, size, diversity):
    rng = np.random.default_rng(0)
    batches = length_buckets(np.array(lengths, int), size, rng, diversity=diversity)
    flat = [place for batch in batches for place in batch]
    assert sorted(flat) == list(range(len(lengths)))
    assert all(0 < len(batch) <= size for batch in batches)
    assert len(batches) == -(-len(lengths) // size)


def test_the_same_seed_gives_the_same_batches():
    lengths = np.arange(50)
    one, other, third = (
        [batch.tolist() for batch in length_buckets(lengths, 8, np.random.default_rng(seed))]
        for seed in (1, 1, 2)
    )
    assert one == other != third


def test_padding_falls_on_skewed_lengths():
    lengths = np.ceil(np.random.default_rng(1).lognormal(5, 0.7, 4096)).astype(int)
    padded = [
        padded_share(lengths, length_buckets(lengths, 64, np.random.default_rng(2), diversity=size))
        for size in (1, 10)
    ]
    # Cells of padding, in units of all words: of 100 words some 400 cells are padding by chance.
    cells = [share / (1 - share) for share in padded]
    assert cells[1] < 0.7 * cells[0]


def test_the_padded_share_by_hand():
    batches = [np.array([0, 1]), np.array([2])]
    # Two rows of 4 and one of 2: 10 cells, of which 1 + 4 + 2 are words.
    assert padded_share(np.array([1, 4, 2]), batches) == pytest.approx(0.3)
    assert padded_share(np.array([], int), []) == 0
