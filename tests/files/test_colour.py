"""What a file says of its colours without a profile is kept, converted or told."""

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from limner.errors import LimnerError
from limner.files.boxes import read_boxes, with_coding
from limner.files.colour import Coding
from limner.files.header import has_avif
from limner.files.image import Picture, losses, read_image, write_image
from limner.files.matrix_profile import gamma_curve, matrix_profile, srgb_curve
from limner.files.profile import space_of

SRGB_XY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
P3_XY = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
BT2020_XY = (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), name) + data + struct.pack(">I", zlib.crc32(name + data))


def png(path, pixels, *chunks, **options):
    """A PNG with chunks that Pillow does not write, right behind IHDR."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    data = file.getvalue()
    path.write_bytes(data[:33] + b"".join(chunks) + data[33:])
    return path


def gama(gamma):
    return chunk(b"gAMA", struct.pack(">I", round(100000 * gamma)))


def chrm(numbers):
    return chunk(b"cHRM", struct.pack(">8I", *(round(100000 * one) for one in numbers)))


def patches(channels=3):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (6, 7, channels), dtype=np.uint8)
    return pixels if channels == 3 else pixels[..., 0]


def xyz_matrix(xy):
    """RGB to XYZ by the textbook: columns are the primaries, scaled so that they add up to white."""
    white, *colours = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in zip(xy[::2], xy[1::2], strict=True))
    columns = np.stack(colours, axis=1)
    return columns @ np.diag(np.linalg.inv(columns) @ white)


def from_linear(light):
    """IEC 61966-2-1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def to_linear(numbers):
    return np.where(numbers <= 0.04045, numbers / 12.92, ((numbers + 0.055) / 1.055) ** 2.4)


def seen(pixels, xy=SRGB_XY, gamma=None):
    """The sRGB of numbers in another space with a white of D65, by hand."""
    numbers = pixels / 255.0
    light = to_linear(numbers) if gamma is None else numbers**gamma
    if pixels.ndim == 3:
        light = light @ (np.linalg.inv(xyz_matrix(SRGB_XY)) @ xyz_matrix(xy)).T
    return 255 * from_linear(light.clip(0, 1))


def shown(path):
    """What a colour-managed viewer shows: the profile applied by LittleCMS through Pillow, as sRGB."""
    with Image.open(path) as image:
        profile = image.info.get("icc_profile")
        plain = image.convert("L" if image.mode in ("L", "I;16") else "RGB")
        if profile is None:
            return np.asarray(plain.convert("RGB")).astype(float)
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return np.asarray(ImageCms.profileToProfile(plain, source, target, outputMode="RGB")).astype(float)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".bmp"])
@pytest.mark.parametrize(
    ("chunks", "xy", "gamma"),
    [
        ([gama(1.0)], SRGB_XY, 1.0),
        ([gama(1 / 1.8)], SRGB_XY, 1.8),
        ([chrm(P3_XY)], P3_XY, None),
        ([chrm(P3_XY), gama(0.45455)], P3_XY, 2.2),
        ([chrm(BT2020_XY), gama(1.0)], BT2020_XY, 1.0),
        ([chunk(b"cICP", bytes((12, 13, 0, 1)))], P3_XY, None),
        ([chunk(b"cICP", bytes((9, 4, 0, 1)))], BT2020_XY, 2.2),
        ([chunk(b"cICP", bytes((1, 8, 0, 1)))], SRGB_XY, 1.0),
        ([chunk(b"cICP", bytes((12, 13, 0, 1))), gama(1.0)], P3_XY, None),
    ],
)
def test_a_png_shows_the_same_colours_in_every_lossless_format(tmp_path, suffix, chunks, xy, gamma):
    given = patches()
    write_image(tmp_path / f"b{suffix}", read_image(png(tmp_path / "a.png", given, *chunks)))
    assert np.abs(shown(tmp_path / f"b{suffix}") - seen(given, xy, gamma)).max() < 2.5


@pytest.mark.parametrize("chunks", [[], [gama(0.45455)], [gama(0.45455), chrm(SRGB_XY)], [chunk(b"sRGB", b"\0")],
                                    [chunk(b"sRGB", b"\0"), gama(1.0), chrm(P3_XY)],
                                    [chunk(b"cICP", bytes((1, 13, 0, 1))), gama(1.0)],
                                    [chunk(b"cICP", bytes((2, 2, 0, 1)))]])  # fmt: skip
def test_what_says_srgb_needs_no_profile(tmp_path, chunks):
    read = read_image(png(tmp_path / "a.png", patches(), *chunks))
    assert (read.icc_profile, read.coding, read.notes) == (None, None, ())


def test_a_profile_counts_more_than_gamma(tmp_path):
    assert read_image(png(tmp_path / "a.png", patches(), gama(1.0), icc_profile=SRGB)).icc_profile == SRGB


def test_gamma_of_gray_is_a_profile_of_gray(tmp_path):
    given = patches(1).clip(16)  # below, LittleCMS takes gray through tables that are coarse for light
    read = read_image(png(tmp_path / "a.png", given, gama(1.0), chrm(P3_XY)))
    assert space_of(read.icc_profile) == "GRAY"
    for name in ("b.png", "b.tif", "b.webp", "b.bmp"):
        write_image(tmp_path / name, read)
        assert np.abs(shown(tmp_path / name) - seen(given, gamma=1.0)[..., None]).max() < 1.5, name


def test_gamma_of_a_palette_is_that_of_its_colours(tmp_path):
    given = np.asarray(Image.fromarray(patches()).quantize(16).convert("RGB"))
    file = io.BytesIO()
    Image.fromarray(patches()).quantize(16).save(file, "PNG")
    data = file.getvalue()
    (tmp_path / "a.png").write_bytes(data[:33] + gama(1.0) + data[33:])
    write_image(tmp_path / "b.png", read_image(tmp_path / "a.png"))
    assert np.abs(shown(tmp_path / "b.png") - seen(given, gamma=1.0)).max() < 1.5


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_stays_in_png_and_is_told_elsewhere(tmp_path, transfer, name):
    given = patches()
    read = read_image(png(tmp_path / "a.png", given, chunk(b"cICP", bytes((9, transfer, 0, 1)))))
    assert (read.coding, read.icc_profile, read.notes) == (Coding(9, transfer), None, ())
    assert read.coding.name == name
    write_image(tmp_path / "b.png", read)
    assert chunk(b"cICP", bytes((9, transfer, 0, 1))) in (tmp_path / "b.png").read_bytes()
    assert np.array_equal(read_image(tmp_path / "b.png").pixels, given)
    deep = replace(read, pixels=read.pixels.astype(np.uint16) * 257)
    write_image(tmp_path / "deep.png", deep)
    assert read_image(tmp_path / "deep.png").coding == read.coding
    for suffix in (".jpg", ".webp", ".tif", ".bmp"):
        (note,) = losses(tmp_path / f"b{suffix}", read)
        assert f"high dynamic range ({name})" in note
    assert losses(tmp_path / "b.png", read) == ()


def test_a_coding_that_is_not_known_is_told(tmp_path):
    read = read_image(png(tmp_path / "a.png", patches(), chunk(b"cICP", bytes((10, 17, 0, 1)))))
    assert read.notes == (
        f"{tmp_path / 'a.png'}: its colours are coded as 10/17 of ITU-T H.273, which Limner does not know: "
        "they are taken as sRGB",
    )


def test_numbers_of_video_range_are_told(tmp_path):
    (note,) = read_image(png(tmp_path / "a.png", patches(), chunk(b"cICP", bytes((1, 13, 0, 0))))).notes
    assert "video range" in note


@pytest.mark.parametrize("numbers", [(0.3, 0.3) * 4, (0.3127, 0.329, 0.64, 0, 0.3, 0.6, 0.15, 0.06)])
def test_primaries_of_no_colour_space_are_told(tmp_path, numbers):
    read = read_image(png(tmp_path / "a.png", patches(), chrm(numbers)))
    assert "primaries (cHRM)" in read.notes[0]
    assert read.icc_profile is None


@pytest.mark.skipif(not has_avif(), reason="Pillow without AVIF")
@pytest.mark.parametrize("coding", [(12, 13), (9, 16), (9, 18), (1, 13), (1, 8)])
def test_the_colours_of_avif_are_read_and_written(tmp_path, coding):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 100, 50)).save(file, "AVIF", quality=100, subsampling="4:4:4")
    (tmp_path / "a.avif").write_bytes(with_coding(file.getvalue(), *coding))
    read = read_image(tmp_path / "a.avif")
    hdr = coding[1] in (16, 18)
    assert read.coding == (Coding(*coding) if hdr else None)
    assert (read.icc_profile is None) == (hdr or coding == (1, 13))
    write_image(tmp_path / "b.avif", read)
    if hdr:
        with (tmp_path / "b.avif").open("rb") as opened:
            assert tuple(read_boxes(opened).coding[:2]) == coding
    elif coding == (12, 13):
        assert np.abs(shown(tmp_path / "b.avif") - seen(np.full((1, 1, 3), (200, 100, 50)), P3_XY)).max() < 4


@pytest.mark.parametrize(
    ("profile", "mode"), [(SRGB, "L"), (matrix_profile(SRGB_XY, gamma_curve(2), is_gray=True), "RGB")]
)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_a_profile_of_other_channels_is_dropped_and_told(tmp_path, profile, mode, suffix):
    if mode == "RGB" and suffix == ".png":
        pytest.skip("libpng writes none")
    Image.new(mode, (5, 4), 77 if mode == "L" else (1, 2, 3)).save(tmp_path / f"a{suffix}", icc_profile=profile)
    read = read_image(tmp_path / f"a{suffix}")
    assert read.icc_profile is None
    assert [note for note in read.notes if "colour profile is of" in note and note.endswith("is left out")]


def test_a_gray_result_is_written_without_a_profile_of_colours(tmp_path):
    gray = Picture(np.full((4, 5, 1), 90, np.uint8), icc_profile=SRGB)
    assert "is left out" in losses(tmp_path / "a.png", gray)[0]
    write_image(tmp_path / "a.png", gray)
    with Image.open(tmp_path / "a.png") as image:
        assert "icc_profile" not in image.info


def test_bmp_gets_the_colours_that_the_profile_means(tmp_path):
    given = patches()
    picture = Picture(given, icc_profile=matrix_profile(P3_XY, srgb_curve()))
    assert "converted to sRGB" in losses(tmp_path / "a.bmp", picture)[0]
    write_image(tmp_path / "a.bmp", picture)
    assert np.abs(shown(tmp_path / "a.bmp") - seen(given, P3_XY)).max() < 1.5
    broken = replace(picture, icc_profile=SRGB[:200])
    assert "damaged" in losses(tmp_path / "b.bmp", broken)[0]


def test_a_curve_of_srgb_changes_nothing():
    image = Image.fromarray(patches())
    source = ImageCms.ImageCmsProfile(io.BytesIO(matrix_profile(SRGB_XY, srgb_curve())))
    same = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    assert np.abs(np.asarray(same).astype(int) - patches()).max() <= 1


def test_png_without_transparency_key_trouble(tmp_path):
    """A chunk in front of PLTE moves nothing else: colour key and text are found as before."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "x")
    path = png(tmp_path / "a.png", patches(), gama(1.0), pnginfo=info, transparency=tuple(map(int, patches()[0, 0])))
    read = read_image(path)
    assert read.text == {"Title": "x"}
    assert read.alpha[0, 0] == 0
    with pytest.raises(LimnerError):
        losses(tmp_path / "a.xyz", read)
