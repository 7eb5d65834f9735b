"""What a `han-bi` remembers of documents: by content, as many as it may, the latest ones."""

import copy
import threading

import numpy as np
import pandas as pd
import pytest

from ir_attention.errors import DataError
from ir_attention.ranking.encoder import VectorCache
from ir_attention.ranking.ranker import Ranker
from ir_attention.scoring.bi_encoder import BiEncoderScorer

TWEETS = ["Zyxxquorn? never heard", "a #comet over Perth!! Look up. Now", "", "comet", "comet"]


@pytest.fixture
def encoded(monkeypatch):
    """The texts that were encoded, one after the other."""
    texts = []
    encode = BiEncoderScorer.encode

    def counted(self, queries, documents):
        texts.extend(documents)
        return encode(self, queries, documents)

    monkeypatch.setattr(BiEncoderScorer, "encode", counted)
    return texts


def test_no_document_is_encoded_twice(toy_bi, encoded):
    ranker = Ranker.load(toy_bi.folder)
    first = ranker.rank("comet in Perth", TWEETS)
    assert encoded == TWEETS[:4]
    ranker.rank("lunch", TWEETS[::-1])
    ranker.encode(TWEETS)
    ranker.score(pd.DataFrame({"text_left": "comet", "text_right": [*TWEETS, "one more"]}))
    assert encoded == [*TWEETS[:4], "one more"]
    pd.testing.assert_frame_equal(ranker.rank("comet in Perth", TWEETS), first)


def test_what_is_remembered_is_what_is_encoded(toy_bi):
    fresh, ranker = Ranker.load(toy_bi.folder, vectors=0), Ranker.load(toy_bi.folder)
    ranker.encode(TWEETS[1:3])
    np.testing.assert_allclose(ranker.encode(TWEETS), fresh.encode(TWEETS), atol=1e-6)
    np.testing.assert_array_equal(ranker.encode(TWEETS), ranker.encode(TWEETS))


def test_nothing_is_remembered_without_room(toy_bi, encoded):
    ranker = Ranker.load(toy_bi.folder, vectors=0)
    ranker.encode(["comet"])
    ranker.encode(["comet"])
    assert encoded == ["comet"] * 2


def test_the_one_not_asked_for_longest_goes_first(toy_bi, encoded):
    ranker = Ranker.load(toy_bi.folder, vectors=3)
    for text in ("a", "b", "c", "a", "d"):  # d takes the place of b
        ranker.encode([text])
    ranker.encode(["a", "c", "d"])
    assert encoded == ["a", "b", "c", "d"]
    ranker.encode(["b"])
    assert encoded[4:] == ["b"]


def test_a_request_larger_than_the_room(toy_bi, encoded):
    ranker = Ranker.load(toy_bi.folder, vectors=2)
    expected = Ranker.load(toy_bi.folder, vectors=0).encode(TWEETS)
    encoded.clear()
    for _ in range(2):
        np.testing.assert_allclose(ranker.encode(TWEETS), expected, atol=1e-6)
    assert encoded == [*TWEETS[:4], *TWEETS[:2]]  # the last two were known


@pytest.mark.parametrize("capacity", [1, 2, 5, 64])
def test_against_a_plain_list(capacity):
    """Vectors come back as they were put, in any order of asking."""
    rng, cache, latest = np.random.default_rng(capacity), VectorCache(capacity, 3), []
    for _ in range(200):
        asked = [bytes([n]) for n in rng.permutation(9)[: rng.integers(1, 6)]]
        known, vectors = cache.get(asked)
        assert known.tolist() == [key in latest for key in asked]
        assert vectors[:, 0].tolist() == [key[0] for key in asked if key in latest]
        new = [key for key in asked if key not in latest]
        cache.put(new, np.array([[key[0]] * 3 for key in new], np.float32).reshape(-1, 3))
        latest = [key for key in latest if key not in asked]
        latest += [key for key, here in zip(asked, known, strict=True) if here]
        latest = [*latest, *new][-capacity:]
        assert len(cache) == len(latest)


def test_several_threads_may_ask(toy_bi):
    ranker, texts = Ranker.load(toy_bi.folder, vectors=7), [f"comet {n}" for n in range(20)]
    expected = Ranker.load(toy_bi.folder, vectors=0).encode(texts)
    wrong = []

    def ask(seed):
        rng = np.random.default_rng(seed)
        for _ in range(20):
            places = rng.permutation(20)[:5]
            found = ranker.encode([texts[place] for place in places])
            if np.abs(found - expected[places]).max() > 1e-5:
                wrong.append(seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("vectors", [-1, 1.5, True, None])
def test_room_is_counted(toy_bi, vectors):
    with pytest.raises(DataError, match="`vectors` must be a whole number from 0. Received: "):
        Ranker.load(toy_bi.folder, vectors=vectors)


@pytest.mark.parametrize("bundle", ["toy_bi", "toy_han"])
def test_a_ranker_can_be_copied(bundle, request):
    trained = request.getfixturevalue(bundle)
    ranker = Ranker.load(getattr(trained, "folder", trained))
    expected = ranker.rank("comet in Perth", TWEETS)
    again = copy.deepcopy(ranker)
    pd.testing.assert_frame_equal(again.rank("comet in Perth", TWEETS), expected)


@pytest.fixture
def toy_han(toy_trained):
    return toy_trained[0].folder


def test_a_query_is_encoded_once(toy_bi, monkeypatch):
    asked, encode = [], BiEncoderScorer.encode

    def counted(self, queries, documents):
        asked.append(list(queries))
        return encode(self, queries, documents)

    monkeypatch.setattr(BiEncoderScorer, "encode", counted)
    Ranker.load(toy_bi.folder).rank("comet in Perth", TWEETS)
    assert asked == [["comet in Perth"]]
