"""Every preset of StyleGAN and BigGAN makes a step at its true size."""

from typing import Any

import pytest
import torch
from torch import nn

from limner.catalog.entry import Entry, Preset
from limner.catalog.generating import BIGGAN, STYLEGAN
from limner.data.labelled import Labelled
from limner.loops.fit import Fit
from limner.memory import free_bytes
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.memory import format_bytes
from limner.systems.adversarial.biggan import Attention

GIBIBYTES = {"paper": 8, "fixed": 8, "traditional": 8, "paper-256": 8, "paper-512": 10}
"""That a step of a large preset needs, with room to spare."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
PRESETS = [
    pytest.param(entry, name, preset, id=f"{entry.name}-{name}")
    for entry in (STYLEGAN, BIGGAN)
    for name, preset in entry.presets.items()
]


@pytest.mark.parametrize(("entry", "name", "preset"), PRESETS)
def test_a_preset_makes_a_step_at_its_true_size(entry: Entry, name: str, preset: Preset) -> None:
    """The last step of a run, when all levels are grown and lazy penalties are due, of few pictures."""
    needed = GIBIBYTES.get(name, 1) * 2**30
    if (free := free_bytes()) < needed:
        pytest.skip(f"a step needs {format_bytes(needed)} of memory, {format_bytes(free)} are free")
    keep_freed_memory()
    config: Any = preset.config
    number = 2 * config.discriminator_steps if entry is BIGGAN else 1
    steps = 16 * (preset.fit.steps // 16) + 1
    fit = preset.fit.model_copy(update={"steps": steps, "batch_size": number, "ema_decay": None})
    training = Fit(entry.system(config), fit)
    before = {key: one.detach().clone() for key, one in training.system.named_parameters()}
    training.step_count = steps - 1
    batch = Labelled(torch.rand(number, config.channels, config.side, config.side), torch.arange(number))
    report = training.step([batch])
    assert all(loss.isfinite() for loss in report.losses.values())
    assert config.game.r1 == 0 or report.losses["discriminator/r1"] > 0
    still = {key for key, one in training.system.named_parameters() if one.dim() > 1 and torch.equal(one, before[key])}
    assert {key for key in still if not key.startswith(waiting(training.system))} == set()


def waiting(system: nn.Module) -> tuple[str, ...]:
    """Weights that have no gradient yet: of pictures of levels that are passed, and of attention that begins with 0."""
    passed = [
        f"{name}.{number}."
        for name, several in system.named_modules()
        if isinstance(several, nn.ModuleList) and name in ("generator.pictures", "discriminator.maps")
        for number in range(len(several) - 1)
    ]
    return (*passed, *(f"{name}." for name, one in system.named_modules() if isinstance(one, Attention)))
