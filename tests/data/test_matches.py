"""Match features: hand-worked, and against a slow oracle in plain Python."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.data.matches import (
    OVERALL_FEATURES,
    WORD_FEATURES,
    Sides,
    lexicon,
    match,
    spread,
)
from ir_attention.text import STOP_WORDS, normal, stem

IDF = {"cat": 0.5, "run": 0.25, "the": 0.1}


def lexicon_of(forms):
    stems = stem(forms)
    idf = np.array([IDF.get(one, 1.0) for one in stems], np.float32)
    return lexicon(forms, stems, idf, STOP_WORDS)


class Found(NamedTuple):
    """The features of a query and its documents, a word of theirs after the other."""

    document: np.ndarray  # (words of all documents, 8)
    query: np.ndarray  # (documents, words of the query, 8)
    overall: np.ndarray  # (documents, 14)


def found_in(groups):
    """The features of queries and their documents, lists of words, matched at once."""
    numbers = {}

    def numbered(texts):
        forms = [normal(word) for words in texts for word in words]
        return np.array([numbers.setdefault(one, len(numbers)) for one in forms], np.int64)

    queries, documents = [query for query, _ in groups], [one for _, docs in groups for one in docs]
    owner = np.repeat(np.arange(len(groups)), [len(docs) for _, docs in groups])
    sides = Sides(
        numbered(queries),
        np.array([len(query) for query in queries], np.int64),
        numbered(documents),
        np.array([len(document) for document in documents], np.int64),
        owner,
    )
    found = match(lexicon_of(list(numbers)), sides)
    np.testing.assert_array_equal(found.rows[found.place], sides.document)
    np.testing.assert_array_equal(
        found.row_query[found.place], np.repeat(owner, [len(one) for one in documents])
    )
    parts, word, cell = [], 0, 0
    for number, (query, docs) in enumerate(groups):
        words, cells = sum(map(len, docs)), len(query) * len(docs)
        of_query = found.query[cell : cell + cells].reshape(len(docs), len(query), 8)
        of_document = found.document[found.place[word : word + words]]
        parts.append(Found(of_document, of_query, found.overall[owner == number]))
        word, cell = word + words, cell + cells
    assert (word, cell) == (len(sides.document), len(found.query))
    return parts


def matches(query, documents):
    return found_in([(query, documents)])[0]


# --- hand-worked


def test_a_small_pair_by_hand():
    found = matches("the cats running".split(), ["the cat ran runs".split()])
    # ^cats$ has cat, ats among its four trigrams, ^cat$ has ^ca cat at$: ^ca and cat are shared.
    cat = 2 * 2 / (4 + 3)
    # ^running$ has 7, ^runs$ 4: ^ru, run; ^ran$ has 3, and shares none.
    run = 2 * 2 / (7 + 4)
    # The stems are the, cat, run; the, cat, ran, run. No letters are compared with `the`.
    expected = [
        # same, stem, idf, stem x idf, letters with cats and running, letters x idf, found, x idf
        [1, 1, 0.1, 0.1, 0, 0, 1, 0.1],
        [0, 1, 0.5, 0.5, cat, cat * 0.5, 1, 0.5],
        [0, 0, 1, 0, 0, 0, 0, 0],
        [0, 1, 0.25, 0.25, run, run * 0.25, 1, 0.25],
    ]
    np.testing.assert_allclose(found.document, expected, atol=1e-6)
    expected = [
        [1, 1, 0.1, 0.1, 0, 0, 1, 0.1],
        [0, 1, 0.5, 0.5, cat, cat * 0.5, 1, 0.5],
        [0, 1, 0.25, 0.25, run, run * 0.25, 1, 0.25],
    ]
    np.testing.assert_allclose(found.query, [expected], atol=1e-6)
    overall = [
        3 / 3,  # the, cat, run are all found
        1,
        2 / 2,  # cat, run
        1,
        (cat + run) / 2,
        (cat * 0.5 + run * 0.25) / 0.75,
        2 / 2,
        1,
        3 / 4,  # the, cat, runs
        math.log(5) / 4,
        math.log(4) / 4,
        math.log(2) / 4,  # the, a function word, is before the first
        0,  # no numbers
        0,
    ]
    np.testing.assert_allclose(found.overall, [overall], atol=1e-6)


def test_places_and_numbers_by_hand():
    query = "the 7 cats of 2020".split()
    found = matches(query, ["so the 3 cat 7".split(), "of the 2020".split(), ["dog"]])
    # Content words found first: cat behind three words, 2020 behind two, none behind all.
    first = [math.log(1 + before) / 4 for before in (3, 2, 1)]
    np.testing.assert_allclose(found.overall[:, 11], first, atol=1e-6)
    np.testing.assert_allclose(found.overall[:, 12], [1 / 2, 1 / 2, 0], atol=1e-6)
    np.testing.assert_array_equal(found.overall[:, 13], [1, 0, 0])  # the 3


def test_what_is_not_found_by_hand():
    found = matches("cat zebra".split(), ["cat cat dog".split()])
    # zebra is as rare as can be: weight 1 against the cat's one half.
    expected = [*[1 / 2, 0.5 / 1.5] * 4, 2 / 3]
    np.testing.assert_allclose(found.overall[0, :9], expected, atol=1e-6)


def test_a_word_within_another_by_hand():
    """Hashtags and names grown together; words of four letters and more."""
    found = matches(
        "harbour bus over".split(), [["#SaveHarbourBridge", "busy", "overall"], ["our"]]
    )
    # over is a function word, bus too short, our is part of harbour but too short as well.
    np.testing.assert_array_equal(found.query[:, :, 6], [[1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(found.document[:, 6], [1, 0, 0, 0])
    np.testing.assert_array_equal(found.query[:, :, 1], 0)
    assert found.overall[0, 6] == 1 / 2  # of harbour and bus
    found = matches(["@NorvikFireService"], [["norvik", "vik", "fired", "service"]])
    # vik is too short, and fired is not in it, though fire is.
    np.testing.assert_array_equal(found.document[:, 6], [1, 0, 0, 1])


def test_letters_in_another_order_are_no_part():
    assert matches(["tablet"], [["lettab"]]).document[0, 6] == 0


def test_names():
    found = matches(["cat"], [["dog"]])
    assert found.document.shape == (1, len(WORD_FEATURES))
    assert found.query.shape == (1, 1, len(WORD_FEATURES))
    assert found.overall.shape == (1, len(OVERALL_FEATURES))
    assert {part.dtype for part in found} == {np.dtype("float32")}


# --- edges


WORDS = ["zyxq", "a", "x", "I", "👍", "👍🏽", "猫", "#tag", "@name", "1,000", "é", "U.S.", "\ud800"]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_matches_itself(word):
    """Never seen, short, or in any script."""
    same, other = matches([word], [["nothing", word], ["nothing"]]).query[:, 0]
    content = float(normal(word) not in STOP_WORDS)
    np.testing.assert_array_equal(same, [1, 1, 1, 1, content, content, 1, 1])
    np.testing.assert_array_equal(other[[0, 1, 3, 6]], 0)


def test_empty_sides():
    found = matches([], [["cat"], []])
    assert found.query.shape == (2, 0, 8)
    np.testing.assert_array_equal(found.document, [[0, 0, 0.5, 0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(found.overall[:, :9], 0)
    found = matches(["cat"], [[], ["cat"], []])
    np.testing.assert_array_equal(found.query[[0, 2], 0], [[0, 0, 0.5, 0, 0, 0, 0, 0]] * 2)
    np.testing.assert_array_equal(found.overall[[0, 2], :10], 0)
    assert found.overall[1, 0] == 1
    assert matches(["cat"], []).overall.shape == (0, 14)
    assert matches([], []).document.shape == (0, 8)


def test_a_query_of_stop_words_only():
    found = matches("the of".split(), ["the cat".split()])
    np.testing.assert_allclose(found.overall[0, :2], [1 / 2, 0.1 / 1.1], atol=1e-6)
    np.testing.assert_array_equal(found.overall[0, 2:8], 0)
    np.testing.assert_array_equal(found.document[:, 4:6], 0)
    np.testing.assert_array_equal(found.document[:, 6], found.document[:, 1])


def test_empty_words_of_a_tokenizer():
    """`text.split(" ")` gives some."""
    found = matches(["", "cat"], [["cat", ""], [""]])
    assert all(np.isfinite(part).all() for part in found)
    np.testing.assert_array_equal(found.query[:, 0, :2], 1)


def test_documents_do_not_know_each_other():
    query, documents = "cats run the".split(), [["cat"], ["running", "the"], [], ["dog", "cat"]]
    together, at = matches(query, documents), 0
    for number, document in enumerate(documents):
        alone = matches(query, [document])
        np.testing.assert_array_equal(alone.query[0], together.query[number])
        np.testing.assert_array_equal(alone.overall[0], together.overall[number])
        np.testing.assert_array_equal(alone.document, together.document[at : at + len(document)])
        at += len(document)


def test_spread():
    given = spread(np.array([3, 0, 7]), np.array([2, 0, 3]))
    np.testing.assert_array_equal(given, [3, 4, 7, 8, 9])


# --- the oracle


def trigrams(word):
    marked = f"^{word}$"
    return {marked[at : at + 3] for at in range(len(word))}


def dice(one, other):
    return 2 * len(trigrams(one) & trigrams(other)) / (len(trigrams(one)) + len(trigrams(other)))


def within(one, other):
    """Whether one content word stands within the other, by its inner trigrams; of four letters."""
    if {one, other} & STOP_WORDS:
        return False
    inner = [{w[at : at + 3] for at in range(len(w) - 2)} for w in (one, other)]
    shorter = min(inner, key=len)
    return len(shorter) >= 2 and inner[0] & inner[1] == shorter


def side_by_hand(words, others):
    """The eight features of each word against the other side, one after the other."""
    rows = []
    for word in words:
        (own,), theirs = stem([word]), stem(others)
        rare, content = IDF.get(own, 1.0), [one for one in others if one not in STOP_WORDS]
        letters = max((dice(word, one) for one in content), default=0)
        found = own in theirs or any(within(word, one) for one in others)
        rows.append(
            [word in others, own in theirs, rare, (own in theirs) * rare, letters, letters * rare]
            + [found, found * rare]
        )
    return np.array(rows, float).reshape(-1, 8)


def mean(values, weights):
    return sum(v * w for v, w in zip(values, weights, strict=True)) / (sum(weights) or 1)


def overall_by_hand(query, document):
    side = side_by_hand(query, document)
    rare, found, letters, parts = side[:, 2], side[:, 1], side[:, 4], side[:, 6]
    content = np.array([word not in STOP_WORDS for word in query], float)
    inside = side_by_hand(document, query)[:, 1]
    return [
        mean(found, np.ones(len(query))),
        mean(found, rare),
        mean(found, content),
        mean(found, content * rare),
        mean(letters, content),
        mean(letters, content * rare),
        mean(parts, content),
        mean(parts, content * rare),
        inside.mean() if len(document) else 0,
        math.log(1 + len(document)) / 4,
        math.log(1 + len(query)) / 4,
        math.log(1 + first_by_hand(document, inside)) / 4,
        mean(found, digits(query)),
        float(any(digits(document) * (inside == 0))),
    ]


def first_by_hand(document, inside):
    for place, (word, hit) in enumerate(zip(document, inside, strict=True)):
        if hit and word not in STOP_WORDS:
            return place
    return len(document)


def digits(words):
    return np.array([any("0" <= letter <= "9" for letter in word) for word in words], float)


word = st.one_of(
    st.sampled_from(
        "the of cat cats catty #wildcats wild run runs rerunning a i 猫 👍 zyx 7 x9".split()
    ),
    st.text("abcé", min_size=1, max_size=5),
)


group = st.tuples(st.lists(word, max_size=5), st.lists(st.lists(word, max_size=6), max_size=4))


@settings(max_examples=100, deadline=None)
@given(groups=st.lists(group, min_size=1, max_size=3))
def test_against_the_oracle(groups):
    for (query, documents), found in zip(groups, found_in(groups), strict=True):
        query = [normal(one) for one in query]
        documents = [[normal(one) for one in document] for document in documents]
        start = 0
        for number, document in enumerate(documents):
            rows = found.document[start : start + len(document)]
            np.testing.assert_allclose(rows, side_by_hand(document, query), atol=1e-6)
            of_query = side_by_hand(query, document)
            np.testing.assert_allclose(found.query[number], of_query, atol=1e-6)
            expected = overall_by_hand(query, document)
            np.testing.assert_allclose(found.overall[number], expected, atol=1e-6)
            start += len(document)
