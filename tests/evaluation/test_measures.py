"""evaluate: against trec_eval, against hand-worked numbers, and what becomes of each odd query."""

import doctest
import itertools
import json
import math
import shutil
import subprocess
import sys
import warnings

import ir_measures
import numpy as np
import pandas as pd
import pytest
import pytrec_eval
from few_or_many import few_or_many
from hypothesis import strategies as st

import ir_attention.evaluation as room
from ir_attention.errors import DataError
from ir_attention.evaluation import Evaluation, EvaluationWarning, evaluate, measures
from ir_attention.evaluation.measures import evaluate_quietly

# Names here, and in trec_eval.
IN_TREC_EVAL = {
    "AP": "map",
    "AP@3": "map_cut_3",
    "RR": "recip_rank",
    "P@1": "P_1",
    "P@5": "P_5",
    "nDCG": "ndcg",
    "nDCG@1": "ndcg_cut_1",
    "nDCG@3": "ndcg_cut_3",
    "R@3": "recall_3",
    "Success@1": "success_1",
    "Rprec": "Rprec",
    "Bpref": "bpref",
    "infAP": "infAP",
}
CLOSED = ["AP", "AP@3", "RR", "P@1", "P@5", "nDCG", "nDCG@1", "nDCG@3"]

DOCS = ["d1", "d10", "d2", "é", "文", "😀", "a", "Z"]
labels = st.dictionaries(st.sampled_from(DOCS), st.integers(-1, 3), min_size=1)


def judged(strategy):
    """Qrels of up to three queries, each with a positive label."""
    positive = labels.filter(lambda docs: max(docs.values()) > 0)
    return strategy(st.sampled_from(["q1", "q2", "q3"]), positive, min_size=1)


def scored(scores):
    docs = st.dictionaries(st.sampled_from(DOCS), scores, min_size=1)
    return st.dictionaries(st.sampled_from(["q1", "q2", "q3"]), docs)


def by_query(result):
    return {(row.query_id, row.measure): row.value for row in result.per_query.itertuples()}


def trec_eval(run, qrels, names, level=1, judged_only=False):
    evaluator = pytrec_eval.RelevanceEvaluator(
        qrels, {IN_TREC_EVAL[name] for name in names}, level, judged_only
    )
    values = evaluator.evaluate(run)
    return {
        (query, name): values[query][IN_TREC_EVAL[name]] if query in run else 0.0
        for query in qrels
        for name in names
    }


def overlapping(run, qrels):
    return not run or set(run) & set(qrels)


# 1 + 1e-9 and 1 differ, but not in the single precision of trec_eval.
some_scores = st.sampled_from([-1.0, 0.0, 0.1, 1.0, 1 + 1e-9, 3e38, math.inf])


@few_or_many(24, 120, run=scored(some_scores), qrels=judged(st.dictionaries))
def test_trec_evals_rule_gives_trec_evals_values(run, qrels):
    if overlapping(run, qrels):
        result = evaluate_quietly(run, qrels, list(IN_TREC_EVAL), ties="trec_eval", resamples=0)
        assert by_query(result) == pytest.approx(trec_eval(run, qrels, IN_TREC_EVAL), abs=1e-9)


@few_or_many(
    24,
    120,
    seed=st.integers(0, 1000),
    run=scored(st.just(0)),
    qrels=judged(st.dictionaries),
    level=st.integers(1, 3),
    judged_only=st.booleans(),
)
def test_without_ties_the_closed_forms_give_trec_evals_values(seed, run, qrels, level, judged_only):
    ranks = iter(np.random.default_rng(seed).permutation(24).tolist())
    run = {query: {doc: next(ranks) for doc in docs} for query, docs in run.items()}
    if overlapping(run, qrels):
        names = {
            name: ir_measures.parse_measure(name)(
                judged_only=judged_only, **({} if "nDCG" in name else {"rel": level})
            )
            for name in CLOSED
        }
        result = evaluate_quietly(run, qrels, list(names.values()), resamples=0)
        found = by_query(result)
        expected = trec_eval(run, qrels, CLOSED, level, judged_only)
        for (query, name), value in expected.items():
            assert found[query, str(names[name])] == pytest.approx(value, abs=1e-9)


@few_or_many(
    10,
    50,
    docs=st.dictionaries(st.sampled_from(DOCS[:5]), st.sampled_from([0.5, 2.0]), min_size=1),
    judgments=labels.filter(lambda docs: max(docs.values()) > 0),
)
def test_with_ties_the_closed_forms_are_means_of_trec_evals_values(docs, judgments):
    """Every order that the scores allow, each given to trec_eval."""
    blocks = [[d for d in docs if docs[d] == score] for score in sorted({*docs.values()})]
    orders = itertools.product(*(itertools.permutations(block) for block in blocks))
    values = []
    for order in orders:
        run = {doc: float(rank) for rank, doc in enumerate(itertools.chain(*order))}
        values.append(trec_eval({"q": run}, {"q": judgments}, CLOSED))
    result = evaluate_quietly({"q": docs}, {"q": judgments}, CLOSED, resamples=0)
    expected = {key: np.mean([value[key] for value in values]) for key in values[0]}
    assert by_query(result) == pytest.approx(expected, abs=1e-9)


def test_reciprocal_rank_with_a_cutoff():
    qrels = {"q": {"c": 1}}
    run = {"q": {"a": 3, "b": 2, "c": 1}}
    assert evaluate(run, qrels, "RR@2 RR@3").measures == {"RR@2": 0, "RR@3": 1 / 3}
    assert evaluate(run, qrels, "RR@2 RR@3", ties="trec_eval").measures["RR@2"] == 0
    with pytest.warns(EvaluationWarning, match="Ties matter in 1 of 1 query"):
        tied = evaluate({"q": {"a": 1, "b": 1, "c": 1}}, qrels, "RR@2")
    assert tied.measures["RR@2"] == pytest.approx((1 + 1 / 2) / 3)


def test_gains_worked_by_hand():
    qrels = {"q": {"a": 1, "b": 3, "c": 0, "d": -1}}
    run = {"q": {"a": 3, "d": 2, "b": 1}}
    graded = (1 + 3 / 2) / (3 + 1 / math.log2(3))
    steep = (1 + 7 / 2) / (7 + 1 / math.log2(3))
    mapped = (5 + 3 / 2) / (5 + 3 / math.log2(3))
    names = ["nDCG@3", "nDCG(dcg='exp-log2')@3", "nDCG(gains={1:5})@3"]
    found = evaluate(run, qrels, names).measures
    assert found == pytest.approx(dict(zip(names, (graded, steep, mapped), strict=True)))


def test_a_measure_does_not_depend_on_those_beside_it():
    qrels = {"q": {"a": 1, "b": 3, "c": 0, "d": -1}}
    run = {"q": {"a": 3, "x": 2, "b": 1}}
    names = ["nDCG@3", "nDCG(gains={1:5})@3", "NumRet", "P(judged_only=True)@2", "AP(rel=3)"]
    together = evaluate(run, qrels, names, ties="trec_eval").measures
    for name in names:
        assert evaluate(run, qrels, name, ties="trec_eval").measures == {name: together[name]}
    assert together["NumRet"] == 3
    assert together == pytest.approx(evaluate(run, qrels, names).measures)


@pytest.mark.skipif(not shutil.which("perl"), reason="gdeval is a Perl program")
def test_gdeval_agrees_whatever_the_ids_are():
    qrels = {"my query": {"a doc": 1, "b": 3, "c": 0}}
    run = {"my query": {"a doc": 3, "d": 2, "b": 1}}
    name = "nDCG(dcg='exp-log2')@3"
    found, reference = (
        evaluate(run, qrels, name, ties=ties).measures for ties in ("expected", "trec_eval")
    )
    assert found == pytest.approx(reference, abs=1e-5)  # it prints five digits
    # 1 / 16, then nothing, then 7 / 16 of the 15 / 16 that are left, at place 3.
    assert evaluate(run, qrels, "ERR@3").measures["ERR@3"] == pytest.approx(
        1 / 16 + 7 / 16 * 15 / 16 / 3, abs=1e-5
    )


def test_binary_labels_have_the_textbook_values():
    """AP, RR and nDCG as MatchZoo defines them, worked by hand: relevant places 2 and 4 of 5."""
    qrels = {"q": {"a": 0, "b": 1, "c": 0, "d": 1, "e": 0}}
    run = {"q": dict(zip("abcde", (5, 4, 3, 2, 1), strict=True))}
    found = evaluate(run, qrels, "MAP MRR NDCG@1 NDCG@3 NDCG@5").measures
    ideal = 1 + 1 / math.log2(3)
    assert found == pytest.approx(
        {
            "MAP": (1 / 2 + 2 / 4) / 2,
            "MRR": 1 / 2,
            "NDCG@1": 0,
            "NDCG@3": 1 / math.log2(3) / ideal,
            "NDCG@5": (1 / math.log2(3) + 1 / math.log2(5)) / ideal,
        }
    )


def test_other_measures_are_shuffled_by_seed_and_say_so():
    qrels = {f"q{number}": {"a": 1, "b": 0, "c": 0} for number in range(40)}
    run = {query: {"a": 1.0, "b": 1.0, "c": 1.0} for query in qrels}
    result = evaluate_quietly(run, qrels, "Success@1 AP")
    assert result.measures["Success@1"] == pytest.approx(1 / 3, abs=0.05)
    assert "Means over 50 shuffles of tied documents, by seed 7: Success@1." in result.notes
    assert (
        evaluate_quietly(run, qrels, "Success@1").measures["Success@1"]
        == (result.measures["Success@1"])
    )
    other = evaluate_quietly(run, qrels, "Success@1", seed=8)
    assert other.measures != {"Success@1": result.measures["Success@1"]}


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(5)
    run = pd.DataFrame(
        {
            "query_id": np.repeat(["q1", "q2", "q3"], 7),
            "doc_id": [f"d{number}" for number in range(7)] * 3,
            "score": rng.integers(3, size=21).astype(float),
        }
    )
    qrels = run.assign(label=rng.integers(2, size=21)).rename(
        columns={"query_id": "id_left", "doc_id": "id_right"}
    )
    names = ["AP", "R@2", "Bpref"]
    result = evaluate_quietly(run, qrels, names)
    again = evaluate_quietly(run.sample(frac=1, random_state=1), qrels, names)
    assert again.to_dict() == result.to_dict()
    pd.testing.assert_frame_equal(again.per_query, result.per_query)


def test_what_becomes_of_each_query():
    qrels = {
        "good": {"a": 1, "b": 0},
        "absent": {"a": 1, "b": 0},
        "hopeless": {"a": 0},
        "easy": {"a": 2},
    }
    run = {"good": {"a": 1, "b": 0}, "easy": {"a": 1}, "hopeless": {"a": 1}, "foreign": {"a": 1}}
    with pytest.warns(EvaluationWarning, match="counted 0: 1 of 3 queries, .* 'absent'"):
        result = evaluate(run, qrels, ["AP"])
    assert result.queries == 3
    assert result.measures["AP"] == pytest.approx(2 / 3)
    assert result.per_query.query_id.tolist() == ["good", "absent", "easy"]
    assert result.counts == {
        "no_positive": 1, "not_mixed": 0, "not_judged": 1, "missing": 1, "tied": 0,
    }  # fmt: skip
    assert result.notes == (
        "Missing from the run and counted 0: 1 of 3 queries, the first is 'absent'.",
        "Left out, as they have no positive label: 1 query.",
        "Ignored, as they are in the run but not in the qrels: 1 query.",
    )
    assert result.warnings == result.notes[:1]

    mixed = evaluate_quietly(run, qrels, ["AP"], only_mixed=True)
    assert mixed.per_query.query_id.tolist() == ["good", "absent"]
    assert mixed.counts["not_mixed"] == 1
    assert "Left out, as they have no negative label: 1 query." in mixed.notes


def test_documents_judged_but_not_retrieved_and_the_other_way_round():
    result = evaluate({"q": {"unknown": 2, "a": 1}}, {"q": {"a": 1, "b": 1}}, "AP P@2 nDCG")
    ideal = 1 + 1 / math.log2(3)
    assert result.measures == pytest.approx(
        {"AP": 1 / 4, "P@2": 1 / 2, "nDCG": 1 / math.log2(3) / ideal}
    )


@pytest.mark.parametrize("ties", ["expected", "trec_eval"])
def test_an_empty_run_counts_zero(ties):
    with pytest.warns(EvaluationWarning, match="counted 0: 1 of 1 query"):
        result = evaluate({}, {"q": {"a": 1}}, "AP R@5 Accuracy", ties=ties)
    assert result.measures == {"AP": 0, "R@5": 0, "Accuracy": 0}


def test_no_warning_where_ties_do_not_matter():
    run = {"q": {"a": 1, "b": 1, "c": 0}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluate(run, {"q": {"a": 1, "b": 1, "c": 0}}).counts["tied"] == 0
        # Not judged, negative and 0 are all not relevant.
        assert evaluate(run, {"q": {"a": 0, "c": 1, "d": 1}}).counts["tied"] == 0


def test_ties_in_single_precision_matter_to_trec_eval_alone():
    run, qrels = {"q": {"a": 1 + 1e-9, "b": 1.0}}, {"q": {"a": 1, "b": 0}}
    assert evaluate(run, qrels, "RR").measures == {"RR": 1}
    with pytest.warns(EvaluationWarning, match="higher document id comes first, as in trec_eval"):
        assert evaluate(run, qrels, "RR", ties="trec_eval").measures == {"RR": 0.5}


def test_counts_are_summed():
    qrels = {"q": {"a": 1}, "r": {"a": 1, "b": 1, "c": 0}}
    run = {"q": {"a": 1}, "r": {"a": 1, "c": 2}}
    result = evaluate(run, qrels, "NumQ NumRel NumRet")
    assert result.measures == {"NumQ": 2, "NumRel": 3, "NumRet": 3}
    assert result.intervals["NumRel"] == (2, 4)


def test_an_undefined_value_is_left_out_of_the_mean():
    qrels = {"q": {"a": 1, "b": 0}, "r": {"a": 1}}
    result = evaluate({"q": {"a": 2, "b": 1}, "r": {"x": 1}}, qrels, "Accuracy")
    assert result.measures == {"Accuracy": 1}
    assert result.notes == ("Accuracy is undefined for, and its mean without, 1 query.",)
    nothing = evaluate({"r": {"x": 1}}, {"r": {"a": 1}}, "Accuracy").to_dict()
    assert nothing == {
        "queries": 1,
        "measures": {"Accuracy": None},
        "intervals": {"Accuracy": [None, None]},
    }


def test_the_result_is_json():
    result = evaluate({"q": {"a": 1}, "r": {"x": 1}}, {"q": {"a": 1}, "r": {"a": 1}}, "AP")
    assert json.loads(json.dumps(result.to_dict())) == {
        "queries": 2,
        "measures": {"AP": 0.5},
        "intervals": {"AP": [0.0, 1.0]},
    }


def test_one_query_has_an_interval_without_width_and_says_so():
    result = evaluate({"q": {"a": 1, "b": 2}}, {"q": {"a": 1, "b": 0}}, "RR")
    assert result.intervals == {"RR": (0.5, 0.5)}
    assert result.notes == ("One query says nothing of others: an interval has no width.",)
    assert evaluate({"q": {"a": 1}}, {"q": {"a": 1}}, "RR", resamples=0).intervals == {}


GOOD = {"q": {"a": 1, "b": 0}}
WRONG = {
    "unknown": ("ndcg@10", "no measure of that name. Close to it: .*nDCG.* Received: 'ndcg@10'"),
    "far off": ("xyzzy", "no measure of that name. Known: AP, .* Received: 'xyzzy'"),
    "no form": ("AP(1)", r"must have the form Name, .* Received: 'AP\(1\)'"),
    "not a name": ([3], "must have the form Name, .* Received: 3"),
    "none": ([], r"must name one at least, such as AP. Received: \[\]"),
    "no cutoff": ("P", "P needs its ranking cutoff threshold, as P@cutoff. Received: 'P'"),
    "cutoff 0": ("P@0", "cutoff must be a whole number from 1. Received: 'P@0'"),
    "cutoff no number": ("AP@True", "cutoff must be a whole number from 1. Received: 'AP@True'"),
    "level 0": ("AP(rel=0)", r"rel must be a whole number from 1. Received: 'AP\(rel=0\)'"),
    "parameter": ("AP(k=1)", r"AP has the parameters \['cutoff', .* not 'k'. Received: 'AP"),
    "choice": ("nDCG(dcg='x')@3", r"dcg must be one of \['log2', 'exp-log2'\]. Received: \"nDCG"),
    "type": ("SetF(beta='x')", "beta must be a float. Received"),
    "not here": ("ERR", "ir_measures cannot compute this one here: ValueError.* Received: 'ERR'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_measures_that_cannot_be(name):
    names, message = WRONG[name]
    with pytest.raises(DataError, match=f"^measures: {message}"):
        evaluate(GOOD, GOOD, names)


def test_a_list_of_names_in_a_string():
    names = "AP,RR  P(rel=2, judged_only=True)@5\nnDCG(gains={1:3, 2:4})@3 IPrec(recall=0.5)"
    assert evaluate(GOOD, GOOD, ir_measures.AP @ 5).measures == {"AP@5": 1}
    assert list(evaluate(GOOD, GOOD, names).measures) == [
        "AP", "RR", "P(rel=2, judged_only=True)@5", "nDCG(gains={1:3, 2:4})@3", "IPrec(recall=0.5)",
    ]  # fmt: skip


def test_other_arguments_that_cannot_be():
    with pytest.raises(DataError, match="ties: must be one of .* Received: 'random'"):
        evaluate(GOOD, GOOD, ties="random")
    with pytest.raises(
        DataError, match="resamples: must be a whole number, 0 or more. Received: -1"
    ):
        evaluate(GOOD, GOOD, resamples=-1)
    with pytest.raises(DataError, match="no query has a positive label, .* Received: 2 queries"):
        evaluate(GOOD, {"q": {"a": 0}, "r": {"a": -1}})
    with pytest.raises(DataError, match="no query has both a positive and a negative label"):
        evaluate(GOOD, {"q": {"a": 1}}, only_mixed=True)
    with pytest.raises(
        DataError, match="none of its queries is in the qrels.* Received: '1', .*'q'"
    ):
        evaluate({1: {"a": 1}}, GOOD)
    with pytest.raises(DataError, match="no query has a positive label"):
        evaluate({}, {})


def test_the_room_is_as_listed_and_light():
    # Three more than a dozen: runs, measures, comparisons and thresholds are one room's business.
    assert room.__all__ == sorted(room.__all__) and len(room.__all__) <= 15
    assert all(hasattr(room, name) for name in room.__all__)
    assert room.Evaluation is Evaluation
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = room.nothing
    code = (
        "import sys; from ir_attention.evaluation import evaluate, compare, read_run; "
        "evaluate({'q': {'a': 1}}, {'q': {'a': 1}}); "
        "sys.exit(bool({'scipy', 'keras', 'tensorflow', 'matchzoo'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_examples_run():
    assert doctest.testmod(measures).failed == 0
