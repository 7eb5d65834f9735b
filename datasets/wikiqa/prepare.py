"""WikiQA as published -> data/wikiqa/{train,dev,test}.tsv, one row per question and sentence.

    python datasets/wikiqa/prepare.py [SOURCE | --from SOURCE | --download] [--out data/wikiqa]

SOURCE is WikiQACorpus.zip, the folder unpacked from it (WikiQA-train.tsv, WikiQA-dev.tsv and
WikiQA-test.tsv), or a folder that this script made. It comes under its own licence, see README.md.
The columns of the documents are left out and runs of white space become one space; order and ids
stay. The folder is written whole or not at all, and only with the counts of README.md.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ir_attention.data.downloads import Download
from ir_attention.data.preparing import (
    Recipe,
    count_pairs,
    needed,
    prepared,
    read_rows,
    run,
    write_pairs,
)

COUNTS = {  # as in README.md
    "train": {"pairs": 20360, "queries": 2118, "positives": 1040},
    "dev": {"pairs": 2733, "queries": 296, "positives": 140, "mixed": 122, "mixed pairs": 1126},
    "test": {"pairs": 6165, "queries": 633, "positives": 293, "mixed": 237, "mixed pairs": 2341},
}
FILES = {part: f"{part}.tsv" for part in COUNTS}
OFFICIAL = "QuestionID Question DocumentID DocumentTitle SentenceID Sentence Label".split()
DOWNLOADS = [
    Download(
        "https://download.microsoft.com/download/E/5/f/"
        "E5FCFCEE-7005-4814-853D-DAA7C66507E0/WikiQACorpus.zip",
        # Both stated by huggingface/datasets, datasets/wiki_qa/dataset_infos.json.
        checksum="sha256:467c13f9e104552c0a9c16f41836ca8d89f9c0cc4b6e4355e104d5c3109ffa45",
        size=7094233,
    )
]


def main(arguments: Sequence[str] | None = None) -> None:
    run(
        Recipe(
            name="wikiqa",
            summary="WikiQA as published -> pairs in TSV files.",
            source="WikiQACorpus.zip, or a folder with WikiQA-{train,dev,test}.tsv",
            convert=convert,
            count=partial(count_pairs, files=FILES),
            counts=COUNTS,
            downloads=DOWNLOADS,
        ),
        arguments,
    )


def convert(source: Path, out: Path) -> None:
    """Writes a TSV per part: a header, no quoting, a quote character is just a character."""
    ours = prepared(source, FILES.values())
    for part, name in FILES.items():
        if ours:
            rows = read_rows(source / name, binary=True)
        else:
            official = read_rows(needed(source, f"WikiQA-{part}.tsv"), OFFICIAL, binary=True)
            rows = [[row[0], row[1], row[4], row[5], row[6]] for row in official]
        write_pairs(out / name, rows)


if __name__ == "__main__":
    main()
