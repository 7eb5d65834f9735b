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
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ir_attention.errors import BundleError

__all__ = ["FORMAT", "Bundle", "check_free", "model_of"]

# Raised when a bundle of this version can no longer be read by the version before.
FORMAT = 3

_FILES = ("weights.safetensors", "vocabulary.json", "settings.json", "README.md")

# What is written beside a bundle until it is whole. Short: a bundle's own name may be as long as
# names can be.
_DRAFT = ".bundle-"
_AGAIN = "Copy the bundle again, or train it again"


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
            draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=folder.parent))
        except OSError as error:
            raise _not_written(folder, error) from error
        try:
            self._write(draft)
            _replace(draft, folder)
        except ValueError as error:
            raise BundleError(f"{folder}: settings must be finite values ({error})") from error
        except OSError as error:
            raise _not_written(folder, error) from error
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
            BundleError: It is missing, incomplete, damaged, of another version or not a bundle, or
                one of its files is a link that leads out of it.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        folder = Path(folder)
        settings = _settings(folder)
        content = _read(folder, "weights.safetensors")
        try:
            weights = load(content)
        except (SafetensorError, ValueError, KeyError) as error:  # KeyError: a type NumPy lacks
            raise BundleError(
                f"{folder}: weights.safetensors is damaged ({error}). Received: {len(content)} "
                f"bytes. {_AGAIN}"
            ) from error
        for name, weight in weights.items():
            if weight.dtype.kind not in "fiu":
                raise BundleError(
                    f"{folder}: weight {name} must hold numbers. Received: {weight.dtype}. {_AGAIN}"
                )
            finite = np.isfinite(weight)
            if not finite.all():
                raise BundleError(
                    f"{folder}: weight {name} has values that are not finite. Received: "
                    f"{weight[~finite][0]} ({(~finite).sum()} of {weight.size} are not). {_AGAIN}"
                )
        vocabulary = _read_json(folder, "vocabulary.json")
        card = _read(folder, "README.md").decode(errors="replace")
        return cls(settings, vocabulary, weights, card)


def model_of(folder: str | Path) -> str:
    """The name of a bundle's model, without reading the rest of it.

    Raises:
        BundleError: As of `Bundle.load`, of its settings.
    """
    return str(_settings(Path(folder))["model"])


def check_free(folder: str | Path, *, overwrite: bool = False) -> None:
    """Raises a BundleError unless a bundle may be written to `folder`, and can be.

    A training asks before it begins; only whether the disk has room shows at its end.
    """
    folder = Path(folder)
    if folder.name in ("", ".."):
        raise BundleError(
            f"{folder}: a bundle must have a folder of its own. Received: {str(folder)!r}. Add a "
            "name to it"
        )
    try:
        _check_replaceable(folder, overwrite)
        there = next(one for one in folder.absolute().parents if os.path.lexists(one))
        os.rmdir(tempfile.mkdtemp(prefix=_DRAFT, dir=there))
    except BundleError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a character that no name may have
        raise _not_written(folder, error) from error


def _settings(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise BundleError(f"{folder}: no such folder; a bundle is what `train` writes")
    settings = _read_json(folder, "settings.json")
    if settings.get("format") != FORMAT or not isinstance(settings.get("model"), str):
        raise BundleError(
            f"{folder}: settings.json must hold `format` {FORMAT} and a model's name. "
            f"Received: format {settings.get('format')!r}, model {settings.get('model')!r}. "
            "Read it with the version of ir_attention that wrote it, or train it again"
        )
    return settings


def _check_replaceable(folder: Path, overwrite: bool) -> None:
    try:
        os.lstat(folder)
    except (FileNotFoundError, NotADirectoryError):
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
            f"{folder}: not a bundle, so it is not overwritten. Found: {sorted(names)[:8]}. Choose "
            "another place"
        )


def _not_written(folder: Path, error: OSError | ValueError) -> BundleError:
    reason = getattr(error, "strerror", None) or error
    return BundleError(
        f"{folder}: cannot be written ({reason}). Choose a place with room that may be written to"
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
    """The bytes of a file of a bundle, of a plain one inside it: a stranger made the folder."""
    path = folder / name
    real = Path(os.path.realpath(path))
    if real.parent != Path(os.path.realpath(folder)):
        raise BundleError(
            f"{folder}: {name} must be a file in the folder itself. Received: a link to {real}. "
            "Copy the file there, if you trust it"
        )
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BundleError(f"{folder}: {name} cannot be read (it is not a file)")
        return path.read_bytes()
    except FileNotFoundError as error:
        found = sorted(path.name for path in folder.iterdir())[:8]
        raise BundleError(
            f"{folder}: not a bundle, {name} is missing. Found: {found}. A bundle is what `train` "
            "writes"
        ) from error
    except OSError as error:
        raise BundleError(f"{folder}: {name} cannot be read ({error.strerror})") from error


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    content = _read(folder, name)
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(
            f"{folder}: {name} is not JSON ({error}). Received: {len(content)} bytes. {_AGAIN}"
        ) from error
    if not isinstance(values, dict):
        kind = type(values).__name__
        raise BundleError(f"{folder}: {name} must hold an object. Received: {kind}. {_AGAIN}")
    return values
