"""`ties="trec_eval"` on random runs: per query what pytrec_eval says, to 1e-6."""

import re

import numpy as np
import pytest
import pytrec_eval
from few_or_many import few_or_many
from hypothesis import strategies as st

from ir_attention.evaluation.measures import evaluate_quietly

# Names here, and in trec_eval.
PLAIN = {
    "AP": "map",
    "AP@7": "map_cut_7",
    "RR": "recip_rank",
    "P@1": "P_1",
    "P@10": "P_10",
    "P@100": "P_100",
    "R@1": "recall_1",
    "R@10": "recall_10",
    "R@100": "recall_100",
    "nDCG": "ndcg",
    "nDCG@1": "ndcg_cut_1",
    "nDCG@10": "ndcg_cut_10",
    "nDCG@100": "ndcg_cut_100",
    "Rprec": "Rprec",
    "Bpref": "bpref",
    "infAP": "infAP",
    "Success@5": "success_5",
    "IPrec@0.5": "iprec_at_recall_0.50",
    "SetP": "set_P",
    "SetR": "set_recall",
    "SetF": "set_F",
    "SetAP": "set_map",
    "NumRet": "num_ret",
}
LEVELLED = ["AP", "RR", "P@10", "R@10", "Rprec", "Bpref", "Success@5"]

# Ids that sort otherwise as numbers, as UTF-16 or without regard to case.
QUERIES = ["1", "10", "9", "q", "Q", "é", "e\u0301", "文", "😀", "\uffff", "-", "q.1"]
DOCS = [*QUERIES, "d", "D", "007", "7", "ß", "ss", *(f"d{number}" for number in range(20))]

# Few distinct scores make ties; some differ in double precision alone, others not even there.
SCORES = np.array(
    [0, -0.0, 1, 1 + 1e-9, 1 + 1e-7, -1, 0.1, 0.1 + 1e-18, 1e-46, 1e30, 3e38, 1e39, -1e39, 16777217]
    + [16777216, np.pi, np.float32(np.pi)]
)


def judgments(rng):
    """Up to 12 queries with up to 20 judgments, from -2 to 4, at least one of them positive."""
    qrels = {}
    for query in rng.choice(QUERIES, rng.integers(1, 13), replace=False).tolist():
        docs = rng.choice(DOCS, rng.integers(1, 21), replace=False).tolist()
        labels = rng.integers(-2, 5, len(docs))
        labels[rng.integers(len(docs))] = rng.integers(1, 5)
        qrels[query] = dict(zip(docs, labels.tolist(), strict=True))
    return qrels


def retrieved(rng, qrels):
    """Some of the queries, and others; any documents, judged or not."""
    run = {}
    for query in {*rng.choice(QUERIES, 8).tolist(), next(iter(qrels))}:
        docs = rng.choice(DOCS, rng.integers(1, len(DOCS) + 1), replace=False).tolist()
        spread = rng.choice(SCORES, len(docs)) if rng.random() < 0.7 else rng.normal(size=len(docs))
        run[query] = dict(zip(docs, map(float, spread), strict=True))
    return run


def trec_eval(run, qrels, names, **options):
    """Each query's values; 0 for queries that the run lacks."""
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, set(names.values()), **options)
    values = evaluator.evaluate(run)
    return {
        (query, name): values[query][theirs] if query in values else 0.0
        for query in qrels
        for name, theirs in names.items()
    }


def ours(run, qrels, names, **options):
    result = evaluate_quietly(
        run, qrels, list(names), ties="trec_eval", resamples=0, **options
    ).per_query
    return {(row.query_id, row.measure): row.value for row in result.itertuples()}


@few_or_many(24, 120, seed=st.integers(0, 2**32 - 1))
def test_each_query_has_trec_evals_values(seed):
    rng = np.random.default_rng(seed)
    qrels = judgments(rng)
    run = retrieved(rng, qrels)
    assert ours(run, qrels, PLAIN) == pytest.approx(trec_eval(run, qrels, PLAIN), abs=1e-6)


@few_or_many(16, 80, seed=st.integers(0, 2**32 - 1), level=st.integers(1, 4))
def test_each_level_of_graded_labels_has_trec_evals_values(seed, level):
    rng = np.random.default_rng(seed)
    qrels = judgments(rng)
    run = retrieved(rng, qrels)
    expected = trec_eval(
        run, qrels, {name: PLAIN[name] for name in LEVELLED}, relevance_level=level
    )
    names = {name: re.sub(r"(@.*)?$", rf"(rel={level})\1", name, count=1) for name in LEVELLED}
    found = ours(run, qrels, names.values())
    assert found == pytest.approx(
        {(query, names[name]): value for (query, name), value in expected.items()}, abs=1e-6
    )


@few_or_many(16, 80, seed=st.integers(0, 2**32 - 1))
def test_judged_only_is_trec_evals_option_J(seed):
    rng = np.random.default_rng(seed)
    qrels = judgments(rng)
    run = retrieved(rng, qrels)
    found = ours(run, qrels, PLAIN, judged_only=True)
    expected = trec_eval(run, qrels, PLAIN, judged_docs_only_flag=True)
    assert found == pytest.approx(expected, abs=1e-6)
