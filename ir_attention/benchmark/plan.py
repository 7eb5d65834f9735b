"""What a benchmark is made of: data, rows, seeds, and the key by which a run is known again."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ir_attention.data.files import FORMATS
from ir_attention.errors import DataError
from ir_attention.models.recipes import BASELINES
from ir_attention.training.settings import MODELS, TrainingSettings, filled, training_settings

__all__ = [
    "FIRST_SEED",
    "MEASURES",
    "PARTS",
    "VARIANTS",
    "Data",
    "Row",
    "content_sum",
    "group_of",
    "key_of",
    "parts_in",
    "place_of",
    "rows_of",
    "seeds_of",
]

PARTS = ("train", "dev", "test")
MEASURES = ("AP", "RR", "nDCG@1", "nDCG@3", "nDCG@5", "nDCG@10", "P@1")
FIRST_SEED = 7

# By name: the model, its options, and what a table calls it.
VARIANTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "han:no-matches": ("han", {"match_features": False}, "han, without match features"),
    "han:no-query-side": ("han", {"query_side": False}, "han, without the query side"),
    "han:no-sentences": ("han", {"split_sentences": False}, "han, without the sentence level"),
}

# Raised when results of this version no longer compare to those before.
_FORMAT = 2

# Settings of `train` that are no row's: the budget is everyone's, nothing is written or cut short,
# and a tokenizer cannot stand in a file.
_NO_OPTIONS = {"budget", "keep_interrupted", "overwrite", "tokenizer"}

# What else a model takes: `han` all, others these.
_HAN_ONLY = {"match_features", "query_side", "word_dropout"}
_MATCHZOO = "clip dropout epochs learning_rate loss margin measure patience query_words".split()
_COUNTING = {"minilm": ["measure", "threads"]}

# What a name may be: it names a folder, too.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]|:(?=[A-Za-z0-9])){0,59}")

# What a picture calls the kinds of `MODELS`.
_GROUPS = {
    "attention": "hierarchical attention",
    "vectors": "sentence encoder, not trained here",
    "words": "words in common",
}

# What stands first in a table; after them MatchZoo's models by name.
_FIRST = ("han", "han-bi", "lexical", "bm25", "tfidf", "minilm")

# Whose scores do not depend on a seed.
_SEEDLESS = {"bm25", "lexical", "minilm", "tfidf"}


@dataclass(frozen=True)
class Row:
    """A row of the table: a model with its options.

    Attributes:
        name: As on the command line, `han` or `han:no-matches`.
        model: A key of `training.MODELS`.
        options: Of `train`.
        label: What a table calls it.
    """

    name: str
    model: str
    options: dict[str, Any] = field(default_factory=dict)
    label: str = ""

    @property
    def folder(self) -> str:
        """The name as the name of a folder, which has no colon."""
        return self.name.replace(":", "--")

    @property
    def settings(self) -> dict[str, Any]:
        """All settings that its training depends on, with the defaults of the model."""
        known = filled(training_settings(self.options), self.model).to_json()
        return {name: known[name] for name in _settings_of(self.model)}

    @property
    def takes_vectors(self) -> bool:
        """Whether it has vectors of words that can be given."""
        baseline = BASELINES.get(self.model)
        return self.model in ("han", "han-bi") or bool(baseline and baseline.reads == "words")

    @property
    def takes_budget(self) -> bool:
        """Whether it is trained in epochs; what counts words is done with one."""
        return MODELS[self.model][0] in ("attention", "MatchZoo")

    @property
    def takes_seed(self) -> bool:
        """Whether another seed may give another result."""
        return self.model not in _SEEDLESS


@dataclass(frozen=True)
class Data:
    """The files of a data set.

    Attributes:
        title: What a table calls it.
        files: Of `train`, `dev` and `test`.
        columns: What the columns are called there, as `read_pairs` takes it.
    """

    title: str
    files: dict[str, Path]
    columns: dict[str, str] = field(default_factory=dict)


def group_of(model: str) -> str:
    """What kind of model it is, as a picture says it."""
    kind = MODELS[model][0] if model in MODELS else "other"
    return _GROUPS.get(kind, kind)


def place_of(name: str, model: str) -> tuple[int, str, int, str]:
    """Where a row stands in a table, whoever asked for it: to sort by.

    A model's own row comes before its variants, and those before rows of one's own.
    """
    order = [model, *VARIANTS]
    first = _FIRST.index(model) if model in _FIRST else len(_FIRST)
    return first, model, order.index(name) if name in order else len(order), name


def parts_in(folder: Path) -> Data:
    """The data set in a folder: `train`, `dev` and `test`, each a file of a known format.

    Raises:
        DataError: There is no such folder, or a part is missing, or there several times.
    """
    if not folder.is_dir():
        raise DataError(f"--data: must be a folder with train, dev and test. Received: {folder}")
    files = {}
    for part in PARTS:
        names = {f"{part}{end}{packed}" for end in FORMATS for packed in ("", ".gz")}
        found = sorted(path for path in folder.iterdir() if path.name.lower() in names)
        if len(found) != 1:
            held = ", ".join(path.name for path in found) or "none"
            raise DataError(
                f"{folder}: must have one file of the {part} pairs, such as {part}.tsv or "
                f"{part}.csv.gz. Received: {held}"
            )
        files[part] = found[0]
    return Data(os.fsencode(folder.resolve().name).decode(errors="replace"), files)


def rows_of(
    names: Iterable[str], variants: Mapping[str, tuple[str, dict[str, Any], str]] = VARIANTS
) -> list[Row]:
    """The rows of these names, each once, in their order.

    Raises:
        DataError: A name is not known or cannot be the name of a folder, an option is wrong, or
            there is no name.
    """
    rows: dict[str, Row] = {}
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise DataError(
                "the name of a row must be letters, digits, dots, colons, dashes and underscores, "
                f"at most 60, and begin with a letter or digit. Received: {name!r}"
            )
        model, options, label = variants.get(name, (name, {}, name))
        if model not in MODELS:
            known = ", ".join([*sorted(MODELS), *variants])
            raise DataError(f"no model is called {model!r}. Known: {known}. Received: {name!r}")
        try:
            training_settings(options)
        except DataError as error:
            raise DataError(f"{name}: {error}") from error
        if "budget" in options:
            raise DataError(
                f"{name}: a budget is no option of a row; --budget {name}=SECONDS gives it one. "
                "Received: budget"
            )
        takes = _settings_of(model)
        if odd := [option for option in options if option not in takes]:
            raise DataError(
                f"{name}: {model} takes the options {', '.join(takes)} here. Received: {odd[0]}"
            )
        rows[name] = Row(name, model, dict(options), label)
    if not rows:
        raise DataError("--models: must name one at least. Received: none")
    folders: dict[str, str] = {}
    for row in rows.values():
        other = folders.setdefault(row.folder.casefold(), row.name)
        if other != row.name:
            raise DataError(
                f"the names of rows must not share a folder. Received: {other!r} and {row.name!r}"
            )
    return list(rows.values())


def seeds_of(row: Row, count: int) -> list[int]:
    """The seeds of a row: 7, 8, ...; one if they make no difference."""
    return list(range(FIRST_SEED, FIRST_SEED + (count if row.takes_seed else 1)))


def content_sum(path: Path) -> str:
    """The SHA-256 of a file's content, unpacked if it is gzip, or of all files of a folder.

    Raises:
        DataError: It cannot be read.
    """
    try:
        if path.is_dir():
            files = sorted(one for one in path.rglob("*") if one.is_file())
            lines = [f"{one.relative_to(path).as_posix()} {content_sum(one)}\n" for one in files]
            return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()
        with gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason}). Received: {path}") from error


def key_of(
    row: Row,
    seed: int,
    *,
    data: Mapping[str, str],
    columns: Mapping[str, str],
    measures: Sequence[str],
    budget: float | None,
    vectors: str | None,
) -> dict[str, Any]:
    """What a run depends on, the code aside: two runs are the same if their keys are.

    Args:
        row: Which one.
        seed: Of the training.
        data: The checksum of each part.
        columns: As `Data.columns`.
        measures: Names.
        budget: CPU seconds, or None.
        vectors: The checksum of the file or folder that the row is given, or None.
    """
    return {
        "format": _FORMAT,
        "row": row.name,
        "model": row.model,
        "settings": row.settings,
        "recipe": asdict(BASELINES[row.model]) if row.model in BASELINES else None,
        "seed": seed,
        "data": dict(data),
        "columns": dict(columns),
        "measures": list(measures),
        "budget": budget if row.takes_budget else None,
        "vectors": vectors,
    }


def _settings_of(model: str) -> list[str]:
    """The names of the settings of `train` that make a difference to the model."""
    if model in BASELINES:
        has_vectors = BASELINES[model].reads == "words"
        return [*_MATCHZOO, *(["most_vectors", "width"] if has_vectors else [])]
    if MODELS[model][0] != "attention":
        return _COUNTING.get(model, ["measure"])
    names = {one.name for one in fields(TrainingSettings)} - _NO_OPTIONS
    return sorted(names if model == "han" else names - _HAN_ONLY)
