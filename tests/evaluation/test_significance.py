"""compare and its tests: against SciPy, against every choice of signs, at the edges."""

import doctest
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ir_attention.errors import DataError
from ir_attention.evaluation import (
    EvaluationWarning,
    compare,
    differences,
    evaluate,
    significance,
)
from ir_attention.evaluation.paired import (
    bootstrap_test,
    effect_size,
    holm,
    randomisation_test,
    t_test,
)
from ir_attention.evaluation.significance import summed_up

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


def test_the_columns_that_pipelines_rely_on():
    assert list(compare(QRELS, RUNS, "AP")) == [
        *("measure", "baseline", "run", "queries", "mean_baseline", "mean_run"),
        *("difference", "low", "high", "cohens_d", "wins", "ties", "losses"),
        *("p_t", "p_randomisation", "p_bootstrap", "p_holm", "result"),
    ]


def test_each_row_says_what_the_differences_of_its_queries_say():
    frame = compare(QRELS, RUNS, "AP RR")
    found = differences(QRELS, RUNS, "AP RR")
    assert len(found) == 2 * 3 * 29
    for row in frame.itertuples():
        part = found[
            (found["measure"] == row.measure)
            & (found["baseline"] == row.baseline)
            & (found["run"] == row.run)
        ]
        assert part["query_id"].tolist() == list(QRELS)
        values = [
            evaluate(RUNS[name], QRELS, row.measure).per_query["value"].to_numpy()
            for name in (row.baseline, row.run)
        ]
        np.testing.assert_array_equal(part["value_baseline"], values[0])
        np.testing.assert_array_equal(part["value_run"], values[1])
        difference = part["difference"].to_numpy()
        np.testing.assert_allclose(difference, values[1] - values[0], atol=1e-12)
        assert (row.wins, row.ties, row.losses) == (
            sum(values[1] > values[0] + 1e-9),
            sum(abs(values[1] - values[0]) < 1e-9),
            sum(values[1] < values[0] - 1e-9),
        )
        assert row.cohens_d == pytest.approx(effect_size(difference))
        # 10,000 draws for up to 20 tests
        assert row.p_randomisation == pytest.approx(randomisation_test(difference, seed=7))
        assert row.p_bootstrap == pytest.approx(bootstrap_test(difference, seed=7))


def test_one_run_against_each_other_is_a_family_of_its_own():
    frame = compare(QRELS, RUNS, "AP RR", against="middle")
    assert frame[["measure", "baseline", "run"]].to_numpy().tolist() == [
        [measure, baseline, "middle"] for measure in ("AP", "RR") for baseline in ("weak", "strong")
    ]
    assert frame["p_holm"].tolist() == holm(frame["p_randomisation"].to_numpy()).tolist()
    both = compare(QRELS, RUNS, "AP RR").set_index(["measure", "baseline", "run"])
    there, back = frame.iloc[1], both.loc[("AP", "middle", "strong")]
    assert (there.baseline, there.difference) == ("strong", pytest.approx(-back.difference))
    assert (there.wins, there.losses) == (back.losses, back.wins)
    assert there.cohens_d == pytest.approx(-back.cohens_d)


def test_the_runs_of_several_seeds_are_averaged_per_query():
    seeds = [run_with(seed, 1) for seed in (5, 6, 7)]
    found = differences(QRELS, {"weak": RUNS["weak"], "seeds": seeds}, "AP RR")
    for measure in ("AP", "RR"):
        each = [evaluate(run, QRELS, measure).per_query["value"].to_numpy() for run in seeds]
        part = found[found["measure"] == measure]
        np.testing.assert_allclose(part["value_run"], np.mean(each, axis=0))
    one = compare(QRELS, {"weak": RUNS["weak"], "one": seeds[:1]}, "AP")
    same = compare(QRELS, {"weak": RUNS["weak"], "one": seeds[0]}, "AP")
    assert one.equals(same)


def test_a_run_as_a_list_of_tuples_is_one_run():
    rows = [
        (query, doc, score) for query, docs in RUNS["weak"].items() for doc, score in docs.items()
    ]
    expected = compare(QRELS, {"a": RUNS["weak"], "b": RUNS["strong"]}, "AP")
    assert compare(QRELS, {"a": rows, "b": RUNS["strong"]}, "AP").equals(expected)
    assert compare(QRELS, {"a": [rows, rows], "b": RUNS["strong"]}, "AP").equals(expected)


def test_a_warning_names_the_run_of_several():
    part = {query: docs for query, docs in RUNS["weak"].items() if query != "q0"}
    with pytest.warns(EvaluationWarning, match="^weak, run 2: Missing from the run"):
        compare(QRELS, {"weak": [RUNS["weak"], part], "strong": RUNS["strong"]}, "AP")


def test_a_large_family_can_still_be_significant():
    """With 10,000 draws the smallest of 15 * 14 / 2 p values could not be below .01."""
    good, bad = ({query: {"a": score, "b": 0} for query in QRELS} for score in (1, -1))
    runs = {f"r{number}": good if number % 2 else bad for number in range(15)}
    frame = compare(QRELS, runs, "AP")
    assert len(frame) == 105
    assert frame["p_holm"].min() < 0.01


def test_the_result_is_a_sentence():
    qrels = {f"q{number}": {"a": 1, "b": 0} for number in range(8)}
    good = {query: {"a": 2, "b": 1} for query in qrels}
    bad = {query: {"a": 1, "b": 2} for query in qrels}
    row = compare(qrels, {"bad": bad, "good": good}, "RR", test="t").iloc[0]
    assert row.result == (
        "good has a higher RR than bad: 1.0000 and 0.5000 over 8 queries, a difference of +0.5000 "
        "(95 % interval +0.5000 to +0.5000; p = 0.0078, significant below 0.05); good is better "
        "in 8, as good in 0, worse in 0."
    )
    rows = compare(qrels, {"good": good, "bad": bad, "same": bad}, "RR")
    assert rows.p_holm.tolist() == [3 / 128, 3 / 128, 1]  # both choices of 256 with one sign
    assert rows.result[0].startswith("bad has a lower RR than good: 0.5000 and 1.0000")
    assert "p = 0.0234 after Holm's correction for 3 tests" in rows.result[0]
    assert rows.result[2].startswith("same and bad do not differ significantly in RR: ")


def test_the_level_is_said_and_decides():
    qrels = {f"q{number}": {"a": 1, "b": 0} for number in range(7)}
    good, bad = ({query: {"a": score, "b": 1} for query in qrels} for score in (2, 0))
    found = differences(qrels, {"bad": bad, "good": good}, "RR")  # p is 2 of 128 signs
    for level, words in ((0.05, "good has a higher RR"), (0.01, "good and bad do not differ")):
        (sentence,) = summed_up(found, level=level)["result"]
        assert sentence.startswith(words) and f"p = 0.0156, significant below {level})" in sentence


def test_what_a_reader_must_know_comes_with_the_frame():
    """Each remark once: with the runs it is about, or without where it is about all."""
    judged = {**{f"q{number}": {"a": 1, "b": 0} for number in range(4)}, "none": {"a": 0}}
    over = {query: {"x": 3, "a": 2, "b": 1} for query in judged}
    plain = {query: {"a": 2, "b": 1} for query in judged}
    runs = {"over": [over, over], "plain": plain}
    frame = compare(judged, runs, "RR", judged_only=True)
    assert frame.attrs["notes"] == (
        "over: Dropped, as nobody judged them: 4 of 12 documents.",
        "Left out, as they have no positive label: 1 query.",
    )
    assert differences(judged, runs, "RR", judged_only=True).attrs == frame.attrs
    tied = {query: {"a": 1, "b": 1} for query in judged}
    with pytest.warns(EvaluationWarning, match="Ties matter"):
        frame = compare(judged, {"plain": plain, "tied": tied}, "Bpref")
    assert frame.attrs["notes"][0] == (
        "tied: Means over 50 shuffles of tied documents, by seed 7: Bpref."
    )


def test_one_query_has_no_interval():
    qrels = {"q": {"a": 1, "b": 0}}
    runs = {"bad": {"q": {"a": 1, "b": 2}}, "good": {"q": {"a": 2, "b": 1}}}
    frame = compare(qrels, runs, "RR")
    row = frame.iloc[0]
    assert np.isnan([row.low, row.high]).all() and (row.difference, row.p_holm) == (0.5, 1)
    assert "over 1 query, a difference of +0.5000 (no interval; p = 1.0000, " in row.result
    assert frame.attrs["notes"] == ("One query says nothing of others: an interval has no width.",)


def test_unjudged_documents_are_dropped_when_asked():
    judged = {query: {"a": 1, "b": 0} for query in QRELS}
    over = {query: {"x": 3, "y": 2, "a": 1} for query in QRELS}
    plain = {query: {"a": 2, "b": 1} for query in QRELS}
    frame = compare(judged, {"over": over, "plain": plain}, "RR", judged_only=True)
    assert (frame.mean_baseline[0], frame.difference[0]) == (1, 0)
    assert compare(judged, {"over": over, "plain": plain}, "RR").mean_baseline[0] == pytest.approx(
        1 / 3
    )


@pytest.mark.parametrize("test", ["t", "bootstrap"])
def test_the_test_that_decides_is_chosen_beforehand(test):
    frame = compare(QRELS, RUNS, "AP", test=test)
    assert frame.p_holm.tolist() == holm(frame[f"p_{test}"].to_numpy()).tolist()


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
    assert (row.queries, row.p_t, row.p_randomisation, row.p_bootstrap) == (0, 1, 1, 1)
    assert row.result == "Accuracy has no value for a query of both two and one."
    assert np.isnan([row.difference, row.low, row.high]).all()


def test_arguments_that_cannot_be():
    with pytest.raises(DataError, match="runs: must be two at least. Received: weak$"):
        compare(QRELS, {"weak": RUNS["weak"]})
    with pytest.raises(DataError, match="'randomisation', 'bootstrap' or 't'. Received: 'sign'"):
        compare(QRELS, RUNS, test="sign")
    with pytest.raises(DataError, match="against: must be one of .*, strong. Received: 'han'"):
        compare(QRELS, RUNS, against="han")
    with pytest.raises(DataError, match=r"^weak: a list must hold a run at least. Received: \[\]"):
        compare(QRELS, {"weak": [], "strong": RUNS["strong"]})
    with pytest.raises(DataError, match="seed: must be a whole number, 0 or more. Received: -1"):
        compare(QRELS, RUNS, "AP", seed=-1)
    with pytest.raises(DataError, match="seed: must be a whole number, 0 or more. Received: 0.5"):
        summed_up(differences(QRELS, RUNS, "AP"), seed=0.5)
    with pytest.raises(DataError, match="differences: must have a row at least"):
        summed_up(differences(QRELS, RUNS, "AP").iloc[:0])


def test_an_error_names_the_run_that_it_is_about():
    foreign = {"other": {"a": 1.0}}
    with pytest.raises(DataError, match="^new: run: none of its queries is in the qrels"):
        compare(QRELS, {"weak": RUNS["weak"], "new": foreign}, "AP")
    with pytest.raises(DataError, match="^new, run 2: run, row 0: score must be a number"):
        differences(QRELS, {"weak": RUNS["weak"], "new": [foreign | QRELS, {"q0": {"a": "x"}}]})
    with pytest.raises(DataError, match="^measures: no measure of that name"):
        compare(QRELS, RUNS, "Nonsense")
    with pytest.raises(DataError, match="^qrels: no query has a positive label"):
        compare({"q0": {"a": 0}}, RUNS, "AP")


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
    ("difference", "p"), [([], 1), ([0.5], 1), ([0, 0, 0], 1), ([0.5, 0.5], 0.5), ([1, -1], 1)]
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
