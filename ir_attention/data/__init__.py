"""From text to arrays: read, check and split pairs; number, match and sample them."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ir_attention.data.beir import read_beir
    from ir_attention.data.checks import check_pairs
    from ir_attention.data.files import read_table
    from ir_attention.data.labelled import read_labelled
    from ir_attention.data.readers import as_pairs, read_pack, read_pairs
    from ir_attention.data.shipped import film_reviews, headline_tweets
    from ir_attention.data.splits import query_folds, split_by_query, split_by_row

__all__ = [
    "as_pairs",
    "check_pairs",
    "film_reviews",
    "headline_tweets",
    "query_folds",
    "read_beir",
    "read_labelled",
    "read_pack",
    "read_pairs",
    "read_table",
    "split_by_query",
    "split_by_row",
]

_ROOM = {
    "as_pairs": "readers",
    "check_pairs": "checks",
    "film_reviews": "shipped",
    "headline_tweets": "shipped",
    "query_folds": "splits",
    "read_beir": "beir",
    "read_labelled": "labelled",
    "read_pack": "readers",
    "read_pairs": "readers",
    "read_table": "files",
    "split_by_query": "splits",
    "split_by_row": "splits",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use: pandas takes most of a second to import.
    if name in _ROOM:
        return getattr(importlib.import_module(f"{__name__}.{_ROOM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
