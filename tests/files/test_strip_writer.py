"""Pictures that are written in strips are those that `write_image` writes."""

import io
import itertools
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from limner.cli.work.demo import PHOTO
from limner.errors import LimnerError
from limner.files import strip_png, strip_tiff, strip_writer
from limner.files.image import Picture, read_header, read_image, write_image
from limner.files.opening import open_image
from limner.files.space import NoSpaceError
from limner.files.strip_writer import StripWriter, WorkKept, part_folder

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">wide</x:xmpmeta>'
HEIGHT, WIDTH = 300, 281
KINDS = [*itertools.product([1, 3], [False, True], [np.uint8, np.uint16])]


def exif():
    block = Image.Exif()
    block[ExifTags.Base.Artist], block[ExifTags.Base.Copyright] = "Ada", "hers"
    block[ExifTags.IFD.Exif] = {ExifTags.Base.ExposureTime: 0.02, ExifTags.Base.LensModel: "a lens"}
    block[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    return block.tobytes()


def picture(channels=3, has_alpha=False, kind=np.uint8, *, size=(HEIGHT, WIDTH), **metadata):
    y, x = np.mgrid[: size[0], : size[1]]
    top = np.iinfo(kind).max
    planes = [(x * top // size[1]), (y * top // size[0]), (x * y * 7) % top]
    pixels = np.stack(planes[:channels], axis=2).astype(kind)
    return Picture(pixels, planes[2].astype(kind) if has_alpha else None, **metadata)


def rows_of(whole, start, stop):
    return replace(
        whole, pixels=whole.pixels[start:stop], alpha=None if whole.alpha is None else whole.alpha[start:stop]
    )


def write_in_strips(path, whole, *, step=37, asked=None, **options):
    size = (whole.height, whole.width)
    with StripWriter(path, rows_of(whole, 0, 0), size, asked=asked or {}, **options) as writer:
        while writer.rows < whole.height:
            writer.write(rows_of(whole, writer.rows, writer.rows + step))
        writer.finish()


def as_written(whole, path, quality=None):
    """What comes back of a picture that is written whole."""
    write_image(path, whole, quality=quality)
    return read_image(path)


def opened(path) -> Any:
    """What Pillow says of a file, whatever its size."""
    with path.open("rb") as file:
        image = open_image(file)
        image.getexif()  # which reads from the file
        return image


def assert_same(got, expected):
    np.testing.assert_array_equal(got.pixels, expected.pixels, strict=True)
    assert (got.alpha is None) == (expected.alpha is None)
    assert got.alpha is None or np.array_equal(got.alpha, expected.alpha)
    for name in ("icc_profile", "exif", "xmp", "dpi", "text", "comment"):
        assert getattr(got, name) == getattr(expected, name), name


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".png"])
@pytest.mark.parametrize(("channels", "has_alpha", "kind"), KINDS)
def test_lossless_formats_give_back_what_write_image_gives_back(tmp_path, suffix, channels, has_alpha, kind):
    metadata = {"icc_profile": SRGB, "exif": exif(), "xmp": XMP, "dpi": (300, 200), "text": {"Title": "wide"}}
    whole = picture(channels, has_alpha, kind, **metadata)
    write_in_strips(tmp_path / f"strips{suffix}", whole)
    assert_same(read_image(tmp_path / f"strips{suffix}"), as_written(whole, tmp_path / f"whole{suffix}"))
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["strips", "whole"]


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp"])
def test_what_is_encoded_whole_is_what_write_image_writes(tmp_path, suffix):
    whole = picture(kind=np.uint16, exif=exif(), icc_profile=SRGB)
    write_image(tmp_path / f"whole{suffix}", whole, quality=80)
    write_in_strips(tmp_path / f"strips{suffix}", whole, quality=80)
    assert (tmp_path / f"strips{suffix}").read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [None, 60])
def test_a_large_jpeg_is_written_by_libvips(tmp_path, monkeypatch, channels, kind, quality):
    pytest.importorskip("pyvips")
    metadata = {"exif": exif(), "xmp": XMP, "dpi": (300, 300), "comment": b"seen", "icc_profile": SRGB * 30}
    whole = picture(channels, kind=kind, **(metadata | ({} if channels == 3 else {"icc_profile": None})))
    monkeypatch.setattr(strip_writer, "write_image", None)
    write_in_strips(tmp_path / "strips.jpg", whole, quality=quality, memory=1000)
    assert_same(read_image(tmp_path / "strips.jpg"), as_written(whole, tmp_path / "whole.jpg", quality=quality))
    assert channels == 1 or opened(tmp_path / "strips.jpg").layer[0][1:3] == (1, 1)  # colour at full resolution


def test_a_tiff_has_tiles_and_offsets_of_32_bits(tmp_path):
    write_in_strips(tmp_path / "a.tif", picture())
    tags = opened(tmp_path / "a.tif").tag_v2
    assert {key: tags[key] for key in (259, 322, 323)} == {259: 8, 322: 256, 323: 256}
    assert len(tags[324]) == 4
    assert 273 not in tags
    assert (tmp_path / "a.tif").read_bytes()[:4] == b"II*\0"


@pytest.mark.parametrize(("channels", "has_alpha", "kind"), KINDS)
def test_a_tiff_that_may_pass_4_gib_has_offsets_of_64_bits(tmp_path, monkeypatch, channels, has_alpha, kind):
    monkeypatch.setattr(strip_tiff, "_CLASSIC_BYTES", 10_000)
    whole = picture(channels, has_alpha, kind, exif=exif(), icc_profile=SRGB, xmp=XMP, dpi=(300, 200))
    write_in_strips(tmp_path / "a.tif", whole)
    assert (tmp_path / "a.tif").read_bytes()[:16] == b"II+\0\x08\0\0\0\x10" + bytes(7)
    assert_same(read_image(tmp_path / "a.tif"), as_written(whole, tmp_path / "b.tif"))


def test_the_limit_of_a_classic_tiff_is_below_4_gib():
    assert 4e9 < strip_tiff._CLASSIC_BYTES < 2**32


def test_libvips_reads_the_same_of_tiff_and_png(tmp_path):
    pyvips = pytest.importorskip("pyvips")
    for channels, has_alpha, kind in KINDS:
        whole = picture(channels, has_alpha, kind)
        expected = whole.pixels if whole.alpha is None else np.dstack([whole.pixels, whole.alpha])
        for name in ("a.tif", "a.png"):
            write_in_strips(tmp_path / name, whole, overwrite=True)
            pyvips.cache_set_max(0)
            got = pyvips.Image.new_from_file(str(tmp_path / name), fail_on="warning").numpy()
            np.testing.assert_array_equal(got.reshape(expected.shape), expected, strict=True)


def test_tiles_of_a_very_wide_tiff_are_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(strip_tiff, "_BAND_BYTES", 100_000)
    whole = picture()
    write_in_strips(tmp_path / "a.tif", whole)
    assert opened(tmp_path / "a.tif").tag_v2[323] == 64  # 64 rows of 843 bytes, and not 128
    assert_same(read_image(tmp_path / "a.tif"), as_written(whole, tmp_path / "b.tif"))


def test_a_png_of_many_blocks_and_chunks_is_sound(tmp_path, monkeypatch):
    monkeypatch.setattr(strip_png, "_BLOCK_BYTES", 3000)
    whole = picture(kind=np.uint16)
    write_in_strips(tmp_path / "a.png", whole)
    with Image.open(tmp_path / "a.png") as image:
        image.verify()
    assert_same(read_image(tmp_path / "a.png"), whole)


def test_a_png_of_a_photo_is_about_as_small_as_pillows(tmp_path):
    photo = read_image(PHOTO)
    large = Image.fromarray(photo.pixels).resize((960, 960), Image.Resampling.BICUBIC)
    write_in_strips(tmp_path / "a.png", Picture(np.asarray(large)))
    pillows = io.BytesIO()
    large.save(pillows, "PNG")
    assert (tmp_path / "a.png").stat().st_size < 1.1 * len(pillows.getvalue())


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_tiff_and_png_need_neither_libvips_nor_memory(tmp_path, monkeypatch, suffix):
    monkeypatch.setitem(sys.modules, "pyvips", None)
    write_in_strips(tmp_path / f"a{suffix}", picture(), memory=0)
    assert_same(read_image(tmp_path / f"a{suffix}"), as_written(picture(), tmp_path / f"b{suffix}"))


def test_a_large_jpeg_without_the_extra_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvips", None)
    with pytest.raises(LimnerError, match=r"need the large extra: pip install '\.\[large\]' in the folder of Limner$"):
        write_in_strips(tmp_path / "a.jpg", picture(), memory=1000)
    assert list(tmp_path.iterdir()) == []
    write_in_strips(tmp_path / "a.jpg", picture(), memory=10**9)
    assert read_header(tmp_path / "a.jpg").format == "JPEG"


@pytest.mark.parametrize("name", ["a.webp", "a.bmp"])
def test_what_cannot_be_encoded_in_so_little_memory_is_refused_before_the_work(tmp_path, name):
    with pytest.raises(LimnerError, match=r"is encoded whole, which takes \d+ MB.*: write TIFF or PNG, or allow"):
        write_in_strips(tmp_path / name, picture(), memory=1000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("a.webp", {"size": (4, 20_000)}, "sides of a WebP must be 1 to 16383 pixels, got 20000x4"),
        ("a.jpg", {"has_alpha": True}, "JPEG holds no transparency"),
        ("a.gif", {}, "images are written as one of"),
        ("none/a.png", {}, "the folder .* is not there"),
        ("folder.png", {}, "is a folder"),
        ("there.png", {}, "is already there"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(tmp_path, name, options, says):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "there.png").touch()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(LimnerError, match=says):
        write_in_strips(tmp_path / name, picture(**options))
    assert sorted(tmp_path.iterdir()) == before


def test_an_existing_file_is_replaced_only_when_the_new_one_is_whole(tmp_path):
    write_image(tmp_path / "a.png", picture(1))
    with StripWriter(tmp_path / "a.png", rows_of(picture(), 0, 0), (HEIGHT, WIDTH), asked={}, overwrite=True) as writer:
        writer.write(picture())
        assert_same(read_image(tmp_path / "a.png"), picture(1))
        writer.finish()
    assert_same(read_image(tmp_path / "a.png"), picture())


def interrupted(path, error, *, strips=2, **options):
    """Write some strips, then fail."""
    whole = picture()
    with StripWriter(path, rows_of(whole, 0, 0), (HEIGHT, WIDTH), asked={"scale": 2}, **options) as writer:
        for _ in range(strips):
            writer.write(rows_of(whole, writer.rows, writer.rows + 50))
        raise error


def test_ctrl_c_keeps_the_rows_and_says_where(tmp_path):
    path = tmp_path / "a.png"
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted(path, KeyboardInterrupt())
    folder = tmp_path / "a.png.part"
    assert caught.value.__notes__ == [f"100 of 300 rows are kept in {folder}: pass --resume to go on with them"]
    assert list(tmp_path.iterdir()) == [folder] == [part_folder(path)]
    write_in_strips(path, picture(), asked={"scale": 2}, resume=True)
    assert_same(read_image(path), picture())
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_keeps_the_rows_and_says_where(tmp_path):
    with pytest.raises(
        WorkKept, match=r"a\.tif: there is no space left on the disk at .*; 100 of 300 rows are kept in .*--resume"
    ) as caught:
        interrupted(tmp_path / "a.tif", OSError(28, "No space left on device"))
    assert caught.value.exit_code == 1
    write_in_strips(tmp_path / "a.tif", picture(), asked={"scale": 2}, resume=True)
    assert_same(read_image(tmp_path / "a.tif"), as_written(picture(), tmp_path / "b.tif"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(28, "full"), NoSpaceError),
        (LimnerError("no"), LimnerError),
        (RuntimeError(), RuntimeError),
    ],
)
def test_what_has_no_rows_leaves_nothing(tmp_path, error, told):
    with pytest.raises(told):
        interrupted(tmp_path / "a.png", error, strips=0)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_leaves_nothing_for_it_would_come_again(tmp_path):
    with pytest.raises(LimnerError, match=r"^the source is damaged$"):
        interrupted(tmp_path / "a.png", LimnerError("the source is damaged"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg", "a.webp"])
def test_a_disk_that_fills_up_while_the_file_is_made_keeps_the_rows(tmp_path, monkeypatch, name):
    if name == "a.jpg":
        pytest.importorskip("pyvips")
    memory = 1000 if name == "a.jpg" else None
    whole = picture()

    class Full(io.FileIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    def full(self, mode="r", *args, **kwargs):
        return (
            Full(self, mode)
            if self.suffix == f".{name[2:]}" and "w" in mode
            else open_path(self, mode, *args, **kwargs)
        )

    open_path = type(tmp_path).open
    monkeypatch.setattr(type(tmp_path), "open", full)
    with pytest.raises(WorkKept, match=r"[Nn]o space left.*300 of 300 rows are kept in") as caught:
        write_in_strips(tmp_path / name, whole, asked={"scale": 2}, memory=memory)
    monkeypatch.undo()
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [tmp_path / f"{name}.part"]
    write_in_strips(tmp_path / name, whole, asked={"scale": 2}, memory=memory, resume=True)
    assert_same(read_image(tmp_path / name), as_written(whole, tmp_path / f"b{name[1:]}"))


def test_ctrl_c_while_libvips_writes_is_not_lost(tmp_path, monkeypatch):
    pytest.importorskip("pyvips")
    whole, calls = picture(), itertools.count()

    def stopping(self, start, stop):
        if next(calls) > 1:
            raise KeyboardInterrupt
        return whole.pixels[start:stop]

    monkeypatch.setattr(strip_png, "_BLOCK_BYTES", 3000)
    monkeypatch.setattr(StripWriter, "_rows_of_8_bits", stopping)
    with pytest.raises(KeyboardInterrupt):
        write_in_strips(tmp_path / "a.jpg", whole, memory=1000)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.jpg.part"]


def test_a_picture_of_one_pixel(tmp_path):
    for name in ("a.png", "a.tif"):
        one = picture(size=(1, 1))
        write_in_strips(tmp_path / name, one)
        assert_same(read_image(tmp_path / name), as_written(one, tmp_path / f"b{name}"))


@pytest.mark.slow
def test_a_tiff_beyond_4_gib(tmp_path, monkeypatch):
    monkeypatch.setattr(strip_tiff, "_LEVEL", 0)
    height, width = 12_000, 65_536
    band = np.random.default_rng(0).integers(0, 2**16, (256, width, 3)).astype(np.uint16)
    with StripWriter(tmp_path / "a.tif", Picture(band[:0], exif=exif()), (height, width), asked={}) as writer:
        for top in range(0, height, 256):
            writer.write(Picture(np.roll(band, top, axis=1)[: height - top]))
        writer.finish()
    assert (tmp_path / "a.tif").stat().st_size > 2**32
    pyvips = pytest.importorskip("pyvips")
    image = pyvips.Image.new_from_file(str(tmp_path / "a.tif"))
    last = np.ndarray((1, width, 3), np.uint16, image.crop(0, height - 1, width, 1).write_to_memory())
    top = (height - 1) // 256 * 256
    np.testing.assert_array_equal(last[0], np.roll(band, top, axis=1)[height - 1 - top])
    header = opened(tmp_path / "a.tif")
    assert header.getexif()[ExifTags.Base.Artist] == "Ada"
    assert max(header.tag_v2[324]) > 2**32
    (tmp_path / "a.tif").unlink()  # it is large
