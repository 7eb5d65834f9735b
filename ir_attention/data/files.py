"""Files of any known format to a frame with the file's own columns, and errors to their lines."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ir_attention.errors import DataError

__all__ = ["FORMATS", "Table", "load_table", "read_table", "shown"]

FORMATS = {
    **{".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".txt": "tsv"},
    **{".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"},
    **{".parquet": "parquet", ".pq": "parquet"},
}


@dataclass(frozen=True)
class Table:
    """A frame, and the words for where a row of it was read, for errors.

    Args:
        frame: The rows, in the order of the source.
        name: The file, or the kind of object.
        place: From the number of a row, from 0, to its place in the source.
        names: The columns of the source, if the frame has only some of them.
    """

    frame: pd.DataFrame
    name: str
    place: Callable[[int], str]
    names: tuple[str, ...] | None = None

    @property
    def headers(self) -> list[str]:
        """The columns of the source."""
        return list(self.frame.columns if self.names is None else self.names)

    def refuse(self, header: str, bad: np.ndarray, rule: str) -> None:
        """Raises a DataError for the first bad value, with its place and how many there are.

        Args:
            header: A column of the frame.
            bad: Booleans, one for each row.
            rule: What the values must be, to be read after the header.
        """
        if bad.any():
            row = int(bad.argmax())
            raise DataError(
                f"{self.place(row)}: {header} {rule}. Received: "
                f"{shown(self.frame[header].iloc[row])} ({bad.sum()} of {len(bad)} rows are like "
                "this)."
            )


def read_table(path: str | Path, *, format: str | None = None) -> pd.DataFrame:
    """Reads a table as it is: every row and every column, in the order and with the file's names.

    Args:
        path: A CSV, TSV, JSON lines or Parquet file. A `.gz` at the end of its name is unpacked.

            * CSV is read by RFC 4180: a field with a comma, a quote or a line break stands in
              quotes, and its quotes are doubled. All values are strings.
            * TSV has no quoting: a quote is a character like any other, and a field cannot
              contain a tab or a line break. All values are strings.
            * JSON lines has an object in each line. A name that an object lacks gives `None`.

            Text is UTF-8, with or without a byte order mark; lines may end in any of the usual
            ways; empty lines are passed over. The first line of CSV and TSV names the columns.
        format: `"csv"`, `"tsv"`, `"jsonl"` or `"parquet"`, for a file whose name does not say.

    Raises:
        DataError: The file is empty, cut short, not UTF-8 or not of its format. The message names
            the line, what was received, and how many are like it.
        FileNotFoundError: There is no such file.
    """
    return load_table(Path(path), format).frame


def load_table(path: Path, format: str | None = None) -> Table:
    """Does what `read_table` says, and keeps where each row comes from."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    suffix = "".join(suffixes[:-1][-1:] if packed else suffixes[-1:])
    format = format or FORMATS.get(suffix)
    if format not in _READERS:
        raise DataError(
            f"{path}: the format must be one of {list(_READERS)}, given by format= or by the end "
            f"of the name ({', '.join(FORMATS)}, each also with .gz). Received: "
            f"{format or ''.join(suffixes)!r}."
        )
    data = path.read_bytes()
    if packed:
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(
                f"{path}: must be a whole gzip file. Received: {len(data)} bytes ({error})."
            ) from error
    if not data.removeprefix(_BOM).strip():
        raise DataError(f"{path}: must not be empty. Received: {len(data)} bytes without content.")
    table = _READERS[format](data, str(path))
    if table.frame.empty:
        raise DataError(
            f"{path}: must have rows below the names of columns. Received: {list(table.frame)}."
        )
    return table


def shown(value: object) -> str:
    """The value as an error shows it, cut at a length that leaves the error readable."""
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 80 else f"{text[:60]}...{text[-10:]} (cut)"


_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")
# A field and what ends it. In CSV a quoted one first, for commas and line ends inside it.
_CSV_FIELD = re.compile(rb'("[^"]*+(?:""[^"]*+)*+"|[^,\r\n]*+)(,|\r\n|\r|\n|\Z)')
_TSV_FIELD = re.compile(rb"([^\t\r\n]*+)(\t|\r\n|\r|\n|\Z)")
# From a place outside of quotes to the first quote that opens a field but does not end one.
_WELL_QUOTED = re.compile(
    rb'(?:[^"]++|(?<![^,\r\n])"[^"]*+(?:""[^"]*+)*+"(?=[,\r\n]|\Z)|(?<=[^,\r\n])")*+'
)


def _read_csv(data: bytes, name: str) -> Table:
    data = data.removeprefix(_BOM)
    at = _WELL_QUOTED.match(data).end() if b'"' in data else len(data)  # type: ignore[union-attr]
    if at < len(data):
        # The readers would take everything up to some later quote as one text: lost rows.
        raise DataError(
            f"{name}, line {_line(data, at)}: a field that begins with a quote must end with one, "
            "before a comma or the end of a line, and quotes inside it must be doubled. Received: "
            f"{shown(data[at : at + 100].decode(errors='replace'))}."
        )
    hint = "A text with a comma, a quote or a line break must stand in quotes."
    return _delimited(data, name, _CSV_FIELD, hint)


def _read_tsv(data: bytes, name: str) -> Table:
    hint = "A text must not contain a tab or a line break."
    return _delimited(data.removeprefix(_BOM), name, _TSV_FIELD, hint)


def _delimited(data: bytes, name: str, field: re.Pattern[bytes], hint: str) -> Table:
    """Reads at full speed, and looks for the line of an error only when there is one."""
    quoted = field is _CSV_FIELD
    _, fields = next(_records(data, field))
    try:
        names = [value.decode().strip() for value in fields]
    except UnicodeDecodeError as error:
        raise _not_utf8(data, name) from error
    twice = [column for column in dict.fromkeys(names) if names.count(column) > 1]
    if twice:
        raise DataError(f"{name}: must name each column once. Received: {names}.")
    columns = [value.decode() for value in fields]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            # A row must fit into a block: no text is that long.
            read_options=pyarrow.csv.ReadOptions(block_size=1 << 26),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter="," if quoted else "\t",
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise _explained(data, name, field, hint, str(error)) from error
    frame = table.rename_columns(names).to_pandas()

    def place(row: int) -> str:
        rows = (line for line, _ in _records(data, field))
        return f"{name}, line {_nth(rows, row + 1)}"

    return Table(frame, name, place)


def _records(data: bytes, field: re.Pattern[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """The records of CSV or TSV that are not empty, each with the number of its first line."""
    line, at = 1, 0
    fields: list[bytes] = []
    while at < len(data) or fields:
        match = field.match(data, at)
        value, end = match.groups()  # type: ignore[union-attr]
        fields.append(value)
        at = match.end()  # type: ignore[union-attr]
        if end in (b",", b"\t"):
            continue
        size = sum(len(_LINE_END.findall(value)) for value in fields) + 1
        if fields != [b""]:
            yield line, [_unquoted(value) if field is _CSV_FIELD else value for value in fields]
        line, fields = line + size, []


def _unquoted(value: bytes) -> bytes:
    return value[1:-1].replace(b'""', b'"') if value.startswith(b'"') else value


def _explained(
    data: bytes, name: str, field: re.Pattern[bytes], hint: str, reason: str
) -> DataError:
    """The error with its line: the text is not UTF-8, or a row has too few or too many fields."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return _not_utf8(data, name)
    records = _records(data, field)
    _, names = next(records)
    total, bad, first = 0, 0, (0, names)
    for total, record in enumerate(records, 1):  # noqa: B007  total is how many there were
        if len(record[1]) != len(names):
            first = first if bad else record
            bad += 1
    if not bad:
        received = reason if total else [value.decode() for value in names]
        return DataError(
            f"{name}: must have rows below the names of columns. Received: {received}."
        )
    line, fields = first
    return DataError(
        f"{name}, line {line}: {len(fields)} fields, but the first line names {len(names)}. {hint} "
        f"Received: {shown([value.decode() for value in fields])} "
        f"({bad} of {total} rows are like this)."
    )


def _not_utf8(data: bytes, name: str) -> DataError:
    bad = [number for number, line in enumerate(data.splitlines(), 1) if not _decodes(line)]
    line = data.splitlines()[bad[0] - 1]
    try:
        line.decode()
    except UnicodeDecodeError as error:
        line = line[max(0, error.start - 10) : error.start + 10]
    return DataError(
        f"{name}, line {bad[0]}: not UTF-8. Save the file as UTF-8, or convert it. Received: "
        f"{line!r} ({len(bad)} lines are like this)."
    )


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _line(data: bytes, at: int) -> int:
    return len(_LINE_END.findall(data, 0, at)) + 1


def _nth(values: Iterator[int], n: int) -> int:
    return next(value for at, value in enumerate(values) if at == n)


def _read_jsonl(data: bytes, name: str) -> Table:
    columns: dict[str, list[Any]] = {}
    lines: list[int] = []
    bad: list[int] = []
    texts = data.removeprefix(_BOM).split(b"\n")
    decode = json.JSONDecoder().raw_decode  # in half the time of json.loads
    for number, line in enumerate(texts, 1):
        if not line or line.isspace():
            continue
        try:
            text = line.decode().strip()
            row, end = decode(text)
        except UnicodeDecodeError as error:
            raise _not_utf8(data, name) from error
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or end < len(text):
            bad.append(number)
            continue
        for key in row:
            if key not in columns:
                columns[key] = [None] * len(lines)
        for key, values in columns.items():
            values.append(row.get(key))
        lines.append(number)
    if bad:
        raise DataError(
            f"{name}, line {bad[0]}: must be one JSON object. Received: "
            f"{shown(texts[bad[0] - 1].decode())} "
            f"({len(bad)} of {len(lines) + len(bad)} lines are like this)."
        )
    # Objects, for a column may hold values of many kinds; whoever uses it says what it must be.
    frame = pd.DataFrame(
        {key: pd.Series(values, dtype=object) for key, values in columns.items()},
        index=pd.RangeIndex(len(lines)),
    )
    return Table(frame, name, lambda row: f"{name}, line {lines[row]}")


def _read_parquet(data: bytes, name: str) -> Table:
    try:
        frame = pyarrow.parquet.read_table(pa.BufferReader(data)).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{name}: must be a whole Parquet file. Received: {error}.") from error
    return Table(frame, name, lambda row: f"{name}, row {row}")


_READERS: dict[str, Callable[[bytes, str], Table]] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    "jsonl": _read_jsonl,
    "parquet": _read_parquet,
}
