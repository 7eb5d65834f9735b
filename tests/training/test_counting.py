"""The models without epochs: `tfidf` against scikit-learn, `lexical` against its own optimum."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from ir_attention.data.matches import OVERALL_FEATURES
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.errors import DataError
from ir_attention.ranking import Ranker
from ir_attention.scoring.lexical import FEATURES, pair_features
from ir_attention.scoring.tfidf import TfidfScorer
from ir_attention.text import STOP_WORDS, normal, stems, words
from ir_attention.training import train
from ir_attention.training.counting import fit_lexical

READY = ["lexical", "tfidf"]


def silent(line):
    pass


@pytest.fixture(scope="module")
def dev(toy_pairs):
    """Toy pairs with words that the training has not, an empty text, and one of stop words."""
    dev = toy_pairs.tail(60)[["text_left", "text_right", "label"]]
    odd = ["Zyxxquorn quadrant zyxxquorn", "", "the of", "comet in Perth", "42 comets, 7 floods 3"]
    more = dev.head(5).assign(text_right=odd)
    asked = more.assign(text_left="quadrants of 7")
    return pd.concat([dev, more, asked, asked.assign(text_left="")], ignore_index=True)


@pytest.fixture(scope="module", params=READY)
def trained(request, toy_pairs, dev, tmp_path_factory):
    out = tmp_path_factory.mktemp("ready") / request.param
    return train(toy_pairs.head(180), dev, model=request.param, out=out, say=silent)


def test_the_bundle_scores_as_the_training_did(trained, dev):
    ranker = Ranker.load(trained.folder)
    scores = ranker.score(dev)["score"].to_numpy()
    again = Ranker.load(trained.folder).score(dev[::-1])["score"].to_numpy()[::-1]
    np.testing.assert_array_equal(scores, again)
    alone = [
        ranker.rank(query, [document])["score"][0]
        for query, document in zip(dev["text_left"], dev["text_right"], strict=True)
    ]
    np.testing.assert_allclose(scores, alone, rtol=1e-12, atol=1e-12)
    assert trained.history["epoch"].tolist() == [1]
    assert trained.history["AP"].iloc[0] > 0.6


def test_words_never_seen_match(trained):
    ranker = Ranker.load(trained.folder)
    texts = ["nothing of it", "a Zyxxquorn!", "the zyxxquorn quadrant of Perth", ""]
    assert ranker.rank("Zyxxquorn quadrants", texts)["position"].tolist()[:2] == [2, 1]
    assert len(ranker.rank("Zyxxquorn", [])) == 0


def test_the_same_pairs_give_the_same_weights(trained, toy_pairs, dev):
    other = train(toy_pairs.head(180), dev, model=trained.bundle.model, seed=8, say=silent)
    assert other.bundle.vocabulary == trained.bundle.vocabulary
    for name, weight in trained.bundle.weights.items():
        np.testing.assert_array_equal(weight, other.bundle.weights[name])


@pytest.mark.parametrize("model", ["bm25", *READY])
@pytest.mark.parametrize(
    ("options", "message"),
    [({"vectors": {"a": [1.0]}}, "no use for vectors"), ({"tokenizer": str.split}, "its own way")],
)
def test_what_they_have_no_use_for(toy_pairs, model, options, message):
    with pytest.raises(DataError, match=f"{model} .*{message}.* Received: "):
        train(toy_pairs, model=model, say=silent, **options)


# --- tfidf


def analyzed(text):
    forms = [normal(word) for word in words(text)]
    return stems([form for form in forms if form not in STOP_WORDS])


def test_tfidf_is_that_of_scikit_learn(toy_pairs):
    texts = [*toy_pairs["text_left"], *toy_pairs["text_right"]]
    unique = list(dict.fromkeys(texts))
    theirs = TfidfVectorizer(analyzer=analyzed).fit(unique)
    left, right = (theirs.transform(toy_pairs[f"text_{side}"]) for side in ("left", "right"))
    expected = np.asarray(left.multiply(right).sum(axis=1)).ravel()
    ours = TfidfScorer.fitted(texts).score(toy_pairs["text_left"], toy_pairs["text_right"])
    np.testing.assert_allclose(ours, expected, atol=1e-12)
    assert 0 < (ours > 0).sum() < len(ours)


def test_tfidf_by_hand():
    """Of three texts, cat is in two, dog in one; owl was never seen."""
    scorer = TfidfScorer.fitted(["a cat", "cats and the dog", "of it", "a cat"])
    cat, dog, owl = (1 + np.log(4 / (1 + df)) for df in (2, 1, 0))
    query, document = np.array([1 * cat, 1 * dog, 1 * owl]), np.array([2 * cat, 0, 1 * owl])
    lengths = np.linalg.norm(query) * np.linalg.norm(document)
    scores = scorer.score(["owl, cat, dog"] * 4, ["cat cat owl", "the of", "", "Dogs: owl. Cats!"])
    np.testing.assert_allclose(scores, [query @ document / lengths, 0, 0, 1], atol=1e-12)
    assert scorer.score([], []).shape == (0,)
    assert scorer.score(["", "of"], ["", "of"]).tolist() == [0, 0]


# --- lexical


def extra(query, document):
    """The last three features by plain loops."""

    def parts(text):
        forms = [normal(word) for word in words(text)]
        return list(zip(forms, stems(forms), strict=True))

    asked, there = parts(query), parts(document)
    roots, known = {root for _, root in there}, {root for _, root in asked}
    first = len(there)
    for place, (form, root) in reversed(list(enumerate(there))):
        if root in known and form not in STOP_WORDS:
            first = place
    numbers = [root for form, root in asked if any(map(str.isdecimal, form))]
    found = sum(root in roots for root in numbers) / len(numbers) if numbers else 0
    other = any(any(map(str.isdecimal, form)) and root not in known for form, root in there)
    return [np.log(1 + first) / 4, found, float(other)]


def test_the_features_of_lexical(dev):
    pairs = [
        ("a cat of 1,000 in 2020", "it is of 3 dogs; 1000 Cats"),
        ("a cat of 1,000 in 2020", "2020!"),
        ("", "42"),
        *zip(dev["text_left"], dev["text_right"], strict=True),
    ]
    values = pair_features(Vocabulary(), *zip(*pairs, strict=True))
    assert values.shape == (len(pairs), 14)
    np.testing.assert_allclose(values[0, 11:], [np.log(6) / 4, 0.5, 1], rtol=1e-6)
    np.testing.assert_allclose(values[1, 11:], [0, 0.5, 0])
    np.testing.assert_allclose(
        values[2], [*[0] * 9, np.log(2) / 4, 0, np.log(2) / 4, 0, 1], rtol=1e-6
    )
    np.testing.assert_allclose(values[:, 11:], [extra(*pair) for pair in pairs], atol=1e-6)
    assert FEATURES == OVERALL_FEATURES


def test_features_do_not_depend_on_how_many_pairs_are_matched_at_once(dev, monkeypatch):
    whole = pair_features(Vocabulary(), dev["text_left"], dev["text_right"])
    monkeypatch.setattr("ir_attention.scoring.lexical._WORDS", 13)
    chunked = pair_features(Vocabulary(), dev["text_left"], dev["text_right"])
    np.testing.assert_array_equal(whole, chunked)


def test_lexical_is_at_its_optimum(toy_pairs):
    """There, the gradient of the balanced log loss and the weights' own cancel each other."""
    scorer, loss = fit_lexical(toy_pairs)
    values = pair_features(scorer.vocabulary, toy_pairs["text_left"], toy_pairs["text_right"])
    standard = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 0.02)
    relevant = toy_pairs["label"].to_numpy() > 0
    counts = np.where(relevant, 1 / relevant.sum(), 1 / (~relevant).sum()) * len(relevant) / 2
    odds = scorer.score(list(toy_pairs["text_left"]), list(toy_pairs["text_right"]))
    wrong = counts * (1 / (1 + np.exp(-odds)) - relevant)
    gradient = 0.1 * standard.T @ wrong + scorer.weights["coefficients"]
    np.testing.assert_allclose(gradient, 0, atol=2e-3)
    assert abs(wrong.sum()) < 1e-2
    share = np.where(relevant, 1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds)))
    assert loss == pytest.approx(-(counts * np.log(share)).mean())


@pytest.mark.parametrize("label", [0, 1])
def test_lexical_needs_both_labels(toy_pairs, label):
    with pytest.raises(DataError, match=r"relevant and on irrelevant pairs\. Received: .* of 240"):
        train(toy_pairs.assign(label=label), toy_pairs, model="lexical", say=silent)


SCRIPT = """
import json, sys
from ir_attention.cli import main
for args in json.loads(sys.argv[1]):
    sys.argv[1:] = args
    try:
        main()
    except SystemExit as end:
        assert not end.code, (args, end.code)
print(*({"keras", "tensorflow", "matchzoo", "torch", "nltk"} & set(sys.modules)), file=sys.stderr)
"""


def test_training_on_the_command_line_does_without_keras(toy_pairs, tmp_path):
    path, out = tmp_path / "pairs.csv", tmp_path / "lexical"
    toy_pairs.to_csv(path, index=False)
    commands = [
        ["train", str(path), "--model", "lexical", "--out", str(out)],
        ["evaluate", str(out), str(path)],
        ["score", str(out), str(path), "-o", str(tmp_path / "scored.csv")],
    ]
    command = [sys.executable, "-c", SCRIPT, json.dumps(commands)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, ""), done.stderr
    scored = pd.read_csv(tmp_path / "scored.csv")["predictions"]
    np.testing.assert_allclose(scored, Ranker.load(out).score(toy_pairs)["score"], rtol=1e-12)
