"""The attention page and its parts, from plain values."""

import html
import re

import numpy as np
import pytest
from explanations import HOSTILE, curves, explained, of_class, verdict, whole
from page_reader import Page

from ir_attention.errors import DataError
from ir_attention.reports.heatmaps import attention_page, word_shares

QUERY = "Ivy League cancels winter sports"
DOCUMENT = 'It\'s "off", then. (So sad!) \n\nThe Ivy rests.'


@pytest.fixture
def example():
    return explained(["Ivy", "League"], ["The", "Ivy", "rests"], ["So", "sad"])


@pytest.fixture
def full():
    return whole(QUERY, DOCUMENT)


def test_word_shares_are_weights_times_the_root_of_the_sentence():
    example = explained(["q"], ["a", "b"], ["c"])
    example |= {"word_weights": [0.75, 0.25, 1.0], "sentence_weights": [0.36, 0.64]}
    assert word_shares(example) == pytest.approx([0.45, 0.15, 0.8])


@pytest.mark.parametrize("name", ["example", "full"])
def test_page_shades_every_word_and_the_darkest_is_the_largest(name, request):
    values = request.getfixturevalue(name)
    page = Page(attention_page(values))
    asked = len(values["query_words"])
    assert [word for word, _, _ in page.words] == values["query_words"] + values["document_words"]
    for part, shares in (
        (page.words[:asked], values["query_weights"]),
        (page.words[asked:], word_shares(values)),
    ):
        shades = [strengths["--a"] for _, strengths, _ in part]
        assert np.argmax(shades) == np.argmax(shares)
        assert 0 <= min(shades) and max(shades) <= 1
        for (_, _, title), share in zip(part, shares, strict=True):
            assert title.startswith(f"attention {share:.4f}")


def test_page_has_every_number_of_both_tables_as_a_title(example):
    titles = [t for t in Page(attention_page(example)).all("title") if " / " in t]
    rows, columns = np.shape(example["alignment"])
    assert len(titles) == 2 * rows * columns
    assert f"Ivy / rests: {example['alignment'][0][2]:.4f}" in titles
    assert f"League / sad: {example['document_over_query'][4][1]:.4f}" in titles


def test_a_block_per_sentence_with_words_has_its_weight_as_a_chip():
    values = explained(["q"], ["a", "b"], [], ["c"]) | {"sentence_weights": [0.25, 0.15, 0.6]}
    page = Page(attention_page(values))
    assert page.texts["chip"] == ["Sentence 1, weight 0.25", "Sentence 3, weight 0.60"]
    strengths = [v["style"] for _, v in page.elements if v.get("class") == "chip"]
    assert strengths == ["--s:0.25", "--s:0.60"]
    assert [text for text in page.texts["text"]] == ["q", "a b", "c"]


def test_what_stands_between_the_words_is_shown_with_the_sentence_it_belongs_to(full):
    assert Page(attention_page(full)).texts["text"] == [
        QUERY,
        'It\'s "off", then.',
        "(So sad!)",
        "The Ivy rests.",
    ]


def test_effects_shade_by_size_and_what_speaks_against_is_marked(full):
    full |= {"query_effects": [0.5, -0.004, -2.0, 0.0, 1.0]}
    full["document_effects"] = [-1.0, *[0.1] * 7]
    page = attention_page(full)
    words = Page(page).words
    assert [strengths["--e"] for _, strengths, _ in words[:6]] == [0.25, 0.0, 1.0, 0.0, 0.5, 0.5]
    against = re.findall(r'<span class="w against"[^>]*>([^<]*)</span>', page)
    assert [html.unescape(word) for word in against] == ["cancels", "It's"]
    assert words[2][2].endswith(", effect -2.0000")
    assert {"against −2.00", "for +2.00"} <= set(Page(page).texts["span"])


@pytest.mark.parametrize("first", ["attention", "effects"])
def test_the_switch_begins_with_what_is_more_faithful(full, first):
    page = Page(attention_page(full | {"shading": first}))
    radios = [values for tag, values in page.elements if tag == "input"]
    assert [one["id"] for one in radios if "checked" in one] == [first]
    assert {one["name"] for one in radios} == {"shade"}
    said = "Effects are shown first" in " ".join(page.texts["footer"])
    assert said == (first == "effects")


def test_without_effects_there_is_no_switch(example):
    page = Page(attention_page(example | {"shading": "effects"}))
    assert "input" not in page.tags
    assert all("--e" not in strengths for _, strengths, _ in page.words)


def test_each_word_carries_its_links_and_has_a_rule(example):
    page = attention_page(example)
    words = Page(page).words
    for place, row in enumerate(np.rint(1000 * np.array(example["alignment"])).T):
        carried = [words[2 + place][1].get(f"--q{asked}", 0) for asked in range(2)]
        assert carried == row.tolist()
    for place, row in enumerate(np.rint(1000 * np.array(example["document_over_query"])).T):
        assert [words[place][1].get(f"--d{read}", 0) for read in range(5)] == row.tolist()
    for state in ("hover", "focus"):
        assert page.count(f":{state}) .document .w{{--n:var(--q") == 2
        assert page.count(f":{state}) .query .w{{--n:var(--d") == 5
    ids = [one for one in Page(page).all("id") if re.fullmatch(r"x1[qd]\d+", one)]
    assert ids == ["x1q0", "x1q1", *(f"x1d{number}" for number in range(5))]


def test_long_texts_have_no_links_in_place_but_tables_and_longer_ones_lists():
    table = attention_page(explained(["a", "b"], ["word"] * 401))
    assert ":has(#x1" not in table and "tabindex" not in table.split("<details>")[0]
    assert "as tables" in table and "is too long" in table
    values = explained(["a"] * 30, [f"w{number}" for number in range(334)])
    page = attention_page(values)
    assert "as lists" in page and '<table class="grid"' not in page
    best = np.argsort(-np.array(values["alignment"][0]), kind="stable")[:5]
    wanted = ", ".join(f"w{at} {100 * values['alignment'][0][at]:.0f} %" for at in best)
    assert f"a: {wanted}" in Page(page).texts["li"]


def test_nothing_stands_out_where_all_are_equal():
    example = explained(["a", "b"], ["c", "d", "e", "f"])
    example["alignment"] = np.full((2, 4), 0.25).tolist()
    shades = re.findall(r'<td style="--s:([\d.]+)"', attention_page(example))
    assert set(shades[:8]) == {"0.33"}
    assert ".document .w{--n:var(--q0,0);--m:750}" in attention_page(example)


def test_every_number_is_in_a_table_too(full):
    page = attention_page(full)
    both = re.findall(r'<table class="numbers">.*?</table>', page, re.DOTALL)
    rows = [re.findall(r"<t[hd][^>]*>(?:<bdi>)?([^<]*)", row) for row in both[1].split("<tr>")[2:]]
    shares, place = word_shares(full), full["sentence_of_word"]
    for at, (word, sentence, weight, share, effect) in enumerate(rows):
        assert html.unescape(word) == full["document_words"][at]
        assert int(sentence) == place[at] + 1
        assert float(weight) == pytest.approx(full["word_weights"][at], abs=6e-4)
        assert float(share) == pytest.approx(shares[at], abs=6e-4)
        found = float(effect.replace("−", "-"))
        assert found == pytest.approx(full["document_effects"][at], abs=6e-4)
    assert len(rows) == len(shares)


def test_curves_are_drawn_and_said(full):
    page = attention_page(full | {"curves": curves()})
    texts = Page(page).texts
    assert {
        "Erasing the words in the order of attention loses 1.00 of the score, in the order of the "
        "effects 2.00; 100 random orders lose 0.50 on average, and 95 % of them −0.25 to 0.80.",
        "Of the random orders, 4 lose as much as attention and 0 lose as much as the effects, or "
        "more.",
    } <= set(texts["p"])
    assert "notice" not in texts
    lines = dict(re.findall(r'<polyline class="line (\w+)" points="([^"]*)"', page))
    assert list(lines) == ["random", "effects", "attention"]
    points = np.array([point.split(",") for point in lines["effects"].split()], float)
    steps = np.diff(points, axis=0)
    assert steps == pytest.approx(np.tile(steps[0], (10, 1)), abs=0.2)  # a straight line, upwards
    assert steps[0, 0] > 0 > steps[0, 1]
    # Twice as steep as the line of attention.
    other = np.array([point.split(",") for point in lines["attention"].split()], float)
    assert np.ptp(points[:, 1]) == pytest.approx(2 * np.ptp(other[:, 1]), abs=0.2)
    assert "attention: 0.50 at 25 %, 1.00 at 50 %, 1.50 at 75 %, 2.00 at 100 %" in texts["desc"][0]


def test_where_attention_is_no_better_than_chance_the_top_says_so(full):
    page = attention_page([full, full | {"curves": curves(beats=False)}])
    (notice,) = Page(page).texts["notice"]
    assert notice.startswith(
        "Document 2: attention explains the score no better than chance. Erasing words in its "
        "order loses 1.00 of the score, in that of the effects 2.00; 100 random orders lose 0.50 "
        "on average, and 95 % of them −0.25 to 1.20."
    )
    assert page.index('class="notice"') < page.index("<main>")


@pytest.mark.parametrize(
    ("attention", "effects", "said"),
    [
        (1.0, 2.0, None),
        (
            1.0,
            0.7,
            "Here the effects explain the score no better than chance. Erasing words in "
            "their order loses 0.70 of the score, in that of attention 1.00; 100 random orders "
            "lose 0.50 on average, and 95 % of them −0.25 to 0.80. Words that say the same stand "
            "in for each other.",
        ),
        (
            0.6,
            0.7,
            "Here neither attention nor the effects explain the score better than chance. "
            "Erasing words in the order of attention loses 0.60 of the score, of the effects 0.70; "
            "100 random orders lose 0.50 on average, and 95 % of them −0.25 to 0.80.",
        ),
    ],
)
def test_what_chance_beats_is_said(full, attention, effects, said):
    found = curves() | {"attention_beats_chance": attention > 0.8}
    found["areas"] |= {"attention": attention, "effects": effects}
    texts = Page(attention_page(full | {"curves": found})).texts
    assert texts.get("notice") == (said and [said])


def test_of_a_few_words_nothing_is_claimed_and_the_page_says_why(full):
    found = curves(beats=None)
    found["areas"] |= {"attention": 0.6, "effects": 0.7}  # no better than chance, were they many
    texts = Page(attention_page(full | {"curves": found})).texts
    assert "notice" not in texts
    assert any(one.startswith("These are too few words to say whether") for one in texts["p"])
    assert not any("speak against" in one for one in texts["p"])


def test_words_that_speak_against_a_match_on_the_whole_are_said_to(full):
    found = curves() | {"random": [-share for share in curves()["shares"]]}
    said = Page(attention_page(full | {"curves": found})).texts["p"]
    assert any(one.startswith("Without any word the score would be higher") for one in said)


def test_older_curves_do_not_say_how_many_orders_there_are(full):
    found = curves()
    del found["orders"], found["as_good"]
    said = " ".join(Page(attention_page(full | {"curves": found})).texts["p"])
    assert "; random orders lose 0.50 on average" in said and "Of the random orders" not in said


def test_the_title_has_the_query_if_it_is_one(full):
    assert Page(attention_page([full, full])).texts["title"] == [
        f"How the model read these documents: {QUERY}"
    ]
    other = Page(attention_page([full, whole("Comet", DOCUMENT)])).texts["title"]
    assert other == ["How the model read these documents"]


def test_curves_of_one_value_and_below_zero_are_drawn():
    flat = curves() | {name: [0.0] * 11 for name in ("attention", "effects", "random")}
    flat |= {"random_low": [-1e-3] * 11, "random_high": [0.0] * 11}
    for values in (flat, curves() | {name: [0.0] * 11 for name in list(curves())[1:6]}):
        page = attention_page(whole(QUERY, DOCUMENT, curves=values))
        assert "nan" not in page.lower().split("<main>")[1]


def test_several_documents_stand_beside_each_other_on_one_scale(full):
    other = whole(QUERY, "So sad. Ivy!", document_effects=[0.0, 0.0, 4.0])
    full |= {"query_effects": [2.0, 0, 0, 0, 0], "document_effects": [1.0] * 8}
    other |= {"query_effects": [0.0] * 5}
    page = Page(attention_page([full, other]))
    assert page.texts["h2"][:2] == ["Document 1, score 1.250", "Document 2, score 1.250"]
    assert [v["id"] for tag, v in page.elements if tag == "article"] == ["x1", "x2"]
    effects = [strengths["--e"] for _, strengths, _ in page.words]
    assert effects == [0.5, 0, 0, 0, 0, *[0.25] * 8, 0, 0, 0, 0, 0, 0, 0, 1.0]
    with pytest.raises(DataError, match="at least. Received: none"):
        attention_page([])


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_stands_in_a_text_is_inert_and_the_page_well_formed(text):
    values = whole(text, text, curves=curves(beats=False), model_verdict=verdict())
    check_inert(
        attention_page([values, explained(values["query_words"], values["document_words"])])
    )
    names = {"classes": [text, "good"], "label": text}
    check_inert(attention_page(of_class(text, good=0.1) | names, [text]))


def check_inert(page):
    read = Page(page)  # balanced, no attribute twice
    assert not read.tags & {"script", "img", "link", "iframe", "object", "base", "form", "image"}
    assert read.tags <= _TAGS
    assert not any(name.startswith("on") for _, values in read.elements for name in values)
    assert all(address.startswith("#") for address in read.all("href")) and not read.all("src")
    ids = read.all("id")
    assert len(ids) == len(set(ids))
    for name in ("aria-labelledby", "for"):
        assert {one for names in read.all(name) for one in names.split()} <= set(ids)
    assert page.encode()  # no half characters
    assert not set(map(chr, range(32))) - set("\t\n\r") & set(page)


_TAGS = set(
    "html head meta title style body header h1 h2 h3 h4 p fieldset legend label input span main "
    "article section ol ul li details summary div table caption thead tbody tr th td bdi svg desc "
    "line polyline polygon text footer b strong a code".split()
)


def test_the_words_of_a_hostile_text_are_all_there():
    for name in ("script", "image", "style", "emoji", "arabic", "long"):
        values = whole(HOSTILE[name], HOSTILE[name])
        words = [word for word, _, _ in Page(attention_page(values)).words]
        assert words == values["query_words"] + values["document_words"]
        shown = " ".join(Page(attention_page(values)).texts["text"][1:])
        assert shown.split() == HOSTILE[name].split()


def test_a_text_from_right_to_left_says_so_and_marks_stay_within_their_word():
    page = attention_page(whole("Ivy", HOSTILE["arabic"]))
    assert [v["dir"] for _, v in Page(page).elements if "dir" in v] == ["ltr", "rtl", "rtl"]
    page = attention_page(whole("Ivy", HOSTILE["turned"]))
    marks = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
    outside = re.sub(r"<bdi[^>]*>.*?</bdi>|<[^>]*>", "", page.split("<article")[1], flags=re.DOTALL)
    assert marks.search(page) and not marks.search(outside)


def test_the_policy_forbids_scripts_and_all_that_is_outside(example):
    page = attention_page(example)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'" in policy and "script" not in policy and "http" not in policy
    assert "url(" not in page and "@import" not in page and "http:" not in page


@pytest.mark.parametrize(
    ("empty", "places"),
    [
        (explained([]), 2),
        (explained(["a"]), 1),
        (explained([], ["b"]), 1),
        (explained(["a"], []), 1),
        (whole("", ""), 2),
        (whole("a b", HOSTILE["marks"]), 1),
    ],
    ids=["both", "document", "query", "sentence", "texts", "marks"],
)
def test_page_without_words(empty, places):
    nothing = Page(attention_page(empty)).texts["none"]
    assert len(nothing) == places
    assert all(one.startswith("no words") for one in nothing)
    if empty.get("document"):
        assert nothing == [f"no words: {HOSTILE['marks']}"]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"alignment": [[0.5, 0.5]]}, r"alignment must have the shape \(5, 8\)"),
        ({"alignment": [[1], [1, 2]]}, "alignment must hold numbers"),
        ({"sentence_of_word": [0, 0, 0, 0, 1, 1, 1, 3]}, "numbers from 0 below 3"),
        ({"sentence_of_word": [0, 0, 1, 0, 1, 1, 1, 1]}, "must not go down"),
        ({"score": None}, "score must hold (numbers|finite)"),
        ({"score": float("nan")}, "score must hold finite"),
        ({"word_weights": [-0.1, *[0.2] * 7]}, "word_weights must hold no number below 0"),
        ({"document_effects": [1.0]}, r"document_effects must have the shape \(8,\)"),
        ({"document_offsets": [[5, 3]] * 8}, "must go from left to right"),
        ({"document_offsets": [[0, 900]] * 8}, "must go from left to right"),
        ({"document": 3}, "document must be a text"),
        ({"query_words": [1, 2, 3, 4, 5]}, "query_words must be texts"),
        ({"shading": "gradient"}, "shading must be one of attention, effects"),
        ({"curves": {"shares": [0, 1]}}, "Missing: attention, random"),
        ({"curves": curves() | {"shares": [0] * 11}}, "must go up"),
        ({"curves": curves() | {"areas": {}}}, "areas of curves lack attention"),
        ({"curves": curves() | {"random": [1.0]}}, r"curve random must have the shape \(11,\)"),
    ],
)
def test_what_does_not_fit_is_said(full, other, message):
    with pytest.raises(DataError, match=message):
        attention_page(full | other)


def test_a_word_that_is_not_in_the_text_stands_beside_the_one_before_it():
    values = explained(["q"], ["run", "##ning", "fast"])
    values |= {"document": "Running, fast!", "document_offsets": [[0, 3], [3, 3], [9, 13]]}
    assert Page(attention_page(values)).texts["text"][1] == "Run ##ningning, fast!"
