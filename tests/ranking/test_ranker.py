"""Ranker: without TensorFlow, equal to the Keras model, and sure of its order."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ir_attention.errors import BundleError, DataError
from ir_attention.ranking.ranker import Ranker

QUERY = "comet seen in Perth"
TWEETS = ["Zyxxquorn? never heard", "a #comet over Perth!! Look up. Now", "", "comet", "comet"]


@pytest.fixture(scope="module")
def ranker(toy_trained):
    return Ranker.load(toy_trained[0].folder)


def test_ranks_unseen_words_best_first(ranker):
    ranked = ranker.rank(QUERY, TWEETS)
    assert ranked.columns.tolist() == ["position", "document", "score"]
    assert sorted(ranked["position"]) == [0, 1, 2, 3, 4]
    assert (np.diff(ranked["score"]) <= 0).all()
    assert [TWEETS[place] for place in ranked["position"]] == ranked["document"].tolist()


def test_equal_documents_keep_their_order(ranker):
    ranked = ranker.rank(QUERY, TWEETS).set_index("position")
    assert ranked.loc[3, "score"] == ranked.loc[4, "score"]
    places = ranked.index.tolist()
    assert places.index(3) + 1 == places.index(4)


def test_top_k_is_the_beginning_of_the_whole(ranker):
    whole, top = ranker.rank(QUERY, TWEETS), ranker.rank(QUERY, TWEETS, top_k=2)
    pd.testing.assert_frame_equal(top, whole.head(2))
    assert len(ranker.rank(QUERY, TWEETS, top_k=99)) == 5


def test_nothing_to_rank_gives_an_empty_frame(ranker):
    assert len(ranker.rank(QUERY, [])) == 0


def test_a_score_depends_on_its_pair_alone(ranker):
    pairs = pd.DataFrame({"text_left": QUERY, "text_right": TWEETS})
    together = ranker.score(pairs)["score"].to_numpy()
    alone = [ranker.rank(QUERY, [tweet])["score"][0] for tweet in TWEETS]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    among = ranker.rank(QUERY, [*TWEETS, *[f"other {n} " * n for n in range(60)]])
    by_place = among.set_index("position")["score"].sort_index()
    np.testing.assert_allclose(by_place[:5], alone, atol=1e-6)


def test_scores_in_the_order_of_the_pairs_without_labels(ranker, toy_pairs):
    run = ranker.score(toy_pairs.drop(columns="label"))
    assert run.columns.tolist() == ["query_id", "doc_id", "score"]
    assert run["doc_id"].tolist() == toy_pairs["id_right"].tolist()


@pytest.mark.slow
def test_equals_the_keras_model(toy_pairs):
    """The Keras model, and the ranker on the bundle it leaves."""
    from ir_attention.bundle import Bundle
    from ir_attention.data.arrays import Cuts, pair_arrays
    from ir_attention.data.inputs import Sizes, model_inputs
    from ir_attention.ranking.ranker import open_scorer
    from ir_attention.training.fitting import _learner
    from ir_attention.training.settings import TrainingSettings

    pairs = toy_pairs.head(40)
    learner = _learner("han", toy_pairs, pairs, None, seed=3, settings=TrainingSettings(epochs=1))
    learner.fit_epoch(1)
    weights, vocabulary, settings = learner.parts()
    bundle = Bundle({"model": "han", **settings}, vocabulary, weights)
    scores = Ranker(bundle, open_scorer(bundle)).score(pairs)["score"]
    request = learner.data.request  # of the training pairs, of which these are the first
    for row in range(0, 40, 8):
        groups = [(int(request.query[at]), request.document[[at]]) for at in range(row, row + 8)]
        arrays = pair_arrays(request.texts, groups, Cuts(30, 40, 4))
        inputs = model_inputs(arrays, Sizes(queries=8, pairs=8, step=32))
        expected = np.asarray(learner.model(inputs))
        np.testing.assert_allclose(scores[row : row + 8], expected, rtol=2e-6, atol=1e-5)


FRESH = """
import json, sys
from ir_attention.ranking import Ranker
positions, scores = Ranker.load(sys.argv[1]).order("comet seen in Perth", json.loads(sys.argv[2]))
unwanted = {"tensorflow", "keras", "matchzoo", "nltk", "pandas", "scipy"} & set(sys.modules)
print(json.dumps([positions.tolist(), scores.tolist(), sorted(unwanted)]))
"""


def test_a_fresh_process_needs_neither_tensorflow_nor_matchzoo(toy_trained, ranker):
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(toy_trained[0].folder), json.dumps(TWEETS)],
        check=True,
        capture_output=True,
        text=True,
    )
    positions, scores, unwanted = json.loads(done.stdout)
    assert unwanted == []
    ranked = ranker.rank(QUERY, TWEETS)
    assert positions == ranked["position"].tolist()
    assert scores == ranked["score"].tolist()
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ranker: ranker.rank(QUERY, "one text"), "must be a list of texts"),
        (lambda ranker: ranker.rank(QUERY, ["a", None]), "`documents` must be text. .* NoneType"),
        (lambda ranker: ranker.rank(7, ["a"]), "`query` must be text. Received: int 7"),
        (lambda ranker: ranker.rank(QUERY, ["a"], top_k=0), "`top_k` must be at least 1"),
    ],
)
def test_refuses_what_is_not_text(ranker, call, message):
    with pytest.raises(DataError, match=message):
        call(ranker)


def damaged(folder, name, change):
    values = json.loads((folder / name).read_text())
    change(values)
    (folder / name).write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("settings.json", lambda v: v.pop("matcher"), "does not describe a han"),
        ("settings.json", lambda v: v["matcher"].update(gru=32), "should have shape"),
        ("settings.json", lambda v: v.pop("split_sentences"), "incomplete: 'split_sentences'"),
        ("settings.json", lambda v: v.update(model="../../etc"), "names no model"),
        ("vocabulary.json", lambda v: v.pop("idf"), "incomplete: a vocabulary holds"),
        ("vocabulary.json", lambda v: v["words"].append("xyzzy"), "the table of vectors"),
    ],
)
def test_a_bundle_whose_parts_do_not_fit_is_refused(toy_trained, tmp_path, name, change, message):
    folder = shutil.copytree(toy_trained[0].folder, tmp_path / "han")
    damaged(folder, name, change)
    with pytest.raises(BundleError, match=message):
        Ranker.load(folder)


def test_documents_may_be_a_series_in_any_order(ranker):
    series = pd.Series(TWEETS).iloc[[3, 1, 0]]
    ranked = ranker.rank(QUERY, series)
    assert [series.tolist()[place] for place in ranked["position"]] == ranked["document"].tolist()


def test_large_requests_are_scored_in_parts_and_come_back_in_order(ranker, monkeypatch):
    from ir_attention.scoring import matcher

    documents = [f"comet number {n} " * (n % 5) + "over Perth" for n in range(30)]
    pairs = pd.DataFrame(
        {"text_left": [QUERY, "lunch in Oslo"] * 30, "text_right": documents + documents[::-1]}
    )
    whole = ranker.score(pairs)["score"]
    monkeypatch.setattr(matcher, "_WORDS", 20)
    np.testing.assert_allclose(ranker.score(pairs)["score"], whole, atol=1e-6)
    alone = [ranker.rank(q, [d])["score"][0] for q, d in pairs.head(10).to_numpy()]
    np.testing.assert_allclose(whole[:10], alone, atol=1e-6)


def test_the_same_pair_has_the_same_score_to_the_last_digit(ranker):
    documents = [*TWEETS, *[f"comet {n} " * n for n in range(40)], *TWEETS]
    scores = ranker.rank(QUERY, documents).set_index("position")["score"].sort_index()
    assert scores[:5].tolist() == scores[-5:].tolist()


@pytest.mark.parametrize("model", ["toy_trained", "toy_bi"])
def test_any_number_of_threads_gives_the_same_to_the_last_digit(
    request, toy_pairs, model, monkeypatch
):
    from ir_attention.scoring import bi_encoder, matcher

    for module in (matcher, bi_encoder):
        monkeypatch.setattr(module, "_WORDS", 100)  # several parts
    trained = request.getfixturevalue(model)
    folder = trained[0].folder if isinstance(trained, tuple) else trained.folder
    one, three = (Ranker.load(folder, threads=n).score(toy_pairs)["score"] for n in (1, 3))
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_threads_are_counted(toy_trained, threads):
    with pytest.raises(DataError, match="`threads` must be a whole number from 1. Received: "):
        Ranker.load(toy_trained[0].folder, threads=threads)


def test_what_fails_in_a_thread_is_raised():
    from ir_attention.threads import over_threads

    for threads in (1, 2):
        with pytest.raises(ZeroDivisionError):
            over_threads(lambda part: 1 / part and None, [1, 0, 1], threads)
