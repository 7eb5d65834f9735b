"""`score`, `rank` and `explain`: a bundle at work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ir_attention.cli.classifying import classified, explained_classes, is_classifier
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
    beir_home,
    check_text,
    open_pairs,
    read_documents,
    refuse_given,
)
from ir_attention.cli.outputs import check_suffix, table_writer
from ir_attention.cli.talk import put, talk
from ir_attention.errors import DataError
from ir_attention.files import write_whole

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explain", "rank", "score"]


def score(
    bundle: Bundle,
    pairs: Pairs,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            show_default=False,
            help=".csv, .tsv or .jsonl, also with .gz, or .parquet. Default: CSV on stdout.",
        ),
    ] = None,
    query: Query = "",
    document: Document = "",
    label: Label = "",
    query_id: QueryId = "",
    document_id: DocumentId = "",
    text: Text = "",
    threads: Threads = 1,
) -> None:
    """Score pairs: their rows and a column `predictions`.

    Rows and columns stay as they are; labels are not needed. Scores compare
    documents of one query, higher is better; they read back equal.

        ir-attention score models/news test.csv -o scored.csv

    Of a classifier: the class of each text, and its `probability`.
    """
    as_bytes = table_writer(out)
    if is_classifier(bundle):
        ids = {"query_id": query_id, "document_id": document_id}
        refuse_given("classifier", query=query, document=document, **ids)
        frame = classified(bundle, pairs, text, label, threads=threads)
    else:
        columns = (query, document, label, query_id, document_id)
        frame = _scored(bundle, pairs, columns, threads)
    if out is None:
        put(as_bytes(frame))
    else:
        write_whole(out, as_bytes(frame))


def _scored(
    bundle: Path, pairs: Path, columns: tuple[str, str, str, str, str], threads: int
) -> pd.DataFrame:
    """The rows of a file with the score of each pair."""
    from ir_attention.data.files import read_table
    from ir_attention.ranking.ranker import Ranker

    ranker = Ranker.load(bundle, threads=threads)
    checked = open_pairs(pairs, *columns, labels="optional")
    frame = checked if beir_home(pairs) else read_table(pairs)
    if "predictions" in frame:
        raise DataError(f"{pairs}: there is a column 'predictions' already; name it otherwise")
    return frame.assign(predictions=ranker.score(checked)["score"].to_numpy(float))


def rank(
    bundle: Bundle,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A text.")],
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", show_default=False, help="A document a line, UTF-8. Default: stdin (-)."
        ),
    ] = "-",
    top: Annotated[
        int, typer.Option("-k", "--top", min=1, metavar="N", help="How many to show.")
    ] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
    threads: Threads = 1,
) -> None:
    """Rank documents for a query, best first.

    Prints position, score and document, with tabs between; the position is the
    document's line in FILE, from 0. Blank lines count, but are no documents.

        ir-attention rank models/news "Ivy League cancels sports" tweets.txt -k 3
    """
    from ir_attention.ranking.ranker import Ranker

    check_text(query, "QUERY")
    places, documents = read_documents(file)
    if not documents:
        talk(f"no documents in {'stdin' if file == '-' else file}")
    order, scores = Ranker.load(bundle, threads=threads).order(query, documents, top)
    found = [
        {"position": places[at], "document": documents[at], "score": float(score)}
        for at, score in zip(order, scores, strict=True)
    ]
    if as_json:
        put(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    else:
        lines = [f"{one['position']}\t{one['score']:.4f}\t{one['document']}\n" for one in found]
        put("".join(lines))


def explain(
    bundle: Bundle,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A text.")],
    documents: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DOCUMENT", show_default=False, help="A text, or several. Not of a classifier."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            show_default=False,
            help="A page (.html), a picture (.png) or the numbers (.json). Default: text.",
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            metavar="LABEL",
            show_default=False,
            help="The document's label, as it is known; once for each document.",
        ),
    ] = None,
    effects: Annotated[
        bool | None,
        typer.Option(
            "--effects/--no-effects",
            show_default=False,
            help="Leave out each word. Default: if it takes a second or two at most.",
        ),
    ] = None,
) -> None:
    """Show where a model looked, and what each word does to the score.

    Weights of the words and sentences of a document, and of each query word
    over the words of the document, are shares, 0 to 1. The effect of a word is
    how much lower the score is without it. Several documents stand side by side.

        ir-attention explain models/news "Ivy League" "The Ivy is out." -o l.html

    The page also erases words in the order of attention, of effects and by
    chance, and says whether attention explains the score. The numbers have the
    format of neat-vision: text, label, prediction, posterior, attention, id;
    and all the rest under `explanation`.

    Of a classifier, QUERY and what follows are texts, each explained by itself.

        ir-attention explain models/reviews "A dull film. I left." -o l.html
    """
    from ir_attention.cli.explaining import VIEWS, WITH_CURVES, checked_labels, lines

    suffix = None if out is None else check_suffix(out, VIEWS)
    for document in documents or []:
        check_text(document, "DOCUMENT")
    alone = is_classifier(bundle)
    check_text(query, "DOCUMENT" if alone else "QUERY")
    if alone:
        values = explained_classes(bundle, [query, *(documents or [])], effects)
    elif documents:
        # Where they do not take long, or were asked for; with no effects there are no curves.
        values = _explained(bundle, query, documents, effects, suffix in WITH_CURVES)
    else:
        raise DataError("DOCUMENT must be given, one at least: what is explained for the query")
    known = checked_labels(labels, values)
    if out is None or suffix is None:
        put("".join(f"{line}\n" for line in lines(values, known)))
    else:
        write_whole(out, VIEWS[suffix](values, known))


def _explained(
    bundle: Path, query: str, documents: list[str], effects: bool | None, curves: bool
) -> list[dict[str, Any]]:
    from ir_attention.ranking.ranker import Ranker

    ranker = Ranker.load(bundle)
    return [
        ranker.explain(query, one, effects=effects, curves=None if curves else False).to_json()
        for one in documents
    ]
