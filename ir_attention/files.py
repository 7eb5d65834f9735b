"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ir_attention.errors import DataError

__all__ = ["check_place", "write_whole"]


def check_place(path: str | Path) -> None:
    """Raises a DataError if a file cannot be there: before what it will hold is worked out."""
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path}: must name a file, but is a folder")
    if not path.absolute().parent.is_dir():
        raise _no_folder(path)


def write_whole(path: str | Path, data: bytes) -> None:
    """Writes beside the place, and moves there what is complete and on the disk.

    A file of that name is replaced; a link stays a link, and a pipe or a device what it is.

    Raises:
        DataError: The folder does not exist, or there is a folder of that name.
        OSError: The disk is full, or the folder may not be written to; it names the path. Nothing
            is left behind.
    """
    path = Path(path)
    check_place(path)
    try:
        _write(path, data)
    except FileNotFoundError as error:
        raise _no_folder(path) from error
    except OSError as error:
        if error.errno is None:
            raise
        # A full disk names no file, and the draft's name says nothing to whoever reads this.
        raise OSError(error.errno, error.strerror, str(path)) from error


def _no_folder(path: Path) -> DataError:
    return DataError(f"{path}: its folder does not exist; make it first")


def _write(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))
    # Not `tempfile`: its files can be read by their owner alone. Short: a name may be as long as
    # names can be.
    draft = target.with_name(f".ir-attention-{secrets.token_hex(4)}")
    try:
        with open(draft, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
