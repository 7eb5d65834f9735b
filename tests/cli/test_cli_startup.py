"""Start-up: what is loaded before anything happens. Modules are counted, not seconds."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
before = set(sys.modules)
exec(sys.argv.pop(1))
print("\\n".join(sorted(set(sys.modules) - before)), file=sys.stderr)
"""

HELP = """
from ir_attention.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded(code, *args, stdin=""):
    """The modules that some code loads, and their packages outside the standard library."""
    command = [sys.executable, "-c", SCRIPT, code, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=120)
    assert done.returncode == 0, done.stderr
    names = done.stderr.split()
    return set(names), {name.partition(".")[0] for name in names} - sys.stdlib_module_names


def test_importing_the_package_loads_nothing_but_its_root():
    names, packages = loaded("import ir_attention")
    assert packages == {"ir_attention"}
    assert {name for name in names if name.startswith("ir_attention")} == {"ir_attention"}
    # No parser, no process, no thread: what the standard library has may be slow, too.
    assert not names & {"asyncio", "email", "importlib.metadata", "subprocess", "threading"}


@pytest.mark.parametrize("args", [["--help"], [], ["rank", "--help"], ["models"], ["--version"]])
def test_help_loads_the_command_line_alone(args):
    names, packages = loaded(HELP, *args)
    own = {name for name in names if name.startswith("ir_attention.")}
    allowed = {"ir_attention.errors", "ir_attention.files"}
    if args == ["models"]:
        allowed |= {f"ir_attention.{name}" for name in ("models", "models.recipes", "training")}
        allowed |= {"ir_attention.training.checking", "ir_attention.training.settings"}
    assert {name for name in own if not name.startswith("ir_attention.cli")} <= allowed
    heavy = {"rich", "pygments", "markdown_it", "numpy", "pandas", "pyarrow", "scipy", "sklearn"}
    assert not packages & (heavy | {"matplotlib", "sentencex", "tokenizers", "keras"})


def test_ranking_loads_what_it_needs(bundle):
    documents = "A flood, near Oslo. Wow!\nno 🚀\n"
    _, packages = loaded(HELP, "rank", bundle, "flood", "-k", "1", stdin=documents)
    heavy = {"rich", "pandas", "pyarrow", "scipy", "sklearn", "matplotlib", "tensorflow", "keras"}
    assert not packages & (heavy | {"matchzoo", "nltk", "ir_measures", "bm25s", "jax", "torch"})
    assert {"numpy", "safetensors", "Stemmer"} <= packages
