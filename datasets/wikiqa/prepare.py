"""WikiQA as published -> data/wikiqa/{train,dev,test}.tsv, one row per question and sentence.

    python datasets/wikiqa/prepare.py SOURCE_FOLDER [--out data/wikiqa]

SOURCE_FOLDER is an unpacked copy of the official distribution, fetched under its own licence (see
README.md): WikiQA-train.tsv, WikiQA-dev.tsv and WikiQA-test.tsv lie in it. The columns of the
documents are left out and runs of white space become one space; order and ids stay. The folder is
written whole or not at all, and only with the counts of README.md.
"""

import argparse
import sys
import tempfile
from pathlib import Path

COUNTS = {  # as in README.md
    "train": {"pairs": 20360, "queries": 2118, "positives": 1040},
    "dev": {"pairs": 2733, "queries": 296, "positives": 140},
    "test": {"pairs": 6165, "queries": 633, "positives": 293},
}
OFFICIAL = "QuestionID Question DocumentID DocumentTitle SentenceID Sentence Label".split()
COLUMNS = ["id_left", "text_left", "id_right", "text_right", "label"]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="WikiQA as published -> pairs in TSV files.")
    parser.add_argument("source", type=Path, help="folder with WikiQA-{train,dev,test}.tsv")
    parser.add_argument("--out", type=Path, default=Path("data/wikiqa"), help="folder to make")
    chosen = parser.parse_args(arguments)
    try:
        prepare(chosen.source, chosen.out)
    except (OSError, ValueError) as error:
        sys.exit(f"wikiqa: {error}")
    sys.stderr.write(f"wikiqa: {chosen.out} is made, with the counts of README.md\n")


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
    """Writes a TSV per part: a header, no quoting, a quote character is just a character."""
    for part in COUNTS:
        path = source / f"WikiQA-{part}.tsv"
        header, *rows = read_rows(path)
        if header != OFFICIAL:
            raise ValueError(f"{path}, line 1: the header must be {OFFICIAL}. Received: {header}")
        with open(out / f"{part}.tsv", "w", encoding="utf-8", newline="\n") as file:
            file.write("\t".join(COLUMNS) + "\n")
            for number, row in enumerate(rows, start=2):
                if len(row) != len(OFFICIAL) or row[-1] not in ("0", "1"):
                    raise ValueError(
                        f"{path}, line {number}: needs 7 columns, the last 0 or 1. Received: {row}"
                    )
                question_id, question, _, _, sentence_id, sentence, label = row
                pair = [question_id, question, sentence_id, sentence, label]
                file.write("\t".join(pair) + "\n")


def count(folder: Path) -> dict[str, dict[str, int]]:
    """Pairs, distinct queries and pairs labelled 1 of each part, from the files themselves."""
    counts = {}
    for part in COUNTS:
        rows = read_rows(folder / f"{part}.tsv")[1:]
        counts[part] = {
            "pairs": len(rows),
            "queries": len({row[0] for row in rows}),
            "positives": sum(row[-1] == "1" for row in rows),
        }
    return counts


def check(counts: dict[str, dict[str, int]]) -> None:
    """Lets nothing pass that differs from `COUNTS`."""
    wrong = [
        f"{part} has {counts[part][name]} {name} instead of {right}"
        for part, expected in COUNTS.items()
        for name, right in expected.items()
        if counts[part][name] != right
    ]
    if wrong:
        raise ValueError(f"{'; '.join(wrong)}. Is the source complete and unchanged?")


def read_rows(path: Path) -> list[list[str]]:
    # Only "\n" ends a line: sentences may hold other characters that Python takes for line ends.
    try:
        lines = path.read_bytes().decode("utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error}") from None
    return [[" ".join(cell.split()) for cell in line.split("\t")] for line in lines]


if __name__ == "__main__":
    main()
