"""A page as a program reads it: elements, words, texts, colours; and whether it is well formed."""

import re
from html.parser import HTMLParser

import numpy as np

_EMPTY = {"meta", "input", "br", "line", "polygon", "polyline"}


class Page(HTMLParser):
    """What a page holds.

    `elements` are all `(tag, attributes)`; `words` are `(text, strengths, title)` of each shaded
    word; `texts` is what stands in each element with a class, by that class, in order.
    """

    def __init__(self, page):
        super().__init__()
        self.elements, self.words, self.texts, self._open = [], [], {}, []
        self.feed(page)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        assert len(values) == len(attributes), f"twice in {tag}: {attributes}"
        self.elements.append((tag, values))
        if tag not in _EMPTY:
            self._open.append((tag, values, []))

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        for _, _, inside in self._open:
            inside.append(data)

    def handle_endtag(self, tag):
        assert self._open and self._open[-1][0] == tag, f"</{tag}> in {[o[0] for o in self._open]}"
        _, values, inside = self._open.pop()
        text = "".join(inside)
        for name in [tag, *values.get("class", "").split()]:
            self.texts.setdefault(name, []).append(text)
        if "w" in values.get("class", "").split():
            style = dict(part.split(":") for part in values["style"].split(";"))
            self.words.append((text, {key: float(style[key]) for key in style}, values["title"]))

    @property
    def tags(self):
        return {tag for tag, _ in self.elements}

    def all(self, name):
        """Each value of an attribute."""
        return [values[name] for _, values in self.elements if name in values]


def palettes(page):
    """The colours of the page by name, in the light and in the dark, as RGB from 0 to 255."""
    light, dark = re.split(r"@media \(prefers-color-scheme: dark\)", page)[:2]
    return {"light": _colours(light), "dark": _colours(dark.split("} }")[0])}


def _colours(style):
    found = {}
    for name, value in re.findall(r"--([a-z]+): (#[0-9a-f]{6}|\d+ \d+ \d+)\s*;", style):
        if value.startswith("#"):
            found[name] = [int(value[at : at + 2], 16) for at in (1, 3, 5)]
        else:
            found[name] = [int(part) for part in value.split()]
    return {name: np.array(value, float) for name, value in found.items()}
