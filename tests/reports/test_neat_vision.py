"""Explanations in neat-vision's format, by the keys and kinds of its README and its samples."""

import json
from numbers import Real

import pytest
from explanations import HOSTILE, explained, whole

from ir_attention.errors import DataError
from ir_attention.reports.heatmaps import word_shares
from ir_attention.reports.neat_vision import neat_vision_items

KINDS = {  # of a regression, such as its samples ntua-slp_semeval2018_task1_ei-reg_*.json
    "text": list,
    "label": Real,
    "prediction": Real,
    "posterior": Real,
    "attention": list,
    "id": str,
}


def check_schema(items, labelled=True):
    """Raises an AssertionError unless neat-vision could read it."""
    assert isinstance(items, list)
    for item in items:
        assert list(item)[: len(KINDS)] == list(KINDS)
        for key, kind in KINDS.items():
            if key == "label" and not labelled:
                assert item[key] is None
            else:
                assert isinstance(item[key], kind) and not isinstance(item[key], bool), key
        assert all(isinstance(word, str) for word in item["text"])
        assert all(isinstance(weight, float) for weight in item["attention"])
        # Its samples pad the attention with zeros; never is it shorter.
        assert len(item["attention"]) >= len(item["text"])
    ids = [item["id"] for item in items]
    assert len(ids) == len(set(ids))


def test_a_sample_of_the_format_fits_the_schema():
    check_schema(
        [
            {
                "text": ["calm", "sea"],
                "label": 0.25,
                "prediction": 0.5,
                "posterior": 0.5,
                "attention": [0.75, 0.25, 0.0],
                "id": "dev_0",
            }
        ]
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_items_fit_the_schema_and_hold_the_whole_explanation(text):
    values = [whole("Ivy League", text), explained(["a"], ["b", "c"], ["d"])]
    items = json.loads(json.dumps(neat_vision_items(values, [1, 0.5])))
    check_schema(items)
    assert [item["label"] for item in items] == [1, 0.5]
    assert [item["explanation"] for item in items] == values
    for item, one in zip(items, values, strict=True):
        assert item["text"] == one["document_words"]
        assert item["attention"] == pytest.approx(word_shares(one), abs=1e-6)
        assert len(item["attention"]) == len(item["text"])
        assert item["prediction"] == item["posterior"] == one["score"]


def test_without_labels_there_is_none():
    items = neat_vision_items([whole("Ivy", "Ivy rests.")])
    check_schema(items, labelled=False)


def test_labels_are_as_many_as_documents():
    with pytest.raises(DataError, match="each of the 1 documents. Received: 2"):
        neat_vision_items([whole("Ivy", "Ivy rests.")], [1, 0])
