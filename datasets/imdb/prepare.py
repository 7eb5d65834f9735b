"""The Large Movie Review Dataset v1.0 -> data/imdb/{train,test}.csv.gz, a row per review.

    python datasets/imdb/prepare.py [SOURCE | --from SOURCE | --download] [--out data/imdb]

SOURCE is aclImdb_v1.tar.gz, the folder unpacked from it (train/ and test/, each with pos/ and neg/
and a file per review, ID_RATING.txt), or a folder that this script made; see README.md for where
it comes from. Columns: text, label (1 positive, 0 negative), rating (1 to 4, 7 to 10), id. The
folder is written whole or not at all, and only with the counts of README.md.
"""

import csv
import gzip
import io
import re
from collections.abc import Sequence
from pathlib import Path

from ir_attention.data.downloads import Download
from ir_attention.data.preparing import Counts, Recipe, needed, prepared, read_lines, run
from ir_attention.errors import DataError

COUNTS = {  # as in README.md
    "train": {"reviews": 25000, "positives": 12500, "texts": 24904},
    "test": {"reviews": 25000, "positives": 12500, "texts": 24801},
}
FILES = {part: f"{part}.csv.gz" for part in COUNTS}
COLUMNS = ["text", "label", "rating", "id"]
DOWNLOADS = [
    Download(
        "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        # Both stated by huggingface/datasets, datasets/imdb/dataset_infos.json.
        checksum="sha256:c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
        size=84125825,
    )
]
_NAME = re.compile(r"(\d+)_(\d+)\.txt")


def main(arguments: Sequence[str] | None = None) -> None:
    run(
        Recipe(
            name="imdb",
            summary="The Large Movie Review Dataset as published -> CSV files.",
            source="aclImdb_v1.tar.gz, or a folder with {train,test}/{pos,neg}/*.txt",
            convert=convert,
            count=count,
            counts=COUNTS,
            downloads=DOWNLOADS,
            wanted=r"(^|/)(train|test)/(pos|neg)/",
        ),
        arguments,
    )


def convert(source: Path, out: Path) -> None:
    ours = prepared(source, FILES.values())
    for part, name in FILES.items():
        rows = read_csv(source / name) if ours else reviews(source, part)
        content = io.StringIO(newline="")
        csv.writer(content, lineterminator="\n").writerows([COLUMNS, *rows])
        # Without the time of packing, the same reviews give the same bytes.
        (out / name).write_bytes(gzip.compress(content.getvalue().encode(), mtime=0))


def count(folder: Path) -> Counts:
    """Reviews, positive ones and distinct texts of each part, from the files themselves."""
    counts = {}
    for part, name in FILES.items():
        rows = read_csv(folder / name)
        counts[part] = {
            "reviews": len(rows),
            "positives": sum(row[1] == "1" for row in rows),
            "texts": len({row[0] for row in rows}),
        }
    return counts


def reviews(source: Path, part: str) -> list[list[str]]:
    """The negative reviews by their numbers, then the positive ones."""
    rows = []
    for label, kind in enumerate(("neg", "pos")):
        found = []
        for path in needed(source, f"{part}/{kind}").glob("*.txt"):
            name = _NAME.fullmatch(path.name)
            if not name or not 1 <= int(name[2]) <= 10:
                raise DataError(f"{path}: must be named ID_RATING.txt. Received: {path.name!r}.")
            found.append((int(name[1]), name[2], path))
        for _, rating, path in sorted(found):
            rows.append([_text(path), str(label), rating, f"{part}/{kind}/{path.stem}"])
    return rows


def read_csv(path: Path) -> list[list[str]]:
    """The rows of a file that this script made."""
    reader = csv.reader(io.StringIO("\n".join(read_lines(path)), newline=""), strict=True)
    try:
        header, *rows = reader
    except (csv.Error, ValueError) as error:
        raise DataError(f"{path}: must be CSV with {COLUMNS}. Received: {error}.") from error
    if header != COLUMNS:
        raise DataError(f"{path}, line 1: must name {COLUMNS}. Received: {header}.")
    bad = [row for row in rows if len(row) != len(COLUMNS) or row[1] not in ("0", "1")]
    if bad:
        raise DataError(
            f"{path}: a row must be text, label 0 or 1, rating, id. Received: "
            f"{[cell[:60] for cell in bad[0]]} ({len(bad)} of {len(rows)} rows are like this)."
        )
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: must be UTF-8. Received: {error}.") from error


if __name__ == "__main__":
    main()
