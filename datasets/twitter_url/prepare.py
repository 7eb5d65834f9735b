"""The Twitter News URL corpus -> data/twitter_url/{train.tsv.gz,dev.tsv,test.tsv}.

    python datasets/twitter_url/prepare.py SOURCE_FOLDER [--out data/twitter_url]

SOURCE_FOLDER holds train/ and test/, each with a.toks (a headline a line), b.toks (the tweet to
it) and sim.txt (0 or 1); see README.md for where it comes from. A tenth of the official train
part's headlines become dev, chosen by their MD5. The folder is written whole or not at all, and
only with the counts of README.md.
"""

import argparse
import gzip
import hashlib
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

COUNTS = {  # as in README.md
    "train": {"pairs": 38345, "queries": 3228, "positives": 10105},
    "dev": {"pairs": 3855, "queries": 325, "positives": 1062},
    "test": {"pairs": 9324, "queries": 769, "positives": 1820},
}
FILES = {"train": "train.tsv.gz", "dev": "dev.tsv", "test": "test.tsv"}
COLUMNS = ["id_left", "text_left", "id_right", "text_right", "label"]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="The Twitter News URL corpus -> TSV files.")
    parser.add_argument(
        "source", type=Path, help="folder with {train,test}/{a.toks,b.toks,sim.txt}"
    )
    parser.add_argument("--out", type=Path, default=Path("data/twitter_url"), help="folder to make")
    chosen = parser.parse_args(arguments)
    try:
        prepare(chosen.source, chosen.out)
    except (OSError, ValueError) as error:
        sys.exit(f"twitter_url: {error}")
    sys.stderr.write(f"twitter_url: {chosen.out} is made, with the counts of README.md\n")


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
    lines = {part: ["\t".join(COLUMNS)] for part in FILES}
    for part, pair in pairs(source):
        lines[part].append("\t".join(pair))
    for part, name in FILES.items():
        content = ("\n".join(lines[part]) + "\n").encode()
        # Without the time of packing, the same pairs give the same bytes.
        packed = gzip.compress(content, mtime=0) if name.endswith(".gz") else content
        (out / name).write_bytes(packed)


def pairs(source: Path) -> Iterator[tuple[str, list[str]]]:
    """Each pair with its part. A headline's tweets do not always stand together."""
    ids: dict[str, str] = {}  # headlines are numbered as they appear, through train, then test
    tweets: Counter[tuple[str, str]] = Counter()  # and tweets within their headline
    for official, mark in (("train", "tr"), ("test", "te")):
        folder = source / official
        columns = [read_lines(folder / name) for name in ("a.toks", "b.toks", "sim.txt")]
        sizes = [len(column) for column in columns]
        if len(set(sizes)) > 1:
            raise ValueError(f"{folder}: the files must have as many lines. Received: {sizes}")
        for number, (headline, tweet, label) in enumerate(zip(*columns, strict=True), start=1):
            if label not in ("0", "1"):
                raise ValueError(f"{folder / 'sim.txt'}, line {number}: not 0 or 1: {label!r}")
            id_left = ids.setdefault(headline, f"H{len(ids)}")
            id_right = f"{id_left}-{mark}{tweets[id_left, mark]}"
            tweets[id_left, mark] += 1
            part = "dev" if official == "train" and held_out(headline) else official
            yield part, [id_left, headline, id_right, tweet, label]


def held_out(headline: str) -> bool:
    # No seed and no order in it: a headline's part depends on the headline alone.
    digest = hashlib.md5(headline.encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) % 10 == 0


def count(folder: Path) -> dict[str, dict[str, int]]:
    """Pairs, distinct headlines and pairs labelled 1 of each part, from the files themselves."""
    counts = {}
    for part, name in FILES.items():
        content = (folder / name).read_bytes()
        content = gzip.decompress(content) if name.endswith(".gz") else content
        rows = [line.split("\t") for line in content.decode().split("\n")[1:-1]]
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


def read_lines(path: Path) -> list[str]:
    # Only "\n" ends a line: tweets may hold other characters that Python takes for line ends.
    try:
        lines = path.read_bytes().decode("utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error}") from None
    return [" ".join(line.split()) for line in lines]


if __name__ == "__main__":
    main()
