"""Files and frames to labelled documents: a text, or the words of its sentences, and a class."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.data.cutting import Cut, cut_texts
from ir_attention.data.files import Table, load_table, shown
from ir_attention.data.pairs import Labels
from ir_attention.errors import DataError

__all__ = [
    "as_classes",
    "classes_of",
    "cut_documents",
    "read_labelled",
    "split_by_text",
    "without_markup",
]

COLUMNS = ("text", "label")

# What sets of reviews call them, if they have no column of our name.
_OTHER_NAMES = {"text": "tokens", "label": "rating"}

# A tag begins like one: "<3" and "a < b" are text.
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->")
_WHOLE = re.compile(r"[+-]?\d+(?:\.0*)?")
_NESTED = "must be text, or a list of sentences that are lists of words"


def read_labelled(
    source: str | Path | pd.DataFrame,
    columns: Mapping[str, str] | None = None,
    *,
    format: str | None = None,
    labels: Labels = "required",
) -> pd.DataFrame:
    """Reads documents with their classes, and checks every value.

        read_labelled("reviews.csv", {"text": "Review", "label": "Stars"})

    Args:
        source: A CSV, TSV, JSON lines or Parquet file (see `files.read_table`), or a frame.
        columns: What `text` and `label` are called in the source. A column left out is sought
            under its own name, and then as `tokens` or `rating`.
        format: `"csv"`, `"tsv"`, `"jsonl"` or `"parquet"`, for a file whose name does not say.
        labels: Whether there must be labels; if `"optional"`, a column that is not there is left
            out of the result.

    Returns:
        One row per document, in the order of the source, numbered from 0:

        * `text`: a string, which may be empty; or, of a document whose words are known already, a
          tuple of sentences, which are tuples of strings. Numbers of words become strings.
        * `label`: whole numbers if all of them are, as ratings; otherwise strings.

    Raises:
        DataError: A column is missing, or a value is unusable. The message names the file, the
            line, what was received and how many are like it.
        FileNotFoundError: There is no such file.
    """
    if labels not in ("required", "optional"):
        raise DataError(f"labels must be 'required' or 'optional'. Received: {labels!r}.")
    table = _table(source, format)
    headers = _headers(table, dict(columns or {}), labels)
    values = {"text": _texts(table, headers["text"])}
    if "label" in headers:
        values["label"] = _labels(table, headers["label"])
    return pd.DataFrame(values)


def classes_of(labels: pd.Series) -> tuple[list[Any], np.ndarray]:
    """The classes, sorted, as plain values; and the number of each label's, `(documents,)`."""
    unique, numbers = np.unique(labels.to_numpy(), return_inverse=True)
    return unique.tolist(), numbers


def as_classes(labels: pd.Series, classes: Sequence[Any]) -> pd.Series:
    """Labels as the classes a model knows: `1` is 1, whichever a file's other labels made of it.

    Args:
        labels: Of `read_labelled`.
        classes: The model's own.

    Returns:
        The labels, those that are none of the classes as they are.
    """
    known = {str(one): one for one in classes}
    return labels.map(lambda label: known.get(str(label), label)).astype(object)


def split_by_text(
    documents: pd.DataFrame, sizes: Sequence[float], *, seed: int
) -> tuple[pd.DataFrame, ...]:
    """Splits documents so that equal texts are in one part, and each class is shared out alike.

    Args:
        documents: Of `read_labelled`, with labels.
        sizes: Shares, which sum to 1, as `(0.9, 0.1)`.
        seed: Decides which texts go where.

    Returns:
        A part for each size, with its rows in the order of `documents`.

    Raises:
        DataError: The sizes are no shares, or a part would be empty.
    """
    if min(sizes, default=0) <= 0 or abs(sum(sizes) - 1) > 1e-6:
        raise DataError(
            f"sizes must be positive shares that sum to 1. Received: {tuple(sizes)} for "
            f"{len(documents)} documents."
        )
    keys = [text.strip() if isinstance(text, str) else text for text in documents["text"]]
    text, firsts = _numbered(keys)
    _, label = classes_of(documents["label"])
    place = np.random.default_rng(seed).permutation(len(firsts))
    # Within a class in an order by chance, each text at the middle of its share of the class.
    order = np.lexsort((place, label[firsts]))
    counts = np.bincount(label[firsts])
    starts = np.cumsum(counts) - counts
    share = np.empty(len(firsts))
    of_class = label[firsts][order]
    share[order] = (np.arange(len(firsts)) - starts[of_class] + 0.5) / counts[of_class]
    part = np.searchsorted(np.cumsum(sizes)[:-1], share, side="right")[text]
    rows = [np.flatnonzero(part == number) for number in range(len(sizes))]
    if not all(map(len, rows)):
        # Of no class is there a text for each part: then all texts are shared out together.
        part = np.searchsorted(np.cumsum(sizes)[:-1], (place + 0.5) / len(place), "right")[text]
        rows = [np.flatnonzero(part == number) for number in range(len(sizes))]
    if not all(map(len, rows)):
        raise DataError(
            "each part must have a document. Received: "
            f"{tuple(map(len, rows))} of {len(documents)}, for sizes {tuple(sizes)}."
        )
    return tuple(documents.iloc[one].reset_index(drop=True) for one in rows)


def without_markup(text: str) -> str:
    r"""The text with each tag of HTML as white space of its length, beginning with a line break.

    Places of words stay what they are, and a sentence ends where a paragraph does.

    >>> without_markup("Fine.<br />But <3 is no tag")
    'Fine.\n     But <3 is no tag'
    """
    if "<" not in text:
        return text
    return _TAG.sub(lambda tag: "\n".ljust(len(tag[0])), text)


def cut_documents(
    documents: Sequence[Any],
    *,
    tokenizer: Callable[[str], list[str]] | None = None,
    split_sentences: bool = True,
) -> Cut:
    """Cuts documents into sentences and words; those that are cut already stay as they are.

    Args:
        documents: As in `read_labelled`'s column `text`.
        tokenizer, split_sentences: As of `cutting.cut_texts`; for texts.
    """
    texts = [without_markup(one) for one in documents if isinstance(one, str)]
    cut = cut_texts(texts, tokenizer=tokenizer, split_sentences=split_sentences)
    if len(texts) == len(documents):
        return cut
    return _with_nested(documents, cut, split_sentences)


def _with_nested(documents: Sequence[Any], cut: Cut, split_sentences: bool) -> Cut:
    """All documents in their order, those of `cut` where there are texts."""
    numbers = {word: number for number, word in enumerate(cut.written)}
    ends = np.cumsum(cut.sentence_lengths)
    of_texts = iter(np.split(cut.sentence_lengths, np.cumsum(cut.sentence_counts)[:-1]))
    words: list[np.ndarray] = []
    lengths: list[int] = []
    counts: list[int] = []
    sentence = 0
    for document in documents:
        if isinstance(document, str):
            sizes = next(of_texts).tolist()
            start = int(ends[sentence - 1]) if sentence else 0
            words.append(cut.word[start : start + sum(sizes)])
            sentence += len(sizes)
        else:
            parts = document if split_sentences else (tuple(chain.from_iterable(document)),)
            parts = [part for part in parts if part]
            sizes = [len(part) for part in parts]
            flat = [numbers.setdefault(word, len(numbers)) for part in parts for word in part]
            words.append(np.array(flat, np.int64))
        lengths += sizes
        counts.append(len(sizes))
    word = np.concatenate([np.zeros(0, np.int64), *words])
    return Cut(list(numbers), word, np.array(lengths, np.int64), np.array(counts, np.int64))


def _table(source: Any, format: str | None) -> Table:
    if isinstance(source, pd.DataFrame):
        return Table(source, "the frame", lambda row: f"the frame, row {row}")
    if not isinstance(source, str | Path):
        raise DataError(
            f"documents must be a file or a DataFrame. Received: {type(source).__name__} "
            f"{shown(source)}."
        )
    return load_table(Path(source), format)


def _headers(table: Table, columns: dict[str, str], labels: Labels) -> dict[str, str]:
    """Which of the table's columns is the text, and which the label."""
    if unknown := [name for name in columns if name not in COLUMNS]:
        raise DataError(
            f"columns must say for names of {list(COLUMNS)} what they are called in {table.name}. "
            f"Received: {unknown}."
        )
    found, headers = table.headers, {}
    for name in COLUMNS:
        names = [columns[name]] if name in columns else [name, _OTHER_NAMES[name]]
        header = next((one for one in names if one in found), None)
        if header is not None and found.count(header) > 1:
            raise DataError(f"{table.name}: must name each column once. Received: {found}.")
        if header is not None:
            headers[name] = header
        elif name == "text" or name in columns or labels == "required":
            raise DataError(
                f"{table.name}: no column {names[0]!r}. Say what yours is called with "
                f"columns={{{name!r}: ...}}. Received: {found}."
            )
    if len(set(headers.values())) < len(headers):
        raise DataError(
            f"{table.name}: text and label must be two columns. Received: {headers['text']!r} for "
            f"both, of {found}."
        )
    return headers


def _texts(table: Table, header: str) -> pd.Series:
    values = [_document(value) for value in table.frame[header]]
    bad = np.array([value is None for value in values], bool)
    table.refuse(header, bad, _NESTED)
    return pd.Series(values, dtype=object)


def _document(value: Any) -> Any:
    """A text or a tuple of tuples of words; None where it is neither."""
    if isinstance(value, str):
        return value if value.isascii() or _encodes(value) else None
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        return None
    sentences = [one.tolist() if isinstance(one, np.ndarray) else one for one in value]
    if not all(isinstance(one, list | tuple) for one in sentences):
        return None
    if not all(_is_word(word) for sentence in sentences for word in sentence):
        return None
    return tuple(tuple(str(word) for word in sentence) for sentence in sentences)


def _is_word(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip()) and (value.isascii() or _encodes(value))
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _labels(table: Table, header: str) -> pd.Series:
    values = table.frame[header].reset_index(drop=True)
    # As a file has what is true or false in a frame.
    if all(isinstance(one, str) for one in values) and set(values) == {"True", "False"}:
        values = values == "True"
    whole = [_whole(value) for value in values]
    if all(value is not None for value in whole):
        return pd.Series(whole, dtype=np.int64)
    bad = np.array([not (isinstance(value, str) and value.strip()) for value in values], bool)
    if bad.all():
        bad = np.array([value is None for value in whole], bool)
    if not any(isinstance(value, str) for value in values):
        table.refuse(header, bad, "must be a class: a whole number, or text")
    else:
        rule = "must be of one kind: all whole numbers, or all text that is not empty"
        table.refuse(header, bad, rule)
    return values.astype(str).str.strip().astype(object)


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        value = float(value) if _WHOLE.fullmatch(value.strip()) else None
    if not isinstance(value, int | float | np.number | np.bool_):
        return None
    number = float(value)
    return int(number) if abs(number) < 2**31 and number == int(number) else None


def _numbered(keys: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Equal keys have one number; and the first row of each."""
    numbers: dict[Any, int] = {}
    firsts: list[int] = []
    places = np.empty(len(keys), np.int64)
    for row, key in enumerate(keys):
        if key not in numbers:
            numbers[key] = len(numbers)
            firsts.append(row)
        places[row] = numbers[key]
    return places, np.array(firsts, np.int64)
