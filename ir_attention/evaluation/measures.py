"""A run and relevance judgments to the values of ranking measures, per query and on average.

The only door to ir_measures, whose names of measures hold here too: https://ir-measur.es
"""

from __future__ import annotations

import contextlib
import difflib
import re
import subprocess
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import ir_measures
import numpy as np

from ir_attention.errors import DataError
from ir_attention.evaluation.intervals import check_draws
from ir_attention.evaluation.lists import Lists, condensed, join
from ir_attention.evaluation.results import Evaluation, EvaluationWarning, TieReport, report
from ir_attention.evaluation.runs import Qrels, Run, as_qrels, as_run
from ir_attention.evaluation.ties import (
    Ranked,
    average_precision,
    dcg,
    ideal_dcg,
    precision,
    rank,
    reciprocal_rank,
    uneven,
)

__all__ = ["MEASURES", "Measures", "Ties", "check_measures", "evaluate", "evaluate_quietly"]

MEASURES = ("AP", "RR", "nDCG@3")
Ties = Literal["expected", "trec_eval"]
Measures = str | ir_measures.Measure | Sequence[str | ir_measures.Measure]

_SHUFFLES = 50  # a value between 0 and 1 then has a standard error of at most 0.07 per query

# What ir_measures and the tools behind it raise when they are asked for what they cannot do.
_FAILURES = (
    ArithmeticError,
    AssertionError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    subprocess.CalledProcessError,
)

_RULES = {
    "expected": "Their values are means over the orders of tied documents.",
    "trec_eval": "The higher document id comes first, as in trec_eval, with scores in single "
    "precision.",
}


def evaluate(
    run: Run,
    qrels: Qrels,
    measures: Measures = MEASURES,
    *,
    ties: Ties = "expected",
    only_mixed: bool = False,
    judged_only: bool = False,
    seed: int = 7,
    resamples: int = 1000,
) -> Evaluation:
    """Measures a run against relevance judgments.

    Queries. Measured are the judged queries with a positive label (1 or above). Those without
    are left out and counted; trec_eval lets them count 0. Those missing from the run count 0,
    with a warning. Those that only the run has are ignored and counted.

    Documents. One that is not judged counts as not relevant; one that is judged but not in the
    run, as not retrieved; one with a negative label, as not relevant. Measures that tell
    judged from unjudged documents take a negative label for no judgment, as trec_eval does.

    Ties. With `ties="expected"`, documents of equal score get the mean over their orders,
    each equally likely: exact for AP, RR, P and nDCG in all their variants, by McSherry and
    Najork (ECIR 2008); for any other measure the mean of 50 seeded shuffles, which a note says.
    With `ties="trec_eval"` the document with the higher id comes first, scores are compared in
    single precision, and ir_measures computes: each query's value is that of trec_eval. A warning
    says in how many queries ties matter.

    Args:
        run: What `as_run` takes.
        qrels: What `as_qrels` takes; a frame of labelled pairs will do.
        measures: Names as in ir_measures, `AP`, `nDCG@10`, `P(rel=2)@5`, in a sequence, or in one
            string with spaces between; or its own objects. `MAP`, `MRR` and its other aliases are
            the same measures, reported under the name that was asked for.
        ties: `"expected"` or `"trec_eval"`.
        only_mixed: Whether to leave out queries without a negative label (0 or below), too: their
            judged documents cannot be ranked wrongly.
        judged_only: Whether to drop documents that nobody judged from the run before it is
            measured: the condensed lists of Sakai, "Alternatives to Bpref", SIGIR 2007.
        seed: Of the intervals and the shuffles.
        resamples: Of the intervals; 0 for none, which is quicker.

    Warns:
        EvaluationWarning: Queries are missing from the run, or ties matter.

    Raises:
        DataError: A run or qrels that cannot be used, no query with a positive label, no query
            in common, a measure that is not known or cannot be computed.

    Example:

    >>> qrels = {"q1": {"d1": 1, "d2": 0}, "q2": {"d1": 0, "d3": 1}}
    >>> run = {"q1": {"d1": 0.9, "d2": 0.1}, "q2": {"d1": 0.7, "d3": 0.4}}
    >>> evaluate(run, qrels, ["RR", "P@1"]).measures
    {'RR': 0.75, 'P@1': 0.5}
    """
    options: dict[str, Any] = {"only_mixed": only_mixed, "judged_only": judged_only, "seed": seed}
    result = evaluate_quietly(run, qrels, measures, ties=ties, resamples=resamples, **options)
    for sentence in result.warnings:
        warnings.warn(sentence, EvaluationWarning, stacklevel=2)
    return result


def evaluate_quietly(
    run: Run,
    qrels: Qrels,
    measures: Measures = MEASURES,
    *,
    ties: Ties = "expected",
    only_mixed: bool = False,
    judged_only: bool = False,
    seed: int = 7,
    resamples: int = 1000,
) -> Evaluation:
    """As `evaluate`, but leaves it to the caller to show the warnings of the result."""
    if ties not in _RULES:
        raise DataError(f"ties: must be one of {list(_RULES)}. Received: {ties!r}")
    check_draws(seed, resamples, least=0)
    chosen = _parse(measures)
    lists = join(as_run(run), as_qrels(qrels), only_mixed=only_mixed)
    if judged_only:
        lists = condensed(lists)
    score = lists.score if ties == "expected" else _single(lists.score)
    ranked = rank(lists.query, score, queries=len(lists.ids))
    exact = {
        name: measure
        for name, measure in chosen.items()
        if ties == "expected" and type(measure) in _EXACT
    }
    others = {name: measure for name, measure in chosen.items() if name not in exact}
    shuffled = uneven(ranked, lists.label[ranked.order]) & (ties == "expected")
    values = _expected(exact, lists, ranked)
    values |= _by_ir_measures(others, lists, score, shuffled=shuffled, seed=seed)
    return report(
        {name: values[name] for name in chosen},
        lists,
        ties=TieReport(
            queries=int(uneven(ranked, np.maximum(lists.label, 0)[ranked.order]).sum()),
            rule=_RULES[ties],
            sampled=list(others) if shuffled.any() else [],
            shuffles=_SHUFFLES,
        ),
        summed=[name for name, measure in chosen.items() if _is_count(measure)],
        seed=seed,
        resamples=resamples,
    )


def _single(score: np.ndarray) -> np.ndarray:
    """Scores as trec_eval holds them; those out of range become infinite."""
    with np.errstate(over="ignore"):
        return score.astype(np.float32)


def _is_count(measure: ir_measures.Measure) -> bool:
    return isinstance(measure.aggregator(), ir_measures.measures.SumAgg)


def check_measures(measures: Measures) -> None:
    """Raises the DataError that `evaluate` would raise for these names, before any work is done."""
    _parse(measures)


def _parse(measures: Measures) -> dict[str, ir_measures.Measure]:
    """Measures by the name that was asked for."""
    if isinstance(measures, str):
        # Split at spaces and commas, but not within brackets: P(rel=2, judged_only=True)@5.
        measures = re.findall(r"(?:\([^)]*\)|[^\s,(])+", measures)
    elif isinstance(measures, ir_measures.Measure):
        measures = [measures]
    chosen = {str(name).strip(): _measure(name) for name in measures}
    if not chosen:
        raise DataError(f"measures: must name one at least, such as AP. Received: {measures!r}")
    return chosen


def _measure(name: Any) -> ir_measures.Measure:
    try:
        with warnings.catch_warnings():
            # ir_measures 0.4 reads names with parts of `ast` that Python 3.12 deprecates.
            warnings.simplefilter("ignore", DeprecationWarning)
            measure = ir_measures.parse_measure(name)
    except NameError as error:
        raise DataError(
            f"measures: no measure of that name. {_close_names(name)} Received: {name!r}"
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(
            "measures: must have the form Name, Name@cutoff or Name(parameter=value)@cutoff, as "
            f"in AP, nDCG@10, P(rel=2)@5. Received: {name!r}"
        ) from error
    _check_parameters(measure, name)
    return measure


def _close_names(name: str) -> str:
    known = sorted(ir_measures.measures.registry)
    wanted = re.split(r"[@(_]", name.lower())[0]
    close = set(difflib.get_close_matches(wanted, [name.lower() for name in known], n=5))
    if close:
        return f"Close to it: {', '.join(name for name in known if name.lower() in close)}."
    return f"Known: {', '.join(known)}."


def _check_parameters(measure: ir_measures.Measure, name: Any) -> None:
    known = measure.SUPPORTED_PARAMS
    for key, value in measure.params.items():
        if key not in known:
            raise DataError(
                f"measures: {measure.NAME} has the parameters {[*known]}, not {key!r}. "
                f"Received: {name!r}"
            )
        # A cutoff below 1 makes trec_eval end the process.
        whole = type(value) is int and value >= 1
        if not known[key].validate(value) or (key in ("cutoff", "rel") and not whole):
            raise DataError(f"measures: {key} must be {_kind(known[key])}. Received: {name!r}")
    for key, info in known.items():
        if info.required and key not in measure.params:
            form = f"@{key}" if key == measure.AT_PARAM else f"({key}=...)"
            raise DataError(
                f"measures: {measure.NAME} needs its {info.desc}, as {measure.NAME}{form}. "
                f"Received: {name!r}"
            )


def _kind(info: ir_measures.ParamInfo) -> str:
    if isinstance(info.choices, list):
        return f"one of {info.choices}"
    return "a whole number from 1" if info.dtype is int else f"a {info.dtype.__name__}"


def _expected(
    chosen: Mapping[str, ir_measures.Measure], lists: Lists, ranked: Ranked
) -> dict[str, np.ndarray]:
    """The exact means over the orders of tied documents, `(queries,)` by name."""
    values = {}
    for name, measure in chosen.items():
        label, here = lists.label, ranked
        if measure["judged_only"]:
            kept = label >= 0
            label = label[kept]
            here = rank(lists.query[kept], lists.score[kept], queries=ranked.queries)
        values[name] = _EXACT[type(measure)](measure, lists, here, label[here.order])
    return values


def _ap(
    measure: ir_measures.Measure, lists: Lists, ranked: Ranked, label: np.ndarray
) -> np.ndarray:
    positive = lists.judged_query[lists.judged_label >= measure["rel"]]
    positives = np.bincount(positive, minlength=ranked.queries)
    cutoff = measure.params.get("cutoff")
    return average_precision(ranked, label >= measure["rel"], positives=positives, cutoff=cutoff)


def _rr(
    measure: ir_measures.Measure, lists: Lists, ranked: Ranked, label: np.ndarray
) -> np.ndarray:
    return reciprocal_rank(ranked, label >= measure["rel"], cutoff=measure.params.get("cutoff"))


def _p(measure: ir_measures.Measure, lists: Lists, ranked: Ranked, label: np.ndarray) -> np.ndarray:
    return precision(ranked, label >= measure["rel"], cutoff=measure["cutoff"])


def _ndcg(
    measure: ir_measures.Measure, lists: Lists, ranked: Ranked, label: np.ndarray
) -> np.ndarray:
    cutoff = measure.params.get("cutoff")
    found = dcg(ranked, _gain(measure, label), cutoff=cutoff)
    best = ideal_dcg(
        lists.judged_query,
        _gain(measure, lists.judged_label),
        queries=ranked.queries,
        cutoff=cutoff,
    )
    return np.divide(found, best, out=np.zeros(ranked.queries), where=best > 0)


def _gain(measure: ir_measures.Measure, label: np.ndarray) -> np.ndarray:
    """What a document of each label is worth: the label, or `2 ** label - 1`, and never below 0."""
    if gains := measure.params.get("gains"):
        labels, place = np.unique(label, return_inverse=True)
        label = np.array([gains.get(each, each) for each in labels.tolist()], dtype=float)[place]
    worth = np.maximum(label, 0).astype(float)
    return worth if measure["dcg"] == "log2" else 2**worth - 1


_EXACT: dict[type, Callable[..., np.ndarray]] = {
    type(ir_measures.AP): _ap,
    type(ir_measures.RR): _rr,
    type(ir_measures.P): _p,
    type(ir_measures.nDCG): _ndcg,
}


def _by_ir_measures(
    chosen: Mapping[str, ir_measures.Measure],
    lists: Lists,
    score: np.ndarray,
    *,
    shuffled: np.ndarray,
    seed: int,
) -> dict[str, np.ndarray]:
    """The values as ir_measures has them, means over shuffles for the queries that are `shuffled`.

    It is given the places of documents, counted from the last, in place of scores: otherwise each
    of the tools behind it would order tied documents by a rule of its own.
    """
    if not chosen:
        return {}
    measures = list(dict.fromkeys(chosen.values()))
    everyone = np.ones(len(lists.ids), dtype=bool)
    values = _calculated(measures, lists, everyone, score, [lists.doc])
    if shuffled.any():
        rng = np.random.default_rng(seed)
        orders = (rng.permutation(len(score)) for _ in range(_SHUFFLES))
        values[shuffled] = _calculated(measures, lists, shuffled, score, orders)[shuffled]
    values[np.isnan(values) & lists.missing[:, None]] = 0
    return {name: values[:, measures.index(measure)] for name, measure in chosen.items()}


def _calculated(
    measures: list[ir_measures.Measure],
    lists: Lists,
    wanted: np.ndarray,
    score: np.ndarray,
    orders: Iterable[np.ndarray],
) -> np.ndarray:
    """Values, `(queries, measures)`, of the `wanted` queries, as means over orders of their ties.

    Of tied rows the one with the higher number in `orders` comes first. NaN where undefined.
    """
    total, times = np.zeros((2, len(wanted), len(measures)))
    rows, judged = wanted[lists.query], wanted[lists.judged_query]
    query, doc, score = lists.query[rows], lists.doc[rows], score[rows]
    from_last = np.cumsum(np.bincount(query))[query] - np.arange(len(query))
    qrels = _nested(
        *(x[judged] for x in (lists.judged_query, lists.judged_doc, lists.judged_label))
    )
    evaluators = []
    for measure in measures:
        # Each on its own: ir_measures 0.4.3 mixes up the gains of one with another's, and lets
        # NumRet follow the judged_only of its neighbour.
        with _explained(measure):
            evaluators.append(ir_measures.evaluator([measure], qrels))
    for order in orders:
        best_first = np.lexsort((-order[rows], -score, query))
        run = _nested(query, doc[best_first], from_last)
        for column, (measure, evaluator) in enumerate(zip(measures, evaluators, strict=True)):
            with _explained(measure):
                for metric in evaluator.iter_calc(run):
                    total[int(metric.query_id), column] += metric.value
                    times[int(metric.query_id), column] += 1
    return np.divide(total, times, out=np.full_like(total, np.nan), where=times > 0)


@contextlib.contextmanager
def _explained(measure: ir_measures.Measure) -> Iterator[None]:
    """Turns what ir_measures and the tools behind it raise into an error that names the measure."""
    try:
        yield
    except _FAILURES as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(
            f"measures: ir_measures cannot compute this one here: {reason}. Received: '{measure}'"
        ) from error


def _nested(query: np.ndarray, doc: np.ndarray, value: np.ndarray) -> dict[str, dict[str, Any]]:
    """The form that ir_measures takes. Not all tools behind it take ids other than numbers."""
    starts = np.flatnonzero(np.diff(query, prepend=-1))  # `query` ascends
    ends = np.append(starts, len(query))[1:]
    docs, values = [*map(str, doc.tolist())], value.tolist()
    return {
        str(query[start]): dict(zip(docs[start:end], values[start:end], strict=True))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    }
