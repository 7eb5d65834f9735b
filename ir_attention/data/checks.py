"""Checked pairs to what is odd about them, before anything is learnt from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ir_attention.data.coded import decode, distinct
from ir_attention.data.files import shown

__all__ = ["Finding", "Report", "check_pairs", "once_each"]

# Positives stand first by chance in some queries. In nearly all of several, somebody sorted them.
_SORTED_SHARE = 0.9
_SORTED_QUERIES = 5


@dataclass(frozen=True)
class Finding:
    """One thing that is odd about a part.

    Args:
        part: `"train"`, `"dev"` or `"test"`.
        what: What is odd, to be read after the numbers.
        count: How many are like it.
        total: Of how many.
        example: The first of them.
    """

    part: str
    what: str
    count: int
    total: int
    example: str

    def __str__(self) -> str:
        return f"{self.part}: {self.count} of {self.total} {self.what}, for example {self.example}"


@dataclass(frozen=True)
class Report:
    """What `check_pairs` found; true if there is anything."""

    findings: tuple[Finding, ...]

    def lines(self) -> list[str]:
        """A sentence for each finding."""
        return [str(finding) for finding in self.findings]

    def __str__(self) -> str:
        return "\n".join(self.lines()) or "nothing odd"

    def __bool__(self) -> bool:
        return bool(self.findings)


def check_pairs(
    train: pd.DataFrame, dev: pd.DataFrame | None = None, *, test: pd.DataFrame | None = None
) -> Report:
    """Looks for what makes a model learn nothing, or a measure say too much.

    * queries without a relevant document, and queries with nothing else: no measure can tell
      rankings of them apart;
    * labels of one class only;
    * a pair of the same texts twice, or twice with different labels;
    * queries and documents without text;
    * candidates in the order of their labels: whoever breaks ties by row order, or keeps it,
      measures this order;
    * queries and documents of the training part in a part that is to be measured, by text.

    Args:
        train: Checked pairs, with or without labels.
        dev: Pairs that choose between models.
        test: Pairs that are measured at the end.

    Returns:
        The findings, each with numbers and an example. Nothing is changed or left out.
    """
    parts = {"train": train, "dev": dev, "test": test}
    findings: list[Finding] = []
    for name, pairs in parts.items():
        if pairs is None:
            continue
        findings += _empty(name, pairs)
        if "label" in pairs:
            findings += [*_labels(name, pairs), *_order(name, pairs)]
        findings += _repeated(name, pairs)
        if name != "train":
            findings += _shared(name, pairs, train)
    return Report(tuple(findings))


def _empty(part: str, pairs: pd.DataFrame) -> Iterator[Finding]:
    for side, kind in (("left", "queries"), ("right", "documents")):
        texts = decode(pairs.drop_duplicates(f"id_{side}"))
        empty = texts[f"text_{side}"].str.strip() == ""
        yield from _finding(part, f"{kind} have no text", empty, texts[f"id_{side}"])


def _labels(part: str, pairs: pd.DataFrame) -> Iterator[Finding]:
    if pairs["label"].nunique() == 1:
        what = f"pairs have the same label, {pairs['label'].iloc[0]}"
        yield Finding(part, what, len(pairs), len(pairs), _pair(pairs, 0))
        return
    relevant = (pairs["label"] > 0).groupby(pd.factorize(pairs["id_left"])[0], sort=False)
    queries = decode(pairs.drop_duplicates("id_left"))
    names = queries["id_left"] + " " + queries["text_left"].map(shown)
    yield from _finding(part, "queries have no relevant document", ~relevant.any(), names)
    yield from _finding(part, "queries have relevant documents only", relevant.all(), names)


def _order(part: str, pairs: pd.DataFrame) -> Iterator[Finding]:
    codes, names = pd.factorize(pairs["id_left"])
    order = np.argsort(codes, kind="stable")
    query, label = codes[order], pairs["label"].to_numpy()[order]
    rises = np.zeros(len(names), bool)
    falls = np.zeros(len(names), bool)
    same = query[1:] == query[:-1]
    rises[query[1:][same & (label[1:] > label[:-1])]] = True
    falls[query[1:][same & (label[1:] < label[:-1])]] = True
    mixed, ordered = rises | falls, falls & ~rises
    if mixed.sum() >= _SORTED_QUERIES and ordered.sum() >= _SORTED_SHARE * mixed.sum():
        what = "queries with several labels list the relevant documents first: shuffle candidates"
        first = str(names[int(ordered.argmax())])
        yield Finding(part, what, int(ordered.sum()), int(mixed.sum()), first)


def _repeated(part: str, pairs: pd.DataFrame) -> Iterator[Finding]:
    codes = pd.DataFrame(
        {side: pd.factorize(pairs[f"text_{side}"])[0] for side in ("left", "right")}
    )
    again = codes.duplicated().to_numpy()
    if not again.any():
        return
    differs = np.zeros(len(codes), bool)
    if "label" in pairs:
        codes["label"] = pairs["label"].to_numpy()
        differs = again & ~codes.duplicated().to_numpy()
    for what, bad in (
        ("pairs are there before with the same texts", again & ~differs),
        ("pairs are there before with the same texts and another label", differs),
    ):
        if bad.any():
            example = _pair(pairs, int(bad.argmax()))
            yield Finding(part, what, int(bad.sum()), len(pairs), example)


def _shared(part: str, pairs: pd.DataFrame, train: pd.DataFrame) -> Iterator[Finding]:
    for side, kind in (("left", "queries"), ("right", "documents")):
        texts = pd.Series(distinct(pairs[f"text_{side}"])[1], dtype=object)
        shared = texts.isin(distinct(train[f"text_{side}"])[1])
        yield from _finding(part, f"{kind} are in train too", shared, texts.map(shown))


def _finding(part: str, what: str, bad: pd.Series, names: pd.Series) -> Iterator[Finding]:
    flags = bad.to_numpy(bool)
    if flags.any():
        example = str(names.iloc[int(flags.argmax())])
        yield Finding(part, what, int(flags.sum()), len(flags), example)


def _pair(pairs: pd.DataFrame, row: int) -> str:
    return f"{pairs['id_left'].iloc[row]} with {pairs['id_right'].iloc[row]}"


def once_each(pairs: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Each query with each document once, with its highest label, for measuring.

    Returns:
        The pairs, and a sentence that says how many were repeated; no words if none was.
    """
    ids = ["id_left", "id_right"]
    again = pairs.duplicated(ids)
    if not again.any():
        return pairs, ""
    labels = pairs.groupby(ids)["label"]
    differ = int((labels.transform("min") < labels.transform("max"))[~again].sum())
    note = f"{again.sum()} of {len(pairs)} pairs are there before, and count once" + (
        f"; {differ} with several labels count with the highest." if differ else "."
    )
    return pairs.assign(label=labels.transform("max"))[~again].reset_index(drop=True), note
