"""Help, versions, and that a mistake is one line."""

import os
import subprocess
import sys

import pytest
from cli_calls import COMMANDS, good, ir_attention, mistake, shell

from ir_attention.ranking import Ranker


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_and_an_example(name):
    assert f"\n    ir-attention {name}" in COMMANDS[name].help
    shown = good(name, "--help").stdout
    assert all(line.rstrip() in shown for line in COMMANDS[name].help.splitlines())
    assert max(map(len, shown.splitlines())) <= 80


def test_without_a_command_there_is_help():
    assert good().stdout == good("-h").stdout
    assert all(name in good().stdout for name in COMMANDS)


def test_help_and_the_list_of_models_load_nothing_heavy():
    code = (
        "import sys; from ir_attention.cli import app\n"
        "for args in (['--help'], ['rank', '--help'], ['models']):\n"
        "    try: app(args)\n"
        "    except SystemExit: pass\n"
        "sys.exit(' '.join({'numpy', 'pandas', 'rich', 'matchzoo', 'keras', 'tensorflow'}"
        " & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_module_is_the_command():
    from importlib.metadata import version

    assert shell("--version").stdout.decode().split() == ["ir-attention", version("ir_attention")]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["rnak"], "No such command 'rnak'"),
        (["--nope"], "No such option: --nope"),
        (["rank", "b", "q", "-k", "0"], "'-k' / '--top'"),
        (["rank", "b"], "Missing argument 'QUERY'. See `"),
        (["train", "p.csv"], "Missing option '--out'"),
        (["train", "p.csv", "--out", "b"], "p.csv: No such file"),
        (["train", "p.csv", "--out", "b", "--set", "loss"], "--set needs NAME=VALUE"),
        (["evaluate", "b", "p.csv", "--ties", "row"], "'expected', 'trec_eval'"),
        (["evaluate", "nowhere", "p.csv"], "nowhere: no such folder"),
        (["score", "nowhere", "p.csv"], "nowhere: no such folder"),
        (["score", "b", "p.csv", "-o", "o.xls"], "must end in .csv, .tsv, .jsonl, .parquet"),
        (["rank", "b", " ", "-"], "QUERY must be a text"),
        (["rank", "b", "\udcff", "-"], "QUERY is not UTF-8"),
        (["rank", "b", "q", "nowhere.txt"], "nowhere.txt: No such file"),
        (["explain", "b", "q", "d", "-o", "o.gif"], "must end in .html, .png, .json"),
        (["compare", "q.qrels", "a.run"], "q.qrels: No such file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(args, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in mistake(*args)
    assert not list(tmp_path.iterdir())


def test_another_exception_keeps_its_traceback(bundle, monkeypatch):
    monkeypatch.setattr(Ranker, "order", lambda *_: 1 / 0)
    assert isinstance(ir_attention("rank", bundle, "q", input="d\n").exception, ZeroDivisionError)


def test_an_interrupt_is_one_line(bundle, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Ranker, "order", interrupted)
    result = ir_attention("rank", bundle, "q", input="d\n")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's full disk")
def test_a_full_disk_is_one_line():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ir_attention", "models"], stdout=full, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (1, b"Error: stdout: No space left on device\n")
