"""How good style transfer in one pass is: its content and style losses beside those of iterative optimisation."""

import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from limner.config import Config
from limner.data.folder import find_images
from limner.errors import LimnerError
from limner.features.vgg16 import VGG, mean_responses
from limner.features.vgg_encoder import activations, vgg_encoder
from limner.files.atomic import atomic_path
from limner.files.image import read_image
from limner.files.visible import read_source, visible_tensor
from limner.loops.optimize import Optimization, OptimizeConfig
from limner.loops.pictures import Pixels
from limner.losses.statistics import statistics_loss
from limner.measure.report import CASE, Column, Report, Row, Table, figure
from limner.ops.framing import middle_square
from limner.ops.statistics import mean_and_deviation
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.adain import STYLE_LAYERS
from limner.systems.optimize.style import STYLE_GATYS_2016, Reference, StyleObjective
from limner.tasks.stylize import PaintsLike
from limner.types import Image, OnProgress
from limner.verbs.stylize.any_painter import AnyPainter
from limner.verbs.stylize.style import Style

HELD_OUT = {  # contents to styles, by their files' names, which the recipes do not learn from
    "golden_gate": "starry_night",
    "tubingen": "wave",
    "chicago": "the_scream",
    "cornell": "composition_vii",
    "flowers": "shipwreck",
    "hoovertowernight": "candy",
    "newyork": "mosaic",
    "sailboat": "udnie",
    "skimage_astronaut": "la_muse",
    "stata": "feathers",
}

_EVERY = 10  # iterations between two looks at the losses


class Losses(Config):
    """Of a picture beside its content and its style, in VGG-16 with filters of a mean response of 1; lower is better.

    `content` is the mean square distance of relu4_1 from the content's, `style` equation 13 of arXiv:1703.06868.
    """

    content: float
    style: float


class Point(Config):
    """Where an optimisation stands."""

    iteration: int
    seconds: float
    losses: Losses


class PairFigures(Config):
    """One content in one style."""

    content: str
    style: str
    photo: Losses
    """Of the content as it is."""
    network: Losses
    gatys: tuple[Point, ...]


class StylePair(NamedTuple):
    """What is painted, and how: names and pictures (1, 3, side, side)."""

    content_name: str
    style_name: str
    content: Image
    style: Image

    @classmethod
    def read(cls, content: Path, style: Path, side: int) -> "StylePair":
        """The middle squares of two pictures."""
        return cls(
            content.stem,
            style.stem,
            *(middle_square(one, side) for one in (visible_tensor(read_image(content)), read_source(style))),
        )


@functools.cache
def _encoder() -> nn.Sequential:
    return vgg_encoder(STYLE_LAYERS[-1])


@torch.no_grad()
def losses(image: Image, pair: StylePair) -> Losses:
    """Those of a picture."""
    found, content, style = (activations(_encoder(), one, STYLE_LAYERS) for one in (image, pair.content, pair.style))
    wanted = {layer: mean_and_deviation(x) for layer, x in style.items()}
    last = STYLE_LAYERS[-1]
    distance = statistics_loss(found, wanted, STYLE_LAYERS)
    return Losses(content=F.mse_loss(found[last], content[last]).item(), style=distance.item())


def painted_like(system: PaintsLike, pair: StylePair) -> Image:
    """The content of a pair in its style, as users get it."""
    return AnyPainter(system, [Style(pair.style)], options=RunOptions(device="cpu", precision="exact")).paint(
        pair.content
    )


def gatys(
    pair: StylePair, iterations: int, losses_of: Callable[[Image], Losses], *, every: int = _EVERY, device: str = "cpu"
) -> tuple[Point, ...]:
    """The losses on the way of Gatys, Ecker and Bethge, CVPR 2016: L-BFGS from noise, the content loss as a mean.

    By its sum, as published, a network whose filters have a mean response of 1 keeps the photo and takes no style.

    Args:
        pair: What is painted.
        iterations: Of L-BFGS.
        losses_of: Gives the losses of a picture; the time that it takes does not count.
        every: Iterations between two points.
        device: A torch device.
    """
    config = STYLE_GATYS_2016.model_copy(update={"mean_content": True})
    vgg = VGG([*config.style_layers, *config.content_layers], pooling=config.pooling).to(device)
    vgg.normalize(mean_responses(config.pooling))
    objective = StyleObjective(vgg, pair.content.to(device), [Reference(pair.style.to(device))], config)
    noise = torch.rand(pair.content.shape, generator=torch.Generator().manual_seed(0)).to(device)
    picture = Pixels(noise)
    run = Optimization(picture, objective, OptimizeConfig(method="lbfgs", steps=iterations))
    points, seconds = [Point(iteration=0, seconds=0.0, losses=losses_of(noise.cpu()))], 0.0
    for iteration in range(1, iterations + 1):
        begun = time.perf_counter()
        run.step()
        seconds += time.perf_counter() - begun
        if iteration % every == 0 or iteration == iterations:
            points.append(Point(iteration=iteration, seconds=seconds, losses=losses_of(picture().detach().cpu())))
    return tuple(points)


def compare(
    system: PaintsLike,
    pairs: Sequence[StylePair],
    *,
    iterations: int = 300,
    device: str = "cpu",
    kept: Path | None = None,
    on_pair: OnProgress | None = None,
) -> list[PairFigures]:
    """A network beside the optimisation, pair by pair.

    Args:
        system: Trained.
        pairs: None of them from its training.
        iterations: Of the optimisation.
        device: A torch device, for the optimisation.
        kept: A file that keeps what the optimisation came to, which no network changes.
        on_pair: Called after each pair with how many of how many are done.
    """
    known = json.loads(kept.read_text()) if kept and kept.is_file() else {}
    found = []
    for done, pair in enumerate(pairs, start=1):
        name = f"{pair.content_name} {pair.style_name} {pair.content.shape[-1]} {iterations}"
        if name not in known:
            points = gatys(pair, iterations, lambda image, pair=pair: losses(image, pair), device=device)  # type: ignore[misc]
            known[name] = [point.model_dump() for point in points]
            if kept:
                with atomic_path(kept) as temporary:
                    temporary.write_text(json.dumps(known))
        found.append(
            PairFigures(
                content=pair.content_name,
                style=pair.style_name,
                photo=losses(pair.content, pair),
                network=losses(painted_like(system, pair), pair),
                gatys=tuple(Point.parse(point) for point in known[name]),
            )
        )
        if on_pair:
            on_pair(done, len(pairs))
    return found


class Means(Config):
    """Over all pairs."""

    network: Losses
    gatys: Losses
    """In the end."""
    photo: Losses

    @property
    def style_ratio(self) -> float:
        """The style loss of the network by that of the optimisation."""
        return self.network.style / self.gatys.style

    @property
    def content_ratio(self) -> float:
        """The same of the content loss."""
        return self.network.content / self.gatys.content


def means(found: Sequence[PairFigures]) -> Means:
    """The means of the losses over pairs."""

    def of(several: Sequence[Losses]) -> Losses:
        count = len(several)
        return Losses(
            content=sum(one.content for one in several) / count, style=sum(one.style for one in several) / count
        )

    return Means(
        network=of([one.network for one in found]),
        gatys=of([one.gatys[-1].losses for one in found]),
        photo=of([one.photo for one in found]),
    )


def held_out_pairs(held_out: Mapping[str, str], folders: Sequence[Path], side: int) -> list[StylePair]:
    """The pairs by the names of their files.

    Raises:
        LimnerError: If a picture is missing.
    """
    paths = {path.stem: path for folder in folders for path in find_images(folder)}
    if missing := [name for pair in held_out.items() for name in pair if name not in paths]:
        raise LimnerError(f"the folders of held-out pictures lack {', '.join(missing)}: name one that holds them too")
    return [StylePair.read(paths[content], paths[style], side) for content, style in held_out.items()]


def pairs_report(name: str, found: Sequence[PairFigures], side: int, iterations: int) -> Report:
    """The losses of every pair, and their means, which the card of the model keeps."""
    mean = means(found)
    losses = (
        figure("style loss: photo", "photo_style", ".3f"),
        figure(name, "style", ".3f"),
        figure("Gatys", "gatys_style", ".3f"),
        figure(f"content loss: {name}", "content", ".3f"),
        figure("Gatys", "gatys_content", ".3f"),
    )
    names = (
        Column("content", lambda row: str(row.facts["content"])),
        Column("style", lambda row: str(row.facts["style"])),
    )
    rows = [
        Row(
            f"{one.content} as {one.style}",
            name,
            _named(one.network, one.gatys[-1].losses, one.photo),
            {"content": one.content, "style": one.style},
        )
        for one in found
    ]
    summed = Row(f"{len(found)} pairs at {side}", name, _named(mean.network, mean.gatys, mean.photo))
    in_card = dict.fromkeys(summed.figures, ".4g")
    what = "Content is the mean square distance of relu4_1 of VGG-16, style equation 13 of arXiv:1703.06868."
    return Report.here(
        f"{name} beside {iterations} iterations of Gatys et al., {len(found)} held-out pairs at {side}x{side}",
        Table("each pair", what, (*names, *losses), tuple(rows)),
        Table("held-out pairs beside Gatys", "Means.", (CASE, *losses), (summed,), in_card),
        summary=f"Style loss {mean.style_ratio:.2f} times, content loss {mean.content_ratio:.2f} times that of Gatys.",
    )


def _named(network: Losses, optimised: Losses, photo: Losses) -> dict[str, float]:
    return {
        "content": network.content,
        "style": network.style,
        "gatys_content": optimised.content,
        "gatys_style": optimised.style,
        "photo_style": photo.style,
    }
