"""The command line with a classifier: train, evaluate, score, explain."""

import json

import pandas as pd
import pytest
from cli_calls import good, mistake

from ir_attention.ranking.classifier import Classifier

TEXTS = ["A wonderful film. So superb!", "Dreadful. I left.", "Not superb, not dreadful."] * 12
STARS = [5, 1, 3] * 12
SMALL = ["--set", "width=8", "--set", "gru=3", "--set", "pool=3", "--epochs", "1"]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    pd.DataFrame({"Review": TEXTS, "Stars": STARS, "id": range(36)}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def model(reviews):
    out = reviews.with_name("model")
    columns = ["--text", "Review", "--label", "Stars"]
    dev = ["--dev", reviews]
    more = ["--plot", out.with_name("loss.png"), "--set", "log_every=1", "--set", "batch=36"]
    call = ["train", reviews, "--model", "han-classifier", "-o", out, *columns, *dev, *SMALL]
    result = good(*call, *more)
    assert f"wrote {out}" in result.stderr and "dev accuracy" in result.stderr
    assert "epoch 1, step 1 of 1: so far in this epoch loss" in result.stderr
    assert out.with_name("loss.png").read_bytes().startswith(b"\x89PNG")
    return out


def test_a_plot_is_a_png(reviews, tmp_path):
    call = ["train", reviews, "--model", "han-classifier", "-o", tmp_path / "m"]
    assert ".png" in mistake(*call, "--plot", tmp_path / "loss.jpg")
    assert "its folder does not exist" in mistake(*call, "--plot", tmp_path / "none" / "loss.png")
    assert not (tmp_path / "m").exists()


def test_evaluate_says_how_often_classes_are_right(reviews, model):
    args = ["evaluate", model, reviews, "--text", "Review", "--label", "Stars"]
    found = json.loads(good(*args, "--json").stdout)
    classifier = Classifier.load(model)
    right = [one == star for one, star in zip(classifier.predict(TEXTS), STARS, strict=True)]
    assert found["documents"] == 36
    assert found["measures"]["accuracy"] == pytest.approx(sum(right) / 36)
    low, high = found["intervals"]["accuracy"]
    assert 0 <= low <= found["measures"]["accuracy"] <= high <= 1
    printed = good(*args).stdout
    assert f"{sum(right) / 36:.4f}" in printed and "95 % interval" in printed


def test_score_adds_the_class_to_the_rows(reviews, model, tmp_path):
    out = tmp_path / "scored.csv"
    good("score", model, reviews, "--text", "Review", "-o", out)
    scored = pd.read_csv(out)
    assert scored.columns.tolist() == ["Review", "Stars", "id", "predictions", "probability"]
    classifier = Classifier.load(model)
    assert scored["predictions"].tolist() == classifier.predict(TEXTS).tolist()
    best = classifier.probabilities(TEXTS).max(axis=1)
    assert scored["probability"].tolist() == pytest.approx(best.tolist())


def test_explain_takes_texts_and_no_query(model, tmp_path):
    printed = good("explain", model, TEXTS[0]).stdout
    assert "> " in printed and "superb" in printed and "sentence 2, weight" in printed
    page = tmp_path / "page.html"
    good("explain", model, TEXTS[0], "<script>alert(1)</script> dull", "-o", page)
    assert "superb" in page.read_text() and "<script" not in page.read_text()


def test_what_a_classifier_has_no_use_for_is_refused(reviews, model, bundle, tmp_path):
    train = ["train", reviews, "-o", tmp_path / "m"]
    assert "--query says nothing" in mistake(
        *train, "--model", "han-classifier", "--query", "Review"
    )
    assert "--text says nothing" in mistake(*train, "--text", "Review")
    said = mistake(*train, "--model", "han-classifier")
    assert "no column 'text'" in said and "--text, --label" in said
    assert "Classifier.load" in mistake("rank", model, "a query", reviews)
    assert "DOCUMENT" in mistake("explain", bundle, "a query alone")
    for option in (["--query", "x"], ["--mixed"], ["--measures", "AP"], ["--run", tmp_path / "r"]):
        assert f"{option[0]} says nothing" in mistake("evaluate", model, reviews, *option)
    assert not (tmp_path / "r").exists()
    assert "--query-id says nothing" in mistake("score", model, reviews, "--query-id", "x")
    given = [*train, "--model", "han-classifier", "--measure", "AP"]
    assert "--measure says nothing" in mistake(*given)
    assert "DOCUMENT must be a text" in mistake("explain", model, " ")


def test_models_names_it():
    assert "han-classifier" in good("models").stdout
