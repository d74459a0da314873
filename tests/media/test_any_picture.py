import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo

import limner
from limner.errors import LimnerError
from limner.files.image import read_image, write_image
from limner.files.picture import Picture
from limner.media.any_picture import (
    as_same_kind,
    check_output,
    open_picture,
    picture_of,
    resized_photo,
    whiteness,
)

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


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("array", [RGBA, RGBA[..., :3], RGBA[..., 0]])
def test_arrays_of_floats_come_back_as_floats(array, kind):
    given = (array / 255).astype(kind)
    result = same(given)
    assert result.dtype == kind
    assert result.shape == given.shape
    assert np.abs(result.astype(float) - given.astype(float)).max() < 1e-3


def test_what_is_black_or_white_is_a_picture():
    assert np.array_equal(same(RGBA[..., 0] > 99), 255 * (RGBA[..., 0] > 99).astype(np.uint8))
    assert torch.equal(same(torch.ones(1, 4, 4, dtype=torch.bool)), torch.full((3, 4, 4), 255, dtype=torch.uint8))


@pytest.mark.parametrize("kind", [torch.uint8, torch.uint16])
def test_tensors_of_whole_numbers_come_back_as_such(kind):
    given = torch.arange(3 * 6 * 8).reshape(3, 6, 8).to(kind)
    result = same(given)
    assert result.dtype == kind
    assert torch.equal(result.int(), given.int())


@pytest.mark.parametrize(
    "given", [RGBA, torch.rand(3, 6, 8), PillowImage.fromarray(RGBA)], ids=["array", "tensor", "PIL"]
)
def test_an_output_is_written_for_pixels_too(tmp_path, given):
    result = same(given, tmp_path / "a.png")
    assert type(result) is not Path
    assert read_image(tmp_path / "a.png").pixels.shape == (6, 8, 3)
    with pytest.raises(LimnerError, match="is already there"):
        check_output(given, tmp_path / "a.png", Path)
    with pytest.raises(LimnerError, match="one picture is written to "):
        check_output(torch.rand(2, 3, 6, 8), tmp_path / "b.png", Path)


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
        (torch.rand(4, 6, 8), r"a tensor must be \(3, h, w\) or \(n, 3, h, w\)"),
        (torch.zeros(3, 6, 8, dtype=torch.int64), "a tensor must be of floats in .*, got torch.int64: convert it"),
        (255 * torch.ones(3, 6, 8), r"must hold values in \[0, 1\], got 255 to 255: divide by 255"),
        (torch.rand(3, 6, 8) - 2, r"must hold values in \[0, 1\], got -.*: scale it, or clamp it"),
        (torch.full((3, 6, 8), torch.nan), r"must hold values in \[0, 1\], got nan to nan"),
        (np.full((6, 8, 3), 1.5), r"an array of floats must hold values in \[0, 1\], got 1.5 to 1.5"),
        (np.full((6, 8, 3), 200.0, np.float32), r"got 200 to 200: divide by 255"),
        (np.zeros((6, 8), np.int64), "an array must be of uint8, uint16, bool or floats in .*, got int64"),
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


def shades(mode: str) -> PillowImage.Image:
    """A picture of one of Pillow's modes, without a symmetry."""
    y, x = np.mgrid[:6, :8]
    colour = PillowImage.fromarray(np.stack([31 * x, 42 * y, 5 * x * y, 255 - 20 * x], -1).astype(np.uint8))
    if mode == "gray palette":
        image = PillowImage.fromarray((x % 4).astype(np.uint8), "P")
        image.putpalette([level for value in (0, 80, 160, 255) for level in (value, value, value)])
        return image
    if mode == "I;16":
        return PillowImage.fromarray((4000 * x + 77 * y).astype(np.uint16))
    return colour.convert("RGB").convert(mode) if mode not in ("RGBA", "LA") else colour.convert(mode)


def opened_like_its_file(image: PillowImage.Image, path: Path) -> None:
    expected, found = read_image(path), open_picture(image).picture
    assert found is not None
    assert (found.pixels.dtype, found.pixels.shape) == (expected.pixels.dtype, expected.pixels.shape)
    assert np.array_equal(found.pixels, expected.pixels)
    assert (found.alpha is None) == (expected.alpha is None)
    if found.alpha is not None:
        assert np.array_equal(found.alpha, expected.alpha)
    assert (found.icc_profile, found.exif) == (expected.icc_profile, expected.exif)


OPENED = {
    "as opened": lambda image: image,
    "loaded": lambda image: image.load() and image,
    "copied": lambda i: i.copy(),
}


@pytest.mark.parametrize("how", OPENED)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "gray palette", "I;16", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_a_pillow_image_is_what_its_file_is(tmp_path: Path, mode: str, how: str) -> None:
    path = tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png")
    shades(mode).save(path)
    opened_like_its_file(OPENED[how](PillowImage.open(path)), path)


@pytest.mark.parametrize("how", OPENED)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_pillow_image_is_made_upright_as_its_file_is(tmp_path: Path, orientation: int, how: str) -> None:
    exif = PillowImage.Exif()
    exif[274], exif[271] = orientation, "a maker"
    for name in ("a.jpg", "a.png"):
        shades("RGB").save(tmp_path / name, exif=exif)
        image = OPENED[how](PillowImage.open(tmp_path / name))
        opened_like_its_file(image, tmp_path / name)
        result = same(image)
        assert result.size == ((6, 8) if orientation > 4 else (8, 6))
        assert (result.getexif()[274], result.getexif()[271]) == (1, "a maker")


@pytest.mark.parametrize("how", OPENED)
def test_the_colour_that_a_file_means_stays_with_a_pillow_image(tmp_path: Path, how: str) -> None:
    shades("RGB").save(
        tmp_path / "a.png", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    marks = PngInfo()
    marks.add(b"gAMA", struct.pack(">I", 55556))
    marks.add(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000))
    shades("RGB").save(tmp_path / "b.png", pnginfo=marks)
    for name in ("a.png", "b.png"):
        image = OPENED[how](PillowImage.open(tmp_path / name))
        opened_like_its_file(image, tmp_path / name)
        assert same(image).info["icc_profile"] == read_image(tmp_path / name).icc_profile


def test_the_depth_of_a_file_that_pillow_has_not_decoded_stays(tmp_path: Path) -> None:
    deep = Picture(np.arange(6 * 8 * 3, dtype=np.uint16).reshape(6, 8, 3) * 333)
    write_image(tmp_path / "a.png", deep)
    image = PillowImage.open(tmp_path / "a.png")
    opened_like_its_file(image, tmp_path / "a.png")
    assert np.array_equal(np.asarray(same(image)), np.round(deep.pixels / 257))  # 8 bits are all that Pillow holds


@pytest.mark.parametrize("how", OPENED)
@pytest.mark.parametrize(("mode", "words"), [("F", "floating-point"), ("I", "signed or 32-bit"), ("LAB", "LAB")])
def test_a_pillow_image_is_refused_as_its_file_is(tmp_path: Path, mode: str, words: str, how: str) -> None:
    path = tmp_path / "a.tif"
    (shades("RGB").convert("L") if mode != "LAB" else ImageCms.applyTransform(shades("RGB"), to_lab())).convert(
        mode
    ).save(path)
    with pytest.raises(LimnerError) as by_path:
        open_picture(path)
    with pytest.raises(LimnerError) as by_pillow:
        open_picture(OPENED[how](PillowImage.open(path)))
    assert str(by_pillow.value) == str(by_path.value).replace(
        f"{path}", "the PIL image" if how == "copied" else f"{path}"
    )
    assert f"holds {words} samples: save it with 8 or 16 bits per sample" in str(by_path.value)


def to_lab() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")


def test_what_was_changed_in_pillow_counts(tmp_path: Path) -> None:
    shades("RGB").save(tmp_path / "a.jpg")
    image = PillowImage.open(tmp_path / "a.jpg")
    image.paste((255, 0, 0), (0, 0, 8, 6))
    assert (open_picture(image).picture.pixels == (255, 0, 0)).all()
    assert open_picture(shades("HSV")).picture.pixels.shape == (6, 8, 3)
    animated = [PillowImage.new("RGB", (8, 6), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    animated[0].save(tmp_path / "a.gif", save_all=True, append_images=animated[1:])
    image = PillowImage.open(tmp_path / "a.gif")
    image.seek(1)
    assert (open_picture(image).picture.pixels == (0, 0, 255)).all()


def test_a_key_of_transparency_counts_and_stays_in_the_pillow_image() -> None:
    image = shades("RGB")
    image.info["transparency"] = (0, 0, 0)
    alpha = open_picture(image).picture.alpha
    assert (alpha[0, 0], alpha[5, 7]) == (0, 255)
    assert image.info["transparency"] == (0, 0, 0)


def test_a_pillow_image_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    PillowImage.effect_noise((90, 90), 90).save(tmp_path / "whole.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    with pytest.raises(LimnerError, match=r"a\.png: is damaged, cut short or not an image") as refused:
        open_picture(PillowImage.open(tmp_path / "a.png"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "given", [np.zeros((0, 8, 3), np.uint8), np.zeros((6, 0)), torch.zeros(0, 3, 6, 8), torch.zeros(3, 0, 8)]
)
def test_what_has_no_pixels_is_refused(given) -> None:
    with pytest.raises(LimnerError, match="at least 1 pixel, got"):
        open_picture(given)
    with pytest.raises(LimnerError, match="at least 1 pixel"):
        open_picture(PillowImage.new("RGB", (0, 4)))
