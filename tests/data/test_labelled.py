"""Labelled documents: what is read, what is refused, how they are split and cut."""

import json

import numpy as np
import pandas as pd
import pytest

from ir_attention.data.labelled import (
    as_classes,
    classes_of,
    cut_documents,
    read_labelled,
    split_by_text,
    without_markup,
)
from ir_attention.errors import DataError


def test_reads_raw_text_under_ones_own_names(tmp_path):
    file = tmp_path / "reviews.csv"
    file.write_text('Review,Stars\n"Fine, really.",4\nDull,1\n')
    found = read_labelled(file, {"text": "Review", "label": "Stars"})
    assert found["text"].tolist() == ["Fine, really.", "Dull"]
    assert found["label"].tolist() == [4, 1]


def test_reads_nested_words_with_ratings(tmp_path):
    file = tmp_path / "reviews.jsonl"
    rows = [
        {"tokens": [["so", "dull"], [], ["never", "again"]], "rating": 2},
        {"tokens": [[7, 3], [12]], "rating": 10},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_labelled(file)
    assert found["text"].tolist() == [
        (("so", "dull"), (), ("never", "again")),
        (("7", "3"), ("12",)),
    ]
    assert found["label"].tolist() == [2, 10]


def test_a_column_of_our_name_comes_before_others():
    frame = pd.DataFrame({"text": ["a"], "tokens": [[["b"]]], "label": [1], "rating": [9]})
    found = read_labelled(frame)
    assert found["text"].tolist() == ["a"] and found["label"].tolist() == [1]


def test_labels_are_numbers_if_all_are():
    for labels, wanted in (
        (["1", "10", "2"], [1, 10, 2]),
        ([1.0, 10.0, 2.0], [1, 10, 2]),
        ([True, False, True], [1, 0, 1]),
        (["True", "False", "True"], [1, 0, 1]),
        (["True", "False", "maybe"], ["True", "False", "maybe"]),
        (["yes", "no ", "yes"], ["yes", "no", "yes"]),
        (["1", "a", "2"], ["1", "a", "2"]),
    ):
        frame = pd.DataFrame({"text": ["a", "b", "c"], "label": labels})
        assert read_labelled(frame)["label"].tolist() == wanted


def test_classes_are_sorted_and_their_numbers_begin_at_0():
    classes, numbers = classes_of(pd.Series([10, 1, 3, 10]))
    assert classes == [1, 3, 10] and numbers.tolist() == [2, 0, 1, 2]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"text": ["a", None], "label": [1, 2]}, "row 1: text must be text, or a list"),
        ({"text": ["a", [1, 2]], "label": [1, 2]}, "row 1: text must be text, or a list"),
        ({"text": [[["a", " "]], "b"], "label": [1, 2]}, "row 0: text must be text, or a list"),
        ({"text": ["a", "\ud800"], "label": [1, 2]}, "row 1: text must be text, or a list"),
        ({"text": ["a", "b"], "label": ["x", None]}, "row 1: label must be of one kind"),
        ({"text": ["a", "b"], "label": ["x", 1]}, "row 1: label must be of one kind"),
        ({"text": ["a", "b"], "label": [1.5, 2.0]}, "row 0: label must be a class"),
        ({"text": ["a", "b"], "label": [1.0, np.nan]}, r"row 1: label must be a class.*\(1 of 2"),
        ({"text": ["a", "b"], "label": ["", "x"]}, "row 0: label must be of one kind"),
        ({"words": ["a"], "label": [1]}, "no column 'text'"),
        ({"text": ["a"]}, "no column 'label'"),
    ],
)
def test_says_what_is_wrong_and_where(columns, said):
    with pytest.raises(DataError, match=said):
        read_labelled(pd.DataFrame(columns, dtype=object))


def test_one_column_cannot_be_both():
    with pytest.raises(DataError, match="two columns"):
        read_labelled(pd.DataFrame({"a": ["x"]}), {"text": "a", "label": "a"})
    with pytest.raises(DataError, match=r"Received: \['query'\]"):
        read_labelled(pd.DataFrame({"a": ["x"]}), {"query": "a"})


def test_a_split_keeps_equal_texts_together_and_shares_out_each_class():
    texts = [f"text {number % 90}" for number in range(100)]  # ten stand there twice
    labels = [int(number % 90 < 60) for number in range(100)]
    frame = pd.DataFrame({"text": texts, "label": labels})
    train, dev = split_by_text(frame, (0.8, 0.2), seed=3)
    assert not set(train["text"]) & set(dev["text"])
    assert len(train) + len(dev) == 100
    # A fifth of the 60 and of the 30 texts.
    assert dev.drop_duplicates("text")["label"].tolist().count(1) == 12
    assert dev.drop_duplicates("text")["label"].tolist().count(0) == 6
    again = split_by_text(frame, (0.8, 0.2), seed=3)
    assert again[1].equals(dev)
    assert not split_by_text(frame, (0.8, 0.2), seed=4)[1].equals(dev)


def test_a_split_without_a_document_is_refused():
    frame = pd.DataFrame({"text": ["a", "b"], "label": [0, 1]})
    with pytest.raises(DataError, match="each part must have a document"):
        split_by_text(frame, (0.98, 0.02), seed=1)
    with pytest.raises(DataError, match="sum to 1"):
        split_by_text(frame, (0.5, 0.2), seed=1)


def test_markup_becomes_white_space_of_its_length():
    text = "Good.<br /><br />1 < 2, a<b and <i>so</i> on<!-- no -->"
    plain = without_markup(text)
    assert len(plain) == len(text)
    assert plain.split() == ["Good.", "1", "<", "2,", "a<b", "and", "so", "on"]
    assert without_markup("<" * 1000) == "<" * 1000


def test_documents_are_cut_or_stay_as_they_are():
    cut = cut_documents(["Be good. Be <b>kind</b>!", (("a", "b"), (), ("Be",)), "", ("c",) and ()])
    words = [cut.written[place] for place in cut.word]
    assert words == ["Be", "good", "Be", "kind", "a", "b", "Be"]
    assert cut.sentence_lengths.tolist() == [2, 2, 2, 1]
    assert cut.sentence_counts.tolist() == [2, 2, 0, 0]
    whole = cut_documents(["Be good. Be kind!", (("a", "b"), ("c",))], split_sentences=False)
    assert whole.sentence_lengths.tolist() == [4, 3]
    assert np.array_equal(whole.sentence_counts, [1, 1])


def test_labels_are_the_classes_that_a_model_knows():
    classes = ["1", "2", "n/a"]
    assert as_classes(pd.Series([1, 2, 2]), classes).tolist() == ["1", "2", "2"]
    assert as_classes(pd.Series(["1", "x"]), [1, 2]).tolist() == [1, "x"]


def test_classes_of_few_texts_are_shared_out_together():
    frame = pd.DataFrame(
        {"text": [f"t{n}" for n in range(100)], "label": [n % 25 for n in range(100)]}
    )
    train, dev = split_by_text(frame, (0.9, 0.1), seed=3)
    assert (len(train), len(dev)) == (90, 10)
    assert not set(train["text"]) & set(dev["text"])
