"""The first GAN: noise in, a small picture out, by layers without neighbours.

Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, arXiv:1406.2661, section 5 and algorithm 1 with k = 1;
the sizes of its networks are those of goodfeli/adversarial, mnist.yaml, by which its digits were made.
Differs from that code: momentum stays at 0.5 (there it rises to 0.7), and the rate falls in a thousand steps, not in
every one.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float
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
from limner.ports import Port
from limner.types import Progress, Turn


class GANConfig(Config):
    """Two networks of two hidden layers each."""

    channels: int = Field(1, ge=1, description="of the pictures; the data tell")
    side: int = Field(28, ge=4, description="of the pictures, in pixels; the data tell")
    latent_channels: int = Field(100, ge=1, description="of z, normal")
    hidden_units: int = Field(1200, ge=1, description="of each of the generator's rectified layers")
    maxout_units: int = Field(240, ge=1, description="of each of the discriminator's layers")
    pieces: int = Field(5, ge=1, description="of which each of these takes the largest")
    input_dropout: float = Field(0.2, ge=0, lt=1, description="of what the discriminator sees")
    dropout: float = Field(0.5, ge=0, lt=1, description="of its hidden layers")
    generator_weights: float = Field(0.05, gt=0, description="which begin uniform up to this either way")
    discriminator_weights: float = Field(0.005, gt=0, description="which begin uniform up to this either way")
    game: GameConfig = GameConfig()


GAN_2014 = GANConfig()
MODERN = GANConfig(dropout=0.3)  # ours

FIT_2014 = falling_fit(1.000004)
FIT_MODERN = FitConfig(  # ours
    steps=30_000,
    batch_size=100,
    optimizer=OptimizerConfig(learning_rate=2e-4, betas=(0.5, 0.999)),
    ema_decay=0.999,
)


class Generator(nn.Module):
    """Two rectified layers, then the pixels."""

    def __init__(self, config: GANConfig = GAN_2014) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(config.latent_channels, config.hidden_units)
        self.second = nn.Linear(config.hidden_units, config.hidden_units)
        self.last = nn.Linear(config.hidden_units, config.channels * config.side**2)
        for layer in (self.first, self.second, self.last):
            _begin(layer, config.generator_weights)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Z."""
        return (Port("latent", "latent", self.config.latent_channels),)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of one size."""
        return (Port("picture", "photo", self.config.channels, scale=self.config.side),)

    def forward(self, latent: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Normal noise -> pictures in [0, 1]."""
        x = F.relu(self.second(F.relu(self.first(latent))))
        return torch.sigmoid(self.last(x)).unflatten(1, (self.config.channels, self.config.side, self.config.side))


class Discriminator(nn.Module):
    """Two maxout layers, then one logit."""

    def __init__(self, config: GANConfig) -> None:
        super().__init__()
        first = Maxout(config.channels * config.side**2, config.maxout_units, config.pieces)
        second = Maxout(config.maxout_units, config.maxout_units, config.pieces)
        last = nn.Linear(config.maxout_units, 1)
        for layer in (first.linear, second.linear, last):
            _begin(layer, config.discriminator_weights)
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(config.input_dropout),
            first,
            nn.Dropout(config.dropout),
            second,
            nn.Dropout(config.dropout),
            last,
        )

    def forward(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1"]:
        """Pictures in [0, 1] -> logits, above 0 for what is taken for real."""
        logits: Tensor = self.layers(image)
        return logits


class GAN(Game):
    """The game of the two networks; `forward` is the generator alone."""

    def __init__(self, config: GANConfig = GAN_2014) -> None:
        super().__init__(Generator(config), Discriminator(config))
        self.config = config

    def turns(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Equation 1, the generator by the loss of section 3 that does not saturate; classes do not count."""
        game = self.config.game

        def judge(image: Tensor) -> Tensor:
            logits: Tensor = self.discriminator(game.noisy(image, progress))
            return logits

        fake = self.generator(torch.randn(len(batch.image), self.config.latent_channels, device=batch.image.device))
        judged = judge(batch.image), judge(fake.detach())
        penalties = game.penalties(self.discriminator, batch.image, fake, progress)
        yield Turn("discriminator", {"adversarial": game.discriminator(*judged)} | penalties)
        yield Turn("generator", {"adversarial": game.generator(judge(fake))})


def _begin(layer: nn.Linear, most: float) -> None:
    """Weights uniform up to `most` either way; no biases."""
    nn.init.uniform_(layer.weight, -most, most)
    nn.init.zeros_(layer.bias)
