"""What only this paper has: the class in noise and in the judgement, and L_S and L_C."""

import itertools
import math

import pytest
import torch
from torch import nn

from limner.data.labelled import Labelled
from limner.errors import LimnerError
from limner.losses.adversarial import GameConfig
from limner.systems.adversarial.acgan import ACGAN, ACGANConfig, Discriminator, Generator, Judged
from limner.types import Progress

SMALL = ACGANConfig(
    num_classes=3, channels=1, side=8, latent_channels=5, widths=(8, 4), discriminator_widths=(4, 6), dropout=0
)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_layers_of_appendix_a() -> None:
    """110 -> 384x4x4, then 5x5 kernels 192, 96, 3; 3x3 kernels 16, 32, 64, 128, 256, 512 on 4x4 pixels in the end."""
    generator = 111 * 384 * 16 + 25 * (384 * 192 + 192 * 96 + 96 * 3) + (192 + 96 + 3) + 2 * (192 + 96)
    widths = (3, 16, 32, 64, 128, 256, 512)
    convolutions = sum(9 * a * b + b for a, b in itertools.pairwise(widths))
    discriminator = convolutions + 2 * sum(widths[2:]) + (512 * 16 + 1) * (1 + 10)
    assert count(Generator()) == generator
    assert count(Discriminator(ACGANConfig())) == discriminator


def test_pictures_hang_on_noise_and_class() -> None:
    generator = Generator(SMALL).eval()
    latent, label = torch.randn(2, 5), torch.tensor([0, 2])
    made = generator(latent, label)
    assert made.shape == (2, 1, 8, 8)
    assert 0 <= made.min() < made.max() <= 1
    other = generator(latent, torch.tensor([1, 2]))
    assert torch.equal(made[1], other[1])
    assert not torch.equal(made[0], other[0])


class Fixed(nn.Module):
    """A discriminator of known chances: it takes bright pictures for real and for class 0."""

    def forward(self, image: torch.Tensor) -> Judged:
        bright = (image.mean((1, 2, 3)) > 0.9).float()[:, None]
        source = math.log(3) * (2 * bright - 1)  # 3/4 or 1/4
        classes = torch.cat([math.log(2) * bright, torch.zeros(len(image), 2)], 1)  # 1/2, 1/4, 1/4 or thirds
        return Judged(source, classes)


def test_l_s_and_l_c_by_hand() -> None:
    """Real ones: bright, of class 0. Fakes: gray, asked for class 0."""
    system = ACGAN(SMALL.model_copy(update={"class_weight": 2.0}))
    system.discriminator = Fixed()
    batch = Labelled(torch.ones(4, 1, 8, 8), torch.zeros(4, dtype=torch.int64))
    first, second = system.turns(batch, Progress())
    assert first.losses["source"].item() == pytest.approx(-math.log(3 / 4) - math.log(3 / 4))  # -L_S
    assert first.losses["class"].item() == pytest.approx(2 * (-math.log(1 / 2) - math.log(1 / 3)))  # -L_C
    assert second.losses["source"].item() == pytest.approx(-math.log(1 / 4))
    assert second.losses["class"].item() == pytest.approx(2 * -math.log(1 / 3))


def test_the_papers_own_l_s_is_the_game_minimax() -> None:
    """The generator lowers L_S - L_C: of L_S, log(1 - D(fake)) is what it can change."""
    system = ACGAN(SMALL.model_copy(update={"game": GameConfig(kind="minimax")}))
    system.discriminator = Fixed()
    batch = Labelled(torch.ones(4, 1, 8, 8), torch.zeros(4, dtype=torch.int64))
    _, second = system.turns(batch, Progress())
    assert second.losses["source"].item() == pytest.approx(math.log(1 - 1 / 4))


def test_penalties_are_of_the_source_alone() -> None:
    system = ACGAN(SMALL.model_copy(update={"game": GameConfig(r1=2.0)}))
    batch = Labelled(torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 2, 0]))
    first, _ = system.turns(batch, Progress())
    image = batch.image.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(system.discriminator(image).source.sum(), image)
    assert first.losses["r1"].item() == pytest.approx(gradient.square().sum((1, 2, 3)).mean().item(), rel=1e-4)


def test_a_side_that_is_halved_to_nothing_whole_is_refused() -> None:
    with pytest.raises(LimnerError, match="side must be a multiple of 8, got 28"):
        ACGANConfig.parse({"side": 28})
