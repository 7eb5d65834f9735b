"""The command line: a command opens files, makes one call of the Python API, and writes.

Data goes to stdout, talk to stderr. Heavy modules are imported inside the command that needs
them: `--help` has to be instant, and ranking does without Keras.
"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ir_attention.cli.deciding import threshold
from ir_attention.cli.demo import demo
from ir_attention.cli.faithfulness import faithfulness
from ir_attention.cli.measuring import compare, evaluate
from ir_attention.cli.ranking import explain, rank, score
from ir_attention.cli.talk import AsWritten, Commands
from ir_attention.cli.training import models, train

__all__ = ["app", "main"]

# Plain help without completion, markup or framed tracebacks: rich alone takes longer to import
# than the rest of the command line.
app = typer.Typer(
    cls=Commands,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (demo, train, evaluate, score, rank, explain, faithfulness, compare, threshold, models)
for command in _COMMANDS:
    app.command(cls=AsWritten)(command)


def main() -> None:
    """Runs the command that the shell was given."""
    # NumPy reads this when it is loaded. The products of ranking are small: threads would wait for
    # each other longer than they work, and ten times as long where others use the cores too.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    app(prog_name="ir-attention")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ir-attention {version('ir_attention')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show it and exit."),
    ] = False,
) -> None:
    """Train, evaluate and use models that rank documents for a query."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
