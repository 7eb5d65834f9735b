"""The colours of pages: text can be read on every shade, in the light and in the dark."""

import numpy as np
import pytest
from explanations import explained
from page_reader import palettes

from ir_attention.reports.heatmaps import attention_page
from ir_attention.reports.shading import STYLE, marked, shades

LEAST = 4.5  # WCAG 2.2, success criterion 1.4.3, level AA


def luminance(colour):
    """Relative luminance as WCAG 2.2 defines it."""
    part = colour / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_as_defined():
    white, black = np.full(3, 255.0), np.zeros(3)
    assert contrast(white, black) == pytest.approx(21)
    assert contrast(np.full(3, 0x76), white) == pytest.approx(4.54, abs=0.01)  # #767676


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("page", [STYLE, attention_page(explained(["a"], ["b"]))], ids=["a", "b"])
def test_text_can_be_read_on_every_shade(page, mode):
    colours = palettes(page)[mode]
    assert set(colours) >= {"paper", "ink", "soft", "quiet", "tone", "against", "link", "accent"}
    for tone in ("tone", "against", "link"):
        for strength in np.linspace(0, 1, 101):
            shade = strength * colours[tone] + (1 - strength) * colours["paper"]
            assert contrast(colours["ink"], shade) >= LEAST, (tone, strength)
    for text, ground in (
        *(("soft", "paper"), ("soft", "quiet"), ("ink", "quiet")),
        *(("accent", "paper"), ("warn", "paper")),
    ):
        assert contrast(colours[text], colours[ground]) >= LEAST, (text, ground)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_full_shades_are_told_from_the_page_and_from_each_other(mode):
    colours = palettes(STYLE)[mode]
    for tone in ("tone", "against"):
        assert contrast(colours[tone], colours["paper"]) >= 2
    # Told apart by blue and yellow, which hardly anyone confuses.
    assert colours["tone"][2] - colours["tone"][0] > 60
    assert colours["against"][0] - colours["against"][2] > 60


def test_shades_are_relative_and_even_ones_pale():
    one = np.array([0.1, 0.4, 0.2, *[0.03] * 10])
    assert shades(one)[:3] == pytest.approx([0.25, 1, 0.5])
    assert shades(np.full(4, 0.25)) == pytest.approx(np.full(4, 1 / 3))
    assert shades(np.zeros(3)).tolist() == [0, 0, 0]
    assert shades(np.zeros(0)).tolist() == []


def test_marked_words_are_text():
    assert marked(["<b>", "\x00"], np.array([0.5, 0.25]), np.array([1.0, 0.5])) == (
        '<span class="w" style="--s:1.00" title="0.5000">&lt;b&gt;</span> '
        '<span class="w" style="--s:0.50" title="0.2500">␀</span>'
    )
    assert marked([], np.zeros(0)) == "<i>no words</i>"
