"""Words on shades of their weights: the pieces and the style that pages have in common."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

__all__ = ["STYLE", "marked", "shades"]

# One hue whose strength is the weight: it reads the same without colour vision, and its full
# strength leaves the text a contrast of at least 5 to 1, in the light and in the dark.
STYLE = """
:root { color-scheme: light dark; --tone: 110 175 255; --line: #8886; }
@media (prefers-color-scheme: dark) { :root { --tone: 35 105 195; } }
body { font: 16px/1.7 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
p.key { font-size: .85rem; opacity: .8; margin: .2rem 0 .6rem; max-width: 46rem; }
.w { background: rgb(var(--tone) / var(--s)); border-radius: .25em; padding: .1em .25em;
  overflow-wrap: anywhere; }
"""


def shades(values: np.ndarray) -> np.ndarray:
    """How strong the shade of each weight is, 0 to 1. The largest gets 1, unless all are
    about equal: then none stands out.
    """
    full = max(values.max(initial=0), min(1.0, 3 * values.mean()) if values.size else 1.0)
    return values / full if full else values


def marked(words: Sequence[str], weights: np.ndarray, strengths: np.ndarray | None = None) -> str:
    """Words as HTML, each on a shade of its weight, which it has as a title.

    Args:
        words: Shown as text, whatever stands in them.
        weights: Of the words, 0 to 1.
        strengths: How strong the shades are, 0 to 1. Default: `shades(weights)`.
    """
    if not len(words):
        return "<i>no words</i>"
    strengths = shades(weights) if strengths is None else strengths
    return " ".join(
        f'<span class="w" style="--s:{shade:.2f}" title="{weight:.4f}">{html.escape(word)}</span>'
        for word, weight, shade in zip(words, weights, strengths, strict=True)
    )
