"""Losses over time or iterations, and levels across them, written as SVG by hand."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
)  # Okabe and Ito's, which people with colour-blindness tell apart
_LEFT, _TOP, _WIDTH, _HEIGHT, _GAP = 70, 44, 520, 240, 70
_LEGEND = 190


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
    """The charts below each other."""
    height, width = len(charts) * (_TOP + _HEIGHT + _GAP), _LEFT + _WIDTH + _LEGEND
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="13" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    parts = [line for number, one in enumerate(charts) for line in _chart(one, number * (_TOP + _HEIGHT + _GAP))]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _chart(chart: Chart, top: int) -> Iterator[str]:
    points = [point for curve in chart.curves.values() for point in curve]
    ruled = _ruled([y for _, y in points] + list(chart.levels.values()))
    end, bottom = max(x for x, _ in points) or 1.0, top + _TOP + _HEIGHT
    low, span = ruled[0], math.log(ruled[-1] / ruled[0]) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        return round(_LEFT + _WIDTH * x / end, 1), round(bottom - _HEIGHT * math.log(y / low) / span, 1)

    yield f'<text x="{_LEFT}" y="{top + 24}" font-weight="bold">{escape(chart.title)}</text>'
    for height in ruled:
        _, y = place(0, height)
        yield f'<line x1="{_LEFT}" y1="{y}" x2="{_LEFT + _WIDTH}" y2="{y}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end" fill="#555">{height:g}</text>'
    for tick in range(5):
        x, _ = place(end * tick / 4, low)
        yield f'<text x="{x}" y="{bottom + 18}" text-anchor="middle" fill="#555">{end * tick / 4:.3g}</text>'
    yield f'<text x="{_LEFT + _WIDTH / 2}" y="{bottom + 38}" text-anchor="middle">{escape(chart.axis)}</text>'
    for number, (name, curve) in enumerate([*chart.curves.items(), *_lines(chart.levels, end)]):
        colour, dash = _COLOURS[number % len(_COLOURS)], ' stroke-dasharray="6 4"' if name in chart.levels else ""
        path = " ".join("{},{}".format(*place(*point)) for point in curve)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
        x, y = _LEFT + _WIDTH + 12, top + _TOP + 16 + 20 * number
        yield f'<line x1="{x}" y1="{y - 4}" x2="{x + 22}" y2="{y - 4}" stroke="{colour}" stroke-width="2"{dash}/>'
        yield f'<text x="{x + 28}" y="{y}">{escape(name)}</text>'


def _ruled(heights: Sequence[float]) -> list[float]:
    """Where lines go across: 1, 2 and 5 times powers of ten, from just below all heights to just above."""
    least, most = min(heights), max(heights)
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    steps = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    low, high = max(step for step in steps if step <= least), min(step for step in steps if step >= most)
    return [step for step in steps if low <= step <= high]


def _lines(levels: Mapping[str, float], end: float) -> Iterator[tuple[str, Sequence[tuple[float, float]]]]:
    for name, height in levels.items():
        yield name, [(0.0, height), (end, height)]
