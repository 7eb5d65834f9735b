"""Outputs that exist or cannot be written, full disks, readers that have gone: nothing is lost."""

import os
import subprocess
import sys

import pytest
from rough_calls import GOOD, NAMES, everything, good, ir_attention, mistake

from ir_attention.bundle import Bundle
from ir_attention.errors import BundleError
from ir_attention.ranking import Ranker
from ir_attention.training import train

# --- where results go


def trains(path, out, *options):
    return ("train", path, "--model", "bm25", "--out", out, *options)


def test_an_output_that_exists_is_replaced_only_if_asked(write, tmp_path):
    pairs = write(GOOD)
    good(*trains(pairs, tmp_path / "ours"))
    write("years of work", "foreign/thesis.txt")
    before = everything(tmp_path)
    for out in ("ours", "foreign", "pairs.csv"):
        assert f"{out}: exists already. Choose another" in mistake(*trains(pairs, tmp_path / out))
        with pytest.raises(BundleError, match="exists already"):
            train(pairs, model="bm25", out=tmp_path / out, say=pytest.fail)
    for out in ("foreign", "pairs.csv"):
        line = mistake(*trains(pairs, tmp_path / out, "--overwrite"))
        assert f"{out}: not a bundle, so it is not overwritten. Found: " in line
    assert everything(tmp_path) == before
    good(*trains(pairs, tmp_path / "ours", "--overwrite", "--seed", 8))
    assert Bundle.load(tmp_path / "ours").settings["seed"] == 8


ODD = [" ", "-x", "--help", "nö/猫 🚀", "new\nline", "%s{}", "c:\\d", "~", "a/../b", "down/deep/"]


@pytest.mark.parametrize("name", [*ODD, "x" * 255])
def test_odd_names_of_an_output(write, tmp_path, monkeypatch, name):
    pairs = write(GOOD)
    (tmp_path / "here" / "a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    good(*trains(pairs, name))
    good(*trains(pairs, name, "--overwrite"))
    assert Ranker.load(name).bundle.model == "bm25"
    assert {path.name for path in (tmp_path / "here" / name).iterdir()} == NAMES
    assert not list(tmp_path.rglob(".*"))
    assert {path.name for path in tmp_path.iterdir()} == {"pairs.csv", "here"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *((name, "a bundle must have a folder of its own. Received: ") for name in ("", ".", "..")),
        ("file/models", "cannot be written (Not a directory)"),
        ("nowhere/models", "cannot be written (No such file or directory)"),
        ("x" * 256, "cannot be written (File name too long)"),
    ],
)
def test_outputs_that_cannot_be_made_are_refused_before_training(
    write, tmp_path, monkeypatch, name, message
):
    pairs = write(GOOD)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "file").write_text("")
    (tmp_path / "here" / "nowhere").symlink_to("nothing")
    monkeypatch.chdir(tmp_path / "here")
    before = everything(tmp_path)
    assert message in mistake(*trains(pairs, name))
    with pytest.raises(BundleError):
        train(pairs, model="bm25", out=name, say=pytest.fail)
    assert everything(tmp_path) == before


def outputs(write, words, han, folder):
    """Every command that writes, each to a file of its own in `folder`."""
    pairs = write(GOOD)
    return {
        "made": trains(pairs, folder / "made", "--overwrite"),
        "scored.csv": ("score", words, pairs, "-o", folder / "scored.csv"),
        "words.run": ("evaluate", words, pairs, "--run", folder / "words.run"),
        "look.html": ("explain", han, "flood", "a flood", "-o", folder / "look.html"),
    }


def last_line(*args):
    """Of what a command says that notices its mistake late."""
    result = ir_attention(*args)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert isinstance(result.exception, SystemExit)
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_what_was_there(write, words, han, tmp_path, monkeypatch, there):
    folder = tmp_path / "out"
    folder.mkdir()
    commands = outputs(write, words, han, folder)
    for args in commands.values() if there else ():
        good(*args)
    before = everything(tmp_path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for name, args in commands.items():
        line = last_line(*args)
        assert line.startswith(f"Error: {folder / name}: ") and "No space left on device" in line
    assert everything(tmp_path) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's full disk")
def test_a_device_that_is_full(write, words, tmp_path):
    pairs = write(GOOD)
    (tmp_path / "full.csv").symlink_to("/dev/full")
    line = mistake("score", words, pairs, "-o", tmp_path / "full.csv")
    assert line == f"Error: {tmp_path}/full.csv: No space left on device\n"
    for option in ("--version", "--help"):
        with open("/dev/full", "wb") as full:
            done = shell(option, stdout=full)
        assert (done.returncode, done.stderr) == (1, b"Error: No space left on device\n")


def test_a_folder_that_is_read_only(write, words, han, tmp_path, monkeypatch):
    """As root, for whom no folder is: the calls that would make something there refuse."""
    folder = tmp_path / "out"
    folder.mkdir()
    commands = outputs(write, words, han, folder)
    before, opened = everything(tmp_path), open

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(folder / "draft"))

    def opens(file, mode="r", *args, **options):
        return refuse() if "x" in mode else opened(file, mode, *args, **options)

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    monkeypatch.setattr("builtins.open", opens)
    for name, args in commands.items():
        line = last_line(*args)
        assert line.startswith(f"Error: {folder / name}: ") and "Permission denied" in line
    with pytest.raises(BundleError, match="cannot be written .Permission denied.. Choose a place"):
        train(tmp_path / "pairs.csv", model="bm25", out=folder / "made", say=pytest.fail)
    assert everything(tmp_path) == before


def test_a_folder_that_is_really_read_only(write, words, han, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    commands = outputs(write, words, han, folder)
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("root may write to every folder")
    try:
        for name, args in commands.items():
            line = mistake(*args)  # before any training
            assert line.startswith(f"Error: {folder / name}: ") and "Permission denied" in line
    finally:
        folder.chmod(0o755)
    assert not list(folder.iterdir())


def test_a_run_does_not_replace_the_pairs_it_was_made_of(write, words):
    pairs = write(GOOD)
    assert "which it would replace" in mistake("evaluate", words, pairs, "--run", pairs)
    assert pairs.read_text() == GOOD


# --- nobody reads it


def shell(*args, **options):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "ir_attention", *map(str, args)]
    return subprocess.run(command, **{"stderr": subprocess.PIPE, "timeout": 120} | options)


@pytest.fixture
def closed():
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_help_into_a_closed_pipe(closed):
    done = shell("--help", stdout=closed)
    assert (done.returncode, done.stderr) == (141, b"")


def test_talk_into_a_closed_pipe_ends_nothing(closed, han):
    """`train ... 2>&1 | head -1` would lose the training."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": closed}
    done = shell("rank", han, "flood", "--json", **options)
    assert (done.returncode, done.stdout) == (0, b"[]\n")
