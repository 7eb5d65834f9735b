"""Zero-shot scores of all-MiniLM-L6-v2, or another model of sentence-transformers: cosines.

Its weights are not ours and are not copied: a bundle names the folder in which they lie on this
machine, and their checksum. Of the folder nothing is executed: its modules must be the library's
own, its weights safetensors.
"""

from __future__ import annotations

import hashlib
import json
import os
import reprlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ir_attention.backend import quiet
from ir_attention.data.arrays import number_pairs
from ir_attention.errors import DataError, MissingExtra

__all__ = ["MiniLMScorer"]

# Texts to vectors of length 1, `(texts, width)`.
Encode = Callable[[list[str]], np.ndarray]

# The modules of the library that a folder may be made of, by the names that it had for them before
# version 5.4, in it, and now; none of them unpickles weights.
_TRANSFORMERS = (
    "sentence_transformers.models.Transformer",
    "sentence_transformers.base.modules.transformer.Transformer",
)
_MODULES = (
    *_TRANSFORMERS,
    "sentence_transformers.models.Pooling",
    "sentence_transformers.models.Normalize",
    "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    "sentence_transformers.sentence_transformer.modules.normalize.Normalize",
    "sentence_transformers.base.modules.normalize.Normalize",
)

# How a stranger's words are shown: as much of them as fits in a line.
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = 80

# Pairs whose vectors are multiplied at once.
_PAIRS = 1 << 13


class MiniLMScorer:
    """Scores pairs by the cosine of their texts' vectors, -1 to 1.

    Each distinct text of a request is encoded once, without gradients, on the CPU. Texts of more
    pieces than the model takes (256, of all-MiniLM-L6-v2) are cut by it.

    Args:
        encode: Texts to vectors of length 1.
        folder: Where the model lies.
        sha256: The checksum of its weights, in hexadecimal digits.
    """

    def __init__(self, encode: Encode, *, folder: str, sha256: str) -> None:
        self._encode, self.folder, self.sha256 = encode, folder, sha256

    @classmethod
    def open(
        cls, folder: str | Path, *, sha256: str | None = None, threads: int = 1
    ) -> MiniLMScorer:
        """Opens a folder of sentence-transformers.

        Args:
            folder: With `modules.json` and `model.safetensors`.
            sha256: What the checksum of the weights has to be, if that is known.
            threads: How many encode. The scores may differ in the last digits.

        Raises:
            DataError: There is no such folder, it is not of that form, or its weights are others.
            MissingExtra: sentence-transformers is not installed.
        """
        # Not resolved: a link that is moved to a new place of the same model stays good.
        path = Path(folder).absolute()
        found = _checksum(_weights(path))
        if sha256 not in (None, found):
            raise DataError(
                f"{path}: its weights must be those that the model was made with, of SHA-256 "
                f"{sha256}. Received: {found}"
            )
        return cls(_encoder(path, threads), folder=str(path), sha256=found)

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The score of each pair of texts."""
        distinct, query, document = number_pairs(queries, documents)
        scores = np.zeros(len(query))
        if distinct:
            # The library's tokenizer knows no lone surrogates.
            texts = [text.encode("utf-8", "replace").decode() for text in distinct]
            vectors = np.asarray(self._encode(texts), np.float64)
            for start in range(0, len(query), _PAIRS):
                rows = slice(start, start + _PAIRS)
                both = vectors[query[rows]], vectors[document[rows]]
                scores[rows] = np.einsum("pw,pw->p", *both)
        return scores

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        """Weights (none), vocabulary (none) and settings, as a bundle holds them."""
        settings = {"minilm": {"folder": self.folder, "sha256": self.sha256}, "parameters": 0}
        return {}, {}, settings

    @classmethod
    def from_parts(cls, settings: dict[str, Any], *, threads: int = 1) -> MiniLMScorer:
        """The scorer whose settings these are; see `open`."""
        own = settings.get("minilm")
        names = own if isinstance(own, dict) else {}
        folder, sha256 = names.get("folder"), names.get("sha256")
        if not isinstance(folder, str) or not isinstance(sha256, str):
            raise DataError(
                f"`minilm` must hold a `folder` and the `sha256` of its weights. Received: {own!r}"
            )
        return cls.open(folder, sha256=sha256, threads=threads)


def _weights(folder: Path) -> Path:
    """The file of weights of a folder that is harmless to open."""
    rule = "a model of sentence-transformers is a folder with modules.json and model.safetensors"
    try:
        content = (folder / "modules.json").read_bytes()
        modules = json.loads(content)
        named = [(module["type"], module["path"]) for module in modules]
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or repr(error)
        raise DataError(f"{folder}: {rule}. Received: modules.json: {reason}") from error
    for kind, place in named:
        if kind not in _MODULES:
            raise DataError(
                f"{folder}: modules must be the library's Transformer, Pooling and Normalize. "
                f"Received: {_SHOWN.repr(kind)}"
            )
        if not isinstance(place, str) or Path(place).is_absolute() or ".." in Path(place).parts:
            raise DataError(
                f"{folder}: modules must lie in the folder. Received: {_SHOWN.repr(place)}"
            )
    places = [place for kind, place in named if kind in _TRANSFORMERS]
    # Not `Path.is_file`, which raises at a name that is too long.
    if len(places) != 1 or not os.path.isfile(folder / places[0] / "model.safetensors"):
        raise DataError(
            f"{folder}: {rule}. Received: {len(places)} places of weights: {_SHOWN.repr(places)}"
        )
    return folder / places[0] / "model.safetensors"


def _checksum(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _encoder(folder: Path, threads: int) -> Encode:
    """What encodes with the model of a folder, which is opened now."""
    try:
        with quiet():
            from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtra(
            "minilm needs sentence-transformers: pip install 'ir_attention[bench]' "
            f"(Received: {error})"
        ) from error
    try:
        with quiet():  # it draws a progress bar
            model = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except Exception as error:  # the libraries raise nothing narrower
        raise DataError(f"{folder}: sentence-transformers cannot open it ({error})") from error

    def encode(texts: list[str]) -> np.ndarray:
        with _torch_threads(threads):
            return model.encode(
                texts, batch_size=64, show_progress_bar=False, normalize_embeddings=True
            )

    return encode


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    """Inside, PyTorch has so many threads; it has one number for the whole process."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
