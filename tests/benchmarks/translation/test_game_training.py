"""The benchmark of other games: both ways make the same step."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from benchmarks.translation.game_training import (
    AIMS,
    GROWN,
    LIMNER,
    SLIM_SPADE,
    PlainTraining,
    label_mapped,
    labelled,
    report,
    unpaired,
)
from benchmarks.translation.plain_generators import PlainBigGAN, PlainStyleGAN
from torch import nn

from limner.data.labelled import Labelled
from limner.layers.label_condition import by_channels
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit, FitConfig
from limner.systems.adversarial import biggan, cyclegan, dcgan, spade, stylegan

SMALL_CYCLE = cyclegan.CYCLEGAN_RELEASED_CODE.model_copy(
    update={"base_channels": 4, "num_blocks": 1, "discriminator_channels": 4}
)
SMALL_DCGAN = dcgan.DCGANConfig(side=16, base_channels=4)


@pytest.mark.parametrize("name", ["cyclegan", "dcgan"])
def test_both_ways_make_the_same_step(name: str) -> None:
    trained = []
    for way in ("plain", LIMNER):
        seed_everything(0)
        is_cycle = name == "cyclegan"
        system = cyclegan.CycleGAN(SMALL_CYCLE) if is_cycle else dcgan.DCGAN(SMALL_DCGAN)
        batch = unpaired(32) if is_cycle else labelled(16, 4)
        fit = cyclegan.FIT_2017 if is_cycle else dcgan.FIT_2016.model_copy(
            update={"optimizer": dcgan.FIT_MODERN.optimizer}
        )  # fmt: skip
        seed_everything(1)  # the same noise
        if way == LIMNER:
            Fit(system, fit).step([batch])
        else:
            PlainTraining(system).step(batch)
        trained.append(system)
    for one, other in zip(*(system.parameters() for system in trained), strict=True):
        if one.dim() > 1:  # a bias before instance norm has a gradient of rounding alone, which Adam makes as large
            torch.testing.assert_close(one, other, atol=3e-5, rtol=1e-3)


def same_step(build: Callable[[], nn.Module], fit: FitConfig, plain: type, batch: Labelled) -> None:
    """Two of each way come to the same weights."""
    trained = []
    for way in ("plain", LIMNER):
        seed_everything(0)
        system = build()
        seed_everything(1)  # the same noise
        step = partial(Fit(system, fit).step, [batch]) if way == LIMNER else partial(plain(system, fit).step, batch)
        step()
        step()
        trained.append(system)
    for (name, one), other in zip(trained[0].named_parameters(), trained[1].parameters(), strict=True):
        if not name.endswith("bias"):  # before a norm it has a gradient of rounding alone
            torch.testing.assert_close(one, other, atol=2e-4, rtol=2e-3)


def test_both_ways_train_stylegan_alike() -> None:
    small = {"side": 16, "channels_at_64": 2, "most_channels": 8, "latent_channels": 6}
    config = GROWN.model_copy(update=small)
    fit = FitConfig(optimizer=stylegan.FIT_MODERN.optimizer)
    same_step(lambda: stylegan.StyleGAN(config), fit, PlainStyleGAN, labelled(16, 8))


def test_both_ways_train_biggan_alike() -> None:
    small = {"base_channels": 4, "discriminator_channels": 4, "latent_channels": 8, "class_channels": 4, "augment": ()}
    fit = FitConfig(optimizer=biggan.FIT_MODERN.optimizer, players=biggan.FIT_MODERN.players)
    same_step(lambda: biggan.BigGAN(biggan.MODERN.model_copy(update=small)), fit, PlainBigGAN, labelled(32, 8, 10))


def test_a_plain_step_of_spade_moves_all_networks_and_tells_photos_apart() -> None:
    seed_everything(0)
    small = {"base_channels": 2, "hidden_channels": 4, "encoder_channels": 2, "discriminator_channels": 2}
    system = spade.SPADEGame(SLIM_SPADE.model_copy(update=small | {"encoder_side": 64}))
    before = {name: one.detach().clone() for name, one in system.named_parameters()}
    plain, batch = PlainTraining(system), label_mapped(64)
    condition = by_channels(batch.label, system.config.num_classes)

    def told() -> float:
        with torch.no_grad():
            fake, _ = plain._styled(system, batch)
            real, made = (system.discriminator(condition, one)[0][-1].mean() for one in (batch.photo, fake))
        return float(real - made)

    begun = told()
    for _ in range(20):
        plain.step(batch)
    assert told() > begun + 0.05  # photos are told from what is made
    moved = [not torch.equal(one, before[name]) for name, one in system.named_parameters()]
    assert sum(moved) > 0.9 * len(moved)


def test_the_report_has_a_row_for_each_way() -> None:
    machine = {
        "processor": "one", "threads": 2, "accelerator": "none", "torch": "2", "date": "now",
        "processor_class": "AVX2",
    }  # fmt: skip
    figures = {"seconds": {"plain": 3.0, "limner": 2.0}, "times_faster": {"plain": 1.0, "limner": 1.5}}
    text = "\n".join(report({"machine": machine, "command": "it", "steps": 3, "systems": dict.fromkeys(AIMS, figures)}))
    assert "| dcgan | limner | 2.000 | 1.50 |" in text
    assert "cyclegan: aim: 1.6 times faster: **missed**." in text
    assert "dcgan: aim: 1.3 times faster: met." in text
