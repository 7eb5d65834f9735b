"""What a classifier learns from: its parts, the numbers of classes, the weights of documents."""

import numpy as np
import pandas as pd
import pytest

from ir_attention.errors import DataError
from ir_attention.ranking.classifier import Classifier
from ir_attention.training import train
from ir_attention.training.classifier_settings import classifier_settings
from ir_attention.training.classifying import ClassifierLearner
from ir_attention.training.labelled_parts import document_weights, labelled_parts

TEXTS = [f"{word} number {n}" for n in range(12) for word in ("good", "bad")]
FRAME = pd.DataFrame({"text": TEXTS, "label": ["2", "n/a"] * 12})
SMALL = {"width": 4, "gru": 2, "pool": 2, "epochs": 1, "min_count": 1}


def test_what_documents_count():
    number = np.array([0, 0, 0, 1])
    assert document_weights(["a", "b"], number, None).tolist() == [1, 1, 1, 1]
    # 4 documents of 2 classes: each class counts 2 in all.
    assert document_weights(["a", "b"], number, "balanced") == pytest.approx([2 / 3] * 3 + [2])
    assert document_weights(["a", "b"], number, {"b": 5}).tolist() == [1, 1, 1, 5]
    assert document_weights([1, 2], number, {1: 0.5}).tolist() == [0.5, 0.5, 0.5, 1]


@pytest.mark.parametrize("weights", [{"a": "2"}, {"a": None}, {"a": 0}, {"a": 1e300}, {}, "even"])
def test_weights_are_numbers_above_0(weights):
    with pytest.raises(DataError, match="class_weights"):
        classifier_settings({"class_weights": weights})


def test_a_part_without_rare_labels_has_the_same_classes(tmp_path):
    made = train(FRAME, FRAME, model="han-classifier", out=tmp_path / "m", say=str, **SMALL)
    part = FRAME[FRAME["label"] == "2"]
    part.to_csv(tmp_path / "part.csv", index=False)  # where labels are all numbers
    classifier = Classifier.load(made.folder)
    expected = (classifier.predict(part["text"].tolist()) == "2").mean()
    assert classifier.evaluate(tmp_path / "part.csv").accuracy == expected
    table = classifier.evaluate(tmp_path / "part.csv").table
    assert set(table["class"]) <= {"2", "n/a"}
    _, dev, _ = labelled_parts(FRAME, tmp_path / "part.csv", 7)
    assert set(dev["label"]) == {"2"}


@pytest.mark.parametrize(
    ("frame", "dev", "said"),
    [
        (FRAME[:0], None, "0 documents of 0 classes"),
        (FRAME, FRAME[:0], "`dev` must have a document"),
        (FRAME.assign(text="the same"), None, r"Give `dev` \(--dev\)"),
    ],
)
def test_parts_that_are_none(frame, dev, said):
    with pytest.raises(DataError, match=said):
        labelled_parts(frame, dev, 7)


def test_no_known_word():
    with pytest.raises(DataError, match="no word of the training texts has a vector"):
        train(FRAME, FRAME, model="han-classifier", say=str, **SMALL | {"min_count": 99})


def test_batches_are_of_like_length():
    """With buckets, and without: how far apart the lengths within a batch are."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {"text": [" ".join(["a"] * n) for n in rng.integers(1, 90, 300)], "label": [0, 1] * 150}
    )
    spread = {}
    for diversity in (1, 10):
        options = SMALL | {"batch": 10, "diversity": diversity}
        learner = ClassifierLearner(
            frame, frame[:2], None, seed=1, settings=classifier_settings(options)
        )
        lengths = learner.data.documents.lengths
        assert sorted(np.concatenate(learner.data.batches)) == list(range(300))
        spread[diversity] = np.mean([np.ptp(lengths[one]) for one in learner.data.batches])
        inputs, _ = learner.data[0]
        assert inputs["sentence_count"].tolist() == [1] * 10
    assert spread[10] < 0.3 * spread[1]


def test_a_classifier_works_without_keras(tmp_path):
    import json
    import subprocess
    import sys

    made = train(FRAME, FRAME, model="han-classifier", out=tmp_path / "m", say=str, **SMALL)
    code = (
        "import json, sys; from ir_attention.ranking.classifier import Classifier; "
        "c = Classifier.load(sys.argv[1]); found = c.probabilities(['good one. Bad']).tolist(); "
        "c.explain('good one'); print(json.dumps(found)); "
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'torch', 'jax')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, made.folder], capture_output=True, text=True, check=True
    )
    expected = Classifier.load(made.folder).probabilities(["good one. Bad"])
    np.testing.assert_array_equal(json.loads(done.stdout), expected)


def test_the_kept_epoch_is_said_everywhere(tmp_path, monkeypatch):
    """Of epochs level in accuracy the second is likelier, and not the first."""
    monkeypatch.setattr(ClassifierLearner, "accuracy", lambda self, logits: 0.5)
    likely = iter([1.0, 3.0, 2.0])
    monkeypatch.setattr(ClassifierLearner, "likelihood", lambda self, logits: next(likely))
    options = SMALL | {"epochs": 3, "patience": 3}
    made = train(FRAME, FRAME, model="han-classifier", out=tmp_path / "m", say=str, **options)
    assert made.kept_epoch == 2 and made.bundle.settings["kept_epoch"] == 2
    assert "is kept: epoch 2, accuracy 0.5000" in (tmp_path / "m/README.md").read_text()


def test_the_rate_rises_and_falls():
    from ir_attention.training.schedules import WarmupDecay

    rate = WarmupDecay(0.8, 4, 16)
    found = [float(rate(step)) for step in (0, 1, 3, 8, 16, 99)]
    by_hand = [0.8 / 4, 0.8 / 2 * (1 - 0.9 / 16), 0.8 * (1 - 2.7 / 16), 0.8 * 0.55, 0.08, 0.08]
    assert found == pytest.approx(by_hand, rel=1e-6)
