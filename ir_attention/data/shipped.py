"""Where the data sets lie that ship with the package."""

from __future__ import annotations

from pathlib import Path

from ir_attention.errors import DataError

__all__ = ["film_reviews", "headline_tweets"]

_PACKAGE = Path(__file__).resolve().parents[1]


def film_reviews(part: str = "train") -> Path:
    """The file of a part of `film_reviews`: 120 reviews of invented films, CC0.

    Args:
        part: `train` or `test`.

    Raises:
        DataError: There is no such part, or the installation is not complete.
    """
    return _shipped("film_reviews", part, ("train", "test"), "csv")


def headline_tweets(part: str = "train") -> Path:
    """The file of a part of `headline_tweets`: 200 invented headlines with 10 tweets each, CC0.

    Args:
        part: `train`, `dev` or `test`.

    Raises:
        DataError: There is no such part, or the installation is not complete.
    """
    return _shipped("headline_tweets", part, ("train", "dev", "test"), "tsv")


def _shipped(name: str, part: str, parts: tuple[str, ...], suffix: str) -> Path:
    if part not in parts:
        known = f"{', '.join(parts[:-1])} or {parts[-1]}"
        raise DataError(f"`part` must be {known}. Received: part={part!r}")
    # An editable installation does not see what `package_dir` in setup.cfg maps into the package.
    for folder in (_PACKAGE / name, _PACKAGE.parent / "datasets" / name):
        if (path := folder / f"{part}.{suffix}").is_file():
            return path
    raise DataError(
        f"{name}/{part}.{suffix} is neither in {_PACKAGE} nor in datasets/ beside it: install "
        "ir_attention anew"
    )
