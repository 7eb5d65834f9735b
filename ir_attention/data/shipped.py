"""Where the data set lies that ships with the package."""

from __future__ import annotations

from pathlib import Path

from ir_attention.errors import DataError

__all__ = ["headline_tweets"]

_PACKAGE = Path(__file__).resolve().parents[1]


def headline_tweets(part: str = "train") -> Path:
    """The file of a part of `headline_tweets`: 200 invented headlines with 10 tweets each, CC0.

    Args:
        part: `train`, `dev` or `test`.

    Raises:
        DataError: There is no such part, or the installation is not complete.
    """
    if part not in ("train", "dev", "test"):
        raise DataError(f"`part` must be train, dev or test. Received: part={part!r}")
    # An editable installation does not see what `package_dir` in setup.cfg maps into the package.
    for folder in (_PACKAGE / "headline_tweets", _PACKAGE.parent / "datasets" / "headline_tweets"):
        if (path := folder / f"{part}.tsv").is_file():
            return path
    raise DataError(
        f"headline_tweets/{part}.tsv is neither in {_PACKAGE} nor in datasets/ beside it: install "
        "ir_attention anew"
    )
