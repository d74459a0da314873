"""SPADE: a label map in, a photo of that layout out; the map modulates every norm, and a style vector the whole.

Park, Liu, Wang and Zhu, "Semantic image synthesis with spatially-adaptive normalization", CVPR 2019,
arXiv:1903.07291, section 3 and appendix A.
Differs from the paper: unless `features` names a file of VGG-19, the loss network is the VGG-16 that comes with Limner,
its filters scaled to a mean response of 1. The discriminator moves first.
"""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parametrize

from limner import processes
from limner.config import Config
from limner.data.label_maps import LabelMapped
from limner.errors import LimnerError
from limner.features.loss_network import loss_network
from limner.features.vgg16 import VGG
from limner.layers.game import Game
from limner.layers.label_condition import by_channels, label_ports
from limner.layers.spectral import spectral
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.losses.adversarial import discriminator_loss, generator_loss
from limner.ports import Port
from limner.types import Image, Progress, Turn

_HEAD = 16  # times the channels of the last block
_LAYERS = {"relu1_1": 1 / 32, "relu2_1": 1 / 16, "relu3_1": 1 / 8, "relu4_1": 1 / 4, "relu5_1": 1.0}
_MOST = 8  # times the channels of the first layer of encoder and discriminator
_CODE_SIDE = 4  # of the encoder's last map


class SPADEConfig(Config):
    """The generator of figures 11 and 14, its encoder, the discriminators, and the weights of the losses."""

    num_classes: int = Field(151, ge=1, description="of the label map; the data tell")
    class_names: tuple[str, ...] = Field((), description="the data tell")
    class_colors: tuple[tuple[int, int, int], ...] = Field((), description="the data tell")
    instance_edges: bool = Field(False, description="whether edges between objects are given too; the data tell")
    base_channels: int = Field(64, ge=2, description="of the last block; the first ones have sixteen times as many")
    hidden_channels: int = Field(128, ge=1, description="between the label map and gamma, beta")
    num_ups: Literal[5, 6, 7] = Field(5, description="doublings: 5 for 256 pixels, 6 for 512x256")
    norm: Literal["batch", "instance"] = Field("batch", description="that is modulated: over a batch, or each picture")
    style: Literal["none", "start", "everywhere"] = Field(
        "none", description="start: the style vector becomes the first map; everywhere: it joins the label map"
    )
    style_channels: int = Field(16, ge=1, description="that join the label map")
    latent_channels: int = Field(256, ge=1, description="of the style vector z")
    start: tuple[int, int] = Field(
        (8, 8), description="rows and columns of the map that z becomes; enlarged where others are needed"
    )
    encoder_side: Literal[64, 128, 256] = Field(256, description="that photos are resized to before they are encoded")
    encoder_channels: int = Field(64, ge=1, description="of the encoder's first layer")
    num_discriminators: int = Field(2, ge=1, description="each sees half of the pixels of the one before")
    discriminator_layers: int = Field(4, ge=2, description="before the last one")
    discriminator_channels: int = Field(64, ge=1, description="of its first layer")
    feature_weight: float = Field(10.0, ge=0, description="of the discriminators' features")
    perceptual_weight: float = Field(10.0, ge=0, description="of the loss network's activations")
    kl_weight: float = Field(0.05, ge=0, description="of the divergence of z from a standard normal")
    features: Path | None = Field(None, description="a file of VGG-19; without one the embedded VGG-16")

    @property
    def condition_channels(self) -> int:
        """What each pixel is known by."""
        return self.num_classes + self.instance_edges

    @property
    def modulating_channels(self) -> int:
        """The same, with the style where it joins the label map: instance norm would take it out of the first map."""
        return self.condition_channels + self.style_channels * (self.style == "everywhere")


SPADE_2019 = SPADEConfig()
STYLED_2019 = SPADEConfig(style="start")
MODERN = SPADEConfig(  # ours: for 128 pixels on CPUs, at any size in exact parts
    base_channels=16,
    hidden_channels=32,
    norm="instance",
    style="everywhere",
    latent_channels=64,
    encoder_side=128,
    encoder_channels=16,
    discriminator_channels=24,
)

FIT_2019 = FitConfig(  # appendix A: 200 epochs of ADE20K's 20,210 photos, two rates
    steps=126_300,
    batch_size=32,
    optimizer=OptimizerConfig(learning_rate=1e-4, betas=(0.0, 0.9)),
    players={"discriminator": OptimizerConfig(learning_rate=4e-4, betas=(0.0, 0.9))},
)
FIT_MODERN = FIT_2019.model_copy(  # ours
    update={"steps": 60_000, "batch_size": 1, "precision": "bfloat16", "ema_decay": 0.999}
)


class SPADE(nn.Module):
    """Equation 1: a norm without parameters, whose scale and bias at each place come from the label map."""

    def __init__(self, channels: int, config: SPADEConfig) -> None:
        super().__init__()
        kind = nn.BatchNorm2d if config.norm == "batch" else nn.InstanceNorm2d
        self.norm = kind(channels, affine=False)
        self.shared = nn.Conv2d(config.modulating_channels, config.hidden_channels, 3, padding=1)
        self.gamma = nn.Conv2d(config.hidden_channels, channels, 3, padding=1)
        self.beta = nn.Conv2d(config.hidden_channels, channels, 3, padding=1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(n, c, h, w), and the condition at the same size -> (n, c, h, w)."""
        hidden = F.relu(self.shared(condition))
        return self.norm(x) * (1 + self.gamma(hidden)) + self.beta(hidden)


class Block(nn.Module):
    """The residual block of figure 4; where widths differ the shortcut is learnt, with a norm of its own."""

    def __init__(self, in_channels: int, out_channels: int, config: SPADEConfig) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norms = nn.ModuleList(SPADE(channels, config) for channels in (in_channels, middle))
        self.convolutions = nn.ModuleList(
            spectral(nn.Conv2d(before, after, 3, padding=1))
            for before, after in ((in_channels, middle), (middle, out_channels))
        )
        self.shortcut = None
        if in_channels != out_channels:
            self.shortcut_norm = SPADE(in_channels, config)
            self.shortcut = spectral(nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(n, c, h, w), and the condition at its full size -> (n, d, h, w)."""
        own = F.interpolate(condition, size=x.shape[-2:], mode="nearest")
        short: Tensor = x if self.shortcut is None else self.shortcut(self.shortcut_norm(x, own))
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            x = convolution(F.leaky_relu(norm(x, own), 0.2))
        return short + x


class Encoder(nn.Module):
    """Figure 14: a photo -> the mean and the logarithm of the variance of its style vector."""

    def __init__(self, config: SPADEConfig) -> None:
        super().__init__()
        self.side = config.encoder_side
        number = round(math.log2(self.side / _CODE_SIDE))
        widths = [config.encoder_channels * min(2**layer, _MOST) for layer in range(number)]
        self.layers = nn.Sequential(
            *(_normed(before, after, 3, 2, 1) for before, after in itertools.pairwise([3, *widths]))
        )
        self.code = nn.ModuleDict(
            {name: nn.Linear(widths[-1] * _CODE_SIDE**2, config.latent_channels) for name in ("mean", "log_variance")}
        )

    def forward(self, photo: Image) -> tuple[Float[Tensor, "n z"], Float[Tensor, "n z"]]:
        """RGB in [0, 1], of any size."""
        sized = F.interpolate(photo, size=(self.side, self.side), mode="bilinear")
        found = self.layers(2 * sized - 1).flatten(1)
        return self.code["mean"](found), self.code["log_variance"](found)


def _normed(in_channels: int, out_channels: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
    """A convolution with spectral norm, instance norm without parameters, and leaky ReLU."""
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=False)
    return nn.Sequential(spectral(convolution), nn.InstanceNorm2d(out_channels), nn.LeakyReLU(0.2))


class Generator(nn.Module):
    """Figure 11: blocks with doublings between, from the label map at its coarsest or from the style vector."""

    def __init__(self, config: SPADEConfig = SPADE_2019) -> None:
        super().__init__()
        self.config = config
        base, factors = config.base_channels, [_HEAD, 8, 4, 2, 1]
        widths = [base * _HEAD] * 3 + [base * factor for factor in factors[1:]] + [base // 2] * (config.num_ups == 7)
        head = base * _HEAD
        units = {"none": 0, "start": head * math.prod(config.start), "everywhere": config.style_channels}[config.style]
        self.projection = nn.Linear(config.latent_channels, units) if units else None
        self.first = None if config.style == "start" else nn.Conv2d(config.modulating_channels, head, 3, padding=1)
        self.blocks = nn.ModuleList(
            Block(before, after, config) for before, after in itertools.pairwise([head, *widths])
        )
        self.last = nn.Conv2d(widths[-1], 3, 3, padding=1)
        self.encoder = Encoder(config) if config.style != "none" else None
        self.apply(_begin)
        if self.projection is not None and config.style == "everywhere":
            self.projection.reset_parameters()  # as large as the labels that it stands beside

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A label map, the edges of objects where these are told, and the style vector where there is one."""
        sides = 2**self.config.num_ups
        ports = label_ports(self.config.num_classes, edges=self.config.instance_edges, multiple=sides, least=2 * sides)
        return (*ports, *([Port("style", "latent", self.config.latent_channels)] if self.encoder else []))

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A photo of the same size."""
        return (Port("picture", "photo", 3),)

    def forward(self, labels: Tensor, *more: Tensor) -> Image:
        """A label map (n, 1, h, w), edges, a style vector (n, z), as `inputs` has them -> RGB in [0, 1]."""
        condition = by_channels(labels, self.config.num_classes, more[: self.config.instance_edges])
        if self.projection is not None and self.config.style == "everywhere":
            told = self.projection(more[-1])[:, :, None, None] * torch.ones_like(condition[:, :1])
            condition = torch.cat([condition, told], 1)
        x = self._start(condition, more[-1] if more else None)
        for number, block in enumerate(self.blocks):
            if number and (number != 2 or self.config.num_ups > 5):  # between the middle blocks for more pixels alone
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(x, condition)
        return (torch.tanh(self.last(F.leaky_relu(x, 0.2))) + 1) / 2

    def _start(self, condition: Tensor, style: Tensor | None) -> Tensor:
        """The first map."""
        coarse = F.interpolate(condition, scale_factor=2.0**-self.config.num_ups, mode="nearest")
        if self.first is not None:
            return self.first(coarse)
        assert self.projection is not None
        rows, columns = self.config.start
        small = self.projection(style).view(-1, _HEAD * self.config.base_channels, rows, columns)
        return F.interpolate(small, size=coarse.shape[-2:], mode="bilinear")

    def style_of(self, photo: Image) -> Float[Tensor, "n z"]:
        """The style vectors of photos in [0, 1], to be used with any layout.

        Raises:
            LimnerError: If it was trained without styles.
        """
        if self.encoder is None:
            raise LimnerError("this model knows no styles: leave the photo out, or train with --set style=everywhere")
        mean: Tensor = self.encoder(photo)[0]
        return mean


def _begin(module: nn.Module) -> None:
    """Xavier's weights times 0.02, as in the authors' code; what has spectral norm keeps those of any size."""
    if isinstance(module, nn.Conv2d | nn.Linear) and not parametrize.is_parametrized(module):
        nn.init.xavier_normal_(module.weight, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Discriminator(nn.Module):
    """Figure 13, at several scales: each gives its layers' features, of which the last are logits of patches."""

    def __init__(self, config: SPADEConfig) -> None:
        super().__init__()
        base = config.discriminator_channels
        widths = [base * min(2**layer, _MOST) for layer in range(config.discriminator_layers)]
        self.scales = nn.ModuleList()
        for _ in range(config.num_discriminators):
            first = nn.Conv2d(config.condition_channels + 3, base, 4, stride=2, padding=2)
            layers: list[nn.Module] = [nn.Sequential(first, nn.LeakyReLU(0.2))]
            for before, after in itertools.pairwise(widths):
                layers.append(_normed(before, after, 4, 1 if len(layers) == len(widths) - 1 else 2, 2))
            self.scales.append(nn.ModuleList([*layers, nn.Conv2d(widths[-1], 1, 4, padding=2)]))
        self.apply(_begin)

    def forward(self, condition: Tensor, photo: Image) -> list[list[Tensor]]:
        """What each pixel is known by, and RGB in [0, 1] -> for each scale the maps of all layers."""
        x, found = torch.cat([condition, 2 * photo - 1], 1), []
        for scale in self.scales:
            assert isinstance(scale, nn.ModuleList)
            maps = [x]
            for layer in scale:
                maps.append(layer(maps[-1]))
            found.append(maps[1:])
            x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        return found


class SPADEGame(Game):
    """The game of the two networks; `forward` is the generator alone."""

    def __init__(self, config: SPADEConfig = SPADE_2019) -> None:
        super().__init__(Generator(config), Discriminator(config))
        self.config = config

    def turns(self, batch: LabelMapped, progress: Progress) -> Iterator[Turn]:
        """Section 3 and appendix A: hinge losses, the features of both networks, and the divergence of z."""
        condition = by_channels(batch.label, self.config.num_classes, batch.inputs[1:])
        losses: dict[str, Tensor] = {}
        given, generator = list(batch.inputs), self.generator
        assert isinstance(generator, Generator)
        if generator.encoder is not None:
            mean, log_variance = generator.encoder(batch.photo)
            given.append(mean + torch.randn_like(mean) * (0.5 * log_variance).exp())
            losses["divergence"] = self.config.kl_weight * divergence(mean.float(), log_variance.float())
        fake = generator(*given)
        judged = self.discriminator(condition, batch.photo), self.discriminator(condition, fake.detach())
        yield Turn("discriminator", {"adversarial": hinge_loss(*([maps[-1] for maps in one] for one in judged))})
        found = self.discriminator(condition, fake)
        with torch.no_grad():
            wanted = self.discriminator(condition, batch.photo)
        losses["adversarial"] = torch.stack([generator_loss(maps[-1], "hinge") for maps in found]).mean()
        if self.config.feature_weight:
            losses["features"] = self.config.feature_weight * feature_matching(found, wanted)
        if self.config.perceptual_weight:
            losses["perceptual"] = self.config.perceptual_weight * self._perceptual(fake, batch.photo)
        yield Turn("generator", losses)

    def _perceptual(self, fake: Image, photo: Image) -> Tensor:
        vgg = self._loss_network.to(photo.device)
        with torch.no_grad():
            wanted = vgg(photo)
        found = vgg(fake.float())
        terms = [weight * F.l1_loss(found[layer].float(), wanted[layer].float()) for layer, weight in _LAYERS.items()]
        return torch.stack(terms).sum()

    @functools.cached_property
    def _loss_network(self) -> VGG:
        """Read when training begins, and no part of the weights: a property of a module is no submodule."""
        device = next(self.generator.parameters()).device
        return loss_network(_LAYERS, weights=self.config.features, device=device)


def hinge_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The discriminators', the mean over scales."""
    terms = [discriminator_loss(one, other, "hinge") for one, other in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def feature_matching(found: Sequence[Sequence[Tensor]], wanted: Sequence[Sequence[Tensor]]) -> Tensor:
    """The mean absolute difference of each layer's maps but the last's, summed over layers, the mean over scales."""
    terms = [
        F.l1_loss(one.float(), other.float())
        for maps, targets in zip(found, wanted, strict=True)
        for one, other in zip(maps[:-1], targets[:-1], strict=True)
    ]
    return torch.stack(terms).sum() / len(found)


def divergence(mean: Float[Tensor, "n z"], log_variance: Float[Tensor, "n z"]) -> Tensor:
    """Kullback and Leibler's of N(mean, variance) from N(0, 1), summed over the batch as in the authors' code.

    >>> divergence(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2))
    tensor(0.5000)
    """
    return -0.5 * processes.place().size * (1 + log_variance - mean.square() - log_variance.exp()).sum()
