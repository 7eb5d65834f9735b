"""A bundle: written whole or not at all, read with a reason when it cannot be."""

import json
import os
import stat

import numpy as np
import pytest

from ir_attention import bundle as bundle_module
from ir_attention.bundle import FORMAT, Bundle
from ir_attention.errors import BundleError

FILES = {"weights.safetensors", "vocabulary.json", "settings.json", "README.md"}
WEIGHTS = {
    "table": np.arange(6, dtype="float16").reshape(3, 2),
    "score/kernel": np.array([[0.1], [-2]], "float32"),
    "score/turned": np.arange(6, dtype="float32").reshape(2, 3).T,
}


def made(**more):
    given = {
        "settings": {"model": "han", "seed": 7, "note": "Größe"},
        "vocabulary": {"kind": "words", "words": ["猫", "\ud800"], "idf": {"猫": 0.1}},
        "weights": WEIGHTS,
        "card": "# Größe\n",
    }
    return Bundle(**given | more)


@pytest.fixture
def saved(tmp_path):
    return made().save(tmp_path / "news")


def everything(folder):
    """All files and folders below, hidden ones too, with the contents of files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


# --- there and back


def test_round_trip(tmp_path):
    folder = made().save(str(tmp_path / "deep" / "down" / "news"))
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["news"]
    read = Bundle.load(str(folder))
    assert read.settings == {"format": FORMAT, **made().settings}
    assert read.vocabulary == made().vocabulary
    assert read.card == made().card
    assert read.model == "han"
    assert set(read.weights) == set(WEIGHTS)
    for name, weight in WEIGHTS.items():
        assert read.weights[name].dtype == weight.dtype
        np.testing.assert_array_equal(read.weights[name], weight)


def test_a_model_without_weights(tmp_path):
    assert Bundle.load(made(weights={}, card="").save(tmp_path / "bm25")).weights == {}


def test_one_bundle_gives_the_same_bytes(tmp_path):
    backwards = dict(reversed(WEIGHTS.items()))
    one, other = made().save(tmp_path / "one"), made(weights=backwards).save(tmp_path / "two")
    assert everything(one) == everything(other)


def test_others_may_read_it(saved):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o755


# --- what is there already


def test_an_existing_bundle_is_replaced_only_if_asked(saved):
    with pytest.raises(BundleError, match=r"news: exists already. .* \(--overwrite "):
        made(card="new").save(saved)
    assert Bundle.load(saved).card == made().card
    made(card="new").save(saved, overwrite=True)
    assert Bundle.load(saved).card == "new"
    assert [path.name for path in saved.parent.iterdir()] == ["news"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "news").mkdir()
    assert Bundle.load(made().save(tmp_path / "news")).model == "han"


def foreign(path):
    path.mkdir()
    (path / "thesis.txt").write_text("years of work")


def foreign_among_ours(path):
    made().save(path)
    (path / "thesis.txt").write_text("years of work")


def a_part_of_ours(path):
    made().save(path)
    (path / "README.md").unlink()


OTHERS = {
    "a file": lambda path: path.write_text("years of work"),
    "a foreign folder": foreign,
    "a folder that holds more": foreign_among_ours,
    "a folder that holds less": a_part_of_ours,
    "a link to nowhere": lambda path: path.symlink_to(path.parent / "nowhere"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_anything_else_is_never_replaced(tmp_path, name):
    OTHERS[name](tmp_path / "news")
    before = everything(tmp_path)
    with pytest.raises(BundleError, match="exists already"):
        made().save(tmp_path / "news")
    with pytest.raises(BundleError, match="not a bundle, so it is not overwritten. Found: "):
        made().save(tmp_path / "news", overwrite=True)
    assert everything(tmp_path) == before


def test_what_a_link_points_to_is_never_deleted(tmp_path):
    made().save(tmp_path / "original")
    foreign(tmp_path / "thesis")
    (tmp_path / "news").symlink_to(tmp_path / "original")
    (tmp_path / "other").symlink_to(tmp_path / "thesis")
    before = everything(tmp_path / "original")
    made(card="new").save(tmp_path / "news", overwrite=True)
    assert Bundle.load(tmp_path / "news").card == "new"
    with pytest.raises(BundleError, match="not a bundle"):
        made().save(tmp_path / "other", overwrite=True)
    assert everything(tmp_path / "original") == before
    assert everything(tmp_path / "thesis") == {"thesis.txt": b"years of work"}


# --- whole or not at all


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("call", range(1, 5))
def test_a_disk_that_is_full(tmp_path, monkeypatch, overwrite, call):
    if overwrite:
        made(card="old").save(tmp_path / "news")
    before, calls = everything(tmp_path), []

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) == call:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(BundleError, match="news: cannot be written .No space left on device"):
        made().save(tmp_path / "news", overwrite=overwrite)
    assert everything(tmp_path) == before


def test_a_rename_that_fails(tmp_path, monkeypatch):
    made(card="old").save(tmp_path / "news")
    before, rename = everything(tmp_path), type(tmp_path).rename

    def fail(self, target):
        if target == tmp_path / "news" and "README.md" in os.listdir(self):
            if (self / "README.md").read_text() != "old":
                raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(type(tmp_path), "rename", fail)
    with pytest.raises(BundleError, match="Input/output error"):
        made(card="new").save(tmp_path / "news", overwrite=True)
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    "broken",
    [{"settings": {"model": "han", "loss": np.nan}}, {"vocabulary": {"words": object()}}],
    ids=["NaN in the settings", "not JSON"],
)
def test_nothing_is_left_of_what_cannot_be_written(tmp_path, broken):
    with pytest.raises((TypeError, ValueError)):
        made(**broken).save(tmp_path / "news")
    assert everything(tmp_path) == {}


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="cannot be written"):
        made().save(tmp_path / "file" / "news")


# --- damaged and foreign bundles


def test_no_folder(tmp_path):
    with pytest.raises(BundleError, match="nowhere: no such folder; a bundle is what"):
        Bundle.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file(saved, name):
    (saved / name).unlink()
    with pytest.raises(BundleError, match=rf"not a bundle, {name} is missing. Found: "):
        Bundle.load(saved)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_folder_for_a_file(saved, name):
    (saved / name).unlink()
    (saved / name).mkdir()
    with pytest.raises(BundleError, match=f"{name} cannot be read"):
        Bundle.load(saved)


@pytest.mark.parametrize("name", ["settings.json", "vocabulary.json"])
@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is not JSON"), (b"{", "is not JSON"), (b"[]", "an object. Received: list")]
    + [(b"\xff\xfe\xfd", "is not JSON")],
)
def test_damaged_json(saved, name, content, message):
    (saved / name).write_bytes(content)
    with pytest.raises(BundleError, match=rf"{name} .*{message}"):
        Bundle.load(saved)


def test_damaged_weights(saved):
    path = saved / "weights.safetensors"
    whole = path.read_bytes()
    for damaged in (b"", whole[:7], whole[:-1], whole + b"\0", b"\xff" * len(whole)):
        path.write_bytes(damaged)
        with pytest.raises(BundleError, match="weights.safetensors is damaged"):
            Bundle.load(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(tmp_path, value):
    weights = WEIGHTS | {"score/kernel": np.array([[0], [value]], "float16")}
    folder = made(weights=weights).save(tmp_path / "news")
    with pytest.raises(BundleError, match="weight score/kernel has values that are not finite"):
        Bundle.load(folder)


@pytest.mark.parametrize(
    "change", [{"format": FORMAT + 1}, {"format": None}, {"model": None}, {"model": 3}]
)
def test_another_version_or_model(saved, change):
    path = saved / "settings.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BundleError, match=f"must hold `format` {FORMAT} and a model's name. Rec"):
        Bundle.load(saved)


def test_the_names_of_the_files():
    assert set(bundle_module._FILES) == FILES
