"""`han` and `han-bi` in training: traced once, read once, any precision and number of threads."""

import numpy as np
import pytest

from ir_attention.backend import keras
from ir_attention.data import arrays
from ir_attention.data.readers import read_coded
from ir_attention.errors import DataError
from ir_attention.training import matching
from ir_attention.training.settings import training_settings

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="packed only there"),
]


def learner(pairs, model="han", **options):
    coded = read_coded(pairs)
    settings = training_settings({"epochs": 3, **options})
    return matching.MatcherLearner(model, coded, coded, None, seed=7, settings=settings)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["han", "han-bi"])
def test_a_model_is_traced_once(toy_pairs, model, monkeypatch):
    """Whatever the sizes of the batches: Python runs through the model once, and no more."""
    made = learner(toy_pairs, model, queries=5)
    sizes = {len(made.data[number][0]["document_row"]) for number in range(len(made.data))}
    assert len(sizes) > 1
    traced, call = [], type(made.model).call

    def counted(self, inputs, training=False):
        traced.append(training)
        return call(self, inputs, training)

    monkeypatch.setattr(type(made.model), "call", counted)
    made.fit_epoch(1)
    first = len(traced)
    assert 1 <= first <= 2  # Keras may look at shapes once before
    made.fit_epoch(2)
    made.fit_epoch(3)
    assert len(traced) == first


def test_han_starts_from_a_logistic_regression(toy_pairs):
    from sklearn.linear_model import LogisticRegression

    made = learner(toy_pairs)
    values, labels = [], []
    for number in range(len(made.data)):
        inputs, target = made.data[number]
        real = target[:, 1] >= 0
        values.append(inputs["overall"][real[: len(inputs["overall"])]])
        labels.append(target[real, 0])
    # All pairs are in the one epoch's lists, each once: five candidates a query.
    values, labels = np.concatenate(values), np.concatenate(labels) > 0
    assert len(values) == len(toy_pairs)
    scales = np.maximum(values.std(axis=0), 0.02)
    fitted = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
    fitted.fit((values - values.mean(axis=0)) / scales, labels)
    expected = fitted.coef_[0] / scales
    spread = (values @ expected).std()
    assert spread > 2  # these are easy to tell apart: scores this far apart begin with 1
    kernel = np.asarray(made.model.score_skip.kernel)[:, 0]
    np.testing.assert_allclose(kernel, expected / spread, atol=1e-3)
    assert np.abs(kernel).max() > 0.1
    without = learner(toy_pairs, match_features=False)
    assert not np.asarray(without.model.score_skip.kernel).any()


def test_the_start_is_weighed_with_few_relevant_pairs(toy_pairs, monkeypatch):
    """Of the pairs that are drawn for it, half are relevant where there are as many."""
    monkeypatch.setattr(matching, "_ENOUGH", 3)
    one = toy_pairs["id_left"] == "Q3"
    rare = toy_pairs.assign(label=(toy_pairs["label"] * one).to_numpy())
    kernel = np.asarray(learner(rare).model.score_skip.kernel)
    assert np.isfinite(kernel).all() and kernel.any()


def test_a_start_that_is_unsure_stays_as_it_is(toy_pairs, monkeypatch):
    weights = {"coefficients": np.full(14, 1e-3), "scales": np.full(14, 0.5)}
    monkeypatch.setattr(matching, "fit_features", lambda values, relevant: (weights, 0.0))
    kernel = np.asarray(learner(toy_pairs).model.score_skip.kernel)
    np.testing.assert_allclose(kernel, 2e-3, rtol=1e-6)


def test_training_texts_are_cut_once(toy_pairs, monkeypatch):
    cut, texts = matching.cut_texts, []

    def counted(given, **more):
        texts.extend(given)
        return cut(given, **more)

    monkeypatch.setattr(matching, "cut_texts", counted)
    monkeypatch.setattr(arrays, "cut_texts", counted)
    half = toy_pairs["id_left"].isin([f"Q{number}" for number in range(24)])
    train, dev = read_coded(toy_pairs[half]), read_coded(toy_pairs[~half])
    settings = training_settings({"epochs": 1})
    matching.MatcherLearner("han", train, dev, None, seed=7, settings=settings)
    known = set(toy_pairs["text_left"][half]) | set(toy_pairs["text_right"][half])
    new = set(toy_pairs["text_left"][~half]) | set(toy_pairs["text_right"][~half])
    assert sorted(texts) == sorted([*known, *new])


@pytest.mark.slow
@pytest.mark.parametrize("model", ["han", "han-bi"])
def test_threads_change_nothing(toy_pairs, model):
    states = []
    for threads in (1, 2):
        made = learner(toy_pairs, model, threads=threads)
        made.fit_epoch(1)
        states.append([*made.state(), made.score_dev()])
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["han", "han-bi"])
def test_bfloat16_keeps_weights_and_loss_in_float32(toy_pairs, model):
    half, whole = (learner(toy_pairs, model, precision=one) for one in ("bfloat16", "float32"))
    assert half.model.compute_dtype == "bfloat16"
    assert {weight.dtype for weight in half.model.trainable_weights} == {"float32"}
    inputs, target = half.data[0]
    scores = [one.model(inputs) for one in (half, whole)]
    assert {keras.backend.standardize_dtype(one.dtype) for one in scores} == {"float32"}
    # Eight bits of a number: three digits of a large score, hundredths of a small one.
    np.testing.assert_allclose(*scores, rtol=0.02, atol=0.1)
    assert half.model.loss(target, scores[0]).dtype == "float32"
    losses = [[one.fit_epoch(epoch) for epoch in (1, 2, 3)] for one in (half, whole)]
    np.testing.assert_allclose(*losses, rtol=0.1)


def test_precisions_are_two():
    with pytest.raises(DataError, match="`precision` must be bfloat16 or float32"):
        training_settings({"precision": "float16"})
