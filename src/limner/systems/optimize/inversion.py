"""What a layer of a network knows of a photo: a picture that looks the same to that layer, made from noise.

Mahendran and Vedaldi, "Understanding deep image representations by inverting them", CVPR 2015, arXiv:1412.0035;
Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", CVPR 2016, figure 1, where also the
Gram matrices are inverted (arXiv:1508.06576);
Ulyanov, Vedaldi and Lempitsky, "Deep image prior", CVPR 2018, arXiv:1711.10925, section 3, natural pre-images.

Differs from the first: the bounds of a pixel stand for the alpha-norm, total variation is a mean over pixels in [0, 1],
and Adam for momentum. VGG-16 is what is inverted.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import torch
from pydantic import Field
from torch import Tensor

from limner.config import Config
from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.layers.hourglass import HourglassConfig
from limner.loops.optimize import Objective, OptimizeConfig, Optimized, RunControl, optimize
from limner.loops.optimizers import ScheduleConfig
from limner.loops.priors import begin
from limner.losses.gram import gram
from limner.losses.total_variation import total_variation
from limner.types import Image, Precision


class InversionConfig(Config):
    """What is matched, and how."""

    layer: str = Field("relu4_1", description="of VGG, whose activations are matched")
    style: bool = Field(False, description="match Gram matrices instead, of this layer and of those before it")
    prior: Literal["tv", "dip"] = Field(
        "tv", description="total variation, or a network that paints (deep image prior)"
    )
    tv_weight: float = Field(5.0, ge=0, description="lambda_V^beta of equation 3, of the prior tv")
    tv_power: float = Field(2.0, gt=0, description="beta of section 2.2")
    network: HourglassConfig = Field(
        HourglassConfig(
            down_channels=(16, 32, 64, 128, 128, 128),
            up_channels=(16, 32, 64, 128, 128, 128),
            skip_channels=(4,) * 6,
            down_kernels=(7, 7, 5, 5, 3, 3),
            up_kernels=(7, 7, 5, 5, 3, 3),
            upsampling="nearest",
            downsampling="average",
            padding="zeros",
        ),
        description="f of the prior dip, as in the code of the third paper",
    )
    optimize: OptimizeConfig = OptimizeConfig(
        steps=200, learning_rate=0.06, schedule=ScheduleConfig(kind="cosine", final=0.05)
    )

    def with_steps(self, steps: int | None) -> Self:
        """The same with so many steps; None leaves them."""
        if steps is None:
            return self
        return self.model_copy(update={"optimize": self.optimize.model_copy(update={"steps": steps})})


_TV_WEIGHTS = {"1": 0.5, "2": 2.0, "3": 5.0, "4": 10.0, "5": 20.0}  # by the block: deeper layers fix it less and less


def inversion_of(
    layer: str, *, style: bool = False, prior: Literal["tv", "dip"] = "tv", quick: bool = False
) -> InversionConfig:
    """What was found good for a layer: the deeper it is, the more is left to the prior, as in the first paper.

    Args:
        layer: Whose activations are matched.
        style: Match Gram matrices up to that layer instead.
        prior: What keeps the picture natural.
        quick: Take fewer steps, which at 512 pixels take less than a minute, and a painter with 3x3 kernels alone.
    """
    if prior == "tv":
        tv_weight = 0.5 if style else _TV_WEIGHTS.get(layer[4:5], 5.0)
        config = InversionConfig(layer=layer, style=style, tv_weight=tv_weight)
        if not quick:
            return config
        hasty = config.optimize.model_copy(update={"steps": 40, "learning_rate": 0.12})
        return config.model_copy(update={"tv_weight": 4 * tv_weight, "optimize": hasty})
    slow = OptimizeConfig(steps=200, learning_rate=0.002)
    config = InversionConfig(layer=layer, style=style, prior=prior, optimize=slow)
    if not quick:
        return config
    kernels = (3,) * config.network.num_scales
    network = config.network.model_copy(update={"down_kernels": kernels, "up_kernels": kernels})
    hasty = OptimizeConfig(steps=30, learning_rate=0.005)
    return config.model_copy(update={"network": network, "optimize": hasty})


def matched_layers(config: InversionConfig) -> tuple[str, ...]:
    """The layer itself; for a style, before it the first one of each earlier block, as in figure 1 of Gatys et al.

    >>> matched_layers(InversionConfig(layer="relu3_2", style=True))
    ('relu1_1', 'relu2_1', 'relu3_2')
    """
    block = config.layer[4:5]
    earlier = range(1, min(int(block), 5)) if config.style and block.isdecimal() else ()
    return (*(f"relu{number}_1" for number in earlier), config.layer)


def relative_distance(found: Tensor, target: Tensor) -> Tensor:
    """||found - target||^2 / ||target||^2, so that a picture without anything in it has a loss of 1 (section 2.1)."""
    target = target.float()
    return (found.float() - target).square().sum() / target.square().sum().clamp(min=1e-12)


class InversionObjective:
    """The loss of equation 3: how far a picture is from a photo for the layers, and how little natural.

    Args of the constructor:
        vgg: Gives the layers of `matched_layers(config)`.
        photo: (1, 3, h, w).
        config: What is matched.
    """

    def __init__(self, vgg: VGG, photo: Image, config: InversionConfig) -> None:
        self.vgg, self.config = vgg, config
        with torch.no_grad():
            self.targets = {layer: self._code(map) for layer, map in vgg(photo).items()}
        if not any(bool(target.any()) for target in self.targets.values()):
            raise LimnerError(f"nothing in the photo moves {config.layer}: take another photo, or an earlier layer")

    def __call__(self, image: Image) -> Mapping[str, Tensor]:
        """The named losses of a picture."""
        found = {layer: self._code(map) for layer, map in self.vgg(image).items()}
        distances = [relative_distance(found[layer], target) for layer, target in self.targets.items()]
        losses = {"style" if self.config.style else "content": torch.stack(distances).mean()}
        if self.config.prior == "tv":
            losses["variation"] = self.config.tv_weight * total_variation(image, self.config.tv_power)
        return losses

    def _code(self, map: Tensor) -> Tensor:
        return gram(map) / (map.shape[-2] * map.shape[-1]) if self.config.style else map


def invert(
    photo: Image,
    config: InversionConfig,
    *,
    weights: Path | None = None,
    precision: Precision = "exact",
    seed: int = 0,
    control: RunControl = RunControl(),
) -> Optimized:
    """A picture that looks as the photo does to a layer of VGG.

    Args:
        photo: (1, 3, h, w), on the device that is to work.
        config: What is matched, and how.
        weights: Of another VGG; None takes the embedded one.
        precision: Of the networks.
        seed: Of the picture that it begins with.
        control: How it is watched, stopped and resumed.

    Raises:
        LimnerError: If there is no such layer, or the photo is too small for it.
        TrainingStopped: If a loss is not finite.
    """
    vgg = VGG(matched_layers(config), weights=weights, precision=precision, device=photo.device)
    objective: Objective = InversionObjective(vgg, photo, config)
    size = (photo.shape[-2], photo.shape[-1])
    picture = begin(config.prior, size, config.network, seed=seed, precision=precision, device=photo.device)
    run = config.optimize.model_copy(update={"seed": seed})
    made_of = [config, photo, weights and vgg]
    return optimize(picture, objective, run, control=control, made_of=made_of)
