"""A table with anyone's columns to checked pairs: ids and texts are strings, labels integers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from ir_attention.data.coded import is_coded
from ir_attention.data.files import Table, shown
from ir_attention.errors import DataError

__all__ = ["COLUMNS", "Labels", "checked", "labels_of"]

COLUMNS = ("id_left", "text_left", "id_right", "text_right", "label")
Labels = Literal["required", "optional"]


def checked(
    table: Table,
    columns: Mapping[str, str] | None = None,
    *,
    labels: Labels = "required",
    keep: bool = False,
) -> pd.DataFrame:
    """Checks every value once, so that nobody inside has to.

    Args and Returns are those of `readers.read_pairs`.

    Raises:
        DataError: The first thing that is wrong, with its place and how many rows are like it.
    """
    if labels not in ("required", "optional"):
        raise DataError(f"labels must be 'required' or 'optional'. Received: {labels!r}.")
    headers = _headers(table, columns or {}, labels)
    values = {
        "text_left": _texts(table, headers["text_left"]),
        "text_right": _texts(table, headers["text_right"]),
    }
    for side in ("left", "right"):
        texts = values[f"text_{side}"]
        header = headers.get(f"id_{side}")
        if header is None:
            values[f"id_{side}"] = _made_ids(texts, f"{side[0].upper()}-")
        else:
            values[f"id_{side}"] = _ids(table, header)
            _refuse_two_texts(table, header, values[f"id_{side}"], texts)
    if "label" in headers:
        values["label"] = labels_of(table, headers["label"])
    pairs = pd.DataFrame({name: values[name] for name in COLUMNS if name in values})
    if keep:
        pairs = pairs.join(_others(table, headers))
    return pairs


def labels_of(table: Table, header: str) -> pd.Series:
    """The column as integers; a DataError if one of its values is no label."""
    values = table.frame[header].reset_index(drop=True)
    if values.dtype == object:  # lists and the like cannot be told apart below
        values = values.map(lambda value: value if pd.api.types.is_scalar(value) else None)
    codes, unique = pd.factorize(values, use_na_sentinel=False)
    labels = np.array([_label(value) for value in unique], np.int64)[codes]
    table.refuse(header, labels < 0, "must be a whole number >= 0")
    return pd.Series(labels)


def _headers(table: Table, columns: Mapping[str, str], labels: Labels) -> dict[str, str]:
    """Which of the table's columns is which of ours; ids and unneeded labels may be absent."""
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise DataError(
            f"columns must say for names of {list(COLUMNS)} what they are called in {table.name}. "
            f"Received: {dict(columns)}."
        )
    headers = {name: columns.get(name, name) for name in COLUMNS}
    found = table.headers
    needed = {"text_left", "text_right", *columns, *(["label"] if labels == "required" else [])}
    missing = [name for name in COLUMNS if name in needed and headers[name] not in found]
    if missing:
        named = ", ".join(
            repr(headers[name]) + (f" (for {name})" if headers[name] != name else "")
            for name in missing
        )
        raise DataError(
            f"{table.name}: no column {named}. Say what yours are called with "
            f"columns={{{missing[0]!r}: ...}}. Received: {found}."
        )
    _refuse_one_for_two(table, headers)
    headers = {name: header for name, header in headers.items() if header in found}
    for header in headers.values():
        if found.count(header) > 1:
            raise DataError(f"{table.name}: must name each column once. Received: {found}.")
    if labels == "optional" and "label" in headers and _is_blank(table.frame[headers["label"]]):
        del headers["label"]
    return headers


def _refuse_one_for_two(table: Table, headers: Mapping[str, str]) -> None:
    """Queries, documents and labels are three things; an id may well be the text itself."""
    names: dict[str, str] = {}
    for name in ("text_left", "text_right", "label"):
        other = names.setdefault(headers[name], name)
        if other != name:
            raise DataError(
                f"{table.name}: {other} and {name} must be two columns. Say what yours are called "
                f"with columns={{{other!r}: ..., {name!r}: ...}}. Received: {headers[name]!r} for "
                f"both, of {table.headers}."
            )


def _is_blank(values: pd.Series) -> bool:
    return all(value == "" or pd.api.types.is_scalar(value) and pd.isna(value) for value in values)


def _others(table: Table, headers: Mapping[str, str]) -> pd.DataFrame:
    others = table.frame.drop(columns=list(headers.values())).reset_index(drop=True)
    clash = [name for name in others if name in COLUMNS]
    if clash:
        raise DataError(
            f"{table.name}: a further column must not be called as one of the pairs' own. "
            f"Received: {clash}."
        )
    return others


def _texts(table: Table, header: str) -> pd.Series:
    values = table.frame[header].reset_index(drop=True)
    if is_coded(values) and isinstance(values.cat.categories.dtype, pd.StringDtype):
        table.refuse(header, values.isna().to_numpy(), _TEXT)
        return values
    if isinstance(values.dtype, pd.StringDtype):
        bad = values.isna().to_numpy()
    elif pd.api.types.infer_dtype(values, skipna=False) == "string":
        bad = np.zeros(len(values), bool)
    else:
        bad = np.array([not isinstance(value, str) for value in values], bool)
    table.refuse(header, bad, _TEXT)
    try:
        return values.astype(str)
    except UnicodeEncodeError:
        bad = np.array([_SURROGATE.search(text) is not None for text in values], bool)
        table.refuse(header, bad, "must not contain half a character (a lone surrogate)")
        raise


def _ids(table: Table, header: str) -> pd.Series:
    values = table.frame[header].reset_index(drop=True)
    if pd.api.types.is_integer_dtype(values.dtype) and not values.hasnans:
        return values.astype(str)
    if is_coded(values) and isinstance(values.cat.categories.dtype, pd.StringDtype):
        blank = np.append((values.cat.categories.str.strip() == ""), True)  # -1 is missing
        table.refuse(header, blank[values.cat.codes.to_numpy()], _ID)
        return values
    if isinstance(values.dtype, pd.StringDtype) and not values.hasnans:
        ids = values
    else:
        ids = pd.Series([_id(value) for value in values], dtype=object)
    bad = (ids.str.strip() == "").to_numpy(bool)
    table.refuse(header, bad, _ID)
    return ids.astype(str)


def _id(value: Any) -> str:
    """The id as a string; empty where it is none."""
    if isinstance(value, str):
        return "" if _SURROGATE.search(value) else value
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        return str(int(value)) if np.isfinite(value) and value == int(value) else ""
    return ""


def _made_ids(texts: pd.Series, prefix: str) -> pd.Series:
    """MatchZoo's ids: one for each text, numbered as they appear."""
    codes, unique = pd.factorize(texts)
    names = pd.Index([f"{prefix}{number}" for number in range(len(unique))], dtype=str)
    if is_coded(texts):
        return pd.Series(pd.Categorical.from_codes(codes, categories=names))
    return pd.Series(names.astype(texts.dtype).take(codes))


def _refuse_two_texts(table: Table, header: str, ids: pd.Series, texts: pd.Series) -> None:
    by_id, unique = pd.factorize(ids)
    by_text = pd.factorize(texts)[0]
    first = np.zeros(len(unique), int)
    first[by_id[::-1]] = np.arange(len(ids))[::-1]  # the last to be written is the first row
    bad = by_text != by_text[first[by_id]]
    if bad.any():
        row = int(bad.argmax())
        before = int(first[by_id[row]])
        raise DataError(
            f"{table.place(row)}: {header} {ids[row]!r} must stand for one text, and at "
            f"{table.place(before)} it stood for {shown(texts[before])}. Received: "
            f"{shown(texts[row])} ({bad.sum()} of {len(bad)} rows are like this). Give each text "
            "an id of its own, or leave the column out."
        )


def _label(value: Any) -> int:
    """The label as a number; -1 where it is none."""
    if isinstance(value, str):
        value = float(value) if _WHOLE.fullmatch(value) else -1
    if not isinstance(value, int | float | np.number | np.bool_):
        return -1
    return int(value) if 0 <= value < 2**31 and value == int(value) else -1


_SURROGATE = re.compile("[\ud800-\udfff]")
_TEXT = "must be text; a text without words is ''"
_ID = "must be an id, a string or a whole number"
_WHOLE = re.compile(r"\s*\+?\d+(?:\.0*)?\s*")
