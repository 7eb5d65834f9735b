"""The matcher: equal to its NumPy twin, and deaf to padding, batch-mates and empty sentences."""

import json
import os
import subprocess
import sys
from dataclasses import asdict

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.data.arrays import Cuts, number_texts, pair_arrays
from ir_attention.data.inputs import Sizes, model_inputs
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.models import pair_forward, shapes
from ir_attention.models.losses import ListwiseSoftmax
from ir_attention.models.matcher import Matcher, MatcherSettings

# Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

WORDS = "cat dog winter sport river stone the of run runs".split()
NEVER_SEEN = "zyx quux runner".split()
SETTINGS = MatcherSettings(projection=5, attention=3, gru=2, pool=7, hidden=11)
SIZES = Sizes(queries=3, pairs=7, step=16)
WIDTH = 13


def table_of(rows, seed=1):
    table = np.random.default_rng(seed).normal(size=(rows, WIDTH)).astype("float32")
    table[0] = 0
    return table


def made(**settings):
    """A matcher in which every weight, biases too, is drawn."""
    settings = MatcherSettings(**asdict(SETTINGS) | settings)
    model, rng = Matcher(table_of(len(WORDS) + 1), settings), np.random.default_rng(2)
    for weight in model.weights:
        if "table" not in weight.path and "seed" not in weight.path:
            weight.assign(0.7 * rng.normal(size=weight.shape))
    return model


MODELS = {levels: made(levels=levels) for levels in (1, 2)}
TABLE = np.asarray(MODELS[2].table.embeddings)
VOCABULARY = Vocabulary(WORDS, {"cat": 0.9, "the": 0.1, "run": 0.5})


def arrays_of(queries, vocabulary=VOCABULARY, split=True, cuts=None):
    """The arrays of `{query: documents}`."""
    texts, groups = [], []
    for query, documents in queries:
        groups.append((len(texts), len(texts) + 1 + np.arange(len(documents))))
        texts += [query, *documents]
    return pair_arrays(number_texts(texts, vocabulary, split_sentences=split), groups, cuts)


def of_keras(arrays, model=MODELS[2], sizes=SIZES):
    return np.asarray(model(model_inputs(arrays, sizes)))[: len(arrays.pair_query)]


def of_numpy(arrays, model=MODELS[2]):
    return pair_forward.score_pairs(arrays, TABLE, model.weights_by_name())[0]


QUERIES = [
    ("the cat runs", ["A cat ran. The dog did not.", "", "zyx!", "Winter sport of the river cat"]),
    ("zyx of quux", ["quux zyx", "stone. stone zyx. runner cat runs. dog"]),
    ("", ["cat", ""]),
]

word = st.sampled_from([*WORDS, *NEVER_SEEN])
sentence = st.lists(word, min_size=1, max_size=4).map(lambda words: " ".join(words) + ".")
document = st.lists(sentence, max_size=3).map(" ".join)
request = st.lists(
    st.tuples(st.lists(word, max_size=4).map(" ".join), st.lists(document, max_size=3)),
    min_size=1,
    max_size=2,
)


@settings(max_examples=8, deadline=None)
@given(queries=request, levels=st.sampled_from([1, 2]))
def test_the_twin_agrees(queries, levels):
    arrays = arrays_of(queries, split=levels == 2)
    sizes = SIZES
    np.testing.assert_allclose(
        of_keras(arrays, MODELS[levels], sizes), of_numpy(arrays, MODELS[levels]), atol=1e-5
    )


def test_the_twin_agrees_on_pieces():
    tokenizers = pytest.importorskip("tokenizers")
    pieces = {"[UNK]": 0, "cat": 1, "r": 2, "##u": 3, "##n": 4, "##s": 5, "the": 6}
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(pieces, unk_token="[UNK]", max_input_chars_per_word=100)
    )
    arrays = arrays_of(QUERIES, Vocabulary(tokenizer=tokenizer.to_str()))
    assert len(arrays.document) > 25  # more pieces than words
    np.testing.assert_allclose(
        of_keras(arrays, sizes=SIZES._replace(pairs=11)),
        of_numpy(arrays),
        atol=1e-5,
    )


def test_the_twin_agrees_on_cuts():
    arrays = arrays_of(QUERIES, cuts=Cuts(query=2, sentence=3, sentences=2))
    assert arrays.query_lengths.max() == 2
    assert arrays.sentence_lengths.max() == 3
    np.testing.assert_allclose(
        of_keras(arrays, sizes=SIZES._replace(pairs=11)), of_numpy(arrays), atol=1e-5
    )


def test_padding_has_no_say():
    arrays = arrays_of(QUERIES)
    expected = of_keras(arrays, sizes=Sizes(step=1))
    bigger = Sizes(queries=5, pairs=11, step=32)
    np.testing.assert_allclose(of_keras(arrays, sizes=bigger), expected, atol=1e-6)


def test_batch_mates_have_no_say():
    sizes = SIZES._replace(pairs=8)
    together = of_keras(arrays_of(QUERIES), sizes=sizes)
    alone = [
        of_keras(arrays_of([(query, [document])]), sizes=sizes)[0]
        for query, documents in QUERIES
        for document in documents
    ]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(of_numpy(arrays_of(QUERIES)), alone, atol=1e-5)


def with_empty_sentences(arrays):
    """The same arrays with a sentence of no words before and behind those of each document."""
    ends = np.cumsum(arrays.sentence_counts)
    return arrays._replace(
        sentence_lengths=np.insert(
            arrays.sentence_lengths, np.stack([ends - arrays.sentence_counts, ends]).T.ravel(), 0
        ),
        sentence_counts=arrays.sentence_counts + 2,
    )


def test_empty_sentences_have_no_say():
    arrays = arrays_of(QUERIES)
    expected = of_keras(arrays, sizes=SIZES._replace(pairs=8))
    more, sizes = with_empty_sentences(arrays), SIZES._replace(pairs=8)
    np.testing.assert_allclose(of_keras(more, sizes=sizes), expected, atol=1e-6)
    np.testing.assert_allclose(of_numpy(more), of_numpy(arrays), atol=1e-6)
    # In texts they are dropped before: what has no word is no sentence.
    query, documents = QUERIES[0]
    marked = arrays_of([(query, ["... " + documents[0] + " --- !!! \n\n *** \n"])])
    np.testing.assert_allclose(of_keras(marked)[0], expected[0], atol=1e-6)


def test_words_never_seen_match_themselves():
    same, other = of_keras(arrays_of([("zyx", ["zyx", "quux"])]))
    assert abs(same - other) > 1e-3


def test_every_weight_has_a_say():
    model, arrays = made(), arrays_of(QUERIES)
    expected = of_numpy(arrays, model)
    for name, weight in model.weights_by_name().items():
        moved = model.weights_by_name() | {name: weight + 0.5}
        assert np.abs(pair_forward.score_pairs(arrays, TABLE, moved)[0] - expected).max() > 1e-5, (
            name
        )


@pytest.mark.parametrize("levels", [1, 2])
def test_shapes_of_weights(levels):
    model = MODELS[levels]
    wanted = shapes.matcher_shapes(WIDTH, **asdict(model.settings))
    named = model.weights_by_name()
    assert {name: weight.shape for name, weight in named.items()} == wanted
    count = sum(weight.size for weight in named.values())
    assert count == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_one_seed_gives_one_model():
    one, other, third = (Matcher(table_of(11), SETTINGS, seed).get_weights() for seed in (7, 7, 8))
    assert all(np.array_equal(*both) for both in zip(one, other, strict=True))
    assert any(not np.array_equal(*both) for both in zip(one, third, strict=True))


def step(model, arrays):
    """One step of training towards the first document of each query; the loss."""
    target, pairs = np.zeros((SIZES.pairs, 2), "float32"), len(arrays.pair_query)
    target[:, 1] = -1
    target[:pairs, 0] = np.diff(arrays.pair_query, prepend=-1) > 0
    target[:pairs, 1] = arrays.pair_query
    model.compile(keras.optimizers.Adam(0.001), ListwiseSoftmax(3), run_eagerly=True)
    return float(model.train_on_batch(model_inputs(arrays, SIZES), target))


@pytest.mark.parametrize("trainable", [False, True])
def test_a_step_trains_every_weight(trainable):
    model = made(trainable_vectors=trainable)
    before, table = model.weights_by_name(), np.array(model.table.embeddings)
    before = {name: weight.copy() for name, weight in before.items()}
    assert np.isfinite(step(model, arrays_of(QUERIES[:2])))
    for name, weight in model.weights_by_name().items():
        if name == "score_output/bias":  # added to every score: no gradient but by rounding
            assert np.abs(weight - before[name]).max() < 1e-3
        else:
            assert not np.array_equal(weight, before[name]), name
    moved = np.abs(np.asarray(model.table.embeddings) - table).max(axis=1) > 0
    used = {VOCABULARY.ids(["cat"])[0][0], VOCABULARY.ids(["runs"])[0][0]}
    assert moved.any() == trainable
    assert not moved[0]
    assert not trainable or all(moved[row] for row in used)
    assert not trainable or not moved.all()


def test_scores_do_not_change_while_scoring():
    arrays = arrays_of(QUERIES[:2])
    model, inputs = MODELS[2], model_inputs(arrays, SIZES)
    np.testing.assert_array_equal(model(inputs), model(inputs, training=False))
    assert np.abs(np.asarray(model(inputs, training=True)) - np.asarray(model(inputs))).max() > 1e-3


def test_words_are_dropped_as_a_whole(monkeypatch):
    """All of a word's vector or nothing of it, in training alone; what stays counts double."""
    model = made(word_dropout=0.5, dropout=0.0)
    inputs, seen = model_inputs(arrays_of(QUERIES), SIZES._replace(pairs=8)), []
    drop = model.word_dropout.call

    def spy(known, training=False):
        seen.append((np.asarray(known), np.asarray(drop(known, training=training))))
        return drop(known, training=training)

    monkeypatch.setattr(model.word_dropout, "call", spy)
    model(inputs)
    model(inputs, training=True)
    np.testing.assert_array_equal(*seen[0])
    known, kept = seen[1]
    gone = ~kept.any(axis=1)
    assert 0 < gone.sum() < len(gone)
    np.testing.assert_allclose(kept[~gone], 2 * known[~gone], rtol=1e-6)


def test_a_row_of_unknown_words_is_not_looked_up():
    """Row 0 counts as zeros, whatever a table of Keras holds there."""
    model, arrays = made(), arrays_of(QUERIES)
    expected = of_keras(arrays, model, SIZES._replace(pairs=8))
    table = np.array(model.table.embeddings)
    table[0] = 5
    model.table.embeddings.assign(table)
    np.testing.assert_array_equal(of_keras(arrays, model, SIZES._replace(pairs=8)), expected)


JAX = """
import json, sys
import numpy as np
from ir_attention.backend import keras
assert keras.backend.backend() == "jax"
from ir_attention.models.losses import ListwiseSoftmax
from ir_attention.models.matcher import Matcher, MatcherSettings, named_weights
stored = dict(np.load(sys.argv[1]))
settings = json.loads(str(stored.pop("settings")))
inputs = {n[3:]: stored.pop(n) for n in list(stored) if n.startswith("in/")}
model = Matcher(stored.pop("table"), MatcherSettings(**settings), steps=(8, 8, 4))
target, scores = stored.pop("target"), stored.pop("scores")
named = named_weights(model)
assert set(named) == set(stored), set(named) ^ set(stored)
for name, weight in named.items():
    weight.assign(stored[name])
difference = np.abs(np.asarray(model(inputs))[: len(scores)] - scores).max()
assert difference < 1e-5, difference
assert all((stored[name] == value).all() for name, value in model.weights_by_name().items())
model.compile(keras.optimizers.Adam(0.001), ListwiseSoftmax(3))
losses = [float(model.train_on_batch(inputs, target)) for _ in range(3)]
assert losses[2] < losses[0], losses
assert not all((stored[name] == value).all() for name, value in model.weights_by_name().items())
"""


@pytest.mark.slow
def test_on_jax(tmp_path):
    """The same weights give the same scores there, and a fit runs."""
    pytest.importorskip("jax")
    arrays, model = arrays_of(QUERIES[:2]), made(dropout=0.0)
    target = np.zeros((SIZES.pairs, 2), "float32")
    target[:, 1] = -1
    target[:6] = [[1, 0], [0, 0], [0, 0], [0, 0], [1, 1], [0, 1]]
    np.savez(
        tmp_path / "matcher.npz",
        **model.weights_by_name(),
        **{f"in/{name}": value for name, value in model_inputs(arrays, SIZES).items()},
        table=TABLE,
        target=target,
        scores=of_numpy(arrays, model),
        settings=np.array(json.dumps(asdict(model.settings))),
    )
    done = subprocess.run(
        [sys.executable, "-c", JAX, str(tmp_path / "matcher.npz")],
        capture_output=True,
        text=True,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("levels", [1, 2])
def test_packed_and_padded_are_one_model(levels):
    """Scores and every gradient, of a batch with empty texts and with padding behind it."""
    import tensorflow as tf

    found = {}
    for packed in (True, False):
        model = Matcher(TABLE, MODELS[levels].settings, packed=packed)
        model.load_by_name(MODELS[levels].weights_by_name())
        inputs = model_inputs(arrays_of(QUERIES), SIZES._replace(pairs=8))
        inputs = {name: tf.constant(one) for name, one in inputs.items()}
        with tf.GradientTape() as tape:
            scores = model(inputs)[:8]
            loss = tf.reduce_sum(scores * np.arange(1, 9, dtype="float32"))
        weights = [weight.value for weight in model.trainable_weights]
        gradients = tape.gradient(loss, weights)
        found[packed] = [scores, *map(tf.convert_to_tensor, gradients)]
    for one, other in zip(*found.values(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("packed", [True, False])
def test_no_documents(packed):
    """A query without documents, and documents without words, beside none that has some."""
    model = Matcher(TABLE, MODELS[2].settings, packed=packed)
    model.load_by_name(MODELS[2].weights_by_name())
    assert of_keras(arrays_of([("the cat", [])]), model, Sizes()).shape == (0,)
    arrays = arrays_of([("the cat", ["", ""]), ("", [])])
    np.testing.assert_allclose(of_keras(arrays, model, Sizes()), of_numpy(arrays), atol=1e-5)


@pytest.mark.slow
def test_fits_in_a_graph_without_steps():
    model, arrays = made(dropout=0.0), arrays_of(QUERIES[:2])
    target = np.stack([np.diff(arrays.pair_query, prepend=-1) > 0, arrays.pair_query], axis=1)
    model.compile(keras.optimizers.Adam(0.001), ListwiseSoftmax(3), jit_compile=False)
    inputs = model_inputs(arrays, Sizes())
    losses = [float(model.train_on_batch(inputs, target.astype("float32"))) for _ in range(3)]
    assert losses[2] < losses[0]


def test_large_projections_stay_numbers():
    """Beyond what a product of exponentials can hold, the attention is computed the long way."""
    model, arrays = made(), arrays_of(QUERIES)
    for layer in (model.document_attention, model.query_attention):
        layer.query_kernel.assign(60 * np.asarray(layer.query_kernel))
    scores = of_keras(arrays, model, SIZES._replace(pairs=8))
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores, of_numpy(arrays, model), atol=1e-5)
    padded = Matcher(TABLE, model.settings, packed=False)
    padded.load_by_name(model.weights_by_name())
    np.testing.assert_allclose(of_keras(arrays, padded, SIZES._replace(pairs=8)), scores, atol=1e-5)


@pytest.mark.parametrize("without", ["match_features", "query_side"])
def test_what_is_left_out_has_no_say(without):
    model, whole, arrays = made(**{without: False}), made(), arrays_of(QUERIES[:2])
    rng = np.random.default_rng(4)
    scores = of_numpy(arrays, model)
    np.testing.assert_allclose(scores, of_keras(arrays, model), atol=1e-5)
    assert np.abs(scores - of_numpy(arrays, whole)).max() > 1e-3
    if without == "match_features":
        arrays = arrays._replace(
            overall=rng.normal(size=arrays.overall.shape),
            row_features=rng.normal(size=arrays.row_features.shape),
            query_features=rng.normal(size=arrays.query_features.shape),
        )
    else:
        for weight in model.query_pool.weights:
            weight.assign(rng.normal(size=weight.shape))
    np.testing.assert_allclose(of_keras(arrays, model), scores, atol=1e-5)
    np.testing.assert_allclose(of_numpy(arrays, model), scores, atol=1e-5)
