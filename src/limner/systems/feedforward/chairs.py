"""Chairs: which object, seen from where and transformed how in, a picture and its mask out.

Dosovitskiy, Springenberg and Brox, "Learning to generate chairs with convolutional neural networks", CVPR 2015,
arXiv:1411.5928, sections 3 and 4.
Differs from the paper: how many channels each convolution has, how the two losses weigh, and how the rate falls are
ours, for we could not read them. The batch of 64 is that of the authors' released settings.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Self

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from limner.config import Config
from limner.data.rendered import TRANSFORMS, Rendered
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.loops.presets import modern_fit
from limner.ports import Port
from limner.types import Progress, Turn

_LEAST = 8  # pixels across the map that the fully connected layers give
_LEAST_OPACITY = 0.05  # by which a colour is divided


class ChairsConfig(Config):
    """The fully connected layers, and one or two streams of convolutions after them."""

    num_classes: int = Field(809, ge=1, description="chairs; the data tell")
    names: tuple[str, ...] = Field((), description="of the chairs, in order; the data tell")
    units: int = Field(512, ge=1, description="of the two layers that each of the three inputs has")
    joint_units: int = Field(1024, ge=1, description="of the two layers after them")
    picture_channels: tuple[int, ...] = Field(
        (256, 92, 92, 48), min_length=1, description="of the map of 8x8, and after each doubling but the last"
    )
    mask_channels: tuple[int, ...] = Field(
        (64, 32, 32, 16), description="the same of the stream of the mask; none: one stream gives both"
    )
    deep: bool = Field(False, description="a convolution that keeps the size after each doubling but the last")
    picture_weight: float = Field(10.0, ge=0, description="lambda: of the picture's loss beside the mask's")

    @model_validator(mode="after")
    def _is_of_one_size(self) -> Self:
        if self.mask_channels and len(self.mask_channels) != len(self.picture_channels):
            raise ValueError("mask_channels must be none, or as many as picture_channels")
        return self

    @property
    def side(self) -> int:
        """Of the pictures, in pixels."""
        return int(_LEAST * 2 ** len(self.picture_channels))


CHAIRS_2015 = ChairsConfig()
ONE_STREAM = ChairsConfig(mask_channels=())
ONE_STREAM_DEEP = ChairsConfig(mask_channels=(), deep=True)
CHAIRS_64 = ChairsConfig(picture_channels=(256, 92, 92), mask_channels=(64, 32, 32))
MODERN = ChairsConfig(  # ours: 64 pixels, an eighth of the weights
    units=256, joint_units=512, picture_channels=(128, 96, 64), mask_channels=()
)

FIT_2015 = FitConfig(
    steps=400_000,
    batch_size=64,
    optimizer=OptimizerConfig(kind="adam", learning_rate=5e-4),
    schedule=ScheduleConfig(kind="step", every=0.1, factor=0.5),
)
FIT_MODERN = modern_fit(60_000, 32, 1e-3)


class Upconvolution(nn.Module):
    """A bed of nails, then a 5x5 convolution: as one transposed convolution, which leaves out what the zeros make."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 5, 5))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, d, 2h, 2w)."""
        kernel = self.weight.flip(2, 3).transpose(0, 1)
        return F.conv_transpose2d(x, kernel, self.bias, stride=2, padding=2, output_padding=1)


class Stream(nn.Module):
    """From what the fully connected layers give to maps of the size of the picture."""

    def __init__(self, in_units: int, channels: tuple[int, ...], out_channels: int, *, deep: bool) -> None:
        super().__init__()
        self.first = nn.Linear(in_units, channels[0] * _LEAST**2)
        self.shape = (channels[0], _LEAST, _LEAST)
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [Upconvolution(before, after), nn.LeakyReLU(0.2)]
            layers += [nn.Conv2d(after, after, 5, padding=2), nn.LeakyReLU(0.2)] * deep
        self.layers = nn.Sequential(*layers, Upconvolution(channels[-1], out_channels))

    def forward(self, x: Float[Tensor, "n u"]) -> Float[Tensor, "n c h w"]:
        """(n, in_units) -> (n, out_channels, side, side)."""
        made: Tensor = self.layers(F.leaky_relu(self.first(x), 0.2).unflatten(1, self.shape))
        return made


class Chairs(nn.Module):
    """Which chair, from where, transformed how -> its picture; one player that learns by two losses."""

    def __init__(self, config: ChairsConfig = CHAIRS_2015) -> None:
        super().__init__()
        self.config = config
        sizes = {"style": config.num_classes, "view": 4, "transform": len(TRANSFORMS)}
        self.given = nn.ModuleDict({name: _two_layers(size, config.units) for name, size in sizes.items()})
        self.joint = nn.Sequential(*_two_layers(3 * config.units, config.joint_units))
        one_stream = not config.mask_channels
        self.picture = Stream(config.joint_units, config.picture_channels, 3 + one_stream, deep=config.deep)
        self.mask = None if one_stream else Stream(config.joint_units, config.mask_channels, 1, deep=config.deep)
        self.apply(_begin)

    @property
    def names(self) -> tuple[str, ...]:
        """What the chairs are called; numbers where the data have no names."""
        return self.config.names or tuple(map(str, range(self.config.num_classes)))

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the network."""
        return {"generator": self}

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Shares of the chairs, elevation and azimuth, and the transform."""
        return (
            Port("style", "score", self.config.num_classes),
            Port("view", "angle", 2),
            Port("transform", "score", len(TRANSFORMS)),
        )

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of one size, with its opacity."""
        return (Port("picture", "photo", 4, scale=self.config.side),)

    def streams(
        self, style: Float[Tensor, "n k"], view: Float[Tensor, "n 2"], transform: Float[Tensor, "n t"]
    ) -> Float[Tensor, "n 4 h w"]:
        """Colours times opacity, and opacity, as they are learnt: not clipped.

        Args:
            style: 1 for the chair that is meant and 0 for the others, or shares of several.
            view: Elevation and azimuth, in radians.
            transform: As `TRANSFORMS` names them; zeros leave the chair as it is.
        """
        given = {"style": style, "view": torch.cat([view.sin(), view.cos()], 1), "transform": transform}
        joint = self.joint(torch.cat([layers(given[name]) for name, layers in self.given.items()], 1))
        if self.mask is None:
            return self.picture(joint)
        return torch.cat([self.picture(joint), self.mask(joint)], 1)

    def forward(
        self, style: Float[Tensor, "n k"], view: Float[Tensor, "n 2"], transform: Float[Tensor, "n t"]
    ) -> Float[Tensor, "n 4 h w"]:
        """As `streams`, but RGB and opacity in [0, 1], colours not multiplied by it."""
        made = self.streams(style, view, transform).clamp(0, 1)
        mask = made[:, 3:]
        return torch.cat([(made[:, :3] / mask.clamp(min=_LEAST_OPACITY)).clamp(0, 1), mask], 1)

    def turns(self, batch: Rendered, progress: Progress) -> Iterator[Turn]:
        """The squared errors of both streams; a picture is black where there is no chair."""
        made = self.streams(*batch.inputs).float()
        losses = {
            "picture": self.config.picture_weight * F.mse_loss(made[:, :3], batch.picture),
            "mask": F.mse_loss(made[:, 3:], batch.mask),
        }
        yield Turn("generator", losses)


def _two_layers(in_units: int, units: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(in_units, units), nn.LeakyReLU(0.2), nn.Linear(units, units), nn.LeakyReLU(0.2))


def _begin(module: nn.Module) -> None:
    """Orthogonal weights that keep the size of signals: of an upconvolution's input three quarters are zeros."""
    if isinstance(module, nn.Linear | nn.Conv2d | Upconvolution):
        gain = nn.init.calculate_gain("leaky_relu", 0.2) * (2 if isinstance(module, Upconvolution) else 1)
        nn.init.orthogonal_(module.weight, gain)
        assert module.bias is not None
        nn.init.zeros_(module.bias)
