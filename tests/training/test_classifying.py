"""The training of a classifier, and the bundle at work."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ir_attention.bundle import Bundle
from ir_attention.errors import BundleError, DataError
from ir_attention.ranking.classifier import Classifier
from ir_attention.ranking.ranker import Ranker
from ir_attention.training import train

GOOD, BAD = "wonderful superb charming".split(), "dreadful tedious clumsy".split()
PLAIN = "the film was about a long summer by quiet rivers".split()
SMALL = {"width": 16, "gru": 6, "pool": 5, "min_count": 1, "epochs": 6, "batch": 16}


@pytest.fixture(scope="module")
def reviews():
    """240 reviews of three sentences, with one word in one of them that decides."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(240):
        label = number % 2
        words = [list(rng.choice(PLAIN, 5)) for _ in range(3)]
        words[number % 3][number % 5] = rng.choice((BAD, GOOD)[label])
        rows.append((". ".join(" ".join(one).capitalize() for one in words) + ".", label))
    return pd.DataFrame(rows, columns=["text", "label"])


@pytest.fixture(scope="module")
def trained(reviews, tmp_path_factory):
    said = []
    out = tmp_path_factory.mktemp("reviews") / "model"
    made = train(reviews, model="han-classifier", out=out, say=said.append, **SMALL, **QUICK)
    return made, said


# No value dropped and a high rate: a toy is learnt in seconds.
QUICK = {"learning_rate": 0.02, "dropout": 0.0, "word_dropout": 0.0, "output_dropout": 0.0}


def test_learns_which_words_decide(reviews, trained):
    made, said = trained
    classifier = Classifier.load(made.folder)
    found = classifier.evaluate(reviews)
    assert found.accuracy > 0.95 and found.documents == 240
    # Of the good ones: without such a word a review is taken to be bad, which needs no proof.
    good = reviews.loc[reviews["label"] == 1, "text"][:20]
    firsts = [classifier.explain(text).words for text in good]
    deciding = [words.loc[words["effect"].idxmax(), "word"].lower() for words in firsts]
    assert sum(word in GOOD for word in deciding) >= 18
    assert any(line.startswith("no dev documents were given: 24 of 240") for line in said)
    assert made.history["accuracy"].max() > 0.95


def test_probabilities_are_those_of_the_dev_measure(reviews, trained):
    made, _ = trained
    classifier = Classifier.load(made.folder)
    texts = reviews["text"].tolist()
    found = classifier.probabilities([*texts, ""])
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert classifier.predict(texts).tolist() == found[:-1].argmax(axis=1).tolist()
    bias = made.bundle.weights["output/bias"].astype(float)
    np.testing.assert_allclose(found[-1], np.exp(bias) / np.exp(bias).sum(), atol=1e-6)
    assert classifier.probabilities([]).shape == (0, 2)


def test_weights_are_shares_and_stand_at_their_words(trained):
    text = "The film.<br />Was <b>wonderful</b>... really! \u202eso <script>1</script> \U0001f44d"
    explained = Classifier.load(trained[0].folder).explain(text)
    words = explained.words
    assert [text[row.start : row.end] for row in words.itertuples()] == words["word"].tolist()
    assert "br" not in words["word"].tolist() and "script" not in words["word"].tolist()
    np.testing.assert_allclose(words.groupby("sentence")["weight"].sum(), 1, atol=1e-6)
    assert explained.sentence_weights.sum() == pytest.approx(1, abs=1e-6)
    assert words["total"].sum() == pytest.approx(1, abs=1e-6)
    json.dumps(explained.to_json(), allow_nan=False)


def test_an_effect_is_what_the_log_odds_lose(trained):
    classifier = Classifier.load(trained[0].folder)
    nested = (("the", "film", "was", "superb"), ("a", "long", "summer"))
    text = "The film was superb. A long summer."
    without = (("the", "film", "was"), ("a", "long", "summer"))
    both = classifier.probabilities([nested, without])
    best = int(both[0].argmax())
    odds = np.log(both[:, best] / (1 - both[:, best]))
    explained = classifier.explain(text)
    assert explained.document_words[3] == "superb"
    assert explained.document_effects[3] == pytest.approx(odds[0] - odds[1], abs=1e-4)
    assert classifier.explain(text, effects=False).document_effects is None


def test_a_document_without_words_is_explained(trained):
    explained = Classifier.load(trained[0].folder).explain("...")
    assert explained.words.empty and len(explained.sentence_weights) == 0


def test_classes_keep_their_names(reviews, tmp_path):
    named = reviews.assign(label=reviews["label"].map({0: "bad", 1: "good"}))
    train(
        named,
        model="han-classifier",
        out=tmp_path / "m",
        say=lambda _: None,
        **SMALL | {"epochs": 1},
    )
    classifier = Classifier.load(tmp_path / "m")
    assert classifier.classes == ["bad", "good"]
    assert set(classifier.predict(["so good"])) <= {"bad", "good"}
    card = (tmp_path / "m" / "README.md").read_text()
    assert "| part | documents | bad | good |" in card and "| train | 216 | 108 | 108 |" in card


@pytest.mark.slow
def test_one_seed_gives_one_result_in_two_processes(reviews, tmp_path):
    reviews.to_csv(tmp_path / "reviews.csv", index=False)
    options = {"model": "han-classifier", **SMALL, "epochs": 2}
    code = (
        "import sys; from ir_attention.training import train; "
        f"r = train(sys.argv[1], say=lambda _: None, **{options!r}); "
        "print(r.history[['loss', 'accuracy']].to_json(double_precision=15))"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code, tmp_path / "reviews.csv"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert printed[0] == printed[1] != ""


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "schedule": "plateau", "plateau": 1, "factor": 0.5, "momentum": 0},
        {"word_pooling": "mean", "sentence_pooling": "max"},
        {"bidirectional": False, "hidden": 9},
        {"class_weights": "balanced", "trainable_vectors": False},
        {"split_sentences": False, "class_weights": {1: 2.0}},
        {"sentence_words": 3, "sentences": 0.3, "schedule": "constant"},
    ],
    ids=lambda options: "-".join(options),
)
def test_trains_and_loads_with_every_setting(reviews, tmp_path, options):
    said = []
    made = train(
        reviews,
        model="han-classifier",
        out=tmp_path / "m",
        say=said.append,
        **SMALL | {"epochs": 2} | options,
    )
    dev = made.history["accuracy"].max()
    classifier = Classifier.load(tmp_path / "m")
    from ir_attention.data.labelled import split_by_text

    _, held_out = split_by_text(reviews, (0.9, 0.1), seed=7)
    assert classifier.evaluate(held_out).accuracy == pytest.approx(dev)
    cut = [line for line in said if "training takes their beginning" in line]
    assert bool(cut) == ("sentence_words" in options)


def test_a_plateau_cuts_the_rate(reviews, monkeypatch):
    from ir_attention.training.classifier_settings import classifier_settings
    from ir_attention.training.classifying import ClassifierLearner

    options = SMALL | {"schedule": "plateau", "plateau": 2, "factor": 0.5}
    learner = ClassifierLearner(
        reviews[:200], reviews[200:], None, seed=1, settings=classifier_settings(options)
    )
    right = np.eye(2)[learner.dev_class]
    rates = []
    for logits in (right, right, right, 1 - right, right):
        learner.accuracy(logits)
        rates.append(float(learner.model.optimizer.learning_rate))
    assert rates == pytest.approx([2e-3, 2e-3, 1e-3, 1e-3, 5e-4])


def test_reads_vectors_of_a_file(reviews, tmp_path):
    rng = np.random.default_rng(3)
    lines = [f"{word} " + " ".join(f"{x:.3f}" for x in rng.normal(size=5)) for word in GOOD + PLAIN]
    (tmp_path / "vectors.txt").write_text("\n".join(lines) + "\n")
    frozen = {"trainable_vectors": False}
    made = train(
        reviews,
        model="han-classifier",
        vectors=tmp_path / "vectors.txt",
        say=lambda _: None,
        **SMALL | {"epochs": 1} | frozen,
    )
    words = made.bundle.vocabulary["words"]
    assert "superb" in words and "dreadful" not in words
    row = made.bundle.weights["table"][1 + words.index("superb")]
    given = np.array(lines[1].split()[1:], float)
    np.testing.assert_allclose(row, given / np.linalg.norm(given), atol=1e-6)


@pytest.mark.parametrize(
    ("frame", "options", "said"),
    [
        ({"text": ["a"] * 30, "label": [1] * 30}, {}, "two classes at least"),
        ({"text": ["a", "b"], "label": [0, 1]}, {}, "no dev documents were given"),
        ({"text": ["a", "b"] * 20, "label": [0, 1] * 20}, {"epoch": 1}, "Perhaps: epochs"),
        ({"text": ["a", "b"] * 20, "label": [0, 1] * 20}, {"batch": 0}, "`batch` must be"),
        ({"text": ["a", "b"] * 20, "label": [0, 1] * 20}, {"word_pooling": "sum"}, "one of"),
        ({"text": ["a", "b"] * 20, "label": [0, 1] * 20}, {"class_weights": {}}, "class_weights"),
    ],
)
def test_says_what_cannot_be_trained_on(frame, options, said):
    with pytest.raises(DataError, match=said):
        train(pd.DataFrame(frame), model="han-classifier", say=lambda _: None, **options)


def test_dev_and_class_weights_must_know_the_classes(reviews):
    dev = pd.DataFrame({"text": ["x", "y"], "label": [0, 5]})
    with pytest.raises(DataError, match="Received: 5"):
        train(reviews, dev, model="han-classifier", say=lambda _: None, **SMALL)
    with pytest.raises(DataError, match="of classes there are"):
        train(
            reviews,
            model="han-classifier",
            say=lambda _: None,
            **SMALL,
            class_weights={"good": 2.0},
        )


def test_a_bundle_is_opened_by_its_own_door(trained, toy_trained, tmp_path):
    with pytest.raises(BundleError, match=r"Classifier\.load"):
        Ranker.load(trained[0].folder)
    with pytest.raises(BundleError, match=r"Ranker\.load"):
        Classifier.load(toy_trained[0].folder)
    broken = dict(trained[0].bundle.weights)
    del broken["output/bias"]
    bundle = Bundle(trained[0].bundle.settings, trained[0].bundle.vocabulary, broken)
    with pytest.raises(BundleError, match="output/bias should have shape"):
        Classifier.load(bundle.save(tmp_path / "broken"))
    with pytest.raises(DataError, match="a list of texts. Received: 'one text'"):
        Classifier.load(trained[0].folder).predict("one text")


@pytest.mark.parametrize("packed", [True, False])
def test_steps_are_said_and_told(reviews, monkeypatch, packed):
    if not packed:
        monkeypatch.setattr("ir_attention.training.classifying.packs", lambda: False)
        monkeypatch.setattr("ir_attention.models.recurrent.packs", lambda: False)
    from ir_attention.training.classifying import train_classifier

    said, told = [], []
    options = SMALL | QUICK | {"epochs": 2, "batch": 80, "log_every": 2}
    made = train_classifier(reviews, say=said.append, watch=told.append, options=options)
    # 216 documents are three batches: steps 2, 4 and 6 are in epochs 1, 2 and 2.
    steps = [row for row in told if "step" in row]
    assert [(row["epoch"], row["step"]) for row in steps] == [(1, 2), (2, 4), (2, 6)]
    # The last step of an epoch has seen all of it.
    assert steps[2]["loss"] == pytest.approx(made.history["loss"].iloc[1], abs=1e-6)
    accuracies = [row["accuracy"] for row in steps]
    assert all(0 <= one <= 1 for one in accuracies)
    assert accuracies[2] * 216 == pytest.approx(round(accuracies[2] * 216), abs=1e-3)
    assert sum(line.startswith("epoch 2, step 6 of 6: so far in this epoch") for line in said) == 1
    assert [row["epoch"] for row in told if "step" not in row] == [1, 2]


def test_steps_change_nothing(reviews):
    losses = [
        train(
            reviews,
            model="han-classifier",
            say=lambda line: None,
            **SMALL | {"epochs": 1, "log_every": log_every},
        ).history["loss"][0]
        for log_every in (0, 1)
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("documents", "batch", "epochs", "min_count"),
    # 80 in batches of 8 are 10 steps, 200 in tens 20: 300 steps are 30 epochs, and 15.
    [(20, 8, 40, 2), (80, 8, 30, 2), (200, 10, 15, 2), (1300, 64, 15, 5), (25_000, 64, 5, 5)],
)
def test_few_documents_come_more_often_and_in_smaller_batches(documents, batch, epochs, min_count):
    from ir_attention.training.classifier_settings import classifier_settings, for_documents

    fit = for_documents(classifier_settings({}), documents)
    assert (fit.batch, fit.epochs, fit.min_count) == (batch, epochs, min_count)
    asked = {"batch": 3, "epochs": 2, "min_count": 1, "patience": 7}
    assert for_documents(classifier_settings(asked), documents) == classifier_settings(asked)


def test_likelihood_by_hand(reviews):
    from ir_attention.training.classifier_settings import classifier_settings
    from ir_attention.training.classifying import ClassifierLearner

    learner = ClassifierLearner(
        reviews[:200], reviews[200:203], None, seed=1, settings=classifier_settings(SMALL)
    )
    assert learner.dev_class.tolist() == [0, 1, 0]
    logits = np.log([[0.5, 0.5], [0.2, 0.8], [0.9, 0.1]])
    assert learner.likelihood(logits) == pytest.approx(np.log(0.5 * 0.8 * 0.9) / 3)
