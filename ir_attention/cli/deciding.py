"""`threshold`: from scores to yes or no, and to how many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ir_attention.cli.inputs import Document, DocumentId, Label, Query, QueryId, open_pairs
from ir_attention.cli.naming import named
from ir_attention.cli.outputs import aligned
from ir_attention.cli.talk import put, talk
from ir_attention.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from ir_attention.evaluation.counting import CountEstimate
    from ir_attention.evaluation.thresholds import Decisions, Threshold

__all__ = ["threshold"]

_FEW = 20  # said yes on dev: the interval of a precision of .9 then is .7 to .97


def threshold(
    dev: Annotated[
        Path, typer.Argument(metavar="DEV", help="Labelled pairs with scores: choose on them.")
    ],
    test: Annotated[
        Path, typer.Argument(metavar="TEST", help="Others of the kind: measure on them.")
    ],
    by: Annotated[
        Literal["F1", "precision"], typer.Option(help="What the threshold is chosen by.")
    ] = "F1",
    at_least: Annotated[
        float | None,
        typer.Option(metavar="SHARE", show_default=False, help="With --by precision: how much."),
    ] = None,
    unlabelled: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Estimate the matches among these."),
    ] = None,
    assume: Annotated[
        Literal["rates", "precision"],
        typer.Option(
            help="What holds for them as for TEST: how often a match is found and another pair "
            "taken for one; or precision and recall."
        ),
    ] = "rates",
    documents: Annotated[
        bool,
        typer.Option("--documents", help="Count documents, each by its best score, not pairs."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    query: Query = "",
    document: Document = "",
    label: Label = "",
    query_id: QueryId = "",
    document_id: DocumentId = "",
) -> None:
    """Say yes or no by score, and how many matches there are.

    Takes what `ir-attention score` wrote. Chooses the score from which on a pair
    is a match; prints precision, recall and F1 with their 95 % intervals; and
    estimates how many unlabelled pairs match. One model must have scored all.

        ir-attention threshold dev.csv test.csv --unlabelled tweets.csv
    """
    from ir_attention.evaluation.counting import estimate_count
    from ir_attention.evaluation.thresholds import choose_threshold, measure_threshold

    what = "documents" if documents else "pairs"
    files = [path for path in (dev, test, unlabelled) if path is not None]
    _refuse_the_same(files)
    columns = (query, document, label, query_id, document_id)
    chosen_on = _scored(dev, columns, documents=documents)
    measured_on = _scored(test, columns, documents=documents)
    if by == "precision" and at_least is None:
        raise DataError(
            "--by precision: needs --at-least, above 0 and up to 1, such as --at-least .9. "
            "Received: none"
        )
    if by == "F1" and at_least is not None:
        raise DataError(f"--at-least: goes with --by precision alone. Received: {at_least}")
    with named({"at_least": "--at-least"}):
        chosen = choose_threshold(
            chosen_on["predictions"], chosen_on["label"], by=by, at_least=at_least
        )
    decisions = measure_threshold(
        chosen, measured_on["predictions"], measured_on["label"], queries=measured_on["id_left"]
    )
    found = {"threshold": chosen.value, "dev": chosen.to_dict(), "test": decisions.to_dict()}
    notes, estimate = [*_in_both(chosen_on, measured_on, what), *decisions.notes], None
    if chosen.yes < _FEW:
        notes.insert(
            0,
            f"Only {chosen.yes} of {chosen.pairs} {what} of DEV reach the threshold: "
            "its precision there may be luck.",
        )
    if unlabelled is not None:
        others = _scored(unlabelled, columns, documents=documents, labelled=False)
        estimate = estimate_count(
            decisions, others["predictions"], queries=others["id_left"], assume=assume
        )
        found["unlabelled"] = estimate.to_dict()
        notes += estimate.notes
    for note in notes:
        talk(note)
    if as_json:
        put(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    else:
        put(_table(chosen, decisions, what))
        if estimate is not None:
            put(_sentence(estimate, what))


def _refuse_the_same(files: list[Path]) -> None:
    for number, path in enumerate(files):
        for other in files[:number]:
            if path.exists() and other.exists() and path.samefile(other):
                raise DataError(
                    "DEV, TEST and --unlabelled must be different files: a threshold looks better "
                    f"than it is on the pairs it was chosen on. Received: {path} twice"
                )


def _in_both(dev: pd.DataFrame, test: pd.DataFrame, what: str) -> list[str]:
    """What TEST has that is in DEV too, by text, so that the threshold knows it already."""
    headlines = test["text_left"].isin(dev["text_left"])
    if not headlines.any():
        return []
    texts = ["text_left", "text_right"]
    both = test.merge(dev[texts].drop_duplicates(), on=texts)
    count, total = (part["text_left"].nunique() for part in (test[headlines], test))
    return [
        f"{count} of {total} queries of TEST are in DEV too, and {len(both)} of its {len(test)} "
        f"{what}: the threshold was chosen on them, and looks better than it is."
    ]


def _scored(
    path: Path,
    columns: tuple[str, str, str, str, str],
    *,
    documents: bool,
    labelled: bool = True,
) -> pd.DataFrame:
    """Checked pairs with their `predictions`; or documents, with the query of their best score.

    `--label` names a column of labelled files, which others need not have.
    """
    import numpy as np
    import pandas as pd

    from ir_attention.data.checks import once_each
    from ir_attention.data.files import read_table

    if path.is_dir():
        raise DataError(f"{path}: must be a file that `ir-attention score` wrote, but is a folder")
    if labelled:
        pairs = open_pairs(path, *columns)
    else:
        query, document, _, *ids = columns
        pairs = open_pairs(path, query, document, "", *ids, labels="optional")
    table = read_table(path)
    if "predictions" not in table:
        raise DataError(
            f"{path}: must have the column predictions; `ir-attention score` writes it. "
            f"Received: {list(table.columns)}"
        )
    scores = pd.to_numeric(table["predictions"], errors="coerce").to_numpy(float, na_value=np.nan)
    bad = ~np.isfinite(scores)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{path}, row {row + 1}: predictions must be numbers. "
            f"Received: {table['predictions'].iloc[row]!r} ({bad.sum()} of {len(bad)} "
            f"are like this)."
        )
    pairs = pairs.assign(predictions=scores)
    if labelled:
        pairs, note = once_each(pairs)
        if note:
            talk(f"{path}: {note}")
    if documents:
        return _by_document(pairs)
    if not labelled and (count := pairs["id_right"].nunique()) < len(pairs):
        talk(
            f"{path}: {len(pairs)} pairs of {count} documents; a document counts once with each "
            "query that it matches. --documents counts documents."
        )
    return pairs


def _by_document(pairs: pd.DataFrame) -> pd.DataFrame:
    best = pairs.sort_values("predictions", ascending=False, kind="stable")
    best = best.drop_duplicates("id_right")
    if "label" in pairs:
        highest = pairs.groupby("id_right")["label"].max()
        best = best.assign(label=best["id_right"].map(highest))
    return best


def _table(chosen: Threshold, decisions: Decisions, what: str) -> str:
    dev, test = chosen.to_dict(), decisions.to_dict()
    rows = [("", "dev", "test", "95 % interval"), ("threshold", f"{chosen.value:.6g}", "", "")]
    for name in ("precision", "recall", "F1"):
        ends = test["intervals"][name]
        known = None not in ends
        rows.append(
            (
                name,
                f"{dev[name]:.4f}",
                "undefined" if test[name] is None else f"{test[name]:.4f}",
                f"{ends[0]:.4f} to {ends[1]:.4f}" if known else "",
            )
        )
    counts = {"pairs": what, "relevant": "relevant", "yes": "yes"}
    rows += [(shown, str(dev[name]), str(test[name]), "") for name, shown in counts.items()]
    return aligned(rows)


def _sentence(estimate: CountEstimate, what: str) -> str:
    return (
        f"About {estimate.count:.0f} of {estimate.pairs} unlabelled {what} match (95 % interval "
        f"{estimate.low:.0f} to {estimate.high:.0f}); {estimate.yes} reach the threshold.\n"
    )
