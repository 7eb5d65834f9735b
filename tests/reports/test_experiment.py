"""The page of an experiment, from plain values."""

import xml.etree.ElementTree as ElementTree

import pytest

from ir_attention.reports.experiment import curves_picture, experiment_page

LOOK = {
    "score": 0.5,
    "query_words": ["fire"],
    "document_words": ["<b>Fire</b>", "at", "last"],
    "query_weights": [1.0],
    "word_weights": [0.25, 0.75, 1.0],
    "sentence_weights": [0.64, 0.36],
    "sentence_of_word": [0, 0, 1],
}
CURVES = {"han": [0.5, 0.7, 0.6], "han-bi": [0.4, 0.5]}


@pytest.fixture
def page():
    return experiment_page(
        "Fire & tweets",
        lead="What <it> is.",
        table=[
            {"model": "bm25", "MAP": (0.5, 0.4, 0.6), "MRR": (0.75, 0.7, 0.8)},
            {"model": "han", "MAP": (0.625, 0.55, 0.7), "MRR": (0.7, 0.65, 0.75)},
        ],
        note="Means & intervals.",
        curves=CURVES,
        measure="MAP",
        ranking="A ranking",
        query="Fire <script>",
        ranked=[{"score": 0.5, "label": 1, "explanation": LOOK}],
    )


def test_the_table_has_each_value_with_its_interval_and_the_best_in_bold(page):
    assert "<b>0.625</b><br><small>0.550 to 0.700</small>" in page
    assert "<td>0.700<br><small>0.650 to 0.750</small>" in page
    assert page.count("<td><b>") == 2


def test_words_are_shaded_and_shown_as_text(page):
    # 0.25, 0.75 and 1 times the roots .8, .8, .6 of the sentences: .2, .6, .6; few words stand out.
    assert 'style="--s:0.20" title="0.2000">&lt;b&gt;Fire&lt;/b&gt;<' in page
    assert 'style="--s:0.60" title="0.6000">last<' in page
    assert "Fire &lt;script&gt;" in page and "What &lt;it&gt; is." in page
    assert '<span class="hit">about it</span>' in page


def test_words_are_shaded_by_effect_where_it_tells_more():
    look = LOOK | {"document_effects": [0.5, -2.0, 0.01], "shading": "effects"}
    words = dict.fromkeys(("lead", "note", "measure", "ranking", "query"), "")
    table = [{"model": "han", "MAP": (0.5, 0.4, 0.6)}]

    def page(*looks):
        ranked = [{"score": -0.5, "label": 1, "explanation": look} for look in looks]
        return experiment_page("T", table=table, curves={}, ranked=ranked, **words)

    both = page(look, look | {"document_effects": [4.0, 0.0, 0.0]})
    # On one scale: the largest of both is 4.
    assert '<span class="w" style="--s:0.12" title="+0.5000">&lt;b&gt;Fire&lt;/b&gt;<' in both
    assert '<span class="w against" style="--s:0.50" title="−2.0000">at<' in both
    assert '<span class="w" style="--s:1.00" title="+4.0000">' in both
    assert "against −4.00" in both and "for +4.00" in both and "without it: blue" in both
    assert '<span class="n">−0.50</span>' in both
    # Where one has none, attention shades all.
    mixed = page(look, LOOK)
    assert "the model looked at it" in mixed.replace("\n", " ") and "against" not in mixed[2500:]
    assert 'style="--s:0.20" title="0.2000"' in mixed


def test_the_page_needs_nothing_beside_itself(page):
    assert "<script" not in page and "http-equiv" in page
    for outside in ("src=", "url(http", "@import", "<link"):
        assert outside not in page


def test_curves_are_a_picture_with_a_line_a_name_and_a_best_epoch_each():
    picture = curves_picture(CURVES, "MAP")
    root = ElementTree.fromstring(picture)
    texts = {element.text.strip() for element in root.iter() if element.tag.endswith("text")}
    assert {"han", "han-bi", "epoch", "MAP on dev", "1", "2", "3"} <= texts
    assert picture == curves_picture(CURVES, "MAP")


def test_without_curves_there_is_no_such_part():
    cells = {"model": "han", "MAP": (0.5, 0.4, 0.6)}
    words = dict.fromkeys(("lead", "note", "measure", "ranking", "query"), "")
    page = experiment_page("Title", table=[cells], curves={}, ranked=[], **words)
    assert "How they learnt" not in page and "<svg" not in page
