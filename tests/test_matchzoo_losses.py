"""Losses and metrics: hand-worked numbers, NumPy, and ir_measures."""

import copy
import math
import pickle

import dill
import numpy as np
import pandas as pd
import pytest

from ir_attention import matchzoo as mz
from ir_attention.backend import keras

RankHingeLoss = mz.losses.RankHingeLoss
RankCrossEntropyLoss = mz.losses.RankCrossEntropyLoss


def value(loss, scores, labels=None):
    """The loss of rows of groups, `(groups, 1 + num_neg)`."""
    scores = np.array(scores, dtype="float32")
    if labels is None:
        labels = np.eye(scores.shape[1])[np.zeros(len(scores), int)]  # the first one
    y_true, y_pred = np.reshape(labels, (-1, 1)), np.reshape(scores, (-1, 1))
    return float(loss(y_true.astype("float32"), y_pred))


HINGE = {
    "the default margin": ({}, [[0.3, 0.1]], 0.8),
    "a smaller margin": ({"margin": 0.5}, [[0.3, 0.1]], 0.3),
    "satisfied": ({"margin": 0.5}, [[0.9, 0.1]], 0.0),
    "mean of the groups": ({}, [[1.0, 1.2], [0.8, 1.4]], 1.4),
    "mean of the negatives": ({"num_neg": 2}, [[0.5, 0.1, 0.5]], 0.8),
    "all": ({"num_neg": 3, "margin": 2.0}, [[1, 0, 3, 0], [9, 0, 0, 0]], 1.0),
}


@pytest.mark.parametrize("name", HINGE)
def test_rank_hinge(name):
    settings, scores, expected = HINGE[name]
    assert value(RankHingeLoss(**settings), scores) == pytest.approx(expected, abs=1e-6)


def softmax(scores):
    exp = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("num_neg", [1, 2, 4])
def test_rank_cross_entropy(num_neg):
    scores = np.random.default_rng(7).normal(size=(3, num_neg + 1))
    labels = np.random.default_rng(8).integers(0, 3, size=scores.shape)
    expected = -(labels * np.log(softmax(scores))).sum(axis=-1).mean()
    loss = RankCrossEntropyLoss(num_neg=num_neg)
    assert value(loss, scores, labels) == pytest.approx(expected, abs=1e-5)


def test_rank_cross_entropy_by_hand():
    assert value(RankCrossEntropyLoss(), [[0.0, 0.0]]) == pytest.approx(math.log(2), abs=1e-6)
    # A hopeless positive: the guard against log(0) keeps the loss finite.
    assert value(RankCrossEntropyLoss(), [[-1e4, 1e4]]) == pytest.approx(36.0437, abs=1e-3)


@pytest.mark.parametrize("loss", [RankHingeLoss(num_neg=2), RankCrossEntropyLoss(num_neg=2)])
def test_groups_must_be_whole(loss):
    with pytest.raises(ValueError, match=r"groups of 3 rows.*Received: shape=\(4, 1\)"):
        loss(np.zeros((4, 1)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"one score a row.*Received: shape=\(3, 2\)"):
        loss(np.zeros((3, 2)), np.zeros((3, 2)))


SETTINGS = {
    RankHingeLoss(num_neg=3, margin=0.25): {"num_neg": 3, "margin": 0.25},
    RankCrossEntropyLoss(num_neg=4): {"num_neg": 4},
}


@pytest.mark.parametrize("loss", SETTINGS, ids=lambda loss: loss.name)
def test_settings_survive(loss):
    assert loss.get_config() == SETTINGS[loss]
    config = keras.losses.serialize(loss)
    copies = [
        type(loss).from_config(loss.get_config()),
        keras.losses.deserialize(config, custom_objects={type(loss).__name__: type(loss)}),
        pickle.loads(pickle.dumps(loss)),
        dill.loads(dill.dumps(loss)),
        copy.deepcopy(loss),
    ]
    for again in copies:
        assert type(again) is type(loss)
        assert again.get_config() == SETTINGS[loss]
        assert again.name == loss.name


def test_tasks():
    task = mz.tasks.Ranking(loss=RankHingeLoss(), metrics=["map", "mrr", "mse"])
    assert [str(metric) for metric in task.metrics] == [
        "mean_average_precision(0.0)", "mean_reciprocal_rank(0.0)", "mse"
    ]  # fmt: skip
    assert (task.output_shape, task.output_dtype, str(task)) == ((1,), float, "Ranking Task")
    assert mz.tasks.Ranking().loss == "mse"
    task = mz.tasks.Classification(num_classes=3)
    assert task.output_shape == (3,)
    assert task.metrics == ["categorical_accuracy"]


# In the order of their scores: 0 1 0 1.
Y_TRUE, Y_PRED = [0, 1, 1, 0], [0.9, 0.8, 0.6, 0.7]
GRADED = ([0, 1, 2, 0], [0.4, 0.2, 0.5, 0.7])  # in the order of their scores: 0 2 0 1
ndcg = mz.metrics.NormalizedDiscountedCumulativeGain
dcg = mz.metrics.DiscountedCumulativeGain
BY_HAND = [
    (mz.metrics.MeanAveragePrecision(), (1 / 2 + 2 / 4) / 2),
    (mz.metrics.MeanReciprocalRank(), 1 / 2),
    (mz.metrics.Precision(k=1), 0.0),
    (mz.metrics.Precision(k=2), 1 / 2),
    (mz.metrics.Precision(k=5), 2 / 5),
    (mz.metrics.AveragePrecision(), (0 + 1 / 2 + 1 / 3 + 2 / 4) / 4),
    (ndcg(k=1), 0.0),
    (ndcg(k=3), 0.386853),  # (1 / ln 3) / (1 / ln 2 + 1 / ln 3)
    (ndcg(k=5), 0.650921),  # (1 / ln 3 + 1 / ln 5) / (1 / ln 2 + 1 / ln 3)
    (dcg(k=2), 1 / math.log(3)),
]


@pytest.mark.parametrize("metric, expected", BY_HAND, ids=[str(metric) for metric, _ in BY_HAND])
def test_metrics_by_hand(metric, expected):
    assert metric(Y_TRUE, Y_PRED) == pytest.approx(expected, abs=1e-6)
    assert metric([0, 0], [0.1, 0.2]) == 0


def test_graded_metrics():
    assert dcg(k=3)(*GRADED) == pytest.approx(3 / math.log(3))
    assert ndcg(k=2)(*GRADED) == pytest.approx(
        (3 / math.log(3)) / (3 / math.log(2) + 1 / math.log(3))
    )
    assert mz.metrics.MeanReciprocalRank(threshold=1)(*GRADED) == 1 / 2
    assert mz.metrics.MeanAveragePrecision(threshold=1)(*GRADED) == 1 / 2
    assert mz.metrics.AveragePrecision()([], []) == 0.0


def test_metrics_agree_with_ir_measures():
    """On untied scores and binary labels MatchZoo measures what the field does."""
    ir_measures = pytest.importorskip("ir_measures")
    rng = np.random.default_rng(7)
    sizes = rng.integers(2, 9, size=20)
    ids = np.repeat(np.arange(20), sizes).astype(str)
    docs = np.array([f"d{row}" for row in range(len(ids))])
    labels = rng.integers(0, 2, size=len(ids))
    labels[np.unique(ids, return_index=True)[1]] = 1  # no query without a positive
    scores = rng.permutation(len(ids)) / len(ids)
    qrels = pd.DataFrame({"query_id": ids, "doc_id": docs, "relevance": labels})
    run = pd.DataFrame({"query_id": ids, "doc_id": docs, "score": scores})
    pairs = {
        "AP": mz.metrics.MeanAveragePrecision(),
        "RR": mz.metrics.MeanReciprocalRank(),
        "nDCG@1": ndcg(k=1),
        "nDCG@3": ndcg(k=3),
        "nDCG@5": ndcg(k=5),
        "P@3": mz.metrics.Precision(k=3),
    }
    expected = ir_measures.calc_aggregate(map(ir_measures.parse_measure, pairs), qrels, run)
    for measure, by_field in expected.items():
        by_query = [
            pairs[str(measure)](labels[ids == query], scores[ids == query])
            for query in np.unique(ids)
        ]
        assert np.mean(by_query) == pytest.approx(by_field, abs=1e-6)
