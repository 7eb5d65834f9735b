"""The style of the page that explains a decision."""

from __future__ import annotations

from ir_attention.reports.curves import CURVE_STYLE
from ir_attention.reports.links import LINK_STYLE
from ir_attention.reports.shading import PALETTE

__all__ = ["PAGE_STYLE"]

# --a and --e are how strong a word's attention and effect are, --strength the one that is shown, in
# the colour --look. While a word of the other side is pointed at, --linked and --over take over.
PAGE_STYLE = (
    PALETTE
    + """
:root { --sans: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, Charter, Georgia, "Noto Serif",
  "DejaVu Serif", serif; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { font: 1rem/1.55 var(--sans); background: var(--paper); color: var(--ink);
  margin: 0 auto; padding: 2.2rem 1.25rem 3rem; max-width: 66rem; }
body.several { max-width: 100rem; }
h1, h2, h3, h4 { line-height: 1.25; font-weight: 600; }
h1 { font: 600 1.75rem/1.2 var(--serif); letter-spacing: -.01em; margin: 0 0 1rem;
  text-wrap: balance; }
.notice { border-inline-start: 4px solid var(--warn); background: var(--quiet); max-width: 50rem;
  padding: .7rem 1rem; margin: 0 0 1.2rem; }
.model { max-width: 50rem; margin: 0 0 1rem; font-size: .9rem; color: var(--soft); }
.model p { margin: 0 0 .3rem; } .model strong { color: var(--ink); }
code { font-size: .92em; overflow-wrap: anywhere; }
.outcome { margin: -.5rem 0 1.1rem; font-size: .9rem; color: var(--soft); }
.vh { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.skip { position: absolute; background: var(--paper); color: var(--accent); padding: .2rem .5rem;
  z-index: 1; }
.skip:not(:focus) { width: 1px; height: 1px; padding: 0; overflow: hidden; clip-path: inset(50%); }
.note { font-size: .85rem; color: var(--soft); margin: .7rem 0; max-width: 52rem; }

.legend { border-block: 1px solid var(--line); padding: .55rem 0; font-size: .875rem;
  display: flex; flex-wrap: wrap; gap: .3rem 2.5rem; align-items: center; }
.switch { border: 0; padding: 0; margin: 0; min-width: 0; display: flex; flex-wrap: wrap;
  gap: .2rem 1.1rem; align-items: baseline; }
.switch legend { float: inline-start; font-weight: 600; padding: 0; }
.switch label { display: inline-flex; gap: .35rem; align-items: baseline; padding: .15rem 0; }
input { accent-color: var(--accent); }
.range { margin: 0; display: flex; gap: .6rem; align-items: center; color: var(--soft);
  font-variant-numeric: tabular-nums; }
.scale { width: 9rem; height: .85rem; border-radius: .2rem; border: 1px solid var(--line);
  background: linear-gradient(to right, rgb(var(--tone) / 0), rgb(var(--tone))); }
.scale.two { background: linear-gradient(to right, rgb(var(--against)), rgb(var(--against) / 0) 50%,
  rgb(var(--tone) / 0) 50%, rgb(var(--tone))); }
.by-effects { display: none; }
:root:has(#effects:checked) .by-effects { display: flex; }
:root:has(#effects:checked) .by-attention { display: none; }

.several main { display: grid; gap: 0 3rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.one { container-type: inline-size; padding-top: 1.5rem; min-width: 0; }
h2 { font-size: 1.05rem; margin: 0 0 1.1rem; display: flex; gap: .7rem; align-items: baseline; }
.score { font: 600 1.7rem/1 var(--serif); font-variant-numeric: tabular-nums lining-nums; }
h3 { font-size: .875rem; color: var(--soft); margin: 0 0 .6rem; }
h4 { font-size: .9rem; margin: 1.1rem 0 .2rem; }
.sides { display: grid; gap: 1.5rem 2.5rem; }
@container (min-width: 46rem) {
  .sides { grid-template-columns: minmax(12rem, 1fr) minmax(0, 2.1fr); }
  .sides .query { position: sticky; top: 1rem; align-self: start; } }
.text { font: 1.18rem/2 var(--serif); margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.query .text { font-weight: 600; }
.none { color: var(--soft); font-style: italic; margin: 0; }
.none .text { font-style: normal; }
.sentences { list-style: none; margin: 0; padding: 0; }
.sentences li { display: grid; grid-template-columns: 3.1rem minmax(0, 1fr); gap: 0 .9rem;
  align-items: start; padding: .15rem 0; }
.sentences li + li { border-top: 1px solid var(--line); padding-top: .4rem; margin-top: .4rem; }
.chip { position: relative; margin-top: .48rem; border: 1px solid var(--line); border-radius: 1rem;
  font: 600 .8rem/1.45rem var(--sans); font-variant-numeric: tabular-nums; text-align: center;
  background: rgb(var(--tone) / var(--s)); }
.chip, .w, .scale, .grid td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }

.w { --look: var(--tone); --strength: var(--a);
  background: rgb(var(--over, var(--look)) / var(--linked, var(--strength)));
  border-radius: .22em; padding: .12em .16em; margin-inline: -.04em;
  box-decoration-break: clone; -webkit-box-decoration-break: clone; }
:root:has(#effects:checked) .w { --strength: var(--e); }
:root:has(#effects:checked) .against { --look: var(--against);
  text-decoration: underline dotted 2px var(--dots, currentColor); text-underline-offset: .22em; }
"""
    + LINK_STYLE
    + CURVE_STYLE
    + """
details { border-top: 1px solid var(--line); margin-top: 1.1rem; padding-top: .7rem; }
details + details { margin-top: .7rem; }
summary { cursor: pointer; font-size: .9rem; font-weight: 600; }
summary:focus-visible, .wide:focus-visible { outline: 2px solid var(--accent);
  outline-offset: 2px; }
.wide { overflow-x: auto; }
.both { display: flex; flex-wrap: wrap; gap: 1rem 3rem; align-items: flex-start; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th { font-weight: normal; text-align: start; }
th bdi { display: inline-block; max-width: 12rem; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; vertical-align: bottom; }
.numbers { margin-top: .8rem; }
.numbers caption { text-align: start; font-weight: 600; padding-bottom: .2rem; }
.numbers th, .numbers td { padding: .15rem .9rem .15rem 0; border-bottom: 1px solid var(--line); }
.numbers td, .numbers thead th:not(:first-child) { text-align: end; }
.numbers thead th { color: var(--soft); }
.grid td[style] { background: rgb(var(--tone) / var(--s)); border: 1px solid var(--line);
  min-width: 1.6rem; padding: .1rem .2rem; text-align: center; font-size: .72rem; }
.grid th[scope=row] { text-align: end; padding-inline-end: .5rem; position: sticky;
  inset-inline-start: 0; background: var(--paper); }
.grid th[scope=col] { vertical-align: bottom; text-align: center; padding: .2rem 0; }
.grid th[scope=col] bdi { writing-mode: vertical-rl; transform: rotate(180deg); max-width: none;
  max-height: 10rem; }
.links { padding-inline-start: 1.1rem; font-size: .85rem; overflow-wrap: anywhere; }
footer { border-top: 1px solid var(--line); margin-top: 2.2rem; padding-top: 1.1rem;
  font-size: .875rem; color: var(--soft); }
footer h2 { font-size: .9rem; margin: 0 0 .4rem; color: var(--ink); }
footer ul { list-style: none; padding: 0; margin: 0; max-width: 46rem; }
footer li { margin: 0 0 .4rem; } footer b { color: var(--ink); }

@media (max-width: 30rem) {
  body { padding: 1.4rem 1rem 2rem; } h1 { font-size: 1.45rem; }
  .sentences li { grid-template-columns: minmax(0, 1fr); } .chip { width: 3.1rem; margin: .3rem 0; }
  .text { font-size: 1.1rem; } }
@media (forced-colors: active) {
  .w { border-bottom: calc(5px * var(--linked, var(--strength))) solid Highlight;
    border-radius: 0; }
  :root:has(#effects:checked) .against { border-bottom-style: double; }
  .chip { border-color: CanvasText; } .scale { display: none; } }
@media print { details:not([open]), .switch { display: none; } }
"""
)
