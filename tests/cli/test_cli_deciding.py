"""`threshold`: what the calls of Python say, and mistakes in a line."""

import json

import numpy as np
import pandas as pd
import pytest
from cli_calls import good, mistake, written

from ir_attention.evaluation import choose_threshold, estimate_count, measure_threshold


def part(name, queries, each, share, seed):
    """Pairs with scores, higher by 2 for the relevant ones."""
    rng = np.random.default_rng(seed)
    number = np.arange(queries * each)
    label = (rng.random(len(number)) < share).astype(int)
    return pd.DataFrame(
        {
            "id_left": [f"{name}-{one // each}" for one in number],
            "text_left": [f"headline {name} {one // each}" for one in number],
            "id_right": [f"{name}-t{one}" for one in number],
            "text_right": [f"tweet {name} {one}" for one in number],
            "label": label,
            "predictions": 2 * label + rng.normal(size=len(number)),
        }
    )


DEV, TEST = part("dev", 23, 9, 0.3, 1), part("test", 29, 9, 0.3, 2)
TWEETS = part("new", 31, 11, 0.1, 3)


@pytest.fixture
def files(tmp_path):
    return (
        written(DEV, tmp_path / "dev.csv"),
        written(TEST, tmp_path / "test.jsonl"),
        written(TWEETS.drop(columns="label"), tmp_path / "tweets.csv"),
    )


def calls(**options):
    chosen = choose_threshold(DEV["predictions"], DEV["label"], **options)
    return chosen, measure_threshold(
        chosen, TEST["predictions"], TEST["label"], queries=TEST["id_left"]
    )


@pytest.mark.parametrize(
    ("arguments", "options"),
    [((), {}), (("--by", "precision", "--at-least", "0.9"), {"by": "precision", "at_least": 0.9})],
)
def test_it_says_what_the_python_calls_say(files, arguments, options):
    dev, test, tweets = files
    chosen, decisions = calls(**options)
    result = good("threshold", dev, test, "--unlabelled", tweets, "--json", *arguments)
    found = json.loads(result.stdout)
    assert list(found) == ["threshold", "dev", "test", "unlabelled"]
    assert found["threshold"] == pytest.approx(chosen.value)
    assert found["dev"] == pytest.approx(chosen.to_dict())
    assert found["test"]["yes"] == decisions.to_dict()["yes"]
    assert found["test"]["intervals"] == {
        name: pytest.approx(list(ends)) for name, ends in decisions.intervals.items()
    }
    estimate = estimate_count(decisions, TWEETS["predictions"], queries=TWEETS["id_left"])
    assert found["unlabelled"]["count"] == pytest.approx(estimate.count)
    assert found["unlabelled"]["interval"] == pytest.approx([estimate.low, estimate.high])
    assert result.stderr == ""


def test_it_prints_a_table_and_a_sentence(files):
    dev, test, tweets = files
    *table, sentence = good("threshold", dev, test, "--unlabelled", tweets).stdout.splitlines()
    assert table[0].split() == ["dev", "test", "95", "%", "interval"]
    rows = ["threshold", "precision", "recall", "F1", "pairs", "relevant", "yes"]
    assert [line.split()[0] for line in table[1:]] == rows
    assert sentence.startswith("About ") and " of 341 unlabelled pairs match (95 % in" in sentence
    assert len(good("threshold", dev, test).stdout.splitlines()) == 8
    counted = good("threshold", dev, test, "--unlabelled", tweets, "--documents").stdout
    assert counted.splitlines()[5].split() == ["documents", str(len(DEV)), str(len(TEST))]
    assert " of 341 unlabelled documents match" in counted


def test_the_unlabelled_need_no_labels_whatever_theirs_are_called(files, tmp_path):
    dev, test = (
        written(frame.rename(columns={"label": "Match"}), tmp_path / f"{name}-match.csv")
        for name, frame in (("dev", DEV), ("test", TEST))
    )
    expected = good("threshold", *files[:2], "--unlabelled", files[2]).stdout
    blank = TWEETS.assign(label="", Match="")
    for name, frame in (("none", TWEETS.drop(columns="label")), ("stray", TWEETS), ("no", blank)):
        tweets = written(frame, tmp_path / f"{name}.csv")
        found = good("threshold", dev, test, "--unlabelled", tweets, "--label", "Match")
        assert (found.stdout, found.stderr) == (expected, "")


def test_a_precision_by_luck_is_said(files, tmp_path):
    few = written(DEV[:45], tmp_path / "few.csv")
    found = good("threshold", few, files[1], "--by", "precision", "--at-least", "1", "--json")
    yes = json.loads(found.stdout)["dev"]["yes"]
    assert yes < 20
    assert found.stderr.startswith(f"Only {yes} of 45 pairs of DEV reach the threshold")


def test_pairs_in_both_parts_are_said(files, tmp_path):
    dev, test, _ = files
    copied = written(DEV, tmp_path / "copy.csv")
    assert good("threshold", dev, copied).stderr == (
        "23 of 23 queries of TEST are in DEV too, and 207 of its 207 pairs: the threshold was "
        "chosen on them, and looks better than it is.\n"
    )
    # Of two headlines one is known by its text, whatever its id, with a tweet of its nine.
    known = DEV[:9].assign(id_left="other", text_right=[DEV["text_right"][3], *"abcdefgh"])
    mixed = written(pd.concat([TEST, known]), tmp_path / "mixed.csv")
    assert "1 of 30 queries of TEST are in DEV too, and 1 of its 270 pairs" in (
        good("threshold", dev, mixed, "--json").stderr
    )
    assert good("threshold", dev, test).stderr == ""


def test_the_other_assumption(files):
    dev, test, tweets = files
    given = ("threshold", dev, test, "--unlabelled", tweets, "--json", "--assume", "precision")
    found = json.loads(good(*given).stdout)["unlabelled"]
    _, decisions = calls()
    right, wrong, missed, _ = decisions.cells.sum(axis=0)
    assert found["count"] == pytest.approx(found["yes"] * (right + missed) / (right + wrong))
    assert found["assume"] == "precision"


def test_documents_count_once_by_their_best_score(files, tmp_path):
    dev, test, _ = files
    again = TWEETS.assign(
        id_left="other", text_left="another", predictions=TWEETS["predictions"] - 1
    )
    tweets = written(pd.concat([again, TWEETS]).drop(columns="label"), tmp_path / "twice.csv")
    given = ("threshold", dev, test, "--json", "--unlabelled")
    pairs = good(*given, tweets)
    assert json.loads(pairs.stdout)["unlabelled"]["pairs"] == 682
    assert "682 pairs of 341 documents" in pairs.stderr
    best = good(*given, tweets, "--documents")
    alone = good(*given, written(TWEETS.drop(columns="label"), tmp_path / "once.csv"))
    assert (
        json.loads(best.stdout)["unlabelled"]["yes"]
        == (json.loads(alone.stdout)["unlabelled"]["yes"])
    )
    assert json.loads(best.stdout)["unlabelled"]["pairs"] == 341
    assert best.stderr == ""


def test_a_labelled_pair_that_stands_twice_counts_once(files, tmp_path):
    dev, _, _ = files
    twice = written(pd.concat([TEST, TEST[:3]]), tmp_path / "twice.csv")
    result = good("threshold", dev, twice, "--json")
    assert json.loads(result.stdout)["test"]["pairs"] == len(TEST)
    assert "3 of 264 pairs are there before" in result.stderr


def test_it_takes_what_score_wrote(bundle, toy_pairs, tmp_path):
    queries = toy_pairs["id_left"].str[1:].astype(int)
    for name, frame in (("dev", toy_pairs[queries < 24]), ("test", toy_pairs[queries >= 24])):
        frame = frame.rename(columns={"label": "Match"})
        path = written(frame, tmp_path / f"{name}.csv")
        good("score", bundle, path, "-o", tmp_path / f"{name}.tsv", "--label", "Match")
    found = json.loads(
        good(
            "threshold", tmp_path / "dev.tsv", tmp_path / "test.tsv", "--label", "Match", "--json"
        ).stdout
    )
    assert found["dev"]["pairs"] == found["test"]["pairs"] == 120
    assert 0 <= found["test"]["precision"] <= 1


def test_mistakes_in_a_line(files, tmp_path):
    dev, test, tweets = files
    assert "must be different files" in mistake("threshold", dev, dev)
    assert "must be different files" in mistake("threshold", dev, test, "--unlabelled", test)
    assert "Error: --at-least: goes with --by precision alone. Received: 0.9" in mistake(
        "threshold", dev, test, "--at-least", "0.9"
    )
    by = ("--by", "precision")
    assert "needs --at-least, above 0 and up to 1" in mistake("threshold", dev, test, *by)
    for value in ("0", "1.5", "nan"):
        assert "Error: --at-least: must be above 0" in mistake(
            "threshold", dev, test, *by, "--at-least", value
        )
    high = written(DEV.assign(predictions=0.5), dev.with_name("flat.csv"))
    assert "Error: --at-least: no threshold has this precision" in mistake(
        "threshold", high, test, *by, "--at-least", "0.99"
    )
    plain = written(TEST.drop(columns="predictions"), tmp_path / "plain.csv")
    assert "must have the column predictions" in mistake("threshold", dev, plain)
    assert "label" in mistake("threshold", dev, tweets)
    for bad in ("", "high", "inf"):
        scores = TEST["predictions"].astype(object).where(TEST.index != 4, bad)
        path = written(TEST.assign(predictions=scores), tmp_path / "bad.csv")
        assert "row 5: predictions must be numbers" in mistake("threshold", dev, path)
    negative = written(DEV.assign(label=0), tmp_path / "negative.csv")
    assert "must have both relevant pairs" in mistake("threshold", negative, test)
    assert "is a folder" in mistake("threshold", tmp_path, test)
    assert "No such file" in mistake("threshold", tmp_path / "none.csv", test)
