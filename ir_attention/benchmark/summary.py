"""The results of single runs to tables, pages and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.benchmark import wording
from ir_attention.benchmark.commands import one_command, shown_path, typed_for
from ir_attention.benchmark.plan import group_of, place_of
from ir_attention.benchmark.store import Result, read_results, result_files
from ir_attention.evaluation.intervals import bootstrap_interval
from ir_attention.evaluation.significance import summed_up
from ir_attention.files import write_whole
from ir_attention.reports.plots import Point, cost_picture
from ir_attention.reports.tables import FORMS, Code, Picture, page

__all__ = ["Asked", "comparisons", "figures", "per_query", "write_summary"]

_ENDS = {"markdown": "md", "text": "txt", "latex": "tex", "html": "html"}
_SEED = 7  # of intervals and tests

# How often the tables are begun anew when another process has meanwhile added a result; it writes
# them, too, and the last of both must have seen all.
_TRIES = 5

# By row, by seed.
Results = Mapping[str, Mapping[int, Result]]

# Of what counts words, and calls that one.
_NO_EPOCHS = {"epochs": np.nan, "kept_epoch": np.nan}

# Of result.json, what is averaged over seeds.
_AVERAGED = (
    *("dev", "epochs", "kept_epoch", "parameters", "vector_values", "fit_cpu_seconds"),
    *("train_cpu_seconds", "train_wall_seconds", "pairs_trained_per_cpu_second"),
    "pairs_scored_per_cpu_second",
)


@dataclass(frozen=True)
class Asked:
    """What was asked of a benchmark, as far as its tables say so.

    Attributes:
        title: Of the data set.
        seeds: How many each row was asked for, by its name.
        measures: Names; the first one decides.
        against: The name of the reference row; None for `han`, if it is there.
        skipped: Why a row was not run, by its name.
    """

    title: str
    seeds: Mapping[str, int]
    measures: Sequence[str]
    against: str | None
    skipped: dict[str, str] = field(default_factory=dict)


def write_summary(out: Path, asked: Asked) -> pd.DataFrame:
    """Reads the results below `out`, and writes `table.*`, `comparisons.csv`, `cost.*` and
    `summary.json` there.

    They are always of all results that are there, whoever asked for them, and rows stand in the
    order of `plan.place_of`.

    Returns:
        The frame of `figures`; empty, and nothing is written, if there is no result yet.
    """
    frame = pd.DataFrame()
    for _ in range(_TRIES):
        seen = result_files(out)
        frame = _write(out, asked)
        if result_files(out) == seen:
            break
    return frame


def _write(out: Path, asked: Asked) -> pd.DataFrame:
    results, left_out = _ordered(read_results(out), asked)
    if not results:
        return pd.DataFrame()
    main = asked.measures[0]
    against = asked.against or ("han" if "han" in results else None)
    frame = figures(results, asked.measures)
    tests = comparisons(results, main, against)
    png, svg = _picture(frame, main)
    facts = [one.facts for seeds in results.values() for one in seeds.values()]
    first, others = wording.verdict(frame, tests, main, against)
    parts: list[Any] = [("", first), *([("", others)] if others else [])]
    parts.append(("Quality", wording.quality(frame, asked.measures, asked.seeds)))
    if against and len(tests):
        labels = dict(zip(frame["row"], frame["label"], strict=True))
        heading = f"What {labels[against]} has more in {wording.shown(main)}"
        parts.append((heading, wording.differences(tests, labels)))
    parts += [
        ("", Picture(svg, "cost.png", f"{wording.shown(main)} against what it costs")),
        ("Cost", wording.cost(frame)),
        ("Protocol", wording.notes(frame, tests, facts, asked.skipped, left_out)),
    ]
    whole = one_command(facts, asked.measures, shown_path(str(out)), asked.against)
    for number, command in enumerate([whole] if whole else typed_for(facts)):
        parts.append(("Command" if not number else "", Code(command)))
    written = {"cost.png": png, "cost.svg": svg.encode()}
    for form in FORMS:
        text = page(f"Benchmark on {asked.title}", parts, form)
        written[f"table.{_ENDS[form]}"] = text.encode(errors="replace")
    written["table.csv"] = _csv(frame)
    written["comparisons.csv"] = _csv(tests)
    written["summary.json"] = _json(frame, tests, facts, asked, against)
    for name, content in written.items():
        write_whole(out / name, content)
    return frame


def per_query(seeds: Mapping[int, Result], measure: str) -> pd.Series:
    """Each query's mean over the seeds, by its id."""
    return pd.concat([one.per_query[measure] for one in seeds.values()], axis=1).mean(axis=1)


def figures(results: Results, measures: Sequence[str]) -> pd.DataFrame:
    """All figures of each row.

    Returns:
        A row per model: `row`, `label`, `group`, `seeds` (how many), `queries`; by its name the
        mean over queries and seeds of each measure; of the first one the ends of the 95 %
        interval, `low` and `high`, and the means of the lowest and the highest seed; what
        `single.run_one` says of a training, as means over seeds; `peak_mib`, the most of all
        seeds; `budget`, and in how many seeds it ended the training (`budget_ended`), and the
        best epoch was the last (`still_rising`); the name of the `vectors`.
    """
    rows = []
    for name, seeds in results.items():
        facts = [one.facts for one in seeds.values()]
        main = per_query(seeds, measures[0]).to_numpy(float)
        means = [float(one.per_query[measures[0]].mean()) for one in seeds.values()]
        low, high = bootstrap_interval(main, seed=_SEED)
        rows.append(
            {
                "row": name,
                "label": facts[0]["label"],
                "group": group_of(facts[0]["model"]),
                "seeds": len(seeds),
                "queries": len(main),
                **{measure: float(per_query(seeds, measure).mean()) for measure in measures},
                **{"low": low, "high": high},
                **{"lowest_seed": min(means), "highest_seed": max(means)},
                **{figure: _mean(fact.get(figure) for fact in facts) for figure in _AVERAGED},
                **({} if facts[0]["pairs_trained_per_cpu_second"] else _NO_EPOCHS),
                "peak_mib": max(fact["peak_mib"] or np.nan for fact in facts),
                "budget": facts[0]["key"]["budget"],
                "budget_ended": sum(fact["budget_ended_it"] for fact in facts),
                "still_rising": sum(_rises(fact) for fact in facts),
                "vectors": facts[0]["vectors"],
            }
        )
    return pd.DataFrame(rows)


def comparisons(results: Results, measure: str, against: str | None) -> pd.DataFrame:
    """The reference row beside each other one.

    Returns:
        What `evaluation.compare` returns, one family of tests: the reference is the `run`, the
        others are baselines, and values are means over seeds. Empty without a reference.
    """
    if against is None or against not in results or len(results) < 2:
        return pd.DataFrame()
    run, blocks = per_query(results[against], measure), []
    for name, seeds in results.items():
        if name != against:
            base = per_query(seeds, measure).reindex(run.index)
            block = {
                **{"measure": measure, "baseline": name, "run": against, "query_id": run.index},
                **{"value_baseline": base.to_numpy(), "value_run": run.to_numpy()},
                "difference": np.round((run - base).to_numpy(), 12),
            }
            blocks.append(pd.DataFrame(block))
    found = pd.concat(blocks, ignore_index=True)
    return summed_up(found, seed=_SEED, level=wording.LEVEL)


def _ordered(results: Results, asked: Asked) -> tuple[dict[str, dict[int, Result]], dict[str, str]]:
    """The results in the order of the table, and why others are left out.

    Of a row, those that were run as its first seed was; of all, those with the measures.
    """
    ordered: dict[str, dict[int, Result]] = {}
    left_out: dict[str, str] = {}

    def place(name: str) -> tuple[Any, ...]:
        return place_of(name, next(iter(results[name].values())).facts["model"])

    for name in sorted(results, key=place):
        first = _run_as(next(iter(results[name].values())))
        for seed, one in results[name].items():
            here, run = _run_as(one), f"{name}, seed {seed}"
            if lacking := [measure for measure in asked.measures if measure not in one.per_query]:
                left_out[run] = f"run without {', '.join(lacking)}"
            elif here != first:
                odd = [part for part in {**first, **here} if here.get(part) != first.get(part)]
                left_out[run] = f"run with other {', '.join(odd)} than seed {min(results[name])}"
            else:
                ordered.setdefault(name, {})[seed] = one
    return ordered, left_out


def _run_as(result: Result) -> dict[str, Any]:
    return {name: value for name, value in result.facts["key"].items() if name != "seed"}


def _rises(facts: Mapping[str, Any]) -> bool:
    return facts["epochs"] > 1 and facts["kept_epoch"] == facts["epochs"]


def _mean(values: Any) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")


def _picture(frame: pd.DataFrame, main: str) -> tuple[bytes, str]:
    points = [
        Point(
            name=row["label"],
            group=row["group"],
            value=row[main],
            low=row["low"],
            high=row["high"],
            costs=(max(row["train_cpu_seconds"], 0.01), row["pairs_scored_per_cpu_second"]),
        )
        for row in frame.to_dict("records")
    ]
    panels = ["training, CPU seconds", "pairs scored per CPU second"]
    return cost_picture(points, panels=panels, measure=wording.shown(main))


def _csv(frame: pd.DataFrame) -> bytes:
    """Numbers to 4 decimals; p values and what is smaller to 4 digits."""
    text = frame.copy()
    for name in text.columns:
        if text[name].dtype.kind == "f":
            form = "{:.4g}" if name.startswith("p_") else "{:.4f}"
            text[name] = [None if value != value else form.format(value) for value in text[name]]
    return text.to_csv(index=False, lineterminator="\n").encode(errors="replace")


def _json(
    frame: pd.DataFrame,
    tests: pd.DataFrame,
    facts: Sequence[Mapping[str, Any]],
    asked: Asked,
    against: str | None,
) -> bytes:
    content = {
        "title": asked.title,
        "measures": list(asked.measures),
        "against": against,
        "commands": typed_for(facts),
        "data": facts[0]["key"]["data"],
        "seeds": sorted({fact["seed"] for fact in facts}),
        "skipped": dict(asked.skipped),
        "versions": wording.several(fact["versions"] for fact in facts),
        "code": wording.by_code(facts),
        "commits": wording.commits_of(facts),
        "machines": sorted({fact["machine"] for fact in facts}),
        "rows": json.loads(frame.to_json(orient="records", double_precision=6)),
        "comparisons": json.loads(tests.to_json(orient="records", double_precision=6)),
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode(errors="replace")
