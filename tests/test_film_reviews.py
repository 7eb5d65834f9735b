"""Our own reviews: what the data card says."""

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from ir_attention.data.labelled import read_labelled
from ir_attention.evaluation.intervals import wilson_interval
from ir_attention.text import sentence_texts, sentences, words

HOME = Path(__file__).parents[1] / "datasets" / "film_reviews"
CARD = " ".join((HOME / "README.md").read_text(encoding="utf-8").split())
PARTS = ["train", "test"]
NAMES = ["bad", "good"]
NEGATION = re.compile(
    r"\b(not|never|no|nobody|nothing|none|neither|hardly|rarely)\b|n't\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def parts():
    """Rows of the files, by a reader that is not ours."""
    found = {}
    for part in PARTS:
        with (HOME / f"{part}.csv").open(encoding="utf-8", newline="") as file:
            found[part] = list(csv.DictReader(file))
    return found


@pytest.fixture(scope="module")
def every(parts):
    return [row for part in PARTS for row in parts[part]]


def test_the_counts(parts):
    for part, rows in parts.items():
        labels = Counter(row["label"] for row in rows)
        assert set(labels) == {"0", "1"}
        assert f"| {part} | {len(rows)} | {labels['1']} | {labels['0']} |" in CARD
    assert [len(parts[part]) for part in PARTS] == [80, 40]


def test_the_tables_of_the_card(parts):
    ratings = {part: Counter(row["rating"] for row in rows) for part, rows in parts.items()}
    assert set(ratings["train"]) == set(ratings["test"]) == set("1234789") | {"10"}
    for rating in ratings["train"]:
        assert f"| {rating} | {ratings['train'][rating]} | {ratings['test'][rating]} |" in CARD
    for part, rows in parts.items():
        for label, name in enumerate(NAMES):
            texts = [row["text"] for row in rows if row["label"] == str(label)]
            mean_sentences = np.mean([len(sentences(text)) for text in texts])
            mean_words = np.mean([len(words(text)) for text in texts])
            assert f"| {part} | {name} | {mean_sentences:.1f} | {mean_words:.0f} |" in CARD


def test_ratings_and_labels_agree(every):
    for row in every:
        assert (int(row["rating"]) > 5) == (row["label"] == "1"), row["text"]


def test_first_and_last(parts):
    assert parts["train"][0]["text"].startswith("Ugh. I fell for the good reviews again.")
    assert (parts["train"][0]["label"], parts["train"][0]["rating"]) == ("0", "2")
    assert parts["test"][-1]["text"].startswith("I do not normally write reviews.")
    assert (parts["test"][-1]["label"], parts["test"][-1]["rating"]) == ("1", "8")


def test_texts_are_reviews_and_differ(every):
    texts = [row["text"] for row in every]
    assert len(set(texts)) == 120
    for text in texts:
        assert 3 <= len(sentences(text)) <= 9 and 20 <= len(words(text)) <= 100, text
        assert text == text.strip() and "  " not in text
    negated = np.mean([bool(NEGATION.search(text)) for text in texts])
    assert negated == pytest.approx(5 / 6, abs=0.03)
    # No template: of sentences of more than six words none is there twice.
    cut = [one for text in texts for one in sentence_texts(text)]
    long = [one for one in cut if len(words(one)) > 6]
    assert len(long) > 300 and len(set(long)) == len(long)


def test_our_reader_agrees(parts):
    for part, rows in parts.items():
        found = read_labelled(HOME / f"{part}.csv")
        assert found["text"].tolist() == [row["text"] for row in rows]
        assert found["label"].tolist() == [int(row["label"]) for row in rows]


def test_what_a_linear_model_makes_of_it(parts, every):
    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10, max_iter=500)
    )
    labels = {part: [row["label"] for row in rows] for part, rows in parts.items()}
    texts = {part: [row["text"] for row in rows] for part, rows in parts.items()}
    said = model.fit(texts["train"], labels["train"]).predict(texts["test"])
    right = int((said == labels["test"]).sum())
    low, high = (f"{end:.2f}".lstrip("0") for end in wilson_interval(right, 40))
    assert f"about {right} of the 40 test reviews" in CARD
    assert f".85 with a 95 % interval of {low} to {high}" in CARD and right / 40 == 0.85
    folds = StratifiedKFold(10, shuffle=True, random_state=1)
    all_texts, all_labels = [row["text"] for row in every], [row["label"] for row in every]
    assert cross_val_score(model, all_texts, all_labels, cv=folds).mean() == pytest.approx(
        0.78, abs=0.02
    )
    seen = {word.lower() for text in texts["train"] for word in words(text)}
    new = [word.lower() not in seen for text in texts["test"] for word in words(text)]
    assert f"{np.mean(new):.0%}".replace("%", " %") + " do not occur in train" in CARD
