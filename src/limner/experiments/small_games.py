"""What the experiments on games do alike: a generator and a discriminator of any shape, and a short training."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit, FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.losses.adversarial import GameConfig, GameKind
from limner.types import Progress, Turn

GAMES: Mapping[str, GameKind] = {
    "minimax": "minimax",
    "non-saturating": "non_saturating",
    "least squares": "least_squares",
    "hinge": "hinge",
    "WGAN-GP": "wasserstein",
}
"""The losses of the table in `losses/adversarial.py`, as papers call them."""


class Real(NamedTuple):
    """A batch of what the generator is to make."""

    sample: Tensor


Draw = Callable[[torch.Generator], Tensor]
"""A batch of real samples, all chance from the generator of random numbers."""


class SmallGame(nn.Module):
    """Two networks, and which game they play.

    Args of the constructor:
        generator: From normal noise (n, z) to samples.
        discriminator: From samples to logits (n, 1).
        latent_channels: z.
        game: Which losses.
        lead: Moves of the discriminator before each of the generator.
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, latent_channels: int, game: GameConfig, *, lead: int = 1
    ) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.latent_channels, self.game, self.lead = latent_channels, game, lead

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """Two."""
        return {"discriminator": self.discriminator, "generator": self.generator}

    def made(self, number: int) -> Tensor:
        """So many samples of chance."""
        return self.generator(torch.randn(number, self.latent_channels))

    def turns(self, batch: Real, progress: Progress) -> Iterator[Turn]:
        """Algorithm 1 of Goodfellow et al. 2014, k of it being `lead`; each move has fakes of its own."""
        fake = self.made(len(batch.sample))
        for move in range(self.lead):
            if move:
                fake = self.made(len(batch.sample))
            judged = self.discriminator(batch.sample), self.discriminator(fake.detach())
            penalties = self.game.penalties(self.discriminator, batch.sample, fake, progress)
            yield Turn("discriminator", {"adversarial": self.game.discriminator(*judged)} | penalties)
        yield Turn("generator", {"adversarial": self.game.generator(self.discriminator(fake))})


def game_of(name: str, *, penalty: float) -> GameConfig:
    """One of `GAMES`; WGAN-GP has the gradient penalty, which the others go without."""
    kind = GAMES[name]
    return GameConfig(kind=kind, gradient_penalty=penalty if kind == "wasserstein" else 0.0)


def played(
    build: Callable[[], SmallGame],
    draw: Draw,
    *,
    steps: int,
    learning_rate: float,
    seed: int,
    look: Callable[[int, SmallGame], None] = lambda step, game: None,
) -> SmallGame:
    """Train a new game by Adam; all that is random depends on the seed.

    Args:
        build: Of fresh networks.
        draw: Real samples.
        steps: Moves of the generator.
        learning_rate: Of either player.
        seed: Of weights, samples and noise.
        look: Called before each step; what it draws does not change the training.
    """
    seed_everything(seed)
    optimizer = OptimizerConfig(learning_rate=learning_rate, betas=(0.5, 0.999))
    game, rng = build(), torch.Generator().manual_seed(seed)
    training = Fit(game, FitConfig(steps=steps, optimizer=optimizer, seed=seed))
    for step in range(steps):
        with torch.random.fork_rng():
            look(step, game)
        training.step([Real(draw(rng))])
    return game.eval()
