"""Painted part by part from file to file equals painted whole."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageCms

from limner.errors import LimnerError
from limner.files.image import Picture, read_image, write_image
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.fast_style import SLIM, FastStyle
from limner.systems.feedforward.texture_network import TextureNetwork, TextureNetworkConfig
from limner.verbs.stylize.network_painter import Painter
from limner.verbs.stylize.stylize_file import paint_file

EXACT = RunOptions(precision="exact")

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TINY = SLIM.model_copy(update={"channels": (4, 6, 8), "num_blocks": 1})
TEXTURE = TextureNetworkConfig(num_scales=3, channels=2, norm="instance", content_weight=1.0)


def network(name: str = "style") -> torch.nn.Module:
    torch.manual_seed(0)
    system = TextureNetwork(TEXTURE) if name == "texture" else FastStyle(TINY)
    return system.eval()


def photo(height: int, width: int, channels: int = 3, kind: type = np.uint8, has_alpha: bool = False) -> Picture:
    """Smooth, with noise on it."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (8, 8, 4), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse, "RGBA").resize((width, height), Image.Resampling.BICUBIC))
    deep = (smooth.astype(int) * 257 + rng.integers(-2000, 2000, smooth.shape)).clip(0, 65535)
    samples: np.ndarray = (deep // (257 if kind is np.uint8 else 1)).astype(kind)
    return Picture(samples[..., :channels], samples[..., 3] if has_alpha else None)


def assert_nearly_same(got: Picture, expected: Picture) -> None:
    """Equal but for rounding: floats within 1e-4."""
    assert (got.pixels.shape, got.pixels.dtype) == (expected.pixels.shape, expected.pixels.dtype)
    difference = np.abs(got.pixels.astype(int) - expected.pixels)
    assert difference.max() <= (1 if got.bit_depth == 8 else 7)
    assert (difference > 0).mean() < (2e-3 if got.bit_depth == 8 else 0.1)
    assert (got.alpha is None) == (expected.alpha is None)
    assert got.alpha is None or np.array_equal(got.alpha, expected.alpha)


def check(folder: Path, given: Picture, name: str = "style", **options: object) -> Picture:
    """Paint both ways and compare."""
    write_image(folder / "a.png", given)
    told: list[tuple[int, int]] = []
    in_parts = Painter(network(name), **options, options=RunOptions(precision="exact", tile=32))
    size = paint_file(in_parts, folder / "a.png", folder / "b.png", on_progress=lambda *t: told.append(t))
    result = read_image(folder / "b.png")
    assert size == (given.width, given.height) == (result.width, result.height)
    assert len(told) >= 6 and told[-1][0] == told[-1][1]
    whole = Painter(network(name), **options, options=EXACT)
    assert_nearly_same(result, whole.paint_picture(read_image(folder / "a.png")))
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.png"]
    return result


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("style", {}),
        ("style", {"strength": 0.4}),
        ("style", {"keep_colors": True}),
        ("style", {"keep_colors": True, "strength": 0.7, "seed": 5}),
        ("texture", {"strength": 0.6, "seed": 5}),
    ],
)
def test_the_result_is_that_of_the_whole_photo(tmp_path, name, options):
    check(tmp_path, photo(121, 87, kind=np.uint16), name, **options)


@pytest.mark.parametrize(
    ("name", "height", "width"), [("style", 33, 300), ("style", 281, 18), ("style", 64, 64), ("texture", 90, 7)]
)
def test_any_size_is_painted(tmp_path, name, height, width):
    check(tmp_path, photo(height, width), name)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize(("channels", "has_alpha"), [(3, True), (1, False), (1, True)])
def test_depth_transparency_profile_and_metadata_stay(tmp_path, kind, channels, has_alpha):
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ada"
    given = photo(70, 90, channels, kind, has_alpha)
    given = Picture(
        given.pixels, given.alpha, icc_profile=SRGB if channels == 3 else None, exif=b"Exif\0\0" + exif.tobytes()[6:],
        xmp=b"<x:xmpmeta/>", dpi=(300, 200), text={"Title": "parts"},
    )  # fmt: skip
    result = check(tmp_path, given)
    original = read_image(tmp_path / "a.png")
    for name in ("icc_profile", "exif", "xmp", "dpi", "text"):
        assert getattr(result, name) == getattr(original, name)


@pytest.mark.parametrize("options", [{"keep_colors": True}, {"strength": 0.0}])
def test_a_gray_photo_stays_gray_where_its_painting_has_no_colour(tmp_path, options):
    assert check(tmp_path, photo(70, 90, channels=1, has_alpha=True), **options).is_gray


def test_a_file_that_is_read_row_by_row(tmp_path, monkeypatch):
    pytest.importorskip("pyvips")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(photo(400, 160).pixels).save(tmp_path / "a.jpg", exif=exif)
    monkeypatch.setattr("limner.files.strips._BYTES_PER_SAMPLE", 10**6)
    paint_file(
        Painter(network(), options=RunOptions(precision="exact", tile=64)), tmp_path / "a.jpg", tmp_path / "b.png"
    )
    whole = Painter(network(), options=EXACT).paint_picture(read_image(tmp_path / "a.jpg"))
    assert_nearly_same(read_image(tmp_path / "b.png"), whole)


def test_what_cannot_be_written_is_told_before_the_work(tmp_path):
    painter = Painter(network(), options=RunOptions(tile=32))
    painter.runner.parts = None  # type: ignore[assignment, method-assign]  # calling it would fail
    write_image(tmp_path / "a.png", photo(40, 40, has_alpha=True))
    write_image(tmp_path / "b.png", photo(5, 5))
    with pytest.raises(LimnerError, match=r"b\.png: is already there: pass --force"):
        paint_file(painter, tmp_path / "a.png", tmp_path / "b.png")
    with pytest.raises(LimnerError, match=r"c\.jpg: JPEG holds no transparency"):
        paint_file(painter, tmp_path / "a.png", tmp_path / "c.jpg")
    with pytest.raises(LimnerError, match=r"none\.png: there is no such file"):
        paint_file(painter, tmp_path / "none.png", tmp_path / "c.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(5, "Input/output error")])
def test_what_is_interrupted_leaves_nothing(tmp_path, monkeypatch, error):
    write_image(tmp_path / "a.png", photo(40, 40))

    def interrupt(self: object) -> None:
        raise error

    monkeypatch.setattr("limner.files.strip_writer.StripWriter.finish", interrupt)
    with pytest.raises(type(error)) as caught:
        paint_file(Painter(network(), options=RunOptions(tile=16)), tmp_path / "a.png", tmp_path / "b.png")
    assert "--resume" not in "".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_too_little_memory_is_one_line_that_says_how_much(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", photo(90, 90))
    monkeypatch.setattr("limner.runtime.runner.resident_bytes", lambda: 10**10)
    with pytest.raises(
        LimnerError, match=r"^this picture needs about .* of memory even in the smallest parts, and may"
    ):
        paint_file(Painter(network(), options=RunOptions(memory=10**10)), tmp_path / "a.png", tmp_path / "b.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
