"""What the timings come to: rows, the figures that were aimed at, and the report."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from benchmarks.runtime.reports import of_class
from limner.processor import Machine

_HEADINGS = (
    *("network", "way", "ms", "times faster", "GFLOP/s", "share of peak", "peak memory, MiB"),
    *("dB to eager", "largest difference", "runs"),
)

_EXPLANATION = """
*Eager* is the network as its authors publish it: float32, channels first, malloc as it is by default. Every way runs in
a process of its own, and the processes take turns. Times are medians; *times faster* and *share of peak* are medians of
the ratios within each round, so that a busy machine slows both sides. GFLOP count the convolutions of the network as
published: a rewriting that saves work counts as speed. The peak is the best of prepacked convolutions and a large
matrix product in the same round (`benchmarks/runtime/peak.py`). Memory is what was held at most during a run beyond
what the process held before the network was prepared. Weights are random but for VDSR and SRResNet, and scaled so that
activations stay as large as in trained networks; pix2pix's U-Net is given 1280x2048 pixels for 1080p.
""".strip().split("\n")

Note = tuple[str, str]
"""What could not be measured, and why."""


@dataclass(frozen=True)
class Row:
    """One network at one size in one way.

    Attributes:
        network: Its key in `NETWORKS`.
        title: What the report calls it.
        reference: Whether the medians count it.
        size: The picture's, as asked for.
        way: How it ran.
        milliseconds: The median of its runs.
        times_faster: The median of eager's time over its own, run by run.
        gflops: Of the network as published, 10^9 a second: rewritings that save work count as speed.
        share: The median of `gflops` over the peak that was measured in the same round: bf16's for `fast`.
        peak_mib: The most memory that it held while it ran, beyond what the process held before it was built.
        decibels: PSNR to eager; the peak is the range of eager's result.
        max_difference: The largest difference from eager.
        runs: How often it was timed.
    """

    network: str
    title: str
    reference: bool
    size: str
    way: str
    milliseconds: float
    times_faster: float
    gflops: float
    share: float
    peak_mib: float
    decibels: float
    max_difference: float
    runs: int


@dataclass(frozen=True)
class Target:
    """A figure that is aimed at.

    Attributes:
        title: What it says.
        figure: What was measured; NaN if it was not.
        least: What it must reach.
        unit: Written after both.
        quality: What holds for every result that it counts, and whether it does.
    """

    title: str
    figure: float
    least: float
    unit: str
    quality: str
    good: bool

    @property
    def met(self) -> bool:
        """Whether it is reached, by results that are good enough."""
        return self.figure >= self.least and self.good


def median(rows: Sequence[Row], column: str) -> float:
    """Of one column; NaN of no rows."""
    return statistics.median(getattr(row, column) for row in rows) if rows else math.nan


class Aim(NamedTuple):
    """What is aimed at: of one network at one size, or of the median of all that count.

    Attributes:
        title: What it says.
        column: Of `Row`.
        size: As a row's.
        network: As a row's; None for the median.
        least: What it must reach, by precision.
    """

    title: str
    column: str
    size: str
    network: str | None
    least: Mapping[str, float]


_TIMES, _SHARE = "times_faster", "share"
_MEDIAN, _LARGE = "512x512, median of the networks", "1080p, style network"
AIMS = (
    Aim(f"{_MEDIAN}, times faster", _TIMES, "512", None, {"fast": 3.0, "exact": 1.6}),
    Aim(f"{_LARGE}, times faster", _TIMES, "1080p", "johnson", {"fast": 5.5, "exact": 2.8}),
    Aim(f"{_MEDIAN}, share of peak", _SHARE, "512", None, {"fast": 0.85, "exact": 0.88}),
)
AIMS_AVX2 = (
    Aim(f"{_MEDIAN}, times faster", _TIMES, "512", None, {"exact": 2.5}),
    Aim(f"{_LARGE}, times faster", _TIMES, "1080p", "johnson", {"exact": 3.3}),
    Aim("512x512, Johnson style, times faster", _TIMES, "512", "johnson", {"exact": 2.6}),
    Aim("512x512, ResNet-9, times faster", _TIMES, "512", "resnet9", {"exact": 1.7}),
    Aim("256x256, pix2pix U-Net, times faster", _TIMES, "256", "unet256", {"exact": 1.2}),
    Aim("512x512, VDSR, times faster", _TIMES, "512", "vdsr", {"exact": 2.8}),
    Aim("512x512, SRResNet x4, times faster", _TIMES, "512", "srresnet", {"exact": 4.5}),
    Aim("512x512, U-Net, times faster", _TIMES, "512", "unet", {"exact": 1.7}),
    Aim("512x512, AdaIN, times faster", _TIMES, "512", "adain", {"exact": 2.4}),
)
"""Where `fast` is `exact`: every network of its own."""


def targets(rows: Sequence[Row], processor_class: str) -> list[Target]:
    """The figures that are aimed at on a class of processor, for the default backend."""
    aims = AIMS_AVX2 if processor_class == "AVX2" else AIMS
    return [_target(rows, aim, precision, least) for aim in aims for precision, least in aim.least.items()]


def _target(rows: Sequence[Row], aim: Aim, precision: str, least: float) -> Target:
    ran = [row for row in rows if (row.size, row.way) == (aim.size, f"torch {precision}")]
    counted = [row for row in ran if (row.network == aim.network if aim.network else row.reference)]
    unit = "" if aim.column == _SHARE else "x"
    figure = median(counted, aim.column)
    return Target(f"{aim.title}, {precision}", figure, least, unit, *_quality(counted, precision))


def _quality(rows: Sequence[Row], precision: str) -> tuple[str, bool]:
    if precision == "fast":
        worst = min((row.decibels for row in rows), default=math.nan)
        return f"{worst:.1f} dB (at least 44)", worst >= 44
    worst = max((row.max_difference for row in rows), default=math.nan)
    return f"{worst:.1e} (at most 1e-4)", worst <= 1e-4


def markdown(
    rows: Sequence[Row], peaks: dict[str, float], notes: Sequence[Note], machine: Machine, minutes: float
) -> str:
    """The report."""
    lines = [
        "# The runtime: each backend and precision against plain eager float32",
        "",
        f"{machine.setting}.",
        f"Made in {minutes:.0f} minutes by `make bench` (`python -m benchmarks.runtime.runtime`).",
        "",
        *_EXPLANATION,
        "",
        f"The median round's peak: {' and '.join(f'{value:.0f} GFLOP/s in {name}' for name, value in peaks.items())}.",
        "",
        "## Figures that are aimed at",
        "",
        *_table(("figure (backend torch)", "measured", "aim", "worst result", "")),
    ]
    lines += [_line(_cells(target)) for target in targets(rows, machine.processor_class)]
    lines += ["", f"![Times faster than eager]({of_class('runtime', machine)}.svg)"]
    for size in dict.fromkeys(row.size for row in rows):
        lines += ["", f"## {size if size.endswith('p') else f'{size}x{size}'}", "", *_table(_HEADINGS)]
        lines += [_line(_row(row)) for row in rows if row.size == size]
    reasons = dict.fromkeys(why for _, why in notes)
    if reasons:
        lines += ["", "## Not measured", ""]
        lines += [f"- {', '.join(what for what, why in notes if why == reason)}: {reason}" for reason in reasons]
    return "\n".join(lines) + "\n"


def plain(rows: Sequence[Row], peaks: dict[str, float], notes: Sequence[Note], machine: Machine) -> dict[str, Any]:
    """The same as JSON can hold it; what is infinite or missing is null."""
    aims = [asdict(target) | {"met": target.met} for target in targets(rows, machine.processor_class)]
    found: dict[str, Any] = {
        "machine": asdict(machine),
        "peak_gflops": peaks,
        "targets": aims,
        "rows": list(map(asdict, rows)),
    }
    found["not_measured"] = [{"what": what, "why": why} for what, why in notes]
    return _finite(found)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cells(target: Target) -> list[str]:
    if math.isnan(target.figure):
        return [target.title, "not measured", _figure(target.least, target.unit), "", ""]
    verdict = "met" if target.met else "**missed**"
    return [target.title, *(_figure(x, target.unit) for x in (target.figure, target.least)), target.quality, verdict]


def _figure(value: float, unit: str) -> str:
    return f"{value:.2f}{unit}" if unit else f"{value:.0%}"


def _row(row: Row) -> list[str]:
    return [
        row.title,
        row.way,
        f"{row.milliseconds:.0f}" if row.milliseconds >= 100 else f"{row.milliseconds:.1f}",
        f"{row.times_faster:.2f}",
        f"{row.gflops:.0f}",
        f"{row.share:.0%}",
        f"{row.peak_mib:.0f}",
        f"{row.decibels:.1f}" if math.isfinite(row.decibels) else "",
        f"{row.max_difference:.1e}" if row.max_difference else "",
        str(row.runs),
    ]


def _table(headings: Sequence[str]) -> list[str]:
    return [_line(headings), "|" + "---|" * len(headings)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
