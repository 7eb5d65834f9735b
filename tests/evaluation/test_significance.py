"""compare and its tests: against SciPy, against every choice of signs, at the edges."""

import doctest
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ir_attention.errors import DataError
from ir_attention.evaluation import EvaluationWarning, compare, evaluate, significance
from ir_attention.evaluation.significance import holm, randomisation_test, t_test

QRELS = {f"q{number}": {"a": 1, "b": 0, "c": 0} for number in range(29)}


def run_with(seed, skill):
    rng = np.random.default_rng(seed)
    return {
        query: {doc: float(rng.normal(skill * label)) for doc, label in docs.items()}
        for query, docs in QRELS.items()
    }


RUNS = {"weak": run_with(1, 0), "middle": run_with(2, 1), "strong": run_with(3, 3)}


def test_compare_says_what_evaluate_and_scipy_say():
    frame = compare(QRELS, RUNS, "AP RR P@1")
    assert frame[["measure", "baseline", "run"]].to_numpy().tolist() == [
        [measure, *pair]
        for measure in ("AP", "RR", "P@1")
        for pair in itertools.combinations(RUNS, 2)
    ]
    values = {
        name: evaluate(run, QRELS, "AP").per_query.value.to_numpy() for name, run in RUNS.items()
    }
    row = frame.iloc[1]
    assert (row.measure, row.baseline, row.run, row.queries) == ("AP", "weak", "strong", 29)
    assert row.mean_baseline == pytest.approx(values["weak"].mean())
    assert row.mean_run == pytest.approx(values["strong"].mean())
    assert row.difference == pytest.approx(row.mean_run - row.mean_baseline)
    assert row.low < row.difference < row.high
    assert row.p_t == pytest.approx(stats.ttest_rel(values["strong"], values["weak"]).pvalue)
    assert row.p_randomisation < 0.01
    assert frame.p_holm.tolist() == holm(frame.p_randomisation.to_numpy()).tolist()


def test_the_test_that_decides_is_chosen_beforehand():
    frame = compare(QRELS, RUNS, "AP", test="t")
    assert frame.p_holm.tolist() == holm(frame.p_t.to_numpy()).tolist()


def test_the_same_seed_gives_the_same_frame():
    assert compare(QRELS, RUNS, "AP").equals(compare(QRELS, RUNS, "AP"))
    assert not compare(QRELS, RUNS, "AP").equals(compare(QRELS, RUNS, "AP", seed=8))


def test_equal_runs_do_not_differ():
    row = compare(QRELS, {"one": RUNS["weak"], "two": RUNS["weak"]}, "AP").iloc[0]
    assert (row.difference, row.low, row.high) == (0, 0, 0)
    assert (row.p_t, row.p_randomisation, row.p_holm) == (1, 1, 1)


def test_warnings_name_the_run():
    part = {query: docs for query, docs in RUNS["weak"].items() if query != "q0"}
    with pytest.warns(
        EvaluationWarning, match="^part: Missing from the run and counted 0: 1 of 29"
    ):
        frame = compare(QRELS, {"part": part, "strong": RUNS["strong"]}, "AP")
    assert frame.queries[0] == 29


def test_the_rule_for_ties_is_passed_on():
    tied = {query: {"a": 1, "b": 1, "c": 1} for query in QRELS}
    with pytest.warns(EvaluationWarning, match="tied: Ties matter in 29 of 29 queries"):
        frame = compare(QRELS, {"tied": tied, "strong": RUNS["strong"]}, "RR", ties="trec_eval")
    assert frame.mean_baseline[0] == pytest.approx(1 / 3)


def test_only_queries_with_a_value_from_both_are_compared():
    some = {query: docs | ({"a": -9} if query == "q0" else {}) for query, docs in QRELS.items()}
    other = {query: {"b": 1} if query == "q1" else {"a": 2, "b": 1} for query in QRELS}
    assert compare(QRELS, {"some": some, "other": other}, "Accuracy").queries.tolist() == [28]


def test_a_measure_without_any_value():
    nothing = {query: {"x": 1.0} for query in QRELS}
    row = compare(QRELS, {"one": nothing, "two": nothing}, "Accuracy").iloc[0]
    assert (row.queries, row.p_t, row.p_randomisation) == (0, 1, 1)
    assert np.isnan([row.difference, row.low, row.high]).all()


def test_arguments_that_cannot_be():
    with pytest.raises(DataError, match=r"runs: must be two at least. Received: \['weak'\]"):
        compare(QRELS, {"weak": RUNS["weak"]})
    with pytest.raises(DataError, match="test: must be 'randomisation' or 't'. Received: 'sign'"):
        compare(QRELS, RUNS, test="sign")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-4, 4), max_size=8))
def test_few_queries_try_every_choice_of_signs(differences):
    difference = np.array(differences) / 7
    sums = [
        abs(sum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    expected = np.mean([value >= abs(sum(differences)) for value in sums])
    assert randomisation_test(difference, seed=7) == pytest.approx(expected)


def test_many_queries_agree_with_scipy():
    difference = np.random.default_rng(11).normal(0.1, size=211)
    expected = stats.permutation_test(
        (difference, np.zeros(211)), lambda x, y: np.mean(x - y), permutation_type="samples",
        n_resamples=4999, rng=np.random.default_rng(5), vectorized=False,
    ).pvalue  # fmt: skip
    found = randomisation_test(difference, seed=7)
    assert found == pytest.approx(expected, abs=0.02)
    assert found == pytest.approx(t_test(difference), abs=0.02)
    assert found == randomisation_test(difference[::-1], seed=7)


def test_a_p_value_is_never_0():
    assert randomisation_test(np.ones(97), seed=7) == 1 / 10_001


@pytest.mark.parametrize(
    ("difference", "p"), [([], 1), ([0.5], 1), ([0, 0, 0], 1), ([0.5, 0.5], 0), ([1, -1], 1)]
)
def test_the_edges_of_the_t_test(difference, p):
    assert t_test(np.array(difference, dtype=float)) == p


def test_holm_by_hand():
    # 5 * .001; 4 * .01; 3 * .02; 2 * .03 = .06 again; 1 * .9
    p_values = np.array([0.9, 0.01, 0.03, 0.001, 0.02])
    np.testing.assert_allclose(holm(p_values), [0.9, 0.04, 0.06, 0.005, 0.06])
    np.testing.assert_allclose(holm(np.array([0.6, 0.7])), [1, 1])


def test_the_examples_run():
    assert doctest.testmod(significance).failed == 0
