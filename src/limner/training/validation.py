"""What a run is worth while it runs: measured on pictures that are kept from training, beside a baseline."""

import csv
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.catalog.entry import Entry
from limner.data.benchmarks import BenchmarkSet, Sample
from limner.data.label_maps import LabelMapped
from limner.data.pairs import Pair
from limner.data.sampler import Samples, batches
from limner.data.unpaired import Unpaired
from limner.files.atomic import atomic_path
from limner.loops.step_report import StepReport
from limner.loops.watch import aside
from limner.measure.super_resolution import BICUBIC, evaluate_sets
from limner.metrics.cycle import cycle_errors, likeness
from limner.runtime.probes import results_of
from limner.tasks.draw_inputs import with_drawn
from limner.tasks.enlarge import ENLARGE, Enlarger, LuminanceEnlarger
from limner.tasks.translate import TRANSLATE, TwoWay
from limner.types import Image, Luminance, Progress

VALIDATION_FILE = "validation.csv"
"""In the folder of a run: a row for each time that it was measured."""

_MOST_PICTURES = 5  # of enlargers, each its middle alone
_MIDDLE = 384  # pixels of its sides
_BATCHES = 4  # of losses and of pairs
_PROTOCOL = "sr-y-shave"
_HIDDEN = (
    "a translation hides what it was made of where nobody sees it: lower cycle_weight, or pass "
    "--set game.instance_noise=0.05"
)
_INVERTED = "light has become dark: pass --set identity_weight=5 or more, or begin with another --seed"


class Figure(NamedTuple):
    """One measurement.

    Attributes:
        name: Such as `PSNR x2 (dB)` or `loss`.
        value: Of the model.
        baseline: Of what it must be better than.
        against: What that is: `bicubic`, `the source as it is`, or `the start`.
        more_is_better: Whether it is a quality, not a loss.
        advice: What it means where the value is not better; nothing where training longer may help.
    """

    name: str
    value: float
    baseline: float
    against: str
    more_is_better: bool
    advice: str = ""

    @property
    def is_better(self) -> bool:
        """Than the baseline."""
        return self.value > self.baseline if self.more_is_better else self.value < self.baseline


Measure = Callable[[nn.Module], list[Figure]]
"""From a system in evaluation mode to what it is worth."""


def measure_of(entry: Entry, config: Mapping[str, Any], samples: Samples, pictures: Sequence[Path]) -> Measure | None:
    """How a system is measured while it is trained; None for one that makes pictures from chance.

    Args:
        entry: Of the system.
        config: Of the system.
        samples: Drawn from what is kept from training.
        pictures: Their files, where there are any.
    """
    tasks = entry.tasks_of(config)
    if ENLARGE in tasks and pictures:
        return lambda system: _enlarged(entry, config, system, pictures)
    if TRANSLATE in tasks:
        return lambda system: _translated(_product(entry, config, system), samples)
    is_game = len(cast(Mapping[str, nn.Module], entry.system(entry.config.parse(config)).players)) > 1
    return None if is_game else _Loss(samples)


def _product(entry: Entry, config: Mapping[str, Any], system: nn.Module) -> nn.Module:
    """What will be used of a system, as it is now."""
    product = entry.build_product(entry.config.parse(config))
    product.load_state_dict(entry.product_state(system))
    return product.to(next(system.parameters()).device).eval()


class _Middles(BenchmarkSet):
    """The middles of pictures."""

    def __iter__(self) -> Iterator[Sample]:
        for sample in super().__iter__():
            top, left = (max(0, (side - _MIDDLE) // 2) for side in sample.image.shape[-2:])
            yield sample._replace(image=sample.image[..., top : top + _MIDDLE, left : left + _MIDDLE])


@dataclass(frozen=True)
class _Model:
    """An enlarger as the evaluation takes it, on its own device."""

    system: Enlarger
    device: torch.device
    name: str = "model"

    @property
    def scales(self) -> tuple[int, ...]:
        return self.system.scales

    def enlarge(self, image: Image, scale: int) -> Float[Tensor, "n 3 H W"]:
        return self.system.enlarge(image.to(self.device), scale).float().cpu()


class _LuminanceModel(_Model):
    def enlarge_luminance(self, y: Luminance, scale: int) -> Float[Tensor, "n 1 H W"]:
        return cast(LuminanceEnlarger, self.system).enlarge_luminance(y.to(self.device), scale).float().cpu()


def _enlarged(entry: Entry, config: Mapping[str, Any], system: nn.Module, pictures: Sequence[Path]) -> list[Figure]:
    network = cast(Enlarger, _product(entry, config, system))
    kind = _LuminanceModel if network.inputs[0].kind == "luminance" else _Model
    model = kind(network, next(system.parameters()).device)
    kept = _Middles("kept", tuple(pictures[:_MOST_PICTURES]))
    report = evaluate_sets([kept], [model], scales=network.scales, protocols=(_PROTOCOL,))
    found = {(row.method, row.facts["scale"]): row.figures["psnr"] for table in report.tables for row in table.rows}
    return [
        Figure(f"PSNR x{scale} (dB)", found[model.name, scale], found[BICUBIC.name, scale], "bicubic", True)
        for scale in network.scales
    ]


def _batches_of(samples: Samples) -> Iterator[Any]:
    stream = batches(samples, min(4, len(samples)), seed=0)
    return (next(stream) for _ in range(_BATCHES))


def _translated(network: nn.Module, samples: Samples) -> list[Figure]:
    if isinstance(network, TwoWay):
        return _there_and_back(network, samples)
    device = next(network.parameters()).device
    ports = cast(Any, network).inputs
    made, before, against = list[float](), list[float](), ""
    for batch in cast(Iterator[Pair | LabelMapped], _batches_of(samples)):
        drawn = with_drawn(ports, batch.inputs, number=len(batch[0]), rng=torch.Generator().manual_seed(0))
        result = results_of(network(*(one.to(device) for one in drawn)))[0].float().cpu().clamp(0, 1)
        target, baseline, against = _baseline(batch)
        made.append(_psnr(result, target))
        before.append(_psnr(baseline, target))
    return [Figure("PSNR (dB)", statistics.fmean(made), statistics.fmean(before), against, True)]


def _baseline(batch: Pair | LabelMapped) -> tuple[Tensor, Tensor, str]:
    """What should come out, what is easily had instead, and what that is called."""
    if isinstance(batch, LabelMapped):
        return batch.photo, batch.photo.mean((2, 3), keepdim=True).expand_as(batch.photo), "its own mean colour"
    return batch.target, batch.source_as_target, "the source as it is"


def _there_and_back(network: TwoWay, samples: Samples) -> list[Figure]:
    """Either way: what comes back, whether it is hidden in the translation, and whether light has become dark."""
    batch = cast(Unpaired, next(_batches_of(samples)))
    a, b = network.domains
    there, back = network.directions["AB"], network.directions["BA"]
    found = []
    for name, photo, forth, home in ((f"{a} to {b}", batch.a, there, back), (f"{b} to {a}", batch.b, back, there)):
        placed = photo.to(next(forth.parameters()).device)
        errors = cycle_errors(forth, home, placed)
        blank = float((placed - placed.mean((2, 3), keepdim=True)).abs().mean())
        alike = likeness(forth(placed), placed)
        found += [
            Figure(f"cycle L1, {name}", errors.plain, blank, "a blank picture", False),
            Figure(f"cycle L1 when blurred, {name}", errors.blurred, errors.limit, "its limit", False, _HIDDEN),
            Figure(f"likeness of light and dark, {name}", alike, 0.0, "an inverted picture", True, _INVERTED),
        ]
    return found


def _psnr(result: Tensor, target: Tensor) -> float:
    return float(-10 * torch.log10((result - target).square().mean().clamp(min=1e-10)))


class _Loss:
    """The mean loss of a system of one player, beside that of its first measurement."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.first: float | None = None

    def __call__(self, system: nn.Module) -> list[Figure]:
        device = next(system.parameters()).device
        totals = []
        for batch in _batches_of(self.samples):
            placed = type(batch)(*(one.to(device) for one in batch))
            totals += [float(turn.total) for turn in cast(Any, system).turns(placed, Progress())]
        now = statistics.fmean(totals)
        self.first = now if self.first is None else self.first
        return [Figure("loss", now, self.first, "the start", False)]


class Validation:
    """Measures every `seconds` of training and at the end, and writes each into `path`; a watcher of a run.

    What measuring does to modes and random numbers is undone. A resumed run keeps the rows that are there.
    """

    def __init__(self, path: Path, measure: Measure, seconds: float = 600.0) -> None:
        self.path, self.measure, self.seconds = path, measure, seconds
        self._next, self._last = 0.0, time.monotonic()

    def start(self, step: int) -> None:
        """Drop the rows that are made again."""
        rows = read_validation(self.path.parent) if step else []
        self._write([row for row in rows if row["step"] <= step])
        first = next((row["figures"] for row in rows), None)
        if isinstance(self.measure, _Loss) and first:
            self.measure.first = first[0].baseline

    def step(self, report: StepReport) -> None:
        """Measure when it is time."""
        if report.seconds >= self._next or report.share >= 1:
            self._next = report.seconds + self.seconds
            with aside(report.system):
                figures = self.measure(report.system)
            kept = read_validation(self.path.parent)
            self._write([*kept, {"step": report.step, "seconds": round(report.seconds, 1), "figures": figures}])

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with atomic_path(self.path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["step", "seconds", *Figure._fields])
            for row in rows:
                writer.writerows([row["step"], row["seconds"], *figure] for figure in row["figures"])


def read_validation(run: Path) -> list[dict[str, Any]]:
    """Each measurement of a run: its `step`, `seconds` and `figures`; none where nothing was kept from training."""
    path, found = run / VALIDATION_FILE, dict[int, dict[str, Any]]()
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            one = found.setdefault(int(row["step"]), {"step": int(row["step"]), "seconds": float(row["seconds"])})
            figure = Figure(
                row["name"],
                float(row["value"]),
                float(row["baseline"]),
                row["against"],
                row["more_is_better"] == "True",
                row.get("advice") or "",
            )
            one.setdefault("figures", []).append(figure)
    return list(found.values())


def verdict(run: Path) -> list[str]:
    """What the last measurement of a run says, in words; nothing where nothing was kept from training.

    Args:
        run: Its folder.
    """
    rows = read_validation(run)
    if not rows:
        return []
    lines = [_line(figure) for figure in rows[-1]["figures"]]
    worse = [figure for figure in rows[-1]["figures"] if not figure.is_better]
    lines += [f"{figure.name}: {figure.advice}" for figure in worse if figure.advice]
    worse = [figure for figure in worse if not figure.advice]
    if worse:
        lines.append(
            f"this model is not better than {worse[0].against} on pictures that it has not seen: train it for longer "
            "with --resume, on more pictures, or do not use it"
        )
    return lines


def _line(figure: Figure) -> str:
    apart = abs(figure.value - figure.baseline)
    how = "better" if figure.is_better else "worse" if apart else "no better"
    by = f" by {apart:.3g}" if apart else ""
    return (
        f"on pictures kept from training: {figure.name} {figure.value:.4g}, {figure.against} {figure.baseline:.4g}: "
        f"{how}{by}"
    )
