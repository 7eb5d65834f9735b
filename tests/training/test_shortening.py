"""What training takes of long documents, by hand."""

import numpy as np

from ir_attention.scoring.classifier import Numbered
from ir_attention.training.shortening import clips, shortened

# Two documents: sentences of 1, 4 and 2 words, and one of 3.
DOCUMENTS = Numbered(np.arange(10), np.array([1, 4, 2, 3]), np.array([3, 1]))


def test_limits_are_numbers_or_shares():
    assert clips(DOCUMENTS, 100, 7) == ((100, 7), "")
    limits, note = clips(DOCUMENTS, 0.75, 7)
    assert limits == (3, 7)
    assert note == "0.75 of the sentences have 3 words at most"
    limits, note = clips(DOCUMENTS, 0.76, 0.5)
    assert limits == (4, 1)
    assert note.endswith("0.5 of the documents have 1 sentences at most")


def test_beginnings_stay():
    kept, note = shortened(DOCUMENTS, 2, 2)
    assert kept.word.tolist() == [0, 1, 2, 7, 8]
    assert kept.sentence_lengths.tolist() == [1, 2, 2]
    assert kept.sentence_counts.tolist() == [2, 1]
    assert note.startswith("2 of 4 sentences are longer than 2 words, and 1 of 2 documents than 2 ")
    assert note.endswith("50.0% of all words")


def test_short_documents_stay_as_they_are():
    assert shortened(DOCUMENTS, 4, 3) == (DOCUMENTS, "")


def test_documents_without_words():
    empty = Numbered(np.arange(0), np.array([0]), np.array([1, 0]))
    assert clips(empty, 0.5, 0.5)[0] == (1, 1)
    assert shortened(empty, 1, 1) == (empty, "")
