"""What recipes share: finding files, reading them, and the command line around it."""

import gzip
import hashlib
import itertools
import shutil
from functools import partial

import pytest

from ir_attention.data.downloads import Download
from ir_attention.data.preparing import (
    Recipe,
    count_pairs,
    find,
    needed,
    read_lines,
    read_rows,
    run,
    write_lines,
    write_pairs,
)
from ir_attention.errors import DataError

ROWS = [
    ["q1", "a b", "d1", 'say "c', "1"],
    ["q1", "a b", "d2", "d", "0"],
    ["q2", "e", "d1", 'say "c', "2"],
    ["q3", "f", "d3", "", "0"],
    ["q1", "a b", "d4", "g", "00"],
]


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_finds_what_lies_highest(tmp_path):
    touched(
        tmp_path, "a/b/x.tsv", "c/x.tsv", "c/y.tsv", "__MACOSX/y.tsv", ".hidden/y.tsv", "1/2/3/4/z"
    )
    assert find(tmp_path, "x.tsv") == tmp_path / "c" / "x.tsv"
    assert find(tmp_path, "b/x.tsv") == tmp_path / "a" / "b" / "x.tsv"
    assert find(tmp_path, "none", "y.tsv") == tmp_path / "c" / "y.tsv"
    assert find(tmp_path, "b") == tmp_path / "a" / "b"
    assert find(tmp_path, "z") is None  # deeper than is looked
    assert find(tmp_path / "c" / "x.tsv", "x.tsv") == tmp_path / "c" / "x.tsv"
    assert find(tmp_path / "c" / "x.tsv", "y.tsv") is None
    touched(tmp_path, "d/x.tsv")
    with pytest.raises(DataError, match=r"must hold one x.tsv; .* \['c/x.tsv', 'd/x.tsv'\]"):
        find(tmp_path, "x.tsv")
    with pytest.raises(DataError, match=r"must hold u or v. Received: \['b'\]"):
        needed(tmp_path / "a", "u", "v")


@pytest.mark.parametrize("name", ["lines.tsv", "lines.tsv.gz"])
def test_lines_there_and_back(name, tmp_path):
    lines = ["a\tb", "", "\u2028 c\x0b", "d\r"]
    write_lines(tmp_path / name, lines)
    assert read_lines(tmp_path / name) == lines
    once = (tmp_path / name).read_bytes()
    write_lines(tmp_path / name, lines)
    assert (tmp_path / name).read_bytes() == once


def test_lines_that_cannot_be_read(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfmark\nno end")
    assert read_lines(tmp_path / "a") == ["mark", "no end"]
    (tmp_path / "a").write_bytes(b"a\n\xff")
    with pytest.raises(DataError, match="a: must be UTF-8. Received: .*0xff"):
        read_lines(tmp_path / "a")
    for broken in (b"no gzip", gzip.compress(b"text" * 99)[:-9], gzip.compress(b"\xff")):
        (tmp_path / "a.gz").write_bytes(broken)
        with pytest.raises(DataError, match="a.gz: must be (a whole gzip file|UTF-8). Received"):
            read_lines(tmp_path / "a.gz")


def test_pairs_are_counted(tmp_path):
    write_pairs(tmp_path / "part.tsv.gz", ROWS)
    assert read_rows(tmp_path / "part.tsv.gz") == ROWS
    # By hand: only q1 has both; label 2 is positive, 00 is not.
    assert count_pairs(tmp_path, {"part": "part.tsv.gz"}) == {
        "part": {"pairs": 5, "queries": 3, "positives": 2, "mixed": 1, "mixed pairs": 3}
    }
    with pytest.raises(DataError, match="line 4: needs 5 columns, the last 0 or 1"):
        read_rows(tmp_path / "part.tsv.gz", binary=True)


@pytest.mark.parametrize(
    "row", ["q\ta\td\tb", "q\ta\td\tb\tx", "q\ta\td\tb\t-1", "q\ta\td\tb\t\u0663"]
)
def test_rows_that_are_none(row, tmp_path):
    write_pairs(tmp_path / "a.tsv", [*ROWS, row.split("\t")])
    with pytest.raises(DataError, match="a.tsv, line 7: needs 5 columns, the last a number"):
        read_rows(tmp_path / "a.tsv")


def recipe(**changes):
    def convert(source, out):
        write_pairs(out / "all.tsv", read_rows(needed(source, "pairs.tsv")))

    known = {
        "name": "tiny",
        "summary": "Tiny.",
        "source": "a folder",
        "convert": convert,
        "count": partial(count_pairs, files={"all": "all.tsv"}),
        "counts": {},
    }
    return Recipe(**{**known, **changes})


def test_nothing_known_about_the_counts(tmp_path, capsys):
    write_pairs(tmp_path / "pairs.tsv", ROWS)
    run(recipe(), [str(tmp_path / "pairs.tsv"), "--out", str(tmp_path / "deep" / "out")])
    assert capsys.readouterr().err == (
        "tiny: all: 5 pairs, 3 queries, 2 positives, 1 mixed, 3 mixed pairs\n"
        f"tiny: {tmp_path / 'deep' / 'out'} is made\n"
    )


def test_what_is_fetched_is_gone_afterwards(tmp_path, monkeypatch):
    """Of several files the folder is the source; and a failure leaves nothing at all."""
    downloads = [Download("https://example.org/pairs.tsv"), Download("https://example.org/b")]

    def fetched(download, folder):
        if broken and download is downloads[1]:
            raise DataError("https://example.org/b: cannot be fetched. Received: no answer.")
        write_pairs(folder / download.url.rsplit("/", 1)[1], ROWS)
        return folder / "b"

    monkeypatch.setattr("ir_attention.data.preparing.fetch", fetched)
    arguments = ["--download", "--out", str(tmp_path / "data" / "out")]
    broken = True
    with pytest.raises(SystemExit, match="^tiny: https://example.org/b: cannot be fetched"):
        run(recipe(downloads=downloads), arguments)
    assert list((tmp_path / "data").iterdir()) == []
    broken = False
    run(recipe(downloads=downloads), arguments)
    assert [path.name for path in (tmp_path / "data").rglob("*")] == ["out", "all.tsv"]


def test_an_archive_too_large_for_the_data_set(tmp_path):
    write_pairs(touched(tmp_path / "source", "x") / "pairs.tsv", ROWS)
    packed = shutil.make_archive(tmp_path / "packed", "zip", tmp_path / "source")
    with pytest.raises(SystemExit, match="^tiny: .*holds more than the data set has"):
        run(recipe(limit=9), [packed, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit, match="^tiny: .*must hold pairs.tsv. Received: .'x'"):
        run(recipe(wanted="^x$"), [packed, "--out", str(tmp_path / "out")])


def test_a_copy_that_is_not_the_official_one_is_said(tmp_path, capsys):
    content = b"words\n"
    sums = {kind: hashlib.new(kind, content).hexdigest() for kind in ("md5", "sha256")}
    outs = itertools.count()
    (tmp_path / "words.txt").write_bytes(content)

    def made(name, **stated):
        recipe = Recipe(
            name="words",
            summary="",
            source="",
            convert=lambda source, out: (out / "made").write_bytes(source.read_bytes()),
            count=lambda folder: {},
            counts={},
            downloads=[Download("https://example.org/x/words.txt", **stated)],
        )
        run(recipe, [str(tmp_path / name), "--out", str(tmp_path / f"out-{next(outs)}")])
        return capsys.readouterr().err

    for kind, right in sums.items():
        said = made("words.txt", checksum=f"{kind}:{right}")
        assert said.startswith(f"words: {tmp_path / 'words.txt'} is the official file, by its chec")
        said = made("words.txt", checksum=f"{kind}:{right[::-1]}")
        assert f"is not the official file: its {kind} is {right}, and that of https://" in said
        assert said.splitlines()[-1].endswith(" is made")  # it is said, and used
    assert "it has 6 bytes, and https://example.org/x/words.txt has 7" in made("words.txt", size=7)
    assert "official" not in made("words.txt")  # nothing is stated
    (tmp_path / "mine.txt").write_bytes(b"other")
    assert "official" not in made("mine.txt", checksum=f"md5:{sums['md5']}")
