"""The script that runs MatchZoo's own tests: what it makes of their outcome."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "pipelines" / "matchzoo_suite.py"
REFUSED = "test_models::test_save_load_model[task0-DIIN]"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("matchzoo_suite", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_counts_and_the_reasons(script, tmp_path):
    (tmp_path / "report.xml").write_text(
        """<testsuites><testsuite>
        <testcase classname="tests.test_a" name="test_one"/>
        <testcase classname="tests.test_a" name="test_two"><skipped message="not here"/></testcase>
        <testcase classname="tests.test_a" name="test_three">
          <failure message="assert 1 == 2&#10;more">a trace</failure></testcase>
        <testcase classname="test_models" name="test_save_load_model[task0-DIIN]">
          <error message="failed on setup: NotImplementedError: refused"/></testcase>
        <testcase classname="tests.test_a" name="test_four"/>
        <testcase classname="tests.test_a" name="test_four"><error message="at its end"/></testcase>
        </testsuite></testsuites>"""
    )
    found = script.outcomes(tmp_path / "report.xml")
    assert script.failures(found) == [
        *("tests.test_a::test_three", REFUSED, "tests.test_a::test_four")
    ]
    assert script.told(found) == [
        "1 of 5 tests pass (1 passed, 1 failed, 2 errors, 1 skipped).",
        *("", "2: NOT KNOWN", "    tests.test_a::test_three: assert 1 == 2"),
        *("    tests.test_a::test_four: at its end", "", "1: a model that is refused"),
        f"    {REFUSED}: failed on setup: NotImplementedError: refused",
    ]


def test_a_known_failure_for_another_reason_is_not_known(script):
    assert script.reason_of(REFUSED, "NotImplementedError: refused") == "a model that is refused"
    assert script.reason_of(REFUSED, "ValueError: shapes") is None
    assert script.reason_of(REFUSED.replace("DIIN", "DSSM"), "NotImplementedError: x") is None


def test_the_docs_have_what_is_known():
    docs = (SCRIPT.parents[1] / "docs" / "matchzoo.md").read_text()
    assert "python pipelines/matchzoo_suite.py MatchZoo" in docs
    for name in (
        "`MatchSRNN`, `MatchLSTM`, `BiMPM`, `DIIN`",
        "`test_datasets`",
        "`test_lemma_unit`",
    ):
        assert name in docs
    assert "`test_make_keras_optimizer_picklable`" in docs


def test_a_folder_that_is_no_checkout(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path)])
    assert script.main() == 2
    assert capsys.readouterr().err == f"Error: {tmp_path}: must have a folder matchzoo\n"


@pytest.mark.slow
def test_the_package_of_the_checkout_is_the_one_that_is_mended(tmp_path):
    """A copy of what pip installed with a mark in it, and tests that look for the mark."""
    here = Path(importlib.util.find_spec("matchzoo").origin).parent  # as it is, not mended
    for path in here.rglob("*.py"):
        copy = tmp_path / "matchzoo" / path.relative_to(here)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    with open(tmp_path / "matchzoo" / "version.py", "a") as file:
        file.write("MARK = 7\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(
        "import os\nimport keras\nimport matchzoo\nfrom matchzoo import version\n"
        "def test_mark(): assert version.MARK == 7\n"
        "def test_mended(): matchzoo.models.Naive\n"
        "def test_writes(): open('left', 'w').close()\n"
        "def test_wrong(): assert False, 'so it is'\n"
    )
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, timeout=300
    )
    assert done.stdout.splitlines()[0] == (
        "3 of 4 tests pass (3 passed, 1 failed, 0 errors, 0 skipped)."
    ), done.stderr
    assert "1: NOT KNOWN" in done.stdout and "so it is" in done.stdout
    assert done.returncode == 1
    assert sorted(tmp_path.rglob("*")) == before
