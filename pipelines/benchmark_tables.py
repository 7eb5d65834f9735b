"""The results of several benchmarks side by side, as one Markdown table: those of the README.

    python pipelines/benchmark_tables.py results/wikiqa results/twitter_url
    python pipelines/benchmark_tables.py results/wikiqa-vectors results/twitter_url-vectors
    python pipelines/benchmark_tables.py results/wikiqa results/wikiqa-vectors --published

Reads `table.csv` and `comparisons.csv` of each folder, which `pipelines/benchmark.py` wrote.
"""

import argparse
from pathlib import Path

import pandas as pd

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
    print("\n".join(published(sets, args.folders) if args.published else side_by_side(sets, args)))


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a benchmark, and how much better the reference row is in MAP."""
    table = pd.read_csv(folder / "table.csv").set_index("row")
    compared = pd.read_csv(folder / "comparisons.csv")
    return table, compared[compared["measure"] == "AP"].set_index("baseline")


def side_by_side(sets: list, args: argparse.Namespace) -> list[str]:
    names = [folder.name.removesuffix("-vectors") for folder in args.folders]
    head = [f"{name} MAP | `han` ahead by | p" for name in names]
    head += ["weights trained", "training, CPU s", "pairs scored a CPU s"]
    lines = [f"| | {' | '.join(head)} |", "| --- " * (3 * len(names) + 4) + "|"]
    for row, shown in ROWS.items():
        there = [table.loc[row] for table, _ in sets if row in table.index]
        if not there:
            continue
        cells = [cell for table, compared in sets for cell in quality(row, table, compared)]
        for column, digits in COSTS:
            values = list(dict.fromkeys(f"{one[column]:,.{digits}f}" for one in there))
            cells.append(" / ".join(values))
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    return lines


COSTS = [("parameters", 0), ("train_cpu_seconds", 0), ("pairs_scored_per_cpu_second", 0)]


def quality(row: str, table: pd.DataFrame, compared: pd.DataFrame) -> list[str]:
    if row not in table.index:
        return ["", "", ""]
    one = table.loc[row]
    value = f"{share(one['AP'])} [{share(one['low'])}, {share(one['high'])}]"
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
    return f"{value:.3f}".replace("0.", ".", 1)


if __name__ == "__main__":
    main()
