"""The Cranfield 1400 collection -> data/cranfield in the layout of BEIR.

    python datasets/cranfield/prepare.py [SOURCE | --from SOURCE | --download]
        [--out data/cranfield]

SOURCE is cran.tar.gz, a folder with cran.all.1400 (documents), cran.qry (queries) and cranqrel
(judgements), or a folder that this script made; see README.md for where they come from and for
their traps. Out come corpus.jsonl, queries.jsonl, qrels.tsv (graded 0 to 4) and
qrels_all1837_binary.tsv (every judged document relevant). The folder is written whole or not at
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

COUNTS = {"all": {"documents": 1400, "queries": 225, "judgements": 1837, "relevant": 1612}}
FILES = ["corpus.jsonl", "queries.jsonl", "qrels.tsv", "qrels_all1837_binary.tsv"]
FIELDS = "TABW"  # title, authors, where it was printed, text
# Cleverdon's code 1, a complete answer, is the best; -1 stands once for every query.
SCORES = {"1": 4, "2": 3, "3": 2, "4": 1, "-1": 0}
DOWNLOADS = [
    Download(
        "https://ir.dcs.gla.ac.uk/resources/test_collections/cran/cran.tar.gz",
        # Both stated by ir_datasets, ir_datasets/etc/downloads.json.
        checksum="md5:1730f7be572d95a5a4b56c59a7b900a5",
        size=506960,
    )
]


def main(arguments: Sequence[str] | None = None) -> None:
    run(
        Recipe(
            name="cranfield",
            summary="Cranfield 1400 as published -> the layout of BEIR.",
            source="cran.tar.gz, or a folder with cran.all.1400, cran.qry, cranqrel",
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
    documents = []
    for record in read_smart(needed(source, "cran.all.1400"), FIELDS):
        # Nearly every text begins with its title once more.
        text = record["W"].removeprefix(record["T"]).strip()
        documents.append({"_id": record["I"], "title": record["T"], "text": text})
    # The file's own numbers have gaps; the judgements count the queries from 1.
    queries = [
        {"_id": str(position), "text": record["W"]}
        for position, record in enumerate(read_smart(needed(source, "cran.qry"), FIELDS), start=1)
    ]
    judged = read_judgements(needed(source, "cranqrel"))
    graded = [(query, document, SCORES[code]) for query, document, code in judged]
    binary = [(query, document, 1) for query, document, _ in judged]
    write_collection(out, documents, queries, {FILES[2]: graded, FILES[3]: binary})


def read_judgements(path: Path) -> list[list[str]]:
    """Query, document and Cleverdon's code of each line."""
    rows = [line.split() for line in read_lines(path) if line.strip()]
    for row in rows:
        if len(row) != 3 or row[2] not in SCORES:
            raise DataError(f"{path}: a line must be query, document, code. Received: {row}.")
    return rows


if __name__ == "__main__":
    main()
