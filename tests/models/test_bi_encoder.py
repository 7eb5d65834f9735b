"""The bi-encoder: equal to its NumPy twin, a product of two vectors, deaf to the other side."""

from dataclasses import asdict

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.data.arrays import Runs, number_texts, pair_arrays
from ir_attention.data.inputs import Sizes, model_inputs
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.models import shapes
from ir_attention.models.bi_encoder import BiEncoder, BiEncoderSettings
from ir_attention.models.bi_forward import Words, document_vectors, query_vectors
from ir_attention.models.forward import attention_pool, encode_documents, of_layer
from ir_attention.models.han import HierarchicalEncoder
from ir_attention.models.losses import ListwiseSoftmax

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

WORDS = "cat dog winter sport river stone the of run runs zyx quux".split()
WIDTH, LETTERS = 5, 3
SETTINGS = BiEncoderSettings(letters=LETTERS, projection=7, gru=2, pool=11)
SIZES = Sizes(queries=3, pairs=8, step=16)
VOCABULARY = Vocabulary(WORDS)


def made(**changed):
    """A bi-encoder in which every weight, biases too, is drawn."""
    rng = np.random.default_rng(2)
    table = rng.normal(size=(len(WORDS) + 1, WIDTH + LETTERS + 1)).astype("float32")
    table[:, -1] = np.abs(table[:, -1])  # idf
    table[0] = 0
    model = BiEncoder(table, BiEncoderSettings(**asdict(SETTINGS) | changed))
    for weight in model.weights:
        if "table" not in weight.path and "seed" not in weight.path:
            weight.assign(0.7 * rng.normal(size=weight.shape))
    return model


MODELS = {levels: made(levels=levels) for levels in (1, 2)}
QUERIES = [
    ("the cat runs", ["A cat zyx. The dog dog.", "", "zyx!", "Winter sport of the river cat"]),
    ("zyx of quux", ["quux zyx", "stone. stone zyx. river cat runs. dog"]),
    ("", ["cat", ""]),
]


def grouped(queries, split=True):
    texts, groups = [], []
    for query, documents in queries:
        groups.append((len(texts), len(texts) + 1 + np.arange(len(documents))))
        texts += [query, *documents]
    return number_texts(texts, VOCABULARY, split_sentences=split), groups


def of_keras(queries, model, sizes=SIZES):
    arrays = pair_arrays(*grouped(queries, model.settings.levels == 2))
    return np.asarray(model(model_inputs(arrays, sizes)))[: len(arrays.pair_query)]


def vectors_of(queries, model, weights=None):
    """Both sides' vectors for each pair, from the twin."""
    texts, groups = grouped(queries, model.settings.levels == 2)
    weights = weights or model.weights_by_name()
    words = Words.of_table(np.asarray(model.table.embeddings), weights, LETTERS)
    runs, pieces = Runs.of_texts(texts), texts.pieces
    left = np.concatenate([[query] * len(docs) for query, docs in groups]).astype(int)
    right = np.concatenate([docs for _, docs in groups])
    q, _ = query_vectors(words, pieces[runs.words(left)], runs.lengths[left], weights)
    lengths = texts.sentence_lengths[runs.sentence_places(right)]
    counts = texts.sentence_counts[right]
    d, *_ = document_vectors(words, pieces[runs.words(right)], lengths, counts, weights)
    return q, d


def of_numpy(queries, model, weights=None):
    q, d = vectors_of(queries, model, weights)
    return (q * d).sum(axis=1)


word = st.sampled_from(WORDS)
sentence = st.lists(word, min_size=1, max_size=4).map(lambda words: " ".join(words) + ".")
document = st.lists(sentence, max_size=3).map(" ".join)
request = st.lists(
    st.tuples(st.lists(word, max_size=4).map(" ".join), st.lists(document, max_size=3)),
    min_size=1,
    max_size=2,
).filter(lambda queries: any(documents for _, documents in queries))


@settings(max_examples=8, deadline=None)
@given(queries=request, levels=st.sampled_from([1, 2]))
def test_the_twin_agrees(queries, levels):
    model = MODELS[levels]
    np.testing.assert_allclose(of_keras(queries, model), of_numpy(queries, model), atol=1e-5)


def test_more_padding_changes_nothing():
    sizes = SIZES._replace(queries=5, pairs=13, step=32)
    expected = of_keras(QUERIES, MODELS[2])
    np.testing.assert_allclose(of_keras(QUERIES, MODELS[2], sizes), expected, atol=1e-6)


def test_vectors_of_documents_have_length_1_or_0():
    _, d = vectors_of(QUERIES, MODELS[2])
    empty = [text == "" for _, documents in QUERIES for text in documents]
    np.testing.assert_allclose(np.linalg.norm(d, axis=1), np.where(empty, 0, 1), atol=1e-5)


def test_a_side_knows_nothing_of_the_other():
    one = vectors_of([("the cat", ["zyx. dog", "river"])], MODELS[2])[1]
    other = vectors_of([("stone", ["zyx. dog", "river"])], MODELS[2])[1]
    np.testing.assert_array_equal(one, other)


def test_every_weight_has_a_say():
    model = MODELS[2]
    expected = of_numpy(QUERIES, model)
    for name, weight in model.weights_by_name().items():
        moved = model.weights_by_name() | {name: weight + 0.5}
        assert np.abs(of_numpy(QUERIES, model, moved) - expected).max() > 1e-5, name


@pytest.mark.parametrize("levels", [1, 2])
def test_shapes_of_weights(levels):
    model = MODELS[levels]
    named = {name: weight.shape for name, weight in model.weights_by_name().items()}
    assert named == shapes.bi_encoder_shapes(WIDTH, **asdict(model.settings))
    count = sum(int(np.prod(shape)) for shape in named.values())
    assert count == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_one_seed_gives_one_model():
    table = np.zeros((3, WIDTH + LETTERS + 1), "float32")
    one, same, other = (BiEncoder(table, SETTINGS, seed).get_weights() for seed in (7, 7, 8))
    assert all(np.array_equal(*both) for both in zip(one, same, strict=True))
    assert any(not np.array_equal(*both) for both in zip(one, other, strict=True))


def test_it_learns():
    model, arrays = made(dropout=0.0), pair_arrays(*grouped(QUERIES[:2]))
    target = np.zeros((SIZES.pairs, 2), "float32")
    target[:, 1] = -1
    target[: len(arrays.pair_query), 1] = arrays.pair_query
    target[[0, 4], 0] = 1
    model.compile(keras.optimizers.Adam(0.02), ListwiseSoftmax(3), run_eagerly=True)
    losses = [float(model.train_on_batch(model_inputs(arrays, SIZES), target)) for _ in range(4)]
    assert losses[-1] < losses[0]


def test_values_are_pooled_by_the_same_attention():
    """`HierarchicalEncoder`'s `values`, against the twin's weights of words and sentences."""
    rng = np.random.default_rng(5)
    inputs, values = (rng.normal(size=(10, size)).astype("float32") for size in (7, 2))
    lengths, counts = np.array([5, 2, 3]), np.array([2, 0, 1])
    encoder = HierarchicalEncoder(3, 11, seed=4)
    documents, pooled = encoder(inputs, lengths, counts, values=values)
    weights = {}
    for level in ("word", "sentence"):
        gru, pool = getattr(encoder, f"{level}_gru"), getattr(encoder, f"{level}_pool")
        weights |= {f"{level}_gru/{name}": np.asarray(one) for name, one in gru.named().items()}
        weights |= {f"{level}_pool/{name}": np.asarray(getattr(pool, name)) for name in "Wbu"}
    expected, alpha, beta = encode_documents(inputs, lengths, counts, weights)
    np.testing.assert_allclose(documents, expected, atol=1e-6)
    total = (alpha * np.repeat(beta, lengths))[:, None] * values
    rows = np.repeat([0, 0, 2], lengths)
    by_hand = [total[rows == document].sum(axis=0) for document in range(3)]
    np.testing.assert_allclose(pooled, by_hand, atol=1e-6)
    np.testing.assert_array_equal(encoder(inputs, lengths, counts), documents)


def test_a_query_is_pooled_by_additive_attention():
    """The vector of a query, from the padded twin of the attention layer."""
    model = MODELS[2]
    weights = model.weights_by_name()
    table = np.asarray(model.table.embeddings)
    words = Words.of_table(table, weights, LETTERS)
    query = np.array([3, 1, 7])
    vector, gamma = query_vectors(words, query, np.array([3]), weights)
    pooled, alpha = attention_pool(words.known[query], of_layer(weights, "query_pool"))
    np.testing.assert_allclose(gamma, alpha, atol=1e-6)
    values = (alpha[:, None] * table[query, -1:] * table[query, :-1]).sum(axis=0)
    parts = [pooled @ weights["query_output/kernel"], values[WIDTH:], values[:WIDTH]]
    strength = weights["strength/kernel"].ravel() * np.sqrt(3)
    by_hand = [s * part / np.linalg.norm(part) for s, part in zip(strength, parts, strict=True)]
    np.testing.assert_allclose(vector[0], np.concatenate(by_hand), atol=1e-5)
