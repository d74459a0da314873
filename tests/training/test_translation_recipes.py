"""The recipes of pix2pix, small."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from tests.segmenters import of_chance
from tests.training.drawn_icons import draw_icons

import pix2pix
import pix2pix_ablations
from limner.catalog.models import build_product, find
from limner.measure.translation import SEG_SCORE, TRANSLATION_RGB, TRANSLATION_VGG
from limner.runtime.run_options import RunOptions
from limner.systems.segmentation.unet import UNetConfig
from limner.training.recipe import make
from limner.verbs.segment.segmenter import Segmenter

TINY = (
    "base_channels=2", "discriminator_channels=2", "num_downs=4", "data.resize=36", "data.patch=32", "fit.steps=2",
)  # fmt: skip


@pytest.fixture
def facades(tmp_path: Path) -> Path:
    """Two pairs to learn from and two to measure on, of all classes, as JPEG."""
    colors = np.array([*pix2pix.FACADE_CLASSES.values()], np.uint8)
    for part in ("train", "val"):
        (tmp_path / part).mkdir()
        for number in range(2):
            rng = np.random.default_rng(number)
            labels = colors[np.kron(rng.integers(0, len(colors), (3, 3)), np.ones((12, 12), int))]
            photo = rng.integers(0, 256, labels.shape, dtype=np.uint8)
            both = PillowImage.fromarray(np.concatenate([photo, labels], 1))
            both.save(tmp_path / part / f"{number}.jpg", quality=95, subsampling=0)
    return tmp_path


def test_facades_are_made_and_measured(facades: Path) -> None:
    task = pix2pix.TASKS["facades"]
    recipe = replace(task.recipe, settings=(*task.recipe.settings, *TINY))
    config = UNetConfig(in_channels=3, channels=2, depth=1, valid=False, num_classes=13)
    reads = Segmenter(of_chance(facades / "unet.safetensors", config), RunOptions(device="cpu", precision="exact"))
    run = facades / "run"
    report = make(
        recipe, lambda trained: pix2pix.measured(trained, facades / "val", reads),
        data=facades / "train", minutes=1.0, device="cpu", run=run,
    )  # fmt: skip
    assert report is not None
    assert set(report.metrics) == {TRANSLATION_RGB, TRANSLATION_VGG, SEG_SCORE}
    assert (run / "facades.safetensors").is_file()
    assert "| 2 pictures at 32 | facades |" in (run / "facades.md").read_text()


def test_icons_are_learnt_from_as_pairs_and_measured_on_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_icons(tmp_path, 12, 16)
    task = pix2pix.TASKS["icons"]
    recipe = replace(task.recipe, settings=(*task.recipe.settings, *TINY, "fit.batch_size=2"))
    monkeypatch.setitem(pix2pix.TASKS, "icons", replace(task, recipe=recipe))
    pix2pix.main("icons", tmp_path, minutes=1.0, device="cpu", run=tmp_path / "run")
    names = [sorted(path.name for path in (tmp_path / "run" / "pairs" / side).iterdir()) for side in "AB"]
    assert names[0] == names[1] == [f"{number:02}.png" for number in range(12)]
    with PillowImage.open(tmp_path / "run" / "pairs" / "A" / "03.png") as picture:
        assert picture.mode == "RGB"
    assert "| 1 picture at 32 | icons |" in (tmp_path / "run" / "icons.md").read_text().replace("pictures", "picture")


@pytest.mark.parametrize("name", pix2pix.TASKS)
def test_weights_fit_into_the_package(name: str) -> None:
    """16 MB in half precision."""
    recipe = pix2pix.TASKS[name].recipe
    preset = find("pix2pix").preset(recipe.preset)
    own = preset.config.override([one for one in recipe.settings if not one.startswith(("data.", "fit."))])
    parameters = build_product("pix2pix", own.model_dump(mode="json")).parameters()
    assert 2 * sum(one.numel() for one in parameters) < 16e6


def test_rows_of_the_tables_are_trained_and_compared(facades: Path) -> None:
    run = facades / "rows"
    options = {"data": facades, "minutes": 1.0, "seeds": 2, "row": ["L1", "L1+cGAN"], "device": "cpu", "run": run}
    pix2pix_ablations.main(settings=[*TINY], **options)
    text = (run / "ablations.md").read_text()
    assert text.count("| 2 pictures at 32 | L1 |") == text.count("| 2 pictures at 32 | L1+cGAN |") == 2
    with PillowImage.open(run / "ablations.png") as picture:
        assert picture.size == (4 * 32, 4 * 32)
    before = (run / "ablations.json").read_text().count("L1+cGAN")
    pix2pix_ablations.main(settings=[*TINY], **options)
    assert (run / "ablations.json").read_text().count("L1+cGAN") == before
