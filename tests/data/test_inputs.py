"""Pairs to a model's inputs: what is there stays, and zeros stand behind it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.data.arrays import number_texts, pair_arrays
from ir_attention.data.inputs import Sizes, model_inputs
from ir_attention.data.vocabulary import Vocabulary

VOCABULARY = Vocabulary(["cat", "dog", "the"], {"cat": 0.5, "the": 0.1})
SIZES = Sizes(queries=5, pairs=11, step=7)
text = st.sampled_from(["", "cat", "The cat. A dog!", "zyx zyx. the cat dog. dog", "..."])
groups = st.lists(st.tuples(text, st.lists(text, max_size=3)), min_size=1, max_size=3)


def arrays_of(groups):
    texts, places = [], []
    for query, documents in groups:
        places.append((len(texts), len(texts) + 1 + np.arange(len(documents))))
        texts += [query, *documents]
    return pair_arrays(number_texts(texts, VOCABULARY), places)


@settings(max_examples=40, deadline=None)
@given(groups)
def test_zeros_stand_behind_what_is_there(groups):
    arrays = arrays_of(groups)
    plain, more = model_inputs(arrays, Sizes()), model_inputs(arrays, SIZES)
    assert plain.keys() == more.keys()
    for name, one in plain.items():
        other = more[name]
        assert one.dtype == other.dtype and one.dtype.name in ("int32", "float32")
        np.testing.assert_array_equal(other[: len(one)], one)
        assert not other[len(one) :].any()
    for name in ("query_length", "row_count", "pair_count"):
        assert (len(plain[name]), len(more[name])) == (len(groups), 5)
    for name in ("sentence_count", "overall"):
        assert len(more[name]) == 11
    for name in ("pieces", "query", "row_piece", "document_row", "sentence_length"):
        assert len(more[name]) % 7 == 0 and len(more[name]) > 0


@settings(max_examples=40, deadline=None)
@given(groups)
def test_what_is_there_is_the_pairs(groups):
    arrays = arrays_of(groups)
    inputs = model_inputs(arrays, Sizes())
    np.testing.assert_array_equal(inputs["sentence_count"], arrays.sentence_counts)
    np.testing.assert_array_equal(inputs["query_length"], arrays.query_lengths)
    words = int(arrays.sentence_lengths.sum())
    assert inputs["sentence_length"].sum() == words
    # Each word of each document, and its features, through its row.
    rows = inputs["document_row"][:words]
    np.testing.assert_array_equal(inputs["row_piece"][rows], arrays.document)
    np.testing.assert_array_equal(inputs["row_features"][rows], arrays.document_features)
    np.testing.assert_array_equal(inputs["pair_count"], [len(docs) for _, docs in groups])
    owner = np.repeat(np.arange(len(groups)), inputs["row_count"])
    pair = np.repeat(
        np.repeat(np.arange(len(arrays.sentence_counts)), arrays.sentence_counts),
        arrays.sentence_lengths,
    )
    np.testing.assert_array_equal(owner[rows], arrays.pair_query[pair])


def test_nothing_is_changed():
    arrays = arrays_of([("the cat", ["cat dog. the dog", ""])])
    before = [part.copy() for part in arrays]
    model_inputs(arrays, SIZES)
    for one, other in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(one, other)
