"""SRGAN: SRResNet with a discriminator that tells its pictures from photos, and a loss on what VGG sees.

Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network", CVPR 2017,
arXiv:1609.04802 (figure 4, sections 2 and 3).
Differs from the paper: unless `features` names a file of VGG-19, the loss network is the VGG-16 that comes with Limner.
It ends at relu5_1, which stands for phi_5,4, and its filters are scaled to a mean response of 1 to photos: as they are,
the content loss would drown the game. Losses are means: of equation 5 over channels too, of the game over a batch.
Crops of another size than the discriminator is made for are pooled to it. `MODERN` is ours. `discriminator_range` is
for the networks of others, which `limner import` reads.
"""

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.pairs import Pair
from limner.features.vgg16 import VGG, mean_responses
from limner.layers.game import Game
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.losses.adversarial import discriminator_loss, generator_loss
from limner.losses.fine import fine_loss
from limner.losses.lattice import local_lattice
from limner.losses.perceptual import feature_loss
from limner.systems.feedforward.srresnet import SRRESNET_2017, SRRESNET_MODERN, SRResNet, SRResNetConfig
from limner.types import Image, Precision, Progress, Turn


class SRGANConfig(Config):
    """The two networks of figure 4 and the perceptual loss of equation 3."""

    generator: SRResNetConfig = Field(SRRESNET_2017, description="G")
    crop: int = Field(
        96, ge=16, multiple_of=16, description="side of the crops that the discriminator is made for, in pixels"
    )
    discriminator_channels: int = Field(64, ge=1, description="of its first layer; the last has eight times as many")
    discriminator_range: Literal["signed", "unit"] = Field(
        "signed", description="of the pictures that its layers see: [-1, 1]; unit: [0, 1], as some of others have it"
    )
    dense: int = Field(1024, ge=1, description="units of the discriminator's dense layer")
    content: Literal["mse", "vgg22", "vgg54"] = Field("vgg54", description="the content loss, of equation 4 or 5")
    features: Path | None = Field(
        None, description="a file of VGG-19; without one the embedded VGG-16, whose relu5_1 stands for phi_5,4"
    )
    adversarial_weight: float = Field(1e-3, ge=0, description="of l_Gen in equation 3")
    pixel_weight: float = Field(0.0, ge=0, description="of equation 4 beside the content loss; it keeps colours; ours")
    fine_weight: float = Field(
        0.0, ge=0, description="of patterns of two or three pixels, which the content loss is blind to; ours"
    )
    lattice_weight: float = Field(
        0.0, ge=0, description="of what the generator's own grid adds to the original, window by window; ours"
    )


SRGAN_2017 = SRGANConfig()
MODERN = SRGANConfig(  # ours: relu5_1 of VGG-16 alone is met by pale pictures with a grid of 4 pixels
    generator=SRRESNET_MODERN,
    discriminator_channels=32,
    dense=256,
    content="vgg22",
    pixel_weight=0.1,
    adversarial_weight=5e-4,
    fine_weight=6.0,
    lattice_weight=120.0,
)

FIT_2017 = FitConfig(  # section 3.2: 10^5 steps at 1e-4, then as many at 1e-5
    steps=200_000,
    batch_size=16,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4),
    schedule=ScheduleConfig(kind="step", every=0.5, factor=0.1),
)
FIT_MODERN = FitConfig(  # ours
    steps=50_000,
    batch_size=4,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4),
    players={"discriminator": OptimizerConfig(kind="adam", learning_rate=2e-5)},  # it wins too soon by the generator's
    schedule=ScheduleConfig(kind="cosine", warmup_steps=100, final=0.1),
    precision="bfloat16",
    ema_decay=0.999,
)


class Discriminator(nn.Module):
    """Photo or not: eight convolutions, every second one halving the sides, then two dense layers."""

    def __init__(self, config: SRGANConfig) -> None:
        super().__init__()
        self.is_signed = config.discriminator_range == "signed"
        widths = [config.discriminator_channels * factor for factor in (1, 1, 2, 2, 4, 4, 8, 8)]
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 3, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        for number, (before, width) in enumerate(itertools.pairwise(widths), start=1):
            layers += [
                nn.Conv2d(before, width, 3, stride=1 + number % 2, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.convolutions = nn.Sequential(*layers)
        side = config.crop // 16
        self.dense = nn.Sequential(
            nn.AdaptiveAvgPool2d(side),
            nn.Flatten(),
            nn.Linear(widths[-1] * side**2, config.dense),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(config.dense, 1),
        )

    def forward(self, image: Image) -> Float[Tensor, "n 1"]:
        """RGB in [0, 1] -> logits, above 0 for what is taken for a photo; the paper's layers work in [-1, 1]."""
        return self.dense(self.convolutions(2 * image - 1 if self.is_signed else image))


class SRGAN(Game):
    """The game of the two networks; `forward` is the generator alone."""

    def __init__(self, config: SRGANConfig = SRGAN_2017) -> None:
        super().__init__(SRResNet(config.generator), Discriminator(config))
        self.config = config

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """Equation 2 for the discriminator, equation 3 for the generator."""
        fake = self.generator(batch.source).float()
        judged = self.discriminator(batch.target), self.discriminator(fake.detach())
        yield Turn("discriminator", {"adversarial": discriminator_loss(*judged)})
        losses = {
            "content": self.content_loss(fake, batch.target),
            "adversarial": self.config.adversarial_weight * generator_loss(self.discriminator(fake)),
        }
        if self.config.pixel_weight:
            losses["pixel"] = self.config.pixel_weight * _pixel_loss(fake, batch.target)
        if self.config.fine_weight:
            losses["fine"] = self.config.fine_weight * fine_loss(fake, batch.target)
        if self.config.lattice_weight:
            own = local_lattice(fake - batch.target, self.config.generator.scale)
            losses["lattice"] = self.config.lattice_weight * own
        yield Turn("generator", losses)

    def content_loss(self, fake: Image, real: Image) -> Tensor:
        """Equation 4, or equation 5 on activations scaled by 1 / 12.75 (section 3.2)."""
        if self.config.content == "mse":
            return _pixel_loss(fake, real)
        vgg = self._loss_network.to(real.device)
        with torch.no_grad():
            wanted = vgg(real)
        return feature_loss(vgg(fake), wanted, dict.fromkeys(vgg.layers, 1 / 12.75**2))

    @functools.cached_property
    def _loss_network(self) -> VGG:
        """Read when training begins, and no part of the weights: a property of a module is no submodule."""
        is_own = self.config.features is None
        layer = "relu2_2" if self.config.content == "vgg22" else "relu5_1" if is_own else "relu5_4"
        device = next(self.generator.parameters()).device
        precision: Precision = "fast" if torch.is_autocast_enabled(device.type) else "exact"
        vgg = VGG([layer], weights=self.config.features, precision=precision, device=device)
        if is_own:
            vgg.normalize(mean_responses("max"))
        return vgg


def _pixel_loss(fake: Image, real: Image) -> Tensor:
    """Equation 4, on pictures in [-1, 1]."""
    return F.mse_loss(2 * fake, 2 * real)
