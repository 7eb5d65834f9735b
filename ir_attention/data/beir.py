"""A folder in the layout of BEIR to queries, documents, judgements, and to pairs of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ir_attention.data.files import Table, load_table, shown
from ir_attention.data.pairs import labels_of
from ir_attention.errors import DataError

__all__ = ["Beir", "load_beir", "read_beir"]


class Beir(NamedTuple):
    """A collection with its judgements, ids and texts as strings.

    Args:
        queries: `id_left, text_left`, a row per query.
        documents: `id_right, text_right`, a row per document.
        judgements: `id_left, id_right, label`, in the order of the file; labels are integers.
    """

    queries: pd.DataFrame
    documents: pd.DataFrame
    judgements: pd.DataFrame


def read_beir(folder: str | Path, *, qrels: str | None = None) -> Beir:
    """Reads a collection of queries, documents and judgements.

    Args:
        folder: A folder with `queries.jsonl` and `corpus.jsonl` (`_id`, `text` and, of documents,
            `title`), and `qrels.tsv` or `qrels/NAME.tsv` (`query-id`, `corpus-id`, `score`). Each
            may be packed (`.gz`).
        qrels: The file of judgements, `"test"` for `qrels/test.tsv` or `qrels.test.tsv`, or a
            path within the folder. Default: `qrels.tsv`, or else the only one there is.

    Returns:
        All queries and documents, judged or not. A document's text is its title and, after an
        empty line, which makes the title a sentence of its own, its text.

    Raises:
        DataError: A file is missing or not as it should be, or an id stands for two texts.
    """
    folder = Path(folder)
    queries = _load_texts(folder, "queries", ("id_left", "text_left"))
    documents = _load_texts(folder, "corpus", ("id_right", "text_right"))
    judged = _load_judgements(folder, qrels)
    return Beir(queries, documents, judged.frame)


def load_beir(folder: Path, qrels: str | None = None) -> Table:
    """The judged pairs with their texts, in the order of the judgements."""
    judged = _load_judgements(folder, qrels)
    pairs = judged.frame.copy()
    for name, side in (("queries", "left"), ("corpus", "right")):
        texts = _load_texts(folder, name, (f"id_{side}", f"text_{side}"))
        found = texts.set_index(f"id_{side}")[f"text_{side}"]
        pairs[f"text_{side}"] = pairs[f"id_{side}"].map(found)
        bad = pairs[f"text_{side}"].isna().to_numpy()
        if bad.any():
            row = int(bad.argmax())
            raise DataError(
                f"{judged.place(row)}: every id must be in {name}.jsonl. Received: "
                f"{pairs[f'id_{side}'][row]!r} ({bad.sum()} of {len(bad)} rows are like this)."
            )
    return Table(pairs, judged.name, judged.place)


def _load_judgements(folder: Path, qrels: str | None) -> Table:
    """`id_left, id_right, label`, with labels as integers."""
    table = load_table(_judgements_file(folder, qrels), "tsv")
    missing = [name for name in ("query-id", "corpus-id", "score") if name not in table.frame]
    if missing:
        raise DataError(
            f"{table.name}: the first line must name query-id, corpus-id and score. Received: "
            f"{list(table.frame)}."
        )
    frame = pd.DataFrame(
        {
            "id_left": table.frame["query-id"],
            "id_right": table.frame["corpus-id"],
            "label": labels_of(table, "score"),
        }
    )
    return Table(frame, table.name, table.place)


def _judgements_file(folder: Path, qrels: str | None) -> Path:
    there = [*folder.glob("qrels*.tsv*"), *folder.glob("qrels/*.tsv*")]
    files = {str(path.relative_to(folder)).removesuffix(".gz"): path for path in sorted(there)}
    wanted = [f"qrels/{qrels}.tsv", f"qrels.{qrels}.tsv", f"{qrels}.tsv", f"{qrels}"]
    if qrels is None:
        wanted = ["qrels.tsv"] if len(files) != 1 else list(files)
    for name in wanted:
        if name.removesuffix(".gz") in files:
            return files[name.removesuffix(".gz")]
    if not files:
        raise _no_collection(folder)
    raise DataError(
        f"{folder}: qrels= must name one of the files of judgements, {list(files)}. "
        f"Received: {qrels!r}."
    )


def _load_texts(folder: Path, name: str, columns: tuple[str, str]) -> pd.DataFrame:
    path = folder / f"{name}.jsonl"
    if not path.exists():
        path = folder / f"{name}.jsonl.gz"
    if not path.exists():
        raise _no_collection(folder)
    table = load_table(path, "jsonl")
    rows = table.frame.to_dict("list")
    ids, texts = rows.get("_id", []), rows.get("text", [])
    titles = rows.get("title", [""] * len(texts))
    found: dict[str, str] = {}
    for row in range(len(table.frame)):
        values = [column[row] if column else None for column in (ids, titles, texts)]
        values[1] = values[1] or ""
        if not (values[0] and all(isinstance(value, str) for value in values)):
            raise DataError(
                f"{table.place(row)}: _id, title and text must be strings. Received: {values}."
            )
        text = "\n\n".join(part for part in values[1:] if part)
        if found.setdefault(values[0], text) != text:
            raise DataError(
                f"{table.place(row)}: _id {values[0]!r} must stand for one text, and it stood for "
                f"{shown(found[values[0]])}. Received: {shown(text)}. Give each text "
                "an id of its own."
            )
    return pd.DataFrame(list(found.items()), columns=list(columns), dtype=str)


def _no_collection(folder: Path) -> DataError:
    there = sorted(entry.name for entry in folder.iterdir())
    return DataError(
        f"{folder}: a folder must hold queries.jsonl, corpus.jsonl and qrels.tsv or "
        f"qrels/NAME.tsv. Received: {shown(there)}."
    )
