"""The recipes of the embedded models that generate, each a few steps on drawn data."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import typer
from PIL import Image as PillowImage
from tests.coarse_pictures import draw_coarse
from tests.training.drawn_icons import draw_icons

import acgan
import biggan
import conditional_gan
import dcgan
import lapgan
import stylegan
import vae
from limner.files.cards import read_card

QUICK = ("fit.steps=2", "fit.batch_size=4", "fit.ema_decay=null")


@pytest.fixture
def digits(tmp_path: Path) -> dict[str, Path]:
    """A sheet of ten classes of twenty tiles, and forty others as idx files."""
    rng = np.random.default_rng(0)
    PillowImage.fromarray(rng.integers(0, 256, (200, 400), dtype=np.uint8)).save(tmp_path / "digits.png")
    (tmp_path / "others").mkdir()
    head = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4) for n in (40, 28, 28))
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    (tmp_path / "others" / "t10k-images-idx3-ubyte").write_bytes(head + images.tobytes())
    labels = (np.arange(40) % 10).astype(np.uint8)
    (tmp_path / "others" / "t10k-labels-idx1-ubyte").write_bytes(
        bytes([0, 0, 8, 1]) + (40).to_bytes(4) + labels.tobytes()
    )
    return {"data": tmp_path / "digits.png", "held_out": tmp_path / "others"}


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Forty drawn pictures."""
    return draw_coarse(tmp_path / "faces", 40, squares=5, size=(64, 64))


@pytest.mark.parametrize(
    ("module", "small"),
    [
        (conditional_gan, ("class_units=8", "joint_units=8")),
        (acgan, ("widths=[8,4,4]", "discriminator_widths=[4,4,8]")),
    ],
)
def test_digits_of_classes_are_made_and_measured(
    module: ModuleType, small: tuple[str, ...], digits: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(module.RECIPE, settings=(*module.RECIPE.settings, *QUICK, *small))
    monkeypatch.setattr(module, "RECIPE", recipe)
    module.main(**digits, minutes=1.0, device="cpu", run=tmp_path / "run")
    card = read_card(tmp_path / "run" / f"{recipe.model}.toml")
    assert set(card.metrics) == {"fd:vgg16-relu4_3", "memorisation", "classes", "parzen"}
    assert set(card.metrics["classes"]["all classes"]) == {
        "class_accuracy", "diversity", "real pictures_class_accuracy"
    }  # fmt: skip
    assert list(card.metrics["fd:vgg16-relu4_3"]) == ["40 pictures"]


@pytest.mark.parametrize("kind", ["dcgan", "faces", "digits"])
def test_pictures_without_classes_are_made_and_measured(
    kind: str,
    digits: dict[str, Path],
    faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = {"minutes": 1.0, "device": "cpu", "run": tmp_path / "run"}
    if kind == "dcgan":
        recipe = replace(dcgan.RECIPE, settings=(*dcgan.RECIPE.settings, *QUICK, "base_channels=2"))
        monkeypatch.setattr(dcgan, "RECIPE", recipe)
        dcgan.main(faces, **run)
    else:
        own = vae.KINDS[kind]
        recipe = replace(own.recipe, settings=(*own.recipe.settings, *QUICK, "base_channels=2"))
        monkeypatch.setitem(vae.KINDS, kind, replace(own, recipe=recipe))
        vae.main(kind, **(digits if kind == "digits" else {"data": faces}), **run)
    card = read_card(tmp_path / "run" / f"{recipe.model}.toml")
    assert set(card.metrics) == {"fd:vgg16-relu4_3", "memorisation"}


@pytest.mark.parametrize("kind", ["faces", "icons"])
def test_pictures_of_styles_are_made_and_measured(
    kind: str, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "icons":
        draw_icons(faces, 40, 64)
    own = stylegan.RECIPES[kind]
    small = ("channels_at_64=2", "most_channels=4", "latent_channels=4", "data.held_out=0.2")
    monkeypatch.setitem(stylegan.RECIPES, kind, replace(own, settings=(*own.settings, *QUICK, *small)))
    stylegan.main(kind, faces, minutes=1.0, device="cpu", run=tmp_path / "run")
    card = read_card(tmp_path / "run" / f"{own.model}.toml")
    assert set(card.metrics) == {"fd:vgg16-relu4_3", "memorisation"}
    assert card.config["side"] == 64


@pytest.mark.parametrize("kind", ["icons", "cifar"])
def test_pictures_of_kinds_are_made_and_measured(
    kind: str, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, path in enumerate(sorted(faces.iterdir())):
        folder = faces / f"kind {number % 2}"
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    if kind == "icons":
        draw_icons(faces, 20, 64)
    own = biggan.RECIPES[kind]
    small = (
        "base_channels=2",
        "discriminator_channels=2",
        "latent_channels=8",
        "class_channels=4",
        "data.held_out=0.2",
    )
    monkeypatch.setitem(biggan.RECIPES, kind, replace(own, settings=(*own.settings, *QUICK, *small)))
    biggan.main(kind, faces, minutes=1.0, device="cpu", run=tmp_path / "run")
    card = read_card(tmp_path / "run" / f"{own.model}.toml")
    assert set(card.metrics) == {"fd:vgg16-relu4_3", "memorisation", "classes"}
    assert (card.config["side"], card.config["num_classes"]) == (32, 2)


def test_icons_are_made_by_a_pyramid_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_icons(tmp_path, 20, 64)
    small = ("hidden_units=4", "num_channels=2", "latent_channels=8", "data.held_out=0.2")
    own = lapgan.RECIPE
    monkeypatch.setattr(lapgan, "RECIPE", replace(own, settings=(*own.settings, *QUICK, *small)))
    lapgan.main(tmp_path, minutes=1.0, device="cpu", run=tmp_path / "run")
    card = read_card(tmp_path / "run" / "icons-lapgan.toml")
    assert set(card.metrics) == {"fd:vgg16-relu4_3", "memorisation", "classes"}
    assert (card.config["side"], card.config["num_classes"]) == (64, 2)


def test_kinds_that_there_are_not_are_refused(faces: Path) -> None:
    with pytest.raises(typer.BadParameter, match="must be one of faces, icons, got cats"):
        stylegan.main("cats", faces)
    with pytest.raises(typer.BadParameter, match="must be one of icons, cifar, got cats"):
        biggan.main("cats", faces)


def test_digits_need_those_of_others(digits: dict[str, Path]) -> None:
    with pytest.raises(typer.BadParameter, match="pass --held-out"):
        vae.main("digits", digits["data"])
    with pytest.raises(typer.BadParameter, match="must be one of digits, faces, got cats"):
        vae.main("cats", digits["data"])
