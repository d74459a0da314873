"""Cascaded refinement: a label map in, one or several photos of that layout out, refined from 4 rows upwards.

Chen and Koltun, "Photographic image synthesis with cascaded refinement networks", ICCV 2017, arXiv:1707.09405,
sections 3 and 4.
Differs from the paper: maps are enlarged between the middles of pixels, not between those at the corners, so that
large ones can be made in exact parts. Unless `features` names a file of VGG-19, the loss network is the VGG-16 that
comes with Limner, its filters scaled to a mean response of 1, with divisors of its own.
"""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.label_maps import LabelMapped
from limner.features.loss_network import loss_network
from limner.features.vgg16 import VGG
from limner.layers.label_condition import by_channels, label_ports
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.ports import Port
from limner.types import Image, Progress, Turn

_LEAST_ROWS = 4
_OWN = 0.999  # share of the best output of each class in the loss of several (section 3.3); the mean has the rest

CITYSCAPES_BALANCE = {
    "picture": 1 / 255, "relu1_2": 1.6, "relu2_2": 2.3, "relu3_2": 1.8, "relu4_2": 2.8, "relu5_2": 0.08,
}  # fmt: skip
"""Divisors of the authors' code for VGG-19 and Cityscapes at 256 rows, by which all terms are alike; the picture is in
0..255 there."""

BALANCE = {
    "picture": 0.23, "relu1_2": 1.2, "relu2_2": 1.4, "relu3_2": 1.3, "relu4_2": 1.5, "relu5_1": 1.3,
}  # fmt: skip
"""The same for the embedded VGG-16, which ends with conv5_1: what photos of facades and streets miss of one another."""


class CRNConfig(Config):
    """The refinement modules, and the loss."""

    num_classes: int = Field(20, ge=1, description="of the label map; the data tell")
    class_names: tuple[str, ...] = Field((), description="the data tell")
    class_colors: tuple[tuple[int, int, int], ...] = Field((), description="the data tell")
    instance_edges: bool = Field(False, description="whether edges between objects are given too; the data tell")
    channels: tuple[int, ...] = Field(
        (1024, 1024, 1024, 1024, 1024, 512, 512), min_length=1, description="of the modules at 4, 8, ... rows"
    )
    choices: int = Field(1, ge=1, description="k: photos for each label map (section 3.3)")
    balance: dict[str, float] | None = Field(
        None, description="1 / lambda: by what the term of each layer is divided (section 3.2); none: the network's own"
    )
    features: Path | None = Field(None, description="a file of VGG-19; without one the embedded VGG-16")

    @property
    def divisors(self) -> dict[str, float]:
        """By layer; `picture` is the photo itself."""
        return self.balance or (BALANCE if self.features is None else CITYSCAPES_BALANCE)

    @property
    def factor(self) -> int:
        """Sides of the photo as a multiple of those of the first module."""
        return int(2 ** (len(self.channels) - 1))


CRN_2017 = CRNConfig()  # 256 rows
CRN_512 = CRNConfig(channels=(*CRN_2017.channels, 128))
CRN_1024 = CRNConfig(channels=(*CRN_2017.channels, 128, 32))
NINE_CHOICES = CRNConfig(choices=9)
MODERN = CRNConfig(channels=(256, 256, 256, 192, 128, 64), choices=3)  # ours: for 128 pixels on CPUs

FIT_2017 = FitConfig(  # 200 epochs of 2,975 photos of Cityscapes
    steps=595_000, batch_size=1, optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4)
)
FIT_MODERN = FIT_2017.model_copy(  # ours
    update={
        "steps": 60_000,
        "precision": "bfloat16",
        "ema_decay": 0.999,
        "optimizer": OptimizerConfig(kind="adam", learning_rate=5e-4),
    }
)


class Refinement(nn.Module):
    """The module of figure 2: two 3x3 convolutions, each with layer norm over all of a map and leaky ReLU."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before in (in_channels, channels):
            convolution = nn.Conv2d(before, channels, 3, padding=1, bias=False)
            layers += [convolution, nn.GroupNorm(1, channels), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, d, h, w)."""
        return self.layers(x)


class CRN(nn.Module):
    """One player: modules from 4 rows upwards, each of which sees the label map at its size."""

    def __init__(self, config: CRNConfig = CRN_2017) -> None:
        super().__init__()
        self.config = config
        given = config.num_classes + config.instance_edges
        before = [0, *config.channels[:-1]]
        self.modules_by_size = nn.ModuleList(
            Refinement(given + one, channels) for one, channels in zip(before, config.channels, strict=True)
        )
        self.last = nn.Conv2d(config.channels[-1], 3 * config.choices, 1)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the network."""
        return {"generator": self}

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A label map, and the edges of objects where these are told."""
        factor, own = self.config.factor, self.config
        return label_ports(own.num_classes, edges=own.instance_edges, multiple=factor, least=_LEAST_ROWS * factor)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """As many photos of the same size as there are choices."""
        return tuple(Port(f"picture_{number}", "photo") for number in range(self.config.choices))

    def forward(self, labels: Tensor, *edges: Tensor) -> Image | tuple[Image, ...]:
        """A label map (n, 1, h, w), and edges, as `inputs` has them -> RGB in [0, 1], or several."""
        made = self.made(by_channels(labels, self.config.num_classes, edges))
        if self.config.choices == 1:
            return made
        return tuple(made[:, 3 * number : 3 * number + 3] for number in range(self.config.choices))

    def made(self, condition: Float[Tensor, "n k h w"]) -> Float[Tensor, "n c h w"]:
        """What each pixel is known by -> RGB in about [0, 1] of all choices, one after the other."""
        x = None
        for number, module in enumerate(self.modules_by_size):
            factor = self.config.factor // 2**number
            own = condition if factor == 1 else F.avg_pool2d(condition, factor)
            larger: list[Tensor] = [] if x is None else [F.interpolate(x, scale_factor=2.0, mode="bilinear")]
            x = module(torch.cat([*larger, own], 1))
        return (self.last(x) + 1) / 2

    def turns(self, batch: LabelMapped, progress: Progress) -> Iterator[Turn]:
        """Equation 1 for one photo, and for several the loss of section 3.3, by classes."""
        condition = by_channels(batch.label, self.config.num_classes, batch.inputs[1:])
        made = self.made(condition).float().unflatten(1, (self.config.choices, 3))
        errors = self._errors(made, batch.photo)
        if self.config.choices == 1:
            losses = {layer: error.mean() for layer, error in errors.items()}
        else:
            masks = condition[:, : self.config.num_classes]
            losses = {"choices": of_choices({layer: by_class(error, masks) for layer, error in errors.items()})}
        yield Turn("generator", losses)

    def _errors(self, made: Float[Tensor, "n k 3 h w"], photo: Image) -> dict[str, Float[Tensor, "n k _ _"]]:
        """By layer: the mean over channels of absolute differences, balanced."""
        vgg = self._loss_network.to(photo.device)
        with torch.no_grad():
            wanted = {"picture": photo, **vgg(photo)}
        found = {"picture": made.flatten(0, 1), **vgg(made.flatten(0, 1))}
        number_and_choices = made.shape[:2]
        return {
            layer: (found[layer].float().unflatten(0, number_and_choices) - wanted[layer].float()[:, None])
            .abs()
            .mean(2)
            / divisor
            for layer, divisor in self.config.divisors.items()
        }

    @functools.cached_property
    def _loss_network(self) -> VGG:
        """Read when training begins, and no part of the weights: a property of a module is no submodule."""
        layers = [layer for layer in self.config.divisors if layer != "picture"]
        device = next(self.parameters()).device
        return loss_network(layers, weights=self.config.features, device=device, pooling="average")


def by_class(error: Float[Tensor, "n k h w"], masks: Float[Tensor, "n c H W"]) -> Float[Tensor, "n k c"]:
    """The mean over pixels of what each choice misses within each class: the masks are shrunk to a layer's size."""
    own = F.adaptive_avg_pool2d(masks, (error.shape[2], error.shape[3]))
    return torch.einsum("nkhw,nchw->nkc", error, own) / error[0, 0].numel()


def of_choices(errors: Mapping[str, Float[Tensor, "n k c"]]) -> Tensor:
    """Section 3.3 as in the authors' code: of each class the best choice counts, and a little the mean of all.

    Args:
        errors: By layer, as `by_class` gives them; they are added up before the best is taken.
    """
    total = torch.stack(list(errors.values())).sum(0)
    best, mean = total.amin(1).sum(1), total.mean(1).sum(1)
    return (_OWN * best + (1 - _OWN) * mean).mean()
