"""What a benchmark's tables say, in words and in numbers with their units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

__all__ = [
    "LEVEL",
    "by_code",
    "commits_of",
    "cost",
    "differences",
    "notes",
    "quality",
    "several",
    "shown",
    "verdict",
]

# Below it a corrected p value counts as significant, in the tables and in comparisons.csv.
LEVEL = 0.01

_NAMES = {"AP": "MAP", "RR": "MRR"}


def shown(measure: str) -> str:
    """What the mean of a measure is called."""
    return _NAMES.get(measure, measure)


def verdict(
    frame: pd.DataFrame, tests: pd.DataFrame, main: str, against: str | None
) -> tuple[str, list[str]]:
    """How the reference row stands to the others, in plain words.

    Returns:
        A sentence on the row, or on the best one without a reference; and the other rows, by what
        the tests say, an item each, with the differences.
    """
    name, labels = shown(main), dict(zip(frame["row"], frame["label"], strict=True))
    values = dict(zip(frame["row"], frame[main], strict=True))
    if against is None or against not in values:
        best = max(values, key=values.__getitem__)
        return f"{labels[best]} has the highest {name}: {values[best]:.3f}.", []
    value = values[against]
    above = sum(other > value for other in values.values())
    place = "the highest" if not above else f"the {_nth(above + 1)} highest"
    first = f"{labels[against]} has {place} {name} of {_rows(len(frame))}: {value:.3f}."
    if tests.empty:
        return first, []
    sure = tests["p_holm"] < LEVEL
    groups = {
        "Significantly higher than that of": tests[sure & (tests["difference"] > 0)],
        "Significantly lower than that of": tests[sure & (tests["difference"] < 0)],
        "Not significantly different from that of": tests[~sure],
    }
    items = []
    for words, rows in groups.items():
        if len(rows):
            named = [
                f"{labels[row['baseline']]} ({_difference(row['difference'])})"
                for row in rows.to_dict("records")
            ]
            items.append(f"{words} {', '.join(named)}.")
    items.append(
        f"Significant is p < {LEVEL}: randomisation test over queries, corrected by Holm's method "
        f"for {_tests(len(tests))}."
    )
    return first, items


def quality(frame: pd.DataFrame, measures: Sequence[str], asked: Mapping[str, int]) -> pd.DataFrame:
    """The measures of each row, as texts.

    Args:
        frame: Of `summary.figures`.
        measures: Names; the first one has an interval, and its range over seeds.
        asked: How many seeds each row was asked for, by its name.
    """
    main = measures[0]
    table = pd.DataFrame({"model": frame["label"]})
    for measure in measures:
        table[shown(measure)] = frame[measure].map("{:.3f}".format)
        if measure == main:
            table["95 % interval"] = _range(frame["low"], frame["high"])
            several = frame["seeds"] > 1
            between = _range(frame["lowest_seed"], frame["highest_seed"])
            table["seeds from, to"] = [
                text if there else None for text, there in zip(between, several, strict=True)
            ]
    wanted = [
        asked.get(name, count) for name, count in zip(frame["row"], frame["seeds"], strict=True)
    ]
    table["seeds"] = [
        str(count) if count >= most else f"{count} of {most}"
        for count, most in zip(frame["seeds"], wanted, strict=True)
    ]
    return table


def differences(tests: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """The comparisons with the reference row, as texts."""
    return pd.DataFrame(
        {
            "than": [labels[name] for name in tests["baseline"]],
            "difference": tests["difference"].map(_difference),
            "95 % interval": [
                f"{_difference(low)} to {_difference(high)}"
                for low, high in zip(tests["low"], tests["high"], strict=True)
            ],
            "Cohen's d": tests["cohens_d"].map("{:+.2f}".format),
            "queries better": tests["wins"].map(str),
            "as good": tests["ties"].map(str),
            "worse": tests["losses"].map(str),
            "p": tests["p_randomisation"].map(_p),
            "p, Holm": tests["p_holm"].map(_p),
        }
    )


def cost(frame: pd.DataFrame) -> pd.DataFrame:
    """What each row costs, as texts."""
    return pd.DataFrame(
        {
            "model": frame["label"],
            "parameters": _whole(frame["parameters"]),
            "fixed numbers": _whole(frame["vector_values"]),
            "epochs": _whole(frame["epochs"]),
            "kept": _whole(frame["kept_epoch"]),
            "training, CPU s": frame["train_cpu_seconds"].map("{:,.1f}".format),
            "of it epochs, CPU s": frame["fit_cpu_seconds"].map("{:,.1f}".format),
            "pairs trained / CPU s": _whole(frame["pairs_trained_per_cpu_second"]),
            "pairs scored / CPU s": _whole(frame["pairs_scored_per_cpu_second"]),
            "peak memory, MiB": _whole(frame["peak_mib"]),
        }
    )


def notes(
    frame: pd.DataFrame,
    tests: pd.DataFrame,
    facts: Sequence[Mapping[str, Any]],
    skipped: Mapping[str, str],
    left_out: Mapping[str, str],
) -> list[str]:
    """What a reader must know of the tables, a sentence or some each."""
    labels = dict(zip(frame["row"], frame["label"], strict=True))
    seeds = sorted({fact["seed"] for fact in facts})
    named = ", ".join(map(str, seeds))
    lines = [
        f"Test: {_count(frame['queries'])} queries with both labels; the part has "
        f"{facts[0]['test_pairs']:,} pairs. Candidates are shuffled before they are ranked; "
        "documents of equal score count as the mean over their orders.",
        "Training: each row and seed in a process of its own, on one thread, with the same pairs. "
        "After each epoch the dev part is ranked, and the best epoch by its "
        f"{_listed(shown(fact['dev_measure']) for fact in facts)} is kept; the test part is read "
        "when training is over.",
        _budget(frame),
        f"Seeds: {named}; a row that does not depend on one has one run. Measures are means over "
        "queries and seeds, with the 95 % bootstrap interval over queries of the mean over seeds; "
        "cost is the mean over seeds, memory the most.",
        "Pairs trained: those in the batches of an epoch, and the time includes the ranking of the "
        "dev part. Pairs scored: the test part once more, from text to score.",
        _vectors(frame),
        *_endings(frame),
    ]
    if len(tests):
        lines.append(
            "p: randomisation test over the queries' means over seeds, two-sided; p, Holm: "
            f"corrected for {_tests(len(tests))}, {labels[tests['run'].iloc[0]]} beside each other "
            "row of the table, so that it changes with the rows. How much a model moves with its "
            "seed is not in it."
        )
    lines += [f"Not complete: {name}: {reason}." for name, reason in skipped.items()]
    lines += [f"Not in the tables: {name}: {reason}." for name, reason in left_out.items()]
    versions = several(fact["versions"] for fact in facts)
    code, commits = by_code(facts), _in_commits(facts)
    if len(code) > 1:
        each = [f"{sum_}{commits[sum_]} for {', '.join(names)}" for sum_, names in code.items()]
        lines.append(
            "Not all runs are of the same code, by the checksum of the files that train and score: "
            f"{'; '.join(each)}."
        )
    else:
        versions |= {"code": f"{next(iter(code))}{commits[next(iter(code))]}"}
    lines.append(
        f"Versions: {', '.join(f'{name} {value}' for name, value in versions.items())}. Machine: "
        f"{_listed(fact['machine'] for fact in facts)}."
    )
    return lines


def several(found: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The versions of all runs; where they differ, all of a package with slashes between."""
    values: dict[str, dict[str, None]] = {}
    for versions in found:
        for name, value in versions.items():
            values.setdefault(name, {})[value] = None
    return {name: "/".join(each) for name, each in values.items()}


def by_code(facts: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The runs of each code, by its checksum: a row's label, and its seeds where they differ."""
    runs: dict[str, dict[str, list[int]]] = {}
    codes: dict[str, set[str]] = {}
    for fact in facts:
        runs.setdefault(fact["code"], {}).setdefault(fact["label"], []).append(fact["seed"])
        codes.setdefault(fact["label"], set()).add(fact["code"])
    return {
        code: [
            label if len(codes[label]) == 1 else f"{label} (seed {', '.join(map(str, seeds))})"
            for label, seeds in rows.items()
        ]
        for code, rows in runs.items()
    }


def commits_of(facts: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The git commits that runs of each code were made with, where that is known."""
    found: dict[str, dict[str, None]] = {}
    for fact in facts:
        commits = found.setdefault(fact["code"], {})
        if fact.get("commit"):
            commits[fact["commit"]] = None
    return {code: list(commits) for code, commits in found.items()}


def _in_commits(facts: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What stands behind a checksum of code."""
    return {
        code: f" (commit {', '.join(commits)})" if commits else ""
        for code, commits in commits_of(facts).items()
    }


def _budget(frame: pd.DataFrame) -> str:
    trained = frame[frame["epochs"].notna()]
    if trained.empty:
        return "Budget: none; no row here is trained in epochs."
    budgets = {value if value == value else None for value in trained["budget"]}
    if budgets == {None}:
        return "Budget: none; a training ends when the dev measure no longer rises."
    if len(budgets) == 1:
        return f"Budget: {budgets.pop():,g} CPU seconds of epochs for each training."
    given = trained["budget"].fillna(0).map(lambda value: f"{value:,g}" if value else "none")
    usual = given.mode().iloc[0]
    each = [
        f"{value} for {', '.join(trained['label'][given == value])}"
        for value in sorted({*given} - {usual})
    ]
    return (
        "Budget: not the same for all rows, in CPU seconds of epochs for each training: "
        f"{'; '.join(each)}; {usual} for the others."
    )


def _vectors(frame: pd.DataFrame) -> str:
    lines = []
    for name, part in frame.groupby("vectors"):
        lines.append(f"{name} for {', '.join(part['label'])}")
    return f"Pretrained vectors: {'; '.join(lines) or 'none'}."


def _endings(frame: pd.DataFrame) -> list[str]:
    lines = []
    texts = {
        "budget_ended": "Ended by the budget",
        "still_rising": "Best in the last epoch, so that more epochs may help",
    }
    for column, words in texts.items():
        rows = frame[frame[column] > 0].to_dict("records")
        if rows:
            told = [f"{row['label']} ({row[column]} of {row['seeds']} seeds)" for row in rows]
            lines.append(f"{words}: {', '.join(told)}.")
    return lines


def _range(low: pd.Series, high: pd.Series) -> list[str]:
    return [f"{a:.3f} to {b:.3f}" for a, b in zip(low, high, strict=True)]


def _whole(values: pd.Series) -> list[str | None]:
    return [None if value != value else f"{value:,.0f}" for value in values]


def _difference(value: float) -> str:
    return f"{value:+.3f}"


def _p(value: float) -> str:
    if value < 0.001:
        return "< .001"
    text = f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
    return text.removeprefix("0")


def _count(values: pd.Series) -> str:
    return " or ".join(f"{value:,}" for value in sorted(set(values)))


def _listed(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(values))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _tests(count: int) -> str:
    return "1 test" if count == 1 else f"{count} tests"


def _nth(number: int) -> str:
    end = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0)
    return f"{number}{end or 'th'}"
