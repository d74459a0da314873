"""Variants of StyleGAN differ in one thing; budgets are those of the processor; all that is tried has its rows."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from limner.data.labelled import LabelledPictures
from limner.experiments.style_generators import Method, made_by, made_of_two, main, methods, paced
from limner.layers.growth import GrowthConfig
from limner.loops.fit import FitConfig
from limner.systems.adversarial import dcgan, lapgan, stylegan

SMALL = {"channels_at_64": 1, "most_channels": 4, "latent_channels": 4, "mapping_layers": 1, "deviation_group": 2}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of a few channels, and batches of four."""
    few = {"hidden_units": 4, "num_channels": 2, "coarsest": 8}
    monkeypatch.setattr(stylegan, "MODERN", stylegan.MODERN.model_copy(update=SMALL))
    monkeypatch.setattr(dcgan, "MODERN", dcgan.MODERN.model_copy(update={"base_channels": 2}))
    monkeypatch.setattr(lapgan, "MODERN", lapgan.MODERN.model_copy(update=few))
    for system in (stylegan, dcgan, lapgan):
        monkeypatch.setattr(system, "FIT_MODERN", system.FIT_MODERN.model_copy(update={"batch_size": 4}))


def test_variants_differ_in_one_thing(small: None) -> None:
    systems: dict[str, Any] = {name: method.build() for name, method in methods(16).items()}
    assert list(systems) == ["DCGAN", "LAPGAN", "StyleGAN", "traditional", "without mixing", "without noise"]
    configs = {name: system.config.model_dump() for name, system in systems.items()}
    own, changed = (
        configs["StyleGAN"],
        {"traditional": "generator", "without mixing": "mixing", "without noise": "noise"},
    )
    for name, key in changed.items():
        assert {one for one in own if own[one] != configs[name][one]} == {key}
    assert {system.config.side for system in systems.values()} == {16}


def test_steps_are_those_of_a_budget_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step takes two seconds of a clock that is turned here."""
    clock = iter(range(0, 100, 2))
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    config = stylegan.MODERN.model_copy(update=SMALL | {"side": 8, "growth": GrowthConfig(phase_share=0)})
    samples = LabelledPictures(torch.zeros(8, 3, 8, 8, dtype=torch.uint8), torch.zeros(8, dtype=torch.int64))
    assert paced(Method(lambda: stylegan.StyleGAN(config), FitConfig(batch_size=4)), samples, 0.5) == 15


def test_pictures_are_those_of_seeds_and_of_two_styles() -> None:
    torch.manual_seed(0)
    config = stylegan.MODERN.model_copy(update=SMALL | {"side": 16, "growth": GrowthConfig(phase_share=0)})
    generator = stylegan.Generator(config).eval()
    made = made_by(generator, 4)
    assert torch.equal(made[:2], made_by(generator, 2))
    torch.testing.assert_close(made_by(generator, 4, 1.0), made)
    assert not torch.allclose(made_by(generator, 4, 0.5), made, atol=1e-3)
    two = made_of_two(generator, 4)
    assert two.shape == made.shape
    assert not torch.allclose(two, made, atol=1e-3)


def test_a_run_writes_all_rows_and_the_sheet(small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(60):
        pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    sheet, table = tmp_path / "out" / "sheet.png", tmp_path / "out" / "table.md"
    sheet.parent.mkdir()
    main(tmp_path, sheet, table, minutes=0.0001, side=16, count=10, threads=1)
    assert capsys.readouterr().out == f"{table}\n{sheet}\n"
    text = table.read_text(encoding="utf-8")
    names = [
        "training pictures", "DCGAN", "LAPGAN", "StyleGAN", "traditional", "without mixing", "without noise",
        "StyleGAN, truncation 0.7", "StyleGAN, truncation 0.5", "StyleGAN, two styles each",
        "without mixing, two styles each",
    ]  # fmt: skip
    assert [line.split(" | ")[1] for line in text.splitlines() if line.startswith("| 10 pictures |")] == names
    assert "Steps: DCGAN " in text
    assert "| nearest training picture | StyleGAN |" in text
    assert sheet.is_file()
