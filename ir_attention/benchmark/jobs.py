"""From what is asked to the single runs that are still to be done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ir_attention.benchmark.config import Wanted
from ir_attention.benchmark.plan import Row, content_sum, key_of, seeds_of
from ir_attention.benchmark.store import claim_folder, has_result
from ir_attention.data.readers import read_pairs
from ir_attention.errors import DataError
from ir_attention.evaluation.runs import mixed_queries

__all__ = ["jobs_of"]


def jobs_of(
    asked: Wanted,
    out: Path,
    *,
    command: str,
    again: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """What `single.run_one` takes, for each row and seed that is not complete in the folder.

    Every row's first seed comes before anyone's second.

    Args:
        asked: The benchmark.
        out: Its folder, which is made.
        command: What was typed.
        again: Whether to do those, too, that are complete.
        say: Is called with a line for each run that is complete.

    Returns:
        The jobs, and why a row is skipped, by its name.

    Raises:
        DataError: A file cannot be read, or has no query to measure; the folder is of something
            else, or holds other results for one of the runs.
    """
    files = asked.data.files
    sums = {part: content_sum(path) for part, path in files.items()}
    for path in files.values():
        pairs = read_pairs(path, asked.data.columns or None)
        if not mixed_queries(pairs.drop_duplicates(["id_left", "id_right"])):
            raise DataError(
                f"{path}: must have a query with a relevant document and another one. "
                f"Received: {len(pairs)} pairs without"
            )
    given: dict[str, tuple[Path | None, str | None]] = {"": (None, None)}
    for name, place in (("vectors", asked.vectors), ("minilm", asked.minilm)):
        if place is not None and (name == "vectors" or place.is_dir()):
            given[name] = place, content_sum(place)
    skipped = _skipped(asked)
    claim_folder(out, sums)
    jobs = []
    for number in range(asked.seeds):
        for row in asked.rows:
            seeds = seeds_of(row, asked.seeds)
            if row.name in skipped or number >= len(seeds):
                continue
            vectors, vectors_sum = given.get(_needs(row), given[""])
            key = key_of(
                row,
                seeds[number],
                data=sums,
                columns=asked.data.columns,
                measures=asked.measures,
                budget=asked.budget_of(row),
                vectors=vectors_sum,
            )
            folder = out / "runs" / row.folder / str(seeds[number])
            if not again and has_result(folder, key):
                say(f"{row.name}, seed {seeds[number]}: complete")
                continue
            jobs.append(
                {
                    "row": vars(row),
                    "seed": seeds[number],
                    "budget": key["budget"],
                    "vectors": None if vectors is None else str(vectors),
                    "files": {part: str(path) for part, path in files.items()},
                    "columns": dict(asked.data.columns),
                    "measures": asked.measures,
                    "key": key,
                    "command": command,
                    "folder": str(folder),
                }
            )
    return jobs, skipped


def _needs(row: Row) -> str:
    """The name of what the row is given beside the data."""
    if row.model == "minilm":
        return "minilm"
    return "vectors" if row.takes_vectors else ""


def _skipped(asked: Wanted) -> dict[str, str]:
    """Why a row cannot run here, as far as can be seen beforehand."""
    path = asked.minilm
    if path is None:
        reason = "no folder of the model was given (--minilm)"
    elif not path.is_dir():
        reason = f"there is no folder {path.name}"
    else:
        return {}
    return {row.name: reason for row in asked.rows if row.model == "minilm"}
