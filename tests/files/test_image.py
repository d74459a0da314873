"""Still images: what is read, what is written, what is refused."""

import io
import itertools
import os
import re
import stat
import struct
import warnings
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from limner.errors import LimnerError
from limner.files import image as door
from limner.files.header import has_avif
from limner.files.image import (
    IMAGE_SUFFIXES,
    Picture,
    alpha_tensor,
    check_writable,
    from_tensor,
    is_image_path,
    losses,
    read_header,
    read_image,
    to_tensor,
    write_image,
)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".bmp": "BMP"}
if has_avif():
    FORMATS[".avif"] = "AVIF"
WITH_ALPHA = [suffix for suffix in FORMATS if suffix not in (".jpg", ".bmp")]
DEPTHS = (np.uint8, np.uint16)


def noise(shape, kind=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


def smooth(height, width):
    """RGB that lossy formats keep well."""
    y, x = np.mgrid[:height, :width]
    return np.stack([60 + 2 * x, 90 + 2 * y, 200 - x - y], axis=2).astype(np.uint8)


def picture(channels=3, *, alpha=False, kind=np.uint8, size=(9, 13), **kwargs):
    return Picture(noise((*size, channels), kind), noise(size, kind, seed=1) if alpha else None, **kwargs)


def assert_same_samples(got, expected):
    np.testing.assert_array_equal(got.pixels, expected.pixels, strict=True)
    assert (got.alpha is None) == (expected.alpha is None)
    if expected.alpha is not None:
        np.testing.assert_array_equal(got.alpha, expected.alpha, strict=True)


def exif_block(orientation=1, order="<"):
    """An EXIF block by hand: maker, orientation, and a maker note that no parser may touch."""
    maker, note = b"Limner\0\0", b"\x01\x02unparsable"
    entries = [(271, 2, 7, None), (274, 3, 1, orientation), (0x8769, 4, 1, None)]
    size = 8 + 2 + 12 * 3 + 4
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    out += struct.pack(order + "HHII", 271, 2, 7, size)
    out += struct.pack(order + "HHIHH", 274, 3, 1, orientation, 0)
    out += struct.pack(order + "HHII", 0x8769, 4, 1, size + 8)
    out += struct.pack(order + "I", 0) + maker
    out += struct.pack(order + "HHHII", 1, 0x927C, 7, len(note), size + 8 + 2 + 12 + 4) + struct.pack(order + "I", 0)
    return b"Exif\0\0" + out + note


# Round trips


@pytest.mark.parametrize("kind", DEPTHS)
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff"])
def test_png_and_tiff_keep_every_sample(tmp_path, suffix, channels, alpha, kind):
    original = picture(channels, alpha=alpha, kind=kind)
    write_image(tmp_path / f"a{suffix}", original)
    assert_same_samples(read_image(tmp_path / f"a{suffix}"), original)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_shape_survives_png_and_tiff(tmp_path, data):
    kind = data.draw(st.sampled_from(DEPTHS))
    shape = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3])))
    alpha = data.draw(st.none() | st_numpy.arrays(kind, shape[:2]))
    original = Picture(data.draw(st_numpy.arrays(kind, shape)), alpha)
    path = tmp_path / data.draw(st.sampled_from(["a.png", "a.tif"]))
    write_image(path, original, overwrite=True)
    assert_same_samples(read_image(path), original)


def test_a_tiff_of_many_strips_keeps_every_sample(tmp_path):
    original = picture(3, kind=np.uint16, size=(700, 501))
    write_image(tmp_path / "a.tif", original)
    assert_same_samples(read_image(tmp_path / "a.tif"), original)


@pytest.mark.parametrize("channels", [1, 3])
def test_bmp_keeps_every_sample_of_8_bits(tmp_path, channels):
    write_image(tmp_path / "a.bmp", picture(channels))
    assert_same_samples(read_image(tmp_path / "a.bmp"), picture(channels))


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_webp_is_lossless_with_gray_as_rgb_even_under_transparency(tmp_path, channels, alpha):
    original = picture(channels, alpha=alpha)
    write_image(tmp_path / "a.webp", original)
    expected = replace(original, pixels=np.repeat(original.pixels, 3 // channels, axis=2))
    assert_same_samples(read_image(tmp_path / "a.webp"), expected)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", [suffix for suffix in (".jpg", ".avif") if suffix in FORMATS])
def test_lossy_formats_stay_close(tmp_path, suffix, channels):
    original = Picture(smooth(40, 50)[..., :channels])
    write_image(tmp_path / f"a{suffix}", original)
    error = read_image(tmp_path / f"a{suffix}").pixels.astype(int) - original.pixels
    assert np.abs(error).max() <= 6


def test_lower_quality_gives_smaller_files(tmp_path):
    original = Picture(noise((64, 64, 3)))
    for suffix in [suffix for suffix in (".jpg", ".webp", ".avif") if suffix in FORMATS]:
        write_image(tmp_path / f"low{suffix}", original, quality=20)
        write_image(tmp_path / f"default{suffix}", original)
        sizes = [(tmp_path / f"{name}{suffix}").stat().st_size for name in ("low", "default")]
        assert sizes[0] < sizes[1]


def test_jpeg_keeps_colour_at_full_resolution(tmp_path):
    write_image(tmp_path / "a.jpg", picture())
    with Image.open(tmp_path / "a.jpg") as image:
        assert {layer[1:3] for layer in vars(image)["layer"]} == {(1, 1)}


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp"])
def test_16_bits_are_rounded_to_the_nearest_of_8(tmp_path, suffix):
    values = np.array([0, 128, 129, 385, 386, 32767, 32768, 65406, 65407, 65535], np.uint16)
    nearest = [round(int(value) * 255 / 65535) for value in values]
    deep = Picture(np.broadcast_to(values[:, None, None, None], (10, 8, 8, 3)).reshape(80, 8, 3).copy())
    write_image(tmp_path / f"a{suffix}", deep)
    got = read_image(tmp_path / f"a{suffix}")
    assert got.bit_depth == 8
    assert got.pixels[::8, 0, 0].tolist() == nearest


def test_all_16_bit_values_round_as_the_formula_says():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    expected = np.floor(values.astype(np.float64) * 255 / 65535 + 0.5)
    np.testing.assert_array_equal(Picture(values, values[..., 0]).as_8_bit().pixels, expected)
    np.testing.assert_array_equal(Picture(values, values[..., 0]).as_8_bit().alpha, expected[..., 0])


# What other programs write


def pillow_file(tmp_path, suffix, mode, **options):
    path = tmp_path / f"{mode}{suffix}"
    image = Image.fromarray(smooth(6, 9)).convert("RGBA")
    image.putalpha(Image.fromarray(noise((6, 9))))
    image = image.convert("RGB").quantize(7) if mode == "P" else image.convert(mode)
    image.save(path, **options)
    return path, image


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [
        *itertools.product([".png"], ["1", "L", "LA", "P", "RGB", "RGBA"]),
        *itertools.product([".tif"], ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"]),
        *itertools.product([".bmp"], ["1", "L", "P", "RGB"]),
        *itertools.product([".webp"], ["RGB", "RGBA"]),
    ],
)
def test_modes_become_gray_or_rgb_with_or_without_alpha(tmp_path, suffix, mode):
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    path, image = pillow_file(tmp_path, suffix, mode, **options)
    target = {"1": "L", "P": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}.get(mode, mode)
    expected = np.asarray(image.convert(target))
    got = read_image(path)
    stacked = np.dstack([got.pixels, got.alpha]) if got.alpha is not None else got.pixels
    np.testing.assert_array_equal(stacked.reshape(expected.shape), expected)
    assert got.is_gray == (target in ("L", "LA"))
    assert (got.alpha is not None) == target.endswith("A")


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"])
def test_tiff_compressions(tmp_path, compression):
    path, image = pillow_file(tmp_path, ".tif", "L", compression=compression)
    assert np.abs(read_image(path).pixels[..., 0].astype(int) - np.asarray(image)).max() <= 6


def test_palette_transparency_by_table_and_by_index(tmp_path):
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8)).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    for name, transparency, expected in (
        ("table", bytes([0, 128, 255]), [0, 128, 255, 128]),
        ("index", 1, [255, 0, 255, 0]),
    ):
        image.save(tmp_path / f"{name}.png", transparency=transparency)
        got = read_image(tmp_path / f"{name}.png")
        assert got.alpha.ravel().tolist() == expected
        assert got.pixels.reshape(4, 3).tolist() == [[10, 20, 30], [40, 50, 60], [70, 80, 90], [40, 50, 60]]


def png_by_hand(samples, bits, colour_type, *, interlace=False, extra=b"", filter_type=0):
    """A PNG from the specification: rows of packed samples, unfiltered or by the difference to the left neighbour."""
    height, width = samples.shape[:2]
    passes = [(0, 0, 1, 1)]
    if interlace:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    raw = bytearray()
    for top, left, down, right in passes:
        part = samples[top::down, left::right]
        for row in part if part.size else []:
            raw += bytes([filter_type]) + png_row(row, bits, filter_type)
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, int(interlace))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


def png_row(row, bits, filter_type):
    flat = row.ravel()
    if bits < 8:
        text = "".join(format(int(value), f"0{bits}b") for value in flat)
        return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8))
    data = flat.astype(">u2" if bits == 16 else np.uint8).tobytes()
    step = len(data) // len(row)
    if filter_type == 1:
        data = bytes((byte - (data[i - step] if i >= step else 0)) % 256 for i, byte in enumerate(data))
    return data


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize(("channels", "colour_type"), [(1, 0), (3, 2), (2, 4), (4, 6)])
def test_16_bit_png_from_the_specification(tmp_path, channels, colour_type, interlace):
    samples = noise((11, 10, channels), np.uint16)
    path = tmp_path / "a.png"
    path.write_bytes(png_by_hand(samples, 16, colour_type, interlace=interlace, filter_type=1))
    got = read_image(path)
    stacked = got.pixels if got.alpha is None else np.dstack([got.pixels, got.alpha])
    np.testing.assert_array_equal(stacked, samples, strict=True)
    info = read_header(path)
    assert info.bit_depth == 16
    assert info.mode == {1: "gray", 2: "gray+alpha", 3: "RGB", 4: "RGBA"}[channels]


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_gray_png_with_a_transparent_value(tmp_path, bits):
    top = 2**bits - 1
    samples = np.array([[0, 1, top, 1]], np.uint16)[..., None]
    (tmp_path / "a.png").write_bytes(png_by_hand(samples, bits, 0, extra=chunk(b"tRNS", struct.pack(">H", 1))))
    got = read_image(tmp_path / "a.png")
    full = 65535 if bits == 16 else 255
    assert got.alpha.tolist() == [[full if value != 1 else 0 for value in (0, 1, top, 1)]]
    assert got.pixels.ravel().tolist() == [value * full // top for value in (0, 1, top, 1)]
    assert read_header(tmp_path / "a.png").has_alpha


@pytest.mark.parametrize("bits", [8, 16])
def test_rgb_png_with_a_transparent_colour(tmp_path, bits):
    samples = np.array([[[1, 2, 3], [1, 2, 4], [0x101, 2, 3]]]) % 2**bits
    (tmp_path / "a.png").write_bytes(png_by_hand(samples, bits, 2, extra=chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))))
    full = 2**bits - 1
    assert read_image(tmp_path / "a.png").alpha.tolist() == [[0, full, full if bits == 16 else 0]]


def tiff_by_hand(samples, order, *, deflate=False, photometric=None, extra=2, planar=False, more=()):
    """One strip, or one strip per plane."""
    height, width, channels = samples.shape
    data = samples.astype(samples.dtype.newbyteorder(order))
    planes = [data[..., i] for i in range(channels)] if planar else [data]
    strips = [zlib.compress(plane.tobytes()) if deflate else plane.tobytes() for plane in planes]
    photometric = (2 if channels > 2 else 1) if photometric is None else photometric
    entries = {256: [width], 257: [height], 258: [8 * data.itemsize] * channels, 259: [8 if deflate else 1]}
    entries |= {262: [photometric], 273: [0] * len(strips), 277: [channels], 278: [height]}
    entries |= {279: [len(strip) for strip in strips], 284: [2 if planar else 1]} | dict(more)
    if channels in (2, 4) and photometric != 5:
        entries[338] = [extra]
    at = 8 + 2 + 12 * len(entries) + 4
    starts = itertools.accumulate([len(strip) for strip in strips], initial=at + 4 * sum(map(len, entries.values())))
    entries[273] = list(starts)[:-1]
    directory, tail = struct.pack(order + "H", len(entries)), b""
    for tag, values in sorted(entries.items()):
        packed = struct.pack(order + "I" * len(values), *values)
        place = packed if len(values) == 1 else struct.pack(order + "I", at + len(tail))
        directory += struct.pack(order + "HHI", tag, 4, len(values)) + place
        tail += b"" if len(values) == 1 else packed
    tail = tail.ljust(4 * sum(map(len, entries.values())), b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + directory + struct.pack(order + "I", 0) + tail + b"".join(strips)


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_tiff_from_the_specification(tmp_path, channels, order, deflate):
    samples = noise((5, 7, channels), np.uint16)
    (tmp_path / "a.tif").write_bytes(tiff_by_hand(samples, order, deflate=deflate))
    got = read_image(tmp_path / "a.tif")
    stacked = got.pixels if got.alpha is None else np.dstack([got.pixels, got.alpha])
    np.testing.assert_array_equal(stacked, samples, strict=True)
    info = read_header(tmp_path / "a.tif")
    assert (info.bit_depth, info.mode) == (16, ["gray", "gray+alpha", "RGB", "RGBA"][channels - 1])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("kind", DEPTHS)
def test_planar_tiff_is_right_or_refused(tmp_path, kind, channels, deflate, order):
    samples = noise((5, 7, channels), kind)
    (tmp_path / "a.tif").write_bytes(tiff_by_hand(samples, order, deflate=deflate, planar=True))
    if channels == 2 or (deflate and kind is np.uint16):
        with pytest.raises(LimnerError, match="save it"):
            read_image(tmp_path / "a.tif")
    else:
        got = read_image(tmp_path / "a.tif")
        np.testing.assert_array_equal(np.dstack([got.pixels, got.alpha][: channels - 2]), samples)


@pytest.mark.parametrize("channels", [2, 4])
def test_premultiplied_16_bit_tiff_is_divided(tmp_path, channels):
    samples = np.array([[[30000] * (channels - 1) + [40000], [0] * channels, [65535] * channels]], np.uint16)
    (tmp_path / "a.tif").write_bytes(tiff_by_hand(samples, "<", extra=1))
    got = read_image(tmp_path / "a.tif")
    assert got.pixels[0, :, 0].tolist() == [round(30000 * 65535 / 40000), 0, 65535]
    assert got.alpha[0].tolist() == [40000, 0, 65535]


def test_16_bit_tiff_where_white_is_zero(tmp_path):
    samples = noise((5, 7, 1), np.uint16)
    (tmp_path / "a.tif").write_bytes(tiff_by_hand(samples, "<", photometric=0))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, 65535 - samples)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_tiff_of_float_or_32_bits_is_refused(tmp_path, mode):
    Image.fromarray(np.ones((4, 4), np.float32 if mode == "F" else np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(LimnerError, match=r"a\.tif: holds .* samples: save it with 8 or 16 bits"):
        read_image(tmp_path / "a.tif")


def test_pages_are_refused_but_not_thumbnails(tmp_path):
    pages = [Image.fromarray(smooth(8, 8)) for _ in range(3)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    assert read_header(tmp_path / "pages.tif").frames == 3
    with pytest.raises(LimnerError, match="several pages"):
        read_image(tmp_path / "pages.tif")
    thumbnail = Image.fromarray(smooth(4, 4))
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    pages[0].save(tmp_path / "thumbnail.tif", save_all=True, append_images=[thumbnail])
    assert read_header(tmp_path / "thumbnail.tif").frames == 2
    np.testing.assert_array_equal(read_image(tmp_path / "thumbnail.tif").pixels, smooth(8, 8))


@pytest.mark.parametrize("suffix", [suffix for suffix in (".png", ".webp", ".avif") if suffix in FORMATS])
def test_animations_are_refused(tmp_path, suffix):
    frames = [Image.fromarray(noise((8, 8, 3), seed=seed)) for seed in range(3)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    assert read_header(tmp_path / f"a{suffix}").frames == 3
    with pytest.raises(LimnerError, match="an animation of 3 frames"):
        read_image(tmp_path / f"a{suffix}")


def test_the_main_picture_of_a_phones_jpeg_is_read(tmp_path):
    first, second = Image.fromarray(smooth(16, 16)), Image.fromarray(noise((8, 8, 3)))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second], quality=95)
    got = read_image(tmp_path / "a.jpg")
    assert np.abs(got.pixels.astype(int) - smooth(16, 16)).max() < 30


# Orientation


def turned_by_hand(samples, orientation):
    """What a viewer shows, by rotations and mirrors: EXIF 2.32, table 6 read as a picture."""
    mirrored = samples[:, ::-1]
    return {
        1: samples,
        2: mirrored,
        3: np.rot90(samples, 2),
        4: np.rot90(mirrored, 2),
        5: np.rot90(mirrored, 1),
        6: np.rot90(samples, -1),
        7: np.rot90(mirrored, -1),
        8: np.rot90(samples, 1),
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != ".bmp"])
def test_orientation_is_applied_and_reset(tmp_path, suffix, orientation):
    samples = np.zeros((24, 40, 3), np.uint8)
    samples[:8, :8], samples[:8, -8:] = (255, 0, 0), (0, 255, 0)
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(samples).save(path, exif=exif, quality=100)
    got, expected = read_image(path), turned_by_hand(samples, orientation)
    assert got.pixels.shape == expected.shape
    assert np.abs(got.pixels.astype(int) - expected).mean() < 3
    assert (read_header(path).height, read_header(path).width) == expected.shape[:2]
    write_image(tmp_path / f"b{suffix}", got)
    with Image.open(tmp_path / f"b{suffix}") as again:
        assert again.getexif().get(274, 1) == 1
        assert again.size == expected.shape[1::-1]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_orientation_of_16_bits_with_alpha(tmp_path, channels, orientation):
    samples = noise((3, 5, channels), np.uint16)
    expected = turned_by_hand(samples, orientation)
    exif = chunk(b"eXIf", exif_block(orientation)[6:])
    (tmp_path / "a.png").write_bytes(png_by_hand(samples, 16, {1: 0, 3: 2, 2: 4, 4: 6}[channels], extra=exif))
    (tmp_path / "a.tif").write_bytes(tiff_by_hand(samples, "<", deflate=True, more={274: [orientation]}))
    for suffix in (".png", ".tif"):
        got = read_image(tmp_path / f"a{suffix}")
        stacked = got.pixels if got.alpha is None else np.dstack([got.pixels, got.alpha])
        np.testing.assert_array_equal(stacked, expected)


# Metadata


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_is_kept_byte_for_byte_but_for_the_orientation(tmp_path, suffix, order):
    Image.fromarray(smooth(8, 8)).save(tmp_path / f"a{suffix}", exif=exif_block(6, order))
    got = read_image(tmp_path / f"a{suffix}")
    assert got.exif == exif_block(1, order)
    write_image(tmp_path / f"b{suffix}", got)
    assert read_image(tmp_path / f"b{suffix}").exif == exif_block(1, order)


@pytest.mark.parametrize("kind", DEPTHS)
@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != ".bmp"])
def test_exif_fields_reach_every_format(tmp_path, suffix, kind):
    exif = Image.Exif()
    exif[271], exif[33432] = "Limner", "a painter"
    exif[ExifTags.IFD.Exif] = {0x829A: 0.125, 0x8827: 400, 0x9003: "2026:01:02 03:04:05"}
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (51.0, 30.0, 0.5)}
    source = picture(kind=kind, exif=b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0"))
    write_image(tmp_path / f"a{suffix}", source)
    write_image(tmp_path / "b.jpg", read_image(tmp_path / f"a{suffix}"))  # through TIFF's directory and back
    for path in (tmp_path / f"a{suffix}", tmp_path / "b.jpg"):
        with Image.open(path) as image:
            got = image.getexif()
            assert (got[271], got[33432]) == ("Limner", "a painter")
            assert {0x829A: 0.125, 0x8827: 400, 0x9003: "2026:01:02 03:04:05"}.items() <= got.get_ifd(0x8769).items()
            assert got.get_ifd(0x8825) == {1: "N", 2: (51.0, 30.0, 0.5)}


@pytest.mark.parametrize("kind", DEPTHS)
@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != ".bmp"])
def test_profile_and_xmp_reach_every_format(tmp_path, suffix, kind):
    packet = b"<x:xmpmeta>\xc3\xa9</x:xmpmeta>"
    write_image(tmp_path / f"a{suffix}", picture(kind=kind, icc_profile=SRGB, xmp=packet))
    got = read_image(tmp_path / f"a{suffix}")
    assert got.icc_profile == SRGB
    assert got.xmp == packet
    assert read_header(tmp_path / f"a{suffix}").has_icc


@pytest.mark.parametrize("kind", DEPTHS)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
def test_resolution_is_kept(tmp_path, suffix, kind):
    write_image(tmp_path / f"a{suffix}", picture(kind=kind, dpi=(300.0, 150.0)))
    assert read_image(tmp_path / f"a{suffix}").dpi == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize("kind", DEPTHS)
def test_png_text_and_jpeg_comment_are_kept(tmp_path, kind):
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "plain")
    info.add_itxt("Author", "Ünï", "de", "Autor")
    Image.fromarray(smooth(8, 8)).save(tmp_path / "a.png", pnginfo=info)
    got = read_image(tmp_path / "a.png")
    write_image(tmp_path / "b.png", replace(got, pixels=got.pixels.astype(kind)))
    again = read_image(tmp_path / "b.png")
    assert again.text == {"Title": "plain", "Author": "Ünï"}
    assert vars(again.text["Author"]) == {"lang": "de", "tkey": "Autor"}
    write_image(tmp_path / "c.png", picture(text={"Sign": "☃"}))
    assert read_image(tmp_path / "c.png").text == {"Sign": "☃"}
    Image.fromarray(smooth(8, 8)).save(tmp_path / "a.jpg", comment=b"said")
    write_image(tmp_path / "b.jpg", read_image(tmp_path / "a.jpg"))
    assert read_image(tmp_path / "b.jpg").comment == b"said"


def test_xmp_orientation_follows_exif(tmp_path):
    packet = b'<rdf:Description tiff:Orientation="6" tiff:Make="x"/><tiff:Orientation>6</tiff:Orientation>'
    Image.fromarray(smooth(8, 12)).save(tmp_path / "a.jpg", exif=exif_block(6), xmp=packet)
    assert read_image(tmp_path / "a.jpg").xmp == packet.replace(b"6", b"1")


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_malformed_exif_never_costs_the_picture(tmp_path, suffix, exif):
    Image.fromarray(smooth(8, 8)).save(tmp_path / f"a{suffix}", exif=exif)
    got = read_image(tmp_path / f"a{suffix}")
    for target in FORMATS:
        write_image(tmp_path / f"b{target}", got, overwrite=True)
        assert read_image(tmp_path / f"b{target}").pixels.shape == (8, 8, 3)


# Colour profiles


def lut_profile(space):
    """A profile that names this space but has the tables of another."""
    return SRGB[:16] + space + SRGB[20:]


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
@pytest.mark.parametrize("profile", [None, lut_profile(b"CMYK"), b"broken"])
def test_cmyk_becomes_rgb_without_its_profile(tmp_path, suffix, profile):
    inks = Image.fromarray(np.full((8, 8, 4), (200, 30, 60, 10), np.uint8), "CMYK")
    inks.save(tmp_path / f"a{suffix}", icc_profile=profile, quality=100)
    assert read_header(tmp_path / f"a{suffix}").mode == "CMYK"
    got = read_image(tmp_path / f"a{suffix}")
    assert got.icc_profile is None
    plain = np.asarray(inks.convert("RGB"))[0, 0].astype(int)
    assert np.abs(got.pixels[4, 4] - plain).max() <= 3


def test_cmyk_with_a_working_profile_becomes_srgb(tmp_path, monkeypatch):
    # no CMYK profile is free to ship: the conversion itself is taken by its word
    seen = {}

    def convert(image, source, target, outputMode):
        seen["mode"] = image.mode, outputMode, ImageCms.getProfileName(target)
        return Image.new("RGB", image.size, (1, 2, 3))

    monkeypatch.setattr(ImageCms, "profileToProfile", convert)
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.jpg", icc_profile=lut_profile(b"CMYK"))
    got = read_image(tmp_path / "a.jpg")
    assert seen["mode"][:2] == ("CMYK", "RGB")
    assert got.pixels[0, 0].tolist() == [1, 2, 3]
    assert ImageCms.ImageCmsProfile(io.BytesIO(got.icc_profile)).profile.xcolor_space.strip() == "RGB"


def test_a_profile_of_inks_is_not_attached_to_rgb(tmp_path):
    Image.fromarray(smooth(8, 8)).save(tmp_path / "a.png", icc_profile=lut_profile(b"CMYK"))
    assert read_image(tmp_path / "a.png").icc_profile is None


def gray_profile(gamma):
    """The least that ICC.1 asks of a gray profile: a white point and a tone curve."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)
    table = struct.pack(">I", 2) + b"wtpt" + struct.pack(">II", 156, 20) + b"kTRC" + struct.pack(">II", 176, len(curve))
    head = bytearray(128)
    head[8:12], head[12:24], head[36:40] = b"\x02\x40\0\0", b"mntrGRAYXYZ ", b"acsp"
    head[68:80] = struct.pack(">iii", 63190, 65536, 54061)
    body = bytes(head) + table + white + curve
    body = body.ljust(-(-len(body) // 4) * 4, b"\0")
    return struct.pack(">I", len(body)) + body[4:]


@pytest.mark.parametrize("alpha", [False, True])
def test_gray_profile_becomes_srgb_where_gray_becomes_rgb(tmp_path, alpha):
    gray = Picture(np.full((8, 8, 1), 128, np.uint8), noise((8, 8)) if alpha else None, icc_profile=gray_profile(1.0))
    write_image(tmp_path / "a.webp", gray)
    got = read_image(tmp_path / "a.webp")
    assert got.icc_profile[16:20] == b"RGB "
    assert np.abs(got.pixels.astype(int) - 188).max() <= 1  # IEC 61966-2-1: 1.055 * (128 / 255) ** (1 / 2.4) - 0.055
    assert (got.alpha is None) or (got.alpha == gray.alpha).all()
    write_image(tmp_path / "a.png", gray)
    assert read_image(tmp_path / "a.png").icc_profile == gray.icc_profile


# Tensors


@pytest.mark.parametrize("kind", DEPTHS)
def test_every_value_survives_the_tensor(kind):
    top = np.iinfo(kind).max
    values = np.arange(top + 1, dtype=kind).reshape(-1, 16, 1)
    for like in (Picture(values, values[..., 0]), Picture(np.repeat(values, 3, axis=2))):
        tensor = to_tensor(like)
        assert (tensor.dtype, tensor.min().item(), tensor.max().item()) == (torch.float32, 0.0, 1.0)
        assert tensor.shape == (1, 3, like.height, 16)
        assert_same_samples(from_tensor(tensor, like, alpha_tensor(like)), like)


def test_channels_come_first_and_alpha_has_one():
    like = picture(alpha=True)
    np.testing.assert_allclose(to_tensor(like)[0, 1].numpy(), like.pixels[..., 1] / 255, atol=1e-7)
    np.testing.assert_allclose(alpha_tensor(like)[0, 0].numpy(), like.alpha / 255, atol=1e-7)
    assert alpha_tensor(picture()) is None


def test_values_are_rounded_half_up_and_clipped():
    values = torch.tensor([-1.0, 0.49 / 255, 0.5 / 255, 1.5 / 255, 2.5 / 255, 254.49 / 255, 254.5 / 255, 7.0]).double()
    row = values.float().expand(1, 3, 1, 8)
    assert from_tensor(row, picture()).pixels[0, :, 0].tolist() == [0, 0, 1, 2, 3, 254, 255, 255]


def test_gray_stays_gray_by_its_luma():
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 2, 2)
    got = from_tensor(red, picture(1))
    assert got.pixels.shape == (2, 2, 1)
    assert got.pixels[0, 0, 0] == 76  # 0.299 * 255


def test_the_rest_of_the_picture_goes_along():
    like = picture(kind=np.uint16, icc_profile=SRGB, exif=exif_block(), xmp=b"<x/>", dpi=(72.0, 72.0), text={"a": "b"})
    got = from_tensor(torch.zeros(1, 3, 4, 6), like)
    assert (got.height, got.width, got.bit_depth) == (4, 6, 16)
    for name in ("icc_profile", "exif", "xmp", "dpi", "text"):
        assert getattr(got, name) == getattr(like, name)


def test_alpha_is_never_lost_silently():
    like = picture(alpha=True)
    same_size = from_tensor(torch.zeros(1, 3, 9, 13), like)
    np.testing.assert_array_equal(same_size.alpha, like.alpha)
    with pytest.raises(LimnerError, match="pass it as alpha"):
        from_tensor(torch.zeros(1, 3, 18, 26), like)
    assert from_tensor(torch.zeros(1, 3, 18, 26), like, torch.ones(1, 1, 18, 26)).alpha.min() == 255


def test_nan_is_refused():
    with pytest.raises(LimnerError, match="NaN"):
        from_tensor(torch.full((1, 3, 2, 2), torch.nan), picture())


@pytest.mark.parametrize(
    ("pixels", "alpha"),
    [
        (np.zeros((4, 4), np.uint8), None),
        (np.zeros((4, 4, 4), np.uint8), None),
        (np.zeros((4, 4, 3), np.float32), None),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8)),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint16)),
    ],
)
def test_a_picture_of_other_shapes_is_refused(pixels, alpha):
    with pytest.raises(LimnerError, match="got"):
        Picture(pixels, alpha)


# Header


def test_header_of_each_format(tmp_path):
    for suffix, name in FORMATS.items():
        write_image(tmp_path / f"a{suffix}", picture(size=(9, 13)))
        info = read_header(tmp_path / f"a{suffix}")
        assert info.format.upper() == name
        assert (info.width, info.height, info.mode, info.bit_depth) == (13, 9, "RGB", 8)
        assert (info.has_alpha, info.has_icc, info.frames) == (False, False, 1)


def test_header_is_read_without_the_pixels(tmp_path):
    path = tmp_path / "a.png"
    write_image(path, picture(alpha=True, size=(50, 50)))
    path.write_bytes(path.read_bytes()[:200])
    assert read_header(path).mode == "RGBA"
    with pytest.raises(LimnerError):
        read_image(path)


def test_the_content_counts_and_not_the_name(tmp_path):
    write_image(tmp_path / "a.png", picture())
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert_same_samples(read_image(tmp_path / "a.jpg"), picture())
    assert read_header(tmp_path / "a.jpg").format == "PNG"


def test_image_paths_are_told_by_suffix():
    assert is_image_path("a/b.JPG")
    assert is_image_path(Path("b.tiff"))
    assert not is_image_path("b.txt")
    assert not is_image_path("png")
    assert set(FORMATS) <= IMAGE_SUFFIXES


# Refusals


def refusal(call, *args, **kwargs):
    with pytest.raises(LimnerError) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    assert str(args[0]) in message
    assert message.count(": ") >= 2, "file, what is wrong, mend"
    return message


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("I am no image")
    os.mkfifo(tmp_path / "pipe.png")
    for call in (read_image, read_header):
        assert "no such file" in refusal(call, tmp_path / "missing.png")
        assert "is a folder" in refusal(call, tmp_path)
        assert "is empty" in refusal(call, tmp_path / "empty.png")
        assert "not an image" in refusal(call, tmp_path / "text.png")
        assert "no ordinary file" in refusal(call, tmp_path / "pipe.png")
        with pytest.raises(LimnerError):
            call("a\0b.png")
        with pytest.raises(LimnerError):
            call("a" * 5000 + ".png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    write_image(tmp_path / "a.png", picture())
    (tmp_path / "a.png").chmod(0)
    assert "may not be read" in refusal(read_image, tmp_path / "a.png")


def test_a_file_without_permission_for_root_too(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", picture())

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert "may not be read" in refusal(read_image, tmp_path / "a.png")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"no pixels"))
    limit = Image.MAX_IMAGE_PIXELS
    assert "--max-pixels" in refusal(read_image, path)
    assert "900000000" in refusal(read_image, path)
    assert read_header(path).width == 30000
    assert limit == Image.MAX_IMAGE_PIXELS


def test_max_pixels_is_exact_and_can_be_lifted(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", picture(size=(10, 10)))
    assert read_image(tmp_path / "a.png", max_pixels=100).width == 10
    assert "--max-pixels" in refusal(read_image, tmp_path / "a.png", max_pixels=99)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)  # where `Image.open` warns
    for suffix in FORMATS:
        write_image(tmp_path / f"b{suffix}", picture(size=(10, 10)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_image(tmp_path / f"b{suffix}", max_pixels=None).width == 10


def small_files(tmp_path):
    """One valid file of each format and of several layouts, with metadata."""
    extras = {"icc_profile": SRGB, "exif": exif_block(6), "xmp": b"<x/>", "dpi": (72.0, 72.0), "text": {"a": "b"}}
    for suffix in FORMATS:
        yield suffix, picture(alpha=suffix in WITH_ALPHA, size=(16, 20), **extras)
    for suffix, channels in ((".png", 1), (".png", 3), (".tif", 1), (".tif", 3)):
        yield suffix, picture(channels, alpha=True, kind=np.uint16, size=(16, 20), **extras)


def small_bytes(tmp_path):
    for suffix, original in small_files(tmp_path):
        path = tmp_path / f"valid{suffix}"
        write_image(path, original, overwrite=True)
        yield path.read_bytes()
    for samples, order in ((noise((6, 7, 3), np.uint16), "<"), (noise((6, 7, 1), np.uint8), ">")):
        yield tiff_by_hand(samples, order)
    for mode in ("1", "P", "CMYK"):
        buffer = io.BytesIO()
        Image.fromarray(smooth(16, 20)).convert(mode).save(buffer, "TIFF" if mode == "CMYK" else "PNG")
        yield buffer.getvalue()


@pytest.fixture(scope="module")
def valid_bytes(tmp_path_factory):
    return list(small_bytes(tmp_path_factory.mktemp("valid")))


def test_a_file_cut_anywhere_is_refused_or_whole(tmp_path, valid_bytes):
    path = tmp_path / "cut"
    for data in valid_bytes:
        path.write_bytes(data)
        whole = read_image(path)
        refused = 0
        for cut in range(1, len(data), max(1, len(data) // 40)):
            path.write_bytes(data[:cut])
            try:
                assert_same_samples(read_image(path), whole)
            except LimnerError:
                refused += 1
        assert refused > 20


def outcome(path):
    """Read with every warning an error: a picture that can be used, or a refusal of one line."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read_header(path)
        except LimnerError as error:
            assert "\n" not in str(error)
        try:
            got = read_image(path, max_pixels=1_000_000)
        except LimnerError as error:
            assert "\n" not in str(error)
        else:
            assert got.pixels.size > 0
            return got
    return None


def assert_silent(capfd):
    """Nothing is printed, but for what libtiff itself says, in C, of a damaged directory or strip."""
    out, err = capfd.readouterr()
    assert out == ""
    assert [line for line in err.splitlines() if not re.match(r"\w+: ", line)] == []


FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(data=st.data())
def test_damaged_files_never_escape(tmp_path, valid_bytes, capfd, data):
    content = bytearray(data.draw(st.sampled_from(valid_bytes)))
    for _ in range(data.draw(st.integers(1, 6))):
        # headers are where the parsers live
        last = min(len(content) - 1, data.draw(st.sampled_from([32, 256, 100_000])))
        content[data.draw(st.integers(0, last))] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged").write_bytes(content[: data.draw(st.none() | st.integers(1, len(content)))])
    got = outcome(tmp_path / "damaged")
    if got is not None:
        write_image(tmp_path / "again.tif", got, overwrite=True)
        assert_same_samples(read_image(tmp_path / "again.tif"), got)
    assert_silent(capfd)


MAGICS = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"II+\0\x08\0\0\0",
    b"BM",
    b"RIFF\0\0\0\0WEBPVP8 ",
]
MAGICS += [b"RIFF\xff\0\0\0WEBPVP8L", b"\0\0\0\x1cftypavif", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"]


@FUZZ
@given(magic=st.sampled_from(MAGICS), tail=st.binary(max_size=300))
def test_random_bytes_never_escape(tmp_path, capfd, magic, tail):
    (tmp_path / "random").write_bytes(magic + tail or b"\0")
    outcome(tmp_path / "random")
    assert_silent(capfd)


# Writing


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "folder.png").mkdir()
    assert "is a folder" in refusal(write_image, tmp_path / "folder.png", picture())
    assert "make it first" in refusal(write_image, tmp_path / "none" / "a.png", picture())
    assert ".png .tif" in refusal(write_image, tmp_path / "a.gif", picture())
    assert "change the suffix" in refusal(write_image, tmp_path / "a", picture())


def test_an_existing_file_is_kept_unless_told(tmp_path):
    path = tmp_path / "a.png"
    write_image(path, picture())
    assert "--force" in refusal(write_image, path, picture(1))
    assert_same_samples(read_image(path), picture())
    write_image(path, picture(1), overwrite=True)
    assert_same_samples(read_image(path), picture(1))


@pytest.mark.parametrize(("suffix", "name"), [(".jpg", "JPEG"), (".bmp", "BMP")])
def test_transparency_is_refused_where_it_cannot_be_held(tmp_path, suffix, name):
    message = refusal(write_image, tmp_path / f"a{suffix}", picture(alpha=True))
    assert f"{name} holds no transparency: write PNG, WebP, TIFF or AVIF" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_quality_out_of_range_is_refused(tmp_path, quality):
    assert "1 to 100" in refusal(write_image, tmp_path / "a.jpg", picture(), quality=quality)


@pytest.mark.parametrize(("suffix", "side"), [(".webp", 16384), (".jpg", 65501)])
def test_sides_beyond_the_format_are_refused(tmp_path, suffix, side):
    for shape in ((side, 1, 3), (1, side, 3)):
        assert str(side - 1) in refusal(write_image, tmp_path / f"a{suffix}", Picture(np.zeros(shape, np.uint8)))
    write_image(tmp_path / f"a{suffix}", Picture(np.zeros((side - 1, 1, 1), np.uint8)))
    assert read_header(tmp_path / f"a{suffix}").height == side - 1


def test_what_cannot_be_written_is_known_before_the_work(tmp_path):
    assert "holds no transparency" in refusal(check_writable, tmp_path / "a.jpg", picture(alpha=True))
    assert ".png .tif" in refusal(check_writable, tmp_path / "a.gif", picture())
    assert "1 to 100" in refusal(check_writable, tmp_path / "a.jpg", picture(), quality=0)
    strip = Picture(np.zeros((1, 5461, 3), np.uint8))
    check_writable(tmp_path / "a.webp", strip, scale=3)
    assert "got 21844x4:" in refusal(check_writable, tmp_path / "a.webp", strip, scale=4)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_without_pixels_is_refused(tmp_path):
    assert "sides" in refusal(write_image, tmp_path / "a.png", Picture(np.zeros((0, 4, 3), np.uint8)))


def test_metadata_beyond_the_format_is_left_out_and_told_before(tmp_path):
    heavy = picture(exif=exif_block() + bytes(70000))
    (note,) = losses(tmp_path / "a.jpg", heavy)
    assert (
        note
        == f"{tmp_path / 'a.jpg'}: its EXIF is left out, for it has {len(heavy.exif):,} bytes, and JPEG holds 65,533"
    )
    write_image(tmp_path / "a.jpg", heavy)
    assert read_image(tmp_path / "a.jpg").exif is None


def test_noise_at_full_quality_with_large_metadata(tmp_path):
    heavy = picture(size=(300, 300), exif=exif_block() + bytes(60000), icc_profile=SRGB + bytes(200_000))
    write_image(tmp_path / "a.jpg", heavy, quality=100)
    assert read_image(tmp_path / "a.jpg").exif == heavy.exif


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), MemoryError(), KeyboardInterrupt()])
def test_a_failing_encoder_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, suffix, failure):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")

    def fail_midway(file, picture, quality):
        file.write(b"half")
        file.flush()
        raise failure

    monkeypatch.setitem(door._FORMATS, suffix, door._FORMATS[suffix]._replace(encode=fail_midway))
    with pytest.raises(KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else LimnerError):
        write_image(path, picture(), overwrite=True)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_have_the_usual_permissions(tmp_path):
    write_image(tmp_path / "a.png", picture())
    (tmp_path / "b").touch()
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


def test_the_filters_for_warnings_are_as_before(tmp_path):
    before = list(warnings.filters)
    write_image(tmp_path / "a.png", picture())
    read_image(tmp_path / "a.png")
    assert warnings.filters == before


def test_a_folder_that_may_not_be_written_to_is_named(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(door, "atomic_path", refused)
    message = refusal(write_image, tmp_path / "a.png", picture())
    assert message.endswith(f"the folder {tmp_path} may not be written to: name another place")
