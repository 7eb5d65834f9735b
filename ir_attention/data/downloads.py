"""Archives of data sets: fetched over HTTPS when asked for, checked, and unpacked with care."""

from __future__ import annotations

import hashlib
import lzma
import re
import shutil
import stat
import tarfile
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import urlsplit

from ir_attention.data.files import shown
from ir_attention.errors import DataError

__all__ = ["Download", "fetch", "is_archive", "odd_copy", "unpack"]


@dataclass(frozen=True)
class Download:
    """A file to fetch.

    Args:
        url: Where it lies; HTTPS.
        checksum: `"md5:..."` or `"sha256:..."` in hexadecimal digits, as a public source states it;
            empty where none does.
        size: Its length in bytes, where a public source states that.
        limit: Bytes beyond which fetching stops, where the length is not known.
        name: Its path below the folder it is fetched into; the end of the address if not given.
    """

    url: str
    checksum: str = ""
    size: int | None = None
    limit: int = 1 << 30
    name: str = ""

    @property
    def file(self) -> str:
        """Its path below the folder that it is fetched into."""
        return self.name or PurePosixPath(urlsplit(self.url).path).name


def fetch(download: Download, folder: Path, *, timeout: float = 60.0) -> Path:
    """Fetches a file whole or not at all.

    Args:
        download: The file.
        folder: Where it is put; it must exist.
        timeout: Seconds without an answer, or without a byte, until this is given up.

    Returns:
        The file's path.

    Raises:
        DataError: The address, or one that it leads on to, is not HTTPS; the file cannot be had; it
            is longer than it may be, cut short, or not the one of the checksum.
    """
    target = folder / download.file
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.part")
    _check_scheme(download.url)
    request = urllib.request.Request(download.url, headers={"User-Agent": "ir-attention"})
    try:
        with (
            urllib.request.build_opener(_Redirects).open(request, timeout=timeout) as answer,
            open(draft, "wb") as file,
        ):
            _receive(answer, file, download)
        draft.rename(target)
    except DataError:
        raise
    except (OSError, HTTPException) as error:
        raise DataError(
            f"{download.url}: cannot be fetched; fetch it another way and name your copy. "
            f"Received: {str(error) or type(error).__name__}."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def odd_copy(download: Download, path: Path) -> str:
    """How a local copy of a download differs from what is stated of it; empty if it does not."""
    size = path.stat().st_size
    if download.size is not None and size != download.size:
        return f"it has {size} bytes, and {download.url} has {download.size}"
    kind, _, expected = download.checksum.partition(":")
    if not expected:
        return ""
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    if found.hexdigest() == expected:
        return ""
    return f"its {kind} is {found.hexdigest()}, and that of {download.url} is {expected}"


def is_archive(path: Path) -> bool:
    """Whether the file's name is that of a zip or tar archive."""
    return path.name.lower().endswith(_ENDS)


def unpack(
    archive: Path, folder: Path, *, wanted: str = "", limit: int = 1 << 32, most: int = 500_000
) -> dict[str, Path]:
    """Unpacks the plain files of a zip or tar archive.

    Args:
        archive: The archive; what kind it is, its content says.
        folder: Where to; it must exist, and should be empty.
        wanted: A regular expression that a file's name must contain; others are passed over.
        limit: Bytes that all files together may have, those passed over too.
        most: Files that there may be.

    Returns:
        The path of each file by its name in the archive.

    Raises:
        DataError: The archive is damaged or larger than that, has a name that leads out of the
            folder or stands there twice, or holds anything but files and folders.
        OSError: The folder cannot be written to.
    """
    files: dict[str, Path] = {}
    members = _zipped if zipfile.is_zipfile(archive) else _tarred
    try:
        for name, size, content in members(archive):
            limit -= size
            if limit < 0 or len(files) == most:
                raise DataError(
                    f"{archive}: holds more than the data set has. Received: {len(files) + 1} "
                    f"files or more, {shown(name)} with {size} bytes."
                )
            target = _inside(archive, folder, name)
            if not re.search(wanted, name):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "xb") as file:
                shutil.copyfileobj(content, file)
            files[name] = target
    except (FileExistsError, NotADirectoryError) as error:
        raise DataError(f"{archive}: must name each file once. Received: {shown(name)}.") from error
    except _DAMAGED as error:
        raise _damaged(archive, error) from error
    except OSError as error:
        if error.errno is not None:  # the disk's, not the archive's
            raise
        raise _damaged(archive, error) from error
    return files


_SCHEMES = {"https"}
_ENDS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_BLOCK = 1 << 20
_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError),
    *(RuntimeError, UnicodeError, OverflowError),  # locked, unknown packing, odd names
)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows no address that is not HTTPS."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> Any:
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_scheme(url: str) -> None:
    if urlsplit(url).scheme not in _SCHEMES:
        raise DataError(f"an address must begin with https://. Received: {shown(url)}.")


def _receive(answer: Any, file: IO[bytes], download: Download) -> None:
    kind, _, expected = download.checksum.partition(":")
    digest = hashlib.new(kind or "sha256", usedforsecurity=False)
    promised = answer.headers.get("Content-Length")
    most = download.limit if download.size is None else download.size
    size = 0
    while block := answer.read(_BLOCK):
        size += len(block)
        if size > most:
            raise DataError(f"{download.url}: must not exceed {most} bytes. Received: more.")
        digest.update(block)
        file.write(block)
    whole = promised if download.size is None else download.size
    if whole is not None and size != int(whole):
        raise DataError(f"{download.url}: must have {whole} bytes. Received: {size} bytes.")
    if expected and digest.hexdigest() != expected:
        raise DataError(
            f"{download.url}: its {kind} must be {expected}. Received: {digest.hexdigest()}."
        )


def _zipped(archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with zipfile.ZipFile(archive) as source:
        for member in source.infolist():
            if member.is_dir():
                continue
            if stat.S_ISLNK(member.external_attr >> 16):
                raise _not_plain(archive, member.filename)
            with source.open(member) as content:
                yield member.filename, member.file_size, content


def _tarred(archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with tarfile.open(archive) as source:
        for member in source:
            if member.isdir():
                continue
            content = source.extractfile(member) if member.isfile() else None
            if content is None:
                raise _not_plain(archive, member.name)
            yield member.name, member.size, content


def _inside(archive: Path, folder: Path, name: str) -> Path:
    path = PurePosixPath(name)
    odd = any(letter in name for letter in "\\\0:")  # what other systems take for a way out
    if not path.parts or path.is_absolute() or ".." in path.parts or odd:
        raise DataError(f"{archive}: a name must lead into the folder. Received: {shown(name)}.")
    return folder / path


def _not_plain(archive: Path, name: str) -> DataError:
    return DataError(
        f"{archive}: must hold files and folders only. Received: {shown(name)}, a link or device."
    )


def _damaged(archive: Path, error: BaseException) -> DataError:
    return DataError(f"{archive}: must be a whole zip or tar archive. Received: {error}.")
