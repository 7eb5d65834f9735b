"""What was typed for a benchmark, as others can type it; and one command for all that is there."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ir_attention.benchmark.plan import (
    FIRST_SEED,
    MEASURES,
    VARIANTS,
    Row,
    place_of,
    rows_of,
)
from ir_attention.training.settings import MODELS

__all__ = ["one_command", "shown_path", "typed", "typed_for"]

_SCRIPT = "pipelines/benchmark.py"

_CHECKOUT = Path(__file__).parents[2]

# Options of the script that are followed by nothing.
_SWITCHES = {"--again", "--verbose"}


def typed(words: Sequence[str]) -> str:
    """What was typed after the script, paths as `shown_path` has them."""
    shown = []
    for word in words:
        name, sign, value = word.partition("=") if word.startswith("--") else ("", "", word)
        shown.append(name + sign + shown_path(value))
    line = shlex.join(["python", _SCRIPT, *shown])
    return os.fsencode(line).decode(errors="replace")  # whatever the locale takes letters for


def shown_path(path: str) -> str:
    """A path without what only this machine has.

    One from the root of the machine is named from the folder that the command runs in, or else
    from the checkout, if it lies below; of any other the last two parts are kept, as where they lie
    is nobody else's business. What was typed relative stays as it is, and so does what is no path.
    """
    if not os.path.isabs(path):
        return path
    for folder in (Path.cwd(), _CHECKOUT):
        if Path(path).is_relative_to(folder):
            return str(Path(path).relative_to(folder))
    return str(Path(*Path(path).parts[1:][-2:]))


def typed_for(facts: Iterable[Mapping[str, Any]]) -> list[str]:
    """The commands of runs, each once, in their order."""
    return list(dict.fromkeys(fact["command"] for fact in facts))


def one_command(
    facts: Sequence[Mapping[str, Any]],
    measures: Sequence[str],
    out: str,
    against: str | None = None,
) -> str:
    """The command that makes a whole folder, and goes on with it where runs are missing.

    It asks each row for as many seeds as the row with the most has.

    Args:
        facts: Of all runs that are to come out, what stands in result.json.
        measures: Names; the first one decides.
        out: What follows `--out`.
        against: What follows `--against`, or None.

    Returns:
        The command; empty if there is none, as rows or columns come from a file for `--config`,
        or what was typed does not say where the data lie.
    """
    options = [_options(fact["command"]) for fact in facts]
    rows = _rows(facts)
    if rows is None or tuple(measures) != MEASURES or any("--config" in one for one in options):
        return ""
    words = {"--data": _first(one.get("--data", "") for one in options)}
    if not words["--data"]:
        return ""
    words["--models"] = ",".join(row.name for row in rows)
    words["--seeds"] = str(max(fact["seed"] for fact in facts) - FIRST_SEED + 1)
    words["--budget"] = _budget({fact["row"]: fact["key"]["budget"] for fact in facts}, rows)
    for name, wanted in (("--vectors", False), ("--minilm", True)):
        words[name] = _first(
            one.get(name, "")
            for fact, one in zip(facts, options, strict=True)
            if fact["vectors"] and (fact["model"] == "minilm") == wanted
        )
    words["--against"] = against or ""
    words["--out"] = out
    line = [word for name, value in words.items() if value for word in (name, value)]
    return shlex.join(["python", _SCRIPT, *line])


def _options(command: str) -> dict[str, str]:
    """The options of a command by name; of one that stands there twice the last."""
    try:
        words = shlex.split(command)
    except ValueError:  # a file that somebody edited
        return {}
    found, name = {}, ""
    for word in words:
        if word.startswith("--"):
            name, sign, value = word.partition("=")
            found[name] = value
            name = "" if sign or name in _SWITCHES else name
        elif name:
            found[name], name = word, ""
    return found


def _rows(facts: Iterable[Mapping[str, Any]]) -> list[Row] | None:
    """The rows in the order of the tables; None if some are known from a file alone."""
    models = {fact["row"]: fact["model"] for fact in facts}
    if any(name not in MODELS and name not in VARIANTS for name in models):
        return None
    return rows_of(sorted(models, key=lambda name: place_of(name, models[name])))


def _budget(budgets: Mapping[str, float | None], rows: Sequence[Row]) -> str:
    """As `--budget` has it: that of most rows, then those of others."""
    counted = Counter(budgets[row.name] for row in rows if row.takes_budget)
    usual = None if None in counted else counted.most_common(1)[0][0] if counted else None
    named = [
        f"{row.name}={budgets[row.name]:g}"
        for row in rows
        if row.takes_budget and budgets[row.name] not in (usual, None)
    ]
    return ",".join([*([] if usual is None else [f"{usual:g}"]), *named])


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")
