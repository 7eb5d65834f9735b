"""`faithfulness`: whether a model's attention tells what it scores by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ir_attention.cli.inputs import (
    Bundle,
    Document,
    DocumentId,
    Label,
    Pairs,
    Query,
    QueryId,
    open_pairs,
)
from ir_attention.cli.outputs import aligned, check_suffix, table_writer
from ir_attention.cli.talk import put, talk
from ir_attention.files import write_whole

if TYPE_CHECKING:
    from ir_attention.ranking.verdict import Faithfulness

__all__ = ["faithfulness"]


def faithfulness(
    bundle: Bundle,
    pairs: Pairs,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            show_default=False,
            help="A page (.html), the curves (.png) or every pair (.csv). Default: text.",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the verdict in BUNDLE, for `explain`.")
    ] = False,
    limit: Annotated[
        int, typer.Option("-n", "--limit", min=1, metavar="N", help="How many pairs at most.")
    ] = 200,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Of the draw and of random orders.")
    ] = 7,
    gradient: Annotated[
        bool, typer.Option("--gradient/--no-gradient", help="Gradients, which load TensorFlow.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    query: Query = "",
    document: Document = "",
    label: Label = "",
    query_id: QueryId = "",
    document_id: DocumentId = "",
) -> None:
    """Ask whether a model's attention tells what it scores by.

    Erases the words of relevant documents in the order of attention, of what
    the score is without each word, of gradients, and by chance. Prints how much
    of the score goes with them, with 95 % intervals: the area under the loss,
    the mean loss without the first 10 to 50 % (comprehensiveness), with these
    alone (sufficiency, better if low), and the rank correlation with leaving out
    each word (tau). Of pairs without labels, all count as relevant.

        ir-attention faithfulness models/news test.tsv -n 100 --keep

    With --keep, the verdict on attention and on leaving out each word goes to the
    bundle's settings and card, and `explain` shows it on its page.
    """
    from ir_attention.ranking.faithfulness import faithfulness
    from ir_attention.ranking.ranker import Ranker

    suffix = None if out is None else check_suffix(out, (".html", ".png", ".csv"))
    ranker = Ranker.load(bundle)
    frame = open_pairs(pairs, query, document, label, query_id, document_id, labels="optional")
    found = faithfulness(ranker, frame, limit=limit, seed=seed, gradient=gradient)
    if found.left_out:
        talk(f"{found.left_out} pairs passed over: texts too short or too long")
    if out is not None:
        write_whole(out, _written(found, str(suffix), pairs.name))
    if keep:
        found.keep(bundle, pairs.name)
        talk(f"the verdict is kept with {bundle}")
    if as_json:
        put(json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n")
    elif out is None:
        put(_text(found))


def _written(found: Faithfulness, suffix: str, data: str) -> bytes:
    from ir_attention.reports.faithfulness import faithfulness_page, faithfulness_picture

    if suffix == ".csv":
        return table_writer(Path("pairs.csv"))(found.pairs)
    if suffix == ".png":
        return faithfulness_picture(found.to_json())
    return faithfulness_page(found.to_json(), data).encode()


def _text(found: Faithfulness) -> str:
    from ir_attention.reports.verdicts import INTERVALS

    values = found.to_json()
    on = f"{values['pairs']} pairs of {values['queries']} queries; {INTERVALS}"
    tables = [aligned(_rows(values, kind)) for kind in ("value", "difference")]
    return "\n".join([*tables, on, *values["sentences"], ""])


def _rows(values: dict[str, Any], kind: str) -> list[tuple[str, ...]]:
    """A row per order: of each measure a number and the ends of its interval."""
    from ir_attention.reports.faithfulness import CELLS, MEASURES, ORDERS, cell

    more = kind == "difference"
    rows: list[tuple[str, ...]] = [("more than random" if more else "erased first", *MEASURES)]
    for order, measures in values["orders"].items():
        if not more or order != "random":
            cells = [cell(measures[measure], CELLS[kind]) for measure in MEASURES]
            rows.append((ORDERS[order], *cells))
    return rows
