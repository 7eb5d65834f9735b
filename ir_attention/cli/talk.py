"""What the command line says: data, talk, help as it is written, a mistake in one line."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from ir_attention.errors import IRAttentionError

__all__ = ["AsWritten", "Commands", "put", "talk"]

# What a wrong command line raises. Its module has another name in each version of typer.
_Misuse: Any = typer.BadParameter.__bases__[0]


def put(data: str | bytes) -> None:
    """Writes data to stdout as it is, text as UTF-8 whatever the terminal's encoding."""
    if sys.stdout is None:  # closed by the shell
        return
    left = memoryview(data.encode() if isinstance(data, str) else data)
    try:
        while left:
            # Unbuffered (PYTHONUNBUFFERED), a write may take a part, and leave the error to the
            # next.
            left = left[sys.stdout.buffer.write(left) or 0 :]
        sys.stdout.flush()
    except OSError as error:
        raise OSError(error.errno, error.strerror, "stdout") from error


def talk(line: str) -> None:
    """Writes a line to stderr. That nobody is there to read it does not end a training."""
    try:
        typer.echo(line, err=True)
    except OSError:
        _drop(sys.stderr)


class AsWritten(TyperCommand):
    """A command whose help is its docstring, line by line."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [
            piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)
        ]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        lines = (self.help or "").splitlines()
        formatter.write("\n" + "".join(f"  {line}".rstrip() + "\n" for line in lines))


class Commands(TyperGroup):
    """The commands. Whatever a user can put right ends one with a line on stderr and exit code 1.

    Any other exception is a mistake of this package, and keeps its traceback.
    """

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _in_one_line():  # `--help` and `--version` write here already
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _in_one_line():
            return super().invoke(ctx)

    def main(self, *args: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False  # typer would write several lines, and end with 2
        try:
            code = super().main(*args, **extra)
        except _Misuse as error:
            see = f" See `{error.ctx.command_path} --help`." if error.ctx else ""
            message = _in_a_line(error.format_message()).removesuffix(".")
            talk(f"Error: {message}.{see}")
            code = 1
        sys.exit(code or 0)


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except IRAttentionError as error:
        _fail(str(error))
    except BrokenPipeError:  # `| head`: the reader has seen enough
        _drop(sys.stdout)
        raise typer.Exit(128 + 13) from None
    except OSError as error:
        if error.strerror is None:
            raise
        _drop(sys.stdout)  # if the disk under it is full, Python would try, and fail, once more
        _fail(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    except KeyboardInterrupt:
        talk("Interrupted.")
        raise typer.Exit(128 + 2) from None


def _fail(message: str) -> NoReturn:
    talk(f"Error: {_in_a_line(message)}")
    raise typer.Exit(1)


def _in_a_line(message: str) -> str:
    return re.sub(r"\s*[\r\n]+\s*", " ", message.strip())


def _drop(stream: Any) -> None:
    """Leaves nothing for Python to write when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # no descriptor: a test's, None
        descriptor = stream.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
