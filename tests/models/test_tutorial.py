"""The additive-attention tutorial, its rows and its faults, against the parts that put it right."""

import numpy as np
import pandas as pd
import pytest

import ir_attention.matchzoo as mz
from ir_attention.backend import keras
from ir_attention.data import read_pack
from ir_attention.data.vectors import read_vectors
from ir_attention.models.tutorial import AdditiveMatcher, VectorPreprocessor

HEADERS = {
    "text_left": "Query Headline",
    "text_right": "Document Headline",
    "label": "Match",
}
ROWS = [
    ("Ferry service returns to the bay", "Bay ferry sails again after five years", 1),
    ("Ferry service returns to the bay", "Fairy lights switched on in the old town", 0),
    ("Ferry service returns to the bay", "Bakers count loaves, and lose count", 0),
    ("Ferry service returns to the bay", "Two tied in the marathon of knitting", 0),
    ("Ferry service returns to the bay", "Museum opens a room of silence", 0),
]
WORDS, WIDTH = 7, 5
METRICS = [
    mz.metrics.MeanAveragePrecision(),
    mz.metrics.MeanReciprocalRank(),
    *(mz.metrics.NormalizedDiscountedCumulativeGain(k=k) for k in (1, 3, 5)),
]


def table(words, width=WIDTH, seed=3):
    rng = np.random.default_rng(seed)
    return {word: rng.normal(size=width) for word in words}


@pytest.fixture
def few():
    """A preprocessor whose vectors know `Ferry`, `bay` and `sails`."""
    return VectorPreprocessor(table(["Ferry", "bay", "sails"]), WORDS)


def build(words=WORDS, width=WIDTH, seed=7, eager=True, **parameters):
    """Compiled; what is called once or twice is not traced, which takes longer."""
    keras.utils.set_random_seed(seed)
    model = AdditiveMatcher()
    model.params["task"] = mz.tasks.Ranking(loss=mz.losses.RankHingeLoss(), metrics=METRICS)
    model.params["input_shapes"] = [(words, width), (words, width)]
    model.params.update(parameters)
    model.build()
    model.compile()
    for network in (model.backend, model._looking):
        network.run_eagerly = eager
    return model


def noise(*lengths, words=WORDS, width=WIDTH, seed=5):
    """Texts of random vectors, `(texts, words, width)`, zeros after the length of each."""
    x = np.random.default_rng(seed).normal(size=(len(lengths), words, width)).astype("float32")
    for text, length in zip(x, lengths, strict=True):
        text[length:] = 0
    return x


def scoring_vector(model):
    return model.attention.get_weights()[0]


def test_the_tutorials_headers(tmp_path):
    """S3-01"""
    frame = pd.DataFrame(ROWS, columns=list(HEADERS.values()))
    frame.to_csv(tmp_path / "gold.csv", index=False)
    pack = read_pack(tmp_path / "gold.csv", columns=HEADERS)
    assert (len(pack), len(pack.left), len(pack.right)) == (5, 1, 5)
    assert list(pack.frame()[["text_left", "text_right", "label"]].itertuples(index=False)) == ROWS
    assert pack.left.index.tolist() == ["L-0"]
    assert pack.right.index.tolist() == [f"R-{number}" for number in range(5)]


def test_transform_leaves_the_pack_alone(few):
    """S3-04"""
    pack = mz.pack(pd.DataFrame(ROWS, columns=["text_left", "text_right", "label"]))
    before = pack.frame()
    assert isinstance(few, mz.engine.base_preprocessor.BasePreprocessor)
    assert few.fit(pack) is few
    assert few.context == {}
    x, y = few.fit_transform(pack, verbose=0).unpack()
    assert x["text_left"].shape == x["text_right"].shape == (5, WORDS, WIDTH)
    assert x["text_left"].dtype == np.float32
    assert y.ravel().tolist() == [1, 0, 0, 0, 0]
    pd.testing.assert_frame_equal(pack.frame(), before)


def test_words_are_letters_and_keep_their_case():
    """S3-05"""
    preprocessor = VectorPreprocessor(table(["x"]), WORDS)
    preprocessor.embed("COVID-19 isn't 2nd_try")
    assert list(preprocessor.missing) == ["COVID", "isn", "t", "nd_try"]


def test_words_without_a_vector(capsys):
    """S3-06"""
    vectors = table(["bay", "sails"])
    text = "ferry bay Bay ferry sails"
    rows = {
        unknown: VectorPreprocessor(vectors, 5, unknown=unknown).embed(text)
        for unknown in ("drop", "unk", "random")
    }
    expected = np.stack([vectors["bay"], vectors["sails"]]).astype("float32")
    np.testing.assert_array_equal(rows["drop"][1:3], expected)
    assert not rows["drop"][[0, 3, 4]].any()
    for policy in ("unk", "random"):
        np.testing.assert_array_equal(rows[policy][[1, 4]], expected)
        np.testing.assert_array_equal(rows[policy][0], rows[policy][3])
        assert (rows[policy][0] == rows[policy][2]).all() == (policy == "unk")
    preprocessor = VectorPreprocessor(vectors)
    pack = mz.pack(pd.DataFrame({"text_left": ["ferry bay"], "text_right": ["ferry Bay"]}))
    for _ in range(2):
        preprocessor.transform(pack)
        assert preprocessor.missing == {"ferry": 2, "Bay": 1}
    assert "3 words, 2 different ones, have no vector: unknown='drop'" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"'drop', 'unk', 'random'.* Received: unknown='keep'"):
        VectorPreprocessor(vectors, unknown="keep")


def test_vectors_of_every_kind(tmp_path):
    """S3-06: a file is asked for matching forms, KeyedVectors and a dict for the word itself."""

    class KeyedVectors:
        vector_size = 3
        rows = {"Bay": np.ones(3)}
        __contains__ = rows.__contains__
        __getitem__ = rows.__getitem__

    (tmp_path / "glove.txt").write_text("bay 1 1 1\nsea 2 2 2\n")
    for vectors in (KeyedVectors(), KeyedVectors.rows, read_vectors(tmp_path / "glove.txt")):
        preprocessor = VectorPreprocessor(vectors, 1)
        np.testing.assert_array_equal(preprocessor.embed("Bay"), [[1, 1, 1]])


@pytest.mark.parametrize("size", [0, 1, 7, 29, 30, 31, 45])
def test_texts_stand_in_the_middle(size):
    """S3-07"""
    words = [f"w{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(size)]
    vectors = table(words or ["x"])
    fixed = VectorPreprocessor(vectors).embed(" ".join(words))
    before = max(30 - size, 0) // 2
    expected = np.zeros((30, WIDTH), "float32")
    for row, word in enumerate(words[:30]):
        expected[before + row] = vectors[word]
    np.testing.assert_array_equal(fixed, expected)
    assert size != 7 or (before, 30 - 7 - before) == (11, 12)


def test_shapes_are_the_tutorials():
    """S3-08, and fault 2: words first, then dimensions."""
    model = AdditiveMatcher()
    model.build()
    assert [tensor.shape[1:] for tensor in model.backend.inputs] == [(30, 300), (30, 300)]
    assert scoring_vector(model).shape == (300, 1)
    x = {name: noise(4, 9, words=30, width=300) for name in ("text_left", "text_right")}
    assert model.weights(x).shape == (2, 30, 30)
    assert model.predict(x).shape == (2, 1)


@pytest.mark.parametrize("over", ["document", "query"])
def test_attention_equals_numpy_and_has_a_direction(over):
    """S3-08, and fault 4"""
    model = build(attend_over=over)
    x = {"text_left": noise(3, 7), "text_right": noise(5, 2, seed=6)}
    own, other = x["text_left"], x["text_right"]
    if over == "query":
        own, other = other, own
    logits = np.tanh(own[:, :, None] + other[:, None]) @ scoring_vector(model)
    powers = np.exp(logits[..., 0]) * other.any(axis=-1)[:, None]
    expected = powers / powers.sum(axis=-1, keepdims=True)
    weights = model.weights(x)
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    np.testing.assert_array_equal(weights[~np.broadcast_to(powers > 0, weights.shape)], 0)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)

    found = (expected @ other) * own.any(axis=-1, keepdims=True)
    kernel, bias = model.dense.get_weights()
    hidden = [side.reshape(2, -1) @ kernel + bias for side in (own, found)]
    a, b = (np.where(side > 0, side, np.expm1(side)) for side in hidden)
    cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    np.testing.assert_allclose(model.predict(x)[:, 0], cosine, atol=1e-5)


def test_directions_are_named():
    """Fault 4"""
    with pytest.raises(ValueError, match="'document' or 'query'. Received: attend_over='left'"):
        build(attend_over="left")


def test_attention_is_over_words_and_not_over_dimensions():
    """Fault 2"""
    model = build()
    x = {"text_left": noise(7), "text_right": noise(7, seed=6)}
    weights = model.weights(x)
    order = np.random.default_rng(1).permutation(WORDS)
    np.testing.assert_allclose(
        model.weights({**x, "text_right": x["text_right"][:, order]}),
        weights[..., order],
        atol=1e-6,
    )
    np.testing.assert_allclose(
        model.weights({**x, "text_left": x["text_left"][:, order]}), weights[:, order], atol=1e-6
    )
    turned = np.roll(np.arange(WIDTH), 2)
    model.attention.set_weights([scoring_vector(model)[turned]])
    moved = {name: side[..., turned] for name, side in x.items()}
    np.testing.assert_allclose(model.weights(moved), weights, atol=1e-6)


def test_padding_gets_no_attention_and_nothing_is_nan():
    """Fault 3"""
    model = build()
    x = {"text_left": noise(4, 0, 4, 0), "text_right": noise(2, 2, 0, 0, seed=6)}
    weights = model.weights(x)
    np.testing.assert_array_equal(weights[:2, :, 2:], 0)
    np.testing.assert_array_equal(weights[2:], 0)
    assert np.isfinite(model.predict(x)).all()


def test_the_scoring_vector_is_trained_and_survives(tmp_path):
    """S3-08, and fault 1"""
    model = build(eager=False)
    before = scoring_vector(model)
    x = {"text_left": noise(7, 7), "text_right": noise(5, 6, seed=6)}
    model.fit(x, np.array([[1], [0]]), verbose=0)
    after = scoring_vector(model)
    assert (after != before).all()
    with pytest.warns(UserWarning, match="Writing a ParamTable with dill"):
        model.save(tmp_path / "model")
    with pytest.warns(UserWarning, match="Reading with dill"):
        loaded = mz.load_model(tmp_path / "model")
    np.testing.assert_array_equal(scoring_vector(loaded), after)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_score_is_a_cosine_of_one_shared_layer():
    """S3-10"""
    model = build()
    dense = [layer for layer in model.backend.layers if isinstance(layer, keras.layers.Dense)]
    assert dense == [model.dense]
    assert len(model.backend.get_weights()) == 3  # the scoring vector, one kernel, one bias
    config = model.dense.get_config()
    assert (config["units"], config["activation"]) == (64, "elu")
    assert config["kernel_initializer"]["class_name"] == "GlorotUniform"
    np.testing.assert_array_equal(model.dense.bias, 0)
    one = noise(1)  # its word can only attend to itself: what it finds is the text
    same = np.repeat(one[:, :1], WORDS, axis=1)
    for text in (one, same):
        score = model.predict({"text_left": text, "text_right": text})
        np.testing.assert_allclose(score, 1, atol=1e-6)
    scores = model.predict({"text_left": noise(*[7] * 50), "text_right": noise(*[5] * 50, seed=6)})
    assert np.abs(scores).max() <= 1 + 1e-6
    assert scores.std() > 0.01


@pytest.mark.slow
def test_the_tutorial_from_end_to_end(tmp_path):
    """S3-11 to S3-17, with the tutorial's calls, on twenty queries."""
    rng = np.random.default_rng(3)
    words = [f"{a}{b}" for a in "bcdfg" for b in "aeiou"]
    rows = []
    for number in range(20):
        query = list(rng.choice(words, 4, replace=False))
        for label in (0, 1, 0):
            document = query if label else list(rng.choice(words, 4, replace=False))
            rows.append((" ".join(query), f"{' '.join(document)} {number}", label))
    test_df = pd.DataFrame(rows, columns=["text_left", "text_right", "label"])
    processed = VectorPreprocessor(table(words), WORDS).transform(mz.pack(test_df), verbose=0)
    train_generator = mz.DataGenerator(
        processed, mode="pair", num_dup=5, num_neg=1, batch_size=10, seed=7
    )
    assert len(train_generator[0][1]) == 20
    model = build(eager=False)
    x, y = processed.unpack()
    evaluate = mz.callbacks.EvaluateAllMetrics(model, x=x, y=y, batch_size=len(y), verbose=0)
    history = model.fit_generator(
        train_generator,
        epochs=10,
        callbacks=[evaluate],
        workers=4,
        use_multiprocessing=True,
        shuffle=True,
        verbose=0,
    ).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    for metric in METRICS:
        assert len(history[str(metric)]) == 10
    performances = model.evaluate(x, y)
    assert list(performances) == METRICS
    assert performances[METRICS[0]] > 0.8
    assert performances[METRICS[0]] == history[METRICS[0]][-1]

    test_df["predictions"] = model.predict(x)
    test_df.to_csv(tmp_path / "AttentionModelResults.csv", index=False)
    read = pd.read_csv(tmp_path / "AttentionModelResults.csv", dtype={"predictions": "float32"})
    assert list(read) == ["text_left", "text_right", "label", "predictions"]
    assert read.text_right.tolist() == test_df.text_right.tolist()
    np.testing.assert_array_equal(read.predictions, test_df.predictions)
