"""Why instance norm: one network, one style, the same batches, with batch norm and with instance norm.

`python -m limner.experiments.instance_norm --output instance_norm.png` writes a photo as both paint it, and beside the
sheet the losses over the steps, as .csv and .svg: of training, and of that photo in evaluation mode, where batch norm
takes the statistics that it has kept. Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient
for fast stylization", 2016, arXiv:1607.08022; "Improved texture networks", CVPR 2017, arXiv:1701.02096, section 4.

Differs from the papers: a small network and minutes of training.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Literal, get_args

import torch
import typer

from limner.data.folder import find_images
from limner.data.stylization import Stylization, StylizationPatches
from limner.errors import LimnerError
from limner.experiments.command import begin, finish, opened, run_program, tell
from limner.experiments.curves import Chart, svg
from limner.experiments.fitted import fitted
from limner.experiments.options import PHOTO, Output, Photo, Seed, Size, Threads
from limner.files.atomic import atomic_path
from limner.loops.step_report import StepReport
from limner.media.charts import check_matplotlib
from limner.media.contact_sheet import Panel
from limner.ops.framing import middle_square
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.fast_style import FIT_MODERN, SLIM, FastStyle
from limner.types import Image, Progress
from limner.verbs.stylize.named_styles import style_picture
from limner.verbs.stylize.network_painter import Painter

Norm = Literal["batch", "instance"]
NORMS: tuple[Norm, ...] = get_args(Norm)
LOSSES = ("style", "content", "total")
_NUM_POINTS = 50  # of a curve

_Style = Annotated[str, typer.Option(metavar="NAME|FILE", help="One of `limner stylize --list`, or a picture.")]
_Data = Annotated[Path, typer.Option(metavar="FOLDER", help="Of training photos.", show_default="the packaged ones")]
_Steps = Annotated[int, typer.Option(min=2, metavar="N", help="Of each training.")]
_Patch = Annotated[int, typer.Option(min=32, metavar="N", help="Side of the training photos, in pixels.")]


@dataclass(frozen=True)
class Point:
    """Losses in one place of a training.

    Attributes:
        norm: Of the network.
        photos: Whose losses they are: the mean over the steps since the last point, or of the photo that is held out.
        step: Steps made so far.
        style: Weighted, as it is trained.
        content: Weighted, as it is trained.
        total: With total variation.
    """

    norm: Norm
    photos: Literal["training", "held out"]
    step: int
    style: float
    content: float
    total: float


class Watch:
    """Notes the losses of training, and of a batch that is held out, every so many steps."""

    def __init__(self, norm: Norm, held_out: Stylization, every: int) -> None:
        self.norm, self.held_out, self.every = norm, held_out, every
        self.points: list[Point] = []
        self._seen: list[Mapping[str, float]] = []

    def start(self, step: int) -> None:
        """Nothing is needed."""

    def step(self, report: StepReport) -> None:
        """Note the losses, and every now and then two points."""
        self._seen.append({name.rpartition("/")[2]: loss.item() for name, loss in report.losses.items()})
        if report.step % self.every:
            return
        means = {name: sum(seen[name] for seen in self._seen) / len(self._seen) for name in self._seen[0]}
        unseen = evaluated(report.system, self.held_out)
        self._seen = []
        self.points.append(Point(self.norm, "training", report.step, **_three(means)))
        self.points.append(Point(self.norm, "held out", report.step, **_three(unseen)))

    def close(self) -> None:
        """Nothing is open."""


def _three(losses: Mapping[str, float]) -> dict[str, float]:
    named = {"style": losses["style"], "content": losses["content"], "total": sum(losses.values())}
    return {name: float(f"{value:.6g}") for name, value in named.items()}


def evaluated(system: torch.nn.Module, batch: Stylization) -> dict[str, float]:
    """The losses of a batch as they are trained, but in evaluation mode and with the same noise each time."""
    assert isinstance(system, FastStyle)
    system.eval()
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        return {name: loss.item() for name, loss in next(system.turns(batch, Progress())).losses.items()}


def trained(
    norm: Norm, samples: StylizationPatches, held_out: Stylization, *, steps: int, seed: int
) -> tuple[FastStyle, list[Point]]:
    """A network of one style with that norm, and its losses on the way; all else depends on the seed alone.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    tell(f"{steps} steps with {norm} norm")
    watch = Watch(norm, held_out, max(1, steps // _NUM_POINTS))
    config = FIT_MODERN.model_copy(update={"steps": steps, "seed": seed, "ema_decay": None})
    system = fitted(lambda: FastStyle(SLIM.model_copy(update={"norm": norm})), samples, config, watchers=[watch])
    return system, watch.points


def photos_but(held_out: Path, folder: Path) -> list[Path]:
    """The pictures of a folder to train on.

    Raises:
        LimnerError: If there is none but the one that is held out.
    """
    found = [path for path in find_images(folder) if not path.samefile(held_out)]
    if not found:
        raise LimnerError(f"{folder} holds no picture but {held_out.name}, which is held out: name another folder")
    return found


def held_out_batch(photo: Image, samples: StylizationPatches) -> Stylization:
    """The middle of one photo, as large as those of training, and the style."""
    crops = samples.draw(0, torch.Generator()).style_crops
    return Stylization(middle_square(photo, samples.patch), torch.zeros(1, dtype=torch.long), crops[None])


def charts(points: Sequence[Point]) -> str:
    """Style, content and total loss over the steps, as SVG."""
    return svg([Chart(f"{loss.capitalize()} loss", "steps", _curves(points, loss), {}) for loss in LOSSES])


def _curves(points: Sequence[Point], loss: str) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        curves.setdefault(f"{point.norm}, {point.photos}", []).append((point.step, getattr(point, loss)))
    return curves


def write_table(path: Path, points: Sequence[Point]) -> None:
    """The points as rows of CSV."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Point)])
        writer.writeheader()
        writer.writerows(asdict(point) for point in points)


def main(
    output: Output = Path("instance_norm.png"),
    style: _Style = "starry-night",
    data: _Data = PHOTO.parent,
    photo: Photo = PHOTO,
    size: Size = 384,
    steps: _Steps = 500,
    patch: _Patch = 128,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Train both networks; write the sheet, and the losses beside it."""
    check_matplotlib()
    begin(threads)
    samples = StylizationPatches(photos_but(photo, data), [style_picture(style)], patch=patch, style_size=2 * patch)
    shown = opened(photo, size)
    panels, points, held_out = [Panel("photo", shown)], list[Point](), held_out_batch(shown, samples)
    for norm in NORMS:
        system, found = trained(norm, samples, held_out, steps=steps, seed=seed)
        points += found
        panels.append(
            Panel(f"{norm} norm, {steps} steps", Painter(system, options=RunOptions(device="cpu")).paint(shown))
        )
    write_table(output.with_suffix(".csv"), points)
    with atomic_path(output.with_suffix(".svg")) as temporary:
        temporary.write_text(charts(points), encoding="utf-8")
    finish(output, panels, len(panels))


if __name__ == "__main__":
    run_program(main)
