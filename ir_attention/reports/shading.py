"""Words on shades of their weights: the colours, pieces and style that pages have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir_attention.reports.markup import decimal, escaped

__all__ = ["LEAST_SHADE", "PALETTE", "STYLE", "marked", "shades"]

# Below this strength a word that speaks against is not marked as such: it hardly does.
LEAST_SHADE = 0.05

# A hue whose strength is the weight reads the same without colour vision. Blue and orange tell
# what speaks for a match from what speaks against it, to nearly every eye; yellow is for links.
# At full strength each leaves the text a contrast of at least 4.5 to 1, in the light and the dark.
PALETTE = """
:root { color-scheme: light dark; --paper: #fdfcf9; --ink: #1d1c1a; --soft: #5f5b54;
  --line: #d9d5cc; --quiet: #f3f0e9; --tone: 118 176 245; --against: 243 156 106;
  --link: 244 208 92; --accent: #1f5fb0; --warn: #8a3f0d; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #eeece6; --soft: #a8a39a;
  --line: #3a3d42; --quiet: #1f2226; --tone: 40 96 172; --against: 150 72 28;
  --link: 128 98 10; --accent: #7db2f2; --warn: #f0a878; } }
"""

STYLE = (
    PALETTE
    + """
body { font: 16px/1.7 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
  background: var(--paper); color: var(--ink); }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
p.key { font-size: .85rem; color: var(--soft); margin: .2rem 0 .6rem; max-width: 46rem; }
.w { background: rgb(var(--tone) / var(--s)); border-radius: .25em; padding: .1em .25em;
  overflow-wrap: anywhere; }
.w.against { background: rgb(var(--against) / var(--s)); text-decoration: underline dotted 2px;
  text-underline-offset: .22em; }
"""
)


def shades(values: np.ndarray) -> np.ndarray:
    """How strong the shade of each weight is, 0 to 1. The largest gets 1, unless all are
    about equal: then none stands out.
    """
    full = max(values.max(initial=0), min(1.0, 3 * values.mean()) if values.size else 1.0)
    return values / full if full else values


def marked(
    words: Sequence[str],
    values: np.ndarray,
    strengths: np.ndarray | None = None,
    *,
    sign: bool = False,
) -> str:
    """Words as HTML, each on a shade of its value, which it has as a title.

    Args:
        words: Shown as text, whatever stands in them.
        values: Of the words: weights, 0 to 1, or effects.
        strengths: How strong the shades are, 0 to 1. Default: `shades(values)`.
        sign: Whether values may be below 0, which the shade's colour and dots below tell.
    """
    if not len(words):
        return "<i>no words</i>"
    strengths = shades(values) if strengths is None else strengths
    return " ".join(
        f'<span class="{"w against" if value < 0 and strength >= LEAST_SHADE else "w"}" '
        f'style="--s:{strength:.2f}" title="{decimal(value, 4, "+" if sign else "")}">'
        f"{escaped(word)}</span>"
        for word, value, strength in zip(words, values, strengths, strict=True)
    )
