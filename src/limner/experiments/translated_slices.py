"""Slices of one kind made into another without pairs: do they help a network to segment that other kind?

`python -m limner.experiments.translated_slices --source CT.npz --target MR.npz` trains a CycleGAN between the slices of
two volumes, and small U-Nets on the labelled slices of the source alone, and on these beside their translations, which
keep their labels. Both are judged by slices of the target that no network has seen, of which every second one is left
out; a network that learns the target itself is what could be reached. It writes a table of Dice, with its deviation
over seeds, and a sheet of slices beside their translations. Volumes are DICOM series, NIfTI files or .npz. Sandfort et
al. 2019, "Data augmentation using generative adversarial networks (CycleGAN) to improve generalizability in CT
segmentation tasks", Scientific Reports 9:16884.

Differs from the paper: any two kinds, where it has CT with and without contrast; minutes of training.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
import typer
from jaxtyping import Float, Int
from torch import Tensor

from limner.arguments import whole_numbers
from limner.data.masks import Classes, ClassName
from limner.data.segmented import Marked, SegmentedConfig, SegmentedPictures
from limner.data.unpaired import Unpaired
from limner.errors import LimnerError
from limner.experiments.augmented import COLUMNS, with_and_without
from limner.experiments.command import begin, finish, run_program, tell
from limner.experiments.fitted import fitted
from limner.experiments.options import Output, Seeds, TableBeside, Threads
from limner.experiments.seeds import over_seeds
from limner.experiments.small_segmenters import Batch, TrainingSteps, dice, learnt, looked_at, write_report
from limner.files.volumes import read_volume, windowed
from limner.measure.report import Row, Table
from limner.media.contact_sheet import Panel
from limner.systems.adversarial.cyclegan import FIT_2017, CycleGAN, CycleGANConfig
from limner.systems.segmentation.unet import MODERN, UNet

TRANSLATOR = CycleGANConfig(
    base_channels=16, num_blocks=4, upsampling="resize", discriminator_channels=16, discriminator_layers=2,
    identity_weight=5.0,
)  # fmt: skip
SEGMENTER = MODERN.model_copy(update={"channels": 8})
_MOVED = 8  # pixels that slices are moved by at most, while translation is learnt
_SHOWN = 4

_Volume = Annotated[Path, typer.Option(metavar="FILE|FOLDER", help="A DICOM series, .nii, .nii.gz, or .npz.")]
_Labels = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Its labels, as a volume; an .npz has them itself, as `labels`.")
]
_Window = Annotated[
    tuple[float, float] | None,
    typer.Option(metavar="LOW HIGH", help="What becomes black and white.", show_default="99 percent of all"),
]
_Organs = Annotated[str, typer.Option(metavar="N,N", help="Labels that are to be found, together one class.")]
_Side = Annotated[int, typer.Option(min=32, metavar="N", help="That slices are resized to, in pixels.")]
_GanSteps = Annotated[int, typer.Option(min=1, metavar="N", help="Of each CycleGAN.")]


class Slices(NamedTuple):
    """What a volume gives.

    Attributes:
        image: In [0, 1].
        label: 1 where one of the organs is.
    """

    image: Float[Tensor, "n 1 h w"]
    label: Int[Tensor, "n 1 h w"]

    def some(self, numbers: slice) -> "Slices":
        """Every so many."""
        return Slices(self.image[numbers], self.label[numbers])


def slices_of(
    volume: Path, labels: Path | None, *, window: Sequence[float] | None, organs: Sequence[int], side: int
) -> Slices:
    """The slices of a volume at one side, with what of the organs is on them.

    Raises:
        LimnerError: If they cannot be read, labels do not fit, or there are none of the organs.
    """
    image = windowed(read_volume(volume), window)
    label = np.isin(read_volume(labels or volume, "labels").round(), organs)
    if image.shape != label.shape:
        raise LimnerError(f"labels of {volume} must have its shape {image.shape}, got {label.shape}: name others")
    if not label.any():
        raise LimnerError(f"{volume} has none of the labels {', '.join(map(str, organs))}: pass other --organs")
    sized = F.interpolate(torch.from_numpy(image)[:, None], size=(side, side), mode="bilinear", antialias=True)
    nearest = F.interpolate(torch.from_numpy(label)[:, None].float(), size=(side, side), mode="nearest-exact")
    return Slices(sized.clamp(0, 1), nearest.long())


class UnpairedSlices:
    """Slices of two kinds, moved at random, as three channels."""

    def __init__(self, a: Float[Tensor, "n 1 h w"], b: Float[Tensor, "m 1 h w"]) -> None:
        self.a, self.b = a, b

    def __len__(self) -> int:
        """Slices of A."""
        return len(self.a)

    def draw(self, index: int, rng: torch.Generator) -> Unpaired:
        """One of A, and any of B."""
        other = int(torch.randint(len(self.b), (), generator=rng))
        return Unpaired(_moved(self.a[index], rng), _moved(self.b[other], rng))


def _moved(image: Float[Tensor, "1 h w"], rng: torch.Generator) -> Float[Tensor, "3 h w"]:
    height, width = image.shape[-2:]
    top, left = torch.randint(2 * _MOVED + 1, (2,), generator=rng).tolist()
    padded = F.pad(image[None], (_MOVED,) * 4, mode="replicate")[0]
    return padded[:, top : top + height, left : left + width].expand(3, -1, -1)


def translated(
    source: Float[Tensor, "n 1 h w"], target: Float[Tensor, "m 1 h w"], *, steps: int, seed: int
) -> Float[Tensor, "n 1 h w"]:
    """Slices of the source as a CycleGAN makes them, which has learnt from both kinds.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    config = FIT_2017.model_copy(update={"steps": steps, "precision": "bfloat16", "seed": seed})
    system = fitted(lambda: CycleGAN(TRANSLATOR), UnpairedSlices(source, target), config)
    there = system.generator.a_to_b
    with torch.inference_mode():
        made = torch.cat([there(one.expand(-1, 3, -1, -1)) for one in source.split(8)])
    return made.mean(1, keepdim=True).clamp(0, 1)


def marked_of(slices: Slices) -> list[Marked]:
    """Slices as whole pictures with their classes."""
    images = (255 * slices.image).round().byte()
    return [Marked(*pair, torch.ones(pair[1].shape)) for pair in zip(images, slices.label, strict=True)]


def worth(learnt_from: Slices, tested: Slices, *, steps: int, batch: int, seed: int) -> float:
    """Dice of the organs on slices that were not seen."""
    names = tuple(ClassName(name=name, color=(level,) * 3, value=level) for name, level in (("rest", 0), ("organ", 1)))
    config = SegmentedConfig(patch=tested.image.shape[-1], elastic=4.0, rotate=10.0, scale=0.1, mirror=False)
    samples = SegmentedPictures(marked_of(learnt_from), config, Classes(names, "values"))
    system = learnt(lambda: UNet(SEGMENTER), samples, steps=steps, batch=batch, seed=seed).system
    return dice(looked_at(system, marked_of(tested)))


def panels_of(source: Slices, made: Float[Tensor, "n 1 h w"], target: Slices) -> list[Panel]:
    """Slices, what they became, and slices of the kind that they were to be like."""
    panels = []
    for place in np.linspace(0, 1, _SHOWN):
        number, other = round(place * (len(made) - 1)), round(place * (len(target.image) - 1))
        three = ("source", source.image[number]), ("translated", made[number]), ("a target", target.image[other])
        panels += [Panel(name, image.expand(1, 3, -1, -1)) for name, image in three]
    return panels


def main(
    source: _Volume,
    target: _Volume,
    output: Output = Path("translated_slices.png"),
    table: TableBeside = Path("translated_slices.md"),
    source_labels: _Labels = None,
    target_labels: _Labels = None,
    source_window: _Window = None,
    target_window: _Window = None,
    organs: _Organs = "1,2,3,5",
    side: _Side = 96,
    gan_steps: _GanSteps = 1500,
    steps: TrainingSteps = 150,
    batch: Batch = 4,
    seeds: Seeds = 3,
    threads: Threads = None,
) -> None:
    """Train all networks, and write the table and the sheet."""
    begin(threads)
    wanted = whole_numbers("--organs", organs)
    first = slices_of(source, source_labels, window=source_window, organs=wanted, side=side)
    second = slices_of(target, target_labels, window=target_window, organs=wanted, side=side)
    known, tested = second.some(slice(0, None, 2)), second.some(slice(1, None, 2))
    alone, both, reached = list[float](), list[float](), list[float]()
    for seed in range(seeds):
        tell(f"{len(first.image)} slices of the source, {len(known.image)} of the target, seed {seed}")
        made = translated(first.image, known.image, steps=gan_steps, seed=seed)
        more = Slices(torch.cat([first.image, made]), torch.cat([first.label, first.label]))
        alone.append(worth(first, tested, steps=steps, batch=batch, seed=seed))
        both.append(worth(more, tested, steps=steps, batch=batch, seed=seed))
        reached.append(worth(known, tested, steps=steps, batch=batch, seed=seed))
        tell(f"Dice {alone[-1]:.4f} from the source, {both[-1]:.4f} with translations, {reached[-1]:.4f} of the target")
    case = f"{len(tested.image)} slices of the target"
    rows = (
        *with_and_without(case, alone, both),
        Row(case, "the target itself", over_seeds([{"dice": one} for one in reached])),
    )
    note = f"{gan_steps} steps of each CycleGAN, {steps} of {batch} slices of {side}x{side} of each U-Net."
    summary = f"Made by `python -m limner.experiments.translated_slices`: mean and deviation of {seeds} trainings."
    write_report(
        table, "Slices of one kind, and translations into another", summary, Table("Dice", note, COLUMNS, rows)
    )
    finish(output, panels_of(first, made, second), 3, least=2 * side)


if __name__ == "__main__":
    run_program(main)
