"""What commands are given: files of pairs with anyone's column names, documents, texts."""

from __future__ import annotations

import gzip
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ir_attention.cli.talk import talk
from ir_attention.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Bundle",
    "Document",
    "DocumentId",
    "Label",
    "Pairs",
    "Query",
    "QueryId",
    "Text",
    "Threads",
    "beir_home",
    "check_text",
    "open_labelled",
    "open_pairs",
    "read_documents",
    "refuse_given",
]

Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of a trained model.")]
Threads = Annotated[
    int, typer.Option("--threads", min=1, metavar="N", help="Of han, han-bi and minilm.")
]
Pairs = Annotated[
    Path,
    typer.Argument(
        metavar="PAIRS",
        help="CSV, TSV, JSON lines or Parquet, also .gz; or a BEIR folder or a file of its qrels.",
    ),
]


def _column(name: str, what: str, column: str) -> typer.models.OptionInfo:
    return typer.Option(
        name,
        metavar="COLUMN",
        show_default=False,
        help=f"The column of {what}, if not {column}.",
    )


Query = Annotated[str, _column("--query", "queries", "text_left")]
Document = Annotated[str, _column("--document", "documents", "text_right")]
Label = Annotated[str, _column("--label", "labels", "label")]
Text = Annotated[str, _column("--text", "texts, for a classifier", "text")]
QueryId = Annotated[str, _column("--query-id", "queries' ids", "id_left")]
DocumentId = Annotated[str, _column("--document-id", "documents' ids", "id_right")]


def open_pairs(
    path: Path,
    query: str,
    document: str,
    label: str,
    query_id: str,
    document_id: str,
    *,
    labels: Literal["required", "optional"] = "required",
    coded: bool = False,
) -> pd.DataFrame:
    """Checked pairs of a file, a BEIR folder, or a BEIR folder's file of judgements.

    The strings are what columns are called in the file, empty where they have our names. With
    `coded`, each distinct text is kept once.
    """
    from ir_attention.data.readers import read_coded, read_pairs

    read = read_coded if coded else read_pairs

    given = {
        "text_left": query,
        "text_right": document,
        "label": label,
        "id_left": query_id,
        "id_right": document_id,
    }
    columns = {name: header for name, header in given.items() if header}
    home = beir_home(path)
    try:
        if home is None or home == path:
            return read(path, columns, labels=labels)
        return read(home, columns, qrels=str(path.relative_to(home)), labels=labels)
    except DataError as error:
        # The reader speaks of its own arguments.
        for argument, option in _OPTIONS.items():
            if argument in str(error):
                raise DataError(f"{error} {option}") from error
        raise


_OPTIONS = {
    "columns=": "On the command line: --query, --document, --label, --query-id, --document-id.",
    "qrels=": "On the command line, name that file in place of the folder.",
    "format=": "On the command line, only the name of the file says it.",
}


def open_labelled(
    path: Path, text: str, label: str, *, labels: Literal["required", "optional"] = "required"
) -> pd.DataFrame:
    """Checked documents of a file, with a class each, for a classifier."""
    from ir_attention.data.labelled import read_labelled

    given = {"text": text, "label": label}
    try:
        return read_labelled(
            path, {one: name for one, name in given.items() if name}, labels=labels
        )
    except DataError as error:
        if "columns=" in str(error):
            raise DataError(f"{error} On the command line: --text, --label.") from error
        raise


def beir_home(path: Path) -> Path | None:
    """The BEIR folder that the path is, or is a file of judgements of; None for other files."""
    if path.is_dir():
        return path
    home = path.parent.parent if path.parent.name == "qrels" else path.parent
    named = home != path.parent or path.name.startswith("qrels")
    there = [*home.glob("corpus.jsonl"), *home.glob("corpus.jsonl.gz")]
    return home if named and there else None


def read_documents(source: str) -> tuple[list[int], list[str]]:
    """The lines of a UTF-8 file, or of stdin (`-`), that are not blank, and their places.

    Lines count from 0, blank ones too. Only a line feed ends a line, with or without a carriage
    return before it: other characters that break lines may stand inside a tweet.

    Raises:
        DataError: The text is not UTF-8.
    """
    name, data = _read(source)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        received = data[max(0, error.start - 10) : error.start + 10]
        raise DataError(
            f"{name}, line {line}: not UTF-8. Save it as UTF-8, or convert it. "
            f"Received: {received!r}"
        ) from error
    lines = enumerate(line.removesuffix("\r") for line in text.split("\n"))
    kept = [(place, line) for place, line in lines if line.strip()]
    return [place for place, _ in kept], [line for _, line in kept]


def _read(source: str) -> tuple[str, bytes]:
    """The name of a source in an error, and its bytes."""
    if source != "-":
        data = Path(source).read_bytes()
        try:
            return source, gzip.decompress(data) if source.endswith(".gz") else data
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{source}: not a whole gzip file ({error})") from error
    if sys.stdin is None:
        raise DataError("there are no documents: name a file, or pipe them in")
    if sys.stdin.isatty():
        talk("Reading documents from the terminal, one a line; Ctrl-D ends them.")
    return "stdin", sys.stdin.buffer.read()


def check_text(text: str, name: str) -> None:
    """Raises a DataError unless the text that a shell handed over is one."""
    if not text.strip():
        raise DataError(f"{name} must be a text. Received: {text!r}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{name} is not UTF-8. Received: {text!r}") from error


def refuse_given(model: str, **options: Any) -> None:
    """Raises a DataError for an option that a model has no use for."""
    for name, value in options.items():
        if value:
            option = "--" + name.replace("_", "-")
            raise DataError(f"{option} says nothing to a {model}. Received: {option} {value}")
