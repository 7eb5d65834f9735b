"""The attention page and picture, from plain values."""

import html
import re
import struct
from html.parser import HTMLParser

import numpy as np
import pytest

from ir_attention.errors import DataError
from ir_attention.reports.heatmaps import attention_page, attention_picture, word_shares


def explained(query, *sentences, seed=0):
    """An explanation with random shares: each part sums to 1 where it should."""
    rng = np.random.default_rng(seed)
    words = [word for sentence in sentences for word in sentence]
    place = [number for number, sentence in enumerate(sentences) for _ in sentence]

    def shares(*shape):
        return rng.dirichlet(np.full(shape[-1], 0.5), shape[:-1]).tolist()

    return {
        "score": 1.25,
        "query_words": list(query),
        "document_words": words,
        "query_weights": shares(len(query)) if query else [],
        "word_weights": [share for s in sentences for share in shares(len(s))],
        "sentence_weights": shares(len(sentences)) if sentences else [],
        "sentence_of_word": place,
        "alignment": shares(len(query), len(words)) if words else [[] for _ in query],
        "document_over_query": shares(len(words), len(query)) if query else [[] for _ in words],
    }


@pytest.fixture
def example():
    return explained(["Ivy", "League"], ["The", "Ivy", "rests"], ["So", "sad"])


class Page(HTMLParser):
    """Words with their shades, tables with their titles, and every tag."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.titles, self._shade = [], [], [], None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self._shade = values.get("style") if values.get("class") == "w" else None
        if tag == "td" and "title" in values:
            self.titles.append(values["title"])

    def handle_data(self, data):
        if self._shade is not None:
            self.words.append((data, float(self._shade.removeprefix("--s:"))))
            self._shade = None


def test_word_shares_are_weights_times_the_root_of_the_sentence():
    example = explained(["q"], ["a", "b"], ["c"])
    example |= {"word_weights": [0.75, 0.25, 1.0], "sentence_weights": [0.36, 0.64]}
    assert word_shares(example) == pytest.approx([0.45, 0.15, 0.8])


def test_page_shades_every_word_and_the_darkest_is_the_largest(example):
    page = Page(attention_page(example))
    assert [word for word, _ in page.words] == ["Ivy", "League", *example["document_words"]]
    for part, weights in (
        (page.words[:2], example["query_weights"]),
        (page.words[2:], word_shares(example)),
    ):
        shades = [shade for _, shade in part]
        assert np.argmax(shades) == np.argmax(weights)
        assert 0 <= min(shades) and max(shades) <= 1


def test_page_has_every_number_of_both_tables_as_a_title(example):
    titles = Page(attention_page(example)).titles
    rows, columns = np.shape(example["alignment"])
    assert len(titles) == 2 * rows * columns
    assert f"Ivy / rests: {example['alignment'][0][2]:.4f}" in titles
    assert f"League / sad: {example['document_over_query'][4][1]:.4f}" in titles


def test_page_has_a_bar_per_sentence(example):
    widths = re.findall(r'<span style="width:([\d.]+)%">', attention_page(example))
    assert [float(width) for width in widths] == pytest.approx(
        [100 * weight for weight in example["sentence_weights"]], abs=0.06
    )


def test_nothing_stands_out_where_all_are_equal():
    example = explained(["a", "b"], ["c", "d", "e", "f"])
    example["alignment"] = np.full((2, 4), 0.25).tolist()
    shades = re.findall(r'<td style="--s:([\d.]+)"', attention_page(example))
    assert set(shades[:8]) == {"0.33"}


def test_markup_in_a_text_is_inert():
    evil = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{style}", "&amp;", "'"]
    page = attention_page(explained(evil, evil))
    tags = set(Page(page).tags)
    assert not tags & {"script", "img", "link", "iframe"}
    assert [word for word, _ in Page(page).words] == 2 * evil
    assert html.escape(evil[0]) in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?http", page)  # needs nothing beside itself


@pytest.mark.parametrize(
    "empty",
    [explained([]), explained(["a"]), explained([], ["b"])],
    ids=["both", "document", "query"],
)
def test_page_without_words(empty):
    assert "no words" in attention_page(empty)


def size(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def test_picture_grows_with_words_and_wraps(example):
    width, height = size(attention_picture(example))
    line = explained(["Ivy", "League"], ["word"] * 40)
    wide, high = size(attention_picture(line))
    assert wide > width
    longer = explained(["Ivy", "League"], ["word"] * 30, ["word"] * 30)
    same, higher = size(attention_picture(longer))
    assert same == pytest.approx(wide, rel=0.05)
    assert higher > 1.5 * high


def test_picture_takes_any_character_quietly(capfd):
    words = ["$5", "to", "$10", "火", "🚀", "مرحبا", "a_b^c", "\\frac", "x" * 500, "\x07"]
    attention_picture(explained(words, words))
    assert capfd.readouterr() == ("", "")


def test_picture_leaves_the_global_state_alone(example):
    import matplotlib

    before = dict(matplotlib.rcParams)
    first = attention_picture(example)
    assert dict(matplotlib.rcParams) == before
    assert attention_picture(example) == first


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (explained(["a"]), "a word on both sides"),
        (explained(["a"], ["b"] * 1001), "1 by 1001 words"),
        ({"score": 1.0}, "Missing: query_words"),
        (explained(["a"], ["b"]) | {"alignment": [[0.5, 0.5]]}, r"alignment must have .* \(1, 2\)"),
        (explained(["a"], ["b"]) | {"sentence_of_word": [3]}, "numbers from 0 below 1"),
    ],
)
def test_what_cannot_be_drawn_is_said(bad, message):
    with pytest.raises(DataError, match=message):
        attention_picture(bad)
