"""Runs to numbers: read and write runs, measure them, compare them.

Names load on first use: a script that only writes a run does not pay for the measures.
"""

import importlib
from typing import Any

_HOME = {
    "Evaluation": "results",
    "EvaluationWarning": "results",
    "as_qrels": "runs",
    "as_run": "runs",
    "choose_threshold": "thresholds",
    "compare": "significance",
    "differences": "significance",
    "estimate_count": "counting",
    "evaluate": "measures",
    "measure_threshold": "thresholds",
    "mixed_queries": "runs",
    "read_qrels": "runs",
    "read_run": "runs",
    "write_qrels": "runs",
    "write_run": "runs",
}

__all__ = [
    "Evaluation",
    "EvaluationWarning",
    "as_qrels",
    "as_run",
    "choose_threshold",
    "compare",
    "differences",
    "estimate_count",
    "evaluate",
    "measure_threshold",
    "mixed_queries",
    "read_qrels",
    "read_run",
    "write_qrels",
    "write_run",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
