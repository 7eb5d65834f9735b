"""Files, frames, folders and DataPacks to checked pairs and back to DataPacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ir_attention.data.beir import load_beir
from ir_attention.data.coded import code, decode, load_coded
from ir_attention.data.files import FORMATS, Table, load_table, shown
from ir_attention.data.pairs import COLUMNS, Labels, checked
from ir_attention.errors import DataError

if TYPE_CHECKING:
    from ir_attention.matchzoo import DataPack

__all__ = ["as_pairs", "read_coded", "read_pack", "read_pairs"]


def read_pairs(
    source: str | Path | pd.DataFrame,
    columns: Mapping[str, str] | None = None,
    *,
    format: str | None = None,
    qrels: str | None = None,
    labels: Labels = "required",
    keep: bool = False,
) -> pd.DataFrame:
    """Reads pairs of a query and a document, judged or not, and checks every value.

        read_pairs("pairs.csv", {"text_left": "Query", "text_right": "Document", "label": "Match"})

    Args:
        source: A CSV, TSV, JSON lines or Parquet file (see `files.read_table`; each also as
            `.gz`), a folder in the layout of BEIR (see `beir.read_beir`), or a frame.
        columns: What columns are called in the source, by the names below. A column left out is
            sought under its own name.
        format: `"csv"`, `"tsv"`, `"jsonl"` or `"parquet"`, for a file whose name does not say.
        qrels: Which file of judgements a BEIR folder's pairs come from.
        labels: Whether there must be labels. When `"optional"`, a column that is not there or has
            no value in any row is left out of the result; one that is there is checked.
        keep: Whether the source's other columns follow behind.

    Returns:
        One row per pair, in the order of the source, numbered from 0:

        * `id_left`, `id_right`: strings. Where the source has none, they are MatchZoo's: `L-0`,
          `L-1`, ... and `R-0`, ... by unique text, numbered as they appear. Whole numbers become
          strings. One id stands for one text.
        * `text_left` (the query), `text_right` (the document): strings, as they are in the source.
          They may be empty, for which `checks.check_pairs` looks; missing values are errors.
        * `label`: an integer, 0 for "not relevant" and higher for better. `1.0` and `true` of
          JSON count as 1.

    Raises:
        DataError: A column is missing, a value is unusable, or the file is not of its format. The
            message names the file, the line (of Parquet and frames the row, from 0), what was
            received and how many are like it.
        FileNotFoundError: There is no such file.
    """
    table = _table(source, columns or {}, format, qrels, whole=keep)
    return decode(checked(table, columns, labels=labels, keep=keep), COLUMNS)


def read_coded(
    source: Any,
    columns: Mapping[str, str] | None = None,
    *,
    format: str | None = None,
    qrels: str | None = None,
    labels: Labels = "required",
) -> pd.DataFrame:
    """Reads pairs as `read_pairs` does, and keeps each distinct text and id once.

    A Parquet file is read by the batch: of all its strings only the distinct ones are ever in
    memory, so that a pack larger than memory can be trained on if its distinct texts fit.

    Args:
        source: What `as_pairs` takes.
        columns, format, qrels, labels: As for `read_pairs`.

    Returns:
        The frame of `read_pairs`, whose columns of strings are categorical.

    Raises:
        DataError: As `read_pairs`.
    """
    if _is_pack(source):
        return code(checked(_pack_table(source), labels=labels))
    table = _table(source, columns or {}, format, qrels, whole=False)
    # First, so that the checks need only look at numbers.
    table = replace(table, frame=code(table.frame, ready=True))
    return code(checked(table, columns, labels=labels))


def _table(
    source: Any, columns: Mapping[str, str], format: str | None, qrels: str | None, *, whole: bool
) -> Table:
    """The source's rows, with all of its columns if they are asked for."""
    if isinstance(source, pd.DataFrame):
        return Table(source, "the frame", lambda row: f"the frame, row {row}")
    if not isinstance(source, str | Path):
        raise DataError(
            f"pairs must be a file, a folder or a DataFrame. Received: {type(source).__name__} "
            f"{shown(source)}."
        )
    path = Path(source)
    if path.is_dir():
        return load_beir(path, qrels)
    if whole or (format or FORMATS.get(path.suffix.lower())) != "parquet":
        return load_table(path, format)
    return load_coded(path, [columns.get(name, name) for name in COLUMNS])


def read_pack(
    source: str | Path | pd.DataFrame,
    columns: Mapping[str, str] | None = None,
    *,
    format: str | None = None,
    qrels: str | None = None,
    labels: Labels = "required",
) -> DataPack:
    """Reads pairs as `read_pairs` does, into a `matchzoo.DataPack`.

    Ids and their order are those that `matchzoo.pack` gives.
    """
    pairs = read_pairs(source, columns, format=format, qrels=qrels, labels=labels)
    from ir_attention.matchzoo import pack  # here, for the ranking road never meets Keras

    return pack(pairs)


def as_pairs(source: Any, *, labels: Labels = "required") -> pd.DataFrame:
    """Checked pairs of whatever a caller has: a DataPack, a frame, a file or a folder.

    Args:
        source: What `read_pairs` takes, or a `matchzoo.DataPack` (told by its `left`, `right` and
            `relation`), whose pairs come in the order of its relation. It is not changed.
        labels: As for `read_pairs`.

    Raises:
        DataError: As `read_pairs`; or a pack's relation names an id that it has no text of.
    """
    if not _is_pack(source):
        return read_pairs(source, labels=labels)
    return decode(checked(_pack_table(source), labels=labels))


def _pack_table(pack: Any) -> Table:
    """The pairs of a DataPack; texts that are strings are coded."""
    pairs = pack.relation.reset_index(drop=True)
    for side, texts in (("left", pack.left), ("right", pack.right)):
        ids, column = pairs[f"id_{side}"], texts[f"text_{side}"]
        places = texts.index.get_indexer(ids)
        lost = places < 0
        if lost.any():
            raise DataError(
                f"the DataPack, row {lost.argmax()}: id_{side} must be in its {side} texts. "
                f"Received: {ids[lost.argmax()]!r} ({lost.sum()} of {len(ids)} rows are like this)."
            )
        if pd.api.types.infer_dtype(column, skipna=False) == "string":
            column = code(column.astype(str).to_frame("text"))["text"]
        pairs[f"text_{side}"] = column.iloc[places].array
    return Table(pairs, "the DataPack", lambda row: f"the DataPack, row {row}")


def _is_pack(source: Any) -> bool:
    is_pack = all(hasattr(source, name) for name in ("left", "right", "relation"))
    return is_pack and not isinstance(source, pd.DataFrame)
