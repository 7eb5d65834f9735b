"""The attention page as a browser shows it: Chromium without a window."""

import numpy as np
import pytest
from browser import Browser, chromium
from explanations import HOSTILE, curves, explained, whole
from page_reader import palettes

from ir_attention.reports.heatmaps import attention_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not chromium(), reason="no Chromium on the PATH to show the page in"),
]

QUERY = "Ivy League cancels winter sports"
DOCUMENT = 'It\'s "off", then. (So sad!) \n\nThe Ivy rests.'


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def show(browser, tmp_path):
    """Writes a page of explanations and opens it."""

    def shown(explanations, **how):
        path = tmp_path / "page.html"
        path.write_text(attention_page(explanations), encoding="utf-8")
        browser.open(path, **how)
        return browser

    return shown


def background(browser, selector):
    """Colour and strength behind an element: red, green, blue, alpha."""
    found = browser.value(f"getComputedStyle(document.querySelector('{selector}')).backgroundColor")
    parts = found[found.index("(") + 1 : -1].replace("/", " ").replace(",", " ").split()
    return [float(part) for part in parts] + [1.0] * (4 - len(parts))


def test_no_script_of_a_text_runs_and_none_could(show):
    evil = " ".join(HOSTILE[name] for name in ("script", "image", "style"))
    browser = show(whole(evil, evil, curves=curves()))
    title = browser.value("document.title")
    assert title.startswith("How the model read this document: script")
    assert browser.value("typeof window.hacked") == "undefined"
    assert browser.value("document.querySelectorAll('script, img, iframe, [onerror]').length") == 0
    assert browser.value("document.querySelectorAll('style').length") == 1
    # The page's policy also stops what somebody might bring in later.
    browser.value(
        "addEventListener('securitypolicyviolation',"
        " e => document.documentElement.dataset[e.effectiveDirective.slice(0, 3)] = 1);"
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
        "document.body.append(s);"
        "const i = document.createElement('img'); i.src = 'data:image/gif;base64,R0lGOD';"
        "document.body.append(i);"
    )
    assert browser.value("typeof window.hacked") == "undefined"
    blocked = "Object.keys(document.documentElement.dataset).sort()"
    assert browser.value(f"new Promise(done => setTimeout(() => done({blocked}), 200))") == [
        "img",
        "scr",
    ]


@pytest.mark.parametrize("text", [DOCUMENT, *HOSTILE.values()], ids=["plain", *HOSTILE])
def test_nothing_is_wider_than_a_phone(show, text):
    values = whole(text, text, curves=curves(beats=False))
    for explanations in (values, [values, values]):
        browser = show(explanations, width=360)
        browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert browser.value("document.documentElement.scrollWidth") <= 360
        # Only tables may be scrolled within their frame.
        wide = (
            "[...document.querySelectorAll('body *')]"
            ".filter(one => !one.closest('.wide, .vh, .skip'))"
            ".filter(one => one.getBoundingClientRect().right > 361)"
            ".map(one => one.outerHTML.slice(0, 80))"
        )
        assert browser.value(wide) == []


def test_query_and_document_stand_beside_each_other_where_there_is_room(show):
    def corners(browser):
        return [
            browser.value(
                f"(r => [r.left, r.top])(document.querySelector('{part}').getBoundingClientRect())"
            )
            for part in (".query", ".document")
        ]

    query, document = corners(show(whole(QUERY, DOCUMENT), width=1100))
    assert document[0] > query[0] + 150 and document[1] == pytest.approx(query[1], abs=2)
    query, document = corners(show(whole(QUERY, DOCUMENT), width=360))
    assert document[0] == query[0] and document[1] > query[1] + 50


def test_several_documents_stand_beside_each_other_where_there_is_room(show):
    tops = "[...document.querySelectorAll('article')].map(one => one.getBoundingClientRect().top)"
    one, two = show([whole(QUERY, DOCUMENT), whole(QUERY, "So sad.")], width=1100).value(tops)
    assert one == two
    one, two = show([whole(QUERY, DOCUMENT), whole(QUERY, "So sad.")], width=360).value(tops)
    assert two > one + 200


def linked_example():
    values = explained(["ivy", "league"], ["the", "ivy", "rests"], ["so", "sad"])
    return values | {
        "alignment": [[0.0, 0.8, 0.1, 0.1, 0.0], [0.2] * 5],
        "document_over_query": [[0.5, 0.5], [0.96, 0.04], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]],
    }


@pytest.mark.parametrize("dark", [False, True])
def test_pointing_at_a_word_shows_its_links_on_the_other_side(show, dark):
    browser = show(linked_example(), dark=dark)
    link = palettes(attention_page(linked_example()))["dark" if dark else "light"]["link"]
    before = [background(browser, f"#x1d{number}") for number in range(5)]
    browser.point("#x1q0")
    shown = np.array([background(browser, f"#x1d{number}") for number in range(5)])
    assert shown[:, :3] == pytest.approx(np.tile(link, (5, 1)))
    assert shown[:, 3] == pytest.approx([0, 1, 0.125, 0.125, 0], abs=0.01)
    label = "getComputedStyle(document.querySelector('#x1d1'), '::after')"
    assert browser.value(f"{label}.content") == 'counter(share) "%"'
    assert browser.value(f"{label}.counterReset") == "share 80"
    assert browser.value(f"{label}.opacity") == "1"
    assert browser.value(f"{label.replace('x1d1', 'x1d2')}.opacity") == "0"
    browser.point("#x1d1")  # the other way round
    shown = np.array([background(browser, f"#x1q{number}") for number in range(2)])
    assert shown[:, :3] == pytest.approx(np.tile(link, (2, 1)))
    assert shown[:, 3] == pytest.approx([0.96, 0.04], abs=0.01)
    browser.point("h1")
    assert [background(browser, f"#x1d{number}") for number in range(5)] == before


def test_links_show_in_place_of_effects_too(show):
    values = linked_example() | {"shading": "effects", "query_effects": [0.0, 0.0]}
    browser = show(values | {"document_effects": [-1.0, 0.0, -1.0, 0.5, 0.0]})
    link = palettes(attention_page(values))["light"]["link"]
    browser.point("#x1q0")
    shown = np.array([background(browser, f"#x1d{number}") for number in range(5)])
    assert shown[:, :3] == pytest.approx(np.tile(link, (5, 1)))
    assert shown[:, 3] == pytest.approx([0, 1, 0.125, 0.125, 0], abs=0.01)
    dots = "getComputedStyle(document.querySelector('#x1d0')).textDecorationColor"
    assert browser.value(dots) == "rgba(0, 0, 0, 0)"


def test_the_keyboard_shows_links_too_and_can_skip_the_words(show):
    browser = show(linked_example())
    for wanted in ("skip", "x1q0"):
        browser.press("Tab")
        found = browser.value("document.activeElement.id || document.activeElement.className")
        assert found == wanted
    assert background(browser, "#x1d1")[3] == pytest.approx(1)
    # What is pointed at wins over what has the focus.
    browser.point("#x1q1")
    assert background(browser, "#x1d1")[3] == pytest.approx(1 / 3, abs=0.01)


def test_the_switch_changes_the_shades(show):
    values = whole(QUERY, DOCUMENT) | {"document_effects": [-1.0, *[0.5] * 7]}
    values["query_effects"] = [0.0] * 5
    browser = show(values)
    light = palettes(attention_page(values))["light"]
    assert background(browser, "#x1d0")[:3] == pytest.approx(light["tone"])
    assert (
        browser.value("getComputedStyle(document.querySelector('.by-effects')).display") == "none"
    )
    browser.value("document.querySelector('#effects').click()")
    assert background(browser, "#x1d0") == pytest.approx([*light["against"], 1])
    assert background(browser, "#x1d1") == pytest.approx([*light["tone"], 0.5], abs=0.01)
    dots = "getComputedStyle(document.querySelector('#x1d0')).textDecorationStyle"
    assert browser.value(dots) == "dotted"
    gone = "getComputedStyle(document.querySelector('.by-attention')).display"
    assert browser.value(gone) == "none"


# Every text with what is behind it, all shades laid over each other down to the page.
_CONTRASTS = """
(() => {
  const parse = text => { const p = text.match(/[\\d.]+/g).map(Number);
    return p.length > 3 ? p : [...p, 1] };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
  const found = [];
  for (const one of document.querySelectorAll('body, body *')) {
    const own = [...one.childNodes].some(n => n.nodeType == 3 && n.data.trim());
    if (!own || one.closest('.vh, .skip, svg')) continue;
    const layers = [];
    for (let at = one; at; at = at.parentElement)
      layers.push(parse(getComputedStyle(at).backgroundColor));
    let ground = [255, 255, 255];
    for (const layer of layers.reverse()) ground = over(layer, ground);
    found.push([one.outerHTML.slice(0, 60), parse(getComputedStyle(one).color), ground]);
  }
  return found;
})()
"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("shading", ["attention", "effects"])
def test_text_can_be_read_wherever_it_stands(show, dark, shading):
    from test_shading import LEAST, contrast

    values = whole(QUERY, DOCUMENT, shading=shading, curves=curves(beats=False))
    browser = show(values, dark=dark)
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    paper = palettes(attention_page(values))["dark" if dark else "light"]["paper"]
    assert background(browser, "body")[:3] == pytest.approx(paper)
    for pointed in (None, "#x1q0", "#x1d2"):
        if pointed:
            browser.point(pointed)
        found = browser.value(_CONTRASTS)
        assert len(found) > 60
        for what, text, ground in found:
            assert contrast(np.array(text[:3]), np.array(ground)) >= LEAST, (what, text, ground)


def test_forced_colours_have_lines_in_place_of_shades(show):
    values = whole(QUERY, DOCUMENT) | {"word_weights": [0.5, 0.25, 0.25, 0.5, 0.5, 1, 0, 0]}
    values["sentence_weights"] = [1.0, 0.0, 0.0]
    browser = show(values, forced=True)
    thick = [
        float(
            browser.value(
                f"getComputedStyle(document.querySelector('#x1d{number}')).borderBottomWidth"
            ).removesuffix("px")
        )
        for number in range(4)
    ]
    assert thick == pytest.approx([5, 2.5, 2.5, 0], abs=0.51)  # rounded to whole dots


def test_arabic_runs_from_right_to_left_and_english_within_it_keeps_its_order(show):
    browser = show(whole("Ivy", HOSTILE["arabic"]), width=1400)
    left = browser.value(
        "[...document.querySelectorAll('.document li:first-child .w')]"
        ".map(one => [one.textContent, one.getBoundingClientRect().left])"
    )
    place = dict(left)
    assert place["أغلقت"] > place["المدارس"] > place["New"] > place["بعد"]
    assert place["New"] < place["York"] < place["City"]


def test_marks_turn_nothing_round_but_their_own_word(show):
    browser = show(whole("Ivy", HOSTILE["turned"]), width=1400)
    left = browser.value(
        "[...document.querySelectorAll('.document li:first-child .w')]"
        ".map(one => one.getBoundingClientRect().left)"
    )
    assert left == sorted(left)


def test_emoji_of_several_parts_are_one_sign(show):
    browser = show(whole("Ivy", HOSTILE["emoji"]), width=1400)
    found = dict(
        browser.value(
            "[...document.querySelectorAll('.document .w')]"
            ".map(one => one.textContent)"
            ".map(text => [text, [...new Intl.Segmenter().segment(text)].length])"
        )
    )
    for sign in ("👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇫🇷"):
        assert found[sign] == 1


def test_a_screen_reader_finds_headings_lists_and_numbers(show):
    browser = show(whole(QUERY, DOCUMENT, curves=curves()))
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]
    for wanted in (
        ("heading", "How the model read this document"),
        ("heading", "Score 1.250"),
        ("region", "Query"),
        ("region", "Document"),
        ("region", "Is that why?"),
        ("radio", "attention"),
        ("radio", "effect on the score"),
        ("image", "How much of the score is lost as words are erased"),
        ("table", "Document"),
        ("table", "Query words over the document, per cent"),
    ):
        assert wanted in named, named
    assert [role for role, _ in named].count("listitem") >= 3 + 3  # sentences, and the chart's key
    texts = [name for role, name in named if role == "StaticText"]
    assert any(text.startswith("Sentence 1, weight") for text in texts)


def test_a_long_text_is_shown_in_good_time(show):
    values = explained(["ivy"] * 12, *[[f"word{n}" for n in range(25)] for _ in range(16)])
    browser = show(values)
    assert browser.value("document.querySelectorAll('.document .w').length") == 400
    browser.point("#x1q3")
    assert background(browser, "#x1d399")[:3] == background(browser, "#x1d0")[:3]
