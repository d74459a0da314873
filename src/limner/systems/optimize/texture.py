"""Texture synthesis: a picture with the Gram matrices of a source.

Gatys, Ecker and Bethge, "Texture synthesis using convolutional neural networks", NIPS 2015, arXiv:1505.07376.

Differs from the paper: VGG-16 stands for VGG-19, and Gram matrices are divided by their numbers of places, so that a
texture may have another size than its source.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from limner.config import Config
from limner.errors import LimnerError
from limner.features.places import MemoryBudget, Window, sum_over_places, tile_within
from limner.features.vgg16 import VGG, Pooling, mean_responses
from limner.loops.coarse_to_fine import Pass, coarse_to_fine
from limner.loops.optimize import Objective, OptimizeConfig, Optimized, RunControl
from limner.loops.optimizers import ScheduleConfig
from limner.losses.gram import gram, gram_distance
from limner.losses.total_variation import total_variation
from limner.ops.resample import imresize
from limner.types import Image, Precision


class TextureConfig(Config):
    """What makes two textures alike, and how one is sought."""

    layers: Mapping[str, float] = Field(
        {"conv1_1": 1.0, "pool1": 1.0, "pool2": 1.0, "pool3": 1.0, "pool4": 1.0},
        min_length=1,
        description="w_l of equation 4",
    )
    relative: bool = Field(False, description="divide each layer's loss by that of a blank picture; not in the paper")
    pooling: Pooling = Field("average", description="section 2")
    tv_weight: float = Field(0.0, ge=0, description="of total variation; not in the paper")
    margin: int = Field(
        0, ge=0, description="pixels made beyond each border and cut off, for the network sees zeros there; ours"
    )
    shift: int = Field(
        0,
        ge=0,
        description="it is moved by fewer pixels, at random in each step, so that pooling leaves no grid; ours",
    )
    passes: tuple[Pass, ...] = Field(
        (Pass(optimize=OptimizeConfig(method="lbfgs", steps=2000)),), min_length=1, description="from coarse to fine"
    )

    @model_validator(mode="after")
    def _lines_are_searched_in_one_place(self) -> Self:
        if self.shift and any(one.optimize.method == "lbfgs" for one in self.passes):
            raise ValueError("shift must be 0 for lbfgs, whose line search wants one loss: take the method adam")
        return self


TEXTURE_GATYS_2015 = TextureConfig()

_ADAM = OptimizeConfig(method="adam", learning_rate=0.05, schedule=ScheduleConfig(kind="cosine"))


def _from_coarse(*steps: int) -> TextureConfig:
    """A quarter, a half and then the whole of the size, so that what is large is found where it is cheap."""
    passes = zip((0.25, 0.5, 1.0), steps, strict=True)
    return TextureConfig(
        layers={"relu1_1": 0.67, "relu2_1": 0.22, "relu3_1": 0.074, "relu4_1": 0.025, "relu5_1": 0.008},
        relative=True,
        tv_weight=0.5,
        margin=16,
        shift=16,
        passes=tuple(Pass(scale=scale, optimize=_ADAM.model_copy(update={"steps": count})) for scale, count in passes),
    )


TEXTURE_MODERN = _from_coarse(200, 150, 80)
TEXTURE_QUICK = _from_coarse(100, 60, 20)


class TextureObjective:
    """L of equation 4: the distance of a picture's Gram matrices from those of a source."""

    def __init__(
        self,
        vgg: VGG,
        source: Image,
        config: TextureConfig,
        *,
        seamless: bool = False,
        tile: int | None = None,
    ) -> None:
        """Take the Gram matrices of the source.

        Args:
            vgg: Gives the layers of `config`.
            source: (1, 3, h, w).
            config: The weights of the losses.
            seamless: Judge the picture as one that is repeated on all sides.
            tile: Side of the parts that are worked on at a time, in pixels; None takes the whole.
        """
        self.vgg, self.config, self.seamless, self.tile = vgg, config, seamless, tile
        with torch.no_grad():
            self.targets = self._grams(source, wrap=False)

    def __call__(self, image: Image) -> dict[str, Tensor]:
        """The named losses of a picture."""
        seen = self._moved(image) if self.config.shift else image
        grams = self._grams(seen, wrap=self.seamless)
        distances = (
            gram_distance(one, target, relative=self.config.relative)
            for one, target in zip(grams, self.targets, strict=True)
        )
        weights = self.config.layers.values()
        losses = {"texture": torch.stack([w * e for w, e in zip(weights, distances, strict=True)]).sum()}
        if self.config.tv_weight:
            losses["variation"] = self.config.tv_weight * total_variation(image, wrap=self.seamless)
        return losses

    def _moved(self, image: Image) -> Float[Tensor, "n 3 H W"]:
        """Moved up and to the left; what leaves comes in again where the picture is repeated."""
        if self.seamless:
            down, across = torch.randint(self.config.shift, (2,)).tolist()
            return image.roll((-down, -across), (2, 3))
        rooms = (side - self.vgg.least_side for side in image.shape[-2:])
        down, across = (int(torch.randint(min(self.config.shift, room + 1), ())) for room in rooms)
        return image[..., down:, across:]

    def _grams(self, image: Image, *, wrap: bool) -> list[Tensor]:
        """G_ij over the number of places, by layer."""
        sums = sum_over_places(self.vgg, image, _grams_of, tile=self.tile, wrap=wrap)
        strides = (self.vgg.stride(layer) for layer in self.vgg.layers)
        places = ((image.shape[-2] // stride) * (image.shape[-1] // stride) for stride in strides)
        return [total / count for total, count in zip(sums, places, strict=True)]


def _grams_of(features: Mapping[str, Tensor], window: Window) -> Sequence[Tensor]:
    return [gram(one) for one in features.values()]


def synthesize(
    source: Image,
    size: tuple[int, int],
    config: TextureConfig,
    *,
    seamless: bool = False,
    weights: Path | None = None,
    precision: Precision = "exact",
    budget: MemoryBudget | None = None,
    seed: int = 0,
    control: RunControl = RunControl(),
) -> Optimized:
    """A new picture of the texture of a source, from noise.

    Args:
        source: (1, 3, h, w), on the device that is to work.
        size: Height and width of the result, in pixels.
        config: How.
        seamless: Let the borders fit each other, so that the result can be laid like tiles; its sides are then
            multiples of the deepest layer's stride.
        weights: Of another VGG; None takes the embedded one.
        precision: Of the network.
        budget: Of bytes for activations; where it does not do, the picture is worked on in tiles. None sets no bound.
        seed: Of the noise.
        control: As for `coarse_to_fine`.

    Raises:
        LimnerError: If a picture is too small, the source has no texture, or a file of weights does not fit.
        TrainingStopped: If a loss is not finite.
    """
    vgg = VGG(config.layers, pooling=config.pooling, weights=weights, precision=precision, device=source.device)
    _check(vgg, source, size, config)
    vgg.normalize(mean_responses(config.pooling) if weights is None else vgg.mean_responses([source]))
    margin = 0 if seamless else config.margin  # what is repeated has no border
    grown = size[0] + 2 * margin, size[1] + 2 * margin

    def objective(here: tuple[int, int]) -> Objective:
        scaled = _scaled(source, max(here) / max(grown))
        tile = tile_within(vgg, *here, budget)
        return TextureObjective(vgg, scaled, config, seamless=seamless, tile=tile)

    cut = partial(_without_margin, margin=margin, width=grown[1])
    done = coarse_to_fine(
        _noise_like(source, grown, seed),
        grown,
        config.passes,
        objective,
        multiple=vgg.least_side if seamless else 1,
        wrap=seamless,
        control=control.showing(cut),
        made_of=[config, seed, seamless, source, weights and vgg],
    )
    return done._replace(image=cut(done.image))


def _noise_like(source: Image, size: tuple[int, int], seed: int) -> Float[Tensor, "1 3 H W"]:
    """Noise with the colours of a source: its mean, and its deviation as the width of a uniform distribution."""
    noise = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed)).to(source.device)
    mean = source.mean((2, 3), keepdim=True)
    return (mean + source.std((2, 3), keepdim=True) * (noise - 0.5)).clamp(0, 1)


def _without_margin(image: Tensor, margin: int, width: int) -> Tensor:
    """Without the margin, which is so large where the picture has its full width, and smaller in earlier passes."""
    rest = round(margin * image.shape[-1] / width)
    return image[..., rest : image.shape[-2] - rest, rest : image.shape[-1] - rest]


def _scaled(image: Image, scale: float) -> Tensor:
    return image if scale == 1 else imresize(image, scale).clamp(0, 1)


def _check(vgg: VGG, source: Image, size: tuple[int, int], config: TextureConfig) -> None:
    least = int(vgg.least_side / min(one.scale for one in config.passes) + 0.5)
    for name, (height, width) in {"the source": tuple(source.shape[-2:]), "the texture": size}.items():
        if min(height, width) < least:
            raise LimnerError(
                f"{name} must have {least} pixels a side or more for {vgg.layers[-1]}, got {width}x{height}: "
                "enlarge it, or name earlier layers"
            )
    if source.std((2, 3)).max() < 1e-3:
        raise LimnerError("the source is of one colour and has no texture: take a picture with some detail")
