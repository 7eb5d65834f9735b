"""`evaluate` and `compare`."""

import json

import numpy as np
import pandas as pd
import pytest
from cli_calls import COMMANDS, good, mistake, written

from ir_attention.data import read_pairs
from ir_attention.evaluation import (
    compare,
    evaluate,
    read_qrels,
    read_run,
    write_qrels,
    write_run,
)


def test_evaluate_prints_the_json_that_was_promised(bundle, ranker, pairs):
    result = good("evaluate", bundle, pairs, "--json", "--measures", "AP P@1")
    frame = read_pairs(pairs)
    wanted = evaluate(ranker.score(frame), frame, "AP P@1")
    found = json.loads(result.stdout)
    assert list(found) == ["queries", "measures", "intervals"]
    assert found == json.loads(json.dumps(wanted.to_dict()))
    assert result.stderr.splitlines() == list(wanted.notes)


def test_evaluate_prints_a_table(bundle, pairs):
    lines = good("evaluate", bundle, pairs).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["measure", "AP", "RR", "nDCG@3", "queries"]
    _, value, low, _, high = lines[1].split()
    assert float(low) <= float(value) <= float(high)
    assert lines[-1].split() == ["queries", "48"]


def test_the_default_measures_are_those_of_evaluate():
    from ir_attention.evaluation.measures import MEASURES

    for name in ("evaluate", "compare"):
        [option] = [each for each in COMMANDS[name].params if each.name == "measures"]
        assert tuple(option.default.split()) == MEASURES


def test_evaluate_writes_a_run_that_measures_the_same(bundle, pairs, tmp_path):
    result = good("evaluate", bundle, pairs, "--run", tmp_path / "toy.run", "--json")
    run, frame = read_run(tmp_path / "toy.run"), read_pairs(pairs)
    assert evaluate(run, frame).to_dict()["measures"] == json.loads(result.stdout)["measures"]


def test_a_pair_that_stands_twice_counts_once(bundle, tmp_path, toy_pairs):
    some = toy_pairs[toy_pairs["id_left"].isin(["Q1", "Q2"])]
    wrong = some[some["label"] == 1].iloc[:1].assign(label=0)
    path = written(pd.concat([wrong, some, some.iloc[:2]]), tmp_path / "twice.csv")
    again = good("evaluate", bundle, path, "--json")
    once = good("evaluate", bundle, written(some, tmp_path / "once.csv"), "--json")
    assert json.loads(again.stdout) == json.loads(once.stdout)
    assert again.stderr.splitlines()[0] == (
        "3 of 13 pairs are there before, and count once; 1 with several labels count with the "
        "highest."
    )


def test_mixed_leaves_out_queries_with_one_kind(bundle, tmp_path, toy_pairs):
    some = toy_pairs[toy_pairs["id_left"].isin(["Q1", "Q2"])]
    some = some[(some["id_left"] != "Q1") | (some["label"] == 1)]
    path = written(some, tmp_path / "some.csv")
    for option, count in (([], 2), (["--mixed"], 1)):
        found = json.loads(good("evaluate", bundle, path, "--json", *option).stdout)
        assert found["queries"] == count


@pytest.fixture
def runs(tmp_path, toy_pairs):
    """Judgements, a run that has everything right, one by chance with ties."""
    write_qrels(toy_pairs, tmp_path / "toy.qrels")
    scores = {"good": toy_pairs["label"], "rough": np.random.default_rng(1).integers(0, 3, 240)}
    for name, score in scores.items():
        write_run(toy_pairs.assign(score=score), tmp_path / f"{name}.run")
    return tmp_path


def test_compare_prints_a_table_and_sentences(runs):
    result = good("compare", runs / "toy.qrels", runs / "rough.run", runs / "good.run")
    table, sentences = result.stdout.split("\n\n")
    header, *lines = table.splitlines()
    assert header.split()[:3] == ["measure", "baseline", "run"]
    assert [line.split()[:4] for line in lines] == [
        [name, "rough", "good", "48"] for name in ("AP", "RR", "nDCG@3")
    ]
    assert lines[0].split()[5] == "1.0000"
    assert [line.split(":")[0] for line in sentences.splitlines()] == [
        f"good has a higher {name} than rough" for name in ("AP", "RR", "nDCG@3")
    ]
    assert result.stderr.startswith("rough: Ties matter in ")


def test_compare_prints_json(runs):
    given = ("compare", runs / "toy.qrels", runs / "rough.run", runs / "good.run")
    found = json.loads(good(*given, "--json", "--measures", "AP RR", "--test", "t").stdout)
    by_name = {name: read_run(runs / f"{name}.run") for name in ("rough", "good")}
    with pytest.warns(UserWarning):
        expected = compare(read_qrels(runs / "toy.qrels"), by_name, "AP RR", test="t")
    assert found == json.loads(json.dumps(expected.to_dict("records")))


def test_compare_against_one_run_only(runs):
    files = [runs / f"{name}.run" for name in ("rough", "good")]
    (runs / "third.run").write_bytes((runs / "rough.run").read_bytes())
    given = ("compare", runs / "toy.qrels", *files, runs / "third.run", "--json")
    found = json.loads(good(*given, "--measures", "AP", "--against", "good").stdout)
    assert [(row["baseline"], row["run"]) for row in found] == [
        ("rough", "good"),
        ("third", "good"),
    ]
    assert "Error: --against: must be one of the runs, rough, good, third. " in mistake(
        *given, "--against", "best"
    )


def test_compare_averages_the_runs_of_a_folder(runs, toy_pairs):
    (runs / "han").mkdir()
    for seed in (1, 2):
        score = np.random.default_rng(seed).permutation(240)
        write_run(toy_pairs.assign(score=score), runs / "han" / f"{seed}.run")
    given = ("compare", runs / "toy.qrels", runs / "rough.run", runs / "han")
    [row] = json.loads(good(*given, "--measures", "AP", "--json").stdout)
    each = [evaluate(read_run(runs / "han" / f"{seed}.run"), toy_pairs, "AP") for seed in (1, 2)]
    assert row["run"] == "han"
    assert row["mean_run"] == pytest.approx(np.mean([one.measures["AP"] for one in each]))
    (runs / "empty").mkdir()
    assert "must hold the runs of one model" in mistake(*given[:3], runs / "empty")


def test_compare_reads_what_a_benchmark_wrote(runs, toy_pairs):
    """runs/ROW/SEED/run.trec.gz, with other files beside it, and the row's name."""
    for seed in (7, 9, 10):
        home = runs / "bench" / "han--no-matches" / str(seed)
        home.mkdir(parents=True)
        score = np.random.default_rng(seed).permutation(240)
        write_run(toy_pairs.assign(score=score), home / "run.trec.gz")
        (home / "history.csv").write_text("epoch,loss\n")
        (home / "result.json").write_text("{}")
    row, each = runs / "bench" / "han--no-matches", {}
    for seed in (7, 9, 10):
        run = read_run(row / str(seed) / "run.trec.gz")
        each[seed] = evaluate(run, toy_pairs, "AP").measures["AP"]
    given = ("compare", runs / "toy.qrels", runs / "good.run")
    options = ("--measures", "AP", "--json")
    [found] = json.loads(good(*given, row, *options).stdout)
    assert (found["run"], found["mean_run"]) == (
        "han--no-matches",
        pytest.approx(np.mean([*each.values()])),
    )
    for path in (row / "7", row / "7" / "run.trec.gz"):
        [found] = json.loads(good(*given, path, *options).stdout)
        assert (found["run"], found["mean_run"]) == ("han--no-matches/7", pytest.approx(each[7]))
    assert "a folder for each seed with run.trec.gz" in mistake(*given, runs / "bench")
    for seed in (7, 10):  # which is wrong is said by its path
        (row / str(seed) / "run.trec.gz").write_bytes(b"")
    assert "han--no-matches/7/run.trec.gz" in mistake(*given, row)


def test_a_run_that_is_named_twice_or_is_of_other_data(runs):
    good_run = runs / "good.run"
    assert f"Received: {good_run} twice" in mistake(
        "compare", runs / "toy.qrels", good_run, good_run
    )
    (runs / "other.run").write_text("nobody's Q0 d1 1 0.5 tag\n")
    given = ("compare", runs / "toy.qrels", good_run, runs / "other.run")
    assert "Error: other: run: none of its queries is in the qrels" in mistake(*given)


def test_compare_writes_the_difference_of_each_query(runs):
    given = ("compare", runs / "toy.qrels", runs / "rough.run", runs / "good.run")
    result = good(*given, "--per-query", runs / "each.csv", "--json", "--measures", "AP RR")
    each = pd.read_csv(runs / "each.csv")
    assert list(each) == [
        *("measure", "baseline", "run", "query_id"),
        *("value_baseline", "value_run", "difference"),
    ]
    means = each.groupby("measure")["difference"].mean()
    for row in json.loads(result.stdout):
        assert means[row["measure"]] == pytest.approx(row["difference"])
    assert "must end in" in mistake(*given, "--per-query", runs / "each.xls")
    before = (runs / "good.run").read_bytes()
    (runs / "link.csv").symlink_to(runs / "good.run")
    assert "must not be an input" in mistake(*given, "--per-query", runs / "link.csv")
    assert (runs / "good.run").read_bytes() == before


def test_judged_only_drops_what_nobody_judged(runs, toy_pairs):
    # A document that nobody judged, above all others of each query.
    extra = toy_pairs.drop_duplicates("id_left").assign(id_right="nobody's", label=9)
    both = pd.concat([toy_pairs, extra])
    write_run(both.assign(score=both["label"]), runs / "extra.run")
    given = ("compare", runs / "toy.qrels", runs / "extra.run", runs / "good.run", "--json")
    for options, value in (((), 0.5), (("--judged-only",), 1.0)):
        [row] = json.loads(good(*given, "--measures", "RR", *options).stdout)
        assert row["mean_baseline"] == pytest.approx(value)
    said = good(*given, "--measures", "RR", "--judged-only").stderr
    assert said == "extra: Dropped, as nobody judged them: 48 of 288 documents.\n"


def test_compare_says_what_was_left_out(runs, toy_pairs):
    none = toy_pairs[toy_pairs["id_left"] == "Q1"].assign(id_left="Q999", label=0)
    write_qrels(pd.concat([toy_pairs, none]), runs / "more.qrels")
    given = (runs / "good.run", runs / "rough.run")
    result = good("compare", runs / "more.qrels", *given, "--measures", "Bpref", "--json")
    ties, shuffles, left_out = result.stderr.splitlines()
    assert ties.startswith("rough: Ties matter in ")
    assert shuffles == "rough: Means over 50 shuffles of tied documents, by seed 7: Bpref."
    assert left_out == "Left out, as they have no positive label: 1 query."


def test_compare_has_no_interval_of_one_query(runs, toy_pairs):
    write_qrels(toy_pairs[toy_pairs["id_left"] == "Q1"], runs / "one.qrels")
    given = ("compare", runs / "one.qrels", runs / "rough.run", runs / "good.run")
    result = good(*given, "--measures", "AP")
    assert "nan" not in result.stdout and "(no interval; p = 1.0000" in result.stdout
    assert "One query says nothing of others" in result.stderr
    [row] = json.loads(good(*given, "--measures", "AP", "--json").stdout)
    assert row["low"] is None and row["high"] is None


def test_the_rule_for_ties_decides_in_both_commands(runs, toy_pairs, tmp_path):
    """All scores are equal: trec_eval puts the higher id first, and the mean over orders nobody."""
    write_run(toy_pairs.assign(score=1.0), runs / "tied.run")
    given = ("compare", runs / "toy.qrels", runs / "tied.run", runs / "good.run", "--json")
    values = {}
    for ties in ("expected", "trec_eval"):
        [row] = json.loads(good(*given, "--measures", "AP", "--ties", ties).stdout)
        with pytest.warns(UserWarning, match="Ties matter"):
            found = evaluate(read_run(runs / "tied.run"), toy_pairs, "AP", ties=ties)
        values[ties] = row["mean_baseline"]
        assert row["mean_baseline"] == pytest.approx(found.measures["AP"])
    assert abs(values["expected"] - values["trec_eval"]) > 0.01
    assert json.loads(good(*given, "--measures", "AP").stdout)[0]["mean_baseline"] == (
        pytest.approx(values["expected"])
    )


def test_compare_takes_labelled_pairs_for_judgements(runs, pairs):
    run = (runs / "rough.run", runs / "good.run")
    assert good("compare", pairs, *run).stdout == good("compare", runs / "toy.qrels", *run).stdout
    assert "Error: RUN: must be two at least. Received: rough" in mistake("compare", pairs, run[0])
    wrong = ("--measures", "MAPP")
    assert "Error: --measures: no measure of that name" in mistake("compare", pairs, *run, *wrong)


def test_runs_of_one_name_keep_their_folders(runs):
    (runs / "other").mkdir()
    (runs / "other" / "good.run").write_bytes((runs / "good.run").read_bytes())
    result = good("compare", runs / "toy.qrels", runs / "good.run", runs / "other" / "good.run")
    assert str(runs / "other" / "good.run") in result.stdout
