"""What the score of a pair is without some of its words: word by word, and in an order.

Erased is the word, not the characters around it: it is taken out of the words that the model reads,
so that nothing else changes, neither where sentences end nor how other words are cut. A sentence
without a word left is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ir_attention.data.arrays import Runs
from ir_attention.scoring.matcher import MatcherScorer, Request
from ir_attention.scoring.variants import document_variants, query_variants

__all__ = [
    "AFFORDABLE",
    "LEAST_WORDS",
    "SHARES",
    "TAILS",
    "affordable",
    "area",
    "chance_orders",
    "document_effects",
    "erased_counts",
    "erasure",
    "erasure_curves",
    "kept_scores",
    "losses",
    "order_of",
    "query_effects",
    "random_orders",
]

# The shares of a document's words that are erased, one after the other.
SHARES = np.linspace(0, 1, 11)

# Of fewer words there are too few orders to tell one from chance: 3 words have six, 4 have 24, of
# which many lose the same, so that even the best of them is not always beyond the range of some.
LEAST_WORDS = 5

# Random orders of one pair among many, of which the mean counts.
_ORDERS = 20
# Random orders beside one explanation, where their range decides. Of 80 tweets, the verdict on 66
# was the same for ten seeds of 20 orders, on 71 for ten of 100. Each is read eleven times, so that
# a long text gets fewer: what a tenth of a second allows, but 50.
_MOST_ORDERS, _FEWEST_ORDERS, _WORDS_OF_ORDERS = 100, 50, 7500
# Areas that differ by less are the same: scores are of single precision.
_NOISE = 1e-6
# The range that holds 95 %.
TAILS = (0.025, 0.975)

# Words of all variants together that are numbered at once, some 50 MB.
_WORDS = 1 << 20

# Up to how much work effects are worth waiting for without having been asked for, in words and
# sentences that are read again: a second or two. A word that looks at another takes less.
AFFORDABLE = 300_000
_LOOKS_PER_READING = 100


def kept_scores(scorer: MatcherScorer, request: Request, kept: np.ndarray) -> np.ndarray:
    """The score of a pair when only some words of its document are kept.

    Args:
        scorer: What numbered the pair.
        request: The pair.
        kept: Booleans, `(variants, words)`. Those that are equal are scored once.

    Returns:
        `(variants,)`.
    """
    unique, places = _unique(kept)
    step = max(1, _WORDS // max(kept.shape[1], 1))
    scores = [
        scorer.score_request(document_variants(request, unique[start : start + step]), alike=True)
        for start in range(0, len(unique), step)
    ]
    return np.concatenate([np.zeros(0), *scores])[places]


def document_effects(scorer: MatcherScorer, request: Request) -> np.ndarray:
    """How much lower the score is without each word of the document: leave-one-out, `(words,)`.

    Below 0, the score is higher without the word. Each word is left out by itself, so that of two
    words that say the same, either may have no effect.
    """
    words = _words(request, request.document)
    return _effects(words, lambda kept: kept_scores(scorer, request, kept))


def query_effects(scorer: MatcherScorer, request: Request) -> np.ndarray:
    """The same for each word of the query, `(query words,)`."""
    words = _words(request, request.query)
    return _effects(words, lambda kept: scorer.score_request(query_variants(request, kept)))


def affordable(request: Request) -> bool:
    """Whether both sides' effects take a second or two at most."""
    of_text = Runs.of_texts(request.texts)
    lengths = request.texts.sentence_lengths[of_text.sentence_places(request.document)]
    words, asked = int(lengths.sum()), _words(request, request.query)
    # Each variant reads one sentence of its own, all sentences' vectors, and, for each word of the
    # query that is left out, all words.
    readings = int((lengths**2).sum()) + words * (len(lengths) + asked)
    looks = words * asked * (words + asked)
    return readings + looks / _LOOKS_PER_READING <= AFFORDABLE


def order_of(values: np.ndarray) -> np.ndarray:
    """Words by falling value; of equal ones, the one that stands first."""
    return np.argsort(-values, kind="stable")


def random_orders(words: int, seed: int | Sequence[int], orders: int = _ORDERS) -> np.ndarray:
    """Orders of words by chance, `(orders, words)`; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile(np.arange(words), (orders, 1)), axis=1)


def chance_orders(words: int) -> int:
    """How many random orders stand beside one explanation, by the words of its document.

    >>> chance_orders(20), chance_orders(150), chance_orders(300)
    (100, 50, 50)
    """
    return min(_MOST_ORDERS, max(_FEWEST_ORDERS, _WORDS_OF_ORDERS // max(words, 1)))


def erased_counts(words: int) -> np.ndarray:
    """How many words each of `SHARES` is, rounded up: `(shares,)`.

    >>> erased_counts(4).tolist()
    [0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4]
    """
    return -(-words * np.arange(len(SHARES)) // (len(SHARES) - 1))


def losses(scorer: MatcherScorer, request: Request, orders: Sequence[np.ndarray]) -> np.ndarray:
    """How much of the score is lost when the first words of each order are erased.

    Args:
        scorer, request: As of `kept_scores`.
        orders: Each has all words of the document, `(words,)`.

    Returns:
        `(orders, shares)`; in units of the score, below 0 where it rises.
    """
    return _lost(scorer, request, ~_first(request, orders))


def erasure(
    scorer: MatcherScorer, request: Request, orders: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """`losses`, and how much of the score is lost when nothing but the first words is kept.

    Both `(orders, shares)`.
    """
    first = _first(request, orders)
    gone, alone = _lost(scorer, request, np.stack([~first, first]))
    return gone, alone


def area(losses: np.ndarray) -> np.ndarray:
    """Under curves over `SHARES`, `(..., shares)` to `(...)`, by trapezoids, in score units."""
    return (losses[..., 1:] + losses[..., :-1]).mean(axis=-1) / 2


def erasure_curves(
    scorer: MatcherScorer, request: Request, values: Mapping[str, np.ndarray], *, seed: int = 0
) -> dict[str, Any] | None:
    """The curves of one pair beside those of chance, as plain lists.

    Args:
        scorer, request: As of `kept_scores`.
        values: By name, how much each word of the document is said to count, `(words,)`.
        seed: Of the random orders.

    Returns:
        `shares`; by name, how much of the score is lost at each; `random`, the mean of random
        orders, `random_low` and `random_high`, the range that holds 95 % of them; `orders`, how
        many they are; `areas`, under each of these (the range: of the areas); `as_good`, by name,
        how many of the random orders lose as much or more; `attention_beats_chance`, whether the
        area of `attention` is beyond that range, or None of a document of fewer than 5 words,
        where no order can be told from chance. None of a document without words.
    """
    words = _words(request, request.document)
    if not words:
        return None
    drawn = random_orders(words, seed, chance_orders(words))
    lost = losses(scorer, request, [*map(order_of, values.values()), *drawn])
    named, chance = lost[: len(values)], lost[len(values) :]
    curves = dict(zip(values, named, strict=True)) | _range(chance)
    own, others = dict(zip(values, area(named), strict=True)), area(chance)
    areas = own | _range(others)
    return {
        "shares": SHARES.round(6).tolist(),
        **{name: curve.round(6).tolist() for name, curve in curves.items()},
        "orders": len(drawn),
        "areas": {name: round(float(value), 6) for name, value in areas.items()},
        "as_good": {name: int((others >= one - _NOISE).sum()) for name, one in own.items()},
        "attention_beats_chance": (
            bool(areas["attention"] > areas["random_high"]) if words >= LEAST_WORDS else None
        ),
    }


def _range(values: np.ndarray) -> dict[str, np.ndarray]:
    """The mean over orders, and the range that holds 95 % of them."""
    low, high = np.quantile(values, TAILS, axis=0)
    return {"random": values.mean(axis=0), "random_low": low, "random_high": high}


def _first(request: Request, orders: Sequence[np.ndarray]) -> np.ndarray:
    """Whether a word is among the first of an order, `(orders, shares, words)`."""
    words = _words(request, request.document)
    rank = np.argsort(np.asarray(orders, np.int64).reshape(-1, words), axis=1)
    return np.asarray(rank[:, None] < erased_counts(words)[:, None])


def _lost(scorer: MatcherScorer, request: Request, kept: np.ndarray) -> np.ndarray:
    """What the score is lower when only some words are kept, `(..., words)` to `(...)`."""
    words = kept.shape[-1]
    whole = np.ones((1, words), bool)
    scores = kept_scores(scorer, request, np.concatenate([whole, kept.reshape(-1, words)]))
    return np.asarray((scores[0] - scores[1:]).reshape(kept.shape[:-1]))


def _words(request: Request, side: np.ndarray) -> int:
    """How many words a side of a pair has."""
    return int(Runs.of_texts(request.texts).lengths[side[0]])


def _effects(words: int, scores: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    step = max(1, _WORDS // max(words, 1) - 1)
    place, effects = np.arange(words), np.zeros(words)
    for start in range(0, words, step):
        part = place[start : start + step]
        kept = np.concatenate([np.ones((1, words), bool), place != part[:, None]])
        found = scores(kept)
        effects[part] = found[0] - found[1:]
    return effects


def _unique(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows, and which of them each row is."""
    numbers: dict[bytes, int] = {}
    places = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in kept], np.int64)
    return kept[np.unique(places, return_index=True)[1]], places
