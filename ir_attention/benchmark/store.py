"""Results of single runs as small folders, written whole or not at all, and read back.

`runs/ROW/SEED/`: result.json, per_query.csv.gz, run.trec.gz, history.csv. Ids and numbers only: no
text of the data stands in them. The same results give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ir_attention.errors import DataError
from ir_attention.evaluation.runs import write_run
from ir_attention.files import write_whole

__all__ = ["Result", "claim_folder", "has_result", "read_result", "read_results", "write_result"]

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
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        text = json.dumps(_plain(facts), indent=1, allow_nan=False) + "\n"
        (draft / "result.json").write_text(text)
        values = per_query.to_csv(index=False, float_format="%.12g", lineterminator="\n")
        (draft / "per_query.csv.gz").write_bytes(gzip.compress(values.encode(), mtime=0))
        write_run(run, draft / "run.trec.gz", tag=str(facts["row"]))
        (draft / "history.csv").write_text(
            history.to_csv(index=False, float_format="%.6g", lineterminator="\n")
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
    names = [name for name in here if there.get(name) != here[name]]
    shown = ", ".join(
        f"{name}: {_short(there.get(name))}, now {_short(here[name])}" for name in names
    )
    raise DataError(
        f"{folder}: must not hold another run than the one asked for; use another --out, or "
        f"--again to replace it. Received: {shown or 'a key of another form'}"
    )


def read_result(folder: Path) -> Result:
    """Reads what `write_result` wrote.

    Raises:
        DataError: A file is missing or damaged.
    """
    try:
        facts = json.loads((folder / "result.json").read_bytes())
        packed = (folder / "per_query.csv.gz").read_bytes()
        long = pd.read_csv(io.BytesIO(gzip.decompress(packed)), dtype={"query_id": str})
        values = long.pivot(index="query_id", columns="measure", values="value")
        history = pd.read_csv(folder / "history.csv")
        if not isinstance(facts, dict) or not (folder / "run.trec.gz").is_file():
            raise ValueError("not all files are there")
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
    for path in sorted((out / "runs").glob("*/*/result.json")):
        if path.parent.name.startswith("."):
            continue
        result = read_result(path.parent)
        try:
            row, seed = str(result.facts["row"]), int(result.facts["seed"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: must name its row and seed. Received: {error}") from error
        found.setdefault(row, {})[seed] = result
    return {row: dict(sorted(seeds.items())) for row, seeds in found.items()}


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
