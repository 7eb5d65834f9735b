"""The training loop: epochs, the dev measure after each, the best epoch kept, a bundle written."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ir_attention.bundle import Bundle, check_free
from ir_attention.data.checks import check_pairs
from ir_attention.data.coded import decode
from ir_attention.data.readers import read_coded
from ir_attention.data.splits import split_by_query
from ir_attention.errors import DataError
from ir_attention.evaluation.measures import check_measures, evaluate_quietly
from ir_attention.reports.card import model_card
from ir_attention.training.settings import (
    MODELS,
    TrainingSettings,
    filled,
    training_settings,
)

__all__ = ["Learner", "Trained", "train"]

Say = Callable[[str], None]

# Queries of which a tenth, rounded, is one.
_FEWEST = 5


class Learner(Protocol):
    """A model in training, whatever it is made of."""

    epochs: int
    notes: list[str]

    def fit_epoch(self, epoch: int) -> float:
        """Goes once over the training data; the mean loss."""

    def score_dev(self) -> np.ndarray:
        """The scores of the dev pairs, `(pairs,)`."""

    def state(self) -> list[np.ndarray]:
        """A copy of every weight, of every part."""

    def restore(self, state: list[np.ndarray]) -> None:
        """Puts such a copy back."""

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        """Weights by name, vocabulary and settings, as a bundle holds them."""


@dataclass(frozen=True)
class Trained:
    """What a training leaves.

    Attributes:
        bundle: The model of the best epoch.
        history: A row per epoch: `epoch` (from 1), `loss`, the dev measure by its name, `seconds`,
            and `cpu_seconds` of all threads since the first one began.
        notes: What was noticed about the data, a sentence each.
        ended: What ended the training: `epochs`, all of them; `patience`, as the dev measure no
            longer rose; `budget`; or `interrupted`, by Ctrl-C.
        folder: Where the bundle was written, or None.
    """

    bundle: Bundle
    history: pd.DataFrame
    notes: tuple[str, ...]
    ended: str
    folder: Path | None

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training."""
        return self.ended == "interrupted"


def train(
    train: Any,
    dev: Any = None,
    *,
    model: str = "han",
    out: str | Path | None = None,
    vectors: Any = None,
    seed: int = 7,
    say: Say | None = None,
    **options: Any,
) -> Trained:
    """Trains a model to rank documents of a query, and keeps its best epoch.

    After every epoch the dev pairs are ranked and measured; training stops when the measure no
    longer rises, and every weight goes back to where it was at its best. One seed gives one
    result, on one machine, in any process.

    Args:
        train: Labelled pairs: a DataPack, a frame with the columns of a DataPack, or a file.
        dev: The same, to choose the epoch. Default: a tenth of the queries of `train`, by seed.
        model: A name of `MODELS`.
        out: The folder of the bundle. Default: none is written.
        vectors: Pretrained vectors, as `data.vectors.read_vectors` takes them.
        seed: Of weights, dropout, order and sampling.
        say: Is called with a line of progress at a time. Default: prints on stderr.
        options: Fields of `TrainingSettings`, such as `epochs=3`.

    Raises:
        DataError: The pairs, the vectors or an option cannot be used.
        BundleError: There is something at `out` already.
    """
    settings = training_settings(options)
    say = say or _to_stderr
    if model not in MODELS:
        raise DataError(f"no model is called {model!r}. Known: {', '.join(sorted(MODELS))}")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise DataError(f"`seed` must be a whole number, 0 to 2**32 - 1. Received: seed={seed!r}")
    check_measures([settings.measure])
    if out is not None:
        check_free(out, overwrite=settings.overwrite)
    settings = filled(settings, model)
    versions = _versions()
    train_pairs, dev_pairs, notes = _pairs(train, dev, seed, say)
    if not (dev_pairs["label"] > 0).any():
        raise DataError(
            "the dev pairs must have a relevant document, or no epoch could be the best. "
            f"Received: {len(dev_pairs)} pairs with label 0"
        )
    learner = _learner(model, train_pairs, dev_pairs, vectors, seed=seed, settings=settings)
    for note in learner.notes:
        say(note)
    history, ended = _fit(learner, dev_pairs, settings, say)
    weights, vocabulary, own = learner.parts()
    facts = {
        "model": model,
        "seed": seed,
        "versions": versions,
        "training": settings.to_json(),
        "data": {
            "train": _size(train_pairs),
            "dev": _size(dev_pairs),
        },
        "history": history.to_dict("records"),
        **own,
    }
    notes = (*notes, *learner.notes)
    if ended == "interrupted":
        notes = (*notes, f"training was interrupted in epoch {len(history) + 1}")
    card = model_card(facts, notes)
    bundle = Bundle(facts, vocabulary, weights, card)
    folder = None if out is None else bundle.save(out, overwrite=settings.overwrite)
    return Trained(bundle, history, notes, ended, folder)


def _pairs(
    train: Any, dev: Any, seed: int, say: Say
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Both parts as checked frames, each distinct text kept once, and what is odd about them."""
    train_pairs = read_coded(train)
    if dev is None:
        queries = train_pairs["id_left"].nunique()
        if queries < _FEWEST:
            raise DataError(
                f"no dev pairs were given, and of fewer than {_FEWEST} queries none can be kept "
                f"apart for choosing the epoch. Received: {queries}. Give `dev` (--dev)"
            )
        train_pairs, dev_pairs = split_by_query(train_pairs, (0.9, 0.1), seed=seed)
        said = (
            f"no dev pairs were given: {dev_pairs['id_left'].nunique()} of "
            f"{dev_pairs['id_left'].nunique() + train_pairs['id_left'].nunique()} queries are "
            f"kept apart for choosing the epoch (seed {seed})"
        )
        notes: tuple[str, ...] = (said,)
    else:
        dev_pairs, notes = read_coded(dev), ()
    notes = (*notes, *check_pairs(train_pairs, dev_pairs).lines())
    for note in notes:
        say(note)
    return train_pairs, dev_pairs, notes


def _learner(
    model: str,
    train: pd.DataFrame,
    dev: pd.DataFrame,
    vectors: Any,
    *,
    seed: int,
    settings: TrainingSettings,
) -> Learner:
    if model in ("han", "han-bi"):
        from ir_attention.training.matching import MatcherLearner

        return MatcherLearner(model, train, dev, vectors, seed=seed, settings=settings)
    if model in ("bm25", "lexical", "minilm", "tfidf"):
        from ir_attention.training.counting import CountingLearner

        return CountingLearner(model, train, dev, vectors, settings=settings)
    from ir_attention.training.baseline import BaselineLearner

    train, dev = decode(train), decode(dev)  # as MatchZoo takes them
    return BaselineLearner(model, train, dev, vectors=vectors, seed=seed, settings=settings)


def _fit(
    learner: Learner, dev: pd.DataFrame, settings: TrainingSettings, say: Say
) -> tuple[pd.DataFrame, str]:
    """Fits until the dev measure no longer rises; leaves the learner at its best.

    Returns:
        A row per epoch, and what ended it, as `Trained.ended`.
    """
    name, ended = settings.measure, "epochs"
    rows: list[dict[str, Any]] = []
    best, best_state, best_epoch = -np.inf, learner.state(), 0
    patience = settings.patience or max(2, learner.epochs // 4)
    measure = _dev_measure(dev, name)
    began, begun = time.process_time(), 0.0
    try:
        for epoch in range(1, learner.epochs + 1):
            spent = time.process_time() - began
            if settings.budget is not None and rows:
                # The next one is taken to need as long as the one before.
                if 2 * spent - begun > settings.budget:
                    say(f"{spent:.0f} of {settings.budget:g} s are spent: no time for another")
                    ended = "budget"
                    break
            begun = spent
            start = time.perf_counter()
            loss = learner.fit_epoch(epoch)
            if not np.isfinite(loss):
                raise DataError(f"the loss of epoch {epoch} is {loss}: try a smaller learning_rate")
            value = measure(learner.score_dev())
            seconds = time.perf_counter() - start
            cpu = time.process_time() - began
            row = {"epoch": epoch, "loss": loss, name: value, "seconds": round(seconds, 1)}
            rows.append({**row, "cpu_seconds": round(cpu, 1)})
            better = value > best
            say(
                f"epoch {epoch} of {learner.epochs}: loss {loss:.4f}, dev {name} {value:.4f}"
                f"{' (best so far)' if better else ''}, {seconds:.0f} s"
            )
            if better:
                best, best_state, best_epoch = value, learner.state(), epoch
            elif epoch - best_epoch >= patience:
                ended = "patience"
                break
    except KeyboardInterrupt:
        if not settings.keep_interrupted or not best_epoch:
            raise
        ended = "interrupted"
        say(f"interrupted in epoch {len(rows) + 1}")
    learner.restore(best_state)
    if len(rows) > 1 or ended == "interrupted":
        say(f"kept epoch {best_epoch}: dev {name} {best:.4f}")
    return pd.DataFrame(rows), ended


def _dev_measure(dev: pd.DataFrame, name: str) -> Callable[[np.ndarray], float]:
    """What gives the mean of a measure over the dev queries, from the scores of the dev pairs."""
    # Every row is a candidate of its own, even if the same tweet stands there twice.
    rows_of = {"query_id": list(dev["id_left"]), "doc_id": [str(n) for n in range(len(dev))]}
    qrels = pd.DataFrame({**rows_of, "relevance": dev["label"].to_numpy()})

    def measure(scores: np.ndarray) -> float:
        run = pd.DataFrame({**rows_of, "score": scores})
        value = evaluate_quietly(run, qrels, [name], resamples=0).measures[name]
        if not np.isfinite(value):
            raise DataError(
                f"`measure` must be defined for the dev pairs. Received: {name} {value}"
            )
        return value

    return measure


def _size(pairs: pd.DataFrame) -> dict[str, int]:
    return {
        "pairs": len(pairs),
        "queries": int(pairs["id_left"].nunique()),
        "positives": int((pairs["label"] > 0).sum()),
    }


def _versions() -> dict[str, str]:
    names = ("ir_attention", "keras", "tensorflow", "matchzoo", "numpy")
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # TensorFlow also comes as tensorflow-cpu, and others
            found[name] = "unknown"
    return found


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress is what `say` is for
