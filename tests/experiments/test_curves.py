"""The charts of losses, on made-up curves."""

import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.experiments.curves import Chart, figure_of, svg

pytest.importorskip("matplotlib")

CURVE = [(0.0, 100.0), (5.0, 10.0), (10.0, 1.0)]


def test_heights_are_logarithmic_and_levels_go_across():
    (axes,) = figure_of([Chart("Loss", "seconds", {"slow": CURVE}, {"quick": 10.0})]).axes
    slow, quick = axes.lines
    assert np.asarray(slow.get_xydata()).tolist() == [list(point) for point in CURVE]
    assert (axes.get_yscale(), axes.get_xlabel(), axes.get_xlim()[0]) == ("log", "seconds", 0)
    assert (list(quick.get_ydata()), quick.get_linestyle()) == ([10.0, 10.0], "--")
    start, middle, end = (axes.transData.transform(point)[1] for point in CURVE)
    assert start - middle == pytest.approx(middle - end)  # a decade each


def test_charts_stand_below_each_other():
    chart = Chart("a", "b", {"c": CURVE}, {})
    figure = figure_of([chart, Chart("d", "b", {"c": CURVE}, {})])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "d"]
    assert figure.get_figheight() == 2 * figure_of([chart]).get_figheight()
    upper, lower = figure.axes
    assert upper.get_position().y0 > lower.get_position().y0


def test_lines_go_across_at_1_2_and_5_just_around_the_curves():
    (axes,) = figure_of([Chart("a", "b", {"c": [(0.0, 0.3), (1.0, 0.75)]}, {})]).axes
    low, high = axes.get_ylim()
    assert [float(f"{tick:g}") for tick in axes.get_yticks() if low <= tick <= high] == [0.2, 0.5, 1]
    assert [axes.yaxis.get_major_formatter()(tick) for tick in (0.5, 20, 1e5)] == ["0.5", "20", "100000"]


def test_the_text_is_the_same_each_time_and_names_no_day():
    charts = [Chart("Loss & more", "seconds", {"slow": CURVE}, {"quick": 10.0})]
    drawing = svg(charts)
    assert drawing == svg(charts)
    assert "Loss &amp; more" in drawing and "<dc:date>" not in drawing
    ElementTree.fromstring(drawing)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(LimnerError, match=r"'\.\[bench\]' in the folder of Limner"):
        svg([Chart("a", "b", {"c": CURVE}, {})])
