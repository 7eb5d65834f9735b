"""`explain`: what its text says, and what it writes."""

import json

import pytest
from cli_calls import good, mistake

from ir_attention.bundle import Bundle

QUERY, DOCUMENT = "flood in Oslo", "So the flood near #Oslo. Wow!"


def words(lines):
    return [line for line in lines if line.startswith("  ") and ">" not in line]


def test_effects_come_first_and_their_bars_show_them(bundle, ranker):
    lines = good("explain", bundle, QUERY, DOCUMENT).stdout.splitlines()
    explained = ranker.explain(QUERY, DOCUMENT)
    assert lines[0] == f"score {explained.score:.4f}"
    assert lines[1] == "each word's effect on the score, and its attention"
    rows = [line.split() for line in words(lines)]
    assert [row[-1] for row in rows] == [*explained.query_words, *explained.document_words]
    effects = [*explained.query_effects, *explained.document_effects]
    assert [float(row[0]) for row in rows] == pytest.approx(effects, abs=6e-4)
    weights = [*explained.query_weights, *explained.word_weights]
    assert [float(row[-2]) for row in rows] == pytest.approx(weights, abs=6e-3)
    largest = max(map(abs, effects))
    for row, effect in zip(rows, effects, strict=True):
        bar = row[1] if len(row) == 4 else ""
        assert bar == ("-" if effect < 0 else "#") * round(20 * abs(effect) / largest)
    pairs = [line.partition(" > ")[2] for line in lines if " > " in line]
    assert pairs == explained.matrix().idxmax(axis=1).tolist()
    assert "-0.000" not in " ".join(lines)


def test_without_effects_attention_is_shown_and_said_to_be_less(bundle, ranker):
    said = good("explain", bundle, QUERY, DOCUMENT, "--no-effects", "--label", 1).stdout
    lines = said.splitlines()
    explained = ranker.explain(QUERY, DOCUMENT, effects=False)
    assert lines[:2] == [f"label 1, score {explained.score:.4f}", "each word's attention"]
    weights = [*explained.query_weights, *explained.word_weights]
    found = [float(line.split()[0]) for line in words(lines)]
    assert found == pytest.approx(weights, abs=6e-3)
    assert lines[-1].startswith("Effects were not computed") and "--effects" in lines[-1]


def test_effects_of_a_long_text_are_there_on_request(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("ir_attention.ranking.erasing.AFFORDABLE", 10)
    assert "Effects were not computed" in good("explain", bundle, QUERY, DOCUMENT).stdout
    asked = good("explain", bundle, QUERY, DOCUMENT, "--effects").stdout
    assert "Effects were not computed" not in asked
    page = tmp_path / "o.html"
    good("explain", bundle, QUERY, DOCUMENT, "-o", page)
    assert "shaded by attention alone" in page.read_text()
    good("explain", bundle, QUERY, DOCUMENT, "-o", page, "--effects")
    assert "shaded by attention alone" not in page.read_text() and "<svg" in page.read_text()


def test_explain_writes_a_page_a_picture_and_the_numbers(bundle, ranker, tmp_path):
    query = "flood <b>in</b> Oslo"
    for name, start in (("o.html", b"<!DOCTYPE html>"), ("o.PNG", b"\x89PNG"), ("o.json", b"[{")):
        assert good("explain", bundle, query, DOCUMENT, "-o", tmp_path / name).output == ""
        assert (tmp_path / name).read_bytes().startswith(start)
    (item,) = json.loads((tmp_path / "o.json").read_text())
    explained = ranker.explain(query, DOCUMENT, curves=True)
    assert item["explanation"] == json.loads(json.dumps(explained.to_json()))
    assert (item["text"], item["label"]) == (explained.document_words, None)
    assert item["prediction"] == pytest.approx(explained.score)
    page = (tmp_path / "o.html").read_text()
    assert "<b>in</b>" not in page and "Is that why?" in page


def test_explain_takes_several_documents(bundle, ranker, tmp_path):
    texts = [DOCUMENT, "comet talk", "flood"]
    lines = good("explain", bundle, QUERY, *texts).stdout.splitlines()
    scores = [ranker.explain(QUERY, text).score for text in texts]
    assert [line for line in lines if line.startswith(("document ", "score"))] == [
        line
        for number, score in enumerate(scores, 1)
        for line in (f"document {number}", f"score {score:.4f}")
    ]
    labels = ["--label", 1, "--label", 0, "--label", 0.5]
    for name in ("o.html", "o.png", "o.json"):
        good("explain", bundle, QUERY, *texts, "-o", tmp_path / name, *labels)
    page = (tmp_path / "o.html").read_text()
    assert page.count("<article ") == 3 and "Document 3, label 0.5, score" in page
    items = json.loads((tmp_path / "o.json").read_text())
    assert [item["label"] for item in items] == [1.0, 0.0, 0.5]
    assert [item["id"] for item in items] == ["document_1", "document_2", "document_3"]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_labels_are_finite_and_one_for_each_document(bundle, tmp_path, number):
    out = tmp_path / "o.json"
    said = mistake("explain", bundle, "q", "d", "e", "-o", out, "--label", 1)
    assert "each of the 2 documents. Received: 1" in said
    said = mistake("explain", bundle, "q", "d", "-o", out, f"--label={number}")
    assert f"--label must be a finite number. Received: {number}" in said
    assert not out.exists()


def test_explain_shows_a_document_without_words(bundle):
    assert good("explain", bundle, "flood", "...").stdout.startswith("score ")


def test_what_a_stranger_wrote_into_a_bundle_is_one_line(bundle, tmp_path):
    strange = Bundle.load(bundle)
    for kept in ("much better", {"area": 3}, {"pairs": 1, "queries": 1, "area": {}}):
        strange.settings["faithfulness"] = kept
        folder = strange.save(tmp_path / "strange", overwrite=True)
        for out in ([], ["-o", tmp_path / "o.html"], ["-o", tmp_path / "o.json"]):
            assert "a verdict on a model" in mistake("explain", folder, "flood", "a flood", *out)
