"""What is asked of a benchmark: from the command line, a TOML file, or both."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ir_attention.benchmark.plan import MEASURES, PARTS, VARIANTS, Data, Row, parts_in, rows_of
from ir_attention.benchmark.store import has_row
from ir_attention.errors import DataError
from ir_attention.evaluation.measures import check_measures
from ir_attention.training.settings import MODELS

__all__ = ["Wanted", "read_config", "wanted"]

_SEEDS = 3

_KEYS: dict[str, type] = {
    **{"title": str, "train": str, "dev": str, "test": str, "columns": dict, "models": list},
    **{"measures": list, "seeds": int, "budget": float, "against": str, "vectors": str},
    **{"minilm": str, "variants": dict, "budgets": dict},
}
_VARIANT_KEYS: dict[str, type] = {"model": str, "options": dict, "label": str}

_KINDS = {list: "a list of names", dict: "a table", str: "text", int: "a whole number"}


@dataclass(frozen=True)
class Wanted:
    """A benchmark.

    Attributes:
        data: Its files.
        rows: In the order that they were named in.
        measures: Names; the first one decides.
        seeds: How many.
        budget: CPU seconds that the epochs of a training may take, or None.
        against: The name of the row that others are compared to, or None for `han`, if it is there.
        budgets: Those of rows that have another one, by their names.
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
    budgets: Mapping[str, float] = field(default_factory=dict)

    def budget_of(self, row: Row) -> float | None:
        """CPU seconds that the epochs of a training of the row may take, or None."""
        return self.budgets.get(row.name, self.budget)


def wanted(given: Mapping[str, Any], config: Path | None = None, out: Path | None = None) -> Wanted:
    """What is asked for, with what was given in place of what the file says.

    Args:
        given: `data` (a folder), `models` (names with commas between), `seeds`, `budget`,
            `against`, `vectors`, `minilm`, each None if it was not given. A budget is a number, or
            a text with those of single rows: `150,conv-knrm=450`.
        config: A TOML file, as `read_config` takes it.
        out: The folder of the results, where the row of `against` may be already.

    Raises:
        DataError: Something is missing, unknown or out of range.
    """
    found = read_config(config) if config else {}
    found |= {name: value for name, value in given.items() if value is not None and name != "data"}
    if given.get("budget") is not None:
        found |= dict(zip(("budget", "budgets"), _budgets(given["budget"]), strict=True))
    data = parts_in(given["data"]) if given.get("data") else found.get("data")
    if data is None:
        raise DataError("--data: must name a folder, unless --config names files. Received: none")
    names = found.get("models", [])
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    variants = {**VARIANTS, **found.get("variants", {})}
    rows = rows_of(names, variants)
    seeds, budget, against = found.get("seeds", _SEEDS), found.get("budget"), found.get("against")
    budgets = found.get("budgets", {})
    if not 1 <= seeds <= 1000:
        raise DataError(f"--seeds: must be a whole number from 1 to 1000. Received: {seeds}")
    for one in [*([] if budget is None else [budget]), *budgets.values()]:
        if not 0 < one < float("inf"):
            raise DataError(f"--budget: must be CPU seconds, above 0. Received: {one}")
    _check_budgets(budgets, rows, variants)
    known = [row.name for row in rows]
    if against is not None and against not in known and not (out and has_row(out, against)):
        raise DataError(
            f"--against: must be one of the rows, {', '.join(known)}, or one that is complete in "
            f"the folder of --out. Received: {against!r}"
        )
    measures = list(found.get("measures", MEASURES))
    check_measures(measures)
    paths = {name: Path(found[name]) if found.get(name) else None for name in ("vectors", "minilm")}
    budget = None if budget is None else float(budget)
    budgets = {name: float(one) for name, one in budgets.items()}
    return Wanted(data, rows, measures, seeds, budget, against, **paths, budgets=budgets)


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
    _typed(found.get("budgets", {}), dict.fromkeys(found.get("budgets", {}), float), f"{path}")
    own = found.get("variants", {})
    return {**found, "variants": {name: _variant(own[name], name, path) for name in own}}


def _budgets(given: str | float) -> tuple[float | None, dict[str, float]]:
    """`150,conv-knrm=450` to the budget of all rows, and those of single ones."""
    usual: float | None = None
    named: dict[str, float] = {}
    for part in str(given).split(","):
        name, sign, seconds = part.strip().rpartition("=")
        try:
            value = float(seconds)
        except ValueError:
            value = float("nan")
        first = name not in named if sign else usual is None
        if not 0 < value < float("inf") or not first:
            raise DataError(
                "--budget: must be CPU seconds, above 0, and ROW=SECONDS for rows with another "
                f"budget, with commas between, each once. Received: {given}"
            )
        if sign:
            named[name] = value
        else:
            usual = value
    return usual, named


def _check_budgets(
    budgets: Mapping[str, float],
    rows: Sequence[Row],
    variants: Mapping[str, tuple[str, dict[str, Any], str]],
) -> None:
    """Sees that each is for a row that there is, and that has epochs."""
    for name in budgets:
        if not rows_of([name], variants)[0].takes_budget:
            fit = ", ".join(row.name for row in rows if row.takes_budget) or "here none"
            raise DataError(
                f"--budget: goes with a row that is trained in epochs, {fit}. Received: {name}"
            )


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
