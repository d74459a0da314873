"""Seven ways to make maps larger inside a network: the pattern that each leaves, and what each is worth.

`python -m limner.experiments.upsampling --nuclei DATA` puts each into the same small hourglass. A picture of one gray
should give one value everywhere; what it gives instead is drawn, with its spectrum, as the network begins and once it
is trained. Beside the sheet stands a table: how strong the pattern is, and how well nuclei are found. Odena, Dumoulin
and Olah, "Deconvolution and checkerboard artifacts", Distill 2016, doi:10.23915/distill.00003; the other papers are
those of `layers/upsampling.py` and `systems/segmentation/hourglass.py`.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import torch
import torch.nn.functional as F
import typer
from jaxtyping import Float
from torch import Tensor, nn

from limner.data.segmented import SegmentedPictures
from limner.experiments.command import begin, finish, run_program, tell
from limner.experiments.options import Output, Seed, Threads
from limner.experiments.small_segmenters import (
    NUCLEI,
    Batch,
    Nuclei,
    TestSet,
    TrainingSteps,
    learnt,
    looked_at,
    multiplications,
    test_set,
    write_report,
)
from limner.layers.upsampling import Operator
from limner.loops.checkpoint import seed_everything
from limner.measure.report import CASE, Row, Table, figure
from limner.measure.segmentation import found_in, instances
from limner.media.contact_sheet import Panel
from limner.systems.segmentation.hourglass import HOURGLASS, HourglassNet
from limner.types import Image

OPERATORS: dict[str, Operator | Literal["max"]] = {
    "nearest": "nearest",
    "bilinear": "bilinear",
    "bed of nails": "bed_of_nails",
    "max unpooling": "max",
    "transposed": "transposed",
    "sub-pixel": "sub_pixel",
    "resize-convolution": "resize",
}
SMALL = HOURGLASS.model_copy(update={"channels": 12})
_SHOWN = 64  # pixels of a side: eight times the largest period
_MARGIN = 64  # which the borders of a picture cannot be seen from
_FAINTEST = 1e-8  # power that is still drawn, of that of a picture's logits

_Table = Annotated[Path, typer.Option(metavar="FILE", help="The table, as Markdown; one that is there is replaced.")]


class Pattern(NamedTuple):
    """What a network makes of a picture of one gray, in units of the deviation that it has over a real picture.

    Attributes:
        values: Of the middle, less their mean.
        power: Of each frequency, those of 0 in the middle; their sum is the mean square of the values.
    """

    values: Float[Tensor, "h w"]
    power: Float[Tensor, "h w"]

    @property
    def strength(self) -> float:
        """The deviation of the values."""
        return self.values.square().mean().sqrt().item()


def logits(system: nn.Module, picture: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "h w"]:
    """How much rather a pixel is of class 1 than of class 0."""
    with torch.inference_mode():
        found = system.eval()(picture)[0]
    return found[1] - found[0]


def pattern(system: nn.Module, gray: float, photo: Float[Tensor, "1 1 h w"]) -> Pattern:
    """What a network leaves on a flat patch, beside what it makes of a photo whose sides are multiples of 8."""
    side = _SHOWN + 2 * _MARGIN
    middle = logits(system, torch.full((1, 1, side, side), gray))[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN].double()
    values = (middle - middle.mean()) / logits(system, photo).double().std()
    power = torch.fft.fftshift(torch.fft.fft2(values).abs().square()) / values.numel() ** 2
    return Pattern(values, power)


def panels_of(found: Pattern, name: str, stage: str) -> tuple[Panel, Panel]:
    """A corner of the pattern, stretched to all grays where it is no rounding, and the spectrum, faint to strong."""
    values = 0.5 + found.values / (2 * max(found.values.abs().max().item(), _FAINTEST**0.5))
    corner = values[: _SHOWN // 2, : _SHOWN // 2].repeat_interleave(2, 0).repeat_interleave(2, 1)
    power = 1 - found.power.clamp(min=_FAINTEST).log10() / math.log10(_FAINTEST)
    dots = F.max_pool2d(power[None], 3, 1, 1)[0]  # a single pixel is easily overlooked
    return Panel(f"{name}, {stage}", _gray(corner)), Panel(f"{100 * found.strength:.1f} %", _gray(dots))


def _gray(values: Float[Tensor, "h w"]) -> Image:
    return values.float().clamp(0, 1).expand(1, 3, -1, -1)


class Result(NamedTuple):
    """What came of one of the ways.

    Attributes:
        row: Of the table.
        fresh: Pattern and spectrum before training.
        trained: Likewise, after it.
    """

    row: Row
    fresh: tuple[Panel, Panel]
    trained: tuple[Panel, Panel]


def result(name: str, samples: SegmentedPictures, tested: TestSet, *, steps: int, batch: int, seed: int) -> Result:
    """Build a network with one of the ways, look, train it, and look again."""
    tell(f"{steps} steps with {name}")
    config = SMALL.model_copy(update={"unpooling": OPERATORS[name]})
    photo = tested.marked[0].image[None] / 255
    photo = photo[..., : photo.shape[-2] // 8 * 8, : photo.shape[-1] // 8 * 8]
    gray = photo.mean().item()
    seed_everything(seed)
    fresh = pattern(HourglassNet(config), gray, photo)
    system, seconds = learnt(lambda: HourglassNet(config), samples, steps=steps, batch=batch, seed=seed)
    trained = pattern(system, gray, photo)
    seen = looked_at(system, tested.marked)
    (judged,) = instances(seen, tested.objects, [found_in(one) for one in seen]).rows
    figures = {
        "multiplications": multiplications(HourglassNet(config)),
        "seconds": seconds,
        "fresh": 100 * fresh.strength,
        "trained": 100 * trained.strength,
    }
    row = Row(name, "system", {**figures, **judged.figures})
    return Result(row, panels_of(fresh, name, "fresh"), panels_of(trained, name, "trained"))


def sheet(results: Sequence[Result]) -> list[Panel]:
    """Row by row: the patterns of fresh networks, their spectra, and both again of trained ones."""
    rows = [[one.fresh[0] for one in results], [one.fresh[1] for one in results]]
    rows += [[one.trained[0] for one in results], [one.trained[1] for one in results]]
    return [panel for row in rows for panel in row]


def main(
    nuclei: Nuclei,
    output: Output = Path("upsampling.png"),
    table: _Table = Path("upsampling.md"),
    steps: TrainingSteps = 300,
    batch: Batch = 2,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Draw what each way leaves on a flat patch, and write what it is worth."""
    begin(threads)
    samples, tested = NUCLEI.load(nuclei / "train"), test_set(nuclei / "test", NUCLEI)
    results = [result(name, samples, tested, steps=steps, batch=batch, seed=seed) for name in OPERATORS]
    columns = (
        CASE,
        figure("multiplications a pixel", "multiplications", ",.0f"),
        figure("pattern, fresh, %", "fresh", ".1f"),
        figure("pattern, trained, %", "trained", ".1f"),
        figure("Dice", "dice", ".4f"),
        figure("F1 of objects", "f1", ".4f"),
        figure("CPU seconds", "seconds", ".0f"),
    )
    note = f"{steps} steps of {batch} samples of {NUCLEI.patch}x{NUCLEI.patch}; {len(tested.marked)} unseen pictures."
    summary = (
        "Made by `python -m limner.experiments.upsampling`. The pattern is the deviation of logits over a flat patch, "
        "in percent of that over a photo."
    )
    rows = tuple(one.row for one in results)
    write_report(table, "Ways to make maps larger", summary, Table("operators", note, columns, rows))
    finish(output, sheet(results), len(OPERATORS), least=3 * _SHOWN)


if __name__ == "__main__":
    run_program(main)
