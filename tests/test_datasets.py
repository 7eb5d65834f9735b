"""What holds for every script of `datasets/`, on made-up sources in the official layouts."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from dataset_sources import DATASETS, NAMES, QUORA_HEADER, SOURCES, TINY, WIKIQA_HEADER, load, write

REAL = Path(os.environ.get("IR_ATTENTION_DATA", DATASETS.parent / "data"))
EVERY = [*NAMES, "beir"]


@pytest.fixture
def small(monkeypatch):
    """The script with the counts of the made-up source."""

    def of(name):
        script = load(name)
        monkeypatch.setattr(script, "COUNTS", TINY[name])
        return script

    return of


def read(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_made_whole_and_the_same_twice(name, small, tmp_path, capsys):
    script = small(name)
    source = SOURCES[name](tmp_path / "source")
    made = []
    for out, how in (("first", [str(source)]), ("second", ["--from", str(source)])):
        script.main([*how, "--out", str(tmp_path / "data" / out)])
        made.append(read(tmp_path / "data" / out))
    assert made[0] == made[1]
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["first", "second"]
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert printed.out == "" and all(line.startswith(f"{name}: ") for line in lines)
    assert (
        lines[-1] == f"{name}: {tmp_path / 'data' / 'second'} is made, with the counts of README.md"
    )

    with pytest.raises(SystemExit, match="is there already; move it away"):
        script.main([str(source), "--out", str(tmp_path / "data" / "second")])


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_was_made_comes_out_as_it_is(name, small, tmp_path):
    script = small(name)
    script.main([str(SOURCES[name](tmp_path / "source")), "--out", str(tmp_path / "first")])
    (tmp_path / "first" / "ORIGIN.md").write_text("where it is from")
    script.main(["--from", str(tmp_path / "first"), "--out", str(tmp_path / "second")])
    (tmp_path / "first" / "ORIGIN.md").unlink()
    assert read(tmp_path / "first") == read(tmp_path / "second")


@pytest.mark.parametrize("kind", ["zip", "gztar", "bztar"])
@pytest.mark.parametrize("name", NAMES)
def test_archives(name, kind, small, tmp_path):
    script = small(name)
    SOURCES[name](tmp_path / "source" / "inside")
    packed = shutil.make_archive(tmp_path / "packed", kind, tmp_path / "source")
    script.main([packed, "--out", str(tmp_path / "out")])
    script.main([str(tmp_path / "source"), "--out", str(tmp_path / "again")])
    assert read(tmp_path / "out") == read(tmp_path / "again")


@pytest.mark.parametrize("name", NAMES)
def test_a_download_is_put_in_the_place_of_a_source(name, small, tmp_path, monkeypatch):
    """Nothing is fetched here: files of the right names appear where they would be put."""
    script = small(name)
    source = SOURCES[name](tmp_path / "source")
    asked = []

    def fetched(download, folder):
        asked.append(download.url)
        end = download.name or download.url.rsplit("/", 1)[1]
        if (source / end).exists():
            (folder / end).parent.mkdir(parents=True, exist_ok=True)
            return shutil.copy(source / end, folder / end) and folder / end
        with zipfile.ZipFile(folder / end, "w") as packed:
            for path in source.rglob("*.*"):
                packed.write(path, path.relative_to(source))
            for path in source.glob("cranqrel"):
                packed.write(path, path.name)
        return folder / end

    monkeypatch.setattr("ir_attention.data.preparing.fetch", fetched)
    script.main(["--download", "--out", str(tmp_path / "out")])
    script.main([str(source), "--out", str(tmp_path / "again")])
    assert read(tmp_path / "out") == read(tmp_path / "again")
    assert asked == [download.url for download in script.DOWNLOADS]
    assert all(url.startswith("https://") for url in asked)


@pytest.mark.parametrize("name", NAMES)
def test_checksums_are_whole_and_have_a_source(name):
    readme = " ".join((DATASETS / name / "README.md").read_text().split())
    for download in load(name).DOWNLOADS:
        kind, _, digits = download.checksum.partition(":")
        assert (kind, len(digits)) in {("", 0), ("md5", 32), ("sha256", 64)}
        assert int(digits or "0", 16) >= 0
        assert digits in readme
        assert "No checksum is stated" in readme or digits


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("cranfield", "cranfield: all has 4 documents instead of 1400; all has 2 queries instead"),
        ("imdb", "imdb: train has 3 reviews instead of 25000; train has 1 positives instead of "),
        ("med", "med: all has 2 documents instead of 1033; all has 2 queries instead of 30; "),
        (
            "quora",
            "quora: all has 4 pairs instead of 404290; all has 2 positives instead of 149263",
        ),
        ("trecqa", "trecqa: train has 2 pairs instead of 53417; dev has 3 pairs instead of 1148; "),
        ("twitter_url", "twitter_url: train has 3 pairs instead of 38345; train has 2 queries "),
        ("wikiqa", "wikiqa: train has 3 pairs instead of 20360; train has 2 queries "),
    ],
)
def test_wrong_counts_leave_nothing(name, line, tmp_path, capsys):
    source = SOURCES[name](tmp_path / "source")
    with pytest.raises(SystemExit) as stopped:
        load(name).main([str(source), "--out", str(tmp_path / "data" / name)])
    assert stopped.value.code.startswith(line)
    assert "Is the source complete and unchanged?" in stopped.value.code
    assert "\n" not in stopped.value.code
    assert list((tmp_path / "data").iterdir()) == []

    load(name).main([str(source), "--any-counts", "--out", str(tmp_path / "data" / name)])
    assert f"is made, though {line.split(': ', 1)[1][:30]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("wikiqa", "WikiQA-dev.tsv", "Question\n", "line 1: must name"),
        ("wikiqa", "WikiQA-dev.tsv", WIKIQA_HEADER + "Q2\ta\n", "line 2: needs 7 columns"),
        ("wikiqa", "WikiQA-dev.tsv", WIKIQA_HEADER + "Q\ta\tD\tB\tD-0\tc\t2\n", "line 2: needs 7"),
        ("twitter_url", "test/sim.txt", "0\n", r"as many lines\. Received: \[2, 2, 1\]"),
        ("twitter_url", "test/sim.txt", "0\nno\n", "line 2: must be 0 or 1. Received: 'no'"),
        ("cranfield", "cran.qry", "what\n", r"line 1: must begin with \.I"),
        ("cranfield", "cranqrel", "1 2 7\n", "must be query, document, code"),
        ("cranfield", "cranqrel", "1 9 1\n", "line 2: every id must be in"),
        ("med", "MED.ALL", "\nwhat\n", r"line 2: must begin with \.I"),
        ("med", "MED.ALL", ".I 1\n.W\na\n.I 1\n.W\nb\n", "line 2: must be an object with an _id"),
        ("med", "MED.REL", "1 2\n", "must be query, "),
        ("trecqa", "data/DEV.xml", "<QApairs id='1'>\n<positive>\na\n", "needs a <question> first"),
        ("quora", "quora_duplicate_questions.tsv", "id\tqid1\n", "line 1: must name"),
        ("quora", "quora_duplicate_questions.tsv", QUORA_HEADER + "0\t1\t2\ta\tb\n", "needs 6"),
        ("quora", "quora_duplicate_questions.tsv", QUORA_HEADER + '0\t1\t2\t"a\tb\t1\n', "line 2"),
        ("imdb", "test/pos/9.txt", "No rating.", "must be named ID_RATING.txt"),
        ("imdb", "test/pos/9_11.txt", "Odd rating.", "must be named ID_RATING.txt"),
    ],
)
def test_foreign_files_are_one_line(name, file, content, message, small, tmp_path):
    source = write(SOURCES[name](tmp_path / "source"), {file: content})
    with pytest.raises(SystemExit, match=message) as stopped:
        small(name).main([str(source), "--out", str(tmp_path / "data")])
    assert "\n" not in stopped.value.code
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_utf8_is_named(name, small, tmp_path):
    source = SOURCES[name](tmp_path / "source")
    broken = max((path for path in source.rglob("*.*") if "unsup" not in path.parts), key=str)
    if name == "imdb":
        broken = source / "train/pos/0_9.txt"
    broken.write_bytes(broken.read_bytes() + b"\xff\xfe")
    with pytest.raises(SystemExit, match=f"{broken.name}: must be UTF-8. Received"):
        small(name).main([str(source), "--out", str(tmp_path / "data")])
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_one_line(name, tmp_path):
    with pytest.raises(SystemExit, match=f"^{name}: .*No such file") as stopped:
        load(name).main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "data")])
    assert "\n" not in stopped.value.code
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match=rf"^{name}: .*: must hold .*\. Received: \[\]"):
        load(name).main([str(tmp_path / "empty"), "--out", str(tmp_path / "data")])
    for arguments in ([], ["--download", str(tmp_path)], [str(tmp_path), "--from", str(tmp_path)]):
        with pytest.raises(SystemExit, match="name one source"):
            load(name).main([*arguments, "--out", str(tmp_path / "data")])


def readme_counts(name):
    """The counts table of the readme, as the scripts have it; a dash is not checked."""
    lines = (DATASETS / name / "README.md").read_text().splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    header, _, *rows = table
    return {
        part: {key: int(cell) for key, cell in zip(header[1:], cells, strict=True) if cell != "-"}
        for part, *cells in rows
    }


@pytest.mark.parametrize("name", EVERY)
def test_readme_states_the_counts(name):
    assert readme_counts(name) == load(name).COUNTS


# Its 50,000 reviews take two seconds to count, the others together half of one.
LARGE = {"imdb"}
READ = [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in NAMES]


@pytest.mark.parametrize("name", READ)
def test_prepared_data_has_the_counts(name):
    folder = REAL / name
    if not folder.exists():
        pytest.skip(f"no {name} in the data folder (set IR_ATTENTION_DATA)")
    found = counter(load(name))(folder)
    for part, expected in readme_counts(name).items():
        assert expected.items() <= found[part].items()


def counter(script):
    """What the script counts with."""
    if hasattr(script, "count"):
        return script.count
    if hasattr(script, "count_collection"):
        return script.count_collection
    return lambda folder: script.count_pairs(folder, script.FILES)


def test_the_folder_is_no_package():
    # `datasets/__init__.py` would be found in place of Hugging Face's package of that name.
    assert list(DATASETS.rglob("__init__.py")) == []
