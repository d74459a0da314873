"""Losses over time or iterations, and levels across them, drawn by matplotlib as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limner.media.charts import COLOURS, check_matplotlib, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Chart:
    """One chart: curves over a linear axis, with a logarithmic one upwards.

    Attributes:
        title: Above it.
        axis: What runs to the right.
        curves: Points (x, y) by name, y above 0.
        levels: Heights above 0 by name, drawn across.
    """

    title: str
    axis: str
    curves: Mapping[str, Sequence[tuple[float, float]]]
    levels: Mapping[str, float]


def svg(charts: Sequence[Chart]) -> str:
    """The charts below each other, as SVG.

    Raises:
        LimnerError: Matplotlib is not installed.
    """
    return svg_of(figure_of(charts))


def figure_of(charts: Sequence[Chart]) -> "Figure":
    """The charts below each other, as a figure of matplotlib.

    Raises:
        LimnerError: Matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.8, 3.4 * len(charts)), layout="constrained")
    for chart, axes in zip(charts, figure.subplots(len(charts), squeeze=False)[:, 0], strict=True):
        _draw(chart, axes)
    return figure


def _draw(chart: Chart, axes: "Axes") -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    colours = [COLOURS[number % len(COLOURS)] for number in range(len(chart.curves) + len(chart.levels))]
    for (name, curve), colour in zip(chart.curves.items(), colours, strict=False):
        axes.plot([x for x, _ in curve], [y for _, y in curve], label=name, color=colour)
    for (name, height), colour in zip(chart.levels.items(), colours[len(chart.curves) :], strict=True):
        axes.axhline(height, label=name, color=colour, linestyle="--")
    axes.set_yscale("log")
    ruled = LogLocator(subs=(1, 2, 5))
    axes.yaxis.set_major_locator(ruled)
    least, most = axes.dataLim.intervaly
    ticks = ruled.tick_values(least / 10, most * 10)
    axes.set_ylim(max(tick for tick in ticks if tick < least), min(tick for tick in ticks if tick > most))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_xlim(left=min(0, *(x for curve in chart.curves.values() for x, _ in curve)))
    axes.grid(axis="y", color="#ddd")
    axes.set_title(chart.title, loc="left", fontweight="bold")
    axes.set_xlabel(chart.axis)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
