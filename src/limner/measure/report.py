"""The table that `evaluate` makes, and how it is written down."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from limner.metrics.protocols import Protocol
from limner.metrics.published import Figure
from limner.processor import Machine

_HEADINGS = (
    *("set", "scale", "method"),
    *("PSNR (dB)", "paper PSNR", "difference"),
    *("SSIM", "paper SSIM", "difference"),
)
_DISTANCE = "VGG distance"
_LAST = ("seconds / image", "note")


@dataclass(frozen=True)
class Row:
    """One method on one set at one scale by one protocol."""

    protocol: str
    benchmark: str
    scale: int
    method: str
    num_images: int
    psnr: float
    """Decibels, the mean over the pictures."""
    ssim: float
    """In [-1, 1], the mean over the pictures."""
    seconds: float
    """Wall clock per picture, the mean; reading, shrinking and scoring are not in it."""
    published: Figure | None = None
    """What the method's paper prints for all pictures of this set, scale and protocol."""
    note: str = ""
    distance: float | None = None
    """`metrics.vgg_distance`, the mean over the pictures; None where it was not measured."""


@dataclass(frozen=True)
class Method:
    """A model as the head of the report names it."""

    name: str
    precision: str = "float32"
    weights_hash: str | None = None


@dataclass(frozen=True)
class Report:
    """Figures with all that is needed to read them rightly."""

    machine: Machine
    protocols: tuple[Protocol, ...]
    methods: tuple[Method, ...]
    rows: tuple[Row, ...]

    def to_markdown(self) -> str:
        """The head, then one table for each protocol."""
        machine = self.machine
        lines = [
            "# Super-resolution on benchmark sets",
            "",
            f"- date: {machine.date}",
            f"- processor: {machine.hardware}",
            f"- torch: {machine.torch}",
        ]
        for method in self.methods:
            weights = f", weights {method.weights_hash}" if method.weights_hash else ""
            lines.append(f"- {_cell(method.name)}: {method.precision}{weights}")
        for protocol in self.protocols:
            rows = [row for row in self.rows if row.protocol == protocol.name]
            lines += ["", f"## {protocol.name}", "", protocol.description, "", *_table(rows)]
        return "\n".join(lines) + "\n"

    def to_json(self) -> str:
        """The same as JSON. JSON has no infinity: the PSNR of pictures that are equal is the string "inf"."""
        return json.dumps(_finite(asdict(self)), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _cells(row: Row, with_distance: bool) -> tuple[str, ...]:
    psnr, ssim = row.published or (None, None)
    return (
        f"{row.benchmark} ({row.num_images})",
        f"x{row.scale}",
        row.method,
        f"{row.psnr:.3f}",
        *_beside(row.psnr, psnr, 2, 3),
        f"{row.ssim:.4f}",
        *_beside(row.ssim, ssim, 4, 4),
        *([_distance(row)] if with_distance else []),
        f"{row.seconds:.3g}",
        row.note,
    )


def _distance(row: Row) -> str:
    return "" if row.distance is None else f"{row.distance:.4f}"


def _beside(measured: float, printed: float | None, digits: int, difference_digits: int) -> tuple[str, str]:
    if printed is None:
        return "", ""
    return f"{printed:.{digits}f}", f"{measured - printed:+.{difference_digits}f}"


def _table(rows: Sequence[Row]) -> list[str]:
    """With a column for the distance where a row has one."""
    with_distance = any(row.distance is not None for row in rows)
    headings = [*_HEADINGS, *([_DISTANCE] if with_distance else []), *_LAST]
    return [_line(headings), "|" + "---|" * len(headings), *(_line(_cells(row, with_distance)) for row in rows)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
