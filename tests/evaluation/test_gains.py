"""Graded labels and condensed lists, worked by hand, under both rules for ties."""

import math

import pytest

from ir_attention.evaluation import EvaluationWarning, evaluate
from ir_attention.evaluation.measures import evaluate_quietly

BOTH = pytest.mark.parametrize("ties", ["expected", "trec_eval"])
LOG3 = math.log2(3)

# Grades at places 1 to 4: 0, 3, 1, 2; the best order is 3, 2, 1, 0.
GRADES = {"q": {"a": 0, "b": 3, "c": 1, "d": 2}}
LIST = {"q": {"a": 4, "b": 3, "c": 2, "d": 1}}


@BOTH
def test_the_gain_is_the_label(ties):
    expected = (3 / LOG3 + 1 / 2) / (3 + 2 / LOG3 + 1 / 2)
    assert evaluate(LIST, GRADES, "nDCG@3", ties=ties).measures["nDCG@3"] == pytest.approx(expected)


def test_the_steep_gain_is_two_to_the_label_less_one():
    name = "nDCG(dcg='exp-log2')@3"
    expected = (7 / LOG3 + 1 / 2) / (7 + 3 / LOG3 + 1 / 2)
    assert evaluate(LIST, GRADES, name).measures[name] == pytest.approx(expected)


def test_tied_documents_gain_their_mean():
    """Two share the first two places: 3.5 for the steep gain of 7 and 0, 1.5 for the label."""
    run = {"q": {"a": 4, "b": 4, "c": 2, "d": 1}}
    steep = "nDCG(dcg='exp-log2')@3"
    found = evaluate_quietly(run, GRADES, ["nDCG@3", steep]).measures
    assert found["nDCG@3"] == pytest.approx((1.5 + 1.5 / LOG3 + 1 / 2) / (3 + 2 / LOG3 + 1 / 2))
    assert found[steep] == pytest.approx((3.5 + 3.5 / LOG3 + 1 / 2) / (7 + 3 / LOG3 + 1 / 2))


@BOTH
def test_both_gains_are_one_for_labels_0_and_1(ties):
    qrels = {"q": {"a": 0, "b": 1, "c": 0, "d": 1}}
    names = ["nDCG@3", "nDCG(dcg='exp-log2')@3"] if ties == "expected" else ["nDCG@3"]
    found = evaluate(LIST, qrels, names, ties=ties).measures
    assert [*found.values()] == pytest.approx([1 / LOG3 / (1 + 1 / LOG3)] * len(names))


@BOTH
def test_a_level_says_which_grades_are_relevant(ties):
    names = ["AP", "AP(rel=2)", "AP(rel=3)", "RR(rel=2)", "P(rel=2)@2", "R(rel=2)@2"]
    found = evaluate(LIST, GRADES, names, ties=ties).measures
    expected = [(1 / 2 + 2 / 3 + 3 / 4) / 3, (1 / 2 + 2 / 4) / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 2]
    assert [*found.values()] == pytest.approx(expected)


# Places 1 to 5: nobody's, relevant, nobody's, negative (which is no judgment either), 0.
JUDGED = {"q": {"b": 1, "d": -1, "e": 0, "f": 1}, "r": {"a": 1, "b": 0}}
FOUND = {"q": {"a": 5, "b": 4, "c": 3, "d": 2, "e": 1}, "r": {"x": 1, "y": 0}}


@BOTH
def test_condensed_lists_close_their_gaps(ties):
    names = "AP RR P@2 nDCG@2 Bpref"
    with pytest.warns(EvaluationWarning, match="Nothing judged in the run and counted 0: 1 of 2"):
        result = evaluate(FOUND, JUDGED, names, ties=ties, judged_only=True)
    # b stands first of b, e; of the two relevant ones the other was not found.
    wanted = {"AP": 1 / 2, "RR": 1, "P@2": 1 / 2, "nDCG@2": 1 / (1 + 1 / LOG3), "Bpref": 1 / 2}
    values = result.per_query.pivot(index="query_id", columns="measure", values="value")
    assert values.loc["q"].to_dict() == pytest.approx(wanted)
    assert (values.loc["r"] == 0).all()
    assert "Dropped, as nobody judged them: 5 of 7 documents." in result.notes
    whole = evaluate(FOUND, JUDGED, names, ties=ties).per_query
    assert whole[whole["query_id"] == "q"]["value"].tolist() == pytest.approx(
        [1 / 4, 1 / 2, 1 / 2, 1 / LOG3 / (1 + 1 / LOG3), 1 / 2]
    )


@BOTH
def test_condensing_is_what_ir_measures_does_for_one_measure(ties):
    own = evaluate_quietly(FOUND, JUDGED, "P(judged_only=True)@2", ties=ties).per_query["value"]
    ours = evaluate_quietly(FOUND, JUDGED, "P@2", ties=ties, judged_only=True).per_query["value"]
    assert own.tolist() == ours.tolist()


def test_nothing_is_dropped_where_all_is_judged():
    result = evaluate(LIST, GRADES, "AP", judged_only=True)
    assert result.notes == ("One query says nothing of others: an interval has no width.",)
