"""A run and judgments to the flat arrays that measures are computed on: ids become numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ir_attention.errors import DataError

__all__ = ["UNJUDGED", "Lists", "condensed", "join"]

UNJUDGED = np.iinfo(np.int64).min  # the label of a retrieved document that nobody judged


@dataclass(frozen=True)
class Lists:
    """The queries to measure, the documents retrieved for them (`rows`), and all judgments.

    Attributes:
        ids: The queries' ids, `(queries,)`, in the order of their first judgment.
        missing: Booleans, `(queries,)`: whether the run has nothing for the query.
        query: Integers, `(rows,)`, ascending: places in `ids`.
        doc: Integers, `(rows,)`: the higher, the higher the document's id as a string. Ascending
            within a query, so that nothing depends on the order in which a run is given.
        score: Floats, `(rows,)`.
        label: Integers, `(rows,)`; `UNJUDGED` where there is no judgment.
        judged_query: Integers, `(judgments,)`, ascending: places in `ids`.
        judged_doc: Integers, `(judgments,)`, on the scale of `doc`.
        judged_label: Integers, `(judgments,)`.
        left_out: How many queries are not among `ids`, by reason: `no_positive`, of the judged
            ones; of the others `not_mixed`; and `not_judged`, of those in the run.
        dropped: How many rows `condensed` left out; None if it was not asked to.
    """

    ids: np.ndarray
    missing: np.ndarray
    query: np.ndarray
    doc: np.ndarray
    score: np.ndarray
    label: np.ndarray
    judged_query: np.ndarray
    judged_doc: np.ndarray
    judged_label: np.ndarray
    left_out: dict[str, int]
    dropped: int | None = None


def join(run: pd.DataFrame, qrels: pd.DataFrame, *, only_mixed: bool) -> Lists:
    """Brings a checked run and checked qrels together, and leaves out what cannot be measured.

    Args:
        run: From `as_run`.
        qrels: From `as_qrels`.
        only_mixed: Whether to leave out queries without a negative label (0 or below), too.

    Raises:
        DataError: No query is left, or the run and the qrels have no query in common.
    """
    query, ids = pd.factorize(qrels["query_id"])
    label = qrels["relevance"].to_numpy()
    positive = np.bincount(query[label >= 1], minlength=len(ids)) > 0
    mixed = positive & (np.bincount(query[label <= 0], minlength=len(ids)) > 0)
    wanted = mixed if only_mixed else positive
    run_query = pd.Index(ids).get_indexer(run["query_id"])
    left_out = {
        "no_positive": int((~positive).sum()),
        "not_mixed": int((positive & ~wanted).sum()),
        "not_judged": int(run["query_id"][run_query < 0].nunique()),
    }
    _refuse_nothing(wanted, run_query, run, ids, only_mixed)

    place = np.where(wanted, np.cumsum(wanted) - 1, -1)  # in the ids that are kept
    query, run_query = place[query], np.where(run_query < 0, -1, place[run_query])
    docs, names = pd.factorize(pd.concat([qrels["doc_id"], run["doc_id"]]), sort=True)
    doc, run_doc = docs[: len(qrels)], docs[len(qrels) :]

    pair = query * len(names) + doc  # one number for query and document, below 0 if left out
    order = np.argsort(pair)[int((query < 0).sum()) :]
    run_pair = run_query * len(names) + run_doc
    rows = np.argsort(run_pair)[int((run_query < 0).sum()) :]
    run_pair = run_pair[rows]
    found = order[np.searchsorted(pair[order], run_pair).clip(max=len(order) - 1)]
    return Lists(
        ids=np.asarray(ids, dtype=object)[wanted],
        missing=np.bincount(run_query[rows], minlength=wanted.sum()) == 0,
        query=run_query[rows],
        doc=run_doc[rows],
        score=run["score"].to_numpy()[rows],
        label=np.where(pair[found] == run_pair, label[found], UNJUDGED),
        judged_query=query[order],
        judged_doc=doc[order],
        judged_label=label[order],
        left_out=left_out,
    )


def condensed(lists: Lists) -> Lists:
    """Leaves out the retrieved documents that nobody judged, and closes the gaps.

    A negative label is no judgment, as in trec_eval. A query without a judged document among
    those retrieved is missing then.
    """
    kept = lists.label >= 0
    query = lists.query[kept]
    return replace(
        lists,
        missing=np.bincount(query, minlength=len(lists.ids)) == 0,
        query=query,
        doc=lists.doc[kept],
        score=lists.score[kept],
        label=lists.label[kept],
        dropped=int((~kept).sum()),
    )


def _refuse_nothing(
    wanted: np.ndarray, run_query: np.ndarray, run: pd.DataFrame, ids: pd.Index, only_mixed: bool
) -> None:
    if not wanted.any():
        kind = "both a positive and a negative label" if only_mixed else "a positive label"
        raise DataError(
            f"qrels: no query has {kind}, so there is nothing to measure; 1 and above is positive. "
            f"Received: {len(ids)} queries"
        )
    if len(run) and (run_query < 0).all():
        raise DataError(
            "run: none of its queries is in the qrels; are both of the same data? "
            f"Received: {run['query_id'].iloc[0]!r}, while the qrels begin with {ids[0]!r}"
        )
