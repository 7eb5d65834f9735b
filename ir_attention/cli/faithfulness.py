"""`faithfulness`: whether a model's attention tells what it scores by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

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
from ir_attention.cli.outputs import aligned
from ir_attention.cli.talk import put, talk

if TYPE_CHECKING:
    from ir_attention.ranking.verdict import Faithfulness

__all__ = ["faithfulness"]


def faithfulness(
    bundle: Bundle,
    pairs: Pairs,
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

        ir-attention faithfulness models/news test.tsv -n 100
    """
    from ir_attention.ranking.faithfulness import faithfulness
    from ir_attention.ranking.ranker import Ranker

    ranker = Ranker.load(bundle)
    frame = open_pairs(pairs, query, document, label, query_id, document_id, labels="optional")
    found = faithfulness(ranker, frame, limit=limit, seed=seed, gradient=gradient)
    if found.left_out:
        talk(f"{found.left_out} pairs passed over: texts too short or too long")
    if as_json:
        put(json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n")
        return
    values, lines = found.to_json(), found.sentences()
    put(
        f"{aligned(_rows(found, 'value', 'low', 'high'))}\n"
        f"{aligned(_rows(found, 'difference', 'difference_low', 'difference_high'))}\n"
        + "\n".join([f"{values['pairs']} pairs of {values['queries']} queries", *lines, ""])
    )


def _rows(found: Faithfulness, *columns: str) -> list[tuple[str, ...]]:
    """A row per order: of each measure a number and the ends of its interval, by their columns."""
    from ir_attention.ranking.verdict import MEASURES, ORDERS

    more = columns[0] == "difference"
    rows: list[tuple[str, ...]] = [("more than random" if more else "erased first", *MEASURES)]
    for order in found.curves.columns:
        if not more or order != "random":
            cells = [_cell(found.value(order, measure), columns) for measure in MEASURES]
            rows.append((ORDERS[order], *cells))
    return rows


def _cell(values: dict[str, float], columns: tuple[str, ...]) -> str:
    value, low, high = (round(values[name], 2) + 0.0 for name in columns)  # never -0.00
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
