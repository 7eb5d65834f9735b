"""Calls of the command line, and files for it."""

import subprocess
import sys

import typer
from typer.testing import CliRunner

from ir_attention.cli import app

COMMANDS = typer.main.get_command(app).commands


def ir_attention(*args, **options):
    return CliRunner().invoke(app, [str(arg) for arg in args], **options)


def good(*args, **options):
    result = ir_attention(*args, **options)
    assert result.exit_code == 0, result.output
    return result


def mistake(*args, **options):
    """The one line that a mistake is answered with."""
    result = ir_attention(*args, **options)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def shell(*args, **options):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "ir_attention", *map(str, args)]
    return subprocess.run(command, capture_output=True, timeout=120, **options)


def written(frame, path):
    """The frame in the format of the path."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, lineterminator="\r\n")
    return path
