"""What is asked of a benchmark: from the command line, a TOML file, or both."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ir_attention.benchmark.plan import MEASURES, PARTS, VARIANTS, Data, Row, parts_in, rows_of
from ir_attention.errors import DataError
from ir_attention.evaluation.measures import check_measures
from ir_attention.training.settings import MODELS

__all__ = ["Wanted", "read_config", "wanted"]

_SEEDS = 3

_KEYS: dict[str, type] = {
    **{"title": str, "train": str, "dev": str, "test": str, "columns": dict, "models": list},
    **{"measures": list, "seeds": int, "budget": float, "against": str, "vectors": str},
    **{"minilm": str, "variants": dict},
}
_VARIANT_KEYS: dict[str, type] = {"model": str, "options": dict, "label": str}

_KINDS = {list: "a list of names", dict: "a table", str: "text", int: "a whole number"}


@dataclass(frozen=True)
class Wanted:
    """A benchmark.

    Attributes:
        data: Its files.
        rows: In the order of the table.
        measures: Names; the first one decides.
        seeds: How many.
        budget: CPU seconds that the epochs of a training may take, or None.
        against: The name of the row that others are compared to, or None for `han`, if it is there.
        vectors: A file or folder of pretrained vectors, or None.
        minilm: The folder of the row `minilm`, or None.
    """

    data: Data
    rows: list[Row]
    measures: list[str]
    seeds: int = _SEEDS
    budget: float | None = None
    against: str | None = None
    vectors: Path | None = None
    minilm: Path | None = None


def wanted(given: Mapping[str, Any], config: Path | None = None) -> Wanted:
    """What is asked for, with what was given in place of what the file says.

    Args:
        given: `data` (a folder), `models` (names with commas between), `seeds`, `budget`,
            `against`, `vectors`, `minilm`, each None if it was not given.
        config: A TOML file, as `read_config` takes it.

    Raises:
        DataError: Something is missing, unknown or out of range.
    """
    found = read_config(config) if config else {}
    found |= {name: value for name, value in given.items() if value is not None and name != "data"}
    data = parts_in(given["data"]) if given.get("data") else found.get("data")
    if data is None:
        raise DataError("--data: must name a folder, unless --config names files. Received: none")
    names = found.get("models", [])
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
    rows = rows_of(names, {**VARIANTS, **found.get("variants", {})})
    seeds, budget, against = found.get("seeds", _SEEDS), found.get("budget"), found.get("against")
    if not 1 <= seeds <= 1000:
        raise DataError(f"--seeds: must be a whole number from 1 to 1000. Received: {seeds}")
    if budget is not None and not 0 < budget < float("inf"):
        raise DataError(f"--budget: must be CPU seconds, above 0. Received: {budget}")
    if against is not None and against not in [row.name for row in rows]:
        raise DataError(
            f"--against: must be one of the rows, {', '.join(row.name for row in rows)}. "
            f"Received: {against!r}"
        )
    measures = list(found.get("measures", MEASURES))
    check_measures(measures)
    paths = {name: Path(found[name]) if found.get(name) else None for name in ("vectors", "minilm")}
    budget = None if budget is None else float(budget)
    return Wanted(data, rows, measures, seeds, budget, against, **paths)


def read_config(path: Path) -> dict[str, Any]:
    """Reads a TOML file that describes a benchmark; `docs/benchmark.md` has its keys.

    Returns:
        Its values by key, but `data` (a `Data`, or None) for what it says of files and columns,
        and `variants` in the form of `plan.VARIANTS`. Paths start from the file's folder.

    Raises:
        DataError: It is not TOML, or a key is unknown or has a value of the wrong type.
    """
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: must be a TOML file. Received: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read. Received: {error.strerror}") from error
    found = _typed(raw, _KEYS, str(path))
    files = {part: path.parent / found.pop(part) for part in PARTS if part in found}
    if files and len(files) < len(PARTS):
        raise DataError(f"{path}: must name train, dev and test. Received: {', '.join(files)}")
    for name in ("title", "columns"):
        if name in found and not files:
            raise DataError(f"{path}: {name} is for files that it names itself. Received: no files")
    columns, title = found.pop("columns", {}), found.pop("title", path.stem)
    if odd := [value for value in columns.values() if not isinstance(value, str)]:
        raise DataError(f"{path}: columns must name columns by texts. Received: {odd[0]!r}")
    found["data"] = Data(title, files, columns) if files else None
    for name in ("vectors", "minilm"):
        if name in found:
            found[name] = str(path.parent / found[name])
    own = found.get("variants", {})
    return {**found, "variants": {name: _variant(own[name], name, path) for name in own}}


def _variant(value: Any, name: str, path: Path) -> tuple[str, dict[str, Any], str]:
    """A row of one's own, in the form of `plan.VARIANTS`."""
    where = f"{path}: variants.{name}"
    if name in MODELS or name in VARIANTS:
        raise DataError(f"{where} must have a name that no row has yet. Received: {name}")
    if not isinstance(value, dict) or "model" not in value:
        raise DataError(f"{where} must be a table with a model. Received: {value!r}")
    one = _typed(value, _VARIANT_KEYS, where)
    return one["model"], one.get("options", {}), one.get("label", name)


def _typed(raw: Mapping[str, Any], kinds: Mapping[str, type], where: str) -> dict[str, Any]:
    """The values, each of the type that its key has."""
    for name, value in raw.items():
        if name not in kinds:
            raise DataError(f"{where}: must have no keys but {', '.join(kinds)}. Received: {name}")
        kind = kinds[name]
        fine = isinstance(value, (int, float) if kind is float else kind)
        if not fine or isinstance(value, bool):
            rule = _KINDS.get(kind, "a number")
            raise DataError(f"{where}: {name} must be {rule}. Received: {value!r}")
        if isinstance(value, str) and "\0" in value:
            raise DataError(f"{where}: {name} must have no character U+0000. Received: {value!r}")
        if isinstance(value, list) and not all(isinstance(one, str) for one in value):
            raise DataError(f"{where}: {name} must be a list of names. Received: {value!r}")
    return dict(raw)
