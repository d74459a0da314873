"""LAPGAN: a small picture from noise, then what each doubling of its side lacks, by a GAN for each level.

Denton, Chintala, Szlam and Fergus, "Deep generative image models using a Laplacian pyramid of adversarial networks",
NeurIPS 2015, arXiv:1506.05751, sections 3 and 4; what it leaves open is as in facebookarchive/eyescream.
Differs from that code: the rate and the momentum stay as they are at the start. All levels take their turns in one
step, which is the same as training one after another, for none sees what another makes. With classes, each level is
given a plane that a linear layer makes of the class (section 4.1), and the coarsest one the class itself.
"""

import math
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple, Self

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
from limner.losses.adversarial import Discriminate, GameConfig
from limner.ports import Port
from limner.types import Progress, Turn


class LAPGANConfig(Config):
    """Section 4.1: the networks for CIFAR-10."""

    channels: int = Field(3, ge=1, description="of the pictures; the data tell")
    side: int = Field(32, ge=8, description="of the pictures, in pixels; the data tell")
    num_classes: int = Field(0, ge=0, description="0: pictures of no class; labelled data tell")
    coarsest: int = Field(8, ge=2, description="side of the picture that noise alone makes, in pixels")
    latent_channels: int = Field(100, ge=1, description="of the noise of that picture, uniform in [-1, 1]")
    hidden_units: int = Field(1200, ge=1, description="of the two layers that make it, and of those that judge it")
    num_channels: int = Field(64, ge=1, description="of the convolutions that make and judge differences")
    dropout: float = Field(0.5, ge=0, lt=1, description="before the last layer of each discriminator")
    game: GameConfig = GameConfig()

    @property
    def sides(self) -> tuple[int, ...]:
        """Of the pictures that differences are added to give, from the smallest on."""
        doublings = int(math.log2(self.side / self.coarsest))
        return tuple(self.coarsest * 2 ** (number + 1) for number in range(doublings))

    @property
    def num_drawn(self) -> int:
        """All that is drawn for a picture: the coarsest latent, and a plane of noise for each doubling."""
        return self.latent_channels + sum(side**2 for side in self.sides)

    @model_validator(mode="after")
    def _side_is_reached(self) -> Self:
        if self.side < 2 * self.coarsest or self.sides[-1] != self.side:
            raise ValueError(
                f"side must be {self.coarsest} doubled once or more, got {self.side}: pass --set coarsest=N, "
                "or another data.side"
            )
        return self


LAPGAN_2015 = LAPGANConfig()
CLASS_LAPGAN_2015 = LAPGANConfig(num_classes=10)
MODERN = LAPGANConfig(hidden_units=400, num_channels=48, dropout=0.25)  # ours
CLASS_MODERN = MODERN.model_copy(update={"num_classes": 10})

FIT_2015 = FitConfig(
    steps=100_000, batch_size=128, optimizer=OptimizerConfig(kind="sgd", learning_rate=0.02, momentum=0.5)
)
FIT_MODERN = FitConfig(  # ours
    steps=20_000,
    batch_size=32,
    optimizer=OptimizerConfig(learning_rate=2e-4, betas=(0.5, 0.999)),
    precision="bfloat16",
    ema_decay=0.999,
)


class Level(NamedTuple):
    """A picture taken apart: a blurred one of the same side, and what it lacks."""

    coarse: Float[Tensor, "n c h w"]
    difference: Float[Tensor, "n c h w"]


def halved(image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c a b"]:
    """D of section 2.2: means of 2x2 pixels."""
    return F.avg_pool2d(image, 2)


def doubled(image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c a b"]:
    """U of section 2.2: smooth, as large again."""
    return F.interpolate(image, scale_factor=2.0, mode="bilinear")


def taken_apart(image: Float[Tensor, "n c h w"], levels: int) -> tuple[Tensor, list[Level]]:
    """The coarsest picture, and the levels from the smallest on (equation 3): I = doubled(halved(I)) + h."""
    found: list[Level] = []
    for _ in range(levels):
        small = halved(image)
        coarse = doubled(small)
        found.insert(0, Level(coarse, image - coarse))
        image = small
    return image, found


class Generator(nn.Module):
    """All levels: `forward` samples coarse to fine (equation 6)."""

    def __init__(self, config: LAPGANConfig = LAPGAN_2015) -> None:
        super().__init__()
        self.config = config
        shape = (config.channels, config.coarsest, config.coarsest)
        self.coarsest = nn.Sequential(
            nn.Linear(config.latent_channels + config.num_classes, config.hidden_units),
            nn.ReLU(),
            nn.Linear(config.hidden_units, config.hidden_units),
            nn.ReLU(),
            nn.Linear(config.hidden_units, math.prod(shape)),
            nn.Unflatten(1, shape),
            nn.Tanh(),
        )
        self.levels = nn.ModuleList(_differences(config) for _ in config.sides)
        self.planes = _planes(config)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """All noise of a picture, in [0, 1): that of the coarsest, then a plane for each level; and a class."""
        known = [Port("label", "class", self.config.num_classes)] if self.config.num_classes else []
        return (Port("latent", "latent", self.config.num_drawn, uniform=True), *known)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of one size."""
        return (Port("picture", "photo", self.config.channels, scale=self.config.side),)

    def forward(self, latent: Float[Tensor, "n z"], label: Int[Tensor, " n"] | None = None) -> Float[Tensor, "n c h w"]:
        """Noise in [0, 1), classes -> pictures, in [0, 1] but for small differences that lead beyond."""
        first, *planes = (2 * latent - 1).split([self.config.latent_channels, *(s**2 for s in self.config.sides)], 1)
        classes = one_hot(label, self.config.num_classes)
        image = self.small(first, classes)
        for level, (side, plane) in enumerate(zip(self.config.sides, planes, strict=True)):
            coarse = doubled(image)
            image = coarse + self.difference(level, coarse, plane.unflatten(1, (1, side, side)), classes)
        return (image + 1) / 2

    def small(self, latent: Float[Tensor, "n z"], classes: Float[Tensor, "n k"] | None) -> Float[Tensor, "n c h w"]:
        """The coarsest picture in [-1, 1], from noise in [-1, 1] and the classes, one of all set to 1."""
        made: Tensor = self.coarsest(latent if classes is None else torch.cat([latent, classes], 1))
        return made

    def difference(
        self,
        level: int,
        coarse: Float[Tensor, "n c h w"],
        noise: Float[Tensor, "n 1 h w"],
        classes: Float[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """What a level adds to a blurred picture in [-1, 1], from it, a plane of noise in [-1, 1] and the classes."""
        known = [] if classes is None else [self.planes[level](classes)]
        made: Tensor = self.levels[level](torch.cat([coarse, noise, *known], 1))
        return made


class Discriminator(nn.Module):
    """One for the coarsest picture, and one for each level, which sees the blurred picture with what is added to it."""

    def __init__(self, config: LAPGANConfig) -> None:
        super().__init__()
        self.coarsest = nn.Sequential(
            nn.Flatten(),
            nn.Linear(config.channels * config.coarsest**2 + config.num_classes, config.hidden_units),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden_units, config.hidden_units),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden_units, 1),
        )
        self.levels = nn.ModuleList(_judging(config, side) for side in config.sides)
        self.planes = _planes(config)

    def small(self, image: Float[Tensor, "n c h w"], classes: Float[Tensor, "n k"] | None) -> Float[Tensor, "n 1"]:
        """The logits of coarsest pictures in [-1, 1], beside their classes."""
        given = [image.flatten(1), *([] if classes is None else [classes])]
        logits: Tensor = self.coarsest(torch.cat(given, 1))
        return logits

    def forward(
        self,
        difference: Float[Tensor, "n c h w"],
        coarse: Float[Tensor, "n c h w"],
        level: int,
        classes: Float[Tensor, "n k"] | None = None,
    ) -> Tensor:
        """The logits of a level's differences, in [-1, 1]: section 3.1 adds the blurred picture to them."""
        known = [] if classes is None else [self.planes[level](classes)]
        logits: Tensor = self.levels[level](torch.cat([coarse + difference, *known], 1))
        return logits


class Part(NamedTuple):
    """One of the games: who judges, and what."""

    name: str
    judge: Discriminate
    real: Tensor
    fake: Tensor


class LAPGAN(Game):
    """The games of all levels; `forward` is the generator alone."""

    generator: Generator
    discriminator: Discriminator

    def __init__(self, config: LAPGANConfig = LAPGAN_2015) -> None:
        super().__init__(Generator(config), Discriminator(config))
        self.config = config

    def turns(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Figure 2: the losses of all levels; fakes have the classes of the real ones, where these count."""
        game, losses = self.config.game, dict[str, Tensor]()
        parts = self._parts(batch.image, one_hot(batch.label, self.config.num_classes))
        for name, judge, real, fake in parts:
            judged = judge(game.noisy(real, progress)), judge(game.noisy(fake.detach(), progress))
            losses[name] = game.discriminator(*judged)
            penalties = game.penalties(judge, real, fake, progress)
            losses |= {f"{name}_{penalty}": loss for penalty, loss in penalties.items()}
        yield Turn("discriminator", losses)
        yield Turn("generator", {one.name: game.generator(one.judge(game.noisy(one.fake, progress))) for one in parts})

    def _parts(self, image: Float[Tensor, "n c h w"], classes: Float[Tensor, "n k"] | None) -> list[Part]:
        """Each level is given the blurred real picture of its side."""
        smallest, levels = taken_apart(2 * image - 1, len(self.config.sides))
        latent = 2 * torch.rand(len(image), self.config.latent_channels).to(image) - 1
        judge: Discriminate = partial(self.discriminator.small, classes=classes)
        parts = [Part("coarsest", judge, smallest, self.generator.small(latent, classes))]
        for number, (coarse, difference) in enumerate(levels):
            fake = self.generator.difference(number, coarse, _plane(coarse), classes)
            judge = partial(self.discriminator, coarse=coarse, level=number, classes=classes)
            parts.append(Part(f"side_{coarse.shape[-1]}", judge, difference, fake))
        return parts


def one_hot(label: Int[Tensor, " n"] | None, num_classes: int) -> Float[Tensor, "n k"] | None:
    """Classes, one of all set to 1; None where there are none."""
    return F.one_hot(label, num_classes).float() if label is not None and num_classes else None


def _planes(config: LAPGANConfig) -> nn.ModuleList:
    """Section 4.1: the class through a linear layer to a plane of each level."""
    if not config.num_classes:
        return nn.ModuleList()
    return nn.ModuleList(
        nn.Sequential(nn.Linear(config.num_classes, side**2), nn.Unflatten(1, (1, side, side))) for side in config.sides
    )


def _plane(like: Tensor) -> Tensor:
    """Noise in [-1, 1]."""
    return 2 * torch.rand(len(like), 1, *like.shape[-2:]).to(like) - 1


def _differences(config: LAPGANConfig) -> nn.Module:
    """Section 4.1: 7x7, 7x7 and 5x5, the last one linear."""
    width = config.num_channels
    return nn.Sequential(
        nn.Conv2d(config.channels + 1 + bool(config.num_classes), width, 7, padding=3),
        nn.ReLU(),
        nn.Conv2d(width, width, 7, padding=3),
        nn.ReLU(),
        nn.Conv2d(width, config.channels, 5, padding=2),
    )


def _judging(config: LAPGANConfig, side: int) -> nn.Module:
    """Section 4.1: 5x5 and 5x5 of stride 2, then one logit."""
    width = config.num_channels
    return nn.Sequential(
        nn.Conv2d(config.channels + bool(config.num_classes), width, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(width, width, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(config.dropout),
        nn.Linear(width * (side // 2) ** 2, 1),
    )
