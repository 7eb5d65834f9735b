"""The demo: six models on the shipped headlines, a table, a ranking, a page."""

import importlib
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
from typer.testing import CliRunner

from ir_attention.cli import app
from ir_attention.demo import MEASURES, Demo, demo
from ir_attention.errors import BundleError, DataError, IRAttentionError

# The room's face has a function of that name.
command = importlib.import_module("ir_attention.cli.demo")


def made(folder):
    cells = {name: (0.5, 0.4, 0.6) for name in MEASURES}
    ranked = pd.DataFrame({"position": [1], "document": ["It's out"], "score": [1.5], "label": [1]})
    return Demo(
        table=[{"model": "bm25", **cells}, {"model": "han", **cells}],
        queries=60,
        difference=(0.1, 0.05, 0.15),
        histories={},
        headline="Ivy League cancels",
        ranked=ranked,
        report=folder / "report.html",
    )


def test_the_command_prints_the_table_and_what_to_try(tmp_path, monkeypatch):
    def run(out, *, say, **options):
        assert options == {"seed": 3, "epochs": 2, "overwrite": True}
        for line in ("7 of 9 remarks on the data", "epoch 1 of 2: loss 1", "kept epoch 1: dev AP"):
            say("han", line)
        return made(out)

    monkeypatch.setattr("ir_attention.demo.demo", run)
    options = ["--out", str(tmp_path / "a b"), "--seed", "3", "--epochs", "2", "--overwrite"]
    result = CliRunner().invoke(app, ["demo", *options])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[3].split() == ["model", *MEASURES.values()]
    assert lines[4].split() == ["bm25", *["0.500"] * 5]
    assert lines[5].split() == ["0.400-0.600"] * 5
    assert "han - bm25 in MAP: +0.100, interval +0.050 to +0.150" in lines
    assert "  *   1.50  It's out" in lines
    assert max(map(len, lines[:10])) <= 80
    assert "han        kept epoch 1: dev AP" in result.stderr
    assert "remarks" not in result.stderr
    assert str((tmp_path / "a b" / "report.html").resolve()) in result.stderr
    assert f"explain '{tmp_path}/a b/han' 'Ivy League cancels' 'It'\"'\"'s out'" in result.stderr


def test_progress_grows_old_in_place_on_a_terminal(monkeypatch, capsys):
    progress = command._Progress()
    progress.live = True
    for model, line in (("dssm", "epoch 1"), ("dssm", "epoch 2"), ("han", "epoch 1 ")):
        progress.say(model, f"{line} of 9")
    progress.end()
    lines = capsys.readouterr().err.split("\n")
    assert [line.rsplit("\r")[-1] for line in lines] == [
        "dssm       epoch 2 of 9",
        "han        epoch 1  of 9",
        "",
    ]


@pytest.mark.parametrize(
    ("program", "found", "shown"),
    [
        ("/x/bin/ir-attention", "/x/bin/ir-attention", "ir-attention"),
        ("bin/ir-attention", None, "bin/ir-attention"),
        ("/x/__main__.py", None, "python -m ir_attention"),
    ],
)
def test_commands_are_shown_as_one_can_call_them(monkeypatch, program, found, shown):
    monkeypatch.setattr(sys, "argv", [program])
    monkeypatch.setattr(command, "shutil", SimpleNamespace(which=lambda name: found))
    assert command._command() == shown


@pytest.mark.parametrize("name", ["report.html", "tweets.txt", "han", "han-bi"])
def test_what_is_there_already_is_not_replaced_and_nothing_trained(tmp_path, monkeypatch, name):
    monkeypatch.setattr("ir_attention.training.fitting.train", None)
    there = tmp_path / name
    if name.startswith("han"):
        there.mkdir()
        there /= "note.txt"
    there.write_text("mine")
    with pytest.raises(IRAttentionError, match=r"(is there|exists) already.*overwrite"):
        demo(tmp_path)
    if name.startswith("han"):
        with pytest.raises(BundleError, match="not a bundle, so it is not overwritten"):
            demo(tmp_path, overwrite=True)
    assert there.read_text() == "mine"


def test_a_folder_where_the_page_should_go(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(DataError, match="is there already"):
        demo(tmp_path, overwrite=True)


def test_progress_ends_its_line_before_an_error(monkeypatch):
    def run(out, *, say, **options):
        say("han", "epoch 1 of 9")
        raise KeyboardInterrupt

    monkeypatch.setattr("ir_attention.demo.demo", run)
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-2:] == ["han        epoch 1 of 9", "Interrupted."]


@pytest.mark.slow
def test_the_demo_from_end_to_end(tmp_path):
    def run(*options):
        command = [sys.executable, "-m", "ir_attention", "demo", "--epochs", "1", *options]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    done = run()
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "ir-attention-demo"
    assert {path.name for path in folder.iterdir()} == {
        *("han", "han-bi", "report.html", "tweets.txt")
    }
    rows = [line.split()[0] for line in done.stdout.splitlines() if line[:1].isalpha()]
    assert rows[:7] == ["model", "bm25", "lexical", "dssm", "conv-knrm", "han-bi", "han"]
    # Nothing but what is meant for the user: a line per model, where the page is, what is next.
    said = [line for line in done.stderr.splitlines() if line]
    assert said[0].startswith("Training on 110") and "report.html" in said[7]
    assert len(said) == 15, done.stderr
    # Its advice can be followed as it stands.
    advice = [line.split("ir_attention ", 1)[1] for line in said if "-m ir_attention" in line]
    for line in advice[:2]:
        shell = f"{sys.executable} -m ir_attention {line}"
        assert subprocess.run(shell, shell=True, cwd=tmp_path, capture_output=True).returncode == 0
    assert (folder / "look.html").exists()
    again = run()
    assert (again.returncode, again.stdout) == (1, "")
    assert "exists already" in again.stderr
