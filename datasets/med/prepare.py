"""The MEDLINE (MED) collection -> data/med in the layout of BEIR.

    python datasets/med/prepare.py [SOURCE | --from SOURCE | --download] [--out data/med]

SOURCE is med.tar.gz, a folder with MED.ALL (documents), MED.QRY (queries) and MED.REL or
MED.REL.OLD (judgements), or a folder that this script made; see README.md for where they come
from. Out come corpus.jsonl, queries.jsonl and qrels.tsv. The folder is written whole or not at
all, and only with the counts of README.md.
"""

from collections.abc import Sequence
from pathlib import Path

from ir_attention.data.downloads import Download
from ir_attention.data.official import read_smart
from ir_attention.data.preparing import (
    Recipe,
    count_collection,
    needed,
    prepared,
    read_lines,
    run,
    write_collection,
)
from ir_attention.errors import DataError

COUNTS = {"all": {"documents": 1033, "queries": 30, "judgements": 696, "relevant": 696}}
FILES = ["corpus.jsonl", "queries.jsonl", "qrels.tsv"]
DOWNLOADS = [  # No checksum is stated anywhere.
    Download("https://ir.dcs.gla.ac.uk/resources/test_collections/medl/med.tar.gz", limit=1 << 24)
]


def main(arguments: Sequence[str] | None = None) -> None:
    run(
        Recipe(
            name="med",
            summary="MED as published -> the layout of BEIR.",
            source="med.tar.gz, or a folder with MED.ALL, MED.QRY, MED.REL[.OLD]",
            convert=convert,
            count=count_collection,
            counts=COUNTS,
            downloads=DOWNLOADS,
        ),
        arguments,
    )


def convert(source: Path, out: Path) -> None:
    if prepared(source, FILES):
        for name in FILES:
            (out / name).write_bytes((source / name).read_bytes())
        return
    # Titles are not marked in the source: they are the beginning of the text.
    documents = [
        {"_id": record["I"], "title": "", "text": record["W"]}
        for record in read_smart(needed(source, "MED.ALL"), "W")
    ]
    queries = [
        {"_id": record["I"], "text": record["W"]}
        for record in read_smart(needed(source, "MED.QRY"), "W")
    ]
    judged = read_judgements(needed(source, "MED.REL", "MED.REL.OLD"))
    rows = [(query, document, 1) for query, document in judged]
    write_collection(out, documents, queries, {"qrels.tsv": rows})


def read_judgements(path: Path) -> list[tuple[str, str]]:
    """Query and document of each line; in some copies a 0 stands between them, as in TREC's."""
    rows = [line.split() for line in read_lines(path) if line.strip()]
    for row in rows:
        if len(row) < 3 or not (row[0].isdecimal() and row[1].isdecimal() and row[2].isdecimal()):
            raise DataError(f"{path}: a line must be query, [0,] document, 1. Received: {row}.")
    return [(row[0], row[1] if row[1] != "0" else row[2]) for row in rows]


if __name__ == "__main__":
    main()
