"""Labelled pairs to a trained model, kept in a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from ir_attention.training.classifier_settings import classifier_settings
from ir_attention.training.loop import Learner, Say, Trained, Watch, fit, to_stderr, versions
from ir_attention.training.settings import (
    CLASSIFIERS,
    TrainingSettings,
    check_model,
    filled,
    training_settings,
)
from ir_attention.training.tracking import tracked

__all__ = ["train"]

# Queries of which a tenth, rounded, is one.
_FEWEST = 5


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
        options: Fields of `TrainingSettings`, such as `epochs=3`; of `ClassifierSettings` if the
            model is a `han-classifier`, which learns from labelled texts in place of pairs
            (`data.labelled.read_labelled`). Also `tensorboard="runs/news"`, a folder for
            TensorBoard's events, and `wandb="news"`, a project of Weights & Biases.

    Raises:
        DataError: The pairs, the vectors or an option cannot be used.
        MissingExtra: What was to watch the training is not installed.
        BundleError: There is something at `out` already.
    """
    say = say or to_stderr
    check_model(model)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise DataError(f"`seed` must be a whole number, 0 to 2**32 - 1. Received: seed={seed!r}")
    watched = {name: options.pop(name, None) for name in ("tensorboard", "wandb")}
    given: dict[str, Any] = {"out": out, "vectors": vectors, "seed": seed, "say": say}
    facts = {"model": model, "seed": seed, **{name: str(one) for name, one in options.items()}}
    # Before anything is written or sent to those who watch.
    classifier_settings(options) if model in CLASSIFIERS else training_settings(options)
    with tracked(**watched, facts=facts) as watch:
        if model in CLASSIFIERS:
            from ir_attention.training.classifying import train_classifier

            return train_classifier(train, dev, watch=watch, options=options, **given)
        return _train_matcher(model, train, dev, watch=watch, options=options, **given)


def _train_matcher(
    model: str,
    train: Any,
    dev: Any,
    *,
    out: str | Path | None,
    vectors: Any,
    seed: int,
    say: Say,
    watch: Watch,
    options: dict[str, Any],
) -> Trained:
    settings = training_settings(options)
    check_measures([settings.measure])
    if out is not None:
        check_free(out, overwrite=settings.overwrite)
    settings = filled(settings, model)
    train_pairs, dev_pairs, notes = _pairs(train, dev, seed, say)
    if not (dev_pairs["label"] > 0).any():
        raise DataError(
            "the dev pairs must have a relevant document, or no epoch could be the best. "
            f"Received: {len(dev_pairs)} pairs with label 0"
        )
    learner = _learner(model, train_pairs, dev_pairs, vectors, seed=seed, settings=settings)
    for note in learner.notes:
        say(note)
    history, ended = fit(learner, _dev_measure(dev_pairs, settings.measure), settings, say, watch)
    weights, vocabulary, own = learner.parts()
    facts = {
        "model": model,
        "seed": seed,
        "versions": versions(),
        "training": settings.to_json(),
        "data": {
            "train": _size(train_pairs),
            "dev": _size(dev_pairs),
        },
        "history": history.to_dict("records"),
        "kept_epoch": history.attrs["kept"],
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
