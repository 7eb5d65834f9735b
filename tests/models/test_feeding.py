"""What MatchZoo's models are fed with, made of whole batches: equal to MatchZoo's own."""

import numpy as np
import pytest
from tensorflow import sparse

import ir_attention.matchzoo as mz
from ir_attention.models.feeding import Feed, Side, hashed, match_histogram, pooling_index

rng = np.random.default_rng(3)


def test_a_histogram_by_hand():
    vectors = np.array([[1, 0], [0, 1], [-1, 0], [0.6, 0.8]], np.float32)
    left, right = np.array([[0, 3]]), np.array([[0, 3, 2, 1]])
    # Of word 0: cosines 1, .6 and -1 (the fourth word is padding), in bins 29, 23 and 0.
    histogram = match_histogram(vectors, left, right, np.array([3]))
    assert histogram.shape == (1, 2, 30)
    assert histogram.dtype == np.float32
    expected = np.zeros(30)
    expected[[29, 23, 0]] = np.log(2)
    np.testing.assert_allclose(histogram[0, 0], expected, rtol=1e-6)
    expected = np.zeros(30)  # cosines .6, 1 and -.6
    expected[[23, 29, 5]] = np.log(2)
    np.testing.assert_allclose(histogram[0, 1], expected, rtol=1e-6)


def test_histograms_are_those_of_matchzoo():
    vectors = rng.normal(size=(40, 7))
    left, right = rng.integers(40, size=(9, 4)), rng.integers(40, size=(9, 11))
    lengths = rng.integers(12, size=9)
    # None of them a match, whose cosine MatchZoo may round to below 1.
    right[np.isin(right, left)] = 39
    left[left == 39] = 0
    x = {"text_left": left, "text_right": right, "length_right": lengths}
    mz.data_generator.callbacks.Histogram(vectors, hist_mode="LCH").on_batch_unpacked(x, None)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ours = match_histogram(unit, left, right, lengths)
    np.testing.assert_allclose(ours, x["match_histogram"], atol=1e-6)


def test_the_same_word_is_in_the_last_bin():
    vectors = rng.normal(size=(500, 50)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    words = np.arange(500)[:, None]
    histogram = match_histogram(vectors, words, words, np.ones(500, int))
    assert (histogram[:, 0].argmax(axis=1) == 29).all()


def test_pooling_indices_are_those_of_matchzoo():
    left, right = np.array([0, 1, 3, 5, 5]), np.array([8, 0, 8, 3, 1])
    x = {"length_left": left, "length_right": right}
    mz.data_generator.callbacks.DynamicPooling(5, 8).on_batch_unpacked(x, None)
    np.testing.assert_array_equal(pooling_index(left, right, (5, 8)), x["dpool_index"])


def test_counts_are_those_of_matchzoo():
    index = {"<PAD>": 0, "<OOV>": 1, "#wo": 2, "wor": 3, "ord": 4, "rd#": 5}
    unit = mz.preprocessors.units.WordHashing(index)
    texts = [["#wo", "wor", "wor", "xyz", "abc", "abc"], [], ["rd#"]]
    expected = np.array([unit.transform(text) for text in texts])
    np.testing.assert_array_equal(hashed(texts, index, 1).toarray(), expected)
    assert expected[0].tolist() == [0, 2, 1, 2, 0, 0]  # two unknown ones: the last one counts
    words = [[["#wo", "ord"], ["xyz"]], [["wor", "wor"], ["rd#"]]]
    expected = np.array([unit.transform(text) for text in words])
    side = Side(hashed(words, index, 2), np.zeros(2, int), 2)
    taken = side.take(np.array([1, 0, 1]))
    np.testing.assert_array_equal(sparse.to_dense(taken), expected[[1, 0, 1]])


@pytest.mark.parametrize("steps", [0, 1])
def test_a_side_gives_rows_as_asked(steps):
    from scipy.sparse import csr_matrix

    words = rng.integers(5, size=(6, 3)).astype(np.float32 if steps else np.int32)
    side = Side(csr_matrix(words) if steps else words, np.full(6, 3), steps)
    feed = Feed(side, side, np.array([0, 0]), np.array([4, 1]))
    taken = feed.right.take(feed.document)
    np.testing.assert_array_equal(sparse.to_dense(taken) if steps else taken, words[[4, 1]])
