"""A photo comes back in its own kind, of the size that was asked for."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.loops.optimize import OptimizeConfig
from limner.systems.optimize.inversion import InversionConfig, inversion_of
from limner.verbs.invert import invert, inverted_path

BRIEF = InversionConfig(layer="relu1_1", optimize=OptimizeConfig(steps=2))


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def test_each_kind_comes_back_as_itself(photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    PillowImage.fromarray(photo).save(path)
    array = invert(photo, config=BRIEF)
    assert array.shape == photo.shape
    assert array.dtype == np.uint8
    assert np.array_equal(array, np.asarray(invert(PillowImage.fromarray(photo), config=BRIEF)))
    tensor = invert(torch.from_numpy(photo).permute(2, 0, 1) / 255, config=BRIEF)
    assert np.array_equal((tensor * 255 + 0.5).floor().permute(1, 2, 0).numpy(), array)
    written = invert(path, config=BRIEF)
    assert written == tmp_path / "cat_relu1_1.png"
    assert np.array_equal(np.asarray(PillowImage.open(written)), array)
    assert invert(str(path), output=tmp_path / "there.png", config=BRIEF) == str(tmp_path / "there.png")
    with pytest.raises(LimnerError, match="is already there"):
        invert(path, config=BRIEF)


def test_a_large_photo_is_reduced_and_a_small_one_is_not_enlarged(photo: np.ndarray) -> None:
    assert invert(photo, size=16, config=BRIEF).shape == (12, 16, 3)
    assert invert(photo, size=1000, config=BRIEF).shape == photo.shape


def test_the_transparency_of_the_photo_stays() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (20, 24, 4), dtype=np.uint8)
    assert np.array_equal(invert(photo, config=BRIEF)[..., 3], photo[..., 3])


def test_the_presets_differ_in_what_they_say() -> None:
    assert inversion_of("relu3_1", style=True).style
    assert inversion_of("relu3_1", prior="dip").prior == "dip"
    for prior in ("tv", "dip"):
        quick, whole = (inversion_of("relu3_1", prior=prior, quick=quick).optimize for quick in (True, False))
        assert quick.steps < whole.steps
    assert inverted_path(Path("a/cat.jpg"), inversion_of("relu3_1")) == Path("a/cat_relu3_1.png")
    assert inverted_path(Path("a/cat.jpg"), inversion_of("relu3_1", style=True)) == Path("a/cat_style_relu3_1.png")


def test_several_photos_at_once_are_refused() -> None:
    with pytest.raises(LimnerError, match="one photo is inverted at a time, got 2"):
        invert(torch.rand(2, 3, 16, 16), config=BRIEF)
