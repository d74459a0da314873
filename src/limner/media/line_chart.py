"""A curve as SVG that takes its colours from the page that it stands in."""

import math
from collections.abc import Iterator, Sequence

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 480, 190, 46, 8, 10, 24
_MOST = 300  # points of a curve
_SMOOTHED = 0.05  # of the points
_WIDE = 50.0  # times between the least and the most, from which the scale is logarithmic
Points = Sequence[tuple[int, float]]


def line_chart(curve: Points, *, level: float | None = None, marks: Sequence[int] = (), smooth: bool = True) -> str:
    """A curve, smoothed and as it is, on a scale that fits it.

    Args:
        curve: Steps and values; those that are not finite are left out.
        level: A value that a line goes across at.
        marks: Steps that lines go down at.
        smooth: Whether a mean over neighbours is drawn over it.
    """
    points = _thinned([(step, value) for step, value in curve if math.isfinite(value)])
    if not points:
        return '<p class="quiet small">no number yet</p>'
    frame = _Frame(points, level)
    lines = [*frame.axes(), *(frame.mark(step) for step in marks if points[0][0] <= step <= points[-1][0])]
    if level is not None:
        lines.append(frame.level(level))
    lines.append(frame.path(points, "raw" if smooth else "curve"))
    if smooth:
        lines.append(frame.path(_smoothed(points), "curve"))
    last = f"{points[-1][1]:.4g} at step {points[-1][0]:,}"
    head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="A curve that ends with {last}">'
    return f"{head}{''.join(lines)}</svg>"


class _Frame:
    """Where steps and values are drawn."""

    def __init__(self, points: Points, level: float | None) -> None:
        values = [value for _, value in points] + ([level] if level is not None else [])
        self.is_logarithmic = min(values) > 0 and max(values) > _WIDE * min(values)
        scaled = [self._scaled(value) for value in values]
        self.low, self.high = min(scaled), max(scaled)
        if self.high - self.low < 1e-12:
            self.low, self.high = self.low - 0.5, self.high + 0.5
        self.first, self.last = points[0][0], max(points[-1][0], points[0][0] + 1)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.is_logarithmic else value

    def x(self, step: float) -> float:
        return round(_LEFT + (step - self.first) / (self.last - self.first) * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        share = (self._scaled(value) - self.low) / (self.high - self.low)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)

    def path(self, points: Points, kind: str) -> str:
        places = " ".join(f"{self.x(step)},{self.y(value)}" for step, value in points)
        return f'<polyline class="{kind}" points="{places}"/>'

    def mark(self, step: int) -> str:
        return f'<line class="mark" x1="{self.x(step)}" x2="{self.x(step)}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'

    def level(self, value: float) -> str:
        height = self.y(value)
        dashes = f'stroke-dasharray="6 4" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}"'
        return f'<line class="axis" {dashes} y1="{height}" y2="{height}"/>'

    def axes(self) -> Iterator[str]:
        """Three values at the left, three steps below."""
        for share in (0.0, 0.5, 1.0):
            scaled = self.low + share * (self.high - self.low)
            value = 10**scaled if self.is_logarithmic else scaled
            height = self.y(value)
            yield f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height}" y2="{height}"/>'
            yield f'<text x="{_LEFT - 6}" y="{height + 4}" text-anchor="end">{value:.3g}</text>'
            step = self.first + share * (self.last - self.first)
            anchor = {0.0: "start", 0.5: "middle", 1.0: "end"}[share]
            yield f'<text x="{self.x(step)}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{step:,.0f}</text>'


def _thinned(points: Points) -> list[tuple[int, float]]:
    """Every so many, the last among them."""
    every = math.ceil(len(points) / _MOST)
    return [*points[: -1 : every or 1], *points[-1:]]


def _smoothed(points: Points) -> list[tuple[int, float]]:
    """The mean over so many points around each."""
    reach = max(1, round(_SMOOTHED * len(points)))
    found = []
    for place, (step, _) in enumerate(points):
        around = [value for _, value in points[max(0, place - reach) : place + reach + 1]]
        found.append((step, sum(around) / len(around)))
    return found
