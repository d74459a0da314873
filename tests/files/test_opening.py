"""What is not pixels costs itself and not the picture; depth and kinds of files are told as they are."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from limner.errors import LimnerError
from limner.files import header, png_chunks
from limner.files.image import losses, read_header, read_image, write_image, written_image_suffix
from limner.files.strip_header import read_strip_header
from limner.files.unended_jpeg import load_unended

unpack = png_chunks._unpacked
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def noise(height=37, width=51, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def encoded(form, pixels=None, **options):
    file = io.BytesIO()
    Image.fromarray(noise() if pixels is None else pixels).save(file, form, **options)
    return file.getvalue()


def chunk(name, data, *, wrong=False):
    return struct.pack(">I4s", len(data), name) + data + struct.pack(">I", zlib.crc32(name + data) ^ wrong)


def png_with(*chunks, before_pixels=True):
    data = encoded("PNG")
    at = 33 if before_pixels else len(data) - 12
    return data[:at] + b"".join(chunks) + data[at:]


def profile_of(size):
    """A sound profile with so many bytes: what no tag names is allowed."""
    return struct.pack(">I", size) + SRGB[4:] + bytes(size - len(SRGB))


# JPEG without its end

KINDS = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 2},
    {"subsampling": 2},
    {"quality": 100},
    {"optimize": True},
]


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("lost", [1, 2])
def test_a_jpeg_that_lacks_its_end_alone_is_read_whole_and_told(tmp_path, options, channels, lost):
    pixels = noise() if channels == 3 else noise()[..., 0]
    data = encoded("JPEG", pixels, **options)
    (tmp_path / "a.jpg").write_bytes(data[:-lost])
    read = read_image(tmp_path / "a.jpg")
    expected = np.asarray(Image.open(io.BytesIO(data)))
    assert np.array_equal(read.pixels.squeeze(), expected)
    told = (f"{tmp_path / 'a.jpg'}: it ends without the end of a JPEG, and all its pixels are there",)
    assert read.notes in ((), told)  # of some files Pillow does not miss it


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("lost", [3, 4, 5, 8, 15, 100, 400])
def test_a_jpeg_that_lacks_pixels_is_refused_or_all_of_them_were_there(tmp_path, options, lost):
    data = encoded("JPEG", **options)
    (tmp_path / "a.jpg").write_bytes(data[:-lost])
    try:
        read = read_image(tmp_path / "a.jpg")
    except LimnerError as error:
        assert "is damaged, cut short" in str(error)
    else:  # the last byte may be padding
        assert lost < 5
        assert np.array_equal(read.pixels, np.asarray(Image.open(io.BytesIO(data))))


def test_half_a_jpeg_is_refused():
    data = encoded("JPEG")
    assert load_unended(io.BytesIO(data[: len(data) // 2])) is None


# Chunks of a PNG


@pytest.mark.parametrize("before_pixels", [True, False])
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (chunk(b"tEXt", b"Title\0x", wrong=True), "its text is left out: its checksum is wrong"),
        (chunk(b"iTXt", b"Title\0\0\0\0\0x", wrong=True), "its text is left out: its checksum is wrong"),
        (chunk(b"zTXt", b"Title\0\0" + zlib.compress(b"x"), wrong=True), "its text is left out: its checksum is wrong"),
        (chunk(b"tIME", bytes(7), wrong=True), "its tIME is left out: its checksum is wrong"),
        (chunk(b"zTXt", b"Title\0\0" + zlib.compress(bytes(2**21))), "its text is left out: it has more than 1 MB"),
        (
            chunk(b"iTXt", b"Title\0\1\0\0\0" + zlib.compress(bytes(2**21))),
            "its text is left out: it has more than 1 MB",
        ),
        (chunk(b"zTXt", b"Title\0\7" + zlib.compress(b"x")), "its text is left out: it is packed in a way that no"),
        (chunk(b"gAMA", b"\0"), "its gamma is left out: it is cut short"),
        (chunk(b"cHRM", bytes(8)), "its primaries is left out: it is cut short"),
        (chunk(b"pHYs", bytes(3)), "its resolution is left out: it is cut short"),
        (chunk(b"eXIf", b"II*\0", wrong=True), "its EXIF is left out: its checksum is wrong"),
        (
            chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**21))),
            "its colour profile is left out: it has more than 1 MB",
        ),
    ],
)
def test_a_bad_chunk_is_left_out_and_told(tmp_path, bad, words, before_pixels):
    good = chunk(b"tEXt", b"Author\0Ada")
    (tmp_path / "a.png").write_bytes(png_with(good, bad, before_pixels=before_pixels))
    read = read_image(tmp_path / "a.png")
    assert np.array_equal(read.pixels, noise())
    assert read.text == {"Author": "Ada"}
    (note,) = read.notes
    assert note.startswith(f"{tmp_path / 'a.png'}: {words}")
    assert read_header(tmp_path / "a.png").width == 51
    assert read_strip_header(tmp_path / "a.png").frame.notes == read.notes
    assert read_strip_header(tmp_path / "a.png").frame.text == read.text


def test_texts_of_more_than_all_may_have_are_left_out(tmp_path):
    many = [chunk(b"tEXt", b"T%d\0" % number + b"x" * 2**24) for number in range(5)]
    (tmp_path / "a.png").write_bytes(png_with(*many))
    read = read_image(tmp_path / "a.png")
    assert list(read.text) == ["T0", "T1", "T2"]
    assert "with the others it has more than 64 MB" in read.notes[0]


@pytest.mark.parametrize("unpacked", [2**20 - 9, 2**21])
@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_no_number_of_packed_chunks_is_unpacked_without_end(tmp_path, monkeypatch, unpacked, name):
    whole = []

    def counted(*words):
        whole.append(unpack(*words))
        return whole[-1]

    monkeypatch.setattr(png_chunks, "_unpacked", counted)
    heads = {b"zTXt": b"T\0\0", b"iTXt": b"T\0\1\0\0\0", b"iCCP": b"p\0\0"}
    packed = heads[name] + zlib.compress(bytes(unpacked))
    (tmp_path / "a.png").write_bytes(png_with(*[chunk(name, packed)] * 200))
    read = read_header(tmp_path / "a.png")
    assert (read.width, read.height) == (51, 37)
    assert sum(map(len, whole)) < 2**26 + 2**24 + 2**21


@pytest.mark.parametrize("size", [2**20 + 5, 5 * 2**20])
def test_a_large_profile_that_is_sound_is_kept(tmp_path, size):
    profile = profile_of(size)
    (tmp_path / "a.png").write_bytes(png_with(chunk(b"iCCP", b"p\0\0" + zlib.compress(profile))))
    read = read_image(tmp_path / "a.png")
    assert (read.icc_profile, read.notes) == (profile, ())
    write_image(tmp_path / "b.png", read)
    assert read_image(tmp_path / "b.png").icc_profile == profile
    write_image(tmp_path / "b.jpg", read)
    assert read_image(tmp_path / "b.jpg").icc_profile == profile


def test_pixels_that_are_cut_short_or_wrong_are_still_refused(tmp_path):
    data = encoded("PNG")
    for broken in (data[: len(data) // 2], data[:-40], data[:60] + b"\0\0\0\0" + data[64:]):
        (tmp_path / "a.png").write_bytes(broken)
        with pytest.raises(LimnerError, match="is damaged, cut short"):
            read_image(tmp_path / "a.png")


def test_a_png_of_16_bits_with_a_bad_chunk(tmp_path):
    deep = noise().astype(np.uint16) * 200
    from limner.files.image import Picture

    write_image(tmp_path / "a.png", Picture(deep))
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(data[:33] + chunk(b"tEXt", b"Title\0x", wrong=True) + data[33:])
    assert np.array_equal(read_image(tmp_path / "b.png").pixels, deep)


# Depth


def test_a_bmp_of_5_6_and_5_bits_is_read_as_8(tmp_path):
    red, green, blue = np.meshgrid(np.arange(0, 32, 3), np.arange(0, 64, 7), [0, 9, 31], indexing="ij")
    words = (red << 11 | green << 5 | blue).reshape(-1, 6).astype("<u2")
    height, width = words.shape
    head = struct.pack("<IiiHHIIiiII", 40, width, -height, 1, 16, 3, words.nbytes, 2835, 2835, 0, 0)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    (tmp_path / "a.bmp").write_bytes(
        b"BM" + struct.pack("<IHHI", 66 + words.nbytes, 0, 0, 66) + head + masks + words.tobytes()
    )
    read, info = read_image(tmp_path / "a.bmp"), read_header(tmp_path / "a.bmp")
    assert (info.bit_depth, info.read_bit_depth, read.bit_depth) == (8, 8, 8)
    expected = np.stack([(red * 255 / 31), (green * 255 / 63), (blue * 255 / 31)], -1).reshape(height, width, 3)
    assert np.abs(read.pixels - expected).max() <= 1


@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize("bits", [4, 8])
def test_the_map_of_a_palette_tiff_may_have_8_bits(tmp_path, top, bits):
    colours = np.random.default_rng(2).integers(0, 256, (3, 2**bits))
    colours[0, 0] = 255  # else 8 bits and very dark 16 could not be told apart
    indices = np.random.default_rng(3).integers(0, 2**bits, (6, 8), dtype=np.uint8)
    image = Image.fromarray(indices)
    image = Image.frombytes("P", image.size, indices.tobytes())
    image.putpalette(colours.T.astype(np.uint8).tobytes())
    info = TiffImagePlugin.ImageFileDirectory_v2()
    file = io.BytesIO()
    image.save(file, "TIFF", tiffinfo=info)
    data = bytearray(file.getvalue())
    reopened = TiffImagePlugin.TiffImageFile(io.BytesIO(bytes(data)))
    written = struct.pack("<768H", *reopened.tag_v2[320])
    at = bytes(data).index(written)
    full = np.zeros((3, 256), int)
    full[:, : 2**bits] = colours
    data[at : at + len(written)] = struct.pack("<768H", *(full * (top // 255)).ravel().tolist())
    (tmp_path / "a.tif").write_bytes(bytes(data))
    assert np.array_equal(read_image(tmp_path / "a.tif").pixels, colours.T[indices].astype(np.uint8))


def test_cmyk_of_16_bits_is_told(tmp_path):
    inks = np.random.default_rng(0).integers(0, 65536, (8, 8, 4), dtype=np.uint16)
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in {256: 8, 257: 8, 258: (16,) * 4, 259: 1, 262: 5, 277: 4, 278: 8, 284: 1}.items():
        directory[tag] = value
    for tag, value in ((273, 0), (279, inks.nbytes)):
        directory.tagtype[tag] = 4
        directory[tag] = value
    file = io.BytesIO()
    directory.save(file)  # which counts the places of strips from the end of the directory
    (tmp_path / "a.tif").write_bytes(file.getvalue() + inks.tobytes())
    info, read = read_header(tmp_path / "a.tif"), read_image(tmp_path / "a.tif")
    assert (info.mode, info.bit_depth, info.read_bit_depth) == ("CMYK", 16, 8)
    told = [note.rpartition(": ")[2] for note in read.notes]
    assert told == ["its inks (CMYK) become RGB", "its 16 bits are read as 8"]


@pytest.mark.skipif(not header.has_avif(), reason="Pillow without AVIF")
@pytest.mark.parametrize(("form", "depth"), [("yuv420p", 8), ("yuv420p10le", 10)])
def test_the_depth_of_an_avif_is_its_own(tmp_path, form, depth):
    av = pytest.importorskip("av")
    if "libsvtav1" not in av.codecs_available or "avif" not in av.formats_available:
        pytest.skip("this PyAV writes no AVIF")
    with av.open(str(tmp_path / "a.avif"), "w", format="avif") as file:
        stream = file.add_stream("libsvtav1", rate=1)
        stream.width = stream.height = 64
        stream.pix_fmt = form
        frame = av.VideoFrame.from_ndarray(noise(64, 64), format="rgb24").reformat(format=form)
        file.mux([*stream.encode(frame), *stream.encode()])
    info, read = read_header(tmp_path / "a.avif"), read_image(tmp_path / "a.avif")
    assert (info.bit_depth, info.read_bit_depth) == (depth, 8)
    assert read.notes == (() if depth == 8 else (f"{tmp_path / 'a.avif'}: its {depth} bits are read as 8",))


@pytest.mark.parametrize(("mode", "depth"), [("1", 8), ("P", 8), ("L", 8), ("RGB", 8), ("I;16", 16)])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_the_depth_of_other_files(tmp_path, mode, depth, suffix):
    Image.new(mode, (4, 4)).save(tmp_path / f"a{suffix}")
    info = read_header(tmp_path / f"a{suffix}")
    assert (info.bit_depth, info.read_bit_depth) == (depth, depth)


# Kinds of files


def test_a_still_gif_is_read_and_becomes_a_png(tmp_path):
    image = Image.fromarray(noise()).quantize(32)
    image.save(tmp_path / "a.gif")
    assert np.array_equal(read_image(tmp_path / "a.gif").pixels, np.asarray(image.convert("RGB")))
    image.save(tmp_path / "b.gif", transparency=3)
    alpha = read_image(tmp_path / "b.gif").alpha
    assert np.array_equal(alpha == 0, np.asarray(image) == 3)
    assert read_header(tmp_path / "a.gif").format == "GIF"
    for name, suffix in (
        ("a.gif", ".png"),
        ("a.heic", ".png"),
        ("a.JPG", ".JPG"),
        ("a.what", ".png"),
        ("a.tif", ".tif"),
    ):
        assert written_image_suffix(tmp_path / name) == suffix
    with pytest.raises(LimnerError, match=r"images are written as one of .* got '\.gif'"):
        losses(tmp_path / "b.gif", read_image(tmp_path / "a.gif"))


@pytest.mark.parametrize(("form", "name"), [("GIF", "a.gif"), ("PNG", "a.png"), ("WEBP", "a.webp")])
def test_an_animation_is_one_clear_line(tmp_path, form, name):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / name, form, save_all=True, append_images=frames[1:])
    with pytest.raises(LimnerError, match=r"is an animation of 3 frames.*save a frame.*make a video.*ffmpeg"):
        read_image(tmp_path / name)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\0\0\0\x18ftyp3gp4" + bytes(40), r"is a video \(3GP\)"),
        (b"\0\0\0\x18ftypisom" + bytes(40), r"is a video \(MP4\)"),
        (b"\0\0\0\x18ftypqt  " + bytes(40), r"is a video \(MOV\)"),
        ((b"G" + bytes(187)) * 4, r"is a video \(MPEG transport stream\)"),
        (b"\x1aE\xdf\xa3" + bytes(40), r"is a video \(Matroska or WebM\)"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(40), r"is a video \(AVI\)"),
        (b"\0\0\1\xba" + bytes(40), r"is a video \(MPEG\)"),
        (b"%PDF-1.7", "is a PDF document"),
        (b"8BPS\0\1", "is a Photoshop document"),
        (b"\x08\x0a\x12\x07pytorch\x1a\x06", "is an ONNX network and no picture"),
        (b"\xff\x0a\xfa", "is a JPEG XL picture"),
        (b"<svg xmlns=", "SVG"),
        (b"<!DOCTYPE html><html>", "is a web page: fetch the picture"),
        (b"\xef\xbb\xbf\r\n<HTML>", "is a web page: fetch the picture"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(40), "is a raw photo of a camera: develop it"),
        (b"FUJIFILMCCD-RAW 0201", "is a raw photo of a camera: develop it"),
        (b"plain words", "is not an image that Limner reads"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(tmp_path, head, words):
    (tmp_path / "a.ts").write_bytes(head)
    for read in (read_image, read_header):
        with pytest.raises(LimnerError, match=words):
            read(tmp_path / "a.ts")


@pytest.mark.parametrize("kind", ["DNG", "NEF", "pages"])
def test_the_preview_of_a_raw_photo_is_not_taken_for_it(tmp_path, kind):
    told = TiffImagePlugin.ImageFileDirectory_v2()
    if kind == "DNG":
        told[50706] = bytes((1, 4, 0, 0))
    else:
        told[254] = 1
    if kind == "NEF":
        told[330] = 8
    preview = Image.fromarray(noise(12, 16))
    pages = {"save_all": True, "append_images": [Image.fromarray(noise())]} if kind == "pages" else {}
    preview.save(tmp_path / "a.tif", tiffinfo=told, **pages)
    for read in (read_image, read_header):
        with pytest.raises(LimnerError, match="is a raw photo of a camera: develop it, and save it as TIFF or JPEG"):
            read(tmp_path / "a.tif")


def test_a_reduced_picture_alone_is_a_picture(tmp_path):
    told = TiffImagePlugin.ImageFileDirectory_v2()
    told[254] = 1
    Image.fromarray(noise()).save(tmp_path / "a.tif", tiffinfo=told)
    assert (read_image(tmp_path / "a.tif").pixels == noise()).all()


# HEIC


def heic(path, pixels, *, depth=8, **options):
    pillow_heif = pytest.importorskip("pillow_heif")
    height, width = pixels.shape[:2]
    mode = {(8, 3): "RGB", (8, 4): "RGBA", (16, 3): "RGB;16", (16, 4): "RGBA;16"}[
        8 if depth == 8 else 16, pixels.shape[2]
    ]
    pillow_heif.from_bytes(mode, (width, height), pixels.tobytes()).save(path, quality=100, chroma=444, **options)
    return path


def ramps(channels=3):
    rows, columns = np.mgrid[:48, :64]
    return np.stack([4 * columns, 5 * rows, 255 - 2 * columns - 2 * rows, 255 - rows], -1)[..., :channels].astype(
        np.uint8
    )


@pytest.mark.parametrize("channels", [3, 4])
def test_heic_is_read(tmp_path, channels):
    read = read_image(heic(tmp_path / "a.heic", ramps(channels)))
    got = read.pixels if channels == 3 else np.dstack([read.pixels, read.alpha])
    assert np.abs(got.astype(int) - ramps(channels)).max() <= 8
    assert read_header(tmp_path / "a.heic").format == "HEIC"


def test_heic_of_10_bits_keeps_them(tmp_path):
    given = ramps().astype(np.uint16) * 257
    path = heic(tmp_path / "a.heic", given, depth=10)
    info, read = read_header(path), read_image(path)
    assert (info.bit_depth, info.read_bit_depth, read.bit_depth, read.notes) == (10, 16, 16, ())
    assert np.abs(read.pixels.astype(int) - given).max() <= 8 * 257
    assert len(np.unique(read.pixels[..., 0] & 63)) > 2  # what eight bits could not hold
    write_image(tmp_path / "b.png", read)
    assert np.array_equal(read_image(tmp_path / "b.png").pixels, read.pixels)


def test_white_of_10_bits_is_white(tmp_path):
    white = heic(tmp_path / "a.heic", np.full((32, 32, 3), 65535, np.uint16), depth=10)
    assert read_image(white).pixels.min() >= 65535 - 2 * 64


def test_heic_keeps_its_profile_and_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6
    read = read_image(heic(tmp_path / "a.heic", ramps(), exif=exif.tobytes(), icc_profile=SRGB))
    assert read.icc_profile == SRGB
    assert (read.height, read.width) in ((64, 48), (48, 64))


def test_heic_without_the_extra_names_it(tmp_path, monkeypatch):
    path = heic(tmp_path / "a.heic", ramps())
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(
        LimnerError,
        match=r"is a HEIC picture, which needs the heic extra: pip install '\.\[heic\]' in the folder",
    ):
        read_image(path)


def test_text_in_front_of_the_pixels_and_behind_is_kept(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "front")
    info.add_text("Author", "behind", zip=True)
    (tmp_path / "a.png").write_bytes(encoded("PNG", pnginfo=info))
    assert read_image(tmp_path / "a.png").text == {"Title": "front", "Author": "behind"}
