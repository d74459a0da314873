from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

import limner
from limner.errors import LimnerError
from limner.files.image import read_image, write_image
from limner.files.picture import Picture
from limner.media.any_picture import as_same_kind, open_picture, picture_of, resized_photo, whiteness

RGBA = np.random.default_rng(0).integers(0, 256, (6, 8, 4), dtype=np.uint8)
RGBA[..., 3] |= 1  # nothing is hidden, so every colour counts


def same(given, target=None):
    opened = open_picture(given)
    return as_same_kind(opened.image, given, opened.picture, target, Path)


@pytest.mark.parametrize("array", [RGBA, RGBA[..., :3], RGBA[..., 0], RGBA[..., :1], 257 * RGBA.astype(np.uint16)])
def test_arrays_come_back_as_they_were(array):
    result = same(array)
    assert result.dtype == array.dtype
    assert np.array_equal(result, array)


@pytest.mark.parametrize("shape", [(3, 6, 8), (2, 3, 6, 8)])
def test_tensors_come_back_as_they_were(shape):
    tensor = torch.rand(shape, dtype=torch.float64)
    result = same(tensor)
    assert (result.dtype, result.shape) == (tensor.dtype, tensor.shape)
    torch.testing.assert_close(result, tensor, rtol=0, atol=1e-7)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_pillow_images_come_back_as_they_were(mode):
    image = PillowImage.fromarray(RGBA).convert(mode)
    image.info["icc_profile"] = b"a profile"
    result = same(image)
    assert (result.mode, result.info["icc_profile"]) == (mode, b"a profile")
    assert np.array_equal(np.asarray(result), np.asarray(image))


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_gives_a_path(tmp_path, kind):
    write_image(tmp_path / "a.png", Picture(RGBA[..., :3], RGBA[..., 3]))
    result = same(kind(tmp_path / "a.png"), tmp_path / "b.png")
    assert isinstance(result, kind)
    assert np.array_equal(read_image(result).pixels, RGBA[..., :3])
    with pytest.raises(LimnerError, match="is already there"):
        same(kind(tmp_path / "a.png"), tmp_path / "b.png")


def test_a_gray_picture_that_became_coloured_is_so():
    gray = Picture(RGBA[..., :1], RGBA[..., 3], icc_profile=b"of gray")
    red = torch.zeros(1, 3, 12, 16)
    red[:, 0] = 1
    result = picture_of(red, gray)
    assert result.pixels[0, 0].tolist() == [255, 0, 0]
    assert result.icc_profile is None
    assert result.alpha.shape == (12, 16)
    assert picture_of(red[:, :1].expand(-1, 3, -1, -1), gray).is_gray


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.rand(4, 6, 8), r"a tensor must be \(3, h, w\) or \(n, 3, h, w\) of floats"),
        (torch.zeros(3, 6, 8, dtype=torch.uint8), "or divide whole numbers by 255"),
        (RGBA[..., :2], r"an array must be \(h, w\) or \(h, w, 1 \| 3 \| 4\), got \(6, 8, 2\)"),
    ],
)
def test_other_shapes_are_refused(given, message):
    with pytest.raises(LimnerError, match=message):
        open_picture(given)


def test_what_is_transparent_in_a_mask_is_not_white():
    pixels = np.full((2, 3, 4), 255, np.uint8)
    pixels[0, :, :3] = 0
    pixels[1, 2, 3] = 0
    assert whiteness(pixels)[0, 0].tolist() == [[0, 0, 0], [1, 1, 0]]
    assert whiteness(pixels[..., :3])[0, 0].tolist() == [[0, 0, 0], [1, 1, 1]]


def test_a_size_that_fits_is_the_longer_side() -> None:
    assert resized_photo(torch.rand(1, 3, 20, 40), 20).shape == (1, 3, 10, 20)
    assert resized_photo(torch.rand(1, 3, 20, 40), None).shape == (1, 3, 20, 40)


@pytest.mark.parametrize("method", ["fast", "gatys"])
def test_a_painting_larger_than_memory_is_refused(method: str) -> None:
    with pytest.raises(LimnerError, match=r"a picture of 999999x666666 pixels takes .* to make"):
        limner.stylize(torch.rand(1, 3, 24, 36), "great-wave", method=method, size=999999)


def test_a_texture_larger_than_memory_is_refused() -> None:
    with pytest.raises(LimnerError, match="a picture of 999999x888888 pixels"):
        limner.texture(torch.rand(1, 3, 64, 64), size=(888888, 999999))
