"""The picture of explained documents, from plain values."""

import struct
import zlib

import numpy as np
import pytest
from explanations import HOSTILE, explained, of_class, whole
from page_reader import palettes

from ir_attention.errors import DataError
from ir_attention.reports.heatmaps import attention_picture
from ir_attention.reports.shading import STYLE


@pytest.fixture
def example():
    return explained(["Ivy", "League"], ["The", "Ivy", "rests"], ["So", "sad"])


def without_tables(values):
    return {k: v for k, v in values.items() if k not in ("alignment", "document_over_query")}


def size(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def colours(png):
    """How many pixels there are of each colour."""
    from io import BytesIO

    from matplotlib.image import imread

    pixels = (imread(BytesIO(png))[..., :3] * 255).round().astype(int).reshape(-1, 3)
    found, counts = np.unique(pixels, axis=0, return_counts=True)
    return {tuple(colour): int(count) for colour, count in zip(found.tolist(), counts, strict=True)}


def test_picture_grows_with_words_and_wraps(example):
    width, height = size(attention_picture(example))
    line = explained(["Ivy", "League"], ["word"] * 40)
    wide, high = size(attention_picture(line))
    assert wide > width
    longer = explained(["Ivy", "League"], ["word"] * 30, ["word"] * 30)
    same, higher = size(attention_picture(longer))
    assert same == pytest.approx(wide, rel=0.05)
    assert higher > 1.5 * high


def test_a_model_whose_sides_do_not_meet_has_a_picture_of_its_words(example):
    apart = attention_picture(without_tables(example))
    assert size(apart)[1] < size(attention_picture(example))[1]
    # A block per sentence: one more makes it a line higher.
    more = without_tables(explained(["Ivy"], ["The", "Ivy"], ["rests"], ["So", "sad"]))
    assert size(attention_picture(more))[1] > size(apart)[1]


def test_words_have_the_colours_of_the_page():
    light = palettes(STYLE)["light"]
    tone, against = (tuple(light[name].astype(int).tolist()) for name in ("tone", "against"))
    values = without_tables(explained(["a"], ["strong", "weak"]))
    values |= {"word_weights": [1.0, 0.0], "query_weights": [0.0]}
    assert colours(attention_picture(values))[tone] > 500
    values |= {"query_effects": [0.0], "document_effects": [0.0, -1.0], "shading": "effects"}
    found = colours(attention_picture(values))
    assert found[against] > 500 and tone not in found


def test_several_documents_stand_below_each_other(example):
    one, two = size(attention_picture(example)), size(attention_picture([example, example]))
    assert two[0] == pytest.approx(one[0], rel=0.05)
    assert two[1] > 1.9 * one[1]


@pytest.fixture
def written(monkeypatch):
    """Lines of the picture by their depth, as they were put on it, pieces with bars between."""
    from matplotlib.figure import Figure

    texts, text = [], Figure.text

    def note(figure, x, y, s, **how):
        texts.append(text(figure, x, y, s, **how))
        return texts[-1]

    monkeypatch.setattr(Figure, "text", note)

    def lines():
        found = {}
        for one in texts:
            found.setdefault(round(one.get_position()[1], 3), []).append(one.get_text())
        return ["|".join(parts) for parts in found.values()]

    return lines


def test_what_stands_around_words_is_drawn_with_them(written):
    attention_picture(whole('"Is the Ivy out?"', '"No basketball!" (The Ivy rests.)'))
    lines = written()
    assert lines[2] == 'query|"|Is|the|Ivy|out|?"'
    assert [line.split("|", 1)[1] for line in lines[3:5]] == [
        '"|No|basketball|!"',
        "(|The|Ivy|rests|.)",
    ]


def test_the_picture_says_the_label_the_scale_and_the_score_as_the_page_does(written):
    values = whole("Ivy", "So sad.", query_effects=[0.5], document_effects=[0.25, -1.5])
    attention_picture([values | {"shading": "effects", "score": -1.25}, values], [1, 0.5])
    lines = written()
    assert lines[0] == "label 1, score −1.250"
    assert lines[1] == (
        "shaded by the effect of each word on the score, orange against the match, full at 1.50; "
        "before each sentence its weight"
    )
    assert "label 0.5, score 1.250" in lines
    assert "shaded by attention; before each sentence its weight" in lines


def test_a_class_has_a_picture_without_a_query(written):
    attention_picture(of_class("I laughed. Twice!", good=0.75), ["bad"])
    lines = written()
    assert lines[0] == "class good, probability 0.750"
    assert lines[2:5] == [
        "The label that is known: bad, not what was predicted.",
        "Confidence 0.50.",
        "Probabilities: good 0.750, bad 0.250.",
    ]
    assert [line.split("|", 1)[1] for line in lines[5:]] == ["I|laughed|.", "Twice|!"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_picture_takes_any_text_quietly(text, capfd):
    attention_picture(whole("Ivy $5 to $10 " + text, "word " + text))
    assert capfd.readouterr() == ("", "")


def test_picture_takes_any_character_quietly(capfd):
    words = ["$5", "to", "$10", "火", "🚀", "مرحبا", "a_b^c", "\\frac", "x" * 500, "\x07", "a\nb"]
    attention_picture(explained(words, words))
    assert capfd.readouterr() == ("", "")


def test_picture_leaves_the_global_state_alone_and_comes_out_the_same(example):
    import matplotlib

    before = dict(matplotlib.rcParams)
    first = attention_picture(example)
    assert dict(matplotlib.rcParams) == before
    assert attention_picture(example) == first
    names, at = [], 8
    while at < len(first):
        (length,), name = struct.unpack(">I", first[at : at + 4]), first[at + 4 : at + 8]
        assert (
            zlib.crc32(first[at + 4 : at + 8 + length])
            == struct.unpack(">I", first[at + 8 + length : at + 12 + length])[0]
        )
        names.append(name)
        at += 12 + length
    assert not {b"tEXt", b"tIME"} & set(names)  # neither version nor time


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (explained(["a"]), "a word on both sides"),
        (of_class("..."), "a word on both sides"),
        (explained(["a"], ["b"] * 1001), "1 by 1001 words"),
        (without_tables(explained(["a"] * 1001, ["b"])), "1001 by 1 words"),
        ([explained(["a"], ["b"] * 600)] * 2, "1200 words together"),
        ({"score": 1.0}, "Missing: query_words"),
        (explained(["a"], ["b"]) | {"alignment": [[0.5, 0.5]]}, r"alignment must have .* \(1, 1\)"),
        (explained(["a"], ["b"]) | {"sentence_of_word": [3]}, "numbers from 0 below 1"),
    ],
)
def test_what_cannot_be_drawn_is_said(bad, message):
    with pytest.raises(DataError, match=message):
        attention_picture(bad)
