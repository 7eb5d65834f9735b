"""Words, sentences and matching forms: kept whole, in place, and quick whatever the text."""

import doctest
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ir_attention import text as module
from ir_attention.text import STOP_WORDS, normal, sentences, stem, word_spans, words

WHOLE = """
    #jobs #ClimateChange #1 #snake_case @POTUS @user_1 http://a.com/x?y=1.2 https://t.co/Ab1
    www.x.org/a t.co/abc example.com bbc.co.uk/news jo@example.com don't isn’t rock'n'roll O'Brien
    3.5 1,000
    2nd 10:30 50% 3.5% $5 $1,000.50 €20 U.S. U.K e.g. p.m. J.R.R. AT&T R&B H1N1 mp3
    first_name naïve
    nai\u0308ve नमस्ते العَرَبِيَّة ภาษาไทย 한국어 Привет 👍🏽 👨‍👩‍👧 🇺🇸 1️⃣ ❤️ ☀ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ©️
""".split()


@pytest.mark.parametrize("word", WHOLE)
def test_keeps_whole(word):
    assert words(word) == [word]
    # Between others, with a mark behind it.
    assert words(f"so ({word}) , {word}\nand") == ["so", word, word, "and"]


TAKEN_APART = {
    "": [],
    " \t\n": [],
    "... !? -- _ % $ # @ ' ’ \0 ~": [],
    "COVID-19 state-of-the-art": ["COVID", "19", "state", "of", "the", "art"],
    "'quoted' ‘quoted’ dogs' _so_": ["quoted", "quoted", "dogs", "so"],
    "See http://a.com/x. (www.b.org/c), “http://d.e”!": [
        *["See", "http://a.com/x", "www.b.org/c", "http://d.e"],
    ],
    "end.Next and/or 1, 2,x C#": ["end", "Next", "and", "or", "1", "2", "x", "C"],
    "日本語のテスト": list("日本語のテスト"),
    "日本AB中": ["日", "本", "AB", "中"],
    "カ\u3099ｶﾞ": ["カ\u3099", "ｶﾞ"],
    "see http://t.co/a。次": ["see", "http://t.co/a", "次"],
    "🇺🇸🇬🇧👍👍": ["🇺🇸", "🇬🇧", "👍", "👍"],
    "J.K.Rowling": ["J", "K", "Rowling"],
    "a@b Tom&Jerry": ["a", "@b", "Tom", "Jerry"],
    "\ud800word\udfff": ["word"],
    "\u0301a": ["a"],
}


@pytest.mark.parametrize("text", TAKEN_APART)
def test_takes_apart(text):
    assert words(text) == TAKEN_APART[text]


ALPHABET = st.sampled_from(
    [*"abAZ019 .,:'’#@$%&_-/!?\n\"()é中カ한👍🏽🇺\u0301\u200d\ufe0f\xa0\ud800\0", "http://"]
)
TEXTS = st.lists(ALPHABET, max_size=20).map("".join) | st.text(max_size=20)


@given(TEXTS)
@settings(deadline=None)
def test_spans_are_the_words(text):
    spans = word_spans(text)
    assert [text[start:end] for start, end in spans] == words(text)
    edges = [at for span in spans for at in span]
    assert edges == sorted(edges)
    assert all(start < end for start, end in spans)
    left_out = "".join(
        text[a:b] for a, b in zip([0, *edges[1::2]], [*edges[::2], len(text)], strict=True)
    )
    assert not any(char.isascii() and char.isalnum() for char in left_out)


@given(TEXTS.map(lambda text: text.encode("ascii", "replace").decode()))
@settings(deadline=None)
def test_the_ascii_pattern_is_the_general_one(text):
    assert words(text) == module._any_word().findall(text)


@given(TEXTS)
@settings(deadline=None)
def test_no_word_reaches_over_white_space(text):
    assert words(text) == [word for chunk in text.split() for word in words(chunk)]


@given(TEXTS)
@settings(deadline=None)
def test_one_sentence_is_seen_without_sentencex(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_is_one", lambda text: False)
        expected = sentences(text)
    assert sentences(text) == expected
    assert module.sentence_texts(text) == [text[start:end] for start, end in expected]


def test_spans_of_a_tokenizer():
    text = "New York, new york"
    assert word_spans(text, lambda text: ["New York", ",", "new", "york"]) == [
        *[(0, 8), (8, 9), (10, 13), (14, 18)],
    ]
    assert word_spans(text, lambda text: text.lower().split()) == [
        *[(0, 3), (4, 9), (10, 13), (14, 18)],
    ]
    # A word that is not there gets no characters, and those behind it keep their places.
    assert word_spans(text, lambda text: ["New", "##york", "york"]) == [(0, 3), (3, 3), (4, 8)]
    # Lower-casing would make this text longer: words are then sought as they are.
    assert word_spans("İx Ab ab", str.split) == [(0, 2), (3, 5), (6, 8)]
    assert word_spans("İx Ab", lambda text: ["ab"]) == [(0, 0)]


# A bar stands where one sentence ends and the next begins.
SENTENCES = """
Dr. Smith went home. |He was tired.
Mr. and Mrs. Brown met Prof. Lee. |They talked.
It costs $3.50 a litre. |That is a lot.
Shares fell 2.5 percent on Monday. |Analysts had expected 1.1 percent.
The U.S. economy grew. |Europe did not.
She lives in the U.S. and works in the U.K. as well.
He moved to the U.S. |She stayed behind.
Use a mark, e.g. a comma, to split it.
Some animals, i.e. cats, sleep all day.
Cats, dogs, etc. are welcome. |Snakes are not.
Wait... what did he say?
I thought… well, never mind.
He paused... |Then he spoke.
Read https://example.com/a.html?b=1.2 first. |Then reply.
See www.example.org. |It has the details.
Mail me at jo.bloggs@example.com. |I answer fast.
Really? |Yes! |I told you.
No way! |This cannot be true.
No way!!! |lol
what a game! |so proud of this team
who won?? |nobody knows
omg!! |it is happening
wow ! ! ! |great
breaking: mayor resigns. |more to follow.
the storm is over. |we are all safe.
just a tweet with no stop at all
#jobs are back! |@mayor says so
We won! 🎉🎉
Great night 🎉🎉. |See you all next year!
He said "Stop it." |Then he left.
"Stop it!" he said.
"Where are you?" she asked.
(This is an aside.) |This is not.
Gov. Green met Sen. White in Washington.
Acme Inc. bought Widget Co. for $2.1 billion.
Lt. Col. Jones and Sgt. Bell were named.
J. K. Rowling wrote it. |J.R.R. Tolkien wrote the other.
George W. Bush spoke first.
St. Mary's church is on Fifth Ave. near the park.
The meeting is at 5 p.m. on Friday.
We met at 10 a.m. |It was early.
On Jan. 5 the law changed. |On Feb. 7 it changed back.
Chapter No. 5 is short. |Fig. 3 shows why.
Vol. 3 of the series is lost.
Smith et al. found the gene. |Others did not.
The ratio was 0.05 vs. 0.07 in the control.
Version 2.0.1 is out. |Version 2.1 follows.
The file is called setup.cfg and lives there.
1. Wash the rice. |2. Boil the water.
It rained (see p. 12). |It poured, in fact.
They won 3-2. |The crowd cheered.
Born in 1990. |Died in 2050.
He has a Ph.D. in physics. |She has an M.D. from Yale.
an experimental study of a wing . |the results were good .
the value was 3.5 . |it was , e.g. , too high .
what is this ? |no one knows !
mr . smith of the u . s . army spoke . |he left .
Yahoo was sold on Monday. |Its shares rose.
It works!? |I doubt it.
I like it; you do not: so what.
Mt. Everest is high. |Mt. Blanc is lower.
N. Korea fires a missile. |S. Korea responds.
The D.C. council voted. |The mayor signed.
Rep. Doe (D-Calif.) voted no.
Thin\u00a0spaces\u2009are spaces.\u00a0|So is this.
これは文です。|次の文です。
यह पहला वाक्य है। |यह दूसरा है।
""".strip().splitlines()


def test_sentences_are_where_a_reader_sees_them():
    right = 0
    for line in SENTENCES:
        text = line.replace("|", "")
        right += [text[a:b] for a, b in sentences(text)] == [
            part.strip() for part in line.split("|")
        ]
    assert len(SENTENCES) > 60
    assert right / len(SENTENCES) >= 0.95


LINES = {
    "First\nSecond": ["First", "Second"],
    "a line that was\nwrapped by hand": ["a line that was\nwrapped by hand"],
    "Headline\r\n\r\nand a text": ["Headline", "and a text"],
    "One.\n\n\n  Two\t": ["One.", "Two"],
    "": [],
    " \n\t ": [],
    "...": ["..."],
    "? ! Yes": ["? ! Yes"],
    "a \ud800. B": ["a \ud800.", "B"],
}


@pytest.mark.parametrize("text", LINES)
def test_lines_and_leftovers(text):
    assert [text[a:b] for a, b in sentences(text)] == LINES[text]


@given(TEXTS)
@settings(deadline=None)
@example("\u2028.A. \xa0B.")
def test_sentences_lose_nothing(text):
    spans = sentences(text)
    edges = [at for span in spans for at in span]
    assert edges == sorted(edges)
    assert re.sub(r"\s", "", "".join(text[a:b] for a, b in spans)) == re.sub(r"\s", "", text)
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in spans)


def test_long_texts_are_cut_as_short_ones_are():
    text = "Dr. Smith paid $3.50 for it. " * 500
    assert len(sentences(text)) == 500
    assert len(sentences("word, " * 20_000 + "3.5 end.")) == 1


NASTY = [
    "a",
    "a.",
    "aa.",
    "a'",
    "1,",
    "@",
    "#a@",
    "a@b.",
    "http://.",
    "www.",
    "👍\u200d",
    "\u0301",
    "中",
]
NASTY += [
    "\ud800\n",
    "A&",
    " ",
    "\n",
    "! ",
    "?)",
    '"',
    "“",
    "。",
    "1. ",
    ") A",
    "\0",
    "x" * 63 + ".",
    "'s",
]


@pytest.mark.parametrize("unit", NASTY)
def test_no_text_is_slow(unit):
    """Hundredths of a second each; many would never end if the time were quadratic."""
    for text in (unit * (50_000 // len(unit)), "a" + unit * (50_000 // len(unit)) + "b"):
        words(text)
        word_spans(text, lambda text: ["missing"] * 1000)
        sentences(text)
        normal(text)


FORMS = {
    **{"Jobs": "jobs", "#Jobs": "jobs", "##a": "a", "#": "#", "@POTUS": "@potus", "": ""},
    **{"Trump's": "trump", "Trump’s": "trump", "'s": "'s", "isn’t": "isn't", "IT’S": "it"},
    **{
        "1,000": "1000",
        "1,234,567": "1234567",
        "1,25": "1,25",
        "3.5": "3.5",
        "$1,000.50": "$1000.50",
    },
    **{"U.K.": "uk", "U.S.": "u.s", "U.S": "u.s", "N.A.S.A.": "nasa", "e.g.": "eg", "a.b1": "a.b1"},
    **{"ＡＢＣ": "abc", "Straße": "strasse", "résumé": "résumé", "re\u0301sume\u0301": "résumé"},
    **{"👍🏽": "👍", "❤️": "❤", "🏽": "🏽", "co\u00adop": "coop", "ﬁn": "fin", "ｶﾞ": "ガ"},
}


@pytest.mark.parametrize("word", FORMS)
def test_matching_forms(word):
    assert normal(word) == FORMS[word]


@given(TEXTS)
@example("a\u200d\u0301")  # what joins them goes, and then they are one letter
@settings(deadline=None)
def test_the_form_of_a_form_is_itself(text):
    for word in [text, *words(text)]:
        form = normal(word)
        assert normal(form) == form
        assert bool(form) == bool(word)


def test_stems_are_porters():
    # From the list of examples in Porter's paper.
    given = (
        "caresses ponies cats feed agreed plastered motoring relational vietnamization formative"
    )
    stems = "caress poni cat feed agre plaster motor relat vietnam form"
    assert stem(given.split()) == stems.split()
    assert stem(["#Ponies", "CATS", "Relational’s", "中", ""]) == ["poni", "cat", "relat", "中", ""]
    assert stem([]) == []


def test_stems_of_anything():
    assert len(stem(["\ud800", "a\0b", "😀", "x" * 100_000])) == 4


def test_stop_words_are_words_and_forms():
    assert 150 <= len(STOP_WORDS) <= 200
    for word in STOP_WORDS:
        assert words(word) == [word]
        assert normal(word) in STOP_WORDS
    assert {"the", "don't", "it's", "it"} <= STOP_WORDS


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(module)
    assert result.attempted > 5
    assert result.failed == 0
