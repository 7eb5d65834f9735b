"""Columns that keep each distinct text once: Parquet files read by the batch, and back to strings.

A pack of a million pairs names each document ten times. A coded column is pandas' categorical: a
number per row, and the distinct strings in the order in which they appear.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from ir_attention.data.files import Table, load_table
from ir_attention.errors import DataError

__all__ = ["code", "decode", "distinct", "distinct_texts", "is_coded", "load_coded"]

# Rows whose strings are decoded at once.
_ROWS = 1 << 15
# Bytes of a column chunk that are read at once. Without a limit it would be read whole, and files
# often have one row group.
_BUFFER = 1 << 20


def is_coded(column: pd.Series) -> bool:
    """Whether a column keeps each of its strings once."""
    return isinstance(column.dtype, pd.CategoricalDtype)


def distinct(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The number of each row's string, and the distinct strings in the order of the rows."""
    codes, unique = pd.factorize(column)
    return codes, list(unique)


def distinct_texts(pairs: pd.DataFrame) -> list[str]:
    """The distinct texts of both sides, queries first, as scorers number them."""
    sides = [distinct(pairs[f"text_{side}"])[1] for side in ("left", "right")]
    return list(dict.fromkeys(chain(*sides)))


def code(frame: pd.DataFrame, *, ready: bool = False) -> pd.DataFrame:
    """The frame with its columns of strings coded; those that are, stay as they are.

    Args:
        frame: Its columns of objects hold strings, or other things if only `ready` ones are coded.
        ready: Whether to leave columns of objects alone.
    """
    if not frame.columns.is_unique:  # whoever reads it says so
        return frame
    columns = {}
    for name, column in frame.items():
        if isinstance(column.dtype, pd.StringDtype) or column.dtype == object and not ready:
            columns[name] = _categorical(*pd.factorize(column))
            columns[name].index = frame.index
    return frame.assign(**columns)  # type: ignore[arg-type]


def decode(pairs: pd.DataFrame, names: Iterable[str] | None = None) -> pd.DataFrame:
    """The frame with strings for its coded columns, or for some of them."""
    names = list(pairs.columns) if names is None else [name for name in names if name in pairs]
    columns = {
        name: pd.Series(_decoded(pairs[name]), pairs.index)
        for name in names
        if is_coded(pairs[name])
    }
    return pairs.assign(**columns)


def load_coded(path: Path, headers: Iterable[str]) -> Table:
    """Some columns of a Parquet file, those of strings coded.

    The file is read by the batch, and of its strings only the distinct ones are kept: a file whose
    rows would not fit into memory can be read if its distinct texts do.

    Args:
        path: A Parquet file that is not packed.
        headers: The columns to read. Those that the file lacks, or has twice, are not read.

    Raises:
        DataError: The file is not Parquet, damaged, has no rows, or strings that are not UTF-8.
    """
    if path.stat().st_size == 0:
        return load_table(path, "parquet")  # which says what is wrong
    try:
        with pa.parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            # As pandas would call them: it takes some for its index.
            names = list(file.schema_arrow.empty_table().to_pandas())
            wanted = [name for name in dict.fromkeys(headers) if names.count(name) == 1]
            if not file.metadata.num_rows:
                return load_table(path, "parquet")
            frame = _read(file, wanted) if wanted else pd.DataFrame()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: strings must be UTF-8. Received: {error.object[:60]!r}."
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: must be a whole Parquet file. Received: {error}.") from error
    return Table(frame, str(path), lambda row: f"{path}, row {row}", tuple(names))


def _read(file: Any, wanted: list[str]) -> pd.DataFrame:
    types = {name: file.schema_arrow.field(name).type for name in wanted}
    numbers: dict[str, dict[str | None, int]] = {
        name: {} for name, kind in types.items() if _is_text(kind)
    }
    parts: dict[str, list[Any]] = {name: [] for name in wanted}
    for batch in file.iter_batches(_ROWS, columns=wanted, use_threads=False):
        for name in wanted:
            column = batch.column(name)
            parts[name].append(
                _numbered(column, numbers[name]) if name in numbers else pa.array(column)
            )
    columns = {}
    for name in wanted:
        if name in numbers:
            columns[name] = _from_numbers(np.concatenate(parts[name]), numbers[name])
        else:
            columns[name] = pa.chunked_array(parts[name], types[name]).to_pandas()
    return pd.DataFrame(columns)


def _is_text(kind: Any) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _numbered(column: Any, numbers: dict[str | None, int]) -> np.ndarray:
    """The numbers of a batch's strings; new ones are added. A missing string is one as well."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode("encode")
    unique = [*column.dictionary.to_pylist(), None]
    missing = len(unique) - 1
    places = column.indices.fill_null(missing).to_numpy(zero_copy_only=False)
    used = np.zeros(len(unique), bool)  # a dictionary in the file may be that of many batches
    used[places] = True
    known = np.zeros(len(unique), np.int32)
    for place in np.flatnonzero(used).tolist():
        known[place] = numbers.setdefault(unique[place], len(numbers))
    return known[places]


def _from_numbers(numbers: np.ndarray, known: dict[str | None, int]) -> pd.Series:
    missing = known.get(None, -1)
    if missing >= 0:
        numbers = np.where(numbers == missing, -1, numbers - (numbers > missing))
    return _categorical(numbers, pd.Index([text for text in known if text is not None], dtype=str))


def _decoded(column: pd.Series) -> pd.Index:
    return column.cat.categories.astype(str).take(column.cat.codes.to_numpy())


def _categorical(codes: np.ndarray, unique: Any) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(unique)))
