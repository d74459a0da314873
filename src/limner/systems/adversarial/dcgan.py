"""DCGAN: noise in, a picture out, by convolutions alone.

Radford, Metz and Chintala, "Unsupervised representation learning with deep convolutional generative adversarial
networks", ICLR 2016, arXiv:1511.06434, section 3 and figure 1; what it leaves open is as in Newmu/dcgan_code,
faces/train_uncond_dcgan.py: kernels of 5x5, weights that decay, the widths of the discriminator.
Differs from that code: normalisation keeps running statistics, by which a trained generator works; there a batch has
its own.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Literal, Self

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from limner.config import Config
from limner.data.labelled import Labelled
from limner.layers.game import Game
from limner.layers.upsampling import upsampling
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.losses.adversarial import GameConfig
from limner.ops.diff_augment import CHANGES, Change, diff_augment
from limner.ports import Port
from limner.types import Progress, Turn


class DCGANConfig(Config):
    """Figure 1, and its mirror image."""

    channels: int = Field(3, ge=1, description="of the pictures; the data tell")
    side: int = Field(64, ge=8, description="of the pictures, in pixels, 4 times a power of two; the data tell")
    latent_channels: int = Field(100, ge=1, description="of z, uniform in [-1, 1]")
    base_channels: int = Field(128, ge=1, description="at half the side; twice as many at each halving")
    kernel: Literal[4, 5] = Field(5, description="side of the kernels; one of 4 reaches all pixels equally often")
    upsampling: Literal["transposed", "resize"] = Field(
        "transposed", description="resize: nearest pixels, then a 3x3 convolution, against checkerboards"
    )
    slope: float = Field(0.2, ge=0, lt=1, description="of the discriminator's ReLU below 0")
    augment: tuple[Change, ...] = Field((), description="changes of what the discriminator sees, for few pictures")
    game: GameConfig = GameConfig()

    @property
    def num_doublings(self) -> int:
        """From 4 pixels to the side."""
        return int(math.log2(self.side / 4))

    @model_validator(mode="after")
    def _side_is_reached(self) -> Self:
        if self.side != 4 * 2**self.num_doublings:
            raise ValueError(
                f"side must be 4 times a power of two, got {self.side}: pass --set data.side=64, or a data.margin"
            )
        return self


DCGAN_2016 = DCGANConfig()
MODERN = DCGANConfig(base_channels=32, kernel=4, augment=CHANGES)  # ours

FIT_2016 = FitConfig(
    steps=25 * 350_000 // 128,  # 25 epochs of faces
    batch_size=128,
    optimizer=OptimizerConfig(learning_rate=2e-4, betas=(0.5, 0.999), weight_decay=1e-5),
)
FIT_MODERN = FitConfig(  # ours
    steps=20_000,
    batch_size=32,
    optimizer=OptimizerConfig(learning_rate=2e-4, betas=(0.5, 0.999)),
    precision="bfloat16",
    ema_decay=0.999,
)


class Generator(nn.Module):
    """Z to 4x4 pixels, then twice as large until the side is reached."""

    def __init__(self, config: DCGANConfig = DCGAN_2016) -> None:
        super().__init__()
        self.config = config
        widths = [config.base_channels * 2**number for number in reversed(range(config.num_doublings))]
        self.project = nn.Linear(config.latent_channels, 16 * widths[0], bias=False)
        self.norm = nn.BatchNorm1d(16 * widths[0])
        self.ups = nn.Sequential()
        for before, after in itertools.pairwise(widths):
            self.ups += nn.Sequential(_up(before, after, config), nn.BatchNorm2d(after), nn.ReLU())
        self.ups.append(_up(widths[-1], config.channels, config))
        self.apply(begin)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Z, in [0, 1) as all uniform noise."""
        return (Port("latent", "latent", self.config.latent_channels, uniform=True),)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of one size."""
        return (Port("picture", "photo", self.config.channels, scale=self.config.side),)

    def forward(self, latent: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Noise in [0, 1) -> pictures in [0, 1]."""
        x = F.relu(self.norm(self.project(2 * latent - 1))).unflatten(1, (-1, 4, 4))
        return (torch.tanh(self.ups(x)) + 1) / 2


class Discriminator(nn.Module):
    """Half as large until 4x4 pixels are left, then one linear layer."""

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        self.augment = config.augment
        widths = [config.base_channels * 2**number for number in range(config.num_doublings)]
        self.downs = nn.Sequential(_down(config.channels, widths[0], config.kernel), nn.LeakyReLU(config.slope))
        for before, after in itertools.pairwise(widths):
            normed = nn.BatchNorm2d(after)
            self.downs += nn.Sequential(_down(before, after, config.kernel), normed, nn.LeakyReLU(config.slope))
        self.last = nn.Linear(16 * widths[-1], 1, bias=False)
        self.apply(begin)

    def forward(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1"]:
        """Pictures in [0, 1], changed first -> logits, above 0 for what is taken for real."""
        return self.last(self.downs(diff_augment(2 * image - 1, self.augment)).flatten(1))


class DCGAN(Game):
    """The game of the two networks; `forward` is the generator alone."""

    def __init__(self, config: DCGANConfig = DCGAN_2016) -> None:
        super().__init__(Generator(config), Discriminator(config))
        self.config = config

    def turns(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Real and made pictures as batches of their own, for each is normalised by itself; classes do not count."""
        game = self.config.game

        def judge(image: Tensor) -> Tensor:
            logits: Tensor = self.discriminator(game.noisy(image, progress))
            return logits

        fake = self.generator(torch.rand(len(batch.image), self.config.latent_channels, device=batch.image.device))
        judged = judge(batch.image), judge(fake.detach())
        penalties = game.penalties(self.discriminator, batch.image, fake, progress)
        yield Turn("discriminator", {"adversarial": game.discriminator(*judged)} | penalties)
        yield Turn("generator", {"adversarial": game.generator(judge(fake))})


def _up(in_channels: int, out_channels: int, config: DCGANConfig) -> nn.Module:
    """(n, c, h, w) -> (n, d, 2h, 2w)."""
    if config.upsampling == "resize":
        return upsampling("resize", in_channels, out_channels)
    kernel, rest = config.kernel, config.kernel % 2
    return nn.ConvTranspose2d(in_channels, out_channels, kernel, 2, (kernel - 1) // 2, output_padding=rest, bias=False)


def _down(in_channels: int, out_channels: int, kernel: int) -> nn.Module:
    """(n, c, 2h, 2w) -> (n, d, h, w)."""
    return nn.Conv2d(in_channels, out_channels, kernel, 2, (kernel - 1) // 2, bias=False)


def begin(module: nn.Module) -> None:
    """Section 4: weights from N(0, 0.02); gains of the normalisation, as in the code, from N(1, 0.02)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
