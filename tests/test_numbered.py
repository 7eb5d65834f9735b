"""Documents as numbers: in cells, a few of them, how long they are."""

import numpy as np

from ir_attention.scoring.classifier import Numbered

# Two sentences of 1 and 3 words; none; one of 2.
DOCUMENTS = Numbered(np.array([5, 9, 5, 7, 1, 2]), np.array([1, 3, 2]), np.array([2, 0, 1]))


def test_cells_that_are_left_are_0():
    expected = [
        [[5, 0, 0], [9, 5, 7]],
        [[0, 0, 0], [0, 0, 0]],
        [[1, 2, 0], [0, 0, 0]],
    ]
    np.testing.assert_array_equal(DOCUMENTS.padded(), expected)
    empty = Numbered(np.array([], int), np.array([], int), np.array([0]))
    assert empty.padded().shape == (1, 0, 0)


def test_some_of_them():
    assert DOCUMENTS.lengths.tolist() == [4, 0, 2]
    some = DOCUMENTS.taken(np.array([2, 0]))
    assert some.word.tolist() == [1, 2, 5, 9, 5, 7]
    assert some.sentence_lengths.tolist() == [2, 1, 3]
    assert some.sentence_counts.tolist() == [1, 2]
