"""Conditional GAN: noise and a class in, a small picture of that class out.

Mirza and Osindero, "Conditional generative adversarial nets", 2014, arXiv:1411.1784, section 4.1.
Differs from the paper: momentum stays at 0.5 (there it rises to 0.7), and the rate falls in a thousand steps, not in
every one. The paper's layers for 28x28 serve every size.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.labelled import Labelled
from limner.layers.game import Game
from limner.layers.maxout import Maxout
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.loops.presets import falling_fit
from limner.losses.adversarial import GameConfig
from limner.ops.diff_augment import Change, diff_augment
from limner.ports import Port
from limner.types import Progress, Turn


class ConditionalGANConfig(Config):
    """The two networks of section 4.1."""

    num_classes: int = Field(10, ge=1, description="of y; the data tell")
    channels: int = Field(1, ge=1, description="of the pictures; the data tell")
    side: int = Field(28, ge=4, description="of the pictures, in pixels; the data tell")
    latent_channels: int = Field(100, ge=1, description="of z, uniform in the unit cube")
    latent_units: int = Field(200, ge=1, description="that z is mapped to")
    class_units: int = Field(1000, ge=1, description="that y is mapped to")
    joint_units: int = Field(1200, ge=1, description="of the generator's second layer")
    dropout: float = Field(0.5, ge=0, lt=1, description="of hidden layers, in training")
    augment: tuple[Change, ...] = Field((), description="changes of what the discriminator sees, for few pictures")
    game: GameConfig = GameConfig()


CONDITIONAL_GAN_2014 = ConditionalGANConfig()
MODERN = ConditionalGANConfig(  # ours: with few units for z all pictures of a class are soon alike
    latent_channels=32, latent_units=1000, class_units=200, dropout=0.0, game=GameConfig(r1=1.0, penalty_every=4)
)

FIT_2014 = falling_fit(1.00004)
FIT_MODERN = FitConfig(  # ours
    steps=30_000,
    batch_size=100,
    optimizer=OptimizerConfig(kind="adam", learning_rate=2e-4, betas=(0.5, 0.999)),
    ema_decay=0.999,
)


class Generator(nn.Module):
    """z and y, each through a layer of its own, then a joint one."""

    def __init__(self, config: ConditionalGANConfig = CONDITIONAL_GAN_2014) -> None:
        super().__init__()
        self.config = config
        self.latent = nn.Linear(config.latent_channels, config.latent_units)
        self.label = nn.Linear(config.num_classes, config.class_units)
        self.joint = nn.Linear(config.latent_units + config.class_units, config.joint_units)
        self.last = nn.Linear(config.joint_units, config.channels * config.side**2)
        self.dropout = nn.Dropout(config.dropout)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Z and y."""
        return (
            Port("latent", "latent", self.config.latent_channels, uniform=True),
            Port("label", "class", self.config.num_classes),
        )

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of one size."""
        return (Port("picture", "photo", self.config.channels, scale=self.config.side),)

    def forward(self, latent: Float[Tensor, "n z"], label: Int[Tensor, " n"]) -> Float[Tensor, "n c h w"]:
        """Noise in [0, 1) and classes -> pictures in [0, 1]."""
        z = self.dropout(F.relu(self.latent(latent)))
        y = self.dropout(F.relu(self.label(_one_hot(label, self.config.num_classes))))
        joint = self.dropout(F.relu(self.joint(torch.cat([z, y], 1))))
        return torch.sigmoid(self.last(joint)).unflatten(1, (self.config.channels, self.config.side, self.config.side))


class Discriminator(nn.Module):
    """A picture and y, each through a maxout layer of its own, then a joint one."""

    def __init__(self, config: ConditionalGANConfig) -> None:
        super().__init__()
        self.num_classes, self.augment = config.num_classes, config.augment
        self.image = Maxout(config.channels * config.side**2, 240, 5)
        self.label = Maxout(config.num_classes, 50, 5)
        self.joint = Maxout(240 + 50, 240, 4)
        self.last = nn.Linear(240, 1)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, image: Float[Tensor, "n c h w"], label: Int[Tensor, " n"]) -> Float[Tensor, "n 1"]:
        """Pictures in [0, 1] and classes -> logits, above 0 for what is taken for real."""
        if self.augment:
            image = (diff_augment(2 * image - 1, self.augment) + 1) / 2
        x = self.dropout(self.image(image.flatten(1)))
        y = self.dropout(self.label(_one_hot(label, self.num_classes)))
        return self.last(self.dropout(self.joint(torch.cat([x, y], 1))))


class ConditionalGAN(Game):
    """The game of the two networks; `forward` is the generator alone."""

    def __init__(self, config: ConditionalGANConfig = CONDITIONAL_GAN_2014) -> None:
        super().__init__(Generator(config), Discriminator(config))
        self.config = config

    def turns(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Equation 2, the generator by the loss that does not saturate; fakes have the classes of the real ones."""
        game = self.config.game

        def judge(image: Tensor) -> Tensor:
            logits: Tensor = self.discriminator(game.noisy(image, progress), batch.label)
            return logits

        latent = torch.rand(len(batch.label), self.config.latent_channels, device=batch.image.device)
        fake = self.generator(latent, batch.label)
        penalties = game.penalties(judge, batch.image, fake, progress)
        adversarial = game.discriminator(judge(batch.image), judge(fake.detach()))
        yield Turn("discriminator", {"adversarial": adversarial} | penalties)
        yield Turn("generator", {"adversarial": game.generator(judge(fake))})


def _one_hot(label: Int[Tensor, " n"], num_classes: int) -> Float[Tensor, "n k"]:
    return F.one_hot(label, num_classes).float()
