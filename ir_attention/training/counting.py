"""BM25 behind the same calls as the models that learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ir_attention.bm25 import BM25Scorer

__all__ = ["BM25Learner"]


class BM25Learner:
    """BM25 as `fitting.Learner` describes it: one epoch, in which nothing happens."""

    def __init__(self, dev: pd.DataFrame) -> None:
        self.epochs, self._dev = 1, dev
        self.notes: list[str] = []
        self._scorer = BM25Scorer()

    def fit_epoch(self, epoch: int) -> float:
        return 0.0

    def score_dev(self) -> np.ndarray:
        return self._scorer.score(list(self._dev["text_left"]), list(self._dev["text_right"]))

    def state(self) -> list[np.ndarray]:
        return []

    def restore(self, state: list[np.ndarray]) -> None:
        pass

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
        return {}, {}, {"bm25": self._scorer.to_json()}
