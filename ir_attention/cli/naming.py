"""Errors of the Python interface in the words of the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from ir_attention.errors import DataError

__all__ = ["named"]


@contextlib.contextmanager
def named(options: Mapping[str, str]) -> Iterator[None]:
    """Within it, an error about an argument names the option that was typed.

    Args:
        options: What is typed, by the name of the argument with which a message begins.
    """
    try:
        yield
    except DataError as error:
        argument, colon, rest = str(error).partition(":")
        if colon and argument in options:
            raise DataError(f"{options[argument]}:{rest}") from error
        raise
