"""Results of single runs as small folders, written whole or not at all, and read back.

`runs/ROW/SEED/`: result.json, per_query.csv.gz, run.trec.gz, history.csv. Ids and numbers only: no
text of the data stands in them. The same results give the same bytes.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import math
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ir_attention.errors import DataError
from ir_attention.evaluation.runs import write_run
from ir_attention.files import write_whole

__all__ = [
    "Result",
    "claim_folder",
    "has_result",
    "has_row",
    "read_result",
    "read_results",
    "result_files",
    "write_result",
]

_TEXT, _WHOLE, _SWITCH, _OBJECT = (str,), (int,), (bool,), (dict,)
_NUMBER, _PERHAPS = (int, float, type(None)), (str, type(None))

_KINDS: dict[tuple[type, ...], str] = {
    **{_TEXT: "a text", _WHOLE: "a whole number", _SWITCH: "true or false"},
    **{_OBJECT: "an object", _NUMBER: "a number or null", _PERHAPS: "a text or null"},
}

# What stands in result.json, by its type; what nobody reads is not named.
_FACTS = {
    "row label model dev_measure machine code command": _TEXT,
    "seed test_pairs epochs kept_epoch parameters vector_values": _WHOLE,
    "budget_ended_it": _SWITCH,
    "key versions": _OBJECT,
    "dev fit_cpu_seconds train_cpu_seconds train_wall_seconds peak_mib": _NUMBER,
    "pairs_trained_per_cpu_second pairs_scored_per_cpu_second": _NUMBER,
    "vectors": _PERHAPS,
}

_FILES = ("result.json", "per_query.csv.gz", "run.trec.gz", "history.csv")


@dataclass(frozen=True)
class Result:
    """What one row and seed gave.

    Attributes:
        facts: The content of result.json.
        per_query: A column per measure, a row per query, by its id.
        history: A row per epoch.
    """

    facts: dict[str, Any]
    per_query: pd.DataFrame
    history: pd.DataFrame


def claim_folder(out: Path, data: Mapping[str, str]) -> None:
    """Makes the folder of a benchmark, or sees that it is one of the same data.

    Args:
        out: The folder; `benchmark.json` in it says whose it is.
        data: The checksum of each part.

    Raises:
        DataError: There is something else, or a benchmark of other data, or it cannot be made.
    """
    mark = out / "benchmark.json"
    try:
        if not out.exists() or (out.is_dir() and not any(out.iterdir())):
            out.mkdir(parents=True, exist_ok=True)
            write_whole(mark, (json.dumps({"data": dict(data)}, indent=1) + "\n").encode())
            return
    except OSError as error:
        raise DataError(f"--out: {out} cannot be written. Received: {error.strerror}") from error
    try:
        there = json.loads(mark.read_bytes())["data"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise DataError(
            f"--out: must be a new folder, or one of a benchmark. Received: {out}"
        ) from error
    if there != dict(data):
        raise DataError(f"--out: must not hold results on other data. Received: {out}")


def write_result(
    folder: Path,
    facts: Mapping[str, Any],
    *,
    per_query: pd.DataFrame,
    run: pd.DataFrame,
    history: pd.DataFrame,
) -> None:
    """Writes the folder of a row and seed; what is there is replaced.

    Args:
        folder: Of the seed.
        facts: Plain values; not finite numbers become null.
        per_query: `query_id, measure, value`; 12 digits are kept, so that equal stays equal.
        run: What `write_run` takes.
        history: As of `Trained`.

    Raises:
        DataError: The folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in folder.parent.glob(f".draft-{folder.name}-*"):  # by a write that was killed
            shutil.rmtree(left, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=f".draft-{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        text = json.dumps(_plain(facts), indent=1, allow_nan=False) + "\n"
        (draft / "result.json").write_text(text, encoding="utf-8")
        values = per_query.to_csv(index=False, float_format="%.12g", lineterminator="\n")
        (draft / "per_query.csv.gz").write_bytes(gzip.compress(values.encode(), mtime=0))
        write_run(run, draft / "run.trec.gz", tag=str(facts["row"]))
        (draft / "history.csv").write_text(
            history.to_csv(index=False, float_format="%.6g", lineterminator="\n"), encoding="utf-8"
        )
        os.chmod(draft, 0o755)  # mkdtemp's folders are closed to others
        old = draft.with_name(draft.name + "-old")
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def has_result(folder: Path, key: Mapping[str, Any]) -> bool:
    """Whether the run of this key is complete in the folder.

    Raises:
        DataError: There is another run in it, or something else.
    """
    if not folder.exists():
        return False
    facts = read_result(folder).facts
    there, here = facts.get("key"), _plain(key)
    if there == here:
        return True
    there = there if isinstance(there, dict) else {}
    shown = ", ".join(
        f"{name}: {_short(old)}, now {_short(new)}" for name, old, new in _changed(there, here)
    )
    raise DataError(
        f"{folder}: must not hold another run than the one asked for; use another --out, or "
        f"--again to replace it. Received: {shown or 'a key of another form'}"
    )


def has_row(out: Path, name: str) -> bool:
    """Whether a run of the row of this name is complete in the folder of a benchmark."""
    runs = out / "runs" / name.replace(":", "--")
    return any(path.parent.parent == runs for path in result_files(out))


def read_result(folder: Path) -> Result:
    """Reads what `write_result` wrote.

    Raises:
        DataError: A file is missing or damaged.
    """
    try:
        facts = json.loads((folder / "result.json").read_bytes())
        packed = (folder / "per_query.csv.gz").read_bytes()
        long = pd.read_csv(
            io.BytesIO(gzip.decompress(packed)),
            dtype={"query_id": str, "value": float},
            keep_default_na=False,  # a query may be called NA
            na_values={"value": [""]},
        )
        values = long.pivot(index="query_id", columns="measure", values="value")
        history = pd.read_csv(folder / "history.csv")
        if not (folder / "run.trec.gz").is_file():
            raise ValueError("not all files are there")
        _check_facts(facts)
    except (OSError, ValueError, KeyError, EOFError, zlib.error, RecursionError) as error:
        raise DataError(
            f"{folder}: must hold a whole result, {', '.join(_FILES)}; remove the folder, and the "
            f"next call runs it anew. Received: {sorted(path.name for path in folder.glob('*'))} "
            f"({type(error).__name__}: {error})"
        ) from error
    return Result(facts, values, history)


def read_results(out: Path) -> dict[str, dict[int, Result]]:
    """All results below `out/runs`, by row and seed; rows by name, seeds ascending.

    Raises:
        DataError: One of them is damaged.
    """
    found: dict[str, dict[int, Result]] = {}
    for path in result_files(out):
        try:
            result = read_result(path.parent)
        except DataError:  # it may just have been replaced
            result = read_result(path.parent)
        found.setdefault(result.facts["row"], {})[result.facts["seed"]] = result
    return {row: dict(sorted(seeds.items())) for row, seeds in found.items()}


def result_files(out: Path) -> dict[Path, int]:
    """The file result.json of each complete run, sorted, and when it was written (ns)."""
    found = {}
    for path in sorted((out / "runs").glob("*/*/result.json")):
        with contextlib.suppress(FileNotFoundError):  # it may just be being replaced
            if not path.parent.name.startswith("."):
                found[path] = path.stat().st_mtime_ns
    return found


def _check_facts(facts: Any) -> None:
    """Sees that what the tables read is there, each of its type.

    Raises:
        ValueError: It is not.
    """
    if not isinstance(facts, dict):
        raise ValueError("result.json must be an object")
    for names, kinds in _FACTS.items():
        for name in names.split():
            value = facts.get(name, ...)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise ValueError(f"{name} must be {_KINDS[kinds]}")
    budget = facts["key"].get("budget", ...)
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int | float)):
        raise ValueError("key must have a budget, a number or null")
    if not isinstance(facts["key"].get("data"), dict):
        raise ValueError("key must have the checksums of the data")
    if not isinstance(facts.get("commit"), str | None):  # not all results have one
        raise ValueError("commit must be a text or null")
    if not all(isinstance(value, str) for value in facts["versions"].values()):
        raise ValueError("versions must be texts")


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _changed(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Name, old and new value of what differs; of tables what differs in them."""
    for name in dict.fromkeys([*here, *there]):
        old, new = there.get(name), here.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from ((f"{name}.{inner}", *values) for inner, *values in _changed(old, new))
        elif old != new:
            yield name, old, new


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
