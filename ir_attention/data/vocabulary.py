"""Words or word pieces to ids, how rare a word is, and pretrained vectors from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ir_attention.errors import DataError

__all__ = ["UNKNOWN", "Vocabulary"]

# The id of every word that has no vector of its own; its row in the table is all zeros.
UNKNOWN = 0


class Vocabulary:
    """What a trained matcher knows of words: their ids, and how rare each stem is.

    Ids are of whole words, or of the word pieces of a `tokenizers` tokenizer, which cuts words
    never seen in training into pieces that were. Words are in the form of `text.normal`.

    Args:
        words: The words that have a vector; the first has id 1, as 0 is `UNKNOWN`.
        idf: Of each stem, `log(N / df)` over the largest of them: 0 to 1. Other stems get 1.
        tokenizer: The JSON text of a tokenizer, instead of `words`.
    """

    def __init__(
        self,
        words: Sequence[str] = (),
        idf: Mapping[str, float] | None = None,
        tokenizer: str | None = None,
    ) -> None:
        self.words = tuple(words)
        self.idf = dict(idf or {})
        self.tokenizer = tokenizer
        self._ids = {word: number for number, word in enumerate(self.words, start=1)}
        self._pieces = None if tokenizer is None else _tokenizer(tokenizer)

    def ids(self, forms: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The ids of words, end to end, and how many each word has (1, unless cut in pieces)."""
        if self._pieces is None:
            ids = [self._ids.get(form, UNKNOWN) for form in forms]
            return np.array(ids, np.int32), np.ones(len(forms), np.int64)
        unknown = [self.unknown]
        encoded = self._pieces.encode_batch_fast(
            [_without_surrogates(form) for form in forms], add_special_tokens=False
        )
        parts = [encoding.ids or unknown for encoding in encoded]
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
        return np.array([piece for part in parts for piece in part], np.int32), lengths

    @property
    def size(self) -> int:
        """How many ids there are; a table of vectors has at least as many rows."""
        if self._pieces is None:
            return len(self.words) + 1
        return max(self._pieces.get_vocab().values(), default=-1) + 1  # ids may leave gaps

    @property
    def unknown(self) -> int:
        """The id of what is not in the vocabulary."""
        if self._pieces is None:
            return UNKNOWN
        own = getattr(self._pieces.model, "unk_token", None)  # some kinds of model name it
        names = (name for name in (own, "[UNK]", "<unk>", "UNK") if name)
        found = (self._pieces.token_to_id(name) for name in names)
        return next((piece for piece in found if piece is not None), UNKNOWN)

    def rarity(self, stems: Iterable[str]) -> np.ndarray:
        """The idf of stems, 0 to 1; a stem never seen in training is as rare as can be."""
        get = self.idf.get
        return np.array([get(stem, 1.0) for stem in stems], np.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` makes the same vocabulary of them."""
        kind = "words" if self.tokenizer is None else "pieces"
        content = list(self.words) if self.tokenizer is None else self.tokenizer
        return {"kind": kind, kind: content, "idf": self.idf}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `to_json` wrote.

        Raises:
            DataError: The values are not of that form.
        """
        kind, idf = values.get("kind"), values.get("idf")
        content: Any = values.get(kind) if kind in ("words", "pieces") else None
        fits = isinstance(content, list if kind == "words" else str)
        if not isinstance(idf, dict) or not fits:
            raise DataError(
                "a vocabulary holds `kind` (words or pieces), what that names (a list or a "
                f"tokenizer's JSON text), and `idf`. Received: {sorted(values)}, kind {kind!r}"
            )
        if odd := [stem for stem, share in idf.items() if not _is_share(share)]:
            raise DataError(
                "`idf` of a vocabulary must be from 0 to 1. Received: "
                f"{idf[odd[0]]!r} for {odd[0]!r} (1 of {len(odd)})"
            )
        if kind == "pieces":
            return cls(idf=idf, tokenizer=content)
        if odd := [word for word in content if not isinstance(word, str)]:
            raise DataError(
                f"`words` of a vocabulary must be text. Received: {odd[0]!r} (1 of {len(odd)})"
            )
        if len(set(content)) != len(content):
            twice = next(word for word, n in Counter(content).items() if n > 1)
            raise DataError(f"`words` of a vocabulary must differ. Received: {twice!r} twice")
        return cls(content, idf=idf)


def stem_idf(stems: Sequence[str], word: np.ndarray, lengths: np.ndarray) -> dict[str, float]:
    """How rare each stem is: `log(N / df)` over `log N`, of the stems of each of N texts.

    Args:
        stems: Of each unique word.
        word: The words of all texts end to end, as places in `stems`.
        lengths: Words of each text.
    """
    numbers: dict[str, int] = {}
    of_word = np.array([numbers.setdefault(one, len(numbers)) for one in stems], np.int64)
    of_text = np.repeat(np.arange(len(lengths)), lengths)
    there = np.sort(of_text * len(numbers) + of_word[word])
    there = there[np.diff(there, prepend=-1) > 0]  # each stem of a text once
    df = np.bincount(there % max(len(numbers), 1), minlength=len(numbers))
    values = np.log(max(len(lengths), 1) / np.maximum(df, 1)) / np.log(max(len(lengths), 2))
    return {stem: round(float(values[number]), 6) for stem, number in sorted(numbers.items())}


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _tokenizer(content: str) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(content)
    except Exception as error:  # the library raises nothing narrower
        raise DataError(f"not a tokenizer's JSON text ({error})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    try:  # a letter that no vocabulary has, to see that what is unknown has an id
        tokenizer.encode("\U0010fffd", add_special_tokens=False)
    except Exception as error:
        raise DataError(f"the tokenizer has no piece for unknown words ({error})") from error
    return tokenizer


def _without_surrogates(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
