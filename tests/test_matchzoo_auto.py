"""`auto`: what it prepares for every model, and what its tuner finds, on a toy of our own."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ir_attention import matchzoo as mz
from ir_attention.backend import keras

# Keras copies TensorFlow's variables with an `__array__` that NumPy 2 finds out of date.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NAMES = """Naive DSSM CDSSM DenseBaseline ArcI ArcII MatchPyramid KNRM ConvKNRM DUET DRMMTKS DRMM
    ANMM MVLSTM ESIM HBMP""".split()
WORDS = [f"word{letter}{other}" for letter in "abcdef" for other in "uvwxyz"]


@pytest.fixture(scope="module")
def pack():
    """Four queries with three documents each, the first of which is relevant."""
    rng = np.random.default_rng(3)
    rows = [
        (f"Q{query}", " ".join(WORDS[query * 4 : query * 4 + 4]), " ".join(rng.choice(WORDS, 6)))
        for query in range(4)
        for _ in range(3)
    ]
    frame = pd.DataFrame(rows, columns=["id_left", "text_left", "text_right"])
    return mz.pack(frame.assign(label=[1, 0, 0] * 4))


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(5)
    return mz.Embedding(pd.DataFrame(rng.normal(size=(len(WORDS), 7)), index=WORDS))


def prepare(name, pack, vectors, task, **config):
    keras.utils.set_random_seed(7)
    model_class = getattr(mz.models, name, None) or getattr(mz.contrib.models, name)
    return mz.auto.prepare(task, model_class, pack, embedding=vectors, config=config)


def test_all_that_can_be_built_are_here():
    """The rest of what `list_available` has is refused, or is a subclass in some test."""
    models = [*vars(mz.models).values(), *vars(mz.contrib.models).values()]
    classes = {model for model in models if isinstance(model, type)}
    refused = {"BiMPM", "DIIN", "MatchLSTM", "MatchSRNN"}
    assert {model.__name__ for model in classes} == {*NAMES, *refused}


def check(name, pack, vectors, task):
    model, preprocessor, builder, matrix = prepare(name, pack, vectors, task, num_dup=2)
    assert type(model).__name__ == name
    if "with_embedding" in model.params:
        index = preprocessor.context["vocab_unit"].state["term_index"]
        known = [word for word in index if word in WORDS]
        assert matrix.shape == (len(index), 7) and known
        for word in known:
            np.testing.assert_array_equal(matrix[index[word]], vectors._data.loc[word])
        first = model.get_embedding_layer().get_weights()[0]
        np.testing.assert_allclose(first, matrix, rtol=1e-6)
    # Tracing the larger ones takes a minute; `test_matchzoo_models.py` does so for most.
    model.backend.run_eagerly = True
    data = preprocessor.transform(pack, verbose=0)
    before = model.backend.get_weights()
    history = model.fit_generator(builder.build(data, batch_size=8, seed=7), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    after = model.backend.get_weights()
    assert any((one != other).any() for one, other in zip(before, after, strict=True))
    x, y = builder.build(data, mode="point", shuffle=False, batch_size=len(data))[0]
    scores = model.predict(x)
    assert scores.shape == (12, *task.output_shape)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(model.predict(x, batch_size=5), scores, atol=1e-5)
    assert list(model.evaluate(x, y)) == task.metrics


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_ranking(name, pack, vectors):
    loss = mz.losses.RankHingeLoss(num_neg=2)
    check(name, pack, vectors, mz.tasks.Ranking(loss=loss, metrics=["map"]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["CDSSM", "DRMM", "KNRM", "MatchPyramid"])
def test_classification(name, pack, vectors):
    """Four that are fed in four ways."""
    task = mz.tasks.Classification(num_classes=2, metrics=["acc"])
    check(name, pack.one_hot_encode_label(num_classes=2), vectors, task)


def test_settings_reach_the_generator(pack, vectors):
    loss = mz.losses.RankCrossEntropyLoss(num_neg=2)
    _, preprocessor, builder, _ = prepare(
        "Naive", pack, vectors, mz.tasks.Ranking(loss=loss), num_dup=3
    )
    generator = builder.build(preprocessor.transform(pack, verbose=0), batch_size=4)
    assert (generator.mode, generator.num_neg, generator.num_dup) == ("pair", 2, 3)
    assert len(generator[0][1]) == 12


def test_random_vectors_where_none_are_given(pack):
    model, _, _, matrix = prepare("KNRM", pack, None, mz.tasks.Ranking(), embedding_output_dim=9)
    assert matrix.shape == (model.params["embedding_input_dim"], 9)
    assert 0 < np.abs(matrix).max() <= 0.2


@pytest.fixture
def tuner(pack):
    model = mz.models.Naive()
    model.params["task"] = mz.tasks.Ranking(metrics=["map", "mrr"])
    preprocessor = model.get_default_preprocessor()
    data = preprocessor.fit_transform(pack, verbose=0)
    model.params.update(preprocessor.context)
    return mz.auto.Tuner(
        model.params, train_data=data, test_data=data, fit_kwargs={"verbose": 0}, verbose=0
    )


@pytest.mark.slow
def test_tuner(tuner, monkeypatch):
    monkeypatch.setenv("HYPEROPT_FMIN_SEED", "7")
    tuner.num_runs = 3
    first, second = tuner.tune(), tuner.tune()
    samples = [trial["sample"]["optimizer"] for trial in first["trials"]]
    assert samples == [trial["sample"]["optimizer"] for trial in second["trials"]]
    assert set(samples) <= {"adam", "adagrad", "rmsprop"}
    assert [trial["params"]["optimizer"] for trial in first["trials"]] == samples
    assert first["best"]["score"] == max(trial["score"] for trial in first["trials"])
    tuner.mode = "minimize"
    worst = tuner.tune()
    assert worst["best"]["score"] == min(trial["score"] for trial in worst["trials"])


def test_tuner_callbacks(tuner, tmp_path):
    seen = []
    tuner.callbacks = [
        mz.auto.tuner.callbacks.SaveModel(str(tmp_path)),
        mz.auto.tuner.callbacks.LambdaCallback(
            on_run_start=lambda tuner, sample: seen.append("start"),
            on_build_end=lambda tuner, model: seen.append(type(model).__name__),
            on_run_end=lambda tuner, model, result: seen.append(result["model_id"]),
        ),
    ]
    tuner.num_runs = 1
    with pytest.warns(UserWarning, match="with dill"):
        best = tuner.tune()["best"]
    assert seen == ["start", "Naive", best["model_id"]]
    assert os.listdir(tmp_path) == [best["model_id"]]
    with pytest.warns(UserWarning, match="with dill"):
        model = mz.load_model(tmp_path / best["model_id"])
    x, y = tuner.test_data.unpack()
    assert model.evaluate(x, y)[tuner.metric] == pytest.approx(best["score"])


def test_models_are_saved_where_the_folder_is_now(tmp_path, monkeypatch):
    monkeypatch.setattr(mz, "USER_TUNED_MODELS_DIR", tmp_path)
    assert mz.auto.tuner.callbacks.SaveModel()._dir_path == tmp_path
    for folder in ("some/where", Path("some/where")):
        assert mz.auto.tuner.callbacks.SaveModel(folder)._dir_path == Path("some/where")


@pytest.mark.slow
def test_tuner_with_generators_and_vectors(pack, vectors):
    task = mz.tasks.Ranking(loss=mz.losses.RankHingeLoss(), metrics=["map"])
    model, preprocessor, builder, matrix = prepare("KNRM", pack, vectors, task)
    data = preprocessor.transform(pack, verbose=0)
    loaded = []
    result = mz.auto.tune(
        model.params,
        train_data=builder.build(data),
        test_data=builder.build(data, mode="point"),
        fit_kwargs={"epochs": 1, "verbose": 0},
        num_runs=1,
        callbacks=[
            mz.auto.tuner.callbacks.LoadEmbeddingMatrix(matrix),
            mz.auto.tuner.callbacks.LambdaCallback(
                on_build_end=lambda tuner, model: loaded.append(
                    model.get_embedding_layer().get_weights()[0]
                )
            ),
        ],
        verbose=0,
    )
    np.testing.assert_allclose(loaded[0], matrix, rtol=1e-6)
    assert 0 < result["best"]["score"] <= 1
