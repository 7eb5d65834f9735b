"""What quality costs, as a picture: a point per model, named beside it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Point", "cost_picture"]

# Told apart without colour vision, by their shapes too (Okabe and Ito 2008).
_LOOKS = (("#d55e00", "o"), ("#0072b2", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#e69f00", "v"))

# Where a name may stand: directions around its point, and distances from it, in points.
_TURNS = np.deg2rad([0, 180, 45, 315, 135, 225, 90, 270, 20, 340, 160, 200])
_STEPS = (7.0, 16.0, 28.0, 42.0, 58.0, 76.0)

# From this distance on a line leads from the name to its point.
_FAR = 16.0

# An axis from 1 to so many has marks at powers of ten alone.
_WIDE = 1000


@dataclass(frozen=True)
class Point:
    """A model in the picture.

    Attributes:
        name: Stands beside the point.
        group: Points of one group look alike.
        value, low, high: Of the measure: the mean, and the ends of its interval.
        costs: A number per panel, above 0; NaN where it is not known, and then it is not there.
    """

    name: str
    group: str
    value: float
    low: float
    high: float
    costs: tuple[float, ...]


def cost_picture(
    points: Sequence[Point], *, panels: Sequence[str], measure: str
) -> tuple[bytes, str]:
    """The points in panels side by side, costs on a logarithmic axis.

    The same points give the same bytes.

    Args:
        points: One at least.
        panels: What each cost is, with its unit.
        measure: The name of the values.

    Returns:
        A PNG file, and an SVG element whose text is text.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys(point.group for point in points))
    looks = {group: _LOOKS[place % len(_LOOKS)] for place, group in enumerate(groups)}
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ir_attention"}):
        figure = Figure(figsize=(6.2 * len(panels), 5.2), layout="constrained")
        FigureCanvasAgg(figure)
        panes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for place, (axes, panel) in enumerate(zip(panes, panels, strict=True)):
            _draw(axes, points, place, looks)
            axes.set_xlabel(panel, parse_math=False)
        panes[0].set_ylabel(f"{measure} on test, 95 % interval", parse_math=False)
        handles, names = panes[0].get_legend_handles_labels()
        if len(groups) > 1:
            figure.legend(
                handles, names, loc="outside lower center", ncols=len(groups), frameon=False
            )
        figure.canvas.draw()  # the layout is done, and names can be placed
        for place, axes in enumerate(panes):
            _name(axes, [point for point in points if np.isfinite(point.costs[place])], place)
        png, svg = io.BytesIO(), io.StringIO()
        figure.set_layout_engine("none")
        figure.savefig(png, format="png", dpi=144, metadata={"Software": None})
        figure.savefig(
            svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    picture = svg.getvalue()
    # The element alone, in the colour of the page's text, so that it reads in the dark too.
    return png.getvalue(), picture[picture.index("<svg") :].replace("#000000", "currentColor")


def _draw(axes: Any, points: Sequence[Point], place: int, looks: dict[str, Any]) -> None:
    from matplotlib.ticker import LogLocator

    for group, (colour, marker) in looks.items():
        here = [p for p in points if p.group == group]
        x = np.array([p.costs[place] for p in here])
        y, low, high = np.array([(p.value, p.low, p.high) for p in here]).T
        axes.vlines(x, low, high, color=colour, linewidth=1, alpha=0.35)
        axes.plot(x, y, marker, color=colour, markersize=6, label=group)
    axes.set_xscale("log")
    axes.margins(x=0.18, y=0.06)
    low_end, high_end = axes.get_xlim()
    few = high_end / low_end < _WIDE  # then powers of ten alone are too few marks
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=12))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.xaxis.set_minor_formatter("")
    axes.grid(alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _name(axes: Any, points: Sequence[Point], place: int) -> None:
    """Writes each name where it covers no other name and no point."""
    renderer = axes.figure.canvas.get_renderer()
    scale = axes.figure.dpi / 72
    spots = axes.transData.transform([(p.costs[place], p.value) for p in points])
    ends = axes.transData.transform([(p.costs[place], v) for p in points for v in (p.low, p.high)])
    lines = np.concatenate([ends[::2] - scale, ends[1::2] + scale], axis=1)
    taken = np.concatenate([spots - 5 * scale, spots + 5 * scale], axis=1)
    inside = np.array(axes.bbox.extents)
    for point, spot in zip(points, spots, strict=True):
        text = axes.annotate(
            point.name,
            (point.costs[place], point.value),
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=8,
            ha="center",
            va="center",
            parse_math=False,
        )
        size = text.get_window_extent(renderer)
        half = np.array([size.width, size.height]) / 2 + scale
        best, box, far = _best(spot, half, scale, taken, lines, inside)
        text.set_position(tuple(best))
        if far > _FAR:
            edge = (np.clip(spot, box[:2], box[2:]) - spot) / scale
            axes.annotate(
                "",
                (point.costs[place], point.value),
                xytext=tuple(edge),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "lw": 0.6, "alpha": 0.5, "shrinkA": 0, "shrinkB": 3},
            )
        taken = np.concatenate([taken, box[None]])


def _best(
    spot: np.ndarray,
    half: np.ndarray,
    scale: float,
    taken: np.ndarray,
    lines: np.ndarray,
    inside: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, float]:
    """The offset of a name in points, its box in pixels, and how far it is from its point."""
    found: list[tuple[float, np.ndarray, np.ndarray, float]] = []
    for step in _STEPS:
        for turn in _TURNS:
            way = np.array([np.cos(turn), np.sin(turn)])
            centre = way * (step * scale + half * np.abs(way))
            box = np.concatenate([spot + centre - half, spot + centre + half])
            out = np.maximum([inside[:2] - box[:2], box[2:] - inside[2:]], 0).sum()
            cost = 10 * _shared(box, taken) + 0.3 * _shared(box, lines) + 50 * out + step * scale
            found.append((float(cost), centre / scale, box, step))
    return min(found, key=lambda one: one[0])[1:]


def _shared(box: np.ndarray, others: np.ndarray) -> float:
    """The area that a box shares with others, `(others, 4)`: left, low, right, high."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    return float(np.maximum(high - low, 0).prod(axis=1).sum())
