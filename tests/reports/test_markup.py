"""Anyone's text as HTML, and numbers in it."""

import doctest
import html

import pytest
from explanations import HOSTILE

from ir_attention.reports import markup
from ir_attention.reports.markup import decimal, direction, escaped, isolated, visible


def test_examples():
    assert doctest.testmod(markup).failed == 0


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_reads_back(text):
    assert html.unescape(escaped(text)) == visible(text)
    assert not set("<>\"'") & set(escaped(text))
    assert len(visible(text)) == len(text)


def test_control_characters_become_their_pictures_and_white_space_stays():
    assert visible("\x00\x07\x1b\x7f \t\r\n\ud800") == "␀␇␛␡ \t\r\n\ufffd"


def test_only_words_with_marks_are_isolated():
    assert isolated("New") == "New"
    assert isolated("a\u202eb") == "<bdi>a\u202eb</bdi>"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("", "ltr"), ("123 !", "ltr"), ("abc مدارس", "ltr"), ("12 مدارس abc", "rtl"), ("שלום", "rtl")],
)
def test_direction_is_that_of_the_first_letter(text, wanted):
    assert direction(text) == wanted


def test_no_number_is_minus_zero():
    assert decimal(-0.0004, 3, sign="+") == "0.000"
    assert decimal(0.0004, 3, sign="+") == "0.000"
    assert decimal(-1234.5, 1) == "−1234.5"
