"""`evaluate` and `compare`."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ir_attention.cli.classifying import is_classifier, measured_classes
from ir_attention.cli.inputs import (
    Bundle,
    Document,
    DocumentId,
    Label,
    Pairs,
    Query,
    QueryId,
    Text,
    Threads,
    open_pairs,
    refuse_given,
)
from ir_attention.cli.naming import named
from ir_attention.cli.outputs import aligned, table_writer
from ir_attention.cli.talk import put, talk
from ir_attention.errors import DataError
from ir_attention.files import write_whole

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare", "evaluate"]

_USUAL = "AP RR nDCG@3"

Measures = Annotated[
    str, typer.Option(metavar="NAMES", help="Any of ir_measures, with spaces between.")
]
Mixed = Annotated[
    bool, typer.Option("--mixed", help="Only queries with a relevant and another document.")
]
Judged = Annotated[
    bool, typer.Option("--judged-only", help="Drop documents that nobody judged from a run.")
]
Ties = Annotated[
    Literal["expected", "trec_eval"],
    typer.Option(help="Equal scores: the mean over their orders, or trec_eval's rule."),
]


def evaluate(
    bundle: Bundle,
    pairs: Pairs,
    measures: Measures = _USUAL,
    mixed: Mixed = False,
    ties: Ties = "expected",
    run: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Write the scores as a TREC run."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    query: Query = "",
    document: Document = "",
    label: Label = "",
    query_id: QueryId = "",
    document_id: DocumentId = "",
    text: Text = "",
    threads: Threads = 1,
) -> None:
    """Measure how well a model ranks labelled pairs.

    Prints each measure with its mean over queries and its 95 % interval.
    A pair that stands there twice counts once, with its highest label.

        ir-attention evaluate models/news test.csv --measures "AP P@1"

    Of a classifier: how often its classes are right, on columns text and label.
    """
    if is_classifier(bundle):
        other = "" if measures == _USUAL else measures
        ids = {"query_id": query_id, "document_id": document_id}
        refuse_given(
            "classifier",
            measures=other,
            mixed=mixed,
            run=run,
            query=query,
            document=document,
            **ids,
        )
        put(measured_classes(bundle, pairs, text, label, threads=threads, as_json=as_json))
        return
    from ir_attention.evaluation.measures import check_measures, evaluate_quietly
    from ir_attention.evaluation.runs import write_run
    from ir_attention.ranking.ranker import Ranker

    with named(_OPTIONS):
        check_measures(measures)
    if run is not None and run.exists() and pairs.exists() and run.samefile(pairs):
        raise DataError(f"--run must not be PAIRS, which it would replace. Received: {run}")
    ranker = Ranker.load(bundle, threads=threads)
    judged = _once(open_pairs(pairs, query, document, label, query_id, document_id))
    scored = ranker.score(judged)
    if run is not None:
        write_run(scored, run)
    result = evaluate_quietly(scored, judged, measures, ties=ties, only_mixed=mixed)
    for note in result.notes:
        talk(note)
    if as_json:
        put(json.dumps(result.to_dict(), ensure_ascii=False, indent=1) + "\n")
        return
    rows = [("measure", "value", "95 % interval")]
    for name, value in result.measures.items():
        low, high = result.intervals[name]
        rows.append((name, f"{value:.4f}", f"{low:.4f} to {high:.4f}"))
    put(aligned([*rows, ("queries", str(result.queries), "")]))


def compare(
    qrels: Annotated[
        Path,
        typer.Argument(
            metavar="QRELS",
            help="TREC judgements; or labelled pairs, if it ends in .csv, .tsv, .jsonl, .parquet.",
        ),
    ],
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN",
            help="TREC runs, the baseline first; or a folder with the runs of one model, by seed, "
            "such as a benchmark's runs/ROW.",
        ),
    ],
    measures: Measures = "AP RR nDCG@3",
    against: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            show_default=False,
            help="Only pairs with this run, a RUN's name without its ending.",
        ),
    ] = "",
    test: Annotated[
        Literal["randomisation", "bootstrap", "t"],
        typer.Option(help="Whose p values are corrected."),
    ] = "randomisation",
    mixed: Mixed = False,
    judged_only: Judged = False,
    ties: Ties = "expected",
    per_query: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Write the difference of each query: .csv, .tsv, .jsonl, .parquet.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
    query: Query = "",
    document: Document = "",
    label: Label = "",
    query_id: QueryId = "",
    document_id: DocumentId = "",
) -> None:
    """Test whether runs differ by more than chance.

    A line for each measure and each pair of runs: their means, the difference
    with its 95 % interval, the effect size d, how often the run is better, as
    good and worse, and p values of three paired tests. p(Holm) is corrected for
    all lines: hold this one against .05. Then each line as a sentence; on
    stderr, what was left out or dropped.

        ir-attention compare test.qrels bm25.run han.run
    """
    from ir_attention.evaluation.runs import read_qrels
    from ir_attention.evaluation.significance import differences, summed_up

    write = None if per_query is None else table_writer(per_query)
    if per_query is not None:
        _refuse_input(per_query, [qrels, *runs])
    columns = (query, document, label, query_id, document_id)
    judged = _once(open_pairs(qrels, *columns)) if _holds_pairs(qrels) else read_qrels(qrels)
    by_name = {name: _read_runs(path) for name, path in zip(_names(runs), runs, strict=True)}
    with named(_OPTIONS), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        found = differences(
            judged,
            by_name,
            measures,
            against=against or None,
            ties=ties,
            only_mixed=mixed,
            judged_only=judged_only,
        )
    for warning in caught:
        talk(str(warning.message))
    for note in found.attrs["notes"]:
        talk(note)
    if per_query is not None and write is not None:
        write_whole(per_query, write(found))
    rows = summed_up(found, test=test).to_dict("records")
    if as_json:
        put(json.dumps([*map(_plain, rows)], ensure_ascii=False, indent=1) + "\n")
        return
    put(aligned([_HEADERS, *map(_line, rows)], left=3))
    put("\n" + "".join(f"{row['result']}\n" for row in rows))


_OPTIONS = {"runs": "RUN", "against": "--against", "measures": "--measures"}

_HEADERS = (
    *("measure", "baseline", "run", "queries", "of baseline", "of run"),
    *("difference", "95 % interval", "d", "better/as good/worse"),
    *("p(random)", "p(bootstrap)", "p(t)", "p(Holm)"),
)


def _line(row: dict) -> tuple[str, ...]:
    return (
        *(row[name] for name in ("measure", "baseline", "run")),
        str(row["queries"]),
        *(f"{row[name]:.4f}" for name in ("mean_baseline", "mean_run")),
        f"{row['difference']:+.4f}",
        "" if math.isnan(row["low"]) else f"{row['low']:+.4f} to {row['high']:+.4f}",
        "" if math.isnan(row["cohens_d"]) else f"{row['cohens_d']:+.2f}",
        f"{row['wins']}/{row['ties']}/{row['losses']}",
        *(_p_value(row[f"p_{name}"]) for name in ("randomisation", "bootstrap", "t", "holm")),
    )


def _plain(row: dict) -> dict:
    """What JSON can hold: None for a number that is undefined or infinite."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


_RUN = "run.trec.gz"  # what a benchmark calls the run of a seed, beside other files


def _read_runs(path: Path) -> pd.DataFrame | list[pd.DataFrame]:
    """A run; or those of a folder, in the order of their names."""
    from ir_attention.evaluation.runs import read_run

    if not path.is_dir():
        return read_run(path)
    if (path / _RUN).is_file():
        return read_run(path / _RUN)
    files = sorted(path.glob(f"[!.]*/{_RUN}"), key=_by_number) or sorted(
        one for one in path.iterdir() if one.is_file() and one.name[0] != "."
    )
    if not files:
        raise DataError(
            f"{path}: a folder must hold the runs of one model: files, or a folder for each seed "
            f"with {_RUN}. Received: neither"
        )
    return [read_run(one) for one in files]


def _by_number(run: Path) -> tuple[int, str]:
    """Seed 10 comes after seed 9."""
    return len(run.parent.name), run.parent.name


def _refuse_input(out: Path, inputs: list[Path]) -> None:
    """An output must not replace what it was made from."""
    for path in inputs:
        if out.exists() and path.exists() and out.samefile(path):
            raise DataError(f"--per-query must not be an input, which it would replace: {out}")


def _p_value(value: float) -> str:
    return f"{value:.4f}" if value >= 0.0001 else "<.0001"


def _names(runs: list[Path]) -> list[str]:
    """The files' names, without their endings where that still tells them apart."""
    for number, path in enumerate(runs):
        if path in runs[:number]:
            raise DataError(f"RUN: each must be named once. Received: {path} twice")
    short = [*map(_name, runs)]
    return short if len(set(short)) == len(runs) else [str(path) for path in runs]


def _name(run: Path) -> str:
    """The file's without its ending, or the folder's; a benchmark's row with its seed."""
    home = run.resolve()
    if home.name == _RUN or (home / _RUN).is_file():
        home = home.parent if home.name == _RUN else home
        return f"{home.parent.name}/{home.name}"
    return home.name if run.is_dir() else Path(run.name.removesuffix(".gz")).stem


def _holds_pairs(qrels: Path) -> bool:
    """Whether judgements come as pairs. `.txt` is a common name of TREC's."""
    suffix = Path(qrels.name.lower().removesuffix(".gz")).suffix
    return qrels.is_dir() or suffix in (".csv", ".tsv", ".jsonl", ".parquet")


def _once(pairs: pd.DataFrame) -> pd.DataFrame:
    from ir_attention.data.checks import once_each

    pairs, note = once_each(pairs)
    if note:
        talk(note)
    return pairs
