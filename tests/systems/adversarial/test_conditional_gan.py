"""What only this paper has: its layers, and the class in both networks."""

import torch

from limner.data.labelled import Labelled
from limner.losses.adversarial import GameConfig, discriminator_loss, generator_loss
from limner.systems.adversarial.conditional_gan import (
    FIT_2014,
    ConditionalGAN,
    ConditionalGANConfig,
    Discriminator,
    Generator,
)
from limner.types import Progress

SMALL = ConditionalGANConfig(num_classes=3, side=4, latent_channels=5, latent_units=6, class_units=7, joint_units=8)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_layers_of_section_4_1() -> None:
    """z: 100 to 200, y: 10 to 1000, both to 1200, to 784; maxout 240x5 of x, 50x5 of y, 240x4 of both, one logit."""
    generator = (100 + 1) * 200 + (10 + 1) * 1000 + (1200 + 1) * 1200 + (1200 + 1) * 784
    discriminator = (784 + 1) * 240 * 5 + (10 + 1) * 50 * 5 + (290 + 1) * 240 * 4 + 241
    assert count(Generator()) == generator
    assert count(Discriminator(ConditionalGANConfig())) == discriminator


def test_the_rate_falls_to_a_millionth() -> None:
    """0.1 divided by 1.00004 at each step; as a staircase, within a stair of it."""
    for share in (0.0, 0.25, 0.5, 0.999):
        step = int(share * FIT_2014.steps)
        rate = 0.1 * FIT_2014.schedule.factor_at(step, step / FIT_2014.steps)
        assert 0.999 < rate / (0.1 / 1.00004**step) < 1.0117
    assert abs(0.1 / 1.00004**FIT_2014.steps / 1e-6 - 1) < 1e-4


def test_pictures_hang_on_noise_and_class() -> None:
    generator = Generator(SMALL).eval()
    latent, label = torch.rand(2, 5), torch.tensor([0, 2])
    made = generator(latent, label)
    assert made.shape == (2, 1, 4, 4)
    assert 0 < made.min() < made.max() < 1
    assert not torch.equal(made, generator(latent, torch.tensor([1, 2])))
    assert torch.equal(made[1], generator(latent, torch.tensor([1, 2]))[1])
    assert not torch.equal(made, generator(latent.flip(0), label))


def test_ports_are_what_forward_takes_and_gives() -> None:
    system = ConditionalGAN(SMALL)
    given = [torch.zeros(port.shape(2, 1, 1), dtype=port.dtype) for port in system.inputs]
    assert system(*given).shape == system.outputs[0].shape(2, 1, 1)


def test_the_turns_are_the_game_of_equation_2() -> None:
    system = ConditionalGAN(SMALL).eval()  # without dropout
    batch = Labelled(torch.rand(4, 1, 4, 4), torch.tensor([0, 1, 2, 0]))
    torch.manual_seed(3)
    latent = torch.rand(4, 5)
    fake = system(latent, batch.label)
    torch.manual_seed(3)
    first, second = system.turns(batch, Progress())
    real_logits, fake_logits = system.discriminator(batch.image, batch.label), system.discriminator(fake, batch.label)
    assert (first.player, second.player) == ("discriminator", "generator")
    torch.testing.assert_close(first.total, discriminator_loss(real_logits, fake_logits))
    torch.testing.assert_close(second.total, generator_loss(fake_logits))
    wrong = system.discriminator(batch.image, batch.label.flip(0))
    assert not torch.allclose(real_logits, wrong)


def test_a_penalty_on_real_pictures_is_of_their_logits_with_their_classes() -> None:
    """By numbers: the logit a little to both sides of each pixel."""
    torch.manual_seed(0)
    config = SMALL.model_copy(update={"game": GameConfig(r1=3.0)})
    system = ConditionalGAN(config).eval()
    batch = Labelled(torch.rand(2, 1, 4, 4), torch.tensor([0, 2]))
    slopes = []
    for place in range(16):
        change = torch.zeros(1, 1, 4, 4)
        change.view(-1)[place] = 1e-3
        ends = [system.discriminator(batch.image + sign * change, batch.label) for sign in (1, -1)]
        slopes.append((ends[0] - ends[1]) / 2e-3)
    first, _ = system.turns(batch, Progress())
    torch.testing.assert_close(first.losses["r1"], 1.5 * torch.cat(slopes, 1).square().sum(1).mean(), rtol=1e-2, atol=0)


def test_what_is_judged_is_moved_where_pictures_are_few() -> None:
    discriminator = Discriminator(SMALL.model_copy(update={"side": 16, "augment": ("translation",)})).eval()
    image, label = torch.rand(1, 1, 16, 16), torch.tensor([0])
    assert len({discriminator(image, label).item() for _ in range(8)}) > 1
    plain = Discriminator(SMALL.model_copy(update={"side": 16})).eval()
    assert len({plain(image, label).item() for _ in range(8)}) == 1
