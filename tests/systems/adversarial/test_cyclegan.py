"""What only this paper has: the sizes of its networks, cycles both ways, the identity loss and the pool."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.data.unpaired import Unpaired
from limner.errors import LimnerError
from limner.loops.checkpoint import load_state, seed_everything
from limner.loops.fit import Fit, FitConfig, fit
from limner.losses.adversarial import discriminator_loss, generator_loss
from limner.systems.adversarial.cyclegan import (
    CYCLEGAN_2017,
    CYCLEGAN_RELEASED_CODE,
    FIT_2017,
    CycleGAN,
    CycleGANConfig,
    Generators,
    ResNetGenerator,
    UNetGenerator,
)
from limner.types import Progress

SMALL = CycleGANConfig(
    base_channels=4, num_blocks=1, num_downs=3, discriminator_channels=4, discriminator_layers=1, identity_weight=5.0
)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def batch(number: int = 2, side: int = 16) -> Unpaired:
    return Unpaired(torch.rand(number, 3, side, side), torch.rand(number, 3, side, side))


def small(**changes) -> CycleGANConfig:
    return SMALL.model_copy(update=changes)


def test_sizes_of_the_networks_are_the_published_ones() -> None:
    """Counted in the authors' code: instance norm without scales, and biases everywhere."""
    assert count(ResNetGenerator(CYCLEGAN_2017)) == 11_378_179
    assert count(ResNetGenerator(CycleGANConfig(num_blocks=6))) == 7_837_699
    system = CycleGAN(CycleGANConfig(base_channels=1, num_blocks=1))
    assert count(system.discriminator.a) == count(system.discriminator.b) == 2_764_737


def test_the_published_settings() -> None:
    assert (CYCLEGAN_2017.cycle_weight, CYCLEGAN_2017.game.kind, CYCLEGAN_2017.pool) == (10, "least_squares", 50)
    assert (CYCLEGAN_2017.identity_weight, CYCLEGAN_RELEASED_CODE.identity_weight) == (0, 5)
    schedule = FIT_2017.schedule
    assert [schedule.factor_at(0, share) for share in (0, 0.5, 0.75, 1)] == pytest.approx([1, 1, 0.5, 0])
    assert (FIT_2017.optimizer.learning_rate, FIT_2017.optimizer.betas, FIT_2017.batch_size) == (2e-4, (0.5, 0.999), 1)


@pytest.mark.parametrize("kind", ["resnet", "unet"])
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_either_generator_keeps_the_size(kind: str, upsampling: str) -> None:
    system = CycleGAN(small(generator=kind, upsampling=upsampling, discriminator="encoder"))
    (port,) = system.generator.inputs
    least = torch.rand(1, 3, port.least, port.least + port.multiple)
    made = system.generator(least)
    assert made.shape == least.shape
    assert 0 <= made.min() <= made.max() <= 1
    assert system.discriminator.judge("a", least).shape[:2] == (1, 1)


def test_a_unet_has_the_weights_of_pix2pix() -> None:
    """Whose 41,828,995 at 128 pixels hold two for each channel that is normed, and three last biases."""
    network = UNetGenerator(CycleGANConfig(num_downs=7))
    convolutions = [one for one in network.modules() if isinstance(one, nn.Conv2d | nn.ConvTranspose2d)]
    normed = 128 + 256 + 3 * 512 + 3 * 512 + 256 + 128 + 64
    assert sum(one.weight.numel() for one in convolutions) == 41_828_995 - 2 * normed - 3


def test_forward_goes_both_ways_and_comes_back() -> None:
    system, (a, b) = CycleGAN(SMALL).eval(), batch()
    fake_b, cycled_a, fake_a, cycled_b = system(a, b)
    there, back = system.generator.directions["AB"], system.generator.directions["BA"]
    for found, expected in (
        (fake_b, there(a)),
        (cycled_a, back(there(a))),
        (fake_a, back(b)),
        (cycled_b, there(back(b))),
    ):
        assert torch.equal(found, expected)
    assert torch.equal(system.generator(a), there(a))
    assert not torch.allclose(there(a), back(a))


@pytest.mark.parametrize("kind", ["least_squares", "minimax"])
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_the_turns_are_equation_3(kind: str, norm: str) -> None:
    """By the equation: each network is given each picture alone, and what is real and what is fake apart."""
    system = CycleGAN(SMALL.override([f"game.kind={kind}", f"cycle_norm={norm}"]))
    given = batch()
    there, back, judge = system.generator.a_to_b, system.generator.b_to_a, system.discriminator.judge
    fake_b, fake_a = there(given.a), back(given.b)
    cycle = {"l1": F.l1_loss, "l2": F.mse_loss}[norm]
    first, second = system.turns(given, Progress())
    assert (first.player, second.player) == ("discriminator", "generator")
    for domain, real, fake in (("a", given.a, fake_a), ("b", given.b, fake_b)):
        expected = discriminator_loss(judge(domain, real), judge(domain, fake), kind) / 2
        torch.testing.assert_close(first.losses[f"adversarial_{domain}"], expected)
        torch.testing.assert_close(second.losses[f"adversarial_{domain}"], generator_loss(judge(domain, fake), kind))
    torch.testing.assert_close(second.losses["cycle_a"], 10 * cycle(2 * back(fake_b) - 1, 2 * given.a - 1))
    torch.testing.assert_close(second.losses["cycle_b"], 10 * cycle(2 * there(fake_a) - 1, 2 * given.b - 1))
    torch.testing.assert_close(second.losses["identity_a"], 5 * F.l1_loss(2 * back(given.a) - 1, 2 * given.a - 1))
    torch.testing.assert_close(second.losses["identity_b"], 5 * F.l1_loss(2 * there(given.b) - 1, 2 * given.b - 1))


def test_without_the_identity_loss_there_is_none() -> None:
    _, second = CycleGAN(small(identity_weight=0.0)).turns(batch(), Progress())
    assert set(second.losses) == {"adversarial_a", "adversarial_b", "cycle_a", "cycle_b"}


def test_discriminators_are_shown_earlier_pictures_again() -> None:
    system = CycleGAN(small(pool=2))
    for _ in range(12):
        list(system.turns(batch(1), Progress()))
    kept = [one.clone() for one in system.pool_b.images]
    asked: list[torch.Tensor] = []
    system.discriminator.b.register_forward_pre_hook(lambda module, given: asked.append(given[0]))
    for _ in range(12):
        list(system.turns(batch(1), Progress()))
    shown = [one[1] for one in asked if len(one) == 2]
    assert len(shown) == 12
    assert any(torch.allclose(one, 2 * old - 1) for one in shown for old in kept)
    fresh = CycleGAN(small(pool=0))
    list(fresh.turns(batch(1), Progress()))
    assert fresh.pool_a.images == []


def test_penalties_join_the_discriminators_losses() -> None:
    config = SMALL.override(["game.kind=hinge", "game.r1=1", "game.gradient_penalty=10"])
    first, _ = CycleGAN(config).turns(batch(), Progress())
    names = {f"{name}_{domain}" for name in ("adversarial", "r1", "gradient_penalty") for domain in "ab"}
    assert set(first.losses) == names
    training = Fit(CycleGAN(config), FitConfig())
    training.step([batch()])


def test_both_directions_are_the_product_and_named_by_their_kinds() -> None:
    product = Generators(small(domains=("horse", "zebra")))
    assert product.domains == ("horse", "zebra")
    assert list(product.directions) == ["AB", "BA"]


def test_maps_are_laid_out_as_instance_norm_has_them() -> None:
    training = Fit(CycleGAN(SMALL), FitConfig())
    asked: list[torch.Tensor] = []
    training.system.generator.a_to_b.layers[1].register_forward_hook(lambda module, given, made: asked.append(made))
    training.step([batch(2, 32)])
    assert all(one.is_contiguous() and not one.is_contiguous(memory_format=torch.channels_last) for one in asked)


class Two:
    """Two pictures of either kind."""

    def __len__(self) -> int:
        return 2

    def draw(self, index: int, rng: torch.Generator) -> Unpaired:
        return Unpaired(torch.rand(3, 16, 16, generator=rng), torch.rand(3, 16, 16, generator=rng))


def test_a_resumed_run_is_the_same_bit_for_bit_with_its_pool(tmp_path: Path) -> None:
    config = FitConfig(steps=9, batch_size=2, ema_decay=0.99)

    def run(place: Path, steps: int, *, resume: bool = False) -> dict:
        seed_everything(0)
        fit(CycleGAN(small(pool=3)), Two(), config.override([f"steps={steps}"]), run=place, resume=resume)
        return load_state(place / "training.pt")

    whole = run(tmp_path / "whole", 9)
    run(tmp_path / "parts", 4)
    parts = run(tmp_path / "parts", 9, resume=True)
    assert whole["system"]["pool_a._extra_state"].shape == (3, 3, 16, 16)
    for section in ("system", "average"):
        for name, tensor in whole[section].items():
            assert torch.equal(tensor, parts[section][name]), name
    assert torch.equal(whole["random"]["torch"], parts["random"]["torch"])


def test_one_step_without_the_pool_goes_otherwise(tmp_path: Path) -> None:
    """That the test above would see it: a run whose pool is emptied in between ends elsewhere."""
    systems = []
    for forget in (False, True):
        seed_everything(0)
        training = Fit(CycleGAN(small(pool=3)), FitConfig(batch_size=2))
        rng = torch.Generator().manual_seed(1)
        for step in range(9):
            if forget and step == 4:
                training.system.pool_a.images = []
            a, b = (torch.rand(2, 3, 16, 16, generator=rng) for _ in range(2))
            training.step([Unpaired(a, b)])
        systems.append(training.system.state_dict())
    assert any(not torch.equal(systems[0][name], systems[1][name]) for name in systems[0] if "discriminator" in name)


def test_more_halvings_than_a_picture_has_are_refused() -> None:
    with pytest.raises(LimnerError, match="num_downs"):
        CycleGANConfig.parse({"num_downs": 99})
