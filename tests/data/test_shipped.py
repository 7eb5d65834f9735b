"""Where the shipped headlines are found."""

import pytest

from ir_attention.data import headline_tweets, read_pairs, shipped
from ir_attention.errors import DataError


@pytest.mark.parametrize(("part", "pairs"), [("train", 1100), ("dev", 300), ("test", 600)])
def test_the_parts_are_read_like_any_file(part, pairs):
    assert len(read_pairs(headline_tweets(part))) == pairs


def test_an_installed_copy_comes_first(tmp_path, monkeypatch):
    package = tmp_path / "ir_attention"
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    for folder in (tmp_path / "datasets" / "headline_tweets", package / "headline_tweets"):
        folder.mkdir(parents=True)
        (folder / "dev.tsv").touch()
        assert headline_tweets("dev") == folder / "dev.tsv"


def test_what_is_not_there(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="part='all'"):
        headline_tweets("all")
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "ir_attention")
    with pytest.raises(DataError, match="install ir_attention anew"):
        headline_tweets()
