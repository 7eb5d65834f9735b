"""Frames, dicts, tuples and TREC files to checked runs and qrels, and back to TREC files."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.errors import DataError
from ir_attention.files import write_whole

__all__ = [
    "Qrels",
    "Run",
    "as_qrels",
    "as_run",
    "mixed_queries",
    "read_qrels",
    "read_run",
    "write_qrels",
    "write_run",
]

# Each of: a frame, {query_id: {doc_id: value}}, or (query_id, doc_id, value) tuples.
Run = pd.DataFrame | Mapping[str, Mapping[str, float]] | Iterable[tuple]
Qrels = pd.DataFrame | Mapping[str, Mapping[str, int]] | Iterable[tuple]

# The forms a frame may have; what is made of them has the first.
_RUN_COLUMNS = (
    ("query_id", "doc_id", "score"),
    ("id_left", "id_right", "predictions"),
    ("id_left", "id_right", "score"),
)
_QRELS_COLUMNS = (("query_id", "doc_id", "relevance"), ("id_left", "id_right", "label"))

_RUN_LINE = ("query_id", "Q0", "doc_id", "rank", "score", "tag")
_QRELS_LINE = ("query_id", "iteration", "doc_id", "relevance")


def as_run(run: Run) -> pd.DataFrame:
    """Makes a checked run of whatever holds one; what it is given stays as it is.

    Args:
        run: One of

            * a frame with the columns `query_id, doc_id, score`, or with those of scored pairs,
              `id_left, id_right` and `predictions` or `score`; other columns are left behind,
            * a dict of dicts, `{query_id: {doc_id: score}}`,
            * tuples `(query_id, doc_id, score)`, as ir_measures' `ScoredDoc`.

    Returns:
        One row per scored document, in the order given. `query_id` and `doc_id` are strings
        (whole numbers become strings), `score` is a float: the higher, the better; infinite ones
        are allowed.

    Raises:
        DataError: A column is missing, an id is empty or neither a string nor a whole number, a
            score is no number or NaN, or a query has a document twice. The message says in which
            row (from 0), and how many are like it.

    Example:

    >>> as_run({"q1": {"d1": 0.5, "d2": 2}})
      query_id doc_id  score
    0       q1     d1    0.5
    1       q1     d2    2.0
    """
    frame = _frame(run, _RUN_COLUMNS, what="run")
    return _checked(frame, "score", "run, row {}".format)


def as_qrels(qrels: Qrels) -> pd.DataFrame:
    """Makes checked relevance judgments (qrels) of whatever holds them.

    Args:
        qrels: One of

            * a frame with the columns `query_id, doc_id, relevance`, or with those of judged pairs,
              `id_left, id_right, label`; other columns are left behind,
            * a dict of dicts, `{query_id: {doc_id: relevance}}`,
            * tuples `(query_id, doc_id, relevance)`; what follows in a longer tuple, as the
              iteration in ir_measures' `Qrel`, is left behind.

    Returns:
        One row per judgment, in the order given. `query_id` and `doc_id` are strings (whole
        numbers become strings), `relevance` is an integer: 1 and above is relevant and higher is
        better, 0 and below is not relevant.

    Raises:
        DataError: As for `as_run`; `relevance` must be a whole number.

    Example:

    >>> as_qrels([("q1", "d1", 1), ("q1", "d2", 0)])
      query_id doc_id  relevance
    0       q1     d1          1
    1       q1     d2          0
    """
    frame = _frame(qrels, _QRELS_COLUMNS, what="qrels")
    return _checked(frame, "relevance", "qrels, row {}".format)


def mixed_queries(qrels: Qrels) -> list[str]:
    """The queries that have both a positive label (1 and above) and a negative one (0 and below).

    Only they tell one ranking of the judged documents from another. They are in the order of
    their first judgment.

    >>> mixed_queries({"q1": {"d1": 1, "d2": 0}, "q2": {"d1": 1}, "q3": {"d1": 0}})
    ['q1']
    """
    frame = as_qrels(qrels)
    positive = set(frame["query_id"][frame["relevance"] >= 1])
    negative = set(frame["query_id"][frame["relevance"] <= 0])
    return [query for query in frame["query_id"].unique() if query in positive & negative]


def read_run(path: str | Path) -> pd.DataFrame:
    """Reads a TREC run: lines of `query_id Q0 doc_id rank score tag`.

    Fields are separated by spaces or tabs, and blank lines are skipped. As in trec_eval the order
    of documents comes from the scores: the ranks and the tag are not looked at.

    Args:
        path: A UTF-8 file; gzip if its name ends in `.gz`.

    Returns:
        As `as_run`, in the order of the file.

    Raises:
        DataError: As for `as_run`; the file is not UTF-8 or not gzip, or a line does not have six
            fields. The message names the file, the line, and how many are like it.
        FileNotFoundError: There is no such file.
    """
    return _read(path, _RUN_LINE, "score", float)


def read_qrels(path: str | Path) -> pd.DataFrame:
    """Reads TREC relevance judgments: lines of `query_id iteration doc_id relevance`.

    Args:
        path: As for `read_run`.

    Returns:
        As `as_qrels`, in the order of the file. The iteration is not looked at.

    Raises:
        DataError: As for `as_qrels` and `read_run`; a line does not have four fields.
        FileNotFoundError: There is no such file.
    """
    return _read(path, _QRELS_LINE, "relevance", int)


def write_run(run: Run, path: str | Path, *, tag: str = "ir_attention") -> None:
    """Writes a TREC run: lines of `query_id Q0 doc_id rank score tag`.

    Queries keep their order; their documents are sorted by descending score, and by descending id
    where scores are equal, which is trec_eval's rule. Scores are written with all their digits, so
    that they read back equal.

    Args:
        run: As for `as_run`.
        path: Where to write; compressed if the name ends in `.gz`. The file appears whole or not
            at all, and a file of that name is replaced.
        tag: The name of the system, the last field of each line.

    Raises:
        DataError: As for `as_run`; an id or the tag has white space, which separates the fields
            of the file, or the folder does not exist.
    """
    frame = as_run(run)
    _refuse_space(frame, path)
    if not tag or re.search(r"\s", tag):
        raise DataError(f"tag: must be a word without white space. Received: {tag!r}")
    frame["turn"] = pd.factorize(frame["query_id"])[0]
    frame = frame.sort_values(["turn", "score", "doc_id"], ascending=[True, False, False])
    places = frame.groupby("turn").cumcount() + 1
    rows = zip(frame["query_id"], frame["doc_id"], places, frame["score"].tolist(), strict=True)
    lines = (f"{query} Q0 {doc} {place} {score!r} {tag}\n" for query, doc, place, score in rows)
    _write(path, lines)


def write_qrels(qrels: Qrels, path: str | Path) -> None:
    """Writes TREC relevance judgments: lines of `query_id 0 doc_id relevance`, in their order.

    Args:
        qrels: As for `as_qrels`.
        path: As for `write_run`.

    Raises:
        DataError: As for `as_qrels` and `write_run`.
    """
    frame = as_qrels(qrels)
    _refuse_space(frame, path)
    rows = zip(frame["query_id"], frame["doc_id"], frame["relevance"], strict=True)
    _write(path, (f"{query} 0 {doc} {relevance}\n" for query, doc, relevance in rows))


def _frame(data: Any, forms: tuple[tuple[str, str, str], ...], *, what: str) -> pd.DataFrame:
    """Brings any form of a run or of qrels into a frame with the columns of the first form."""
    names = list(forms[0])
    if isinstance(data, pd.DataFrame):
        found = next((list(form) for form in forms if set(form) <= set(data.columns)), None)
        if found is None:
            wanted = " or ".join(", ".join(form) for form in forms)
            raise DataError(
                f"{what}: must have the columns {wanted}. Received: {list(data.columns)}"
            )
        return data[found].set_axis(names, axis=1).reset_index(drop=True)
    if isinstance(data, Mapping):
        data = _items(data, what)
    rows = []
    for number, item in enumerate(data):
        if not isinstance(item, tuple | list) or len(item) < 3:
            raise DataError(f"{what}, item {number}: must be a tuple {names}. Received: {item!r}")
        rows.append(item[:3])
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    series = [pd.Series(list(column), dtype=object) for column in columns]
    return pd.DataFrame(dict(zip(names, series, strict=True)))


def _items(data: Mapping, what: str) -> Iterator[tuple]:
    for query, docs in data.items():
        if not isinstance(docs, Mapping):
            raise DataError(f"{what}, query {query!r}: must be a dict. Received: {docs!r}")
        yield from ((query, doc, value) for doc, value in docs.items())


def _checked(frame: pd.DataFrame, value: str, where: Callable[[int], str]) -> pd.DataFrame:
    """Checks ids, values and that no pair comes twice; `where` names a row in a message."""
    checked = pd.DataFrame(
        {name: _ids(frame[name], where) for name in ("query_id", "doc_id")}, index=frame.index
    )
    number = pd.to_numeric(frame[value], errors="coerce").to_numpy(float, na_value=np.nan)
    if value == "score":
        _refuse(np.isnan(number), frame[value], where, "must be a number and not NaN")
        checked[value] = number
    else:
        whole = (np.abs(number) < 2**31) & (number == np.round(number))
        _refuse(~whole, frame[value], where, "must be a whole number")
        checked[value] = number.astype("int64")
    again = checked.duplicated(["query_id", "doc_id"]).to_numpy()
    if again.any():
        pairs = checked["query_id"].str.cat(checked["doc_id"], sep=" ").rename("a document")
        _refuse(again, pairs, where, "stands twice under its query")
    return checked


def _ids(column: pd.Series, where: Callable[[int], str]) -> pd.Series:
    """The ids as strings: 1 and "1" are the same id, but 1.0 most likely is a reading mistake."""
    kind = pd.api.types.infer_dtype(column, skipna=False)
    if kind not in ("string", "integer", "empty"):
        fine = [isinstance(x, str | int | np.integer) and not isinstance(x, bool) for x in column]
        _refuse(~np.array(fine), column, where, "must be a string or a whole number")
    ids = column.astype(object).astype(str)
    _refuse((ids == "").to_numpy(), column, where, "must not be empty")
    return ids


def _refuse(bad: np.ndarray, column: pd.Series, where: Callable[[int], str], rule: str) -> None:
    """Raises a DataError that shows the first bad value, where it is, and how many there are."""
    if bad.any():
        row = int(bad.argmax())
        [received] = column.iloc[[row]].tolist()  # 0.5, not np.float64(0.5)
        raise DataError(
            f"{where(row)}: {column.name} {rule}. Received: {received!r} "
            f"({bad.sum()} of {len(bad)} are like this)."
        )


def _refuse_space(frame: pd.DataFrame, path: str | Path) -> None:
    for name in ("query_id", "doc_id"):
        bad = frame[name].str.contains(r"\s", regex=True).to_numpy(bool)
        rule = "must not have white space, which separates the fields of a TREC file"
        _refuse(bad, frame[name], lambda row: f"{path}, row {row}", rule)


def _read(
    path: str | Path, form: tuple[str, ...], value: str, number: Callable[[str], float]
) -> pd.DataFrame:
    """Reads the ids and the `value` of a TREC file of the given form."""
    wanted = ("query_id", "doc_id", value)
    places = [form.index(name) for name in wanted]
    rows, lines, wrong = [], [], []
    for line, raw in _numbered(path):
        fields = raw.split()  # bytes split at ASCII white space alone, as in trec_eval
        if len(fields) == len(form):
            try:
                rows.append([fields[place].decode() for place in places])
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}, line {line}: not UTF-8. Received: {raw!r}. Save the file as UTF-8, "
                    "or convert it."
                ) from error
            lines.append(line)
        elif fields:
            wrong.append((line, raw))
    if wrong:
        line, raw = wrong[0]
        raise DataError(
            f"{path}, line {line}: a line must have {len(form)} fields, {' '.join(form)}. "
            f"Received: {raw.decode(errors='replace').strip()!r} "
            f"({len(wrong)} of {len(rows) + len(wrong)} are like this)."
        )
    if not rows:
        raise DataError(
            f"{path}: must not be empty; a line of it is `{' '.join(form)}`. Received: no line "
            "with text. Was it written to its end?"
        )
    columns = list(zip(*rows, strict=True))
    texts = pd.Series(columns[2], dtype=object, name=value)
    numbers = np.array([_number(text, number) for text in texts], dtype=float)
    rule = "must be a whole number" if number is int else "must be a number and not NaN"
    _refuse(np.isnan(numbers), texts, lambda row: f"{path}, line {lines[row]}", rule)
    frame = pd.DataFrame(dict(zip(wanted, (*columns[:2], numbers), strict=True)))
    return _checked(frame, value, lambda row: f"{path}, line {lines[row]}")


def _numbered(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, numbered from 1, without the mark that some editors put first."""
    opened = gzip.open(path) if str(path).endswith(".gz") else open(path, "rb")
    with opened as file:
        try:
            for line, raw in enumerate(file, start=1):
                yield line, raw.removeprefix(codecs.BOM_UTF8) if line == 1 else raw
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(
                f"{path}: not a whole gzip file, though its name says so. Received: {error}"
            ) from error


def _number(text: str, number: Callable[[str], float]) -> float:
    try:
        return float(number(text))
    except (ValueError, OverflowError):
        return float("nan")


def _write(path: str | Path, lines: Iterable[str]) -> None:
    data = "".join(lines).encode()
    if Path(path).suffix == ".gz":  # no name and time inside: the same run gives the same bytes
        data = gzip.compress(data, mtime=0)
    write_whole(path, data)
