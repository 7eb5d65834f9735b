"""Formats in which several data sets are published: SMART's records, and a file for each column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ir_attention.data.preparing import read_lines, tidy
from ir_attention.errors import DataError

__all__ = ["read_columns", "read_smart"]


def read_smart(path: Path, fields: str) -> list[dict[str, str]]:
    """The records of a SMART file by the letters of their fields, white space made even.

    Args:
        path: A record begins with a line `.I NUMBER`, a field of it with a line such as `.W`.
        fields: Letters that begin one; any other line that begins with a dot is text.

    Returns:
        Of each record the number as `"I"`, and all fields, empty where it has none. A field that
        begins once more goes on with the same text.

    Raises:
        DataError: There is text before the first record.
    """
    records: list[dict[str, list[str]]] = []
    field = ""
    for number, line in enumerate(read_lines(path), start=1):
        marker = re.fullmatch(rf"\.(I) +(\d+)\s*|\.([{fields}])\s*", line)
        if marker and marker[1]:
            field = fields[-1]  # for text that no marker comes before
            records.append({"I": [marker[2]], **{letter: [] for letter in fields}})
        elif not records and line.strip():
            raise DataError(f"{path}, line {number}: must begin with .I. Received: {line!r}.")
        elif marker:
            field = marker[3]
        elif records:
            records[-1][field].append(line)
    return [{key: tidy(" ".join(value)) for key, value in record.items()} for record in records]


def read_columns(folder: Path, names: Sequence[str]) -> list[list[str]]:
    """The rows of a folder with a file for each column, white space in the cells made even.

    Args:
        folder: The folder.
        names: Of its files, a cell a line. The last one has labels, 0 or 1.

    Raises:
        DataError: The files do not have as many lines, or a label is another.
    """
    columns = [read_lines(folder / name) for name in names]
    sizes = [len(column) for column in columns]
    if len(set(sizes)) > 1:
        raise DataError(f"{folder}: the files must have as many lines. Received: {sizes}.")
    rows = [[tidy(cell) for cell in line] for line in zip(*columns, strict=True)]
    for number, row in enumerate(rows, start=1):
        if row[-1] not in ("0", "1"):
            raise DataError(
                f"{folder / names[-1]}, line {number}: must be 0 or 1. Received: {row[-1]!r}."
            )
    return rows
