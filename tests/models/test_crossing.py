"""Both attentions of queries and documents: by hand, and gradients by finite differences."""

import numpy as np
import pytest

from ir_attention.models.crossing import Grouping, cross, cross_gradients, kept_size

WIDTH, UNITS, RAW = 3, 2, 5
# Four queries: with two documents; without words; whose document is empty; without documents.
ASKED, PAIRS, LENGTHS = [2, 0, 3, 1], [2, 1, 1, 0], [3, 1, 2, 0]
ROWS, ROW_OF_WORD = [3, 1, 0, 0], [0, 2, 0, 1, 3, 3]
GROUPING = Grouping(*(np.array(one) for one in (ASKED, ROWS, PAIRS, LENGTHS, ROW_OF_WORD)))


def drawn(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def arguments(size=1.0):
    rows, asked = sum(ROWS), sum(ASKED)
    sides = drawn(rows, WIDTH), drawn(asked, WIDTH)
    projected = size * drawn(rows, 2 * UNITS, seed=1), size * drawn(asked, 2 * UNITS, seed=1)
    return sides, projected, drawn(2, UNITS), (drawn(rows, RAW, seed=2), drawn(asked, RAW, seed=2))


def run(sides, projected, scales, units):
    kept = np.empty(kept_size(GROUPING, UNITS))
    return cross(sides, projected, scales, units, GROUPING, kept), kept


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


# The larger ones are beyond what a product of exponentials can hold.
@pytest.mark.parametrize("size", [1.0, 100.0])
def test_by_hand(size):
    (d, q), (left, right), scales, units = arguments(size)
    found, _ = run((d, q), (left, right), scales, units)

    def logit(number, row, word):
        half = slice(number * UNITS, (number + 1) * UNITS)
        return scales[number] @ np.tanh(left[row, half] + right[word, half])

    # The first query has rows 0 to 2 and words 0 and 1.
    for row in range(3):
        weights = softmax(np.array([logit(0, row, word) for word in (0, 1)]))
        np.testing.assert_allclose(found.document[row], weights @ q[:2], atol=1e-12)
        best = max(0, *(units[0][row] @ units[1][word] for word in (0, 1)))
        assert found.best_document[row] == pytest.approx(best)
    at = 0
    for rows in ([0, 2, 0], [1]):
        for word in (0, 1):
            weights = softmax(np.array([logit(1, row, word) for row in rows]))
            np.testing.assert_allclose(found.query[at], weights @ d[rows], atol=1e-12)
            best = max(0, *(units[0][row] @ units[1][word] for row in rows))
            assert found.best_query[at] == pytest.approx(best)
            at += 1
    # Of the others, nobody has anything to look at.
    assert len(found.query) == 4 + 0 + 3
    for values in (found.document[3:], found.query[4:], found.best_document[3:]):
        np.testing.assert_array_equal(values, 0)


@pytest.mark.parametrize("size", [1.0, 30.0])
def test_gradients_by_differences(size):
    sides, projected, scales, units = arguments(size)
    picks = drawn(sum(ROWS), WIDTH, seed=5), drawn(7, WIDTH, seed=5)

    def loss():
        found, _ = run(sides, projected, scales, units)
        return (found.document * picks[0]).sum() + (found.query * picks[1]).sum()

    _, kept = run(sides, projected, scales, units)
    given = cross_gradients(picks, sides, scales, GROUPING, kept)
    arrays, gradients = [*sides, *projected, scales], [*given[0], *given[1], given[2]]
    for array, gradient in zip(arrays, gradients, strict=True):
        for place in np.ndindex(array.shape):
            start, ends = array[place], []
            for step in (1e-6, -1e-6):
                array[place] = start + step
                ends.append(loss())
            array[place] = start
            assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)
