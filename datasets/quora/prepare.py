"""Quora Question Pairs -> data/quora/{train,dev,test}.tsv.gz, no question in two parts.

    python datasets/quora/prepare.py [SOURCE | --from SOURCE | --download] [--out data/quora]

SOURCE is quora_duplicate_questions.tsv, a folder with it, or a folder that this script made; see
README.md for where it comes from and how it is split. The folder is written whole or not at all,
and only with the counts of README.md.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ir_attention.data.downloads import Download
from ir_attention.data.preparing import (
    Counts,
    Recipe,
    count_pairs,
    needed,
    prepared,
    read_lines,
    read_rows,
    run,
    tidy,
    write_pairs,
)
from ir_attention.errors import DataError

COUNTS = {"all": {"pairs": 404290, "positives": 149263}}  # as in README.md
FILES = {part: f"{part}.tsv.gz" for part in ("train", "dev", "test")}
OFFICIAL = ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"]
DOWNLOADS = [
    Download(
        "https://qim.fs.quoracdn.net/quora_duplicate_questions.tsv",
        # Both stated by huggingface/datasets, datasets/quora/dataset_infos.json.
        checksum="sha256:b3350dbb1d98db1f5abca85d736ba514bf4da253fae53939303d79fe921ec7c8",
        size=58176133,
    )
]
LARGE = 0.01  # of all pairs; a group of questions with more of them goes to train


def main(arguments: Sequence[str] | None = None) -> None:
    run(
        Recipe(
            name="quora",
            summary="Quora Question Pairs as published -> pairs in TSV files.",
            source="quora_duplicate_questions.tsv, or a folder with it",
            convert=convert,
            count=count,
            counts=COUNTS,
            downloads=DOWNLOADS,
        ),
        arguments,
    )


def convert(source: Path, out: Path) -> None:
    """Writes a TSV per part: a header, no quoting, a quote character is just a character."""
    if prepared(source, FILES.values()):
        rows = {part: read_rows(source / name, binary=True) for part, name in FILES.items()}
    else:
        pairs = read_pairs(needed(source, "quora_duplicate_questions.tsv"))
        rows = {part: [] for part in FILES}
        for part, pair in zip(split(pairs), pairs, strict=True):
            rows[part].append(pair)
    for part, name in FILES.items():
        write_pairs(out / name, rows[part])


def count(folder: Path) -> Counts:
    counts = count_pairs(folder, FILES)
    counts["all"] = {
        name: sum(found[name] for found in counts.values()) for name in ("pairs", "positives")
    }
    return counts


def read_pairs(path: Path) -> list[list[str]]:
    """Our rows. The file has CSV's quotes around its tabs, and line breaks inside them."""
    reader = csv.reader(io.StringIO("\n".join(read_lines(path)), newline=""), delimiter="\t")
    ids: dict[str, str] = {}  # of each text: the first one
    texts: dict[str, str] = {}  # of each id
    rows = []
    try:
        header = next(reader, [])
        if header != OFFICIAL:
            raise DataError(f"{path}, line 1: must name {OFFICIAL}. Received: {header}.")
        for row in reader:
            if len(row) != len(OFFICIAL) or row[-1] not in ("0", "1"):
                raise DataError(
                    f"{path}, line {reader.line_num}: needs 6 columns, the last 0 or 1. "
                    f"Received: {[cell[:60] for cell in row]}."
                )
            left, right = (named(tidy(row[place + 2]), row[place], ids, texts) for place in (1, 2))
            rows.append([*left, *right, row[-1]])
    except csv.Error as error:  # a quote without its other half
        raise DataError(
            f"{path}, line {reader.line_num}: quotes must stand in pairs. Received: {error}."
        ) from error
    return rows


def named(text: str, qid: str, ids: dict[str, str], texts: dict[str, str]) -> tuple[str, str]:
    """An id for one text only, and one id for each text that is not empty."""
    if text in ids:
        return ids[text], text
    while texts.setdefault(qid, text) != text:
        qid += "x"  # the same id for another text
    if text:
        ids[text] = qid
    return qid, text


def split(pairs: list[list[str]]) -> list[str]:
    """A part for each pair: questions that pairs join, directly or not, stay together."""
    parent: dict[str, str] = {}

    def root(question: str) -> str:
        while parent.setdefault(question, question) != question:
            parent[question] = parent[parent[question]]
            question = parent[question]
        return question

    for left, _, right, *_ in pairs:
        parent[root(left)] = root(right)
    groups = [root(pair[0]) for pair in pairs]
    sizes = Counter(groups)
    names: dict[str, str] = {}  # of each group: the text that is first by its characters
    for group, (_, left, _, right, _) in zip(groups, pairs, strict=True):
        names[group] = min(names.get(group, left), left, right)
    large = LARGE * len(pairs)
    parts = {
        group: "train" if sizes[group] > large else drawn(name) for group, name in names.items()
    }
    return [parts[group] for group in groups]


def drawn(text: str) -> str:
    # No seed and no order in it: a group's part depends on its questions alone.
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return {0: "test", 1: "dev"}.get(int(digest, 16) % 10, "train")


if __name__ == "__main__":
    main()
