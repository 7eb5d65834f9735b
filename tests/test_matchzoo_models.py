"""MatchZoo's models on a toy: fit, predict, evaluate, callbacks, files; MV-LSTM against NumPy."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ir_attention import matchzoo as mz
from ir_attention.backend import keras
from ir_attention.errors import DataError

# Keras copies TensorFlow's variables with an `__array__` that NumPy 2 finds out of date.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

METRICS = [
    mz.metrics.MeanAveragePrecision(),
    mz.metrics.MeanReciprocalRank(),
    *(mz.metrics.NormalizedDiscountedCumulativeGain(k=k) for k in (1, 3, 5)),
]
NAMES = [str(metric) for metric in METRICS]


@pytest.fixture(scope="module")
def pack():
    """Twenty queries with four documents each; a relevant one shares three of four words."""
    rng = np.random.default_rng(3)
    words = np.array([f"word{letter}{other}" for letter in "abcdef" for other in "uvwxyz"])
    rows = []
    for _ in range(20):
        query = rng.choice(words, 4, replace=False)
        for label in (0, 1, 0, 0):
            document = rng.choice(words, 6)
            document[1:4] = query[:3] if label else document[1:4]
            rows.append((" ".join(query), " ".join(document), label))
    return mz.pack(pd.DataFrame(rows, columns=["text_left", "text_right", "label"]))


SMALL = {
    "DSSM": {"mlp_num_units": 32},
    "CDSSM": {"mlp_num_units": 32},
    "DenseBaseline": {"mlp_num_units": 16},
    "Naive": {},
    "ConvKNRM": {"embedding_output_dim": 7, "filters": 5, "max_ngram": 2, "kernel_num": 3},
    "KNRM": {"embedding_output_dim": 7},
    "MVLSTM": {"embedding_output_dim": 7, "lstm_units": 5, "top_k": 11, "mlp_num_layers": 1},
    "ArcI": {"embedding_output_dim": 7},
    "ArcII": {"embedding_output_dim": 7},
    "DUET": {"embedding_output_dim": 7},
    "DRMMTKS": {"embedding_output_dim": 7, "mask_value": 0},
    "DRMM": {"embedding_output_dim": 7, "mask_value": 0, "input_shapes": [(6,), (6, 11)]},
    "ANMM": {"embedding_output_dim": 7, "input_shapes": [(6,), (6, 11)], "hidden_sizes": [5, 1]},
    "MatchPyramid": {"embedding_output_dim": 7, "dpool_size": [3, 4]},
    "ESIM": {"embedding_output_dim": 7, "lstm_dim": 3},
    "HBMP": {"embedding_output_dim": 7, "lstm_num_units": 3},
}


def build(name, pack, loss=None):
    """A small compiled model, the pack as it wants it, and its generator's callbacks."""
    keras.utils.set_random_seed(7)
    model = getattr(mz.models, name, None) or getattr(mz.contrib.models, name)
    model = model()
    model.params["task"] = mz.tasks.Ranking(loss=loss or mz.losses.RankHingeLoss(), metrics=METRICS)
    preprocessor = model.get_default_preprocessor()
    if type(preprocessor) is mz.preprocessors.BasicPreprocessor:
        preprocessor = mz.preprocessors.BasicPreprocessor(6, 8, filter_low_freq=1)
    data = preprocessor.fit_transform(pack, verbose=0)
    model.params.update(preprocessor.context)
    for parameter, value in SMALL[name].items():
        model.params[parameter] = value
    model.guess_and_fill_missing_params(verbose=0)
    model.build()
    model.compile()
    callbacks = []
    if name == "MatchPyramid":
        callbacks = [mz.data_generator.callbacks.DynamicPooling(6, 8)]
    if name in ("ANMM", "DRMM"):
        vectors = np.random.default_rng(5).normal(size=(model.params["embedding_input_dim"], 7))
        callbacks = [mz.data_generator.callbacks.Histogram(vectors, bin_size=11, hist_mode="LCH")]
    if name == "ANMM":  # reads the histogram in place of the document
        move = mz.data_generator.callbacks.LambdaCallback(
            on_batch_unpacked=lambda x, y: x.update(text_right=x.pop("match_histogram"))
        )
        callbacks.append(move)
    return model, data, callbacks


def eager(name, pack, loss=None):
    """As `build`, but nothing is traced: for tests of what stands around a fit."""
    built = build(name, pack, loss)
    built[0].backend.run_eagerly = True
    return built


def fit(model, data, on_batch, epochs=3, **kwargs):
    train = mz.DataGenerator(
        data, mode="pair", num_dup=2, batch_size=10, callbacks=on_batch, seed=7
    )
    return model.fit_generator(train, epochs=epochs, verbose=0, **kwargs)


def everything(data, callbacks):
    return mz.DataGenerator(data, shuffle=False, batch_size=50, callbacks=callbacks)[:]


def check_fit_predict_evaluate(name, pack, falling=True):
    model, data, callbacks = build(name, pack)
    x, y = everything(data, callbacks)
    watch = mz.callbacks.EvaluateAllMetrics(model, x, y, batch_size=len(y), verbose=0)
    history = fit(model, data, callbacks, callbacks=[watch]).history
    assert not falling or history["loss"][-1] < history["loss"][0]
    scores = model.predict(x)
    assert scores.shape == (80, 1)
    assert np.isfinite(scores).all()
    values = model.evaluate(x, y)
    assert list(values) == METRICS
    for metric, value in values.items():
        assert len(history[str(metric)]) == 3
        assert history[str(metric)][-1] == history[metric][-1] == pytest.approx(value)


QUICK = ["DSSM", "DenseBaseline"]


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_models_learn(name, pack):
    check_fit_predict_evaluate(name, pack)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*SMALL} - {*QUICK, "HBMP"}))
def test_other_models_learn(name, pack):
    check_fit_predict_evaluate(name, pack, falling=name not in ("Naive", "ESIM"))


@pytest.mark.slow
def test_hbmp_predicts(pack):
    """Its fit traces six LSTMs with recurrent dropout, half a minute for nothing of ours."""
    model, data, _ = build("HBMP", pack)
    assert np.isfinite(model.predict(data.unpack()[0])).all()


@pytest.fixture(scope="module")
def naive(pack):
    return eager("Naive", pack)


def test_evaluate_is_the_mean_over_queries(naive):
    model, data, _ = naive
    x, y = data.unpack()
    model.params["task"].metrics = ["map", "mse", "acc", "mae"]
    values = model.evaluate(x, y, batch_size=7)
    scores = model.predict(x)
    by_query = [
        mz.metrics.MeanAveragePrecision()(y[at].ravel(), scores[at].ravel())
        for at in (x["id_left"] == query for query in np.unique(x["id_left"]))
    ]
    assert values[mz.metrics.MeanAveragePrecision()] == pytest.approx(np.mean(by_query))
    assert values["mse"] == pytest.approx(np.mean((scores - y) ** 2), rel=1e-5)
    assert values["mae"] == pytest.approx(np.mean(np.abs(scores - y)), rel=1e-5)
    assert values["binary_accuracy"] == pytest.approx(np.mean((scores > 0.5) == y))
    assert all(type(value) is float for value in values.values())
    generator = mz.DataGenerator(data, batch_size=9, shuffle=False)
    assert model.evaluate_generator(generator) == pytest.approx(values)


def test_classification(pack):
    keras.utils.set_random_seed(7)
    data = mz.preprocessors.NaivePreprocessor().fit_transform(pack, verbose=0)
    data = data.one_hot_encode_label(num_classes=2)
    model = mz.models.Naive()
    model.params["task"] = mz.tasks.Classification(num_classes=2)
    model.guess_and_fill_missing_params(verbose=0)
    model.build()
    model.compile()
    model.backend.run_eagerly = True
    x, y = data.unpack()
    history = model.fit(x, y, epochs=1, verbose=0, validation_split=0.25)
    assert {"loss", "val_loss"} <= set(history.history)
    scores = model.predict(x)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    accuracy = np.mean(scores.argmax(axis=1) == y.argmax(axis=1))
    assert model.evaluate(x, y) == {"categorical_accuracy": pytest.approx(accuracy)}
    model.params["task"].metrics = ["map"]
    with pytest.raises(ValueError, match="need a task of ranking. Received: task=Classification"):
        model.evaluate(x, y)


def test_fit_takes_unpacked_data(naive):
    model, data, _ = naive
    x, y = data[:40].unpack()
    assert x["id_left"].dtype.kind == "U"
    valid = data[40:].unpack()
    history = model.fit(x, y, batch_size=20, epochs=2, verbose=0, validation_data=valid)
    assert len(history.history["val_loss"]) == 2
    model.fit([x["text_left"], x["text_right"]], y, verbose=0)


def test_fit_generator_takes_the_old_arguments(naive):
    model, data, _ = naive
    train = mz.DataGenerator(data, mode="pair", num_dup=2, batch_size=10, seed=7)
    valid = mz.DataGenerator(data, mode="pair", batch_size=10, seed=8)
    history = model.fit_generator(
        train,
        epochs=2,
        verbose=0,
        workers=4,
        use_multiprocessing=True,
        max_queue_size=5,
        shuffle=True,
        validation_data=valid,
    )
    assert len(history.history["loss"]) == len(history.history["val_loss"]) == 2


def test_an_epoch_may_have_another_length(naive):
    """Seven batches of the generator's four: the second pass ends within the third epoch."""
    model, data, _ = naive
    passes, batches = [], []
    callback = mz.data_generator.callbacks.LambdaCallback(
        on_batch_unpacked=lambda x, y: batches.append(tuple(x["id_right"]))
    )
    train = mz.DataGenerator(data, batch_size=20, seed=7, callbacks=[callback])
    train.reset_index = lambda deal=train.reset_index: (passes.append(1), deal())
    history = model.fit_generator(train, epochs=2, steps_per_epoch=7, verbose=0)
    assert len(history.history["loss"]) == 2
    assert len(batches) >= 14
    assert len(passes) >= 3


def test_fit_generator_takes_other_generators(naive):
    model, data, _ = naive
    x, y = data.unpack()
    stream = ((x, y) for _ in range(4))
    history = model.fit_generator(stream, steps_per_epoch=2, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


@pytest.mark.slow
def test_a_seed_decides_on_the_fit(pack):
    def weights():
        np.random.seed(np.random.SeedSequence().entropy % 2**32)
        model, data, callbacks = build("DenseBaseline", pack)
        fit(model, data, callbacks, epochs=1)
        return model.backend.get_weights()

    for one, other in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_once_every(naive, capsys):
    model, data, _ = naive
    x, y = data.unpack()
    model.params["task"].metrics = ["map"]
    watch = mz.callbacks.EvaluateAllMetrics(model, x, y, once_every=2, verbose=1)
    history = model.fit(x, y, epochs=5, verbose=0, callbacks=[watch]).history
    assert len(history["mean_average_precision(0.0)"]) == 2
    out = capsys.readouterr().out
    assert out.count("Validation: mean_average_precision(0.0): 0.") == 2


def test_missing_and_ragged_inputs_are_named(pack):
    model, data, _ = build("MatchPyramid", pack)
    x, y = data.unpack()
    with pytest.raises(DataError, match=r"inputs \['dpool_index'\].*Received: columns \['id_left'"):
        model.predict(x)
    x["dpool_index"] = np.zeros((80, 6, 8, 2), int)
    x["text_right"] = np.array([[1], [2, 3]] * 40, dtype=object)
    with pytest.raises(DataError, match="text_right holds texts of different lengths"):
        model.fit(x, y)


def test_save_and_load(pack, tmp_path):
    loss = mz.losses.RankHingeLoss(num_neg=1, margin=0.5)
    model, data, callbacks = eager("DenseBaseline", pack, loss)
    fit(model, data, callbacks, epochs=1)
    x, y = data.unpack()
    with pytest.warns(UserWarning, match="Writing a ParamTable with dill.*params.dill") as caught:
        model.save(tmp_path / "deep" / "model")
    assert __file__ in [warning.filename for warning in caught]
    assert sorted(path.name for path in (tmp_path / "deep" / "model").iterdir()) == [
        "backend.weights.h5", "params.dill"
    ]  # fmt: skip
    with pytest.warns(UserWarning, match="Reading with dill") as caught:
        again = mz.load_model(tmp_path / "deep" / "model")
    assert [warning.filename for warning in caught] == [__file__]  # and no other one
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.params["task"].loss.margin == 0.5
    assert again.evaluate(x, y) == model.evaluate(x, y)
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "deep" / "model")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, mask, kernel, recurrent, bias):
    """An LSTM over `(steps, width)` as Keras 2 had it: a masked step repeats the last output."""
    h = c = output = np.zeros(recurrent.shape[0])
    outputs = []
    for vector, keep in zip(x, mask, strict=True):
        if keep:
            i, f, g, o = np.split(vector @ kernel + h @ recurrent + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            output = h = sigmoid(o) * np.tanh(c)
        outputs.append(output)
    return np.array(outputs)


def test_mv_lstm_treats_padding_as_it_always_did(pack):
    model, data, _ = eager("MVLSTM", pack)
    x, _ = data[:7].unpack()
    x["text_right"][0, 3:] = 0
    x["text_right"][1, 1:] = 0
    x["text_right"][2] = 0
    embedding, *weights = model.backend.get_weights()
    encoders, dense = (weights[:6], weights[6:12]), weights[12:]
    expected = []
    for sides in zip(x["text_left"], x["text_right"], strict=True):
        encoded = []
        for ids, encoder in zip(sides, encoders, strict=True):
            forward = lstm(embedding[ids], ids != 0, *encoder[:3])
            backward = lstm(embedding[ids[::-1]], ids[::-1] != 0, *encoder[3:])[::-1]
            encoded.append(np.concatenate([forward, backward], axis=1))
        vector = np.sort((encoded[0] @ encoded[1].T).ravel())[::-1][: model.params["top_k"]]
        for kernel, bias in zip(dense[:-2:2], dense[1:-2:2], strict=True):
            vector = np.maximum(vector @ kernel + bias, 0)
        expected.append(vector @ dense[-2] + dense[-1])
    np.testing.assert_allclose(model.predict(x), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["BiMPM", "DIIN", "MatchLSTM", "MatchSRNN"])
def test_models_that_would_be_wrong_are_refused(name):
    with pytest.raises(NotImplementedError, match=f"MatchZoo's {name} .* Received: model={name}"):
        getattr(mz.contrib.models, name)()


def test_parameters():
    params = mz.models.ConvKNRM.get_default_params()
    assert params["model_class"] is mz.models.ConvKNRM
    assert params["kernel_num"] == 11
    assert not params.completed()
    assert mz.models.Naive in mz.models.list_available()
    assert set(mz.hyper_spaces.sample(mz.models.Naive.get_default_params().hyper_space)) == {
        "optimizer"
    }


@pytest.mark.slow
def test_losses_and_models_without_tensorflow_run_on_jax():
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    files = [here / "test_matchzoo_losses.py", here / "test_matchzoo_models.py"]
    chosen = ["-k", "rank or groups or survive or learn or evaluate or old_arguments or seed"]
    done = subprocess.run(
        [*command, *files, *chosen],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
