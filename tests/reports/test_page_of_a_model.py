"""What the attention page says of the model, of labels and of classes, from plain values."""

import pytest
from explanations import explained, of_class, verdict, whole
from page_reader import Page

from ir_attention.errors import DataError
from ir_attention.reports.heatmaps import attention_page

QUERY = "Ivy League cancels winter sports"
DOCUMENT = 'It\'s "off", then. (So sad!) \n\nThe Ivy rests.'


@pytest.fixture
def full():
    return whole(QUERY, DOCUMENT)


def test_where_effects_should_come_first_but_are_not_there_the_top_says_so(full):
    bare = {name: values for name, values in full.items() if not name.endswith("_effects")}
    bare |= {"shading": "effects"}
    (notice,) = Page(attention_page([full, bare])).texts["notice"]
    assert notice.startswith("Document 2 is shaded by attention alone.")
    assert "explain --effects" in notice
    for values in (full | {"shading": "effects"}, bare | {"shading": "attention"}):
        assert "notice" not in Page(attention_page(values)).texts
    empty = explained(["a"]) | {"shading": "effects"}
    assert "notice" not in Page(attention_page(empty)).texts


def test_above_the_shades_stands_what_was_measured_of_the_model(full):
    page = attention_page([full | {"model_verdict": verdict()}] * 2)
    (said,) = Page(page).texts["model"]
    attention, effects, on = said.strip().split("\n")
    assert attention == (
        "Attention explains this model worse than chance: erasing words in its order takes 0.25 "
        "(0.15 to 0.35) off the score, 0.5 times the 0.50 (0.40 to 0.60) of random orders; the "
        "difference is −0.25 (−0.35 to −0.15)."
    )
    assert effects.startswith("Leaving out each word explains this model better than chance: ")
    assert on.startswith("Measured on 120 pairs of 60 queries of test.tsv, in units of the score")
    assert "<strong>Attention explains this model worse than chance</strong>:" in page
    assert page.index('class="model"') < page.index('class="legend"')


def test_of_a_model_that_was_not_measured_the_page_says_how_to(full):
    (said,) = Page(attention_page(full)).texts["model"]
    assert "was not measured. ir-attention faithfulness BUNDLE PAIRS --keep" in said


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (3, "must have `area`. Received: 3"),
        (verdict() | {"pairs": "many"}, "must count pairs and queries"),
        (verdict() | {"data": ["x"]}, "must be the name of a file"),
        (verdict() | {"area": {"attention": {}}}, "needs numbers value, low.*of attention"),
        (verdict(chance=float("nan")), "numbers of attention must be finite"),
    ],
)
def test_a_verdict_that_a_stranger_wrote_is_checked(full, bad, message):
    with pytest.raises(DataError, match=message):
        attention_page(full | {"model_verdict": bad})
    name = verdict() | {"data": "<script>" + "x" * 900}
    page = attention_page(full | {"model_verdict": name})
    assert "<script" not in page and "x" * 201 not in page


def test_the_label_that_is_known_stands_before_the_score(full):
    heads = Page(attention_page([full, full], [1, 0.5])).texts["h2"]
    assert heads[:2] == ["Document 1, label 1, score 1.250", "Document 2, label 0.5, score 1.250"]
    assert Page(attention_page(full, [2])).texts["h2"][0] == "Label 2, score 1.250"
    with pytest.raises(DataError, match="each of the 1 documents. Received: 2"):
        attention_page(full, [1, 0])
    with pytest.raises(DataError, match="a label must hold finite"):
        attention_page(full, [float("inf")])


def test_the_class_of_a_document_has_its_probability_and_no_query():
    values = of_class('A "dull" film. Or so I thought!', good=0.9)
    page = attention_page(values | {"shading": "effects"}, ["bad"])
    texts = Page(page).texts
    assert texts["h2"][0] == "Class good, probability 0.900"
    assert texts["outcome"] == [
        "The label that is known: bad, not what was predicted. Confidence 0.80. Probabilities: "
        "good 0.900, bad 0.100."
    ]
    assert texts["text"] == ['A "dull" film.', "Or so I thought!"]
    assert len(texts["chip"]) == 2
    assert "query" not in texts and "model" not in texts and "Query" not in texts["h3"]
    assert "effect on the class" in texts["label"][1]
    assert "log-odds of the class" in texts["footer"][0] and "match" not in texts["footer"][0]
    assert "of a query word" not in texts["footer"][0]
    assert "as predicted" in Page(attention_page(values, ["good"])).texts["outcome"][0]


def test_of_three_classes_there_is_no_confidence_and_of_many_the_first_are_said():
    values = of_class("So it is.") | {"classes": [1, 2, 3], "label": 3}
    values |= {"probabilities": [0.25, 0.25, 0.5]}
    texts = Page(attention_page(values)).texts
    assert texts["h2"][0] == "Class 3, probability 0.500"
    assert texts["outcome"] == ["Probabilities: 3 0.500, 1 0.250, 2 0.250."]
    values |= {"classes": list(range(9)), "probabilities": [1 / 9] * 9}
    assert "4 0.111, and 4 more." in Page(attention_page(values)).texts["outcome"][0]


@pytest.mark.parametrize(
    ("other", "labels", "message"),
    [
        ({"label": "fair"}, None, "one of the classes bad, good. Received: 'fair'"),
        ({"probabilities": [1.0]}, None, r"probabilities must have the shape \(2,\)"),
        ({}, ["fair"], "a label must be one of the classes: bad, good"),
    ],
)
def test_what_does_not_fit_of_a_class_is_said(other, labels, message):
    with pytest.raises(DataError, match=message):
        attention_page(of_class("So it is.") | other, labels)
    values = of_class("So it is.")
    del values["probabilities"]
    with pytest.raises(DataError, match="explanation of a class needs"):
        attention_page(values)


def test_scores_and_classes_do_not_stand_side_by_side(full):
    with pytest.raises(DataError, match="all be of scores, or all of classes"):
        attention_page([full, of_class("So it is.")])
