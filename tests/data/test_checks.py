"""check_pairs: each oddity is found, counted and shown, and a clean set gives no line."""

import pandas as pd

from ir_attention.data.checks import check_pairs


def pairs_of(rows):
    """Rows of query text, document text and label; ids by text as MatchZoo makes them."""
    pairs = pd.DataFrame(rows, columns=["text_left", "text_right", "label"])
    for side in ("left", "right"):
        codes = pd.factorize(pairs[f"text_{side}"])[0]
        pairs[f"id_{side}"] = [f"{side[0].upper()}-{code}" for code in codes]
    return pairs


CLEAN = [("a", "x", 0), ("a", "y", 1), ("b", "x", 1), ("b", "z", 0)]


def test_nothing_odd():
    report = check_pairs(pairs_of(CLEAN), pairs_of([("c", "u", 0), ("c", "v", 2)]))
    assert not report
    assert report.lines() == []
    assert str(report) == "nothing odd"


def test_queries_that_no_measure_can_use():
    rows = [*CLEAN, ("n", "x", 0), ("n", "y", 0), ("m", "z", 0), ("p", "x", 1), ("p", "z", 2)]
    assert check_pairs(pairs_of(rows)).lines() == [
        "train: 2 of 5 queries have no relevant document, for example L-2 'n'",
        "train: 1 of 5 queries have relevant documents only, for example L-4 'p'",
    ]


def test_one_class():
    assert check_pairs(pairs_of([("a", "x", 1), ("b", "y", 1)])).lines() == [
        "train: 2 of 2 pairs have the same label, 1, for example L-0 with R-0"
    ]


def test_pairs_again():
    rows = [*CLEAN, ("a", "y", 1), ("a", "y", 0), ("b", "z", 0), ("a", "y", 0)]
    report = check_pairs(pairs_of(rows))
    assert report.lines() == [
        "train: 3 of 8 pairs are there before with the same texts, for example L-0 with R-1",
        "train: 1 of 8 pairs are there before with the same texts and another label, "
        "for example L-0 with R-1",
    ]
    assert [(finding.count, finding.total) for finding in report.findings] == [(3, 8), (1, 8)]


def test_empty_texts():
    rows = [*CLEAN, ("c", " ", 0), ("c", "u", 1), ("", "v", 0), ("", "w", 1)]
    assert check_pairs(pairs_of(rows)).lines() == [
        "train: 1 of 4 queries have no text, for example L-3",
        "train: 1 of 7 documents have no text, for example R-3",
    ]


def test_shared_texts():
    dev = pairs_of([("c", "x", 0), ("c", "v", 1)])
    test = pairs_of([("a", "u", 1), ("d", "w", 0), ("d", "z", 1), ("a", "t", 0)])
    assert check_pairs(pairs_of(CLEAN), dev, test=test).lines() == [
        "dev: 1 of 2 documents are in train too, for example 'x'",
        "test: 1 of 2 queries are in train too, for example 'a'",
        "test: 1 of 4 documents are in train too, for example 'z'",
    ]


def test_candidates_in_the_order_of_their_labels():
    labels = [2, 1, 1, 0]
    rows = [
        (f"q{query}", f"d{query}-{place}", label)
        for query in range(10)
        for place, label in enumerate(labels)
    ]
    line = (
        "train: 10 of 10 queries with several labels list the relevant documents first: shuffle "
        "candidates, for example L-0"
    )
    assert check_pairs(pairs_of(rows)).lines() == [line]
    # The rows of a query need not stand together.
    mixed = sorted(rows, key=lambda row: -row[2])
    assert check_pairs(pairs_of(mixed)).lines() == [line]
    # Some are so by chance.
    rows[0], rows[3], rows[4], rows[7] = rows[3], rows[0], rows[7], rows[4]
    assert not check_pairs(pairs_of(rows))
    assert not check_pairs(pairs_of(rows[8:24]))


def test_without_labels():
    assert not check_pairs(pairs_of(CLEAN).drop(columns="label"))
    again = pairs_of([*CLEAN, ("a", "x", 1)]).drop(columns="label")
    assert check_pairs(again).lines() == [
        "train: 1 of 5 pairs are there before with the same texts, for example L-0 with R-0"
    ]
