"""Plain trainings of StyleGAN and BigGAN, as their ports to PyTorch are usually written.

Float32, channels first, torch's own Adam, a backward pass for each loss; a discriminator is frozen while the generator
moves. Both trainings have the networks of Limner, and draw the same noise.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.loops.fit import FitConfig
from limner.systems.adversarial import biggan, stylegan


class PlainStyleGAN:
    """The discriminator on real pictures, on fake ones and by lazy R1, each pass alone; then the generator."""

    def __init__(self, system: stylegan.StyleGAN, fit: FitConfig) -> None:
        self.system, self.steps = system.train(), 0
        self.of_discriminator, self.of_generator = adams(system.discriminator, system.generator, fit)

    def step(self, batch: Any) -> None:
        """One, of `Labelled` pictures; the generator has grown."""
        system, game = self.system, self.system.config.game
        real = 2 * batch.image - 1
        styles = system._mixed_styles(len(real), system.config.num_layers)
        fake = system.generator.synthesis(styles, torch.randn(len(real), system.config.noise_channels))
        self.of_discriminator.zero_grad()
        F.softplus(-system.discriminator(real)).mean().backward()
        F.softplus(system.discriminator(fake.detach())).mean().backward()
        if self.steps % game.penalty_every == 0:
            (game.penalty_every * game.r1 / 2 * self._r1(real)).backward()
        self.of_discriminator.step()
        system.discriminator.requires_grad_(False)
        self.of_generator.zero_grad()
        F.softplus(-system.discriminator(fake)).mean().backward()
        self.of_generator.step()
        system.discriminator.requires_grad_(True)
        self.steps += 1

    def _r1(self, real: Tensor) -> Tensor:
        place = real.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self.system.discriminator(place).sum(), place, create_graph=True)
        return gradient.square().sum((1, 2, 3)).mean()


class PlainBigGAN:
    """The discriminator's steps, each on real and fake pictures in one pass; then the generator."""

    def __init__(self, system: biggan.BigGAN, fit: FitConfig) -> None:
        self.system = system.train()
        self.of_discriminator, self.of_generator = adams(system.discriminator, system.generator, fit)

    def step(self, batch: Any) -> None:
        """One, of `Labelled` pictures: two of the discriminator and one of the generator."""
        system, config = self.system, self.system.config
        for image, label in zip(*(part.chunk(config.discriminator_steps) for part in batch), strict=True):
            with torch.no_grad():
                fake, asked = system._made(len(image), image.device)
            self.of_discriminator.zero_grad()
            real_logits, fake_logits = system.discriminator(torch.cat([image, fake]), torch.cat([label, asked])).chunk(
                2
            )
            (F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()).backward()
            self.of_discriminator.step()
        system.discriminator.requires_grad_(False)
        self.of_generator.zero_grad()
        fake, asked = system._made(len(batch.image) // config.discriminator_steps, batch.image.device)
        loss = -system.discriminator(fake, asked).mean()
        (loss + config.orthogonality * biggan.unorthogonality(system.generator)).backward()
        self.of_generator.step()
        system.discriminator.requires_grad_(True)


def adams(discriminator: nn.Module, generator: nn.Module, fit: FitConfig) -> tuple[torch.optim.Adam, torch.optim.Adam]:
    """An optimiser for each, with the rates of a training."""
    own = (fit.players.get("discriminator", fit.optimizer), discriminator), (fit.optimizer, generator)
    first, second = (torch.optim.Adam(one.parameters(), rate.learning_rate, rate.betas) for rate, one in own)
    return first, second
