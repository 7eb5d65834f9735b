"""Decisions on labelled pairs, and scores of unlabelled ones, to how many of these are matches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ir_attention.errors import DataError
from ir_attention.evaluation.intervals import check_draws, resampled_sums
from ir_attention.evaluation.thresholds import Decisions, codes_of, scores_of

__all__ = ["Assumption", "CountEstimate", "estimate_count"]

Assumption = Literal["rates", "precision"]
_Found = tuple[float, float, float, float]

_FEW = 10  # said yes: the interval then spans a factor of two and more
_TINY = 1e-9


@dataclass(frozen=True)
class CountEstimate:
    """How many of some unlabelled pairs are matches.

    Attributes:
        count: The estimate, from 0 to `pairs`; it need not be whole.
        low: The low end of its 95 % interval.
        high: The high end.
        pairs: How many unlabelled pairs there are.
        yes: How many of them reach the threshold.
        assume: What was taken to hold for them as for the labelled pairs.
        notes: What a reader of the numbers should know, a sentence each.
    """

    count: float
    low: float
    high: float
    pairs: int
    yes: int
    assume: Assumption
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return {
            "pairs": self.pairs,
            "yes": self.yes,
            "count": self.count,
            "interval": [self.low, self.high],
            "assume": self.assume,
        }


def estimate_count(
    decisions: Decisions,
    scores: Iterable[float],
    *,
    queries: Iterable[object] | None = None,
    assume: Assumption = "rates",
    seed: int = 7,
    resamples: int = 4000,
) -> CountEstimate:
    """Estimates how many of some unlabelled pairs are matches: relevant, yes or no.

    Counting the pairs said yes is biased: some are wrong, and some matches are missed. How often
    is known from labelled pairs, and something of it must hold for the unlabelled ones, too:

    * `assume="rates"`, the default: a match is as often found, and another pair as often taken for
      one, as among the labelled pairs, while matches themselves may be rarer or more frequent.
      With `tpr` and `fpr` for these two rates,

          count = (yes - pairs * fpr) / (tpr - fpr),

      the adjusted count: Rogan and Gladen, "Estimating Prevalence from the Results of a Screening
      Test", 1978; Forman, "Quantifying Counts and Costs via Classification", 2008. Labelled pairs
      mostly are candidates that somebody picked, and a stream of tweets is not: hence the
      default. Where matches are rare, all hangs on `fpr`, and the interval shows it.
    * `assume="precision"`: precision and recall hold, which they do only where matches are as
      frequent as among the labelled pairs, as in a random part of the same collection. Then

          count = yes * precision / recall,

      whose interval is narrower; with matches rarer than that it is far too high.

    The interval is of the count among these pairs, not of a rate behind them. Drawn are the
    rates, by queries with replacement where `decisions` has them and from the Beta distribution
    (Jeffreys) where not or where a rate is 0 or 1; the share of pairs that are said yes, from the
    Beta distribution; and given these, which of the pairs are matches. Queries differ in how well
    they are decided: with `queries`, few of them make the interval wider, as much as the queries
    of `decisions` differ beyond chance.

    Args:
        decisions: From `measure_threshold`, on pairs like the unlabelled ones.
        scores: Of the unlabelled pairs, by the same model.
        queries: The id of each unlabelled pair's query. Without, the queries are taken to be so
            many that their differences even out.
        assume: `"rates"` or `"precision"`.
        seed: Of the interval.
        resamples: Of the interval.

    Raises:
        DataError: A score is no number, or there is none; `decisions` lacks relevant pairs or
            others; a threshold that does not tell them apart; an unknown assumption; a seed or
            a number of resamples that cannot be.

    Example:

    >>> from ir_attention.evaluation import measure_threshold
    >>> labels = [1] * 80 + [0] * 20 + [1] * 10 + [0] * 190  # 80 of 90 found, 20 of 210 wrong
    >>> decisions = measure_threshold(0.5, [0.9] * 100 + [0.1] * 200, labels)
    >>> round(estimate_count(decisions, [0.9] * 150 + [0.1] * 850).count, 1)  # and not 150
    69.0
    """
    if assume not in _METHODS:
        raise DataError(f"assume: must be 'rates' or 'precision'. Received: {assume!r}")
    check_draws(seed, resamples)
    score = scores_of(scores)
    query, _ = codes_of(queries, len(score))
    yes = int((score >= decisions.threshold).sum())
    sums = decisions.cells.sum(axis=0)
    _refuse_useless(sums, assume)
    # The chance that two unlabelled pairs are of one query.
    together = 0.0 if queries is None else float(((np.bincount(query) / len(score)) ** 2).sum())
    draw = _Draw(decisions, np.random.default_rng(seed), resamples, together)
    raw, count, low, high = _METHODS[assume](sums, yes, len(score), draw)
    notes = []
    if abs(raw - count) > _TINY * len(score):
        notes.append(f"The formula gives {raw:.1f}; cut at {count:.6g}.")
    if yes < _FEW:
        notes.append(f"Only {yes} reach the threshold: the estimate rests on few pairs.")
    if queries is not None and not decisions.by_query:
        notes.append("How queries differ is not known, and not in the interval.")
    low, high = min(low, count), max(high, count)  # by a little, with a handful of pairs
    return CountEstimate(count, low, high, len(score), yes, assume, tuple(notes))


def _by_rates(sums: np.ndarray, yes: int, pairs: int, draw: _Draw) -> _Found:
    """The adjusted count, uncut and cut, and the ends of its interval.

    The share of pairs that are said yes, drawn with the rates, gives the share that matches; of
    those said yes and of those said no each is then a match by Bayes' theorem.
    """
    right, wrong, missed, spared = sums
    tpr, fpr = right / (right + missed), wrong / (wrong + spared)
    raw = (yes - pairs * fpr) / (tpr - fpr)
    tprs = draw.elsewhere(draw.shares(0, 2), 0, 2)
    fprs = draw.elsewhere(draw.shares(1, 3), 1, 3)
    said = draw.rng.beta(yes + 0.5, pairs - yes + 0.5, size=draw.resamples)
    # What no share of matches makes: none match, or as many as this is likely for all the same.
    above = _beta_above(fprs, yes, pairs, draw.rng)
    below = 1 - _beta_above(1 - tprs, pairs - yes, pairs, draw.rng)
    ends = np.where(said > tprs, below, said), np.where(said < fprs, above, said)
    gap = tprs - fprs
    sorts = gap > 0  # where it does not, any count is possible
    low, high = (
        np.quantile(np.where(sorts, _matches(end, tprs, fprs, yes, pairs, draw.rng), unknown), tail)
        for end, unknown, tail in zip(ends, (0, pairs), (0.025, 0.975), strict=True)
    )
    return float(raw), float(np.clip(raw, 0, pairs)), float(low), float(high)


def _matches(
    said: np.ndarray,
    tprs: np.ndarray,
    fprs: np.ndarray,
    yes: int,
    pairs: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """How many match, drawn, if `said` is the share of yes behind the pairs."""
    share = ((said - fprs) / np.maximum(tprs - fprs, _TINY)).clip(0, 1)
    found, left = share * tprs, share * (1 - tprs)
    wrongly, rightly = (1 - share) * fprs, (1 - share) * (1 - fprs)
    counts = rng.binomial(yes, found / np.maximum(found + wrongly, _TINY))
    return counts + rng.binomial(pairs - yes, left / np.maximum(left + rightly, _TINY))


def _beta_above(least: np.ndarray, yes: int, pairs: int, rng: np.random.Generator) -> np.ndarray:
    """The share of yes, drawn from what the Beta distribution has above `least`."""
    from scipy.special import betaincc, betainccinv

    shape = yes + 0.5, pairs - yes + 0.5
    tail = betaincc(*shape, least)
    drawn = betainccinv(*shape, tail * rng.random(len(least)))
    return np.where(tail > 0, drawn, least)


def _by_precision(sums: np.ndarray, yes: int, pairs: int, draw: _Draw) -> _Found:
    """The count by precision and recall, uncut and cut, and the ends of its interval."""
    right, wrong, missed, _ = sums
    raw = yes * (right + missed) / (right + wrong)  # precision / recall
    found = draw.rng.binomial(yes, draw.elsewhere(draw.shares(0, 1), 0, 1))
    # How many are missed until so many are found; half a one more, as in Jeffreys' distribution.
    recall = draw.elsewhere(draw.shares(0, 2), 0, 2).clip(_TINY, 1)
    missing = np.minimum(draw.rng.negative_binomial(found + 0.5, recall), pairs - yes)
    low, high = np.quantile(found + missing, (0.025, 0.975))
    most = yes * right / (right + wrong) + pairs - yes  # no more can be missed than are no
    return float(raw), float(min(raw, most)), float(low), float(high)


_METHODS = {"rates": _by_rates, "precision": _by_precision}


class _Draw:
    """Shares as they could have been, `(resamples,)`, among labelled pairs and elsewhere."""

    def __init__(
        self, decisions: Decisions, rng: np.random.Generator, resamples: int, together: float
    ) -> None:
        self.cells, self.by_query, self.rng = decisions.cells, decisions.by_query, rng
        self.resamples, self.together = resamples, together
        # Some queries take many pairs for matches, right and wrong alike: one level for both.
        self.level = rng.random(resamples)
        if self.by_query:  # the same queries for all shares
            drawn = resampled_sums(self.cells, rng=rng, resamples=resamples)
            self.sums = np.concatenate([*drawn])

    def shares(self, hit: int, miss: int) -> np.ndarray:
        """The share of one column of the cells in two, had other queries or pairs been labelled."""
        hits, misses = self.cells[:, hit].sum(), self.cells[:, miss].sum()
        if self.by_query and hits and misses:
            cases = self.sums[:, hit] + self.sums[:, miss]
            share = np.full(self.resamples, hits / (hits + misses))
            return np.divide(self.sums[:, hit], cases, out=share, where=cases > 0)
        if self.by_query:  # every draw would be the same; a query counts as one case
            cases = (self.cells[:, [hit, miss]].sum(axis=1) > 0).sum()
            hits, misses = cases * (hits > 0), cases * (misses > 0)
        return self.rng.beta(hits + 0.5, misses + 0.5, size=self.resamples)

    def elsewhere(self, share: np.ndarray | float, hit: int, miss: int) -> np.ndarray:
        """The share among the unlabelled pairs, whose queries are others: a Beta about `share`."""
        alike = self.together * _likeness(self.cells[:, hit], self.cells[:, miss])
        shares = np.broadcast_to(np.asarray(share, float), self.resamples)
        if not alike:
            return shares
        from scipy.special import betaincinv

        weight = 1 / min(alike, 0.999) - 1  # the variance is then alike * share * (1 - share)
        inner = np.clip(shares, 1e-9, 1 - 1e-9)
        found = betaincinv(weight * inner, weight * (1 - inner), self.level)
        return np.where((shares > 0) & (shares < 1), found, shares)


def _likeness(hits: np.ndarray, misses: np.ndarray) -> float:
    """The correlation of two pairs of one query in whether they hit: how much queries differ.

    By moments: of `cases` pairs of a query with correlation `r` and share `p`, the hits have the
    variance `cases * p * (1 - p) * (1 + (cases - 1) * r)`.
    """
    cases = hits + misses
    hits, cases = hits[cases > 0], cases[cases > 0]
    couples = (cases * (cases - 1)).sum()
    share = hits.sum() / max(cases.sum(), 1)
    if len(cases) < 2 or not couples or share in (0, 1):
        return 0.0
    squares = ((hits - share * cases) ** 2).sum() * len(cases) / (len(cases) - 1)
    return float(np.clip((squares / (share * (1 - share)) - cases.sum()) / couples, 0, 1))


def _refuse_useless(sums: np.ndarray, assume: str) -> None:
    right, wrong, missed, spared = map(int, sums)
    if assume == "precision":
        if not right:
            raise DataError(
                "decisions: some relevant pair must reach the threshold, or nothing can be "
                f"estimated. Received: {right} of {right + missed}"
            )
        return
    if not right + missed or not wrong + spared:
        raise DataError(
            "decisions: must have both relevant pairs and others, whose rates are needed. "
            f"Received: {right + missed} and {wrong + spared}"
        )
    if right * (wrong + spared) <= wrong * (right + missed):
        raise DataError(
            "decisions: relevant pairs must reach the threshold more often than others, or nothing "
            f"can be estimated. Received: {right} of {right + missed}, and {wrong} of "
            f"{wrong + spared}"
        )
