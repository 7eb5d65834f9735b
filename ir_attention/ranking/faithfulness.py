"""Is that why? Pairs whose words are erased in the order of attention, of effects and by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ir_attention.data.arrays import Runs
from ir_attention.errors import BundleError, DataError
from ir_attention.evaluation.intervals import check_draws
from ir_attention.ranking.erasing import (
    LEAST_WORDS,
    affordable,
    area,
    document_effects,
    erasure,
    order_of,
    random_orders,
)
from ir_attention.ranking.gradients import Network, check_gradients
from ir_attention.ranking.ranker import Ranker
from ir_attention.ranking.verdict import Faithfulness, Measured
from ir_attention.scoring.matcher import MatcherScorer, Request
from ir_attention.threads import one_blas_thread

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["faithfulness", "kendall_tau"]

# Shares 10 % to 50 %, by their place in `SHARES`.
_FIRST_HALF = slice(1, 6)
# Pairs whose gradients are computed at once.
_PAIRS = 64


def faithfulness(
    ranker: Ranker,
    pairs: Any,
    *,
    limit: int = 200,
    seed: int = 7,
    gradient: bool = True,
    resamples: int = 1000,
) -> Faithfulness:
    """Erases words of documents in several orders, and compares what is lost of their scores.

    The orders: `attention` (a word's weight times its sentence's), `effects` (how much lower the
    score is without the word alone), `gradient` (the length of the score's gradient with respect to
    the word's vector), `gradient_input` (that gradient times the vector), and `random`, the mean of
    20 orders by chance. The largest value goes first, of equal ones the word that stands first.

    The measures, in units of the score: `area` under the loss of score as 0, 10, ... 100 % of the
    words are erased, rounded up to whole words; `comprehensiveness`, the mean loss at 10 to 50 %;
    `sufficiency`, the mean loss when these words alone are kept, which is better the lower it is
    (DeYoung et al. 2020, section 4; their shares are 1, 5, 10, 20 and 50 %). And `tau`, Kendall's
    tau-b of the values with the effects (Jain and Wallace 2019, section 4.1), -1 to 1; undefined of
    a document whose values are all equal.

    Not looked at, and counted: pairs whose document has fewer than 5 words, or none; whose query
    has none; and those so long that their effects would take more than a second or two. A sentence
    whose words are all erased is none.

    Args:
        ranker: A `han` or `han-bi`.
        pairs: As of `Ranker.score`. If there are labels, the relevant ones; else all. A pair of
            texts that stands there twice counts once.
        limit: How many of them at most, drawn by `seed`.
        seed: Of the draw, the random orders and the intervals.
        gradient: Whether to take gradients, which loads Keras and needs its TensorFlow backend.
        resamples: How often queries are drawn, with all their pairs, for the intervals.

    Raises:
        DataError: There is no such pair, or nothing to show of this model; or Keras runs on
            another backend.
    """
    check_draws(seed, resamples)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise DataError(f"`limit` must be a whole number from 1. Received: {limit!r}")
    scorer = ranker.attentive
    if gradient:
        check_gradients()
    rows = _relevant(pairs)
    drawn, left_out = _drawn(scorer, rows, limit, seed)
    if not drawn:
        raise DataError(
            f"no pair has a query, and a document of {LEAST_WORDS} words or more and not too "
            f"long. Received: {left_out} pairs"
        )
    with np.errstate(over="ignore", invalid="ignore"), one_blas_thread():
        values = [_values(scorer, pair) for pair in drawn]
        if gradient:
            settings = ranker.bundle.settings["matcher"]
            _add_gradients(values, Network(scorer, ranker.bundle.model, settings), drawn)
        measured = [_measured(scorer, *both, seed) for both in zip(drawn, values, strict=True)]
    if not all(np.isfinite(losses).all() for one in measured for losses in one.losses.values()):
        raise BundleError(
            f"the weights of this {ranker.bundle.model} give scores that are not finite: copy the "
            "bundle again, or train it again"
        )
    return Faithfulness.of_pairs(
        ranker.bundle.settings, measured, left_out=left_out, seed=seed, resamples=resamples
    )


def kendall_tau(one: np.ndarray, other: np.ndarray) -> float:
    """Kendall's tau-b of two values of each word, `(words,)`: -1 to 1; NaN if one is constant.

    >>> round(kendall_tau(np.array([1, 2, 3, 4]), np.array([1, 2, 4, 3])), 4)
    0.6667
    """
    left, right = (np.sign(values[:, None] - values) for values in (one, other))
    pairs = np.sqrt((left**2).sum() * (right**2).sum())
    return float((left * right).sum() / pairs) if pairs else float("nan")


class _Pair(NamedTuple):
    """A pair that is looked at."""

    query_id: str
    doc_id: str
    query: str
    document: str
    words: int
    number: int  # of its random orders
    request: Request


def _relevant(pairs: Any) -> pd.DataFrame:
    """Distinct pairs of texts, relevant ones where there are labels."""
    from ir_attention.data.readers import as_pairs  # pyarrow, which `explain` does without

    rows = as_pairs(pairs, labels="optional")
    if "label" in rows:
        if not (rows["label"] > 0).any():
            raise DataError(f"no pair is relevant (a label above 0). Received: {len(rows)} pairs")
        rows = rows[rows["label"] > 0]
    return rows.drop_duplicates(["text_left", "text_right"])


def _drawn(
    scorer: MatcherScorer, rows: pd.DataFrame, limit: int, seed: int
) -> tuple[list[_Pair], int]:
    """Pairs by chance, as many as may be had, and how many were passed over on the way."""
    names = ["id_left", "id_right", "text_left", "text_right"]
    texts = list(rows[names].itertuples(index=False, name=None))
    drawn: list[_Pair] = []
    left_out = 0
    for number in np.random.default_rng(seed).permutation(len(texts)).tolist():
        query_id, doc_id, query, document = texts[number]
        request = scorer.number([query], [document])
        lengths = Runs.of_texts(request.texts).lengths
        words, asked = int(lengths[request.document[0]]), int(lengths[request.query[0]])
        if words < LEAST_WORDS or not asked or not affordable(request):
            left_out += 1
            continue
        drawn.append(_Pair(str(query_id), str(doc_id), query, document, words, number, request))
        if len(drawn) == limit:
            break
    return drawn, left_out


def _values(scorer: MatcherScorer, pair: _Pair) -> dict[str, np.ndarray]:
    """How much each word counts, by attention and by what the score is without it."""
    _, looks, request = scorer.look(pair.query, pair.document)
    of_text = Runs.of_texts(request.texts)
    lengths = request.texts.sentence_lengths[of_text.sentence_places(request.document)]
    totals = looks.words * np.repeat(looks.sentences, lengths)
    return {"attention": totals.astype(float), "effects": document_effects(scorer, request)}


def _add_gradients(
    values: list[dict[str, np.ndarray]], network: Network, pairs: list[_Pair]
) -> None:
    for start in range(0, len(pairs), _PAIRS):
        part = pairs[start : start + _PAIRS]
        request = network.scorer.number([one.query for one in part], [one.document for one in part])
        found = network.gradients(request)
        for own, gradients in zip(values[start : start + _PAIRS], found, strict=True):
            own |= {"gradient": gradients.norm, "gradient_input": gradients.product}


def _measured(
    scorer: MatcherScorer, pair: _Pair, values: dict[str, np.ndarray], seed: int
) -> Measured:
    chance = random_orders(pair.words, (seed, pair.number))
    gone, alone = erasure(scorer, pair.request, [*map(order_of, values.values()), *chance])
    numbers = np.stack(
        [area(gone), gone[:, _FIRST_HALF].mean(axis=1), alone[:, _FIRST_HALF].mean(axis=1)], axis=1
    )
    # The first of an order counts most.
    given = [*values.values(), *(-np.argsort(order) for order in chance)]
    tau = [kendall_tau(one, values["effects"]) for one in given]
    numbers = np.concatenate([numbers, np.array(tau)[:, None]], axis=1)
    return Measured(
        pair.query_id,
        pair.doc_id,
        pair.words,
        _with_chance(values, gone),
        _with_chance(values, numbers),
    )


def _with_chance(values: dict[str, np.ndarray], found: np.ndarray) -> dict[str, np.ndarray]:
    """By order what was found of it; the rest are orders by chance, whose mean stands for all."""
    named = dict(zip(values, found, strict=False))
    return {**named, "random": found[len(values) :].mean(axis=0)}
