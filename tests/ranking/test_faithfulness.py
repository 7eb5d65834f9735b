"""Is that why: measures of a data set against those of texts, one by one, and against SciPy."""

import json

import numpy as np
import pandas as pd
import pytest
from erased_texts import without
from scipy.stats import kendalltau

from ir_attention.bundle import Bundle
from ir_attention.errors import BundleError, DataError
from ir_attention.ranking import verdict
from ir_attention.ranking.faithfulness import faithfulness, kendall_tau
from ir_attention.ranking.ranker import Ranker, open_scorer
from ir_attention.reports.faithfulness import ORDERS
from ir_attention.reports.verdicts import read_verdict
from ir_attention.training import train

ROWS = [
    ("Q1", "comet seen in Perth", "the comet was seen by me! near perth it is a comet!", 1),
    ("Q1", "comet seen in Perth", "nobody in perth saw a comet", 2),
    ("Q2", "flood near Oslo", "oslo has a flood! wow! what a flood that is", 1),
    ("Q2", "flood near Oslo", "the match in leeds goes on and on", 0),
]


@pytest.fixture(scope="module")
def pairs():
    frame = pd.DataFrame(ROWS, columns=["id_left", "text_left", "text_right", "label"])
    return frame.assign(id_right=[f"D{n}" for n in range(len(frame))])


@pytest.fixture(scope="module", params=["han", "han-bi"])
def ranker(request, toy_trained, toy_bi):
    return Ranker.load((toy_trained[0] if request.param == "han" else toy_bi).folder)


@pytest.fixture(scope="module")
def han(toy_trained):
    return Ranker.load(toy_trained[0].folder)


@pytest.fixture(scope="module")
def found(ranker, pairs):
    return faithfulness(ranker, pairs, seed=3)


def test_measures_are_those_of_texts(ranker, pairs, found):
    """Every text is written out without its words, and scored by itself."""
    for doc_id, (_, query, document, label) in zip(pairs["id_right"], ROWS, strict=True):
        if not label:
            continue
        explained = ranker.explain(query, document)
        words = explained.words
        for order, column in (("attention", "total"), ("effects", "effect")):
            places = np.argsort(-words[column].to_numpy(), kind="stable")
            gone, alone = [], []
            for share in range(11):
                first = places[: int(np.ceil(share * len(words) / 10 - 1e-9))]
                gone.append(explained.score - score(ranker, query, without(document, first)))
                rest = np.setdiff1d(places, first)
                alone.append(explained.score - score(ranker, query, without(document, rest)))
            rows = found.pairs[found.pairs["doc_id"] == doc_id].set_index("order")
            row = rows.loc[order]
            assert row["words"] == len(words)
            assert row["area"] == pytest.approx(np.trapezoid(gone, dx=0.1), abs=1e-5)
            assert row["comprehensiveness"] == pytest.approx(np.mean(gone[1:6]), abs=1e-5)
            assert row["sufficiency"] == pytest.approx(np.mean(alone[1:6]), abs=1e-5)
            tau = kendalltau(words[column], words["effect"]).statistic
            assert row["tau"] == pytest.approx(tau, abs=1e-6)


def score(ranker, query, document):
    return ranker.order(query, [document])[1][0]


def test_means_curves_and_differences(found):
    assert found.table["order"].unique().tolist() == list(ORDERS)
    by_order = found.pairs.set_index("order")
    for row in found.table.to_dict("records"):
        values = by_order.loc[row["order"], row["measure"]]
        chance = by_order.loc["random", row["measure"]]
        assert row["value"] == pytest.approx(values.mean())
        assert row["difference"] == pytest.approx((values.to_numpy() - chance.to_numpy()).mean())
        assert row["low"] <= row["value"] <= row["high"]
    assert found.value("random", "area")["difference"] == 0
    assert found.value("effects", "tau")["value"] == pytest.approx(1)
    # The area is under the curve, and all curves meet at both ends.
    for order in ORDERS:
        curve = found.curves[order].to_numpy()
        assert np.trapezoid(curve, dx=0.1) == pytest.approx(found.value(order, "area")["value"])
        assert curve[0] == pytest.approx(0, abs=1e-6)
        assert curve[-1] == pytest.approx(found.curves["effects"].iloc[-1])


def test_the_relevant_pairs_are_looked_at(ranker, pairs, found):
    assert sorted(found.pairs["doc_id"].unique()) == ["D0", "D1", "D2"]
    bare = faithfulness(ranker, pairs.drop(columns="label"), gradient=False)
    assert bare.pairs["doc_id"].nunique() == 4
    assert bare.curves.columns.tolist() == ["attention", "effects", "random"]
    twice = pd.concat([pairs, pairs.assign(id_left="Q9", id_right="D9")], ignore_index=True)
    with pytest.raises(DataError):  # one id, two texts
        faithfulness(ranker, twice, gradient=False)
    twice = pd.concat([pairs, pairs], ignore_index=True)
    assert faithfulness(ranker, twice, gradient=False).pairs["doc_id"].nunique() == 3


def test_what_is_passed_over_is_counted(ranker, monkeypatch):
    texts = ["", "?!", "three little words", "four words in here", "and here are five words"]
    frame = pd.DataFrame({"text_left": "words here", "text_right": texts})
    more = pd.DataFrame({"text_left": ["", "!"], "text_right": ["four words in here"] * 2})
    frame = pd.concat([frame, more], ignore_index=True)
    result = faithfulness(ranker, frame, gradient=False)
    assert (result.left_out, sorted(result.pairs["words"].unique())) == (6, [5])
    monkeypatch.setattr("ir_attention.ranking.erasing.AFFORDABLE", 10)
    with pytest.raises(DataError, match="no pair has a query, and a document of 5 words.*7 pairs"):
        faithfulness(ranker, frame, gradient=False)


def test_draws_are_by_seed(han, toy_pairs):
    def drawn(seed):
        return faithfulness(han, toy_pairs, limit=7, seed=seed, gradient=False)

    one, same, other = drawn(1), drawn(1), drawn(2)
    assert one.pairs["doc_id"].nunique() == 7
    pd.testing.assert_frame_equal(one.pairs, same.pairs)
    pd.testing.assert_frame_equal(one.table, same.table)
    assert set(one.pairs["doc_id"]) != set(other.pairs["doc_id"])
    relevant = toy_pairs.loc[toy_pairs["label"] > 0, "id_right"]
    assert set(one.pairs["doc_id"]) <= set(relevant)


def test_mistakes_are_said(han, pairs, toy_pairs):
    with pytest.raises(DataError, match="no pair is relevant.*Received: 4 pairs"):
        faithfulness(han, pairs.assign(label=0), gradient=False)
    for limit in (0, True, 2.5):
        with pytest.raises(DataError, match="limit.*whole number from 1"):
            faithfulness(han, pairs, limit=limit)
    with pytest.raises(DataError, match="seed"):
        faithfulness(han, pairs, seed=-1)
    bundle = train(toy_pairs, model="bm25", say=lambda line: None).bundle
    with pytest.raises(DataError, match="bm25 has no attention"):
        faithfulness(Ranker(bundle, open_scorer(bundle)), pairs)


def test_scores_that_are_not_finite_are_said(han, pairs):
    weights = dict(han.bundle.weights)
    weights["score_output/kernel"] = weights["score_output/kernel"] * np.float32(1e38)
    weights["score_hidden/kernel"] = weights["score_hidden/kernel"] * np.float32(1e30)
    broken = type(han.bundle)(han.bundle.settings, han.bundle.vocabulary, weights)
    with pytest.raises(BundleError, match="not finite"):
        faithfulness(Ranker(broken, open_scorer(broken)), pairs, gradient=False)


@pytest.mark.parametrize("ties", [False, True])
def test_tau_is_that_of_scipy(ties):
    rng = np.random.default_rng(4)
    for size in (2, 3, 17):
        one, other = (rng.integers(0, 4, size) if ties else rng.normal(size=size) for _ in "ab")
        expected = kendalltau(one, other).statistic
        assert kendall_tau(one, other) == pytest.approx(expected, nan_ok=True)
    assert np.isnan(kendall_tau(np.ones(3), np.arange(3)))
    assert np.isnan(kendall_tau(np.ones(1), np.ones(1)))


TRAINED = {"model": "han", "seed": 7}


def measured(query, doc, attention, effects, chance):
    """A pair with an area for each order, and nothing else of note."""
    values = {"attention": attention, "effects": effects, "random": chance}
    return verdict.Measured(
        *(query, doc, 5, {name: np.full(11, value) for name, value in values.items()}),
        {name: np.array([value, 0, 0, np.nan]) for name, value in values.items()},
    )


def test_intervals_draw_queries_with_all_their_pairs():
    """Of two queries, a quarter of the draws has one of them alone: the ends are their means."""
    some = [measured("A", "1", 1, 5, 2), measured("A", "2", 3, 5, 2), measured("B", "3", 10, 5, 1)]
    found = verdict.Faithfulness.of_pairs(TRAINED, some, left_out=0, seed=1, resamples=500)
    area = found.value("attention", "area")
    assert (area["value"], area["low"], area["high"]) == pytest.approx((14 / 3, 2, 10))
    ends = area["difference"], area["difference_low"], area["difference_high"]
    assert ends == pytest.approx((9 / 3, 0, 9))
    effects = found.value("effects", "area")
    assert (effects["low"], effects["high"]) == (5, 5)
    assert (effects["difference_low"], effects["difference_high"]) == (3, 4)
    assert np.isnan(found.value("attention", "tau")["value"])
    assert not found.beats_chance("attention") and found.beats_chance("effects")
    with pytest.raises(DataError, match="no 'speed' of 'attention'"):
        found.value("attention", "speed")


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ((4, 5), "Attention explains this model better than chance: erasing words in its order"),
        ((0, 1), "Attention explains this model worse than chance"),
        ((1, 3), "Attention explains this model no better than chance"),
    ],
)
def test_what_it_means_is_said_in_words(own, words):
    some = [measured("A", "1", own[0], 6, 2), measured("B", "2", own[1], 6, 2)]
    found = verdict.Faithfulness.of_pairs(TRAINED, some, left_out=3, seed=1, resamples=200)
    attention, effects, last = found.sentences()
    assert attention.startswith(words)
    assert "of random orders" in attention
    assert effects.startswith("Leaving out each word explains this model better than chance")
    assert "takes 6.00 (6.00 to 6.00) off the score, 3.0 times the 2.00 (2.00 to 2.00)" in effects
    assert last == "Without any word, 2.00 of the score is gone on average."
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert (values["pairs"], values["queries"], values["left_out"]) == (2, 2, 3)
    assert values["orders"]["effects"]["area"]["value"] == 6
    assert values["orders"]["effects"]["tau"]["value"] is None
    assert values["curves"]["random"] == [2] * 11
    low, high = values["curves_low"]["attention"], values["curves_high"]["attention"]
    assert (low, high) == ([own[0]] * 11, [own[1]] * 11)  # a quarter of the draws has one alone
    assert values["shading"] in ("attention", "effects")


def test_curves_have_intervals_over_queries_as_the_area_has(found):
    for order in ORDERS:
        low, mean, high = (
            frame[order].to_numpy() for frame in (found.curves_low, found.curves, found.curves_high)
        )
        assert (low <= mean + 1e-9).all() and (mean <= high + 1e-9).all()
    # Of two queries, the ends are their own means.
    values = found.pairs[found.pairs["order"] == "effects"]
    ends = values.groupby("query_id")["area"].mean()
    row = found.value("effects", "area")
    assert sorted([row["low"], row["high"]]) == pytest.approx(sorted(ends))


@pytest.fixture
def folder(han, tmp_path):
    return han.bundle.save(tmp_path / "news")


def test_a_verdict_is_kept_with_its_model_and_found_again(han, pairs, folder):
    before = Bundle.load(folder)
    found = faithfulness(Ranker.load(folder), pairs, gradient=False)
    assert found.keep(folder, "test.tsv") == folder
    after = Bundle.load(folder)
    kept = after.settings["faithfulness"]
    assert kept == found.verdict("test.tsv") and kept["pairs"] == 3
    for order in ("attention", "effects", "random"):
        assert kept["area"][order] == pytest.approx(found.value(order, "area"), abs=1e-6)
    assert read_verdict(kept).sentences == found.sentences()[:2]
    # All else is as it was.
    assert {k: v for k, v in after.settings.items() if k != "faithfulness"} == before.settings
    assert after.vocabulary == before.vocabulary
    assert all((after.weights[name] == weight).all() for name, weight in before.weights.items())
    assert after.card.startswith(before.card.rstrip()) and "of test.tsv" in after.card
    explained = Ranker.load(folder).explain("a comet", "the comet near perth")
    assert explained.model_verdict == kept
    # Another takes its place.
    again = faithfulness(Ranker.load(folder), pairs, limit=2, gradient=False)
    again.keep(folder)
    last = Bundle.load(folder)
    assert last.settings["faithfulness"]["pairs"] == 2
    assert last.card.count("## Is that why?") == 1 and "test.tsv" not in last.card


def test_a_verdict_is_not_kept_with_another_model(han, pairs, folder, tmp_path):
    found = faithfulness(han, pairs, gradient=False)
    other = type(han.bundle)(
        {**han.bundle.settings, "seed": 8}, han.bundle.vocabulary, han.bundle.weights
    ).save(tmp_path / "other")
    with pytest.raises(BundleError, match="not the han that was looked at"):
        found.keep(other)
    assert "faithfulness" not in Bundle.load(other).settings
    with pytest.raises(BundleError, match="no such folder"):
        found.keep(tmp_path / "nothing")
    (folder / "mine.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(BundleError, match="not a bundle, so it is not overwritten"):
        found.keep(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
