"""Each system differs by what it is given, and by nothing else."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from limner.experiments import translation_noise as experiment
from limner.experiments.translation_noise import METHODS, by_choice, by_company, by_noise, main
from limner.measure.translation import Sample
from limner.systems.adversarial.pix2pix import Pix2Pix, Pix2PixConfig

SMALL = Pix2PixConfig(base_channels=2, num_downs=4, dropout=0.0)


def sample(seed: int) -> Sample:
    return Sample((torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed)),), torch.zeros(1, 3, 32, 32))


def test_without_noise_only_the_company_counts() -> None:
    torch.manual_seed(0)
    system, one = Pix2Pix(SMALL).eval(), sample(0)
    assert torch.equal(by_noise(system, one, 0), by_noise(system, one, 1))
    others = [sample(1), sample(2)]
    first, second = (by_company(system, others, one, seed) for seed in (0, 1))
    assert first.shape == (1, 3, 32, 32)
    assert not torch.equal(first, second)
    assert torch.equal(first, by_company(system, others, one, 2))


def test_noise_counts_where_there_is_some() -> None:
    torch.manual_seed(0)
    for change in ({"dropout": 0.5}, {"latent_channels": 4}):
        system = Pix2Pix(SMALL.model_copy(update=change)).eval()
        assert not torch.equal(by_noise(system, sample(0), 0), by_noise(system, sample(0), 1))
        assert torch.equal(by_noise(system, sample(0), 1), by_noise(system, sample(0), 1))


def test_the_seed_is_the_number_of_the_choice() -> None:
    class Two(nn.Module):
        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return image, 2 * image - 1

    one = sample(0)
    assert torch.equal(by_choice(Two(), one, 0), one.given[0])
    assert torch.equal(by_choice(Two(), one, 1), (2 * one.given[0] - 1).clamp(0, 1))


def halves(folder: Path, count: int) -> None:
    """A photo, and beside it a map of two colours."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        label = np.zeros((64, 64, 3), np.uint8)
        label[8:40, 10 + number : 50] = 255, 0, 0
        photo = np.clip(label // 2 + rng.integers(0, 80, label.shape), 0, 255).astype(np.uint8)
        Image.fromarray(np.concatenate([photo, label], 1)).save(folder / f"{number}.png")


def test_a_run_writes_the_tables_and_the_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    tiny = {"base_channels": 2, "hidden_channels": 2, "encoder_channels": 2, "discriminator_channels": 2}
    monkeypatch.setattr(experiment, "SPADE", experiment.SPADE.model_copy(update=tiny))
    monkeypatch.setattr(experiment, "PIX2PIX", experiment.PIX2PIX.model_copy(update={"base_channels": 2}))
    monkeypatch.setattr(experiment, "CRN", experiment.CRN.model_copy(update={"channels": (4, 4, 4, 4, 4)}))
    halves(tmp_path / "train", 2)
    halves(tmp_path / "val", 3)
    table, sheet = tmp_path / "table.md", tmp_path / "sheet.jpg"
    main(tmp_path, sheet, table, label_half="right", steps=2, seeds=2)
    assert capsys.readouterr().out == f"{table}\n{sheet}\n"
    text = table.read_text()
    assert all(text.count(f"| {name} |") == 2 for name in METHODS)
