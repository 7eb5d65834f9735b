"""Vectors of letters: alike where words share a stem or letters, and the same everywhere."""

import os
import subprocess
import sys

import numpy as np
import pytest

from ir_attention.data.letters import letter_vectors
from ir_attention.data.matches import letter_trigrams, lexicon

WIDTH = 256


def cosine(one, other, width=WIDTH):
    left, right = letter_vectors([one, other], width).astype(float)
    return left @ right


@pytest.mark.parametrize("word", ["bridge", "#bridge", "x", "", "👏", "猫", "\ud800", "é" * 40])
def test_every_word_has_a_vector_of_length_1(word):
    vectors = letter_vectors([word, "other"], WIDTH)
    assert vectors.shape == (2, WIDTH)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_the_more_two_words_share_the_closer_they_are():
    same_stem, part, other = (
        cosine("harbour", word) for word in ("harbours", "harbourbridge", "election")
    )
    # Half of a vector is the stem's: 1/2 for it, and of the trigrams 6 of 7 and 8 are shared.
    assert same_stem == pytest.approx(0.5 + 0.5 * 6 / np.sqrt(7 * 8), abs=0.1)
    # No stem; 6 of 7 and 13 trigrams.
    assert part == pytest.approx(0.5 * 6 / np.sqrt(7 * 13), abs=0.1)
    assert abs(other) < 0.1


def test_words_without_anything_in_common_are_at_right_angles_by_the_width():
    words = [f"{a}{b}{a}" for a in "bcdfg" for b in "hjklm"]
    others = [f"{a}{b}{a}" for a in "npqrs" for b in "tvwxz"]
    for width in (64, 1024):
        cosines = letter_vectors(words, width) @ letter_vectors(others, width).T
        assert cosines.std() == pytest.approx(1 / np.sqrt(width), rel=0.3)


def test_no_words():
    assert letter_vectors([], 8).shape == (0, 8)


def test_by_hand():
    """A trigram that stands there twice counts once, and an isolated letter is a trigram too."""
    np.testing.assert_array_equal(*letter_vectors(["aaaaaa", "aaaaaa"], WIDTH))
    assert np.count_nonzero(letter_vectors(["x"], 4096)) == 8  # 4 of ^x$, 4 of the stem


def test_two_processes_agree():
    script = (
        "from ir_attention.data.letters import letter_vectors; import hashlib;"
        "print(hashlib.sha256(letter_vectors(['harbour', '#tag'], 64).tobytes()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in "12"
    }
    assert len(seen) == 1


def test_trigrams_at_hand_give_the_same():
    forms = ["cat", "bridge", "bridgewatch", "é", "a"]
    words = lexicon(forms, forms, np.zeros(5), frozenset())
    for one, other in zip(words.letters(), letter_trigrams(forms), strict=True):
        np.testing.assert_array_equal(one, other)
    given = letter_vectors(forms, 16, words.letters())
    np.testing.assert_array_equal(given, letter_vectors(forms, 16))
