"""Documents that have sentences in common: the same as the plain way, to float32."""

import numpy as np
import pytest

from ir_attention.models.forward import encode_documents, segment_pool
from ir_attention.models.shared_sentences import encode_alike, pool_alike

WIDTH, UNITS, POOL = 5, 3, 7
# Sentences 0, 2 and 5 are the same; 1 has the words of 0 in another order; 3 and 6 have none.
SENTENCES = [[0, 1, 2], [2, 1, 0], [0, 1, 2], [], [4], [0, 1, 2], [], [3, 3]]
COUNTS = np.array([2, 3, 0, 3])


def weights(levels):
    rng = np.random.default_rng(11)
    shapes = {}
    for level, width in (("word", WIDTH), ("sentence", 2 * UNITS))[:levels]:
        for way in ("forward", "backward"):
            shapes[f"{level}_gru/{way}_kernel"] = (width, 3 * UNITS)
            shapes[f"{level}_gru/{way}_recurrent_kernel"] = (UNITS, 3 * UNITS)
            shapes[f"{level}_gru/{way}_bias"] = (2, 3 * UNITS)
        shapes |= {f"{level}_pool/W": (2 * UNITS, POOL), f"{level}_pool/b": (POOL,)}
        shapes[f"{level}_pool/u"] = (POOL, 1)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("levels", [1, 2])
def test_the_same_as_reading_every_sentence(levels):
    table = np.random.default_rng(3).normal(size=(6, WIDTH)).astype(np.float32)
    places = np.concatenate([np.array(one, np.int64) for one in SENTENCES])
    lengths = np.array([len(one) for one in SENTENCES])
    given = table, lengths, COUNTS, weights(levels), places
    for found, expected in zip(encode_alike(*given), encode_documents(*given), strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_documents_give_no_rows():
    none = np.zeros(0, np.int64)
    given = np.zeros((2, WIDTH), np.float32), none, none, weights(2), none
    assert [len(one) for one in encode_alike(*given)] == [0, 0, 0]
    assert pool_alike(np.ones((2, 3)), np.zeros(0), none, none).shape == (0, 3)


def test_pooled_rows_are_weighted_sums():
    values = np.random.default_rng(5).normal(size=(11, WIDTH)).astype(np.float32)
    places, lengths = np.array([3, 3, 10, 0, 3, 10, 7]), np.array([2, 0, 4, 1])
    shares = np.array([0.5, 0.25, 2, 1, 0, -1, 3], np.float32)
    found = pool_alike(values, shares, lengths, places)
    expected = [0.75 * values[3], 0 * values[0], values[10] + values[0], 3 * values[7]]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found, segment_pool(values, shares, lengths, places), atol=1e-6)
