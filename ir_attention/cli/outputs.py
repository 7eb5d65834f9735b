"""Tables and files that commands write, whole or not at all."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ir_attention.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["aligned", "check_suffix", "table_writer"]


def check_suffix(path: Path, known: Iterable[str]) -> str:
    """How the file's name ends, in lower case; a DataError unless it is known."""
    suffix = path.suffix.lower()
    if suffix not in known:
        raise DataError(f"{path}: its name must end in {', '.join(known)}. Received: {suffix!r}")
    return suffix


def table_writer(path: Path | None) -> Callable[[pd.DataFrame], bytes]:
    """What makes a table into the format that the file's name says; into CSV without a name.

    Numbers read back equal. `.gz` at the end of the name packs text. What it raises in turn is a
    DataError: the format cannot hold a value.

    Raises:
        DataError: The name says no format.
    """
    packed = path is not None and path.suffix.lower() == ".gz"
    named = path.with_suffix("") if path and packed else path
    suffix = ".csv" if named is None else check_suffix(named, _FORMATS)

    def write(frame: pd.DataFrame) -> bytes:
        try:
            data = _FORMATS[suffix](frame)
        except UnicodeEncodeError as error:
            raise DataError(
                "a text has half a character (a lone surrogate), which UTF-8 cannot hold. "
                f"Received: {error.object[error.start : error.end]!r}"
            ) from error
        # No name and no time inside: the same table gives the same bytes.
        return gzip.compress(data, mtime=0) if packed else data

    return write


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Rows as lines with columns below each other: the first `left` to the left, others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)


def _csv(frame: pd.DataFrame) -> bytes:
    return _delimited(frame, ",", _quoted)


def _tsv(frame: pd.DataFrame) -> bytes:
    return _delimited(frame, "\t", _unquoted)


def _delimited(frame: pd.DataFrame, separator: str, field: Callable[[str], str]) -> bytes:
    lines = [separator.join(field(str(name)) for name in frame.columns)]
    for row in _rows(frame):
        lines.append(separator.join(field(_cell(value)) for value in row))
    return ("\n".join(lines) + "\n").encode()


def _quoted(text: str) -> str:
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _unquoted(text: str) -> str:
    if any(character in text for character in "\t\r\n"):
        raise DataError(
            "TSV cannot hold a tab or a line break inside a text: write .csv, .jsonl or .parquet. "
            f"Received: {text[:60]!r}"
        )
    return text


def _cell(value: Any) -> str:
    """A value as a field of text. Truth is 1 or 0, for labels may be it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _jsonl(frame: pd.DataFrame) -> bytes:
    names = [str(name) for name in frame.columns]
    lines = (
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=str)
        for row in _rows(frame)
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _rows(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows of Python's own values; None where there is none."""
    import pandas as pd

    def plain(value: Any) -> Any:
        if hasattr(value, "tolist"):  # lists in Parquet come as arrays
            return value.tolist()
        return None if pd.api.types.is_scalar(value) and pd.isna(value) else value

    columns = [[plain(value) for value in column.tolist()] for _, column in frame.items()]
    return zip(*columns, strict=True)


def _parquet(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet

    buffer = io.BytesIO()
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except pa.ArrowException as error:
        reason = "; ".join(str(part) for part in error.args)
        raise DataError(f"Parquet needs values of one kind in a column: {reason}") from error
    pyarrow.parquet.write_table(table, buffer)
    return buffer.getvalue()


_FORMATS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
