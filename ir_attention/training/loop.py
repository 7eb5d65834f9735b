"""The training loop: epochs, the dev measure after each, the best epoch kept."""

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

from ir_attention.bundle import Bundle
from ir_attention.errors import DataError

__all__ = ["Learner", "Limits", "Say", "Trained", "Watch", "fit", "to_stderr", "versions"]

Say = Callable[[str], None]
# Is told each epoch's row of the history, and, in between, rows that also have a `step`.
Watch = Callable[[dict[str, Any]], None]


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


class Limits(Protocol):
    """What a loop asks of the settings of a training."""

    @property
    def measure(self) -> str: ...
    @property
    def patience(self) -> int | None: ...
    @property
    def min_delta(self) -> float: ...
    @property
    def budget(self) -> float | None: ...
    @property
    def keep_interrupted(self) -> bool: ...


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
    def kept_epoch(self) -> int:
        """The epoch of which the bundle is, from 1."""
        return int(self.history.attrs["kept"])

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training."""
        return self.ended == "interrupted"


def fit(
    learner: Learner,
    measure: Callable[[np.ndarray], float],
    settings: Limits,
    say: Say,
    watch: Watch = lambda row: None,
    second: Callable[[np.ndarray], float] = lambda scores: 0.0,
) -> tuple[pd.DataFrame, str]:
    """Fits until the dev measure no longer rises; leaves the learner at its best.

    Args:
        learner: What learns.
        measure: Of the scores of the dev part, higher is better.
        settings: When to stop.
        say: Is told a line an epoch.
        watch: Is told each epoch's row of the history.
        second: Of the same scores, higher is better: which of epochs with the same dev measure is
            kept. Default: the first.

    Returns:
        A row per epoch, in whose `attrs` the epoch that is `kept`; and what ended it, as
        `Trained.ended`.
    """
    name, ended = settings.measure, "epochs"
    rows: list[dict[str, Any]] = []
    best, best_state, best_epoch = (-np.inf, -np.inf), learner.state(), 0
    mark, mark_epoch = -np.inf, 0  # what patience waits for: a rise of `min_delta`
    patience = settings.patience or max(2, learner.epochs // 4)
    began, begun = time.process_time(), 0.0
    try:
        for epoch in range(1, learner.epochs + 1):
            spent = time.process_time() - began
            # The next one is taken to need as long as the one before.
            if rows and settings.budget is not None and 2 * spent - begun > settings.budget:
                say(f"{spent:.0f} of {settings.budget:g} s are spent: no time for another")
                ended = "budget"
                break
            begun = spent
            start = time.perf_counter()
            loss = _finite(learner.fit_epoch(epoch), epoch)
            scores = learner.score_dev()
            value = measure(scores)
            if not np.isfinite(value):
                raise DataError(
                    f"the dev {name} of epoch {epoch} is {value}: is the dev part empty?"
                )
            now = (value, second(scores))
            seconds = time.perf_counter() - start
            cpu = time.process_time() - began
            row = {"epoch": epoch, "loss": loss, name: value, "seconds": round(seconds, 1)}
            rows.append({**row, "cpu_seconds": round(cpu, 1)})
            watch(rows[-1])
            better = now > best
            say(
                f"epoch {epoch} of {learner.epochs}: loss {loss:.4f}, dev {name} {value:.4f}"
                f"{' (best so far)' if better else ''}, {seconds:.0f} s"
            )
            if better:
                best, best_state, best_epoch = now, learner.state(), epoch
            if value > mark + settings.min_delta:
                mark, mark_epoch = value, epoch
            elif epoch - mark_epoch >= patience:
                ended = "patience"
                break
    except KeyboardInterrupt:
        if not settings.keep_interrupted or not best_epoch:
            raise
        ended = "interrupted"
        say(f"interrupted in epoch {len(rows) + 1}")
    learner.restore(best_state)
    if len(rows) > 1 or ended == "interrupted":
        say(f"kept epoch {best_epoch}: dev {name} {best[0]:.4f}")
    history = pd.DataFrame(rows)
    history.attrs["kept"] = best_epoch
    return history, ended


def _finite(loss: float, epoch: int) -> float:
    if not np.isfinite(loss):
        raise DataError(f"the loss of epoch {epoch} is {loss}: try a smaller learning_rate")
    return loss


def versions() -> dict[str, str]:
    """The versions of what trains, by name."""
    names = ("ir_attention", "keras", "tensorflow", "matchzoo", "numpy")
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # TensorFlow also comes as tensorflow-cpu, and others
            found[name] = "unknown"
    return found


def to_stderr(line: str) -> None:
    """Where progress goes by default."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress is what `say` is for
