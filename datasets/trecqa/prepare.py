"""TrecQA (Wang et al. 2007) -> data/trecqa/{train.tsv.gz,dev.tsv,test.tsv}, the raw version.

    python datasets/trecqa/prepare.py [SOURCE | --from SOURCE | --download] [--out data/trecqa]

SOURCE is one of these, see README.md for where they come from:
  * jacana-qa-naacl2013-data-results.tar.bz2 or what it holds: a pseudo-XML file for each of
    TRAIN-ALL, DEV and TEST, with a line of words for each sentence;
  * a folder with train-all/, raw-dev/ and raw-test/, each with id.txt, a.toks (the question, a line
    a pair), b.toks (the sentence) and sim.txt (0 or 1);
  * a folder that this script made.
The folder is written whole or not at all, and only with the counts of README.md.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ir_attention.data.downloads import Download
from ir_attention.data.official import read_columns
from ir_attention.data.preparing import (
    Recipe,
    count_pairs,
    find,
    needed,
    prepared,
    read_lines,
    read_rows,
    run,
    tidy,
    write_pairs,
)
from ir_attention.errors import DataError

COUNTS = {  # as in README.md
    "train": {"pairs": 53417},
    "dev": {"pairs": 1148, "mixed": 65, "mixed pairs": 1117},
    "test": {"pairs": 1517, "mixed": 68, "mixed pairs": 1442},
}
FILES = {"train": "train.tsv.gz", "dev": "dev.tsv", "test": "test.tsv"}
XML = {  # The first one that is there; the archive and the copies of it name them differently.
    "train": ("train2393.cleanup.xml.gz", "TRAIN-ALL.xml", "train-all.xml"),
    "dev": ("dev-less-than-40.manual-edit.xml", "DEV.xml", "dev.xml"),
    "test": ("test-less-than-40.manual-edit.xml", "TEST.xml", "test.xml"),
}
COLUMNS = ["id.txt", "a.toks", "b.toks", "sim.txt"]
FOLDERS = {"train": "train-all", "dev": "raw-dev", "test": "raw-test"}
DOWNLOADS = [
    Download(
        "https://github.com/castorini/data/raw/7c27a2bb0eaf0347e8993f55c80fbe2557790ea3/"
        "TrecQA/jacana-qa-naacl2013-data-results.tar.bz2",
        # Stated by castorini/data, TrecQA/README.md.
        checksum="md5:11f0275e95691594cd74825e0c341b7a",
        limit=1 << 28,
    )
]
_OPENING = re.compile(r"<QApairs id='([^']*)'>")


def main(arguments: Sequence[str] | None = None) -> None:
    run(
        Recipe(
            name="trecqa",
            summary="TrecQA as published -> pairs in TSV files.",
            source="jacana-qa-naacl2013-data-results.tar.bz2, or what README.md says",
            convert=convert,
            count=partial(count_pairs, files=FILES),
            counts=COUNTS,
            downloads=DOWNLOADS,
        ),
        arguments,
    )


def convert(source: Path, out: Path) -> None:
    """Writes a TSV per part: a header, no quoting, a quote character is just a character."""
    for part, name in FILES.items():
        if prepared(source, FILES.values()):
            rows = read_rows(source / name, binary=True)
        elif found := find(source, f"{FOLDERS[part]}/sim.txt"):
            rows = list(pairs(read_columns(found.parent, COLUMNS)))
        else:
            rows = list(pairs(pseudo_xml(needed(source, *XML[part]))))
        write_pairs(out / name, rows)


def pairs(found: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    """Our rows: sentences are numbered within their question, in the order of the source."""
    texts: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for question_id, question, sentence, label in found:
        id_left = question_id
        while texts.setdefault(id_left, question) != question:
            id_left += "x"  # the same id for another question
        number = numbers[id_left] = numbers.get(id_left, -1) + 1
        yield [id_left, question, f"{id_left}-{number}", sentence, label]


def pseudo_xml(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Question id, question, sentence and label. It is no XML: nothing is escaped in it."""
    question_id = question = kind = ""
    for number, line in enumerate(read_lines(path), start=1):
        line = line.strip()
        if kind == "question":
            question = tidy(line)
        elif kind and not question:
            raise DataError(f"{path}, line {number}: needs a <question> first. Received: {line!r}.")
        elif kind:
            yield question_id, question, tidy(line), "1" if kind == "positive" else "0"
        # Only the line below a tag has words; parts of speech and the like follow.
        kind = line[1:-1] if line in ("<question>", "<positive>", "<negative>") else ""
        if opening := _OPENING.fullmatch(line):
            question_id, question = opening[1], ""


if __name__ == "__main__":
    main()
