"""The picture of the report: how many times faster than eager, written as SVG by hand."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.runtime.summary import Row

# Okabe and Ito's colours, which people with colour-blindness tell apart; the shapes say it again
_MARKS = {
    "torch exact": ("#0072B2", "circle"),
    "torch fast": ("#D55E00", "up"),
    "onnxruntime exact": ("#009E73", "square"),
    "openvino exact": ("#56B4E9", "diamond"),
    "openvino fast": ("#E69F00", "down"),
}
_SHAPES = {
    "up": ((-7, 5), (7, 5), (0, -7)),
    "down": ((-7, -5), (7, -5), (0, 7)),
    "square": ((-5, -5), (5, -5), (5, 5), (-5, 5)),
    "diamond": ((-7, 0), (0, -7), (7, 0), (0, 7)),
}
_LEFT, _WIDTH, _LINE, _GAP = 130, 620, 26, 62
_MARGIN = 40


def svg(rows: Sequence[Row]) -> str:
    """A panel for each size: a line for each network, a mark for each way at its number of times faster."""
    sizes = list(dict.fromkeys(row.size for row in rows))
    panels = [[row for row in rows if row.size == size and row.way in _MARKS] for size in sizes]
    most = max([2.0, *(row.times_faster for row in rows)])
    end = math.ceil(most * 2) / 2
    parts: list[str] = []
    top = 70
    for size, panel in zip(sizes, panels, strict=True):
        parts += _panel(size, panel, top, end)
        top += _LINE * len({row.title for row in panel}) + _GAP
    width = _LEFT + _WIDTH + _MARGIN
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" width="{width}" height="{top}"'
        ' font-family="sans-serif" font-size="13" fill="#222">',
        f'<rect width="{width}" height="{top}" fill="#fff"/>',
        '<text x="16" y="24" font-size="15">Times faster than plain eager float32 (to the right is better)</text>',
    ]
    return "\n".join([*head, *_legend(), *parts, "</svg>"]) + "\n"


def _legend() -> Iterator[str]:
    x = 24
    for way in _MARKS:
        yield _mark(way, x, 46)
        yield f'<text x="{x + 12}" y="50">{escape(way)}</text>'
        x += 34 + 7 * len(way)


def _panel(size: str, rows: Sequence[Row], top: int, end: float) -> Iterator[str]:
    titles = list(dict.fromkeys(row.title for row in rows))
    bottom = top + 14 + _LINE * len(titles)
    name = size if size.endswith("p") else f"{size}x{size}"
    yield f'<text x="16" y="{top + 4}" font-weight="bold">{escape(name)}</text>'
    for tick in range(int(end) + 1):
        x = _place(tick, end)
        yield f'<line x1="{x}" y1="{top + 10}" x2="{x}" y2="{bottom}" stroke="{"#888" if tick == 1 else "#ddd"}"/>'
        yield f'<text x="{x}" y="{bottom + 16}" text-anchor="middle" fill="#555">{tick}x</text>'
    for number, title in enumerate(titles):
        y = top + 14 + _LINE // 2 + _LINE * number
        yield f'<line x1="{_LEFT}" y1="{y}" x2="{_LEFT + _WIDTH}" y2="{y}" stroke="#eee"/>'
        yield f'<text x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(title)}</text>'
        for row in rows:
            if row.title == title:
                tip = f"{title}, {row.way}: {row.times_faster:.2f}x, {row.milliseconds:.0f} ms"
                yield f"<g><title>{escape(tip)}</title>{_mark(row.way, _place(row.times_faster, end), y)}</g>"


def _place(times: float, end: float) -> float:
    return round(_LEFT + _WIDTH * times / end, 1)


def _mark(way: str, x: float, y: float) -> str:
    colour, shape = _MARKS[way]
    look = f'fill="{colour}" fill-opacity="0.9" stroke="#222" stroke-width="0.6"'
    if shape == "circle":
        return f'<circle cx="{x}" cy="{y}" r="6" {look}/>'
    corners = " ".join(f"{round(x + right, 1)},{y + down}" for right, down in _SHAPES[shape])
    return f'<polygon points="{corners}" {look}/>'
