"""The picture of a training."""

import io

import matplotlib.image
import pandas as pd
import pytest

from ir_attention.errors import DataError
from ir_attention.reports import history as history_module
from ir_attention.reports.history import history_picture

HISTORY = pd.DataFrame(
    {"epoch": [1, 2, 3], "loss": [0.7, 0.5, 0.4], "A$P_1": [0.3, 0.6, 0.5], "seconds": [1, 1, 1]}
)


def test_both_lines_and_the_kept_epoch(monkeypatch):
    drawn = []
    from matplotlib.axes import Axes

    plot, title = Axes.plot, Axes.set_title
    monkeypatch.setattr(
        Axes, "plot", lambda self, x, y, *a, **k: drawn.append((x, y)) or plot(self, x, y, *a, **k)
    )
    monkeypatch.setattr(
        Axes, "set_title", lambda self, text, **k: drawn.append(text) or title(self, text, **k)
    )
    history_module.history_picture(HISTORY)
    (_, loss), _, (_, measure), kept, said = drawn
    assert list(loss) == [0.7, 0.5, 0.4] and list(measure) == [0.3, 0.6, 0.5]
    assert kept == (2, 0.6)
    assert said == "A$P_1 on dev; kept: 0.6000 of epoch 2"


def test_the_epoch_that_was_kept_of_equals(monkeypatch):
    from matplotlib.axes import Axes

    said, title = [], Axes.set_title
    monkeypatch.setattr(
        Axes, "set_title", lambda self, text, **k: said.append(text) or title(self, text, **k)
    )
    level = HISTORY.assign(**{"A$P_1": 0.5})
    for kept, number in ((None, 1), (3, 3)):
        level.attrs = {} if kept is None else {"kept": kept}
        history_picture(level)
        assert said[-1].endswith(f"of epoch {number}")


def test_is_a_picture_and_the_same_again():
    picture = history_picture(HISTORY)
    assert picture == history_picture(HISTORY)
    assert matplotlib.image.imread(io.BytesIO(picture)).shape[:2] == (460, 1209)


@pytest.mark.parametrize(
    "history",
    [HISTORY[:0], HISTORY.drop(columns="loss"), HISTORY.assign(RR=1.0), pd.DataFrame()],
)
def test_refuses_what_is_no_history(history):
    with pytest.raises(DataError, match="row per epoch"):
        history_picture(history)
