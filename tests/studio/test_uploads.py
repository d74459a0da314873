"""Files that are sent: what is taken, what is refused in one line, and what they are called here."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.studio.conftest import png

from limner.errors import LimnerError
from limner.studio.uploads import Sent, by_field, check_styles, clean_name, decoded, keep
from limner.studio.verbs import find_verb

UPSCALE, STYLIZE, INPAINT = find_verb("upscale"), find_verb("stylize"), find_verb("restore-inpaint")


def sent(data: bytes, field: str = "picture", was: str = "a.png") -> Sent:
    return Sent(field, was, io.BytesIO(data))


def bomb(width: int = 100_000, height: int = 100_000) -> bytes:
    """A PNG of few bytes that says it has very many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def animation() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("L", (8, 8), value) for value in (0, 255)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello", "is not an image that Limner reads"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"<?xml version='1.0'?><svg/>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"GIF89a", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"PK\x03\x04", "is not an image"),
        (b"\x7fELF", "is not an image"),
        (bomb(), "100000x100000 pixels"),
        (animation(), "animation"),
        (png()[:40], "damaged"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(LimnerError) as error:
        keep(UPSCALE, [sent(data)], tmp_path, max_pixels=10**6)
    assert words in str(error.value) and "\n" not in str(error.value) and "Traceback" not in str(error.value)
    assert not list(tmp_path.iterdir())


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"BM"])
)
def test_bytes_of_chance_are_a_picture_or_refused(tmp_path_factory, data: bytes, head: bytes) -> None:
    folder = tmp_path_factory.mktemp("sent")
    try:
        keep(UPSCALE, [sent(head + data)], folder, max_pixels=10**6)
    except LimnerError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("was", "name"),
    [
        ("My Holiday (3).JPG", "my-holiday-3.png"),
        ("../../etc/passwd", "passwd.png"),
        ("..", "picture.png"),
        ("con.png", "picture.png"),
        ("-rf.png", "rf.png"),
        ("солнце.png", "picture.png"),
        ("a" * 300 + ".png", "a" * 40 + ".png"),
        ("a\0b.png", "a-b.png"),
        ("", "picture.png"),
    ],
)
def test_names_are_letters_of_theirs(tmp_path: Path, was: str, name: str) -> None:
    (kept,) = keep(UPSCALE, [sent(png(), was=was)], tmp_path, max_pixels=10**6)
    assert kept["name"] == name and [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == png()
    assert (kept["width"], kept["height"]) == (24, 16)


def test_one_name_twice_is_two_files(tmp_path: Path) -> None:
    kept = keep(UPSCALE, [sent(png(), was="a.png"), sent(png(seed=1), was="a.png")], tmp_path, max_pixels=10**6)
    assert [one["name"] for one in kept] == ["a.png", "a-2.png"]
    assert (tmp_path / "a-2.png").read_bytes() == png(seed=1)


def test_a_style_is_not_called_as_another(tmp_path: Path) -> None:
    files = [sent(png(), was="b.png"), sent(png(), "style", "mosaic.png")]
    kept = keep(STYLIZE, files, tmp_path, max_pixels=10**6, taken=["mosaic"])
    assert [one["name"] for one in kept] == ["b.png", "mosaic-2.png"]


@pytest.mark.parametrize(
    ("verb", "files", "words"),
    [
        (UPSCALE, [], "needs a picture"),
        (UPSCALE, [sent(png(), "pictur")], "did you mean picture"),
        (INPAINT, [sent(png())], "needs a mask"),
        (INPAINT, [sent(png()), sent(png(), "mask"), sent(png(), "mask")], "takes mask once"),
        (UPSCALE, [sent(png())] * 201, "200 times at most"),
        (STYLIZE, [sent(b"\0\0\0\x18ftypmp42" + b"\0" * 20)], "is a video"),
        (find_verb("stylize-video"), [sent(png(), "video")], "is no video"),
    ],
)
def test_what_a_verb_does_not_take_is_refused(tmp_path: Path, verb, files: list[Sent], words: str) -> None:
    with pytest.raises(LimnerError, match=words):
        keep(verb, files, tmp_path, max_pixels=10**6)


def test_a_video_is_taken_where_videos_are(tmp_path: Path) -> None:
    (kept,) = keep(UPSCALE, [sent(b"\0\0\0\x18ftypqt  " + b"\0" * 20)], tmp_path, max_pixels=1)
    assert kept["name"] == "a.mov" and kept["kind"] == "video"


def test_styles_are_names_or_the_number_of_a_file() -> None:
    kept = [{"name": name, "field": "style"} for name in ("one.png", "two.png")]
    kept += [{"name": name, "field": "picture"} for name in ("a.png", "b.png")]
    found = by_field(STYLIZE, kept, ["mosaic:0.3", "@2:0.5"])
    assert found == {"photos": ["a.png", "b.png"], "styles": ["mosaic:0.3", "two.png:0.5", "one.png"]}
    for wrong in ("@3", "@0", "@x"):
        with pytest.raises(LimnerError, match="was sent"):
            by_field(STYLIZE, kept, [wrong])


@pytest.mark.parametrize("style", ["/etc/passwd", "mosaik", "mosaic:x", "", "mosaic:1:2", "../mosaic"])
def test_an_unknown_style_is_refused(style: str) -> None:
    check_styles(["mosaic", "mosaic:0.5", "@1"], ["mosaic"])
    with pytest.raises(LimnerError, match="there is no style"):
        check_styles([style], ["mosaic"])


def test_base64_may_be_a_data_address() -> None:
    assert decoded("picture", "aGk=") == decoded("picture", "data:image/png;base64,aGk=") == b"hi"
    for wrong in ("a", "h€", 3, None, ["aGk="]):
        with pytest.raises(LimnerError, match="base64"):
            decoded("picture", wrong)


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_gray_and_transparent_pictures_are_taken(tmp_path: Path, mode: str) -> None:
    (kept,) = keep(UPSCALE, [sent(png(mode=mode))], tmp_path, max_pixels=10**6)
    assert np.asarray(Image.open(tmp_path / kept["name"])).shape[:2] == (16, 24)


def test_names_are_shown_without_places_and_signs() -> None:
    assert clean_name("C:\\Users\\me\\a<b>.png") == "ab.png"
    assert clean_name(None) == clean_name("/") == clean_name("..") == ""
    assert len(clean_name("a" * 500)) == 80
