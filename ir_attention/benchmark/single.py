"""One row and one seed: trains, scores the test part, measures; in a process of its own."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.benchmark.store import write_result
from ir_attention.data.batches import Judged, listwise, pairwise
from ir_attention.data.checks import once_each
from ir_attention.data.readers import read_pairs
from ir_attention.evaluation.measures import evaluate_quietly
from ir_attention.evaluation.runs import mixed_queries
from ir_attention.ranking.ranker import Ranker, open_scorer
from ir_attention.training.fitting import Trained, train
from ir_attention.training.settings import MODELS, filled, training_settings

__all__ = ["run_one", "shuffled_part"]

# Of the rows of a part: some public files list the relevant documents first.
_SHUFFLE = 7

# How long, in CPU seconds, and how often the test part is scored to see how fast that is; and from
# where on the first time is enough.
_LONG_ENOUGH, _OFTEN_ENOUGH, _LONG = 2.0, 5, 60.0

# What trains and scores, of this package: its files are what a result depends on beside its key.
_CODE = "backend bm25 bundle data matchzoo models ranking scoring text threads training".split()

_PACKAGES = ("ir_attention", "keras", "tensorflow", "matchzoo", "numpy", "pandas", "ir_measures")


def run_one(job: Mapping[str, Any]) -> dict[str, Any]:
    """Does a job and writes its folder.

    Args:
        job: `row` (`name`, `model`, `options`, `label`), `seed`, `budget` (CPU seconds, or None),
            `vectors` (a path, or None), `files` and `columns` (as of `plan.Data`), `measures`,
            `key`, `command`, and the `folder` of the result.

    Returns:
        What stands in result.json.

    Raises:
        DataError: As `train`.
        MissingExtra: The model needs a package that is not installed.
    """
    row = job["row"]
    code, commit = _code(), _commit()  # before anyone has time to change a file

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201  progress is what it is for

    fitted = {part: shuffled_part(job, part) for part in ("train", "dev")}
    _import_ahead(row["model"])
    budget = {} if job["budget"] is None else {"budget": job["budget"]}
    wall, cpu = time.perf_counter(), time.process_time()
    trained = train(
        fitted["train"],
        fitted["dev"],
        model=row["model"],
        seed=job["seed"],
        vectors=job["vectors"],
        say=say,
        **row["options"],
        **budget,
    )
    seconds = {
        "train_cpu_seconds": round(time.process_time() - cpu, 2),
        "train_wall_seconds": round(time.perf_counter() - wall, 2),
    }
    test = shuffled_part(job, "test")  # here, and not before
    run, rate = _scored(trained, test)
    measured, _ = once_each(test)
    once = run.drop_duplicates(["query_id", "doc_id"])
    result = evaluate_quietly(once, measured, job["measures"], only_mixed=True)
    facts = {
        "row": row["name"],
        "label": row["label"],
        "model": row["model"],
        "seed": job["seed"],
        "key": job["key"],
        **result.to_dict(),
        "test_pairs": len(test),
        **_training(trained, fitted["train"], row),
        **seconds,
        "pairs_scored_per_cpu_second": rate,
        "peak_mib": _peak_mib(),
        "vectors": None if job["vectors"] is None else Path(job["vectors"]).name,
        "versions": _versions(),
        "code": code,
        "commit": commit,
        "machine": _machine(),
        "command": job["command"],
    }
    write_result(
        Path(job["folder"]),
        facts,
        per_query=result.per_query,
        run=_small(once, measured),
        history=trained.history,
    )
    return facts


def shuffled_part(job: Mapping[str, Any], part: str) -> pd.DataFrame:
    """The pairs of a part, in an order that says nothing about their labels."""
    pairs = read_pairs(job["files"][part], job["columns"] or None)
    order = np.random.default_rng(_SHUFFLE).permutation(len(pairs))
    return pairs.iloc[order].reset_index(drop=True)


def _import_ahead(model: str) -> None:
    """What the training will import, so that its seconds are its own."""
    kind = MODELS[model][0]
    if kind == "attention":
        import ir_attention.training.matching  # noqa: F401
    elif kind == "MatchZoo":
        import ir_attention.training.baseline  # noqa: F401


def _scored(trained: Trained, test: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """The run, and the pairs scored in a CPU second, from text to score, once it is warm."""
    # Nothing is remembered from one time to the next.
    ranker = Ranker(trained.bundle, open_scorer(trained.bundle), vectors=0)
    began = time.process_time()
    run = ranker.score(test)
    spent, times = time.process_time() - began, 1
    if spent < _LONG:  # or what comes once, as tracing, is a small part of it
        began, spent, times = time.process_time(), 0.0, 0
        while times == 0 or (times < _OFTEN_ENOUGH and spent < _LONG_ENOUGH):
            ranker.score(test)
            times, spent = times + 1, time.process_time() - began
    return run, round(times * len(test) / max(spent, 1e-9), 1)


def _training(trained: Trained, pairs: pd.DataFrame, row: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a training."""
    history, settings = trained.history, trained.bundle.settings
    measure = settings["training"]["measure"]
    kept = int(np.argmax(history[measure])) if len(history) else 0
    fit = float(history["cpu_seconds"].iloc[-1])
    epoch = _pairs_of_an_epoch(pairs, row)
    return {
        "dev_measure": measure,
        "dev": float(history[measure].iloc[kept]),
        "epochs": len(history),
        "kept_epoch": kept + 1,
        "budget_ended_it": trained.ended == "budget",
        "parameters": int(settings.get("parameters", 0)),
        "vector_values": _frozen(trained),
        "fit_cpu_seconds": fit,
        "pairs_an_epoch": epoch,
        "pairs_trained_per_cpu_second": (
            round(epoch * len(history) / fit, 1) if epoch and fit else None
        ),
    }


def _frozen(trained: Trained) -> int:
    """How many numbers the vectors have that are used and not trained."""
    table = trained.bundle.weights.get("table")
    return 0 if table is None else int(table.size)


def _pairs_of_an_epoch(pairs: pd.DataFrame, row: Mapping[str, Any]) -> int | None:
    """The pairs in the batches of an epoch; None for a model that has none."""
    kind = MODELS[row["model"]][0]
    if kind not in ("attention", "MatchZoo"):
        return None
    settings = filled(training_settings(row["options"]), row["model"])
    query, _ = pd.factorize(pairs["id_left"])
    judged = Judged(query, np.arange(len(pairs)), pairs["label"].to_numpy())
    rng = np.random.default_rng(0)
    if kind == "MatchZoo":
        negatives = 1 if settings.loss == "hinge" else 4
        batches = pairwise(judged, rng, negatives=negatives)
    else:
        batches = listwise(
            judged,
            rng,
            queries=settings.queries,
            candidates=settings.candidates,
            positives=settings.positives,
        )
    return sum(len(batch.label) for batch in batches)


def _small(run: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The run of the queries that are measured, with no more digits than its floats have."""
    kept = run[run["query_id"].isin(mixed_queries(pairs))]
    scores = kept["score"].to_numpy()
    single = scores.astype(np.float32)
    if (single == scores).all():
        kept = kept.assign(score=[float(str(score)) for score in single])
    return kept


def _peak_mib() -> float | None:
    """The most memory that this process had at a time, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` may be that of the process that began this one
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # TensorFlow also comes as tensorflow-cpu, and others
            found[name] = "unknown"
    return found


def _code() -> str:
    """A short checksum of the source files that train and score, their line ends aside."""
    root, found = Path(__file__).parents[1], hashlib.sha256()
    for name in _CODE:
        for path in sorted([root / f"{name}.py", *(root / name).rglob("*.py")]):
            if path.is_file():
                content = path.read_bytes().replace(b"\r\n", b"\n")
                found.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
                found.update(content)
    return found.hexdigest()[:12]


def _commit() -> str | None:
    """The git commit that the package lies in; with a plus if a file of it was changed since."""
    root = Path(__file__).parents[1]

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # An installed package may lie in the checkout of something else.
    if git("ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    commit, changed = git("rev-parse", "--short=12", "HEAD"), git("status", "--porcelain", ".")
    return f"{commit}+" if commit and changed else commit


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    name = platform.processor() or platform.machine()
    if info.exists():
        lines = info.read_text(errors="replace").splitlines()
        name = next((line.split(":")[1].strip() for line in lines if "model name" in line), name)
    return f"{name}, {os.cpu_count()} cores"
