"""AC-GAN: a conditional generator whose discriminator also names the class of what it sees.

Odena, Olah and Shlens, "Conditional image synthesis with auxiliary classifier GANs", ICML 2017, arXiv:1610.09585,
section 3 and appendix A. The discriminator raises L_S + L_C, the generator L_C - L_S, where L_S is how likely both
sources are told (equation 2), and L_C how likely both classes are (equation 3).
Differs from the paper: the generator raises log D(fake), where -L_S asks it to lower log(1 - D(fake)); that is the game
`minimax`.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Literal, NamedTuple, Self

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from limner.config import Config
from limner.data.labelled import Labelled
from limner.layers.game import Game
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.losses.adversarial import GameConfig
from limner.ops.diff_augment import Change, diff_augment
from limner.ports import Port
from limner.types import Progress, Turn


class ACGANConfig(Config):
    """The two networks of appendix A for CIFAR-10."""

    num_classes: int = Field(10, ge=1, description="the data tell")
    channels: int = Field(3, ge=1, description="of the pictures; the data tell")
    side: int = Field(32, ge=8, description="of the pictures, in pixels, 8 times a number; the data tell")
    latent_channels: int = Field(100, ge=1, description="of z, normal; the class is beside it, one of all set to 1")
    widths: tuple[int, ...] = Field((384, 192, 96), min_length=1, description="of the generator, from its least map on")
    kernel: Literal[4, 5] = Field(5, description="side of its kernels; one of 4 reaches all pixels equally often")
    discriminator_widths: tuple[int, ...] = Field(
        (16, 32, 64, 128, 256, 512), min_length=1, description="of its layers, of which each second keeps the side"
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="after each layer of the discriminator")
    slope: float = Field(0.2, ge=0, lt=1, description="of its ReLU below 0")
    class_weight: float = Field(1.0, ge=0, description="of L_C")
    augment: tuple[Change, ...] = Field((), description="changes of what the discriminator sees, for few pictures")
    game: GameConfig = Field(GameConfig(), description="what L_S is")

    @property
    def least_side(self) -> int:
        """Of the generator's first map, in pixels."""
        return self.side // 2 ** len(self.widths)

    @model_validator(mode="after")
    def _side_is_reached(self) -> Self:
        multiple = 2 ** max(len(self.widths), math.ceil(len(self.discriminator_widths) / 2))
        if self.side % multiple:
            raise ValueError(f"side must be a multiple of {multiple}, got {self.side}: pass --set data.side=32")
        return self


ACGAN_2016 = ACGANConfig()
MODERN = ACGANConfig(  # ours
    widths=(256, 128, 64), kernel=4, discriminator_widths=(16, 32, 64, 128, 128, 256), dropout=0.25,
)  # fmt: skip

FIT_2016 = FitConfig(steps=50_000, batch_size=100, optimizer=OptimizerConfig(learning_rate=2e-4, betas=(0.5, 0.999)))
FIT_MODERN = FitConfig(  # ours
    steps=20_000,
    batch_size=50,
    optimizer=OptimizerConfig(learning_rate=2e-4, betas=(0.5, 0.999)),
    precision="bfloat16",
    ema_decay=0.999,
)


class Generator(nn.Module):
    """Z and the class to a small map, then twice as large until the side is reached."""

    def __init__(self, config: ACGANConfig = ACGAN_2016) -> None:
        super().__init__()
        self.config = config
        least = config.least_side
        self.project = nn.Linear(config.latent_channels + config.num_classes, config.widths[0] * least**2)
        self.shape = (config.widths[0], least, least)
        self.ups = nn.Sequential()
        for before, after in zip(config.widths, config.widths[1:], strict=False):
            self.ups += nn.Sequential(_up(before, after, config.kernel), nn.BatchNorm2d(after), nn.ReLU())
        self.ups.append(_up(config.widths[-1], config.channels, config.kernel))
        self.apply(_begin)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Z and the class."""
        return (Port("latent", "latent", self.config.latent_channels), Port("label", "class", self.config.num_classes))

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of one size."""
        return (Port("picture", "photo", self.config.channels, scale=self.config.side),)

    def forward(self, latent: Float[Tensor, "n z"], label: Int[Tensor, " n"]) -> Float[Tensor, "n c h w"]:
        """Normal noise and classes -> pictures in [0, 1]."""
        given = torch.cat([latent, F.one_hot(label, self.config.num_classes).to(latent.dtype)], 1)
        return (torch.tanh(self.ups(F.relu(self.project(given)).unflatten(1, self.shape))) + 1) / 2


class Judged(NamedTuple):
    """What a discriminator says of pictures."""

    source: Float[Tensor, "n 1"]
    """Logits, above 0 for what is taken for real."""
    classes: Float[Tensor, "n k"]
    """Logits of the classes."""


class Discriminator(nn.Module):
    """3x3 convolutions, strides 2 and 1 in turn, then two linear layers: the source and the class."""

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        self.augment = config.augment
        widths = (config.channels, *config.discriminator_widths)
        self.layers = nn.Sequential()
        for number, (before, after) in enumerate(itertools.pairwise(widths)):
            self.layers.append(nn.Conv2d(before, after, 3, stride=1 + (number + 1) % 2, padding=1))
            self.layers += nn.Sequential(*([nn.BatchNorm2d(after)] if number else []))
            self.layers += nn.Sequential(nn.LeakyReLU(config.slope), nn.Dropout(config.dropout))
        side = config.side // 2 ** math.ceil(len(config.discriminator_widths) / 2)
        self.source = nn.Linear(widths[-1] * side**2, 1)
        self.classes = nn.Linear(widths[-1] * side**2, config.num_classes)
        self.apply(_begin)

    def forward(self, image: Float[Tensor, "n c h w"]) -> Judged:
        """Pictures in [0, 1], changed first."""
        seen = self.layers(diff_augment(2 * image - 1, self.augment)).flatten(1)
        return Judged(self.source(seen), self.classes(seen))


class ACGAN(Game):
    """The game of the two networks; `forward` is the generator alone."""

    def __init__(self, config: ACGANConfig = ACGAN_2016) -> None:
        super().__init__(Generator(config), Discriminator(config))
        self.config = config

    def turns(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Section 3, signs turned; fakes have the classes of the real ones."""
        game = self.config.game

        def judge(image: Tensor) -> Judged:
            judged: Judged = self.discriminator(game.noisy(image, progress))
            return judged

        latent = torch.randn(len(batch.label), self.config.latent_channels, device=batch.image.device)
        fake = self.generator(latent, batch.label)
        real, made = judge(batch.image), judge(fake.detach())
        penalties = game.penalties(lambda image: self.discriminator(image).source, batch.image, fake, progress)
        source = game.discriminator(real.source, made.source)
        yield Turn("discriminator", {"source": source, "class": self._class_loss(batch.label, real, made)} | penalties)
        made = judge(fake)
        source = game.generator(made.source)
        yield Turn("generator", {"source": source, "class": self._class_loss(batch.label, made)})

    def _class_loss(self, label: Int[Tensor, " n"], *judged: Judged) -> Float[Tensor, ""]:
        """-L_C of equation 3: -log P(C = c), its mean over each kind of picture, summed over the kinds."""
        losses = [F.cross_entropy(one.classes.float(), label) for one in judged]
        return self.config.class_weight * torch.stack(losses).sum()


def _up(in_channels: int, out_channels: int, kernel: int) -> nn.Module:
    """(n, c, h, w) -> (n, d, 2h, 2w)."""
    return nn.ConvTranspose2d(in_channels, out_channels, kernel, 2, (kernel - 1) // 2, output_padding=kernel % 2)


def _begin(module: nn.Module) -> None:
    """Appendix A: weights from N(0, 0.02), no biases."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
        assert module.bias is not None
        nn.init.zeros_(module.bias)
