"""`score`, `rank` and `explain`: a bundle at work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ir_attention.cli.inputs import (
    Bundle,
    Document,
    DocumentId,
    Label,
    Pairs,
    Query,
    QueryId,
    Threads,
    beir_home,
    check_text,
    open_pairs,
    read_documents,
)
from ir_attention.cli.outputs import check_suffix, table_writer
from ir_attention.cli.talk import put, talk
from ir_attention.errors import DataError
from ir_attention.files import write_whole

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
    threads: Threads = 1,
) -> None:
    """Score pairs: their rows and a column `predictions`.

    Rows and columns stay as they are; labels are not needed. Scores compare
    documents of one query, higher is better; they read back equal.

        ir-attention score models/news test.csv -o scored.csv
    """
    from ir_attention.data.files import read_table
    from ir_attention.ranking.ranker import Ranker

    as_bytes = table_writer(out)
    ranker = Ranker.load(bundle, threads=threads)
    columns = (query, document, label, query_id, document_id)
    checked = open_pairs(pairs, *columns, labels="optional")
    frame = checked if beir_home(pairs) else read_table(pairs)
    if "predictions" in frame:
        raise DataError(f"{pairs}: there is a column 'predictions' already; name it otherwise")
    frame = frame.assign(predictions=ranker.score(checked)["score"].to_numpy(float))
    if out is None:
        put(as_bytes(frame))
    else:
        write_whole(out, as_bytes(frame))


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
    documents: Annotated[list[str], typer.Argument(metavar="DOCUMENT", help="A text, or several.")],
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
        list[float] | None,
        typer.Option(
            "--label",
            metavar="NUMBER",
            show_default=False,
            help="The document's label, for .json; once for each document.",
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
    """
    from ir_attention.ranking.ranker import Ranker

    check_text(query, "QUERY")
    for document in documents:
        check_text(document, "DOCUMENT")
    suffix = None if out is None else check_suffix(out, _VIEWS)
    _check_labels(labels, suffix, len(documents))
    ranker = Ranker.load(bundle)
    curves = None if suffix in _WITH_CURVES else False  # where they do not take long
    values = [ranker.explain(query, document, curves=curves).to_json() for document in documents]
    if out is None or suffix is None:
        put("".join(f"{line}\n" for line in _lines(values)))
    else:
        write_whole(out, _VIEWS[suffix](values, labels or None))


def _check_labels(labels: list[float] | None, suffix: str | None, documents: int) -> None:
    if not labels:
        return
    if suffix != ".json":
        raise DataError("--label stands in the numbers alone: write them with -o FILE.json")
    if len(labels) != documents:
        raise DataError(
            f"--label must be given once for each of the {documents} documents. "
            f"Received: {len(labels)}"
        )


def _as_page(values: list[dict[str, Any]], labels: list[float] | None) -> bytes:
    from ir_attention.reports.heatmaps import attention_page

    return attention_page(values).encode()


def _as_picture(values: list[dict[str, Any]], labels: list[float] | None) -> bytes:
    from ir_attention.reports.heatmaps import attention_picture

    return attention_picture(values)


def _as_json(values: list[dict[str, Any]], labels: list[float] | None) -> bytes:
    from ir_attention.reports.neat_vision import neat_vision_items

    return (json.dumps(neat_vision_items(values, labels), ensure_ascii=False) + "\n").encode()


_VIEWS = {".html": _as_page, ".png": _as_picture, ".json": _as_json}
_WITH_CURVES = {".html", ".json"}


def _lines(explanations: list[dict[str, Any]]) -> Iterator[str]:
    """Explanations as text, each with its number if there are several."""
    for number, values in enumerate(explanations, 1):
        if len(explanations) > 1:
            yield f"document {number}"
        yield from _lines_of_one(values)


def _lines_of_one(values: dict[str, Any]) -> Iterator[str]:
    """Every word with its weight and effect, then the strongest pair of each query word."""
    has_effects = "document_effects" in values
    yield f"score {values['score']:.4f}"
    yield "query, each word's weight and effect" if has_effects else "query"
    query = [values["query_weights"], values["query_words"]]
    document = [values["word_weights"], values["document_words"]]
    if has_effects:
        query.append(values["query_effects"])
        document.append(values["document_effects"])
    for row in zip(*query, strict=True):
        yield _line(*row)
    places = values["sentence_of_word"]
    for sentence, share in enumerate(values["sentence_weights"]):
        yield f"sentence {sentence + 1}, weight {share:.2f}"
        for place, row in zip(places, zip(*document, strict=True), strict=True):
            if place == sentence:
                yield _line(*row)
    if "alignment" not in values:
        return
    yield "the document word that each query word looks at most"
    for word, shares in zip(values["query_words"], values["alignment"], strict=True):
        if shares:
            share = max(shares)
            yield f"  {_bar(share)}  {word} > {values['document_words'][shares.index(share)]}"


def _line(weight: float, word: str, effect: float | None = None) -> str:
    changed = "" if effect is None else f"  {effect:+8.3f}"
    return f"  {_bar(weight)}{changed}  {word}"


def _bar(share: float) -> str:
    return f"{share:.2f} {'#' * round(20 * share):20}"
