"""What training takes of long documents."""

from __future__ import annotations

import numpy as np

from ir_attention.runs import spread
from ir_attention.scoring.classifier import Numbered

__all__ = ["clips", "shortened"]


def clips(
    documents: Numbered, sentence_words: float, sentences: float
) -> tuple[tuple[int, int], str]:
    """The most words of a sentence and sentences of a document, and a note if these were shares.

    Args:
        documents: Of training.
        sentence_words, sentences: Whole numbers as they are; a share below 1 is a quantile: so
            many of the sentences, or documents, are whole.
    """
    found, notes = [], []
    for limit, lengths, parts, wholes in (
        (sentence_words, documents.sentence_lengths, "words", "sentences"),
        (sentences, documents.sentence_counts, "sentences", "documents"),
    ):
        most = limit
        if limit < 1:
            most = max(1, int(np.quantile(lengths, limit, method="inverted_cdf")))
            notes.append(f"{limit:.4g} of the {wholes} have {most} {parts} at most")
        found.append(int(most))
    return (found[0], found[1]), "; ".join(notes)


def shortened(documents: Numbered, most: int, sentences: int) -> tuple[Numbered, str]:
    """The beginnings of sentences and documents, and a sentence on what that leaves out.

    Args:
        documents: As they are.
        most: Words of a sentence.
        sentences: Of a document.
    """
    lengths, counts = documents.sentence_lengths, documents.sentence_counts
    long, many = int((lengths > most).sum()), int((counts > sentences).sum())
    if not (long or many):
        return documents, ""
    early = spread(np.zeros_like(counts), counts) < sentences
    kept = (spread(np.zeros_like(lengths), lengths) < most) & np.repeat(early, lengths)
    cut = Numbered(
        documents.word[kept],
        np.minimum(lengths[early], most),
        np.minimum(counts, sentences),
    )
    return cut, (
        f"{long} of {len(lengths)} sentences are longer than {most} words, and {many} of "
        f"{len(counts)} documents than {sentences} sentences: training takes their beginning, "
        f"{kept.mean():.1%} of all words"
    )
