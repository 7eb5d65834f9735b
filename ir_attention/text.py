"""Text to words and sentences, with their places in it, and the forms in which words match."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

__all__ = [
    "STOP_WORDS",
    "normal",
    "sentence_texts",
    "sentences",
    "stem",
    "stems",
    "word_pattern",
    "word_spans",
    "words",
]

# Function words of English: they carry no topic, so that sharing them is no evidence.
STOP_WORDS = frozenset(
    """
    a an the this that these those such same other another own
    i me my mine myself you your yours yourself yourselves he him his himself she her hers herself
    it its itself we us our ours ourselves they them their theirs themselves
    who whom whose which what when where why how whether while
    and or but nor so yet if then than because since until unless although though as
    of at by for with about against between into through during before after above below to from
    up down in out on off over under upon within
    am is are was were be been being have has had having do does did doing
    will would shall should can could may might must
    not no all any both each every few more most some
    only just also too very again here there now still even
    i'm i've i'd i'll you're you've you'd you'll he'd he'll he's she'd she'll she's it's
    we're we've we'd we'll they're they've they'd they'll that's there's what's who's let's
    aren't isn't wasn't weren't haven't hasn't hadn't don't doesn't didn't won't wouldn't
    shouldn't can't cannot couldn't let
    """.split()
)

_CJK = (  # Han, Hiragana, Katakana with their repeat and length marks; written without spaces
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_EMOJI = (  # pictures by themselves, and signs that a variation selector makes a picture of
    "\u231a\u231b\u23cf\u23e9-\u23fa\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
_SIGNS = "\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u21aa\u25aa-\u25fe\u2934\u2935"
# Web addresses are also written without www; any word with a dot in it would be too many.
_DOMAINS = "com|org|net|edu|gov|info|co|uk|de|eu|io|ly|tv|me|be"
_DROPPED = dict.fromkeys(  # selectors, joiners, soft hyphens, skin tones: one word, two looks
    [0xAD, 0x200C, 0x200D, 0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)]
) | dict.fromkeys(map(ord, "’‘ʼ"), "'")


def words(text: str) -> list[str]:
    """The words of a text, in order and as they are written.

    Kept whole: `#tags`, `@names`, web and mail addresses, emoji (with skin tones, joined figures,
    flags and keycaps), contractions with either apostrophe (`don't`, `isn’t`), numbers (`3.5`,
    `1,000`, `10:30`, `2nd`), amounts (`$5`, `50%`), abbreviations (`U.S.`, `e.g.`) and `AT&T`.

    Taken apart: hyphenated words, so that `covid-19` and `covid 19` match; Han characters,
    Hiragana and Katakana, one word each. Hangul is written with spaces and stays whole, and so do
    scripts that join all words (Thai, Khmer): use a tokenizer of your own there.

    Punctuation alone is not a word. The time taken is linear in the length, whatever the text:
    about 4 million words of English a second, several times what `tokenizers` gives for the same.

    >>> words("The U.S. can’t cut 3.5% of #jobs, says @POTUS 👍🏽")
    ['The', 'U.S.', 'can’t', 'cut', '3.5%', 'of', '#jobs', 'says', '@POTUS', '👍🏽']
    """
    return (_ASCII_WORD if text.isascii() else _any_word()).findall(text)


def word_pattern(ascii: bool) -> re.Pattern[str]:
    """What `words` looks for, in texts of ASCII alone or in any. It reaches over no white space."""
    return _ASCII_WORD if ascii else _any_word()


def word_spans(
    text: str, tokenizer: Callable[[str], list[str]] | None = None
) -> list[tuple[int, int]]:
    """Where each word stands: `text[start:end]` is the word.

    Args:
        text: Any text.
        tokenizer: What cuts the text into words, instead of `words`. Each of its words is looked
            for in the next characters from the end of the one before, in any case, for many
            tokenizers lower it. A word that is not there (a stem, a marked piece) gets an empty
            span at that end.

    Returns:
        One `(start, end)` for each word, in order, none overlapping.

    >>> word_spans("Don't panic!")
    [(0, 5), (6, 11)]
    >>> word_spans("Don't panic!", str.split)
    [(0, 5), (6, 12)]
    """
    if tokenizer is None:
        pattern = _ASCII_WORD if text.isascii() else _any_word()
        return [match.span() for match in pattern.finditer(text)]
    spans, at = [], 0
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters become two, and places would shift
        lowered = text
    for word in tokenizer(text):
        sought = word if lowered is text else word.lower()
        # A word may stand a little further on, behind what the tokenizer drops; a search to the
        # end of the text would take quadratic time and might skip most of it.
        start = lowered.find(sought, at, at + len(word) + 1000)
        end = at if start < 0 else start + len(sought)
        spans.append((at if start < 0 else start, end))
        at = end
    return spans


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence stands: `text[start:end]` is one, without the space around it.

    The rules, for English, are those of sentencex: abbreviations, initials, decimals, addresses
    and ellipses within a sentence do not end it, and neither need the next begin with a capital.
    The full stops of other scripts count too. Beyond them

    * a line break ends a sentence, unless the next line goes on in lower case;
    * so do `!` and `?` before a space, and a stop with its closing bracket before a capital;
    * what has neither letter nor digit (`! !`, emoji) goes with the sentence before it, and the
      number of a list's entry (`1.`) or of a chapter (`ch. 3`) with the words beside it.

    Returns:
        Spans of sentences, in order, which never overlap. Nothing but white space stands outside
        them: a text of white space has none, a text without any mark has one.

    >>> text = "Dr. Smith paid $3.50. Why? Nobody knows"
    >>> [text[start:end] for start, end in sentences(text)]
    ['Dr. Smith paid $3.50.', 'Why?', 'Nobody knows']
    """
    body = text.strip()
    if _is_one(body):  # most headlines and many tweets
        start = text.find(body)
        return [(start, start + len(body))] if body else []
    return _spans(text)


def sentence_texts(text: str) -> list[str]:
    """The `sentences` of a text themselves.

    >>> sentence_texts("Dr. Smith paid $3.50. Why?")
    ['Dr. Smith paid $3.50.', 'Why?']
    """
    body = text.strip()
    if _is_one(body):
        return [body] if body else []
    return [text[start:end] for start, end in _spans(text)]


def _spans(text: str) -> list[tuple[int, int]]:
    # sentencex fails on white space outside ASCII and on lone surrogates: others of the same
    # length stand in for them.
    safe = text if text.isascii() else _ODD_SPACE.sub(" ", _SURROGATE.sub("\ufffd", text))
    spans: list[tuple[int, int]] = []
    at, first, last, says = 0, 0, 0, True  # the last sentence, and whether it has a letter or digit
    for end in _ends(safe, _breaks(text)):
        part, start = safe[at:end].rstrip(), at
        at = end
        if not (body := part.lstrip()):
            continue
        start += len(part) - len(body)
        speaks = body[0].isalnum() or _SAYS.search(body) is not None
        if last and not (says and speaks and _stands(safe, (first, last), body)):
            says = says or speaks
        else:
            if last:
                spans.append((first, last))
            first, says = start, speaks
        last = start + len(body)
    return [*spans, (first, last)] if last else spans


def normal(word: str) -> str:
    """The form in which a word is compared with others.

    Unicode's NFKC form (full-width and composed letters agree), case folded, apostrophes straight.
    Accents are kept: `résumé` is not `resume`. Left out is what says nothing about the topic: the
    `#` of a tag (`#jobs` is evidence for `jobs`), a final `'s` (`Trump's` for `Trump`), commas
    between thousands, skin tones, and the dots of an abbreviation (`U.K.` for `UK`) unless a stop
    word would come of it: `U.S.` becomes `u.s`, for `us` is a pronoun. The `@` of a name stays.

    `normal(normal(word)) == normal(word)`, and only the empty word has an empty form.

    >>> [normal(word) for word in ["#Jobs", "Trump’s", "U.K.", "U.S.", "1,000", "ＡＢＣ"]]
    ['jobs', 'trump', 'uk', 'u.s', '1000', 'abc']
    """
    if word.isascii():
        form = word.lower()
    else:
        form = unicodedata.normalize("NFKC", word).casefold().translate(_DROPPED)
        form = unicodedata.normalize("NFKC", form) or word
    if form.isalnum():
        return form
    end = len(form)
    while end > 2 and form.endswith("'s", 0, end):
        end -= 2
    form = form[:end].lstrip("#") or form
    if "," in form:
        form = _THOUSANDS.sub("", form)
    if "." in form and _ABBREVIATION.fullmatch(form):
        bare = form.replace(".", "")
        form = form.rstrip(".") if bare in STOP_WORDS else bare
    return form


def stem(words: list[str]) -> list[str]:
    """The Porter stems of the words' matching forms (see `normal`), one for each word.

    Words of other languages come back as they are or a letter shorter: the same on both sides.

    >>> stem(["Running", "#jobs", "Trump’s"])
    ['run', 'job', 'trump']
    """
    return stems([normal(word) for word in words])


def stems(forms: list[str]) -> list[str]:
    """The Porter stems of words that are in their matching forms already."""
    from Stemmer import Stemmer

    # A stemmer of its own for each call: they must not be shared between threads. Without its
    # cache, which takes longer than to stem.
    try:
        return Stemmer("porter", 0).stemWords(forms)
    except UnicodeEncodeError:
        return Stemmer("porter", 0).stemWords([_SURROGATE.sub("\ufffd", form) for form in forms])


def _word_pattern(letter: str, cjk: str = "", marks: str = "", more: str = "") -> re.Pattern[str]:
    """What a word is.

    Every repetition is possessive, bounded, or can give back only a few characters, so that no
    text makes it slow.

    Args:
        letter: The class of letters and digits.
        cjk: Ranges of the characters that are words by themselves, and end an address.
        marks: Ranges of what may follow a letter inside a word.
        more: Further kinds of words, as alternatives.
    """
    run = rf"{letter}++(?:[{marks}]++{letter}*+)*+" if marks else rf"{letter}++"
    closed = rf"\s<>\"“”、。，！？（）「」{cjk}"
    address = rf"[^{closed}]*[^{closed}.,;:!?)\]}}'’…]"
    return re.compile(
        rf"""
        [A-Za-z]++ (?! [.'’@_&:0-9\x80-\U0010ffff] )  # most words by far: first, for speed
      | (?: [Hh][Tt][Tt][Pp][Ss]?:// | [Ww][Ww][Ww]\. ) {address}
      | (?!\d){letter} (?: \. (?!\d){letter} )++ (?!{letter}) \.?  # U.S.
      | {run} (?: (?: ['’_] | (?<=\d)[.,:](?=\d) | (?<=[A-Z])&(?=[A-Z]) ) {run} )*+
        (?: (?<=\d)%
          | @ {letter}{{1,63}} (?: [.-]{letter}{{1,63}} ){{0,4}} \.{letter}++  # mail
          | (?: \.[A-Za-z0-9-]{{1,63}} ){{0,4}} \.(?:{_DOMAINS})\b (?! [.]\w ) (?: /{address} )?
        )?
      | [\#＃@＠] {run} (?: _++ {run} )*+
      | [$€£¥₹] {letter}++ (?: [.,]\d++ )*+
        {more}""",
        re.VERBOSE,
    )


# Most texts in English are ASCII, where shorter classes are quicker; both patterns agree there.
_ASCII_WORD = _word_pattern("[A-Za-z0-9]")


@cache  # compiled on first use: it takes longer than the import of this module
def _any_word() -> re.Pattern[str]:
    """The pattern for texts in any script."""
    marks = _marks()
    figure = rf"[{_EMOJI}]\ufe0f?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*+"
    return _word_pattern(
        rf"[^\W_{_CJK}]",
        _CJK,
        marks,
        rf"""
      | [{_CJK}] [{marks}ﾞﾟ]*+
      | [\U0001f1e6-\U0001f1ff]{{1,2}}
      | {figure} (?: \u200d{figure} )*+
      | [{_SIGNS}]\ufe0f""",
    )


def _marks() -> str:
    """Ranges of combining marks, which Indic words are full of and isalnum leaves out."""
    # The blocks that have some; looking through all of Unicode would take a quarter of a second.
    blocks = [(0x300, 0x1F00), (0x20D0, 0x20F1), (0x2DE0, 0x2E00), (0x302A, 0x309B)]
    blocks += [(0xA66F, 0xAC00), (0xFB1E, 0xFB1F), (0xFE00, 0xFE30), (0x101FD, 0x12000)]
    blocks += [(0x16AF0, 0x17000), (0x1E000, 0x1E950)]
    ranges = "\u00ad\u200c\u200d"  # soft hyphen and the joiners: format characters inside words
    for low, high in blocks:
        start = None
        for code in range(low, high + 1):
            if code < high and unicodedata.category(chr(code))[0] == "M":
                start = code if start is None else start
            elif start is not None:
                ranges += f"{chr(start)}-{chr(code - 1)}"
                start = None
    return ranges


_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ABBREVIATION = re.compile(r"[^\W\d_](?:\.[^\W\d_])+\.?")

_LINE_ENDS = r"\n-\r\x1c-\x1e\x85\u2028\u2029"
# The class in front is what all three begin with: the search for one class is a quick one.
_BREAK = re.compile(
    rf"[{_LINE_ENDS}!?)](?:(?<=[{_LINE_ENDS}])\s*+|(?<=[!?])\s++|(?<=[.!?]\))\s++(?=[A-Z]))"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ODD_SPACE = re.compile(r"[^\S\x00-\x7f]")
_ENTRY = re.compile(r"\(?(?:\d{1,3}|[A-Za-z])[.)]")
_LONGEST_ENTRY = 5  # characters
_CHAPTER = re.compile(r"\b(?:vols?|chs?|eqs?|arts?|figs|pars?|refs?)\.\Z", re.IGNORECASE)
_WINDOW = 3000  # characters: more than most documents have
_SAYS = re.compile(r"[^\W_]")


def _is_one(body: str) -> bool:
    """Whether a text has nothing in it that may end a sentence, but at its own end.

    A search for one letter, or for the ends of lines, takes a tenth of a pattern's time.
    """
    text = body.rstrip(".!?")
    found = "." in text or "!" in text or "?" in text
    return not found and text.isascii() and text.splitlines() == [text]


def _breaks(text: str) -> list[int]:
    """Where a sentence certainly ends, in order; the end of the text comes last."""
    ends = []
    for match in _BREAK.finditer(text):
        space = match[0].strip(" \t")
        wrapped = space in ("\n", "\r\n") and text[match.end() : match.end() + 1].islower()
        if not wrapped:
            ends.append(match.end())
    return [*ends, len(text)]


def _ends(text: str, breaks: list[int]) -> list[int]:
    """Where sentences end: at each of `breaks`, and where sentencex says so between them.

    It takes quadratic time on some texts (many quotes, no spaces), so it gets long ones by the
    window: what comes before the last part of a window is sure, the next window starts there.
    """
    segment = _segment()
    ends: list[int] = []
    at = 0
    for end in breaks:
        while at < end:
            stop = end if end - at <= _WINDOW else at + _WINDOW
            parts = segment("en", text[at:stop])
            if stop < end:
                parts.pop()
            for part in parts:
                at += len(part)
                ends.append(at)
            if stop < end and not parts:  # one sentence, longer than the window
                at = stop
    return ends


@cache
def _segment() -> Callable[[str, str], list[str]]:
    from sentencex import segment

    return segment


def _stands(text: str, before: tuple[int, int], part: str) -> bool:
    """Whether `part` is a sentence of its own, and not the rest of an entry or a reference."""
    start, end = before
    if end - start <= _LONGEST_ENTRY and _ENTRY.fullmatch(text, start, end):
        return False
    return not (part[0].isdigit() and _CHAPTER.search(text, max(start, end - 8), end))
