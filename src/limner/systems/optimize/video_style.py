"""Style transfer for videos: each frame begins with the one before, warped by the optical flow, and is held to it.

Ruder, Dosovitskiy and Brox, "Artistic style transfer for videos", GCPR 2016, arXiv:1604.08610.

Differs from the paper: content and style are those of `style`, on VGG-16; the content loss is a mean, as in the code of
the authors, whose ratio of gamma to alpha is taken. Where hardly anything of a frame is found in the one before, as
after a cut, it begins as a first frame does.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from limner.config import Config
from limner.features.places import MemoryBudget, tile_within
from limner.features.vgg16 import VGG
from limner.loops.coarse_to_fine import Pass, coarse_to_fine, with_steps
from limner.loops.optimize import Objective, OptimizeConfig, Optimized, RunControl, Watch
from limner.ops.flows import Trust, trust
from limner.ops.resample import imresize
from limner.ops.warp import Flow, warp
from limner.systems.optimize.style import (
    STYLE_GATYS_2016,
    STYLE_MODERN,
    STYLE_QUICK,
    Reference,
    StyleConfig,
    StyleObjective,
)
from limner.types import Image


class VideoStyleConfig(Config):
    """What a frame is to look like, and what holds it to the others."""

    style: StyleConfig = Field(STYLE_GATYS_2016, description="with the passes of a frame that begins a scene")
    held: OptimizeConfig = Field(
        OptimizeConfig(method="lbfgs", steps=1000, patience=50, least_gain=1e-4),
        description="of a frame that begins with another; of every frame, where there are several passes",
    )
    temporal_weight: float = Field(1.3, ge=0, description="gamma; 200 times alpha where the released code scales them")
    long_term: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1,), min_length=1, description="J: how many frames back each frame looks"
    )
    num_passes: int = Field(1, ge=1, description="over all frames")
    blend: float = Field(0.5, ge=0, le=1, description="delta of equations 11 and 12, where there are several passes")
    free_passes: float = Field(
        0.5, ge=0, le=1, description="share of several passes, rounded down, that come before the temporal loss"
    )
    cut: float = Field(0.1, ge=0, le=1, description="a frame with a smaller share of trusted pixels begins a scene")


class Neighbour(NamedTuple):
    """A stylised frame, as the flow brings it to the place of another one.

    Attributes:
        image: omega(x).
        weights: c.
    """

    image: Image
    weights: Trust

    @property
    def trusted(self) -> float:
        """The share of pixels whose flow is to be trusted."""
        return self.weights.mean().item()


def neighbour(stylised: Image, there: Flow, back: Flow) -> Neighbour:
    """A stylised frame at the place of another.

    Args:
        stylised: x of the one frame.
        there: w, from the one frame to the other, in pixels.
        back: w-hat, from the other frame to the one.
    """
    return Neighbour(warp(stylised, back).image, trust(there, back))


def temporal_loss(image: Image, warped: Image, weights: Trust) -> Tensor:
    """1 / D sum_k c_k (x_k - omega_k)^2 over the D numbers of a picture, equation 7."""
    return (weights * (image - warped).square()).mean()


def long_term_weights(weights: Sequence[Trust]) -> list[Trust]:
    """c_long^(i-j) = max(c^(i-j) - sum over nearer frames i-k of c^(i-k), 0), equation 10.

    Args:
        weights: c of each frame that is looked back to, the nearest first.
    """
    taken, found = torch.zeros_like(weights[0]), []
    for own in weights:
        found.append((own - taken).clamp(min=0))
        taken = taken + own
    return found


class VideoStyleObjective:
    """The losses of one frame: equation 8, and 9 where it looks back to several frames."""

    def __init__(self, style: Objective, neighbours: Sequence[Neighbour], temporal_weight: float) -> None:
        """Take the frames that it is held to.

        Args:
            style: alpha L_content + beta L_style.
            neighbours: The nearest first.
            temporal_weight: gamma.
        """
        self.style, self.temporal_weight = style, temporal_weight
        weights = long_term_weights([one.weights for one in neighbours]) if neighbours else []
        self.held_to = [Neighbour(one.image, own) for one, own in zip(neighbours, weights, strict=True)]

    def __call__(self, image: Image) -> Mapping[str, Tensor]:
        """The named losses of a picture."""
        losses = dict(self.style(image))
        if self.held_to and self.temporal_weight:
            apart = torch.stack([temporal_loss(image, *one) for one in self.held_to]).sum()
            losses["temporal"] = self.temporal_weight * apart
        return losses


def blended(before: Image, one: Neighbour, blend: float) -> Image:
    """Delta c omega(x) + (1 - delta c) x of the pass before, with which a frame begins a pass, equations 11 and 12."""
    share = blend * one.weights
    return share * one.image + (1 - share) * before


class Task(NamedTuple):
    """One frame that is to be painted in one pass.

    Attributes:
        number: Of the pass, from 0.
        frame: From 0.
        neighbours: The frames of this pass that it looks to, the nearest first.
        is_held: Whether it has the temporal loss.
    """

    number: int
    frame: int
    neighbours: tuple[int, ...]
    is_held: bool


def tasks(num_frames: int, config: VideoStyleConfig) -> Iterator[Task]:
    """What is to be painted, in order: one pass, or several that run forwards and backwards in turn (section 5).

    The first of several passes paints each frame by itself.
    """
    several = config.num_passes > 1
    free = int(config.free_passes * config.num_passes) if several else 0
    for number in range(config.num_passes):
        backwards = number % 2 == 1
        for place in range(num_frames):
            frame = num_frames - 1 - place if backwards else place
            back = [step for step in sorted(set(config.long_term)) if step <= place]
            seen = tuple(frame + step if backwards else frame - step for step in back)
            yield Task(number, frame, () if several and number == 0 else seen, number >= free)


def start_of(first: Image, before: Image | None, neighbours: Sequence[Neighbour], config: VideoStyleConfig) -> Image:
    """x', with which a frame begins.

    Args:
        first: What it begins with if there is nothing else.
        before: The same frame after the pass before.
        neighbours: The nearest first.
        config: Says what share of the nearest is blended in, and what is a cut.
    """
    if not neighbours:
        return first if before is None else before
    if before is not None:
        return blended(before, neighbours[0], config.blend)
    return neighbours[0].image if neighbours[0].trusted >= config.cut else first


class FramePainter:
    """Paints frame after frame with one network, so that their losses have one scale."""

    def __init__(
        self, vgg: VGG, references: Sequence[Reference], config: VideoStyleConfig, *, budget: MemoryBudget | None = None
    ) -> None:
        """Take what all frames share.

        Args:
            vgg: Gives the layers of `config.style`; normalised already.
            references: The styles, at least one.
            config: How.
            budget: Of bytes for activations; where it does not do, a frame is worked on in tiles. None sets no bound.
        """
        self.vgg, self.references, self.config, self.budget = vgg, references, config, budget

    def __call__(
        self,
        content: Image,
        neighbours: Sequence[Neighbour] = (),
        before: Image | None = None,
        *,
        is_held: bool = True,
        seed: int = 0,
        watch: Watch | None = None,
    ) -> Optimized:
        """Paint one frame.

        Args:
            content: p of the frame, (1, 3, h, w).
            neighbours: The frames that it looks to, the nearest first.
            before: The same frame after the pass before.
            is_held: Whether it has the temporal loss.
            seed: Of the noise, where a scene begins with that.
            watch: Called after each step.
        """
        config = self.config
        noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(seed)).to(content.device)
        first = content if config.style.start == "content" else noise
        start = start_of(first, before, neighbours, config)
        passes: tuple[Pass, ...] = (Pass(optimize=config.held),)
        if start is first:
            passes = config.style.passes
            passes = passes if config.num_passes == 1 else with_steps(passes, config.held.steps)
        held_to = neighbours if is_held and start is not first else ()

        def objective(here: tuple[int, int]) -> Objective:
            return VideoStyleObjective(self.objective(content, here), held_to, config.temporal_weight)

        return coarse_to_fine(
            start, (content.shape[-2], content.shape[-1]), passes, objective, control=RunControl(watch)
        )

    def objective(self, content: Image, size: tuple[int, int] | None = None) -> StyleObjective:
        """Content and style of a frame (alpha and beta of equation 3), at its own height and width or others."""
        here = size or (content.shape[-2], content.shape[-1])
        scale = here[0] / content.shape[-2]
        tile = tile_within(self.vgg, *here, self.budget)
        references = self.references
        if scale != 1:
            content = imresize(content, size=here).clamp(0, 1)
            references = [one._replace(image=imresize(one.image, scale).clamp(0, 1)) for one in references]
        return StyleObjective(self.vgg, content, references, self.config.style, tile=tile)


def with_frame_steps(config: VideoStyleConfig, steps: int) -> VideoStyleConfig:
    """The same with so many steps of a frame that begins with another, and in proportion of one that begins a scene."""
    scene = round(sum(one.optimize.steps for one in config.style.passes) * steps / config.held.steps)
    style = config.style.model_copy(update={"passes": with_steps(config.style.passes, scene)})
    return config.model_copy(update={"style": style, "held": config.held.model_copy(update={"steps": steps})})


def _held(steps: int) -> OptimizeConfig:
    """L-BFGS, whose first steps leave a good start where it is; those of Adam shake every pixel."""
    return OptimizeConfig(method="lbfgs", steps=steps)


_SCENE = OptimizeConfig(method="lbfgs", steps=2000, patience=50, least_gain=1e-4)  # section 6

VIDEO_STYLE_RUDER_2016 = VideoStyleConfig(
    style=STYLE_GATYS_2016.model_copy(
        update={"passes": (Pass(optimize=_SCENE),), "pooling": "max", "mean_content": True}
    )
)
VIDEO_STYLE_MULTI_PASS = VIDEO_STYLE_RUDER_2016.model_copy(
    update={"num_passes": 15, "held": _held(100), "temporal_weight": 0.65}
)
_SEEN = {"content_weight": 0.2}  # what moves must be known again, also in a small frame
VIDEO_STYLE_MODERN = VideoStyleConfig(style=STYLE_MODERN.model_copy(update=_SEEN), held=_held(20), temporal_weight=50.0)
VIDEO_STYLE_QUICK = VideoStyleConfig(style=STYLE_QUICK.model_copy(update=_SEEN), held=_held(8), temporal_weight=50.0)
