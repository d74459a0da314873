"""What a unit of a network looks for: a picture that it answers to as strongly as it can.

Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks", ICLR workshop 2014, arXiv:1312.6034, section 2;
Olah, Mordvintsev and Schubert, "Feature visualization", Distill, 2017, doi:10.23915/distill.00007;
Ulyanov, Vedaldi and Lempitsky, "Deep image prior", arXiv:1711.10925, the figures of activation maximisation.

Differs from all: the inverse hyperbolic sine of the response is raised, which is its logarithm once it is strong, so
that the prior has the same say over units whose responses differ a hundredfold.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple, Self, TypeAlias

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.layers.hourglass import HourglassConfig
from limner.loops.optimize import OptimizeConfig, Optimized, RunControl, optimize
from limner.loops.priors import Prior, begin
from limner.losses.total_variation import total_variation
from limner.types import Image, Precision

Features: TypeAlias = Callable[[Tensor], Mapping[str, Tensor]]
"""A network that gives named activations."""


class Unit(NamedTuple):
    """Something in a network that answers to pictures.

    Attributes:
        layer: As the network names it.
        channel: Of that layer, from 0.
        is_neuron: Whether it is the channel at the place in the middle alone, and not its mean over all places.
    """

    layer: str
    channel: int
    is_neuron: bool = False

    def response(self, features: Mapping[str, Tensor]) -> Tensor:
        """How strongly it answers."""
        map = features[self.layer][:, self.channel].float()
        if not self.is_neuron:
            return map.mean()
        return map[:, map.shape[1] // 2, map.shape[2] // 2].mean()


class ActivationConfig(Config):
    """How natural the picture must be, and how it is sought."""

    prior: Prior = "fourier"
    decay: float = Field(1.0, ge=0, description="of the prior fourier: the power of 1 / frequency, 1 in the article")
    tv_weight: float = Field(0.0, ge=0, description="of total variation")
    l2_weight: float = Field(0.0, ge=0, description="lambda of Simonyan et al., on the mean square of 2 x - 1")
    shift: float = Field(0.0, ge=0, description="pixels that the picture is moved by at most, in each step at random")
    turn: float = Field(0.0, ge=0, description="degrees that it is turned by at most")
    zoom: float = Field(0.0, ge=0, lt=1, description="share that it grows or shrinks by at most")
    network: HourglassConfig = Field(
        HourglassConfig(
            down_channels=(16, 32, 64, 128, 128, 128),
            up_channels=(16, 32, 64, 128, 128, 128),
            skip_channels=(0, 4, 4, 4, 4, 4),
            down_kernels=(5, 3, 5, 5, 3, 5),
            up_kernels=(5, 3, 5, 3, 5, 3),
            downsampling="average",
        ),
        description="f of the prior dip, as in the code of the third paper",
    )
    noise: float = Field(0.03, ge=0, description="on the input of that network, in each step anew")
    optimize: OptimizeConfig = OptimizeConfig()

    def with_steps(self, steps: int | None) -> Self:
        """The same with so many steps; None leaves them."""
        if steps is None:
            return self
        return self.model_copy(update={"optimize": self.optimize.model_copy(update={"steps": steps})})


PRESETS: dict[Prior, ActivationConfig] = {
    "fourier": ActivationConfig(
        tv_weight=10, shift=8, turn=10, zoom=0.1, optimize=OptimizeConfig(steps=200, learning_rate=0.03)
    ),
    "tv": ActivationConfig(
        prior="tv",
        tv_weight=100,
        shift=8,
        turn=10,
        zoom=0.1,
        optimize=OptimizeConfig(steps=200, learning_rate=0.02),
    ),
    "dip": ActivationConfig(
        prior="dip", shift=8, turn=5, zoom=0.05, optimize=OptimizeConfig(steps=200, learning_rate=0.001)
    ),
}
"""What was found good. In all of them the picture must do wherever it lies, as Olah et al. have it."""

FOURIER_OF_A_CLASS = ActivationConfig(
    decay=1.5,
    tv_weight=100,
    shift=16,
    turn=25,
    zoom=0.4,
    optimize=OptimizeConfig(steps=300, learning_rate=0.01),
)
"""What was found good for whole things, which want larger forms than a channel does."""

QUICK_STEPS: dict[Prior, int] = {"fourier": 45, "tv": 45, "dip": 25}
"""By the prior: what shows something, and takes less than a minute at 512 pixels."""

ACTIVATION_ULYANOV_2018 = ActivationConfig(prior="dip", optimize=OptimizeConfig(steps=3100, learning_rate=0.001))
"""As in the code of the third paper."""


class ActivationObjective:
    """asinh of the unit's response, in multiples of what its layer usually answers, to be raised; and the prior.

    Args of the constructor:
        features: Gives the layer.
        unit: What is to answer.
        config: How natural the picture must be.
        usual: A picture; the mean of what the layer answers to it is the unit of the response.
    """

    def __init__(self, features: Features, unit: Unit, config: ActivationConfig, usual: Image) -> None:
        self.features, self.unit, self.config = features, unit, config
        with torch.no_grad():
            self.usual = features(usual)[unit.layer].float().abs().mean().clamp(min=1e-6)

    def __call__(self, image: Image) -> Mapping[str, Tensor]:
        """The named losses of a picture; where it is moved to is drawn from torch's global random numbers."""
        found = self.features(moved(image, self.config))
        losses = {"activation": -torch.asinh(self.unit.response(found) / self.usual)}
        if self.config.tv_weight:
            losses["variation"] = self.config.tv_weight * total_variation(image)
        if self.config.l2_weight:
            losses["contrast"] = self.config.l2_weight * (2 * image - 1).square().mean()
        return losses


def moved(image: Image, config: ActivationConfig) -> Image:
    """The picture moved, turned and grown by chance, with itself mirrored beyond its borders."""
    if not (config.shift or config.turn or config.zoom):
        return image
    down, right, turn, zoom = (2 * torch.rand(4) - 1).tolist()
    height, width = image.shape[-2:]
    angle, size = math.radians(config.turn * turn), 1 / (1 + config.zoom * zoom)
    cosine, sine = size * math.cos(angle), size * math.sin(angle)
    matrix = [  # in units of half the sides
        [cosine, -sine * height / width, 2 * config.shift * right / width],
        [sine * width / height, cosine, 2 * config.shift * down / height],
    ]
    grid = F.affine_grid(torch.tensor([matrix], device=image.device), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def imagine(
    features: Features,
    unit: Unit,
    size: tuple[int, int],
    config: ActivationConfig,
    *,
    device: torch.device | str = "cpu",
    precision: Precision = "exact",
    seed: int = 0,
    control: RunControl = RunControl(),
) -> Optimized:
    """A picture that a unit answers to strongly.

    Args:
        features: Gives the unit's layer.
        unit: What is to answer.
        size: Height and width, in pixels.
        config: How.
        device: Where `features` is.
        precision: Of the network that paints, if there is one.
        seed: Of the picture that it begins with, and of how it is moved.
        control: How it is watched, stopped and resumed.

    Raises:
        LimnerError: If the picture is too small for the layer.
        TrainingStopped: If a loss is not finite.
    """
    picture = begin(
        config.prior,
        size,
        config.network,
        seed=seed,
        decay=config.decay,
        noise=config.noise,
        precision=precision,
        device=device,
    )
    with torch.no_grad():
        objective = ActivationObjective(features, unit, config, picture())
    run = config.optimize.model_copy(update={"seed": seed})
    made_of = [config, unit, features if isinstance(features, nn.Module) else None]
    return optimize(picture, objective, run, control=control, made_of=made_of)
