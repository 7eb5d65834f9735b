"""Results of a benchmark that nobody ran, for the tests of what is made of them."""

import pandas as pd

from ir_attention.benchmark.store import write_result
from ir_attention.benchmark.summary import Asked

MEASURES = ["AP", "P@1"]


def result(out, name="han", seed=7, values=(1.0, 0.5, 0.25), label=None, **facts):
    """Writes a run of three queries, whose AP and P@1 are `values`."""
    per_query = pd.DataFrame(
        [
            (f"q{query}", measure, value)
            for query, value in enumerate(values)
            for measure in MEASURES
        ],
        columns=["query_id", "measure", "value"],
    )
    run = pd.DataFrame({"query_id": ["q0"], "doc_id": ["d0"], "score": [0.5]})
    model = name.split(":")[0]
    full = {
        **{"row": name, "label": label or name, "model": model, "seed": seed},
        "key": {"row": name, "seed": seed, "budget": 20.0, "data": {"test": "0"}},
        **{"queries": 3, "measures": {"AP": sum(values) / 3}, "test_pairs": 9},
        **{"dev_measure": "AP", "dev": 0.5, "epochs": 4, "kept_epoch": 2},
        **{"budget_ended_it": False, "parameters": 1234567, "vector_values": 0},
        **{"fit_cpu_seconds": 10.0 + seed, "train_cpu_seconds": 20.0 + seed},
        **{"train_wall_seconds": 30.0, "pairs_trained_per_cpu_second": 100.0},
        **{"pairs_scored_per_cpu_second": 2000.0, "peak_mib": 500.0 + seed, "vectors": None},
        **{"versions": {"numpy": "2.0"}, "machine": "a machine", "command": "python x"},
        "code": "c0de",
        **facts,
    }
    folder = out / "runs" / name.replace(":", "--") / str(seed)
    history = pd.DataFrame({"epoch": [1], "AP": [0.5]})
    write_result(folder, full, per_query=per_query, run=run, history=history)
    return folder


def asked(**changes):
    plain = {"title": "toy", "seeds": {"han": 2, "bm25": 1}, "measures": MEASURES}
    return Asked(**{**plain, "against": None, **changes})
