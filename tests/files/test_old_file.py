"""Metadata that describes the file that was: it is brought up to date, or left out and told."""

import io
import struct

import numpy as np
import pytest
from PIL import ExifTags, Image

from limner.files.exif import as_upright, orientation_of, with_size, without_thumbnail
from limner.files.image import Picture, losses, read_image, write_image
from limner.files.xmp import about_the_picture

TAGS, GPS = ExifTags.Base, ExifTags.IFD.GPSInfo


def jpeg_bytes(colour, size=(32, 24)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


def exif_of_camera(order="<", *, kind=4, thumbnail=True, orientation=6, tail=b""):
    """By hand: orientation, sides in both directories, a maker's note, and a thumbnail at the end."""
    small, note = jpeg_bytes("red"), b"\x01\x02as the maker wrote it"

    def number(tag, value):
        inline = struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value)
        return struct.pack(order + "HHI", tag, kind, 1) + inline

    first = 8 + 2 + 12 * 4 + 4
    second = first + 2 + 12 * 3 + 4
    after = second + len(note)
    block = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    block += struct.pack(order + "H", 4) + number(0x100, 640) + number(0x101, 480)
    block += struct.pack(order + "HHIHH", 0x112, 3, 1, orientation, 0) + struct.pack(
        order + "HHII", 0x8769, 4, 1, first
    )
    block += struct.pack(order + "I", after if thumbnail else 0)
    block += struct.pack(order + "H", 3) + struct.pack(order + "HHII", 0x927C, 7, len(note), second)
    block += number(0xA002, 640) + number(0xA003, 480) + struct.pack(order + "I", 0) + note
    if thumbnail:
        begin = after + 2 + 12 * 3 + 4
        block += struct.pack(order + "H", 3) + struct.pack(order + "HHIHH", 0x103, 3, 1, 6, 0)
        block += struct.pack(order + "HHII", 0x201, 4, 1, begin) + struct.pack(order + "HHII", 0x202, 4, 1, len(small))
        block += struct.pack(order + "I", 0) + small
    return b"Exif\0\0" + block + tail


def sides_in(exif):
    found = Image.Exif()
    found.load(exif)
    inner = found.get_ifd(ExifTags.IFD.Exif)
    return found.get(TAGS.ImageWidth), found.get(TAGS.ImageLength), inner.get(0xA002), inner.get(0xA003)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [3, 4])
def test_the_sides_are_those_of_the_result(order, kind):
    exif = exif_of_camera(order, kind=kind)
    assert sides_in(with_size(exif, 1280, 960)) == (1280, 960, 1280, 960)
    assert sides_in(with_size(exif, 70_000, 5)) == (70_000, 5, 70_000, 5)
    changed = with_size(exif, 1280, 960)
    assert len(changed) == len(exif)
    assert b"as the maker wrote it" in changed


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("tail", [b"", bytes(40), b"what no tag names"])
def test_no_thumbnail_is_left(order, tail):
    exif = exif_of_camera(order, tail=tail)
    without = without_thumbnail(exif)
    assert jpeg_bytes("red")[:40] not in without
    assert jpeg_bytes("red")[-40:] not in without
    found = Image.Exif()
    found.load(without)
    assert not found.get_ifd(ExifTags.IFD.IFD1)
    assert b"as the maker wrote it" in without
    assert sides_in(without) == (640, 480, 640, 480)
    assert without_thumbnail(without) == without


def test_a_block_without_a_thumbnail_stays_as_it_is():
    exif = exif_of_camera(thumbnail=False)
    assert without_thumbnail(exif) == exif


def test_a_thumbnail_in_front_of_other_values_is_cleared_and_these_stay():
    """Some writers put the thumbnail first; nothing may move then."""
    exif = Image.Exif()
    exif[TAGS.Artist] = "a name that takes more than four bytes"
    block = b"Exif\0\0" + exif.tobytes()[6:]
    small = jpeg_bytes("red")
    first = struct.unpack_from("<I" if block[6:8] == b"II" else ">I", block, 10)[0]
    order = "<" if block[6:8] == b"II" else ">"
    count = struct.unpack_from(order + "H", block, 6 + first)[0]
    # thumbnail's directory and data behind everything, and then one value more, as if moved behind them
    at = len(block) - 6
    directory = struct.pack(order + "H", 2) + struct.pack(order + "HHII", 0x201, 4, 1, at + 30)
    directory += struct.pack(order + "HHII", 0x202, 4, 1, len(small)) + struct.pack(order + "I", 0)
    moved = b"a name that takes more than four bytes\0"
    whole = bytearray(block + directory + small + moved)
    whole[6 + first + 2 + 12 * count : 6 + first + 6 + 12 * count] = struct.pack(order + "I", at)
    for entry in range(6 + first + 2, 6 + first + 2 + 12 * count, 12):
        if struct.unpack_from(order + "H", whole, entry)[0] == TAGS.Artist:
            whole[entry + 8 : entry + 12] = struct.pack(order + "I", at + 30 + len(small))
    cleared = without_thumbnail(bytes(whole))
    found = Image.Exif()
    found.load(cleared)
    assert found[TAGS.Artist] == "a name that takes more than four bytes"
    assert small[:40] not in cleared
    assert len(cleared) == len(whole)


@pytest.mark.parametrize("end", range(0, 200, 3))
def test_a_block_that_is_cut_short_raises_nothing(end):
    exif = exif_of_camera()[:end]
    assert len(as_upright(exif)) == len(exif)
    assert isinstance(with_size(without_thumbnail(exif), 3, 4), bytes)
    assert 1 <= orientation_of(exif) <= 8


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_a_turned_photo_is_written_with_its_own_sides_and_no_thumbnail(tmp_path, suffix):
    Image.new("RGB", (640, 480)).save(tmp_path / "a.jpg", exif=exif_of_camera())
    read = read_image(tmp_path / "a.jpg")
    assert (read.width, read.height) == (480, 640)
    large = Picture(np.zeros((30, 20, 3), np.uint8), exif=read.exif)
    write_image(tmp_path / f"b{suffix}", large)
    back = read_image(tmp_path / f"b{suffix}").exif
    assert sides_in(back)[2:] == (20, 30)
    assert jpeg_bytes("red")[-60:] not in (tmp_path / f"b{suffix}").read_bytes()
    assert orientation_of(back) == 1


def packet(inside, names=""):
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        f'xmlns:exif="http://ns.adobe.com/exif/1.0/" {names} xmp:Rating="5">{inside}</rdf:Description>'
        f"</rdf:RDF></x:xmpmeta>"
    ).encode()


def written(tmp_path, xmp, suffix=".jpg"):
    """A file with a packet, read, and the result of twice its sides read back."""
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg", xmp=xmp)
    read = read_image(tmp_path / "a.jpg")
    result = Picture(np.zeros((12, 16, 3), np.uint8), xmp=read.xmp)
    write_image(tmp_path / f"b{suffix}", result)
    return read.notes, read_image(tmp_path / f"b{suffix}").xmp


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize(
    "xmp",
    [
        packet("", 'tiff:Orientation="6" exif:PixelXDimension="8" exif:PixelYDimension="6" tiff:ImageWidth="8"'),
        packet("<tiff:Orientation>6</tiff:Orientation><exif:PixelXDimension>8</exif:PixelXDimension>"
               "<exif:PixelYDimension>6</exif:PixelYDimension><tiff:ImageWidth>8</tiff:ImageWidth>"),
        packet("", "tiff:Orientation = '6' exif:PixelXDimension= '8' exif:PixelYDimension ='6' tiff:ImageWidth='8'"),
    ],
)  # fmt: skip
def test_xmp_tells_the_sides_of_the_result(tmp_path, xmp, suffix):
    notes, after = written(tmp_path, xmp, suffix)
    plain = after.replace(b" ", b"").replace(b'"', b"").replace(b"'", b"").replace(b">", b"=")
    for expected in (b"Orientation=1", b"PixelXDimension=16", b"PixelYDimension=12", b"ImageWidth=16"):
        assert expected in plain
    assert notes == ()


CONTAINER = (
    'xmlns:C="http://ns.google.com/photos/1.0/container/" xmlns:I="http://ns.google.com/photos/1.0/container/item/"'
)
ITEMS = (
    '<C:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><C:Item I:Semantic="Primary" I:Mime="image/jpeg"/></rdf:li>'
    '<rdf:li rdf:parseType="Resource"><C:Item I:Semantic="{}" I:Length="343"/></rdf:li></rdf:Seq></C:Directory>'
)


@pytest.mark.parametrize(
    ("xmp", "lost"),
    [
        (packet(ITEMS.format("GainMap"), CONTAINER + ' xmlns:h="http://ns.adobe.com/hdr-gain-map/1.0/" h:Version="1.0"'),
         "gain map"),
        (packet("<h:GainMapMax>2</h:GainMapMax>", 'xmlns:h="http://ns.adobe.com/hdr-gain-map/1.0/"'), "gain map"),
        (packet("", 'xmlns:A="http://ns.apple.com/HDRGainMap/1.0/" A:HDRGainMapVersion="65536"'), "gain map"),
        (packet(ITEMS.format("MotionPhoto"), CONTAINER + ' xmlns:G="http://ns.google.com/photos/1.0/camera/" '
                'G:MotionPhoto="1" G:MotionPhotoVersion="1"'), "motion photo"),
        (packet("", 'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/" GDepth:Data="AAAA"'), "depth"),
        (packet("", 'xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="0123"'), "further XMP"),
    ],
)  # fmt: skip
def test_xmp_that_speaks_of_other_parts_of_the_file_goes_with_them_and_is_told(tmp_path, xmp, lost):
    notes, after = written(tmp_path, xmp)
    assert notes == (f"{tmp_path / 'a.jpg'}: its {lost} is left out",)
    for word in (b"GainMap", b"MotionPhoto", b"Directory", b"GDepth", b"HasExtendedXMP", b"Version", b"container"):
        assert word not in after
    assert b'xmp:Rating="5"' in after


def test_small_pictures_in_xmp_are_not_those_of_the_result(tmp_path):
    xmp = packet('<xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType="Resource"><g:image>/9j/4AAQ</g:image></rdf:li></rdf:Alt>'
                 "</xmp:Thumbnails>", 'xmlns:g="http://ns.adobe.com/xap/1.0/g/img/"')  # fmt: skip
    _, after = written(tmp_path, xmp)
    assert b"Thumbnails" not in after
    assert b"/9j/" not in after
    assert b'xmp:Rating="5"' in after


def test_other_xmp_stays_byte_for_byte(tmp_path):
    xmp = packet("<xmp:Label>über &amp; drüber</xmp:Label>")
    assert written(tmp_path, xmp) == ((), xmp)
    assert about_the_picture(b"no xml at all").packet == b"no xml at all"


def test_further_pictures_of_a_phone_are_told(tmp_path):
    mpf = b"\xff\xe2" + struct.pack(">H", 2 + 4 + 60) + b"MPF\0" + b"MM\0*\0\0\0\x08" + bytes(52)
    data = jpeg_bytes("gray")
    (tmp_path / "a.jpg").write_bytes(data[:20] + mpf + data[20:])
    assert "further pictures" in read_image(tmp_path / "a.jpg").notes[0]


def test_iptc_records_are_told(tmp_path):
    resources = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", 12) + b"\x1c\x02\x78\0\x07caption"
    data = jpeg_bytes("gray")
    app13 = b"\xff\xed" + struct.pack(">H", 2 + len(resources)) + resources
    (tmp_path / "a.jpg").write_bytes(data[:20] + app13 + data[20:])
    assert read_image(tmp_path / "a.jpg").notes == (f"{tmp_path / 'a.jpg'}: its IPTC records are left out",)


@pytest.mark.parametrize(
    ("given", "suffix", "lost"),
    [
        ({"xmp": packet("x" * 66_000)}, ".jpg", ["its XMP is left out, for it has 66,"]),
        ({"exif": exif_of_camera() + bytes(66_000)}, ".jpg", ["its EXIF is left out"]),
        (
            {"comment": b"c" * 70_000},
            ".jpg",
            ["its comment is left out, for it has 70,000 bytes, and JPEG holds 65,533"],
        ),
        ({"text": {"Title": "t"}}, ".jpg", ["its texts are left out, for JPEG has no place for them"]),
        ({"text": {"Title": "t"}}, ".tif", ["its texts are left out"]),
        ({"comment": b"c"}, ".webp", ["its comment is left out, for WebP has no place for it"]),
        ({"xmp": packet("x"), "exif": exif_of_camera()}, ".bmp", ["its EXIF is left out", "its XMP is left out"]),
        ({"xmp": packet("x" * 66_000), "exif": exif_of_camera(orientation=1), "text": {"a": "b"}}, ".png", []),
        ({"xmp": packet("x" * 66_000), "exif": exif_of_camera(orientation=1)}, ".tif", []),
        ({"xmp": packet("x" * 66_000), "exif": exif_of_camera(orientation=1)}, ".webp", []),
        ({"comment": b"c"}, ".jpg", []),
    ],
)
def test_what_a_format_cannot_hold_is_told_before_and_is_no_error_after(tmp_path, given, suffix, lost):
    picture = Picture(np.zeros((4, 5, 3), np.uint8), **given)
    notes = losses(tmp_path / f"a{suffix}", picture)
    assert len(notes) == len(lost)
    for note, words in zip(notes, lost, strict=True):
        assert note.startswith(f"{tmp_path / f'a{suffix}'}: {words}")
    write_image(tmp_path / f"a{suffix}", picture)
    assert read_image(tmp_path / f"a{suffix}").width == 5


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp", ".png", ".tif"])
def test_depth_that_a_format_does_not_hold_is_told(tmp_path, suffix):
    deep = Picture(np.zeros((4, 5, 3), np.uint16))
    told = [note for note in losses(tmp_path / f"a{suffix}", deep) if "its 16 bits are rounded to 8" in note]
    assert len(told) == (suffix not in (".png", ".tif"))


def test_the_comment_of_a_jpeg_becomes_a_text_of_a_png(tmp_path):
    write_image(tmp_path / "a.png", Picture(np.zeros((4, 5, 3), np.uint8), comment="größer".encode()))
    assert read_image(tmp_path / "a.png").text == {"Comment": "größer"}
