"""The picture of the report: how many times faster than eager, drawn by matplotlib as SVG."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.runtime.summary import Row
from limner.media.charts import svg_of

# Okabe and Ito's colours, which people with colour-blindness tell apart; the shapes say it again
_MARKS = {
    "torch exact": ("#0072B2", "o"),
    "torch fast": ("#D55E00", "^"),
    "onnxruntime exact": ("#009E73", "s"),
    "openvino exact": ("#56B4E9", "D"),
    "openvino fast": ("#E69F00", "v"),
}


def svg(rows: Sequence[Row]) -> str:
    """The figure as SVG."""
    return svg_of(figure_of(rows))


def figure_of(rows: Sequence[Row]) -> Figure:
    """A panel for each size: a line for each network, a mark for each way at its number of times faster."""
    sizes = list(dict.fromkeys(row.size for row in rows))
    panels = [[row for row in rows if row.size == size and row.way in _MARKS] for size in sizes]
    lines = [len({row.title for row in panel}) for panel in panels]
    figure = Figure(figsize=(8, 1 + sum(0.3 * count + 0.7 for count in lines)), layout="constrained")
    ratios = [count + 1 for count in lines]
    places = figure.subplots(len(panels), squeeze=False, sharex=True, gridspec_kw={"height_ratios": ratios})[:, 0]
    for size, panel, axes in zip(sizes, panels, places, strict=True):
        _draw(size, panel, axes)
    most = max([2.0, *(row.times_faster for row in rows)])
    places[0].set_xlim(0, math.ceil(most * 2) / 2)
    names = {label: line for axes in places for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(list(names.values()), list(names), loc="outside lower center", ncols=len(_MARKS), frameon=False)
    figure.suptitle("Times faster than plain eager float32 (to the right is better)", x=0.01, ha="left")
    return figure


def _draw(size: str, rows: Sequence[Row], axes: Axes) -> None:
    titles = list(dict.fromkeys(row.title for row in rows))
    for way, (colour, shape) in _MARKS.items():
        points = [(row.times_faster, titles.index(row.title)) for row in rows if row.way == way]
        if points:
            across, down = zip(*points, strict=True)
            axes.plot(across, down, shape, label=way, color=colour, markeredgecolor="#222", markeredgewidth=0.6)
    axes.axvline(1, color="#888")
    axes.grid(color="#ddd")
    axes.set_axisbelow(True)
    axes.set_title(size if size.endswith("p") else f"{size}x{size}", loc="left", fontweight="bold")
    axes.set_yticks(range(len(titles)), titles)
    axes.set_ylim(len(titles) - 0.5, -0.5)
    axes.xaxis.set_major_formatter("{x:g}x")
    axes.tick_params(labelbottom=True)
