"""Strips of a file are the rows that `read_image` gives, in less memory."""

import itertools
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, TiffImagePlugin

from limner.errors import LimnerError
from limner.files import vips
from limner.files.image import Picture, read_header, read_image, write_image
from limner.files.strip_header import read_strip_header
from limner.files.strip_readers import StreamReader, WholeReader
from limner.files.strips import open_strips

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
HEIGHT, WIDTH = 37, 53
METADATA = [field.name for field in fields(Picture) if field.name not in ("pixels", "alpha")]


def ramp(channels, kind=np.uint8):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    planes = np.stack([60 + 2 * x, 90 + 2 * y, 200 - x - y], axis=2)[..., :channels]
    deep = planes * 257 + (x * y)[..., None] % 200
    return (deep if kind is np.uint16 else planes).astype(kind)


RGB = Image.fromarray(ramp(3))


def streamed(path):
    """Read a file in strips that overlap, as those of a network do, never whole."""
    with open_strips(path, memory=read_strip_header(path).decoding_bytes) as reader:
        assert isinstance(reader, StreamReader)
        strips = [reader.read(max(0, top - 3), min(top + 11, reader.height)) for top in range(0, reader.height, 8)]
        cuts = [slice(min(3, top), min(3, top) + 8) for top in range(0, reader.height, 8)]
        frame, size = reader.frame, (reader.height, reader.width)
    pixels = np.concatenate([strip.pixels[cut] for strip, cut in zip(strips, cuts, strict=True)])
    assert pixels.shape[:2] == size
    assert (frame.width, frame.height) == (size[1], 0)
    alpha = None
    if frame.alpha is not None:
        alpha = np.concatenate([strip.alpha[cut] for strip, cut in zip(strips, cuts, strict=True)])
    return Picture(pixels, alpha, **{name: getattr(frame, name) for name in METADATA})


def assert_streams_as_whole(path, most=0):
    pytest.importorskip("pyvips")
    got, expected = streamed(path), read_image(path)
    assert (got.pixels.dtype, got.pixels.shape) == (expected.pixels.dtype, expected.pixels.shape)
    assert np.abs(got.pixels.astype(int) - expected.pixels).max() <= most
    assert (got.alpha is None) == (expected.alpha is None)
    assert got.alpha is None or np.array_equal(got.alpha, expected.alpha)
    for name in METADATA:
        assert getattr(got, name) == getattr(expected, name), name


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize(("channels", "has_alpha"), [*itertools.product([1, 3], [False, True])])
def test_channels_and_depths(tmp_path, suffix, kind, channels, has_alpha):
    path = tmp_path / f"a{suffix}"
    alpha = ramp(1, kind)[..., 0] if has_alpha else None
    write_image(path, Picture(ramp(channels, kind), alpha, icc_profile=SRGB if channels == 3 else None, dpi=(300, 200)))
    assert_streams_as_whole(path)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize(
    "options", [{"quality": 30}, {"quality": 90, "subsampling": 0}, {"progressive": True}], ids=str
)
def test_jpeg(tmp_path, mode, options):
    RGB.convert(mode).save(tmp_path / "a.jpg", comment=b"seen", dpi=(72, 72), **options)
    assert_streams_as_whole(tmp_path / "a.jpg")


LOSSLESS = ("raw", "tiff_lzw", "packbits", "tiff_adobe_deflate")
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")


@pytest.mark.parametrize(
    ("mode", "compression"),
    [*itertools.product(MODES, LOSSLESS), *itertools.product(["L", "RGB", "YCbCr"], ["jpeg"])],
)
def test_tiff(tmp_path, mode, compression):
    RGB.convert(mode).save(tmp_path / "a.tif", compression=compression)
    if mode == "YCbCr" and compression != "jpeg":
        with pytest.raises(LimnerError, match="save it as RGB"):
            read_strip_header(tmp_path / "a.tif")
    else:
        assert_streams_as_whole(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "options",
    [
        {"tile": True, "tile_width": 16, "tile_height": 32, "compression": "deflate"},
        {"bigtiff": True},
        {"premultiply": True},
        {"bigtiff": True, "tile": True, "tile_width": 64, "tile_height": 64},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_tiff_of_libvips(tmp_path, options, kind):
    pyvips = pytest.importorskip("pyvips")
    image = pyvips.Image.new_from_array(ramp(3, kind)).copy(interpretation="srgb" if kind is np.uint8 else "rgb16")
    image = image.bandjoin(image[1])
    image.tiffsave(str(tmp_path / "a.tif"), **options)
    # 16-bit colour that was multiplied by alpha is divided with another rounding
    assert_streams_as_whole(tmp_path / "a.tif", most=int("premultiply" in options and kind is np.uint16))


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("1", {}),
        ("P", {}),
        ("P", {"transparency": 3}),
        ("P", {"transparency": bytes(range(256))}),
        ("L", {"transparency": 100}),
        ("RGB", {"transparency": (66, 92, 196)}),
    ],
)
def test_png_of_few_colours(tmp_path, mode, options):
    RGB.convert(mode).save(tmp_path / "a.png", **options)
    assert_streams_as_whole(tmp_path / "a.png")


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_palettes_of_grays(tmp_path, bits):
    gray = RGB.convert("L").point(lambda value: value // (256 >> bits) * (255 // (2**bits - 1)))
    gray.convert("P").save(tmp_path / "a.png", bits=bits)
    gray.convert("P").save(tmp_path / "a.tif")
    assert_streams_as_whole(tmp_path / "a.png")
    assert_streams_as_whole(tmp_path / "a.tif")


def test_interlaced_png(tmp_path):
    pyvips = pytest.importorskip("pyvips")
    pyvips.Image.new_from_array(ramp(3)).pngsave(str(tmp_path / "a.png"), interlace=True)
    assert_streams_as_whole(tmp_path / "a.png")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_orientations(tmp_path, suffix, orientation):
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    RGB.save(path, **({"tiffinfo": {274: orientation}} if suffix == ".tif" else {"exif": exif}))
    assert_streams_as_whole(path)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_a_tiff_of_one_strip(tmp_path, monkeypatch, compression):
    """Larger than what libtiff by itself reads under libvips."""
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 10**9)
    noise = np.random.default_rng(0).integers(0, 256, (4500, 4000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.tif", compression=compression)
    header = read_strip_header(tmp_path / "a.tif")
    assert 1536 * 4000 * 3 + noise.nbytes <= header.decoding_bytes < 2 * noise.nbytes
    pytest.importorskip("pyvips")
    with open_strips(tmp_path / "a.tif", memory=header.decoding_bytes) as reader:
        np.testing.assert_array_equal(reader.read(4000, 4500).pixels, noise[4000:])


def test_a_turned_picture_leaves_no_file_behind(tmp_path):
    pytest.importorskip("pyvips")
    exif, scratch = Image.Exif(), tmp_path / "scratch"
    exif[ExifTags.Base.Orientation] = 6
    RGB.save(tmp_path / "a.jpg", exif=exif)
    scratch.mkdir()
    with open_strips(tmp_path / "a.jpg", memory=3 * 3 * HEIGHT * WIDTH, scratch=scratch) as reader:
        assert reader.read(0, 5).pixels.shape == (5, HEIGHT, 3)
        assert len(list(scratch.rglob("*.tif"))) == 1
    assert list(scratch.iterdir()) == []


def test_text_and_exif_after_the_pixels_of_a_png_are_found(tmp_path):
    write_image(tmp_path / "a.png", Picture(ramp(3)))
    text, exif = PngImagePlugin.PngInfo(), Image.Exif()
    exif[ExifTags.Base.Artist], exif[ExifTags.Base.Orientation] = "Ada", 3
    text.add_text("Late", "word", zip=True)
    RGB.save(tmp_path / "b.png", pnginfo=text, exif=exif)
    chunks = (tmp_path / "b.png").read_bytes()
    head, pixels = chunks[:33], chunks[chunks.index(b"IDAT") - 4 : -12]
    between = chunks[33 : chunks.index(b"IDAT") - 4]
    assert b"zTXt" in between and b"eXIf" in between
    (tmp_path / "late.png").write_bytes(head + pixels + between + chunks[-12:])
    expected = read_image(tmp_path / "b.png")
    assert expected.text == {"Late": "word"}
    got = streamed(tmp_path / "late.png") if vips_is_there() else None
    if got is not None:
        assert (got.text, got.exif) == (expected.text, expected.exif)
        np.testing.assert_array_equal(got.pixels, expected.pixels)


def vips_is_there():
    try:
        vips.load_pyvips()
    except LimnerError:
        return False
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 12)), max_size=8))
def test_strips_of_any_heights(tmp_path, steps):
    """Each begins a little before or after the end of the last one, but not before its start."""
    pytest.importorskip("pyvips")
    path = tmp_path / "a.png"
    if not path.exists():
        write_image(path, Picture(ramp(3)))
    with open_strips(path, memory=2 * 3 * HEIGHT * WIDTH) as reader:
        start = stop = 0
        for gap, height in steps:
            start = min(max(start, stop + gap), HEIGHT - 1)
            stop = min(start + height, HEIGHT)
            np.testing.assert_array_equal(reader.read(start, stop).pixels, ramp(3)[start:stop])


@pytest.mark.parametrize("memory", [None, 10**9])
def test_what_fits_is_read_whole_and_without_libvips(tmp_path, monkeypatch, memory):
    monkeypatch.setitem(sys.modules, "pyvips", None)
    write_image(tmp_path / "a.png", Picture(ramp(3), ramp(1)[..., 0], text={"a": "b"}))
    with open_strips(tmp_path / "a.png", memory=memory) as reader:
        assert isinstance(reader, WholeReader)
        strip = reader.read(30, 37)
    np.testing.assert_array_equal(strip.pixels, ramp(3)[30:37])
    np.testing.assert_array_equal(strip.alpha, ramp(1)[30:37, :, 0])
    assert (reader.height, reader.width, reader.frame.height, reader.frame.text) == (HEIGHT, WIDTH, 0, {"a": "b"})


def test_without_the_extra_one_line_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvips", None)
    RGB.save(tmp_path / "a.jpg")
    with (
        pytest.raises(LimnerError, match=r"need the large extra: pip install '\.\[large\]' in the folder of Limner$"),
        open_strips(tmp_path / "a.jpg", memory=2 * 3 * HEIGHT * WIDTH),
    ):
        pass


@pytest.mark.parametrize("suffix", [".webp", ".bmp"])
def test_formats_that_are_decoded_whole_are_refused_where_that_does_not_fit(tmp_path, suffix):
    RGB.save(tmp_path / f"a{suffix}")
    with (
        pytest.raises(LimnerError, match=r"is decoded whole, which takes 1 MB.*save it as PNG or TIFF$"),
        open_strips(tmp_path / f"a{suffix}", memory=20_000),
    ):
        pass


@pytest.mark.parametrize("options", [{"progressive": True}, {}])
def test_so_are_files_whose_decoder_keeps_too_much(tmp_path, options):
    RGB.save(tmp_path / "a.jpg", **options)
    needed = read_strip_header(tmp_path / "a.jpg").decoding_bytes
    with (
        pytest.raises(LimnerError, match=r"decoding this JPEG takes .* save it as a TIFF with tiles$"),
        open_strips(tmp_path / "a.jpg", memory=needed - 1),
    ):
        pass


def test_a_progressive_jpeg_is_known_to_be_decoded_whole(tmp_path):
    tall = RGB.resize((64, 4000))
    tall.save(tmp_path / "a.jpg")
    tall.save(tmp_path / "b.jpg", progressive=True)
    plain, coarse = (read_strip_header(tmp_path / name).decoding_bytes for name in ("a.jpg", "b.jpg"))
    assert plain <= 64 * 3 * 2000 < 64 * 3 * 4000 * 2 <= coarse


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_a_file_that_is_cut_short_is_refused(tmp_path, suffix):
    pytest.importorskip("pyvips")
    path = tmp_path / f"a{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    if suffix == ".tif":  # with the directory before the pixels, which Pillow puts behind them
        Image.fromarray(noise).save(path, compression=None)
    else:
        Image.fromarray(noise).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(LimnerError, match=r"damaged or cut short|damaged, cut short") as caught:
        streamed(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_samples_that_read_image_refuses_are_refused(tmp_path, mode):
    pytest.importorskip("pyvips")
    image = Image.new("LAB", (40, 40)) if mode == "LAB" else RGB.convert(mode)
    image.save(tmp_path / "a.tif")
    with pytest.raises(LimnerError, match=r"samples.*: save it"):
        streamed(tmp_path / "a.tif")


def test_pages_and_animations_are_refused(tmp_path):
    RGB.save(tmp_path / "a.tif", save_all=True, append_images=[RGB])
    with pytest.raises(LimnerError, match="has several pages"):
        streamed(tmp_path / "a.tif")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(LimnerError, match="there is no such file"), open_strips(tmp_path / "a.png", memory=1):
        pass


READ_IN_STRIPS = """
import re, sys
from pathlib import Path
from limner.files.strips import open_strips

def peak():  # getrusage would tell of the process that began this one
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

before = peak()
with open_strips(sys.argv[1], memory=int(sys.argv[2])) as reader:
    for top in range(0, reader.height, 100):
        reader.read(top, min(top + 100, reader.height))
    print(reader.held_bytes, peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("name", ["plain.jpg", "plain.png", "strips.tif", "tiles.tif", "turned.jpg"])
def test_reading_a_large_picture_takes_little_memory(tmp_path, name):
    pyvips = pytest.importorskip("pyvips")
    path = tmp_path / name
    image = pyvips.Image.sines(6000, 6000, hfreq=40, vfreq=30).linear(100, 120).cast("uchar")
    image = image.bandjoin([image, image]).copy(interpretation="srgb")
    image.set_type(pyvips.GValue.gint_type, "orientation", 6 if name == "turned.jpg" else 1)
    options = {"tile": True, "tile_width": 256, "tile_height": 256} if name == "tiles.tif" else {}
    image.write_to_file(str(path), **options)
    whole = 3 * 6000 * 6000
    assert read_header(path).width == 6000
    done = subprocess.run(
        [sys.executable, "-c", READ_IN_STRIPS, str(path), str(whole)], capture_output=True, text=True, check=True
    )
    promised, taken = (int(word) for word in done.stdout.split())
    assert promised < whole / 3
    assert taken < promised + 50e6  # libvips itself, and two strips
    assert taken < whole


def test_a_file_that_is_written_anew_is_read_anew(tmp_path):
    pytest.importorskip("pyvips")
    for level in (1, 2):
        write_image(tmp_path / "a.png", Picture(np.full((9, 9, 3), level, np.uint8)), overwrite=True)
        assert (streamed(tmp_path / "a.png").pixels == level).all()
