"""The picture of quality against cost: points where they belong, names that do not overlap."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from ir_attention.reports import plots
from ir_attention.reports.plots import Point, cost_picture

PANELS = ["training, CPU seconds", "pairs scored per CPU second"]


def crowd(count):
    """Points of which many are at nearly the same place, as those of one budget are."""
    rng = np.random.default_rng(5)
    return [
        Point(
            name=f"model number {number}",
            group=f"group {number % 3}",
            value=(value := float(rng.uniform(0.55, 0.65))),
            low=value - 0.05,
            high=value + 0.04,
            costs=(float(rng.uniform(140, 160)), float(rng.uniform(500, 5000))),
        )
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def seven():
    return cost_picture(crowd(7), panels=PANELS, measure="MAP")


def texts(svg):
    root = ElementTree.fromstring(svg)
    return ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]


def test_what_is_written_in_it(seven):
    png, svg = seven
    assert png.startswith(b"\x89PNG")
    found = texts(svg)
    for point in crowd(7):
        assert found.count(point.name) == 2  # a panel each
    assert {"group 0", "group 1", "group 2", *PANELS} <= set(found)
    assert "MAP on test, 95 % interval" in found
    assert "currentColor" in svg and "#000000" not in svg


def test_the_same_points_give_the_same_bytes(seven):
    assert cost_picture(crowd(7), panels=PANELS, measure="MAP") == seven


@pytest.mark.parametrize("count", [2, 16])
def test_names_do_not_overlap(count, monkeypatch):
    taken = []

    def placed(*given):
        found = best(*given)
        taken.append((given[3], found[1]))
        return found

    best = plots._best
    monkeypatch.setattr(plots, "_best", placed)
    cost_picture(crowd(count), panels=PANELS, measure="MAP")
    assert len(taken) == 2 * count
    for others, box in taken:  # all points, and the names that stood there before
        apart = (
            (others[:, 2] <= box[0])
            | (others[:, 0] >= box[2])
            | (others[:, 3] <= box[1])
            | (others[:, 1] >= box[3])
        )
        assert apart.all()


def test_a_cost_that_is_not_known_has_no_point():
    points = [*crowd(2), Point("unknown", "group 0", 0.6, 0.5, 0.7, (100.0, float("nan")))]
    _, svg = cost_picture(points, panels=PANELS, measure="MAP")
    assert texts(svg).count("unknown") == 1


def test_one_point():
    _, svg = cost_picture(crowd(1), panels=PANELS[:1], measure="AP")
    assert "model number 0" in texts(svg)
    assert "group 0" not in texts(svg)  # with one group there is nothing to tell apart


def test_names_are_text():
    name = "<b>$x_1$</b> & \\alpha"
    points = [Point(name, "g", 0.5, 0.4, 0.6, (1.0,)), *crowd(0)]
    _, svg = cost_picture(points, panels=["$cost$"], measure="$m$")
    assert {name, "$cost$"} <= set(texts(svg))
    assert not re.search("<b>", svg)
