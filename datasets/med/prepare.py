"""The MEDLINE (MED) collection -> data/med in the layout of BEIR.

    python datasets/med/prepare.py SOURCE_FOLDER [--out data/med]

SOURCE_FOLDER holds MED.ALL (documents), MED.QRY (queries) and MED.REL or MED.REL.OLD
(judgements); see README.md for where they come from. Out come corpus.jsonl, queries.jsonl and
qrels.tsv. The folder is written whole or not at all, and only with the counts of README.md.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

COUNTS = {"all": {"documents": 1033, "queries": 30, "judgements": 696, "relevant": 696}}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="MED as published -> BEIR.")
    parser.add_argument("source", type=Path, help="folder with MED.ALL, MED.QRY, MED.REL[.OLD]")
    parser.add_argument("--out", type=Path, default=Path("data/med"), help="folder to make")
    chosen = parser.parse_args(arguments)
    try:
        prepare(chosen.source, chosen.out)
    except (OSError, ValueError) as error:
        sys.exit(f"med: {error}")
    sys.stderr.write(f"med: {chosen.out} is made, with the counts of README.md\n")


def prepare(source: Path, out: Path) -> None:
    """Makes the folder `out`, unless it is there already or the counts are wrong."""
    if out.exists():
        raise ValueError(f"{out} is there already; move it away or name another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as unfinished:
        made = Path(unfinished) / "made"
        made.mkdir()
        convert(source, made)
        check(count(made))
        made.rename(out)


def convert(source: Path, out: Path) -> None:
    # Titles are not marked in the source: they are the beginning of the text.
    documents = [
        {"_id": number, "title": "", "text": text}
        for number, text in read_smart(source / "MED.ALL")
    ]
    queries = [{"_id": number, "text": text} for number, text in read_smart(source / "MED.QRY")]
    for name, records in (("corpus", documents), ("queries", queries)):
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        write(out / f"{name}.jsonl", lines)
    newer = source / "MED.REL"
    judged = read_judgements(newer if newer.exists() else source / "MED.REL.OLD")
    lines = [
        "query-id\tcorpus-id\tscore",
        *(f"{query}\t{document}\t1" for query, document in judged),
    ]
    write(out / "qrels.tsv", lines)


def count(folder: Path) -> dict[str, dict[str, int]]:
    """Documents, queries, judged pairs, and those with a score above 0, from the files."""
    rows = [line.split("\t") for line in (folder / "qrels.tsv").read_text().splitlines()[1:]]
    return {
        "all": {
            "documents": (folder / "corpus.jsonl").read_bytes().count(b"\n"),
            "queries": (folder / "queries.jsonl").read_bytes().count(b"\n"),
            "judgements": len({(query, document) for query, document, _ in rows}),
            "relevant": sum(int(score) > 0 for _, _, score in rows),
        }
    }


def check(counts: dict[str, dict[str, int]]) -> None:
    """Lets nothing pass that differs from `COUNTS`."""
    wrong = [
        f"{counts['all'][name]} {name} instead of {right}"
        for name, right in COUNTS["all"].items()
        if counts["all"][name] != right
    ]
    if wrong:
        raise ValueError(f"{'; '.join(wrong)}. Is the source complete and unchanged?")


def read_smart(path: Path) -> list[tuple[str, str]]:
    """Number and text of each record of a SMART file with .I and .W, white space made even."""
    records: list[tuple[str, list[str]]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if marker := re.fullmatch(r"\.I +(\d+)\s*", line):
            records.append((marker[1], []))
        elif records and line.strip() != ".W":
            records[-1][1].append(line)
        elif not records and line.strip():
            raise ValueError(f"{path}, line {number}: must begin with .I. Received: {line!r}")
    return [(number, " ".join(" ".join(lines).split())) for number, lines in records]


def read_judgements(path: Path) -> list[tuple[str, str]]:
    """Query and document of each line; in some copies a 0 stands between them, as in TREC's."""
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for row in rows:
        if len(row) < 3 or not (row[0].isdecimal() and row[1].isdecimal() and row[2].isdecimal()):
            raise ValueError(f"{path}: a line must be query, [0,] document, 1. Received: {row}")
    return [(row[0], row[1] if row[1] != "0" else row[2]) for row in rows]


def write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
