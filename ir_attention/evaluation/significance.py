"""Several runs and one set of judgments to differences, their intervals and p values."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from ir_attention.errors import DataError
from ir_attention.evaluation.intervals import check_draws, mean
from ir_attention.evaluation.measures import MEASURES, Measures, Ties, evaluate_quietly
from ir_attention.evaluation.paired import (
    bootstrap_tests,
    draws_for,
    effect_size,
    holm,
    randomisation_tests,
    t_test,
)
from ir_attention.evaluation.results import Evaluation, EvaluationWarning
from ir_attention.evaluation.runs import Qrels, Run, as_qrels

__all__ = ["TESTS", "Test", "check_test", "compare", "differences", "summed_up"]

Test = Literal["randomisation", "bootstrap", "t"]
TESTS = ("randomisation", "bootstrap", "t")

_PAIR = ["measure", "baseline", "run"]


def compare(
    qrels: Qrels,
    runs: Mapping[str, Run | Sequence[Run]],
    measures: Measures = MEASURES,
    *,
    against: str | None = None,
    test: Test = "randomisation",
    ties: Ties = "expected",
    only_mixed: bool = False,
    judged_only: bool = False,
    seed: int = 7,
) -> pd.DataFrame:
    """Tests for pairs of runs whether their measures differ by more than chance.

    All tests are paired: they look at the difference of each query. All are given, as they
    should agree; `test` says beforehand which one decides, so that nobody picks the best.
    With many comparisons some small p values come by chance alone: `p_holm` is corrected for all
    rows of the result together, whatever their measure, and is the one to be held against .05.
    For a correction within each measure, call it once per measure.

    A model that was trained several times, from other seeds, is one name with a list of runs:
    each query's value is then the mean over them, and the queries are tested, which say whether
    the difference would hold for others. How much a model moves with its seed is not in the p
    value.

    Args:
        qrels: What `as_qrels` takes.
        runs: Runs by name, two at least: what `as_run` takes, or a list of such runs, whose
            values are averaged per query. The first of a pair is the baseline.
        measures: As in `evaluate`.
        against: The name of one run: only pairs with it are tested. It is the `run` of each row,
            and the others are baselines.
        test: Whose p values are corrected: `"randomisation"`, `"bootstrap"` or `"t"`.
        ties: As in `evaluate`.
        only_mixed: As in `evaluate`.
        judged_only: As in `evaluate`.
        seed: Of the intervals, of the tests that draw and of shuffled ties.

    Returns:
        A row for each measure and pair of runs:

        * `measure`, and `baseline` and `run`, names;
        * `queries`, where the measure is defined for both;
        * `mean_baseline`, `mean_run`, and `difference`, above 0 if the run is better, with the
          ends of its 95 % bootstrap interval, `low` and `high`; they are NaN with fewer than two
          queries, which say nothing of others;
        * `cohens_d`, the effect size: see `ir_attention.evaluation.paired.effect_size`;
        * `wins`, `ties` and `losses`: in how many queries the run is better than, as good as
          and worse than the baseline;
        * `p_t`, `p_randomisation`, `p_bootstrap`, and `p_holm`, corrected;
        * `result`, all that in a sentence.

        Its `attrs["notes"]` is a tuple of what else a reader must know: what was dropped or left
        out, what was computed by shuffles.

    Warns:
        EvaluationWarning: As `evaluate`, with the run's name before it.

    Raises:
        DataError: As `evaluate`, with the run's name before what is wrong with it; there are
            fewer than two runs, or a list without any; an unknown test; `against` is not among
            the runs.

    Example:

    >>> qrels = {f"q{number}": {"d1": 1, "d2": 0} for number in range(5)}
    >>> good = {query: {"d1": 2, "d2": 1} for query in qrels}
    >>> bad = {query: {"d1": 1, "d2": 2} for query in qrels}
    >>> result = compare(qrels, {"bad": bad, "good": good}, "RR")
    >>> result[["baseline", "run", "difference", "wins", "p_randomisation"]].round(4)
      baseline   run  difference  wins  p_randomisation
    0      bad  good         0.5     5           0.0625
    """
    check_test(test)
    options = _Options(ties, only_mixed, judged_only, seed)
    found = _differences(qrels, runs, measures, against, options)
    return summed_up(found, test=test, seed=seed)


def differences(
    qrels: Qrels,
    runs: Mapping[str, Run | Sequence[Run]],
    measures: Measures = MEASURES,
    *,
    against: str | None = None,
    ties: Ties = "expected",
    only_mixed: bool = False,
    judged_only: bool = False,
    seed: int = 7,
) -> pd.DataFrame:
    """What each run of a pair has for each query: what `compare` tests, to be looked at.

    Args:
        qrels, runs, measures, against, ties, only_mixed, judged_only, seed: As in `compare`.

    Returns:
        A row for each measure, pair of runs and query, in this order: `measure`, `baseline` and
        `run` (names), `query_id`, `value_baseline`, `value_run`, `difference`. NaN where a
        measure is undefined. Its `attrs["notes"]` is that of `compare`.

    Warns, Raises:
        As `compare`.
    """
    options = _Options(ties, only_mixed, judged_only, seed)
    return _differences(qrels, runs, measures, against, options)


def summed_up(
    found: pd.DataFrame,
    *,
    test: Test = "randomisation",
    seed: int = 7,
    level: float = 0.05,
) -> pd.DataFrame:
    """A frame of `differences` to what `compare` returns.

    Args:
        found: From `differences`; or some of its rows, such as the queries of one kind.
        test: As in `compare`.
        seed: As in `compare`.
        level: The sentences call a difference significant if its corrected p value is below.
    """
    check_test(test)
    check_draws(seed, 1)
    if found.empty:
        raise DataError("differences: must have a row at least. Received: an empty frame")
    rows, columns = [], []
    for pair, part in found.groupby(_PAIR, sort=False):
        part = part.dropna(subset=["difference"])
        difference = part["difference"].to_numpy()
        columns.append(difference)
        rows.append(
            {
                **dict(zip(_PAIR, pair, strict=True)),
                "queries": len(difference),
                "mean_baseline": mean(part["value_baseline"].to_numpy()),
                "mean_run": mean(part["value_run"].to_numpy()),
                "difference": mean(difference),
                "cohens_d": effect_size(difference),
                "wins": int((difference > 0).sum()),
                "ties": int((difference == 0).sum()),
                "losses": int((difference < 0).sum()),
                "p_t": t_test(difference),
            }
        )
    frame = pd.DataFrame(rows).assign(**_drawn(columns, seed))
    frame["p_holm"] = holm(frame[f"p_{test}"].to_numpy())
    frame["result"] = [_sentence(row, len(frame), level) for row in frame.to_dict("records")]
    frame = frame[[*_COLUMNS]]
    frame.attrs["notes"] = tuple(found.attrs.get("notes", ()))
    return frame


_COLUMNS = (
    *("measure", "baseline", "run", "queries", "mean_baseline", "mean_run"),
    *("difference", "low", "high", "cohens_d", "wins", "ties", "losses"),
    *("p_t", "p_randomisation", "p_bootstrap", "p_holm", "result"),
)


def check_test(test: str) -> None:
    """Raises a DataError unless there is a test of that name."""
    if test not in TESTS:
        raise DataError(f"test: must be 'randomisation', 'bootstrap' or 't'. Received: {test!r}")


class _Options(NamedTuple):
    """What `compare` and `differences` hand on to `evaluate`."""

    ties: Ties
    only_mixed: bool
    judged_only: bool
    seed: int


def _differences(
    qrels: Qrels,
    runs: Mapping[str, Run | Sequence[Run]],
    measures: Measures,
    against: str | None,
    options: _Options,
) -> pd.DataFrame:
    """The frame of `differences`. Warnings point to who called `compare` or `differences`."""
    pairs = _pairs(runs, against)
    judged = as_qrels(qrels)
    values: dict[str, pd.DataFrame] = {}
    cautions = []
    remarks: dict[str, list[str]] = {}  # of which runs each is said
    for name, several in runs.items():
        tables = []
        for label, run in _named(name, several):
            result = _measured(label, run, judged, measures, options)
            cautions += [f"{label}: {sentence}" for sentence in result.warnings]
            for sentence in result.notes[len(result.warnings) :]:
                remarks.setdefault(sentence, []).append(label)
            shape = result.queries, len(result.measures)
            queries = result.per_query["query_id"].to_numpy()[:: shape[1]]
            table = result.per_query["value"].to_numpy().reshape(shape)  # it goes query by query
            tables.append(pd.DataFrame(table, queries, [*result.measures]))
        values[name] = sum(tables[1:], tables[0]) / len(tables)
    for sentence in cautions:
        warnings.warn(sentence, EvaluationWarning, stacklevel=3)
    first = next(iter(values.values()))
    blocks = []
    for measure, (baseline, run) in itertools.product(first.columns, pairs):
        low, high = values[baseline][measure].to_numpy(), values[run][measure].to_numpy()
        blocks.append(
            {
                "measure": np.full(len(low), measure, dtype=object),
                "baseline": np.full(len(low), baseline, dtype=object),
                "run": np.full(len(low), run, dtype=object),
                "query_id": first.index.to_numpy(),
                "value_baseline": low,
                "value_run": high,
                "difference": np.round(high - low, 12),  # less comes from the order of a sum
            }
        )
    columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    frame = pd.DataFrame(columns)
    names = {name: [label for label, _ in _named(name, several)] for name, several in runs.items()}
    frame.attrs["notes"] = _notes(remarks, names)
    return frame


def _notes(
    remarks: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Each remark once, with the runs that it is about; last those that are about all."""
    some, all_ = [], []
    for sentence, labels in remarks.items():
        about = []
        for name, own in names.items():
            about += [name] if {*own} <= {*labels} else [one for one in own if one in labels]
        if about == [*names]:
            all_.append(sentence)
        else:
            some.append(f"{', '.join(about)}: {sentence}")
    return (*some, *all_)


def _measured(
    label: str, run: Run, judged: pd.DataFrame, measures: Measures, options: _Options
) -> Evaluation:
    try:
        return evaluate_quietly(run, judged, measures, resamples=0, **options._asdict())
    except DataError as error:
        if str(error).startswith("run"):  # and not about qrels or measures
            raise DataError(f"{label}: {error}") from error
        raise


def _drawn(columns: list[np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Intervals and p values by simulation; comparisons of as many queries share their draws."""
    draws = draws_for(len(columns))
    lengths = np.array([len(column) for column in columns])
    low, high, flipped, resampled = np.empty((4, len(columns)))
    for length in np.unique(lengths):
        here = np.flatnonzero(lengths == length)
        together = np.column_stack([columns[place] for place in here])
        flipped[here] = randomisation_tests(together, seed=seed, draws=draws)
        resampled[here], ends = bootstrap_tests(together, seed=seed, draws=draws)
        low[here], high[here] = ends if length > 1 else np.full_like(ends, np.nan)
    return {"low": low, "high": high, "p_randomisation": flipped, "p_bootstrap": resampled}


def _sentence(row: Mapping[Any, Any], tests: int, level: float) -> str:
    measure, baseline, run = (row[name] for name in _PAIR)
    if not row["queries"]:
        return f"{measure} has no value for a query of both {run} and {baseline}."
    means = f"{row['mean_run']:.4f} and {row['mean_baseline']:.4f}"
    p_value = "p < 0.0001" if row["p_holm"] < 0.0001 else f"p = {row['p_holm']:.4f}"
    after = f" after Holm's correction for {tests} tests" if tests > 1 else ""
    better = "a higher" if row["difference"] > 0 else "a lower"
    verdict = (
        f"{run} has {better} {measure} than {baseline}"
        if row["p_holm"] < level and row["difference"]
        else f"{run} and {baseline} do not differ significantly in {measure}"
    )
    one = row["queries"] == 1
    queries = "1 query" if one else f"{row['queries']} queries"
    interval = f"95 % interval {row['low']:+.4f} to {row['high']:+.4f}"
    return (
        f"{verdict}: {means} over {queries}, a difference of {row['difference']:+.4f} "
        f"({'no interval' if one else interval}; {p_value}{after}, significant below {level:g}); "
        f"{run} is better in {row['wins']}, as good in {row['ties']}, worse in {row['losses']}."
    )


def _pairs(runs: Mapping[str, Any], against: str | None) -> list[tuple[str, str]]:
    """The names of each baseline and run."""
    if len(runs) < 2:
        raise DataError(f"runs: must be two at least. Received: {', '.join(runs) or 'none'}")
    if against is None:
        return [*itertools.combinations(runs, 2)]
    if against not in runs:
        raise DataError(
            f"against: must be one of the runs, {', '.join(runs)}. Received: {against!r}"
        )
    return [(name, against) for name in runs if name != against]


def _named(name: str, run: Any) -> list[tuple[str, Any]]:
    """The runs of a model, with what to call each in a warning."""
    if isinstance(run, list | tuple) and not run:
        raise DataError(f"{name}: a list must hold a run at least. Received: {run!r}")
    if not _is_several(run):
        return [(name, run)]
    return [(f"{name}, run {number}", one) for number, one in enumerate(run, start=1)]


def _is_several(run: Any) -> bool:
    """Whether it is a list of runs, and not a run as a list of (query_id, doc_id, score)."""
    if not isinstance(run, list | tuple) or not run:
        return False
    first = run[0]
    if isinstance(first, list | tuple):
        return bool(first) and isinstance(first[0], list | tuple)
    return isinstance(first, pd.DataFrame | Mapping)
