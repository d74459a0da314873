"""What only this paper has: its layers, its noise, how it is trained."""

import pytest
import torch
from torch import nn

from limner.data.labelled import Labelled
from limner.losses.adversarial import GameConfig, discriminator_loss, generator_loss
from limner.systems.adversarial.gan import FIT_2014, GAN, GAN_2014, Discriminator, GANConfig, Generator
from limner.types import Progress

SMALL = GANConfig(side=4, latent_channels=5, hidden_units=6, maxout_units=7, input_dropout=0, dropout=0)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_layers_of_the_code() -> None:
    """100 to 1200 to 1200 to 784; 784 to 240x5 to 240x5 to one logit."""
    assert count(Generator()) == 101 * 1200 + 1201 * 1200 + 1201 * 784
    assert count(Discriminator(GAN_2014)) == 785 * 1200 + 241 * 1200 + 241


def test_the_rate_falls_to_a_millionth() -> None:
    """0.1 divided by 1.000004 at each step; as a staircase, within a stair of it."""
    for share in (0.0, 0.25, 0.5, 0.999):
        step = int(share * FIT_2014.steps)
        rate = 0.1 * FIT_2014.schedule.factor_at(step, step / FIT_2014.steps)
        assert 0.999 < rate / (0.1 / 1.000004**step) < 1.0117


def test_pictures_hang_on_noise() -> None:
    generator = Generator(SMALL)
    made = generator(torch.randn(2, 5))
    assert made.shape == (2, 1, 4, 4)
    assert 0 < made.min() < made.max() < 1
    assert not torch.equal(made[0], made[1])


@pytest.mark.parametrize("kind", ["minimax", "non_saturating"])
def test_the_turns_are_the_game_of_equation_1(kind: str) -> None:
    system = GAN(SMALL.model_copy(update={"game": GameConfig(kind=kind)}))
    batch = Labelled(torch.rand(4, 1, 4, 4), torch.zeros(4, dtype=torch.int64))
    torch.manual_seed(3)
    fake = system(torch.randn(4, 5))
    torch.manual_seed(3)
    first, second = system.turns(batch, Progress())
    real_logits, fake_logits = system.discriminator(batch.image), system.discriminator(fake)
    assert (first.player, second.player) == ("discriminator", "generator")
    torch.testing.assert_close(first.total, discriminator_loss(real_logits, fake_logits, kind))
    torch.testing.assert_close(second.total, generator_loss(fake_logits, kind))
