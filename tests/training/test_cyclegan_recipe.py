"""The recipe of both CycleGANs, each a few steps on drawn data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from tests.training.drawn_icons import draw_icons

import cyclegan
from icon_sets import STYLES
from limner.files.cards import read_card

SMALL = (
    "base_channels=2", "num_blocks=1", "discriminator_channels=2", "discriminator_layers=1", "fit.steps=2",
    "fit.batch_size=1", "data.resize=16", "data.patch=16",
)  # fmt: skip


def draw_maps(data: Path) -> None:
    for part in ("train", "val"):
        (data / part).mkdir()
        for number in range(3):
            pixels = np.random.default_rng(number).integers(0, 256, (16, 32, 3), dtype=np.uint8)
            PillowImage.fromarray(pixels).save(data / part / f"{number}.png")


@pytest.mark.parametrize(("task", "first"), [("icons", "twemoji to fluent-emoji-flat"), ("relief", "left to right")])
def test_a_model_is_made_and_measured_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, first: str
) -> None:
    (draw_icons if task == "icons" else draw_maps)(tmp_path)
    own = cyclegan.TASKS[task]
    recipe = replace(own.recipe, settings=(*own.recipe.settings, *SMALL))
    monkeypatch.setitem(cyclegan.TASKS, task, replace(own, recipe=recipe, side=16))
    cyclegan.main(task, data=tmp_path, run=tmp_path / "run", minutes=1.0, device="cpu")
    card = read_card(tmp_path / "run" / f"{recipe.model}.toml")
    assert next(iter(card.metrics["true counterparts"])) == first
    assert 0 < card.metrics["cycles"][first]["plain"] < 1


def test_what_is_held_out_is_learnt_from_in_neither_style(tmp_path: Path) -> None:
    draw_icons(tmp_path)
    place = cyclegan.TASKS["icons"].training(tmp_path, tmp_path)
    seen = [{path.name for path in (place / style).iterdir()} for style in STYLES]
    kept = [{path.name for path in (tmp_path / "icons" / "held-out" / style).iterdir()} for style in STYLES]
    assert kept[0] == kept[1] == {"00.webp", "10.webp"}
    assert not kept[0] & (seen[0] | seen[1])
    assert [len(one) for one in seen] == [11, 10]
    pairs = cyclegan.TASKS["icons"].held_out(tmp_path, tmp_path)
    assert [tuple(one.source.shape) for one in pairs] == [(3, 16, 16)] * 2
    assert cyclegan.TASKS["icons"].training(tmp_path / "gone", tmp_path) == place  # unpacked once
