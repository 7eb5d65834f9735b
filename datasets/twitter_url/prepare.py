"""The Twitter News URL corpus -> data/twitter_url/{train.tsv.gz,dev.tsv,test.tsv}.

    python datasets/twitter_url/prepare.py [SOURCE | --from SOURCE | --download]
        [--out data/twitter_url]

SOURCE is a folder or an archive with train/ and test/, each with a.toks (a headline a line),
b.toks (the tweet to it) and sim.txt (0 or 1), or a folder that this script made; see README.md for
where it comes from. A tenth of the official train part's headlines become dev, chosen by their
MD5. The folder is written whole or not at all, and only with the counts of README.md.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ir_attention.data.downloads import Download
from ir_attention.data.official import read_columns
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
    "train": {"pairs": 38345, "queries": 3228, "positives": 10105, "mixed": 2459},
    "dev": {"pairs": 3855, "queries": 325, "positives": 1062, "mixed": 249},
    "test": {"pairs": 9324, "queries": 769, "positives": 1820, "mixed": 568},
}
FILES = {"train": "train.tsv.gz", "dev": "dev.tsv", "test": "test.tsv"}
# One commit of the collection, so that the files stay what they are. No checksum is stated.
COMMIT = "https://raw.githubusercontent.com/castorini/data/056cbbcbf997cc0b35032430110c5e5e5525700a"
COLUMNS = ["a.toks", "b.toks", "sim.txt"]
NAMES = [f"{part}/{name}" for part in ("train", "test") for name in COLUMNS]
DOWNLOADS = [Download(f"{COMMIT}/twitterPPDB/{name}", limit=1 << 26, name=name) for name in NAMES]


def main(arguments: Sequence[str] | None = None) -> None:
    run(
        Recipe(
            name="twitter_url",
            summary="The Twitter News URL corpus -> pairs in TSV files.",
            source="folder or archive with {train,test}/{a.toks,b.toks,sim.txt}",
            convert=convert,
            count=partial(count_pairs, files=FILES),
            counts=COUNTS,
            downloads=DOWNLOADS,
        ),
        arguments,
    )


def convert(source: Path, out: Path) -> None:
    """Writes a TSV per part: a header, no quoting, a quote character is just a character."""
    rows: dict[str, list[list[str]]] = {part: [] for part in FILES}
    if prepared(source, FILES.values()):
        rows = {part: read_rows(source / name, binary=True) for part, name in FILES.items()}
    else:
        for part, pair in pairs(source):
            rows[part].append(pair)
    for part, name in FILES.items():
        write_pairs(out / name, rows[part])


def pairs(source: Path) -> Iterator[tuple[str, list[str]]]:
    """Each pair with its part. A headline's tweets do not always stand together."""
    ids: dict[str, str] = {}  # headlines are numbered as they appear, through train, then test
    tweets: Counter[tuple[str, str]] = Counter()  # and tweets within their headline
    for official, mark in (("train", "tr"), ("test", "te")):
        folder = needed(source, f"{official}/a.toks").parent
        for headline, tweet, label in read_columns(folder, COLUMNS):
            id_left = ids.setdefault(headline, f"H{len(ids)}")
            id_right = f"{id_left}-{mark}{tweets[id_left, mark]}"
            tweets[id_left, mark] += 1
            part = "dev" if official == "train" and held_out(headline) else official
            yield part, [id_left, headline, id_right, tweet, label]


def held_out(headline: str) -> bool:
    # No seed and no order in it: a headline's part depends on the headline alone.
    digest = hashlib.md5(headline.encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) % 10 == 0


if __name__ == "__main__":
    main()
