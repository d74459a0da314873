"""Patches that a GAN makes with their labels, added to few real ones: is a segmentation better for them?

`python -m limner.experiments.synthetic_patches --nuclei DATA` takes 5, 25 and 50 percent of the patches of nuclei,
trains a DCGAN on pictures and labels as the channels of one picture, and a small U-Net on the real patches alone and on
both kinds. It writes a table of Dice on unseen pictures, with its deviation over seeds, and a sheet of synthetic
patches beside the real ones that are nearest to them. Bowles et al. 2018, "GAN augmentation: augmenting training data
using generative adversarial networks", arXiv:1810.10863.

Differs from the paper: nuclei, not scans of heads; a DCGAN, not a progressive one; minutes of training.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from jaxtyping import Float, Int
from torch import Tensor

from limner.data.labelled import LabelledPictures
from limner.data.segmented import Marked, SegmentedPictures
from limner.experiments.augmented import COLUMNS, with_and_without
from limner.experiments.command import begin, finish, run_program, tell
from limner.experiments.fitted import fitted
from limner.experiments.options import Output, Seeds, TableBeside, Threads
from limner.experiments.small_segmenters import (
    NUCLEI,
    Batch,
    Nuclei,
    TestSet,
    TrainingSteps,
    dice,
    learnt,
    looked_at,
    test_set,
    write_report,
)
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.measure.generation import vgg_features
from limner.measure.report import Row, Table
from limner.media.contact_sheet import Panel
from limner.systems.adversarial.dcgan import DCGAN, DCGANConfig
from limner.systems.segmentation.unet import MODERN, UNet

SHARES = (0.05, 0.25, 0.5)
SIDE = 64
"""Of a patch, in pixels."""
GENERATOR = DCGANConfig(channels=2, side=SIDE, base_channels=16, kernel=4, augment=("translation",))
SEGMENTER = MODERN.model_copy(update={"channels": 8})
_EACH = 8  # patches of a picture
_LEAST = 0.02  # share of a patch that is nuclei
_TRIES = 20
_SHOWN = 2  # of each share

_GanSteps = Annotated[int, typer.Option(min=1, metavar="N", help="Of each DCGAN.")]
_Added = Annotated[float, typer.Option(min=0.01, metavar="SHARE", help="Synthetic patches for each real one.")]

Patches = Float[Tensor, "_ 2 h w"]
"""Gray and label, both in [0, 1]."""


def cut(marked: Sequence[Marked], rng: torch.Generator) -> Patches:
    """Some patches of each picture, with something in them where that is found."""
    found = []
    for one in marked:
        both = torch.cat([one.picture[:1], (one.label > 0).float()])
        found += [_patch(both, rng) for _ in range(_EACH)]
    return torch.stack(found)


def of_share(marked: Sequence[Marked], share: float, seed: int) -> Patches:
    """Real patches of a share of the pictures, one at least, drawn by the seed."""
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(marked), generator=rng)[: max(1, round(share * len(marked)))]
    return cut([marked[int(number)] for number in order], rng)


def _patch(both: Float[Tensor, "2 h w"], rng: torch.Generator) -> Float[Tensor, "2 s s"]:
    reach = [side - SIDE + 1 for side in both.shape[-2:]]
    for _ in range(_TRIES):
        top, left = (int(torch.randint(one, (), generator=rng)) for one in reach)
        patch = both[:, top : top + SIDE, left : left + SIDE]
        if patch[1].mean() >= _LEAST:
            break
    return patch


def synthetic(real: Patches, number: int, *, steps: int, seed: int) -> Patches:
    """So many patches by a DCGAN that has learnt from real ones alone.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    samples = LabelledPictures((255 * real).round().byte(), torch.zeros(len(real), dtype=torch.int64))
    optimizer = OptimizerConfig(learning_rate=2e-4, betas=(0.5, 0.999))
    config = FitConfig(
        steps=steps, batch_size=min(16, len(real)), optimizer=optimizer, precision="bfloat16", ema_decay=0.99, seed=seed
    )
    system = fitted(lambda: DCGAN(GENERATOR), samples, config)
    latent = torch.rand(number, GENERATOR.latent_channels, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        made = torch.cat([system(some) for some in latent.split(50)]).float().clamp(0, 1)
    return torch.stack([made[:, 0], (made[:, 1] > 0.5).float()], 1)


def marked_of(patches: Patches) -> list[Marked]:
    """Patches as whole pictures, to be learnt from."""
    labels = (patches[:, 1:] > 0.5).long()
    gray = (255 * patches[:, :1]).round().byte()
    return [Marked(*pair, torch.ones(pair[1].shape)) for pair in zip(gray, labels, strict=True)]


def nearest(made: Patches, real: Patches) -> Int[Tensor, " n"]:
    """Which real patch each is nearest to, as VGG-16 sees their gray values."""
    return torch.cdist(vgg_features(made[:, :1]), vgg_features(real[:, :1])).argmin(1)


def worth(patches: Patches, kind: SegmentedPictures, tested: TestSet, *, steps: int, batch: int, seed: int) -> float:
    """Dice on unseen pictures of a U-Net that has learnt from patches; `kind` says how, and of which classes."""
    config = kind.config.model_copy(update={"patch": SIDE, "crops": 1})
    samples = SegmentedPictures(marked_of(patches), config, kind.classes)
    system = learnt(lambda: UNet(SEGMENTER), samples, steps=steps, batch=batch, seed=seed).system
    return dice(looked_at(system, tested.marked))


def panels_of(made: Patches, real: Patches) -> list[Panel]:
    """Synthetic patches with their labels, and the nearest real ones with theirs."""
    few = made[:_SHOWN]
    panels = []
    for one, other in zip(few, real[nearest(few, real)], strict=True):
        shown = zip(("synthetic", "its label", "nearest real", "its label"), (*one, *other), strict=True)
        panels += [Panel(name, image.expand(1, 3, -1, -1)) for name, image in shown]
    return panels


def main(
    nuclei: Nuclei,
    output: Output = Path("synthetic_patches.png"),
    table: TableBeside = Path("synthetic_patches.md"),
    gan_steps: _GanSteps = 1000,
    steps: TrainingSteps = 150,
    batch: Batch = 8,
    added: _Added = 1.0,
    seeds: Seeds = 3,
    threads: Threads = None,
) -> None:
    """Train all networks, and write the table and the sheet."""
    begin(threads)
    pictures, tested = NUCLEI.load(nuclei / "train"), test_set(nuclei / "test", NUCLEI)
    rows, panels = list[Row](), list[Panel]()
    for share in SHARES:
        alone, both = [], []
        for seed in range(seeds):
            real = of_share(pictures.marked, share, seed)
            tell(f"{share:.0%}: {len(real)} real patches, seed {seed}")
            made = synthetic(real, max(1, round(added * len(real))), steps=gan_steps, seed=seed)
            training = {"steps": steps, "batch": batch, "seed": seed}
            alone.append(worth(real, pictures, tested, **training))
            both.append(worth(torch.cat([real, made]), pictures, tested, **training))
            tell(f"Dice {alone[-1]:.4f} without synthetic patches, {both[-1]:.4f} with them")
        rows += with_and_without(f"{share:.0%} of the pictures, {len(real)} patches", alone, both)
        panels += panels_of(made, real)
    note = (
        f"{gan_steps} steps of each DCGAN, {steps} of {batch} patches of each U-Net; {added:g} synthetic ones for each."
    )
    summary = f"Made by `python -m limner.experiments.synthetic_patches`: mean and deviation of {seeds} trainings."
    write_report(table, "Few patches, and synthetic ones", summary, Table("Dice", note, COLUMNS, tuple(rows)))
    finish(output, panels, 8, least=2 * SIDE)


if __name__ == "__main__":
    run_program(main)
