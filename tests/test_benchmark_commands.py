"""What stands in results of the commands that made them."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ir_attention.benchmark import single
from ir_attention.benchmark.commands import one_command, shown_path, typed
from ir_attention.benchmark.plan import MEASURES

ROOT = Path(__file__).parents[1]


def test_a_command_has_no_place_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = ["--data", str(tmp_path / "a"), "--out", "b"]
    assert typed(words) == "python pipelines/benchmark.py --data a --out b"
    words = shlex.split(typed([f"--out={tmp_path}/b c", "--data=/", "--models", "bm25"]))
    assert words[2] == "--out=b c" and words[4:] == ["--models", "bm25"]
    assert words[3] == "--data=."
    line = typed(["--out", os.fsdecode("bü".encode()), "\udcff"])
    assert line.endswith(" --out 'bü' '\ufffd'")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("results/wikiqa", "results/wikiqa"),
        ("../data/wikiqa", "../data/wikiqa"),  # as it was typed
        (str(ROOT / "results" / "wikiqa"), "results/wikiqa"),  # from any folder
        ("/somebody/else/checkout/results/wikiqa", "results/wikiqa"),
        ("/data", "data"),
        ("han,bm25", "han,bm25"),
    ],
)
def test_a_path_of_elsewhere_keeps_its_end(monkeypatch, tmp_path, path, shown):
    monkeypatch.chdir(tmp_path)
    assert shown_path(path) == shown


def fact(row, seed=7, budget=150.0, command="", vectors=None):
    key = {"budget": budget}
    model = row.split(":")[0]
    return {
        **{"row": row, "model": model, "seed": seed, "key": key, "vectors": vectors},
        "command": f"python pipelines/benchmark.py --data d {command}",
    }


def test_one_command_for_all():
    facts = [
        fact("knrm", 7, 450.0),
        fact("han", 8, command="--vectors v --jobs 2", vectors="v"),
        fact("minilm", budget=None, command="--vectors v --minilm m", vectors="m"),
        fact("han:no-matches", 7, 450.0),
        fact("dssm"),
    ]
    assert one_command(facts, MEASURES, "o", "bm25").split()[2:] == [
        *("--data", "d", "--models", "han,han:no-matches,minilm,dssm,knrm", "--seeds", "2"),
        *("--budget", "150,han:no-matches=450,knrm=450", "--vectors", "v", "--minilm", "m"),
        *("--against", "bm25", "--out", "o"),
    ]
    assert "--budget" not in one_command([fact("bm25", budget=None)], MEASURES, "o")
    some = [fact("han", budget=None), fact("knrm", budget=3.0), fact("dssm", budget=3.0)]
    assert "--budget dssm=3,knrm=3 " in one_command(some, MEASURES, "o")


@pytest.mark.parametrize(
    ("changes", "measures"),
    [
        ({}, ["AP"]),
        ({"row": "wide"}, MEASURES),
        ({"command": "python x --data d --config own.toml"}, MEASURES),
        ({"command": "python x --data 'd"}, MEASURES),
        ({"command": "python x"}, MEASURES),
    ],
)
def test_there_is_no_such_command_where_a_file_says_more(changes, measures):
    assert one_command([fact("bm25"), {**fact("han"), **changes}], MEASURES, "o") or changes
    assert one_command([{**fact("han"), **changes}], measures, "o") == ""


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
def test_the_commit_is_that_of_the_package(monkeypatch, tmp_path):
    package = tmp_path / "ir_attention"
    (package / "benchmark").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setattr(single, "__file__", str(package / "benchmark" / "single.py"))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def git(*words):
        me = ("-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *me, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    (tmp_path / "README.md").touch()
    git("add", "README.md")
    git("commit", "--quiet", "-m", "something else's, in whose folder the package is installed")
    assert single._commit() is None
    git("add", ".")
    git("commit", "--quiet", "-m", "the package's")
    commit = git("rev-parse", "HEAD")[:12]
    (tmp_path / "README.md").write_text("changed")
    assert single._commit() == commit
    (package / "__init__.py").write_text("changed")
    assert single._commit() == f"{commit}+"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert single._commit() is None


def test_the_script_ends_with_the_one_that_began_it():
    """The process between this one and the script's is gone at once, as after `kill -9`."""
    inner = (
        "import runpy, threading, sys, time; "
        f"script = runpy.run_path({str(ROOT / 'pipelines' / 'benchmark.py')!r}); "
        "threading.Thread(target=script['end_with'], args=[int(sys.argv[1])]).start(); "
        "time.sleep(600)"
    )
    outer = (
        "import os, subprocess, sys; "
        f"subprocess.Popen([sys.executable, '-c', {inner!r}, str(os.getpid())])"
    )
    # This waits for whoever holds the pipe, and fails when the time is up.
    subprocess.run([sys.executable, "-c", outer], stdout=subprocess.PIPE, timeout=60, check=True)
