"""The Cranfield 1400 collection -> data/cranfield in the layout of BEIR.

    python datasets/cranfield/prepare.py SOURCE_FOLDER [--out data/cranfield]

SOURCE_FOLDER holds cran.all.1400 (documents), cran.qry (queries) and cranqrel (judgements); see
README.md for where they come from and for their traps. Out come corpus.jsonl, queries.jsonl,
qrels.tsv (graded 0 to 4) and qrels_all1837_binary.tsv (every judged document relevant). The
folder is written whole or not at all, and only with the counts of README.md.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

COUNTS = {"all": {"documents": 1400, "queries": 225, "judgements": 1837, "relevant": 1612}}
# Cleverdon's code 1, a complete answer, is the best; -1 stands once for every query.
SCORES = {"1": 4, "2": 3, "3": 2, "4": 1, "-1": 0}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Cranfield 1400 as published -> BEIR.")
    parser.add_argument("source", type=Path, help="folder with cran.all.1400, cran.qry, cranqrel")
    parser.add_argument("--out", type=Path, default=Path("data/cranfield"), help="folder to make")
    chosen = parser.parse_args(arguments)
    try:
        prepare(chosen.source, chosen.out)
    except (OSError, ValueError) as error:
        sys.exit(f"cranfield: {error}")
    sys.stderr.write(f"cranfield: {chosen.out} is made, with the counts of README.md\n")


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
    documents = []
    for record in read_smart(source / "cran.all.1400"):
        # Nearly every text begins with its title once more.
        text = record["W"].removeprefix(record["T"]).strip()
        documents.append({"_id": record["I"], "title": record["T"], "text": text})
    # The file's own numbers have gaps; the judgements count the queries from 1.
    queries = [
        {"_id": str(position), "text": record["W"]}
        for position, record in enumerate(read_smart(source / "cran.qry"), start=1)
    ]
    for name, records in (("corpus", documents), ("queries", queries)):
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        write(out / f"{name}.jsonl", lines)
    judged = list(read_judgements(source / "cranqrel"))
    header = "query-id\tcorpus-id\tscore"
    write(out / "qrels.tsv", [header, *(f"{q}\t{d}\t{SCORES[code]}" for q, d, code in judged)])
    write(out / "qrels_all1837_binary.tsv", [header, *(f"{q}\t{d}\t1" for q, d, _ in judged)])


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


def read_smart(path: Path) -> list[dict[str, str]]:
    """The records of a SMART file by the letters of their fields, white space made even."""
    records: list[dict[str, list[str]]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        marker = re.fullmatch(r"\.(I) +(\d+)\s*|\.([TABW])\s*", line)
        if marker and marker[1]:
            field = "I"
            records.append({"I": [marker[2]], "T": [], "W": []})
        elif not records and line.strip():
            raise ValueError(f"{path}, line {number}: must begin with .I. Received: {line!r}")
        elif marker:
            field = marker[3]  # a .W within .W goes on with the same text
        elif records:
            records[-1].setdefault(field, []).append(line)
    return [{key: " ".join(" ".join(v).split()) for key, v in record.items()} for record in records]


def read_judgements(path: Path) -> list[list[str]]:
    """Query, document and Cleverdon's code of each line."""
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for row in rows:
        if len(row) != 3 or row[2] not in SCORES:
            raise ValueError(f"{path}: a line must be query, document, code. Received: {row}")
    return rows


def write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
