"""Where the shipped data sets are found."""

import pytest

from ir_attention.data import film_reviews, headline_tweets, read_pairs, shipped
from ir_attention.data.labelled import read_labelled
from ir_attention.errors import DataError

SETS = [(headline_tweets, "tsv"), (film_reviews, "csv")]


@pytest.mark.parametrize(("part", "pairs"), [("train", 1100), ("dev", 300), ("test", 600)])
def test_the_parts_are_read_like_any_file(part, pairs):
    assert len(read_pairs(headline_tweets(part))) == pairs


@pytest.mark.parametrize(("part", "reviews"), [("train", 80), ("test", 40)])
def test_reviews_are_read_like_any_file(part, reviews):
    found = read_labelled(film_reviews(part))
    assert len(found) == reviews and found["label"].sum() == reviews / 2


@pytest.mark.parametrize(("where", "suffix"), SETS)
def test_an_installed_copy_comes_first(where, suffix, tmp_path, monkeypatch):
    package, name = tmp_path / "ir_attention", where.__name__
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    for folder in (tmp_path / "datasets" / name, package / name):
        folder.mkdir(parents=True)
        (folder / f"test.{suffix}").touch()
        assert where("test") == folder / f"test.{suffix}"


@pytest.mark.parametrize(("where", "suffix"), SETS)
def test_what_is_not_there(where, suffix, tmp_path, monkeypatch):
    with pytest.raises(DataError, match="part='all'"):
        where("all")
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "ir_attention")
    with pytest.raises(DataError, match="install ir_attention anew"):
        where()


def test_reviews_have_no_dev_part():
    with pytest.raises(DataError, match="must be train or test"):
        film_reviews("dev")
