"""Bundles that are damaged, foreign or hostile: refused in a sentence."""

import json
import os
import shutil

import numpy as np
import pytest
from rough_calls import NAMES, good, mistake
from safetensors.numpy import load_file, save_file

from ir_attention.bundle import FORMAT
from ir_attention.errors import BundleError
from ir_attention.ranking import Ranker

# --- bundles


@pytest.fixture
def damaged(han, tmp_path):
    """A copy of a bundle in a folder of its own, to be damaged."""
    return shutil.copytree(han, tmp_path / "models" / "han")


def refused(folder, message):
    """By the command line in a line, with a BundleError in Python; both name the bundle."""
    assert f"Error: {folder}: {message}" in mistake("rank", folder, "flood", input="a flood\n")
    with pytest.raises(BundleError) as caught:
        Ranker.load(folder)
    assert str(caught.value).startswith(f"{folder}: {message}")


def changed(folder, name, change):
    values = json.loads((folder / name).read_text())
    change(values)
    (folder / name).write_text(json.dumps(values))


@pytest.mark.parametrize("name", sorted(NAMES - {"README.md"}))
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_bundle_that_is_cut_short(damaged, name, share):
    content = (damaged / name).read_bytes()
    (damaged / name).write_bytes(content[: int(len(content) * share)])
    kind = "damaged" if name.endswith("safetensors") else "not JSON"
    refused(damaged, f"{name} is {kind} (")


@pytest.mark.parametrize("version", [FORMAT + 1, 0, None, str(FORMAT), [FORMAT]])
def test_a_bundle_of_another_version(damaged, version):
    changed(damaged, "settings.json", lambda values: values.update(format=version))
    refused(damaged, f"settings.json must hold `format` {FORMAT} and a model's name. Received: for")


def test_a_folder_that_is_not_ours(tmp_path, write):
    refused(tmp_path, "not a bundle, settings.json is missing. Found: []. A bundle is what")
    refused(tmp_path / "nowhere", "no such folder; a bundle is what")
    refused(write("x", "file"), "no such folder; a bundle is what")
    write('{"hidden_size": 768, "model_type": "bert"}', "settings.json")
    refused(
        tmp_path, f"settings.json must hold `format` {FORMAT} and a model's name. Received: for"
    )


SCALE = "document_attention/scale"
WEIGHTS = {
    "cut": (lambda w: w.update({SCALE: w[SCALE][1:]}), f"weights.safetensors: {SCALE} should have"),
    "turned": (
        lambda w: w.update({SCALE: w[SCALE].T}),
        f"weights.safetensors: {SCALE} should have",
    ),
    "missing": (lambda w: w.pop(SCALE), f"weights.safetensors: {SCALE} should have shape (32, 1)"),
    "too many": (
        lambda w: w.update(more=w[SCALE]),
        "weights.safetensors: more should not be there",
    ),
    "no table": (lambda w: w.pop("table"), "the bundle of a han is incomplete: 'table'"),
    "a short table": (lambda w: w.update(table=w["table"][1:]), "the table of vectors must have"),
    "a flat table": (
        lambda w: w.update(table=w["table"].ravel()),
        "the table of vectors must have",
    ),
    "a narrow table": (
        lambda w: w.update(table=w["table"][:, 1:]),
        "weights.safetensors: projection/gate_kernel should have shape (127, 64)",
    ),
    "NaN": (
        lambda w: w.update({SCALE: np.full_like(w[SCALE], np.nan)}),
        f"weight {SCALE} has values that are not finite. Received: nan (32 of 32 are not)",
    ),
    "infinite": (
        lambda w: w.update(table=np.full_like(w["table"], -np.inf)),
        "weight table has values that are not finite. Received: -inf",
    ),
    "no numbers": (lambda w: w.update({SCALE: w[SCALE] > 0}), f"weight {SCALE} must hold numbers"),
    "a name that climbs": (
        lambda w: w.update({"../../weight": w.pop(SCALE)}),
        "weights.safetensors: ../../weight should not be there",
    ),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_do_not_fit(damaged, name):
    change, message = WEIGHTS[name]
    weights = load_file(damaged / "weights.safetensors")
    change(weights)
    whole = {key: np.ascontiguousarray(weight) for key, weight in weights.items()}
    save_file(whole, damaged / "weights.safetensors")
    refused(damaged, message)


def test_weights_that_are_too_large_for_a_score(damaged):
    """Each is finite, their sums are not: no NaN gets into a ranking."""
    weights = load_file(damaged / "weights.safetensors")
    weights[SCALE] = np.full_like(weights[SCALE], 3e38)
    save_file(weights, damaged / "weights.safetensors")
    ranker = Ranker.load(damaged)
    for ask in (lambda: ranker.rank("flood", ["a flood"]), lambda: ranker.explain("flood", "a f")):
        with pytest.raises(BundleError, match="this han give scores that are not finite"):
            ask()
    assert "scores that are not finite" in mistake("rank", damaged, "flood", input="a flood\n")


@pytest.mark.parametrize("k1", [float("nan"), float("inf"), -1, "1.2", None])
def test_settings_of_a_bm25_that_are_no_numbers(words, tmp_path, k1):
    folder = shutil.copytree(words, tmp_path / "bm25")
    changed(folder, "settings.json", lambda values: values["bm25"].update(k1=k1))
    refused(folder, "settings.json does not describe a bm25 (k1 must be at least 0")


CLIMB = "../../../../../../../../etc/passwd"
CLIMBING = {
    "the model": ("settings.json", lambda v: v.update(model=CLIMB), "settings.json names no model"),
    "sizes": (
        "settings.json",
        lambda v: v.update(matcher=CLIMB),
        "settings.json does not describe",
    ),
    "a size": (
        "settings.json",
        lambda v: v["matcher"].update(gru=CLIMB),
        "settings.json does not describe a han",
    ),
    "a switch": (
        "settings.json",
        lambda v: v.update(split_sentences=CLIMB),
        "`split_sentences` must be true or false",
    ),
    "the tokenizer": (
        "settings.json",
        lambda v: v.update(tokenizer=CLIMB),
        "this model was trained with a tokenizer of its user's own",
    ),
    "the vocabulary": (
        "vocabulary.json",
        lambda v: v.update(kind="pieces", pieces=CLIMB),
        "the bundle of a han is incomplete: not a tokenizer's JSON text",
    ),
    "the words": (
        "vocabulary.json",
        lambda v: v.update(words=CLIMB),
        "the bundle of a han is incomplete: a vocabulary holds",
    ),
    "what nobody reads": (
        "settings.json",
        lambda v: v.update(path=CLIMB, matcher_path=CLIMB),
        None,
    ),
    "a word": ("vocabulary.json", lambda v: v["words"].__setitem__(-1, CLIMB), None),
}


@pytest.mark.parametrize("name", CLIMBING)
def test_no_value_of_a_bundle_is_a_path(damaged, name):
    file, change, message = CLIMBING[name]
    changed(damaged, file, change)
    if message:
        refused(damaged, message)
    else:
        assert good("rank", damaged, "flood", input="a flood\n").stdout.endswith("\ta flood\n")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_file_that_is_a_link_out_of_its_bundle(damaged, tmp_path, name):
    outside = shutil.move(damaged / name, tmp_path / name)
    (damaged / name).symlink_to(outside)
    refused(damaged, f"{name} must be a file in the folder itself. Received: a link to {outside}")
    (damaged / name).unlink()
    (damaged / name).symlink_to(os.path.relpath(outside, damaged))
    refused(damaged, f"{name} must be a file in the folder itself. Received: a link to {outside}")


def test_links_that_stay_in_their_bundle_or_lead_to_it(damaged, tmp_path):
    (damaged / "settings.json").rename(damaged / "real.json")
    (damaged / "settings.json").symlink_to("real.json")
    (tmp_path / "link").symlink_to(damaged)
    assert Ranker.load(tmp_path / "link").bundle.model == "han"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_links_to_nothing_and_files_that_are_none(damaged, name):
    (damaged / name).unlink()
    (damaged / name).symlink_to(name)
    refused(damaged, f"{name} cannot be read (")
    (damaged / name).unlink()
    (damaged / name).symlink_to("nothing")
    refused(damaged, f"not a bundle, {name} is missing")
    (damaged / name).unlink()
    os.mkfifo(damaged / name)  # whoever reads it waits for ever
    refused(damaged, f"{name} cannot be read (it is not a file)")
