"""A trained model in one folder: weights, vocabulary, settings, card. Nothing in it is executable.

weights.safetensors   every weight, by name
vocabulary.json       words or pieces, and how rare they are
settings.json         the model's name and sizes, the seed, versions of what made it
README.md             the model card
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ir_attention.errors import BundleError

__all__ = ["FORMAT", "Bundle"]

# Raised when a bundle of this version can no longer be read by the version before.
FORMAT = 1

_FILES = ("weights.safetensors", "vocabulary.json", "settings.json", "README.md")


@dataclass(frozen=True)
class Bundle:
    """What is left of a training: everything that scoring needs, and how it came to be."""

    settings: dict[str, Any]
    vocabulary: dict[str, Any]
    weights: dict[str, np.ndarray] = field(repr=False)
    card: str = ""

    @property
    def model(self) -> str:
        """The name of the model: `han`, `dssm`, ..."""
        return str(self.settings["model"])

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Writes the folder, whole or not at all.

        Everything is written to a temporary folder beside it, flushed to the disk, and moved into
        place by one rename.

        Args:
            folder: Where to. Its parents are made.
            overwrite: Whether a bundle that is there already may be replaced. Anything else that
                is there never is.

        Raises:
            BundleError: There is something at `folder` already, or it cannot be written.
        """
        folder = Path(folder)
        check_free(folder, overwrite=overwrite)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        except OSError as error:
            raise BundleError(f"{folder}: cannot be written ({error.strerror})") from error
        try:
            self._write(draft)
            _replace(draft, folder)
        except ValueError as error:
            raise BundleError(f"{folder}: settings must be finite values ({error})") from error
        except OSError as error:
            raise BundleError(f"{folder}: cannot be written ({error.strerror})") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return folder

    def _write(self, draft: Path) -> None:
        from safetensors.numpy import save

        weights = {name: np.ascontiguousarray(w) for name, w in sorted(self.weights.items())}
        content = {
            "weights.safetensors": save(weights, {"format": str(FORMAT)}),
            "vocabulary.json": _json(self.vocabulary),
            "settings.json": _json({"format": FORMAT, **self.settings}),
            "README.md": self.card.encode(),
        }
        for name in _FILES:
            with open(draft / name, "wb") as file:
                file.write(content[name])
                file.flush()
                os.fsync(file.fileno())
        os.chmod(draft, 0o755)  # mkdtemp's folders are closed to others

    @classmethod
    def load(cls, folder: str | Path) -> Bundle:
        """Reads a folder that `save` wrote.

        Raises:
            BundleError: It is missing, incomplete, damaged, of another version or not a bundle.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        folder = Path(folder)
        if not folder.is_dir():
            raise BundleError(f"{folder}: no such folder; a bundle is what `train` writes")
        settings = _read_json(folder, "settings.json")
        if settings.get("format") != FORMAT or not isinstance(settings.get("model"), str):
            raise BundleError(
                f"{folder}: settings.json must hold `format` {FORMAT} and a model's name. "
                f"Received: format {settings.get('format')!r}, model {settings.get('model')!r}"
            )
        try:
            weights = load(_read(folder, "weights.safetensors"))
        except (SafetensorError, ValueError, KeyError) as error:  # KeyError: a type NumPy lacks
            raise BundleError(f"{folder}: weights.safetensors is damaged ({error})") from error
        for name, weight in weights.items():
            if weight.dtype.kind not in "fiu":
                raise BundleError(f"{folder}: weight {name} must hold numbers: {weight.dtype}")
            if not np.isfinite(weight).all():
                raise BundleError(f"{folder}: weight {name} has values that are not finite")
        vocabulary = _read_json(folder, "vocabulary.json")
        card = _read(folder, "README.md").decode(errors="replace")
        return cls(settings, vocabulary, weights, card)


def check_free(folder: str | Path, *, overwrite: bool = False) -> None:
    """Raises a BundleError unless a bundle may be written to `folder`."""
    folder = Path(folder)
    if not folder.exists() and not folder.is_symlink():
        return
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {"(a file)"}
    if not names:
        return
    if not overwrite:
        raise BundleError(
            f"{folder}: exists already. Choose another place, or replace it with overwrite=True "
            "(--overwrite on the command line)"
        )
    if names != set(_FILES):
        raise BundleError(
            f"{folder}: not a bundle, so it is not overwritten. Found: {sorted(names)[:8]}"
        )


def _replace(draft: Path, folder: Path) -> None:
    """Moves `draft` to `folder`; a bundle that was there goes last."""
    old = draft.with_name(draft.name + "-old")
    if folder.exists():
        folder.rename(old)
    try:
        draft.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    if old.is_symlink():
        old.unlink()  # what it points to is not ours
    shutil.rmtree(old, ignore_errors=True)
    # The bundle stands whole by now; some file systems cannot flush a folder.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode(
        "utf-8", "surrogatepass"
    )


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError as error:
        found = sorted(path.name for path in folder.iterdir())[:8]
        raise BundleError(f"{folder}: not a bundle, {name} is missing. Found: {found}") from error
    except OSError as error:
        raise BundleError(f"{folder}: {name} cannot be read ({error.strerror})") from error


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    content = _read(folder, name)
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{folder}: {name} is not JSON ({error})") from error
    if not isinstance(values, dict):
        kind = type(values).__name__
        raise BundleError(f"{folder}: {name} must hold an object. Received: {kind}")
    return values
