"""The recipes of the embedded models that segment, each a few steps on drawn data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

import unet
from limner.files.cards import read_card
from pix2pix import FACADE_CLASSES

SMALL = (
    "channels=2", "depth=1", "fit.steps=2", "fit.batch_size=1", "fit.ema_decay=null", "data.patch=16", "data.crops=1",
)  # fmt: skip


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(values.astype(np.uint8)).save(path)


def drawn(place: Path, images: str = "images", masks: str = "labels", scale: int = 255) -> None:
    for number in range(5):
        mask = np.kron(np.random.default_rng(number).random((4, 5)) > 0.5, np.ones((6, 6)))
        save(place / images / f"{number}.png", 60 + 120 * mask)
        save(place / masks / f"{number}.png", scale * mask)


@pytest.mark.parametrize(("task", "table"), [("membranes", "isbi-2012"), ("nuclei", "instances"), ("vessels", "field")])
def test_a_model_is_made_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, table: str) -> None:
    data = tmp_path / "data"
    own = unet.TASKS[task]
    masks = {"vessels": "vessels", "nuclei": "instances"}.get(task, "labels")
    for part in {own.train, own.test or own.train}:
        drawn(data / part, masks=masks)
    if task == "vessels":
        for number in range(5):
            save(data / "testing" / "fov" / f"{number}.png", np.full((24, 30), 255))
    recipe = replace(own.recipe, settings=(*own.recipe.settings, *SMALL))
    monkeypatch.setitem(unet.TASKS, task, replace(own, recipe=recipe))
    unet.main(task, data, minutes=1.0, device="cpu", run=tmp_path / "run")
    card = read_card(tmp_path / "run" / f"{task}.toml")
    names = [name for name in card.metrics if name.startswith(table)]
    assert len(names) == 1
    (figures,) = card.metrics[names[0]].values()
    assert all(0 <= one <= 1 for one in figures.values())
    assert set(card.metrics["overlap"]) >= {"mean"}


def test_facades_are_laid_out_as_pictures_and_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    colors = np.array([*FACADE_CLASSES.values()], np.uint8)
    numbers = {part: np.roll(np.arange(16) % 13, seed).reshape(4, 4) for seed, part in enumerate(("train", "val"))}
    for part, one in numbers.items():
        labels = np.kron(one, np.ones((8, 8), int))
        for number in range(2):
            save(tmp_path / "data" / part / f"{number}.png", np.hstack([np.full((32, 32, 3), 90), colors[labels]]))
    own = unet.TASKS["facade-parts"]
    recipe = replace(own.recipe, settings=(*own.recipe.settings, *SMALL))
    monkeypatch.setitem(unet.TASKS, "facade-parts", replace(own, recipe=recipe))
    unet.main("facade-parts", tmp_path / "data", minutes=1.0, device="cpu", run=tmp_path / "run")
    laid = tmp_path / "run" / "facades" / "val"
    assert np.array_equal(np.asarray(PillowImage.open(laid / "masks" / "1.png"))[::8, ::8], numbers["val"])
    assert np.asarray(PillowImage.open(laid / "images" / "1.png")).tolist() == np.full((32, 32, 3), 90).tolist()
    assert (tmp_path / "run" / "facade-parts.toml").is_file()
