"""What styles bring: generators of one budget, and StyleGAN without one of its parts at a time.

`python -m limner.experiments.style_generators --data FOLDER` trains DCGAN, LAPGAN, StyleGAN, StyleGAN's traditional
generator, and StyleGAN without mixing and without noise, each on the same pictures for the same minutes of the
processor. It writes how like pictures are that none has seen, also by styles that are truncated, and by two styles for
each picture, what is copied, and a sheet: Karras, Laine and Aila 2019, arXiv:1812.04948, tables 1 and 2, figure 8.

Differs from the paper: the networks of the presets `modern`, all levels from the start, features of VGG-16, minutes.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import typer
from jaxtyping import Float
from torch import Tensor, nn

from limner.data.labelled import LabelledPictures
from limner.data.sampler import batches
from limner.data.unlabelled import UnlabelledConfig
from limner.experiments.command import begin, finish, run_program, tell
from limner.experiments.fitted import fitted
from limner.experiments.options import Output, Seed, TableBeside, Threads
from limner.experiments.small_segmenters import write_report
from limner.layers.growth import GrowthConfig
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit, FitConfig
from limner.measure.generation import Made, evaluate_generation
from limner.media.contact_sheet import Panel
from limner.ops.latents import mixed
from limner.systems.adversarial import dcgan, lapgan, stylegan
from limner.verbs.styles import Styles, latents_of

TRUNCATIONS = (0.7, 0.5)
_PACED = 5  # steps by which a system is timed, after one that is not
_SHOWN = 16  # pictures of each on the sheet, in two rows

_Data = Annotated[Path, typer.Option(metavar="FOLDER", help="Of pictures; a fifth is kept from training.")]
_Minutes = Annotated[float, typer.Option(min=0, metavar="N", help="Of the processor, for each training.")]
_Side = Annotated[int, typer.Option(min=16, metavar="N", help="Of the pictures, in pixels, a power of two.")]
_Count = Annotated[int, typer.Option(min=10, metavar="N", help="Pictures that are judged, of each and real ones.")]


class Method(NamedTuple):
    """What is trained.

    Attributes:
        build: A new game.
        fit: How its preset trains it.
    """

    build: Callable[[], nn.Module]
    fit: FitConfig


def methods(side: int, channels: int = 3) -> dict[str, Method]:
    """All, for pictures of one side; the variants of StyleGAN differ in one thing each."""
    size = {"side": side, "channels": channels}
    own = stylegan.MODERN.model_copy(update=size | {"growth": GrowthConfig(phase_share=0)})
    found = {
        "DCGAN": Method(partial(dcgan.DCGAN, dcgan.MODERN.model_copy(update=size)), dcgan.FIT_MODERN),
        "LAPGAN": Method(partial(lapgan.LAPGAN, lapgan.MODERN.model_copy(update=size)), lapgan.FIT_MODERN),
    }
    variants: Mapping[str, Mapping[str, object]] = {
        "StyleGAN": {},
        "traditional": {"generator": "traditional"},
        "without mixing": {"mixing": 0.0},
        "without noise": {"noise": False},
    }
    for name, change in variants.items():
        config = own.model_copy(update=dict(change))
        found[name] = Method(partial(stylegan.StyleGAN, config), stylegan.FIT_MODERN)
    return found


def paced(method: Method, samples: LabelledPictures, minutes: float) -> int:
    """The steps that a system makes in so many minutes of the processor, whatever else it does meanwhile."""
    seed_everything(0)
    training, seconds = Fit(method.build(), method.fit), list[float]()
    for batch in islice(batches(samples, method.fit.batch_size, 0), 1 + _PACED):
        begun = time.process_time()
        training.step([batch])
        seconds.append(time.process_time() - begun)
    return max(1, round(60 * minutes / sorted(seconds[1:])[_PACED // 2]))


def trained(name: str, method: Method, samples: LabelledPictures, *, steps: int, seed: int) -> nn.Module:
    """The generator after so many steps: the average of its weights.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    tell(f"{steps} steps of {name}")
    config = method.fit.model_copy(update={"steps": steps, "seed": seed})
    generator = fitted(method.build, samples, config).generator
    assert isinstance(generator, nn.Module)
    return generator


@torch.inference_mode()
def made_by(generator: nn.Module, count: int, truncation: float | None = None) -> Float[Tensor, "n c h w"]:
    """So many pictures of chance, those of the first seeds."""
    latents = latents_of("generator", generator, truncation)
    noises = [torch.stack(one) for one in zip(*map(latents.noise_of, range(count)), strict=True)]
    return latents.pictures_of(torch.stack([latents.of_seed(seed) for seed in range(count)]), noises)


@torch.inference_mode()
def made_of_two(generator: nn.Module, count: int) -> Float[Tensor, "n c h w"]:
    """The same by two styles for each picture, the second one from a random layer on: table 2 of the paper."""
    styles = latents_of("generator", generator)
    assert isinstance(styles, Styles)
    layers = len(styles.styled.layer_sides)
    own = torch.stack([styles.of_seed(seed) for seed in range(2 * count)])[:, None].expand(-1, layers, -1)
    first = torch.randint(1, layers, (count,), generator=torch.Generator().manual_seed(0))
    return styles.pictures_of(mixed(own[:count], own[count:], first), styles.noises_of(range(count)))


def pictures_of(generators: Mapping[str, nn.Module], count: int) -> dict[str, Tensor]:
    """Of all trainings, and of what is tried of StyleGAN when it is trained."""
    found = {name: made_by(generator, count) for name, generator in generators.items()}
    for truncation in TRUNCATIONS:
        found[f"StyleGAN, truncation {truncation:g}"] = made_by(generators["StyleGAN"], count, truncation)
    for name in ("StyleGAN", "without mixing"):
        found[f"{name}, two styles each"] = made_of_two(generators[name], count)
    return found


def panel(name: str, pictures: Float[Tensor, "n c h w"]) -> Panel:
    """Some of them in two rows."""
    columns = min(_SHOWN, len(pictures)) // 2
    rows = [torch.cat(list(row), -1) for row in pictures[: 2 * columns].split(columns)]
    return Panel(name, torch.cat(rows, -2)[None].expand(-1, 3, -1, -1))


def main(
    data: _Data,
    output: Output = Path("style_generators.png"),
    table: TableBeside = Path("style_generators.md"),
    minutes: _Minutes = 2.0,
    side: _Side = 32,
    count: _Count = 500,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Train all, and write the tables and the sheet."""
    begin(threads)
    config = UnlabelledConfig(side=side, colours="rgb", held_out=0.2)
    samples, held_out = config.load(data), config.model_copy(update={"part": "held out"}).load(data)
    places = torch.linspace(0, len(held_out) - 1, min(count, len(held_out))).round().long()
    real = LabelledPictures(held_out.images[places], held_out.labels[places])
    known = methods(side)
    steps = {name: paced(method, samples, minutes) for name, method in known.items()}
    generators = {name: trained(name, method, samples, steps=steps[name], seed=seed) for name, method in known.items()}
    made = pictures_of(generators, len(real))
    report = evaluate_generation([Made(name, one, None) for name, one in made.items()], real, training=samples)
    told = ", ".join(f"{name} {number}" for name, number in steps.items())
    summary = (
        f"Made by `python -m limner.experiments.style_generators`: {minutes:g} minutes of the processor for each "
        f"training on {len(samples)} pictures of {side}x{side}. Steps: {told}."
    )
    write_report(table, "What styles bring", summary, *report.tables)
    shown = real.images[:_SHOWN] / 255
    finish(output, [panel("real", shown), *(panel(name, one) for name, one in made.items())], 2, least=4 * side)


if __name__ == "__main__":
    run_program(main)
