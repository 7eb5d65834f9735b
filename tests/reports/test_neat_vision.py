"""Explanations in neat-vision's format, held to items in the form of its own samples."""

import json

import pytest
from explanations import HOSTILE, explained, of_class, whole

from ir_attention.errors import DataError
from ir_attention.reports.heatmaps import word_shares
from ir_attention.reports.neat_vision import neat_vision_items, neat_vision_labels

# Made up, with the keys, their order and the kinds of values that its samples have: of a regression
# `ntua-slp_semeval2018_task1_ei-reg_*.json`, of a classification `..._task3b_gold.json`, and
# `labels_task3_b.json`. They pad the attention with zeros.
REGRESSION = {
    "text": ["calm", "sea"],
    "label": 0.25,
    "prediction": 0.5,
    "posterior": 0.5,
    "attention": [0.75, 0.25, 0.0],
    "id": "dev_0",
}
CLASSIFICATION = {
    "text": ["calm", "sea"],
    "label": 0,
    "prediction": 1,
    "posterior": [0.25, 0.75],
    "attention": [0.75, 0.25, 0.0],
    "id": "dev_0",
}
LABELS = {"0": {"name": "rough", "desc": "rough"}, "1": {"name": "calm", "desc": "calm"}}


def form(value):
    """The keys in their order, and the kinds of values: what a reader of the format relies on."""
    if isinstance(value, dict):
        return {key: form(part) for key, part in value.items()}
    if isinstance(value, list):
        kinds = {json.dumps(form(part)) for part in value}
        assert len(kinds) == 1, "values of one kind"
        return [json.loads(kinds.pop())]
    return type(value).__name__


def check_form(items, sample):
    """Raises an AssertionError unless the items have the form of the sample, and ids of their own.

    Beside it each has an `explanation`, which neat-vision passes over.
    """
    for item in items:
        ours = {key: part for key, part in item.items() if key != "explanation"}
        assert list(ours) == list(sample)
        assert form(ours) == form(sample)
        # Its samples pad the attention with zeros; never is it shorter.
        assert len(item["attention"]) >= len(item["text"])
    assert len({item["id"] for item in items}) == len(items)


@pytest.mark.parametrize("text", [HOSTILE[name] for name in HOSTILE if name != "marks"])
def test_items_of_scores_are_those_of_a_regression_and_hold_the_whole_explanation(text):
    values = [whole("Ivy League", text), explained(["a"], ["b", "c"], ["d"])]
    items = json.loads(json.dumps(neat_vision_items(values, [1, 0.5])))
    check_form(items, REGRESSION)
    assert [item["label"] for item in items] == [1, 0.5]
    assert [item["explanation"] for item in items] == values
    for item, one in zip(items, values, strict=True):
        assert item["text"] == one["document_words"]
        assert item["attention"] == pytest.approx(word_shares(one), abs=1e-6)
        assert len(item["attention"]) == len(item["text"])
        assert item["prediction"] == item["posterior"] == one["score"]


def test_items_of_classes_are_those_of_a_classification():
    values = [of_class("I laughed. Twice!", good=0.75), of_class("So dull.", good=0.25)]
    items = json.loads(json.dumps(neat_vision_items(values, ["bad", "bad"])))
    check_form(items, CLASSIFICATION)
    assert [(item["label"], item["prediction"]) for item in items] == [(0, 1), (0, 0)]
    assert [item["posterior"] for item in items] == [[0.25, 0.75], [0.75, 0.25]]
    assert items[0]["text"] == ["I", "laughed", "Twice"]
    assert items[0]["attention"] == pytest.approx(word_shares(values[0]), abs=1e-6)
    assert items[1]["explanation"] == values[1]


def test_the_labels_file_names_each_class_by_its_number():
    named = json.loads(json.dumps(neat_vision_labels(["rough", "calm"])))
    assert (named, form(named)) == (LABELS, form(LABELS))
    assert neat_vision_labels([1, 5])["1"] == {"name": "5", "desc": "5"}


def test_without_labels_there_is_none():
    for values in (whole("Ivy", "Ivy rests."), of_class("Ivy rests.")):
        (item,) = neat_vision_items([values])
        assert item["label"] is None
    assert neat_vision_items([]) == []


def test_a_document_without_words_has_no_attention():
    (item,) = neat_vision_items([whole("Ivy", HOSTILE["marks"])], [0])
    assert (item["text"], item["attention"]) == ([], [])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 0], "each of the 1 documents. Received: 2"),
        ([float("nan")], "a label must hold finite"),
        (["good"], "a label must hold numbers"),
    ],
)
def test_labels_are_finite_and_as_many_as_documents(labels, message):
    with pytest.raises(DataError, match=message):
        neat_vision_items([whole("Ivy", "Ivy rests.")], labels)


def test_a_label_is_not_rounded():
    (item,) = neat_vision_items([whole("Ivy", "Ivy rests.")], [1234567.125])
    assert item["label"] == 1234567.125
