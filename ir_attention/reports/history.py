"""How a training went, as a picture: the loss and the dev measure by epoch."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd

from ir_attention.errors import DataError

__all__ = ["history_picture"]

_LOSS, _MEASURE = "#d55e00", "#0072b2"  # of Okabe and Ito (2008)
_BESIDE = ("epoch", "loss", "seconds", "cpu_seconds")


def history_picture(history: pd.DataFrame) -> bytes:
    """The loss of training, and the dev measure with the epoch that was kept.

    The same history gives the same bytes.

    Args:
        history: As `training.Trained` has it: a row per epoch, with `epoch`, `loss` and the dev
            measure by its name. If its `attrs` do not say which epoch is `kept`, the first best.

    Returns:
        A PNG file.

    Raises:
        DataError: There is no epoch, as for models that only count; or the columns are others.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    measures = [str(name) for name in history if name not in _BESIDE]
    if not len(history) or len(measures) != 1 or not {"epoch", "loss"} <= set(history):
        raise DataError(
            "`history` must have a row per epoch with epoch, loss and one dev measure. Received: "
            f"{len(history)} rows with {list(history)}"
        )
    measure = measures[0]
    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _line(left, history["epoch"], history["loss"], _LOSS)
    left.set_title("Loss in training", loc="left", fontsize=10)
    _line(right, history["epoch"], history[measure], _MEASURE)
    place = int(history[measure].to_numpy().argmax())
    if "kept" in history.attrs:
        place = int(np.flatnonzero(history["epoch"] == history.attrs["kept"])[0])
    kept = dict(history.iloc[place])
    right.plot(kept["epoch"], kept[measure], "o", color=_MEASURE, markersize=10, fillstyle="none")
    # Above the axes: nothing there can lie on the line.
    said = f"{measure} on dev; kept: {kept[measure]:.4f} of epoch {kept['epoch']:.0f}"
    right.set_title(said, loc="left", fontsize=10, parse_math=False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=144, metadata={"Software": None})
    return file.getvalue()


def _line(axes: Any, epochs: pd.Series, values: pd.Series, colour: str) -> None:
    axes.plot(epochs, values, "o-", color=colour, linewidth=1.6, markersize=4)
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
