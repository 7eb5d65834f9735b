"""Pairs to parts: by query, so that what is measured was not seen; by row, as tutorials do."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ir_attention.errors import DataError

__all__ = ["LeakWarning", "query_folds", "split_by_query", "split_by_row"]

# A frame or a DataPack; what comes out is what went in. The room does not import MatchZoo.
Pairs = TypeVar("Pairs", bound=Any)


class LeakWarning(UserWarning):
    """A part that is to be measured shares queries with the one that was learnt from."""


def split_by_query(pairs: Pairs, sizes: Sequence[float], *, seed: int) -> tuple[Pairs, ...]:
    """Splits pairs so that all candidates of a query are in one part.

    Queries of the same text (but for case and white space) are in one part too, also under two
    ids. Documents may be in several parts: `checks.check_pairs` counts them.

    Args:
        pairs: A checked frame or a DataPack. It is not changed.
        sizes: Shares of the queries, which sum to 1, as `(0.8, 0.1, 0.1)`; or numbers of queries,
            as `(200, 50)`, which sum to how many there are.
        seed: Decides which queries go where.

    Returns:
        A part for each size, none empty, with its rows in the order of `pairs`.

    Raises:
        DataError: The sizes do not fit the queries.
    """
    groups = _queries(pairs)
    count = int(groups.max(initial=-1)) + 1
    whole = all(isinstance(size, int | np.integer) for size in sizes) and sum(sizes) == count
    ends = np.cumsum(sizes) if whole else np.round(np.cumsum(sizes) * count)
    fits = whole or abs(sum(sizes) - 1) < 1e-6
    if not (fits and min(sizes) > 0 and (np.diff(ends, prepend=0) > 0).all()):
        raise DataError(
            f"sizes must be positive shares that sum to 1 or numbers of queries that sum to "
            f"{count}, with a query for each part. Received: {tuple(sizes)} for {count} queries."
        )
    place = np.random.default_rng(seed).permutation(count)
    part = np.searchsorted(ends, place[groups], side="right")
    return tuple(_take(pairs, np.flatnonzero(part == number)) for number in range(len(sizes)))


def query_folds(pairs: Pairs, folds: int, *, seed: int) -> list[tuple[Pairs, Pairs]]:
    """Splits pairs into folds by query, for cross-validation.

    Args:
        pairs: As for `split_by_query`, which says what counts as one query.
        folds: How many, from 2 to the number of queries.
        seed: Decides which queries go where.

    Returns:
        For each fold, the pairs outside it (to learn from) and in it (to measure). Every pair is
        in one fold; their numbers of queries differ by one at most.

    Raises:
        DataError: There are fewer queries than folds, or fewer than two folds.
    """
    groups = _queries(pairs)
    count = int(groups.max(initial=-1)) + 1
    if not 2 <= folds <= count:
        raise DataError(
            f"folds must be from 2 to the number of queries, {count}. Received: {folds}."
        )
    fold = (np.random.default_rng(seed).permutation(count) % folds)[groups]
    return [
        (_take(pairs, np.flatnonzero(fold != number)), _take(pairs, np.flatnonzero(fold == number)))
        for number in range(folds)
    ]


def split_by_row(pairs: Pairs, shares: Sequence[float] = (0.8, 0.1, 0.1)) -> tuple[Pairs, ...]:
    """Splits pairs at rows, as many tutorials do: `int(0.8 n)`, then `int(0.1 n)`, then the rest.

    The candidates of a query may fall into two parts, and often do. Use it to repeat what others
    did, and `split_by_query` to measure.

    Args:
        pairs: A frame or a DataPack. It is not changed.
        shares: Of the rows, which sum to 1. The last part gets what is left.

    Returns:
        A part for each share, with its rows in the order of `pairs`.

    Warns:
        LeakWarning: Always, with how many queries are in more than one part.

    Raises:
        DataError: The shares do not sum to 1, or a part would be empty.
    """
    groups = _queries(pairs)
    rows = [int(share * len(groups)) for share in shares[:-1]]
    ends = np.cumsum([*rows, len(groups) - sum(rows)])
    if abs(sum(shares) - 1) > 1e-6 or (np.diff(ends, prepend=0) <= 0).any():
        raise DataError(
            "shares must sum to 1 and leave a row for each part. "
            f"Received: {tuple(shares)} for {len(groups)} rows."
        )
    part = np.searchsorted(ends, np.arange(len(groups)), side="right")
    parts_of = pd.DataFrame({"query": groups, "part": part}).groupby("query")["part"].nunique()
    torn = int((parts_of > 1).sum())
    warnings.warn(
        f"a split by rows tears queries apart: {torn} of {len(parts_of)} are in more than one "
        "part, so that what is measured was partly learnt. split_by_query keeps them whole.",
        LeakWarning,
        stacklevel=2,
    )
    return tuple(_take(pairs, np.flatnonzero(part == number)) for number in range(len(shares)))


def _queries(pairs: Any) -> np.ndarray:
    """`(rows,)`: the number of each row's query; queries of one text have one number."""
    if isinstance(pairs, pd.DataFrame):
        query, ids = pd.factorize(pairs["id_left"])
        first = np.zeros(len(ids), int)
        first[query[::-1]] = np.arange(len(query))[::-1]  # the last to be written is the first
        texts = list(pairs["text_left"].iloc[first])
    else:
        query, ids = pd.factorize(pairs.relation["id_left"])
        texts = list(pairs.left["text_left"].reindex(ids))
    forms = pd.Series([_form(text) for text in texts], dtype=object)
    return pd.factorize(forms)[0][query]


def _form(text: Any) -> Any:
    # A pack that was preprocessed has lists of ids for texts.
    return " ".join(text.casefold().split()) if isinstance(text, str) else tuple(text)


def _take(pairs: Any, rows: np.ndarray) -> Any:
    if isinstance(pairs, pd.DataFrame):
        return pairs.iloc[rows].reset_index(drop=True)
    return pairs[rows.tolist()]
