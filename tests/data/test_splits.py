"""Splits: no query in two parts, nothing lost, the same for the same seed."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.data.splits import LeakWarning, query_folds, split_by_query, split_by_row
from ir_attention.errors import DataError


def pairs_of(sizes):
    """A query for each size, with so many documents; rows of all queries are mixed."""
    query = np.random.default_rng(5).permutation(np.repeat(np.arange(len(sizes)), sizes))
    return pd.DataFrame(
        {
            "id_left": [f"q{number}" for number in query],
            "text_left": [f"query {number}" for number in query],
            "id_right": [f"d{row}" for row in range(len(query))],
            "text_right": "document",
            "label": 0,
        }
    )


@dataclass
class Pack:
    """What a DataPack is to this module."""

    left: pd.DataFrame
    relation: pd.DataFrame

    def __getitem__(self, rows):
        relation = self.relation.loc[rows].reset_index(drop=True)
        return Pack(self.left.loc[relation["id_left"].unique()], relation)

    def __len__(self):
        return len(self.relation)


def pack_of(pairs):
    left = pairs.drop_duplicates("id_left").set_index("id_left")[["text_left"]]
    return Pack(left, pairs[["id_left", "id_right", "label"]])


def check_whole(pairs, parts):
    """Every row is in one part, in the old order, and no query in two."""
    rows = [row for part in parts for row in part.id_right]
    assert sorted(rows) == sorted(pairs.id_right)
    for part in parts:
        assert part.id_right.str[1:].astype(int).is_monotonic_increasing
        assert part.index.tolist() == list(range(len(part)))
    queries = [query for part in parts for query in part.id_left.unique()]
    assert len(queries) == len(set(queries))


@given(st.lists(st.integers(1, 7), min_size=3, max_size=40), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_split_by_query(sizes, seed):
    pairs = pairs_of(sizes)
    parts = split_by_query(pairs, (1, len(sizes) - 2, 1), seed=seed)
    check_whole(pairs, parts)
    assert [part.id_left.nunique() for part in parts] == [1, len(sizes) - 2, 1]


def test_shares_are_of_queries():
    pairs = pairs_of([3] * 50)
    parts = split_by_query(pairs, (0.8, 0.1, 0.1), seed=3)
    check_whole(pairs, parts)
    assert [part.id_left.nunique() for part in parts] == [40, 5, 5]
    again = split_by_query(pairs, (0.8, 0.1, 0.1), seed=3)
    assert all(a.equals(b) for a, b in zip(parts, again, strict=True))
    assert not parts[1].equals(split_by_query(pairs, (0.8, 0.1, 0.1), seed=4)[1])


def test_queries_of_one_text_stay_together():
    pairs = pairs_of([2] * 20)
    number = pairs.id_left.str[1:].astype(int)
    # Twenty ids, but ten texts, in two ways of writing.
    pairs["text_left"] = [f"Query  {n // 2}" if n % 2 else f"query {n // 2} " for n in number]
    for seed in range(5):
        parts = split_by_query(pairs, (0.5, 0.5), seed=seed)
        check_whole(pairs, parts)
        texts = [set(part.text_left.str.lower().str.split().str.join(" ")) for part in parts]
        assert list(map(len, texts)) == [5, 5]
        assert not texts[0] & texts[1]


def test_packs_give_packs():
    pairs = pairs_of([2, 3, 4, 5])
    pack = pack_of(pairs)
    parts = split_by_query(pack, (2, 2), seed=1)
    frames = split_by_query(pairs, (2, 2), seed=1)
    for part, frame in zip(parts, frames, strict=True):
        assert isinstance(part, Pack)
        assert part.relation.id_right.tolist() == frame.id_right.tolist()
    # After a preprocessor, texts are lists of numbers.
    pack.left["text_left"] = pack.left.index.map({"q0": [1], "q1": [2], "q2": [1], "q3": [3]})
    for seed in range(5):
        parts = split_by_query(pack, (1, 2), seed=seed)
        together = [{"q0", "q2"} & set(part.relation.id_left) for part in parts]
        assert sorted(map(len, together)) == [0, 2]


@pytest.mark.parametrize(
    "sizes", [(0.8, 0.1), (0.5, 0.5, 0), (3, 2), (2, 1), (0.9, 0.1), (1.5, -0.5)]
)
def test_sizes_that_do_not_fit(sizes):
    with pytest.raises(DataError) as caught:
        split_by_query(pairs_of([2, 2, 2, 2]), sizes, seed=1)
    assert str(caught.value) == (
        "sizes must be positive shares that sum to 1 or numbers of queries that sum to 4, with a "
        f"query for each part. Received: {sizes} for 4 queries."
    )


def test_folds():
    pairs = pairs_of([1, 2, 3, 4, 5, 6, 7])
    folds = query_folds(pairs, 3, seed=2)
    check_whole(pairs, [inside for _, inside in folds])
    for fold in folds:
        check_whole(pairs, fold)
    assert sorted(inside.id_left.nunique() for _, inside in folds) == [2, 2, 3]
    for wrong in (1, 8):
        with pytest.raises(DataError, match=f"from 2 to .* queries, 7. Received: {wrong}."):
            query_folds(pairs, wrong, seed=2)


def test_split_by_row_has_the_offsets_of_the_tutorials():
    pairs = pairs_of([1] * 103)
    with pytest.warns(LeakWarning, match="0 of 103 are in more than one part"):
        parts = split_by_row(pairs)
    assert list(map(len, parts)) == [82, 10, 11]
    check_whole(pairs, parts)
    assert parts[1].id_right[0] == "d82"


def test_split_by_row_says_what_it_tears():
    pairs = pairs_of([10] * 4).sort_values("id_left", kind="stable")
    with pytest.warns(LeakWarning, match="2 of 4 are .* split_by_query"):
        parts = split_by_row(pairs, (0.4, 0.4, 0.2))
    assert list(map(len, parts)) == [16, 16, 8]
    with pytest.warns(LeakWarning):
        assert list(map(len, split_by_row(pack_of(pairs.reset_index(drop=True))))) == [32, 4, 4]


@pytest.mark.parametrize("shares", [(0.8, 0.1), (0.99, 0.005, 0.005), (1.2, -0.2)])
def test_shares_that_do_not_fit(shares):
    with warnings.catch_warnings(), pytest.raises(DataError, match="shares must .* for 20 rows"):
        split_by_row(pairs_of([5] * 4), shares)


def test_nothing_to_split():
    with pytest.raises(DataError, match="Received: .0.5, 0.5. for 0 queries"):
        split_by_query(pairs_of([]), (0.5, 0.5), seed=1)
