"""What the recipes of `datasets/` share: from a source to a checked folder, whole or not at all."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ir_attention.data.downloads import Download, fetch, is_archive, odd_copy, unpack
from ir_attention.data.files import shown
from ir_attention.errors import DataError, IRAttentionError

__all__ = [
    "Counts",
    "Recipe",
    "count_collection",
    "count_pairs",
    "find",
    "make",
    "needed",
    "parser",
    "prepared",
    "read_lines",
    "read_rows",
    "run",
    "tidy",
    "write_collection",
    "write_lines",
    "write_pairs",
]

Counts = Mapping[str, Mapping[str, int]]  # of each part, by name

_COLUMNS = ["id_left", "text_left", "id_right", "text_right", "label"]
_QRELS = "query-id\tcorpus-id\tscore"
_DEPTH = 4  # levels of folders that are looked through


@dataclass(frozen=True)
class Recipe:
    """How a data set is made.

    Args:
        name: The data set's name; `data/NAME` is made if no other folder is named.
        summary: A line on it.
        source: What the source must be.
        convert: Called with the source, a folder or a single file, and the folder to fill.
        count: Counts what is in a folder that was filled.
        counts: What must come out; what is not named is not checked.
        downloads: The files of the official download.
        wanted: A regular expression for the files of an archive that `convert` needs.
        limit: Bytes that the unpacked source may have.
    """

    name: str
    summary: str
    source: str
    convert: Callable[[Path, Path], None]
    count: Callable[[Path], Counts]
    counts: Counts
    downloads: Sequence[Download] = ()
    wanted: str = ""
    limit: int = 1 << 32


def run(recipe: Recipe, arguments: Sequence[str] | None = None) -> None:
    """The command line of a recipe; a mistake ends the program with one line and exit code 1."""
    make(recipe, parser(recipe).parse_args(arguments))


def parser(recipe: Recipe) -> argparse.ArgumentParser:
    """`[SOURCE | --from SOURCE | --download] [--out FOLDER] [--any-counts]`."""
    made = argparse.ArgumentParser(description=recipe.summary)
    made.add_argument("source", nargs="?", type=Path, help=recipe.source)
    made.add_argument("--from", dest="other", metavar="SOURCE", type=Path, help="the same by name")
    made.add_argument("--download", action="store_true", help="fetch the source; see README.md")
    made.add_argument(
        "--out", type=Path, default=Path("data") / recipe.name, help="folder to make (%(default)s)"
    )
    made.add_argument(
        "--any-counts",
        action="store_true",
        help="keep a result whose counts are not the known ones",
    )
    return made


def make(recipe: Recipe, chosen: argparse.Namespace) -> None:
    """Makes the folder `chosen.out`, says what came out, and ends the program if it cannot."""
    try:
        _make(recipe, chosen)
    except (IRAttentionError, OSError) as error:
        sys.exit(f"{recipe.name}: {' '.join(str(error).split())}")


def find(source: Path, *names: str) -> Path | None:
    """The file or folder of the first of the names that is there, in a folder or those inside it.

    Args:
        source: The folder, or the file itself.
        names: Paths such as `"test.tsv"` and `"train/a.toks"`, in order of preference.

    Raises:
        DataError: There are several, equally deep.
    """
    if not source.is_dir():
        return source if source.name in names else None
    level = [source]
    for _ in range(_DEPTH):
        for name in names:
            there = [folder / name for folder in level if (folder / name).exists()]
            if len(there) > 1:
                raise DataError(
                    f"{source}: must hold one {name}; name the folder that is meant. Received: "
                    f"{shown([str(path.relative_to(source)) for path in there])}."
                )
            if there:
                return there[0]
        inner = (path for folder in level for path in sorted(folder.iterdir()))
        level = [path for path in inner if path.is_dir() and path.name[0] not in "._"]
    return None


def needed(source: Path, *names: str) -> Path:
    """What `find` finds.

    Raises:
        DataError: There is none, or several.
    """
    found = find(source, *names)
    if found is None:
        there = sorted(path.name for path in source.iterdir()) if source.is_dir() else source.name
        raise DataError(f"{source}: must hold {' or '.join(names)}. Received: {shown(there)}.")
    return found


def prepared(source: Path, names: Iterable[str]) -> bool:
    """Whether the source is a folder that a recipe made, with all these files."""
    return source.is_dir() and all((source / name).is_file() for name in names)


def read_lines(path: Path) -> list[str]:
    r"""The lines of a UTF-8 file, packed (`.gz`) or not; only `\n` ends a line.

    Raises:
        DataError: It is not UTF-8, or not a whole gzip file.
    """
    data = path.read_bytes()
    try:
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        return data.decode("utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: must be UTF-8. Received: {error}.") from error
    except (EOFError, OSError) as error:
        raise DataError(f"{path}: must be a whole gzip file. Received: {error}.") from error


def read_rows(
    path: Path, header: Sequence[str] = _COLUMNS, *, binary: bool = False
) -> list[list[str]]:
    """The rows below the header of a TSV without quoting, white space in the cells made even.

    Args:
        path: The file; packed if its name ends in `.gz`.
        header: What its first line must name.
        binary: Labels, in the last column, must be 0 or 1, not just digits.

    Raises:
        DataError: The header is another, a row has too few or too many cells, or the last cell
            is no such label.
    """
    first, *rows = [[tidy(cell) for cell in line.split("\t")] for line in read_lines(path)]
    if first != list(header):
        raise DataError(f"{path}, line 1: must name {list(header)}. Received: {shown(first)}.")
    for number, row in enumerate(rows, start=2):
        label = row[-1] in ("0", "1") if binary else row[-1].isascii() and row[-1].isdigit()
        if len(row) != len(header) or not label:
            kind = "0 or 1" if binary else "a number"
            raise DataError(
                f"{path}, line {number}: needs {len(header)} columns, the last {kind}. "
                f"Received: {shown(row)}."
            )
    return rows


def tidy(text: str) -> str:
    """The text with single spaces for every run of white space, and none at its ends."""
    return " ".join(text.split())


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Writes lines as UTF-8; packed if the name ends in `.gz`, and the same bytes each time."""
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def write_pairs(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Writes `id_left, text_left, id_right, text_right, label` as a TSV without quoting."""
    write_lines(path, ["\t".join(_COLUMNS), *("\t".join(row) for row in rows)])


def count_pairs(folder: Path, files: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Counts the pairs of each part.

    Returns:
        `pairs`, distinct `queries`, `positives` (labels above 0), and of the queries with both a
        positive and another pair, `mixed`, the `mixed pairs`.
    """
    counts = {}
    for part, name in files.items():
        labels: dict[str, list[bool]] = {}
        for row in read_rows(folder / name):
            labels.setdefault(row[0], []).append(row[-1].strip("0") != "")
        mixed = [found for found in labels.values() if 0 < sum(found) < len(found)]
        counts[part] = {
            "pairs": sum(map(len, labels.values())),
            "queries": len(labels),
            "positives": sum(map(sum, labels.values())),
            "mixed": len(mixed),
            "mixed pairs": sum(map(len, mixed)),
        }
    return counts


def write_collection(
    out: Path,
    documents: Iterable[Mapping[str, str]],
    queries: Iterable[Mapping[str, str]],
    judgements: Mapping[str, Iterable[tuple[str, str, Any]]],
) -> None:
    """Writes a collection in the layout of BEIR, with a file of judgements by each name."""
    for name, records in (("corpus", documents), ("queries", queries)):
        lines = (json.dumps(record, ensure_ascii=False) for record in records)
        write_lines(out / f"{name}.jsonl", lines)
    for name, judged in judgements.items():
        write_lines(out / name, [_QRELS, *(f"{q}\t{d}\t{score}" for q, d, score in judged)])


def count_collection(folder: Path, qrels: str = "qrels.tsv") -> dict[str, dict[str, int]]:
    """`documents`, `queries`, distinct `judgements` and `relevant` ones, those above 0.

    Raises:
        DataError: An id stands there twice, or a judgement is of something that is not there.
    """
    ids = [_ids(folder / name) for name in ("queries.jsonl", "corpus.jsonl")]
    rows = read_rows(folder / qrels, _QRELS.split("\t"))
    for number, row in enumerate(rows, start=2):
        if row[0] not in ids[0] or row[1] not in ids[1]:
            raise DataError(
                f"{folder / qrels}, line {number}: every id must be in queries.jsonl or "
                f"corpus.jsonl. Received: {row}."
            )
    return {
        "all": {
            "documents": len(ids[1]),
            "queries": len(ids[0]),
            "judgements": len({(query, document) for query, document, _ in rows}),
            "relevant": sum(int(score) > 0 for *_, score in rows),
        }
    }


def _make(recipe: Recipe, chosen: argparse.Namespace) -> None:
    source, out = _source(recipe, chosen), chosen.out
    if out.exists():
        raise DataError(f"{out} is there already; move it away or name another --out.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as unfinished:
        made, fetched, opened = (Path(unfinished, name) for name in ("made", "fetched", "opened"))
        for folder in (made, fetched, opened):
            folder.mkdir()
        if source is None:
            for download in recipe.downloads:
                _say(recipe, f"fetching {download.url}")
                path = fetch(download, fetched)
            source = path if len(recipe.downloads) == 1 else fetched
        else:
            _compare(recipe, source)
        if not source.is_dir() and is_archive(source):
            unpack(source, opened, wanted=recipe.wanted, limit=recipe.limit)
            source = opened
        recipe.convert(source, made)
        verdict = _check(recipe, recipe.count(made), chosen.any_counts)
        made.rename(out)
    _say(recipe, f"{out} is made{verdict}")


def _source(recipe: Recipe, chosen: argparse.Namespace) -> Path | None:
    """The source on this machine; none if it is to be fetched."""
    named = [path for path in (chosen.source, chosen.other) if path is not None]
    if chosen.download + len(named) != 1:
        raise DataError(
            "name one source: a local copy (SOURCE or --from SOURCE), or --download to fetch it. "
            f"Received: {chosen.download + len(named)}."
        )
    if named:
        named[0].stat()
        return named[0]
    if not recipe.downloads:
        raise DataError("there is no download for this; name a local copy. Received: --download.")
    return None


def _compare(recipe: Recipe, source: Path) -> None:
    """Says so if the source has the name of the official file, and is another one."""
    for download in recipe.downloads:
        if source.is_file() and source.name == download.file:
            if odd := odd_copy(download, source):
                _say(recipe, f"{source} is not the official file: {odd}")
            elif download.checksum:
                _say(recipe, f"{source} is the official file, by its checksum")


def _check(recipe: Recipe, counts: Counts, any_counts: bool) -> str:
    """Says the counts, and lets nothing pass that differs from those of the recipe."""
    for part, found in counts.items():
        _say(recipe, f"{part}: {', '.join(f'{value} {name}' for name, value in found.items())}")
    wrong = [
        f"{part} has {counts.get(part, {}).get(name, 0)} {name} instead of {right}"
        for part, expected in recipe.counts.items()
        for name, right in expected.items()
        if counts.get(part, {}).get(name, 0) != right
    ]
    if not wrong:
        return ", with the counts of README.md" if recipe.counts else ""
    if not any_counts:
        raise DataError(
            f"{'; '.join(wrong)}. Is the source complete and unchanged? (--any-counts keeps it.)"
        )
    return f", though {'; '.join(wrong)}"


def _say(recipe: Recipe, line: str) -> None:
    sys.stderr.write(f"{recipe.name}: {line}\n")


def _ids(path: Path) -> set[str]:
    ids: set[str] = set()
    for number, line in enumerate(read_lines(path), start=1):
        try:
            record = json.loads(line)
            known = isinstance(record["_id"], str) and isinstance(record["text"], str)
        except (ValueError, KeyError, TypeError, RecursionError):
            known = False
        if not known or record["_id"] in ids:
            raise DataError(
                f"{path}, line {number}: must be an object with an _id of its own and a text. "
                f"Received: {shown(line)}."
            )
        ids.add(record["_id"])
    return ids
