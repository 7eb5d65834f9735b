"""The results of several benchmarks side by side, in Markdown: the tables of the README.

    python pipelines/benchmark_tables.py results/wikiqa results/twitter_url
    python pipelines/benchmark_tables.py results/wikiqa-vectors results/twitter_url-vectors
    python pipelines/benchmark_tables.py results/wikiqa results/wikiqa-vectors --published

Reads what `pipelines/benchmark.py` wrote into each folder. Prints a table, what differs between its
rows, for how many tests p is corrected, and for each folder the command that makes it and goes on
with it.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ir_attention.benchmark.commands import one_command, typed_for
from ir_attention.benchmark.plan import rows_of

# In the order of the table, by the names that a reader of papers knows.
ROWS = {
    "han": "**`han`**",
    "han:no-matches": "`han` without match features",
    "han:no-query-side": "`han` without the query side",
    "han:no-sentences": "`han` without the sentence level",
    "han-bi": "`han-bi`",
    "lexical": "`lexical`, a logistic regression",
    "bm25": "BM25",
    "tfidf": "TF-IDF",
    "minilm": "all-MiniLM-L6-v2 as it is",
    "duet": "DUET",
    "conv-knrm": "Conv-KNRM",
    "match-pyramid": "MatchPyramid",
    "knrm": "K-NRM",
    "arc-i": "ARC-I",
    "mv-lstm": "MV-LSTM",
    "dssm": "DSSM",
    "cdssm": "CDSSM",
}

# MAP on WikiQA as others print it: the README of MatchZoo 1.0 (129c0f1), its notebooks of 2.x
# (8a487ee, the best epoch by test), those of MatchZoo-py (0e5c04e, best and last epoch).
PUBLISHED = {
    "duet": (".630", ".559", ""),
    "conv-knrm": ("", ".644", ".564, .563"),
    "match-pyramid": (".643", ".574", ".547, .516"),
    "knrm": (".626", ".578", ".581, .569"),
    "arc-i": (".587", ".656", ".611, .611"),
    "mv-lstm": (".599", ".637", ""),
    "dssm": (".565", ".496", ".543, .506"),
    "cdssm": (".559", "", ".614, .600"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--published", action="store_true", help="beside what others print")
    args = parser.parse_args()
    sets = [read(folder) for folder in args.folders]
    if args.published:
        lines = published(sets, args.folders)
    else:
        names = [folder.name.removesuffix("-vectors") for folder in args.folders]
        marks, notes = footnotes(sets, names)
        lines = [*side_by_side(sets, names, marks), "", *notes, "", *tests(sets, names)]
        lines += codes(args.folders)
    commands = [line for line in map(command, args.folders) if line]
    print("\n".join([*lines, "", "```", *commands, "```"] if commands else lines))


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a benchmark, and how much better the reference row is than each other."""
    table = pd.read_csv(folder / "table.csv").set_index("row")
    return table, pd.read_csv(folder / "comparisons.csv").set_index("baseline")


def facts_in(folder: Path) -> list[dict[str, Any]]:
    """What stands in result.json of each run."""
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("runs/*/*/result.json"))]


def codes(folders: list[Path]) -> list[str]:
    """In which folders not all runs are of the same code."""
    counts = {folder: len({fact["code"] for fact in facts_in(folder)}) for folder in folders}
    odd = [f"{count} versions in {folder}" for folder, count in counts.items() if count > 1]
    if not odd:
        return []
    return ["", f"Not all runs are of the same code: {', '.join(odd)}; `table.md` there says more."]


def command(folder: Path) -> str:
    """What makes the folder; or all that was typed for it, where one command cannot say it."""
    facts = facts_in(folder)
    whole = one_command(facts, facts[0]["key"]["measures"], str(folder)) if facts else ""
    return whole or "\n".join(typed_for(facts))


def side_by_side(sets: list, names: list[str], marks: dict[str, str]) -> list[str]:
    head = [f"{name} MAP | `han` ahead by | p" for name in names]
    head += ["weights trained", "numbers fixed", "training, CPU s", "pairs scored a CPU s"]
    lines = [f"| | {' | '.join(head)} |", "| --- " * (3 * len(names) + 5) + "|"]
    for row, shown in ROWS.items():
        there = [table.loc[row] for table, _ in sets if row in table.index]
        if not there:
            continue
        cells = [cell for table, compared in sets for cell in quality(row, table, compared)]
        for column, digits in COSTS:
            values = list(dict.fromkeys(f"{one[column]:,.{digits}f}" for one in there))
            cells.append(" / ".join(values))
        lines.append(f"| {shown}{marks.get(row, '')} | {' | '.join(cells)} |")
    return lines


COSTS = [
    *(("parameters", 0), ("vector_values", 0)),
    *(("train_cpu_seconds", 0), ("pairs_scored_per_cpu_second", 0)),
]

MARKS = "¹²³⁴⁵⁶⁷⁸⁹"


def footnotes(sets: list, names: list[str]) -> tuple[dict[str, str], list[str]]:
    """The marks of rows with another budget or fewer seeds than most, and what all of it means."""
    there = [row for row in ROWS if any(row in table.index for table, _ in sets)]
    known = {row: rows_of([row])[0] for row in there}
    cells = [(row, table.loc[row]) for row in there for table, _ in sets if row in table.index]
    seeds = max((int(one["seeds"]) for row, one in cells if known[row].takes_seed), default=1)
    budgets = pd.Series(
        [one["budget"] for row, one in cells if known[row].takes_budget], dtype=float
    )
    usual = budgets.fillna(0).mode().iloc[0] if len(budgets) else 0
    marks: dict[str, str] = {}
    by_text: dict[str, str] = {}
    for row in there:
        said = []
        for (table, _), name in zip(sets, names, strict=True):
            odd = [*differs(table.loc[row], known[row], seeds, usual)] if row in table.index else []
            said += [f"{name}: {', '.join(odd)}"] if odd else []
        if said:
            text = "; ".join(said)
            marks[row] = " " + by_text.setdefault(text, MARKS[min(len(by_text), len(MARKS) - 1)])
    once = [ROWS[row].split(",")[0] for row in there if not known[row].takes_seed]
    lines = [
        f"Means of {runs(seeds)}, {epochs(usual)} for each training"
        + (f"; {', '.join(once)}: one run, as no seed decides on anything." if once else ".")
    ]
    return marks, [*lines, *(f"\n{mark} {text}." for text, mark in by_text.items())]


def differs(one: pd.Series, row: Any, seeds: int, usual: float) -> Iterator[str]:
    """What is not as for most rows."""
    budget = 0 if pd.isna(one["budget"]) else one["budget"]
    if row.takes_budget and budget != usual:
        yield epochs(budget)
    if row.takes_seed and one["seeds"] < seeds:
        yield runs(int(one["seeds"]))


def epochs(budget: float) -> str:
    return f"{budget:g} CPU seconds of epochs at most" if budget else "no limit of epochs' seconds"


def runs(seeds: int) -> str:
    return "1 seed" if seeds == 1 else f"{seeds} seeds"


def tests(sets: list, names: list[str]) -> list[str]:
    """For how many tests p is corrected, and which."""
    counts = [
        f"{len(compared)} tests on {name}"
        for (_, compared), name in zip(sets, names, strict=True)
        if len(compared)
    ]
    if not counts:
        return []
    return [
        "p: randomisation test over queries, corrected by Holm's method for all rows that `han` is "
        f"set beside, its own variants among them: {', '.join(counts)}."
    ]


def quality(row: str, table: pd.DataFrame, compared: pd.DataFrame) -> list[str]:
    if row not in table.index:
        return ["", "", ""]
    one = table.loc[row]
    value = f"{share(one['AP'])} [{share(one['low'])}, {share(one['high'])}]"
    compared = compared[compared["measure"] == "AP"]
    if row not in compared.index:
        return [value, "", ""]
    difference, p = compared.loc[row, ["difference", "p_holm"]]
    return [value, share(difference), "<.001" if p < 0.001 else share(p)]


def published(sets: list, folders: list[Path]) -> list[str]:
    head = [f"`{folder}`" for folder in folders]
    head += ["MatchZoo 1.0", "MatchZoo 2, best test epoch", "MatchZoo-py, best and last epoch"]
    lines = [f"| | {' | '.join(head)} |", "| --- " * (len(head) + 1) + "|"]
    for row, printed in PUBLISHED.items():
        cells = []
        for table, _ in sets:
            cells.append(of_seeds(table.loc[row]) if row in table.index else "")
        lines.append(f"| {ROWS[row]} | {' | '.join([*cells, *printed])} |")
    return lines


def of_seeds(one: pd.Series) -> str:
    """The mean, and the lowest and the highest of the seeds."""
    lowest, highest = share(one["lowest_seed"]), share(one["highest_seed"])
    return f"{share(one['AP'])} ({lowest} to {highest})"


def share(value: float) -> str:
    """Three digits without the zero before the point."""
    text = f"{value:.3f}".replace("0.", ".", 1)
    return ".000" if text == "-.000" else text


if __name__ == "__main__":
    main()
