"""What only this paper has: the pyramid, a game for each of its levels, and sampling from coarse to fine."""

import pytest
import torch
from torch import nn

from limner.data.labelled import Labelled
from limner.errors import LimnerError
from limner.losses.adversarial import GameConfig, discriminator_loss, generator_loss
from limner.systems.adversarial.lapgan import (
    LAPGAN,
    LAPGAN_2015,
    MODERN,
    LAPGANConfig,
    doubled,
    taken_apart,
)
from limner.types import Progress

SMALL = LAPGANConfig(channels=1, side=16, coarsest=4, latent_channels=5, hidden_units=6, num_channels=3, dropout=0)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_layers_of_section_4_1() -> None:
    """At a level: 7x7, 7x7, 5x5 with 64 planes from colours and one of noise; judged by 5x5, 5x5, one logit."""
    system = LAPGAN(LAPGAN_2015)
    made = 49 * 4 * 64 + 64 + 49 * 64 * 64 + 64 + 25 * 64 * 3 + 3
    judged = 25 * 3 * 64 + 64 + 25 * 64 * 64 + 64
    assert [count(level) for level in system.generator.levels] == [made, made]
    assert [count(level) for level in system.discriminator.levels] == [
        judged + 64 * (side // 2) ** 2 + 1 for side in (16, 32)
    ]
    assert LAPGAN_2015.num_drawn == 100 + 16**2 + 32**2


def test_a_picture_is_its_coarsest_one_and_what_each_level_lacks() -> None:
    """Equation 5: doubling and adding gives it back; the coarsest is the means of squares."""
    image = torch.rand(2, 3, 16, 16, dtype=torch.float64)
    smallest, levels = taken_apart(image, 2)
    torch.testing.assert_close(smallest, image.unfold(2, 4, 4).unfold(3, 4, 4).mean((-1, -2)))
    back = smallest
    for level in levels:
        torch.testing.assert_close(level.coarse[..., 0, 0], doubled(back)[..., 0, 0])
        back = doubled(back) + level.difference
    torch.testing.assert_close(back, image)


def test_sampling_goes_from_coarse_to_fine() -> None:
    system = LAPGAN(SMALL).eval()
    latent = torch.rand(3, SMALL.num_drawn)
    noise = 2 * latent - 1
    image = system.generator.coarsest(noise[:, :5])
    for level, (first, side) in enumerate([(5, 8), (5 + 64, 16)]):
        coarse = doubled(image)
        plane = noise[:, first : first + side**2].reshape(3, 1, side, side)
        image = coarse + system.generator.difference(level, coarse, plane)
    torch.testing.assert_close(system(latent), (image + 1) / 2)
    assert system(latent).shape == (3, 1, 16, 16)


CLASSES = SMALL.model_copy(update={"num_classes": 3})


def test_classes_are_a_plane_for_each_level_and_stand_beside_the_noise() -> None:
    """Section 4.1, by hand: a linear layer's plane is one more channel of either network."""
    system = LAPGAN(CLASSES).eval()
    assert [(port.name, port.kind) for port in system.inputs] == [("latent", "latent"), ("label", "class")]
    latent, label = torch.rand(3, SMALL.num_drawn), torch.tensor([2, 0, 1])
    classes, noise = torch.eye(3)[label], 2 * latent - 1
    image = system.generator.coarsest(torch.cat([noise[:, :5], classes], 1))
    for level, (first, side) in enumerate([(5, 8), (5 + 64, 16)]):
        coarse, linear = doubled(image), system.generator.planes[level][0]  # type: ignore[index]
        shown = (classes @ linear.weight.T + linear.bias).view(3, 1, side, side)
        plane = noise[:, first : first + side**2].reshape(3, 1, side, side)
        image = coarse + system.generator.levels[level](torch.cat([coarse, plane, shown], 1))
    torch.testing.assert_close(system(latent, label), (image + 1) / 2)
    assert not torch.equal(system(latent, label), system(latent, label.flip(0)))


def test_every_discriminator_is_told_the_class() -> None:
    system, image = LAPGAN(CLASSES).eval(), torch.rand(1, 1, 16, 16)
    one, other = torch.eye(3)[:1], torch.eye(3)[1:2]
    small, levels = taken_apart(2 * image - 1, 2)
    assert not torch.equal(system.discriminator.small(small, one), system.discriminator.small(small, other))
    for number, level in enumerate(levels):
        judged = [system.discriminator(level.difference, level.coarse, number, classes) for classes in (one, other)]
        assert not torch.equal(*judged)


def test_fakes_have_the_classes_of_the_real_pictures() -> None:
    system, batch = LAPGAN(CLASSES), Labelled(torch.rand(2, 1, 16, 16), torch.tensor([2, 1]))
    told: list[torch.Tensor] = []
    for network in (system.generator, system.discriminator):
        for plane in network.planes:
            plane.register_forward_pre_hook(lambda module, inputs: told.append(inputs[0]))
    turns = list(system.turns(batch, Progress()))
    assert list(turns[0].losses) == ["coarsest", "side_8", "side_16"]
    assert len(told) == 2 * (1 + 2 + 1)  # of each level: made once, judged three times
    assert all(torch.equal(one, torch.eye(3)[batch.label]) for one in told)


def test_each_level_has_its_own_game() -> None:
    system = LAPGAN(SMALL.model_copy(update={"game": GameConfig(kind="least_squares")}))
    batch = Labelled(torch.rand(4, 1, 16, 16), torch.zeros(4, dtype=torch.int64))
    torch.manual_seed(3)
    first, second = system.turns(batch, Progress())
    assert list(first.losses) == list(second.losses) == ["coarsest", "side_8", "side_16"]
    torch.manual_seed(3)
    _, levels = taken_apart(2 * batch.image - 1, 2)
    torch.rand(4, 5)
    for name, level, (coarse, difference) in zip(("side_8", "side_16"), (0, 1), levels, strict=True):
        noise = 2 * torch.rand(4, 1, *coarse.shape[-2:]) - 1
        fake = system.generator.difference(level, coarse, noise)
        real_logits, fake_logits = (system.discriminator(one, coarse, level) for one in (difference, fake))
        torch.testing.assert_close(first.losses[name], discriminator_loss(real_logits, fake_logits, "least_squares"))
        torch.testing.assert_close(second.losses[name], generator_loss(fake_logits, "least_squares"))


def test_penalties_are_of_each_level() -> None:
    system = LAPGAN(SMALL.model_copy(update={"game": GameConfig(r1=1.0)}))
    batch = Labelled(torch.rand(4, 1, 16, 16), torch.zeros(4, dtype=torch.int64))
    first, _ = system.turns(batch, Progress())
    assert [name for name in first.losses if name.endswith("r1")] == ["coarsest_r1", "side_8_r1", "side_16_r1"]


def test_levels_do_not_see_one_another() -> None:
    """So that all at once is one after another: no loss of a level has a gradient in another's weights."""
    system = LAPGAN(SMALL)
    batch = Labelled(torch.rand(4, 1, 16, 16), torch.zeros(4, dtype=torch.int64))
    _, second = system.turns(batch, Progress())
    second.losses["side_16"].backward()
    assert all(one.grad is None for one in system.generator.coarsest.parameters())
    assert all(one.grad is None for one in system.generator.levels[0].parameters())
    assert all(one.grad is not None for one in system.generator.levels[1].parameters())


@pytest.mark.parametrize(("side", "coarsest"), [(24, 8), (8, 8), (12, 8)])
def test_a_side_that_doublings_do_not_reach_is_refused(side: int, coarsest: int) -> None:
    with pytest.raises(LimnerError, match=f"side must be {coarsest} doubled once or more, got {side}"):
        LAPGANConfig.parse({"side": side, "coarsest": coarsest})


def test_our_own_takes_larger_sides() -> None:
    assert MODERN.model_copy(update={"side": 64}).sides == (16, 32, 64)
