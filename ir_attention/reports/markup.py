"""Anyone's text to HTML that shows it and does nothing else."""

from __future__ import annotations

import html
import re
import unicodedata

__all__ = ["decimal", "direction", "escaped", "isolated", "minus", "typed", "visible"]

# A page cannot hold these, or shows nothing for them: their pictures stand in.
_UNSEEN = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"}
_UNSEEN |= {0x7F: 0x2421} | dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)

_MINUS = re.compile(r"(?<!\w)-(?=[\d.])")

# What turns the direction of all that follows, up to the end of its element.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    r"""The text as HTML, in an attribute too, with all that is in it `visible`.

    >>> escaped('<b>"\x00"</b>')
    '&lt;b&gt;&quot;␀&quot;&lt;/b&gt;'
    """
    return html.escape(visible(text))


def visible(text: str) -> str:
    """Control characters, which a page cannot hold or does not show, as their Unicode pictures.

    Half a character (a lone surrogate) becomes the sign for one that is missing.
    """
    return text.translate(_UNSEEN)


def isolated(text: str) -> str:
    """`escaped`, in an element of its own where marks in it would turn its neighbours round.

    Words without such marks stay in the run of the text, for in it two English words within an
    Arabic sentence keep their order.
    """
    return f"<bdi>{escaped(text)}</bdi>" if _TURNING.search(text) else escaped(text)


def decimal(value: float, digits: int, sign: str = "") -> str:
    """A number with the true minus sign, which is as wide as the plus; zero has none.

    Args:
        value: The number.
        digits: After the point.
        sign: `+` for one before positive numbers too.

    >>> decimal(-1.25, 1), decimal(-0.01, 1), decimal(2, 1, sign="+")
    ('−1.2', '0.0', '+2.0')
    """
    return minus(typed(value, digits, sign))


def minus(text: str) -> str:
    """With the true minus sign before numbers, for text of ours.

    >>> minus("leave-one-out: -0.5 (-1 to 2)")
    'leave-one-out: −0.5 (−1 to 2)'
    """
    return _MINUS.sub("\u2212", text)


def typed(value: float, digits: int, sign: str = "") -> str:
    """The same with the minus of a keyboard, for plain text.

    >>> typed(-1.25, 1), typed(-0.01, 1)
    ('-1.2', '0.0')
    """
    shown = f"{value:{sign}.{digits}f}"
    return shown if float(shown) else shown.lstrip("+-")


def direction(text: str) -> str:
    """`rtl` if the first letter with a direction is written from right to left, otherwise `ltr`.

    As `dir="auto"` has it, which does not look into isolated words.
    """
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return "ltr"
