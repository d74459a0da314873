"""One bad file never stops the others, whatever it is called and whatever is wrong with it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.files import image as image_files
from limner.files.image import Picture, read_image, write_image
from limner.files.strips import open_strips
from limner.verbs.upscale.upscale import Upscaler

posix = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
NO_UTF_8 = [
    os.fsdecode(name)
    for name in (
        b"caf\xe9.png",
        b"\xff\xfe.png",
        b"a\xf0\x9f.png",
        "żółw-\udc80.png".encode("utf-8", "surrogateescape"),
    )
]


def drawn_at(path: Path) -> Path:
    write_image(path, Picture(np.random.default_rng(0).integers(0, 256, (16, 20, 3), dtype=np.uint8)))
    return path


@posix
@pytest.mark.parametrize("name", NO_UTF_8, ids=ascii)
def test_names_that_are_no_utf_8_are_worked_on_and_printed_as_their_bytes(place: Path, tiny: Path, name: str) -> None:
    drawn_at(Path(name))
    code = "import sys; from limner.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "upscale", name, "--model", str(tiny)]
    done = subprocess.run(command, capture_output=True, check=False)
    result = os.fsencode(Path(name).stem + "_x2_tiny.png")
    assert (done.returncode, done.stdout) == (0, result + b"  40x32\n")
    assert read_image(os.fsdecode(result)).width == 40


@posix
@pytest.mark.parametrize("name", NO_UTF_8, ids=ascii)
def test_json_of_names_that_are_no_utf_8_gives_the_names_back(
    place: Path, limner: Callable, tiny: Path, name: str
) -> None:
    drawn_at(Path(name))
    done = limner("upscale", name, "--model", tiny, "--json")
    (one,) = json.loads(done.out.encode("utf-8"))["files"]
    assert (one["source"], os.fsencode(one["output"])) == (name, os.fsencode(Path(name).stem + "_x2_tiny.png"))
    failed = limner("upscale", name, "no" + name, "--model", tiny, "--json", "--force")
    assert json.loads(failed.out.encode("utf-8"))["failed"][0]["source"] == "no" + name
    assert json.loads(limner("info", name, "--json").out.encode("utf-8"))["file"] == name


@posix
@pytest.mark.parametrize("length", [255, 252, 249])
@pytest.mark.parametrize("letter", ["a", "é", "猫"])
def test_a_result_may_have_the_longest_name(
    place: Path, limner: Callable, tiny: Path, length: int, letter: str
) -> None:
    stem = (letter * 255).encode()[: length - 4].decode(errors="ignore")
    photo, target = drawn_at(Path("photo.png")), f"{stem}.png"
    assert limner("upscale", photo, "--model", tiny, "--output", target).code == 0
    assert sorted(path.name for path in Path().iterdir()) == sorted(["photo.png", target])
    assert read_image(target).width == 40


@posix
def test_a_name_that_the_file_system_does_not_take_stops_no_other_file(
    place: Path, limner: Callable, tiny: Path
) -> None:
    names = ["a" * 251 + ".png", "b.png", "c" * 249 + ".png", "d" * 243 + ".png"]
    for name in names:
        drawn_at(Path(name))
    done = limner("upscale", *names, "--model", tiny)
    assert done.code == 1
    assert done.out.splitlines() == ["b_x2_tiny.png  40x32", "d" * 243 + "_x2_tiny.png  40x32"]
    *failed, summary = done.err.splitlines()
    assert [line.count("more than the file system takes: name a shorter output") for line in failed] == [
        1,
        1,
    ]
    assert summary == "2 of 4 pictures are enlarged"
    assert limner("upscale", names[0], "--model", tiny).code == 2


@posix
@pytest.mark.parametrize("name", [*NO_UTF_8, "a[1].png", "b[page=2].png", "x" * 251 + ".png"], ids=ascii)
def test_strips_are_read_whatever_the_file_is_called(place: Path, name: str) -> None:
    pytest.importorskip("pyvips")
    picture = Picture(np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8))
    write_image(name, picture)
    with open_strips(name, memory=400_000) as reader:
        assert np.array_equal(reader.read(0, 300).pixels, picture.pixels)
        assert type(reader).__name__ == "StreamReader"


@pytest.mark.parametrize(
    "error",
    [
        AttributeError("no name"),
        RecursionError("too deep"),
        MemoryError(),
        UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed"),
        OSError(5, "Input/output error"),
        KeyError("x"),
        AssertionError(),
        SystemError("codec"),
        StopIteration(),
    ],
)
@pytest.mark.parametrize("stage", ["num_pixels", "read", "work", "write"])
def test_whatever_goes_wrong_with_one_file_is_its_line(
    place: Path, limner: Callable, tiny: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, stage: str
) -> None:
    def failing(function: Callable, is_bad: Callable[..., bool]) -> Callable:
        def call(*arguments: object, **options: object) -> object:
            if is_bad(*arguments):
                raise error
            return function(*arguments, **options)

        return call

    for name, side in (("a", 16), ("b", 17), ("c", 16)):
        write_image(f"{name}.png", Picture(np.zeros((side, 20, 3), np.uint8)))
    by_name = lambda path, *others: Path(path).stem[0] == "b"  # noqa: E731
    match stage:
        case "num_pixels":
            monkeypatch.setattr("limner.media.inputs.read_header", failing(image_files.read_header, by_name))
            monkeypatch.setattr("limner.media.many_files.read_image", failing(read_image, by_name))
        case "read":
            monkeypatch.setattr("limner.media.many_files.read_image", failing(read_image, by_name))
        case "work":
            own = Upscaler.enlarge_picture
            monkeypatch.setattr(Upscaler, "enlarge_picture", failing(own, lambda self, one, *rest: one.height == 17))
        case "write":
            monkeypatch.setattr("limner.media.many_files.write_image", failing(write_image, by_name))
    done = limner("upscale", "a.png", "b.png", "c.png", "--model", tiny)
    assert (done.code, done.out.splitlines()) == (1, ["a_x2_tiny.png  40x32", "c_x2_tiny.png  40x32"])
    line, summary = done.err.splitlines()
    assert line.startswith("error: ")
    assert summary == "2 of 3 pictures are enlarged"
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["upscale", "stylize"])
def test_a_video_that_breaks_its_reader_stops_no_photo(
    place: Path, limner: Callable, tiny: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise AttributeError("'AudioStream' object has no attribute 'name'")

    monkeypatch.setattr("limner.media.inputs.open_video", broken)
    monkeypatch.setattr("limner.media.video_frames.open_video", broken)
    drawn_at(Path("a.png"))
    Path("b.mp4").write_bytes(b"x")
    drawn_at(Path("c.png"))
    model = ["--model", str(tiny)] if command == "upscale" else ["--style", "ochre-oil"]
    done = limner(command, "a.png", "b.mp4", "c.png", *model)
    assert done.code == 1
    assert len(done.out.splitlines()) == 2
    assert any(line.startswith("2 of 3 ") for line in done.err.splitlines())


SIZES = [(1, 1), (1, 2), (2, 1), (1, 4), (4, 1), (2, 2), (3, 3), (2, 3), (4, 4)]


@pytest.mark.parametrize(
    "command",
    [
        ("upscale",),
        ("upscale", "--scale", "3"),
        ("upscale", "--scale", "8"),
        ("stylize", "--style", "ochre-oil"),
        ("stylize", "--style", "style.png", "--quick"),
    ],
)
def test_the_smallest_pictures_are_worked_on_beside_others(
    place: Path, limner: Callable, command: tuple[str, ...]
) -> None:
    Path("small").mkdir()
    Image.effect_noise((64, 48), 90).convert("RGB").save("style.png")
    for mode in ("L", "RGB", "RGBA"):
        for width, height in SIZES:
            Image.new(mode, (width, height), 100).save(f"small/{mode}{width}x{height}.png")
    scale = int(command[-1]) if "--scale" in command else 2 if command[0] == "upscale" else 1
    done = limner(command[0], "small", *command[1:], "--output", "out/")
    assert done.code == 0, done.err
    results = sorted(Path("out").iterdir())
    assert len(results) == 3 * len(SIZES)
    for result in results:
        mode_and_size = result.stem.split("_")[0].lstrip("LRGBA")
        width, height = map(int, mode_and_size.split("x"))
        assert (read_image(result).width, read_image(result).height) == (scale * width, scale * height)


BOMB = (50_000, 50_000)


@pytest.fixture
def bomb(place: Path) -> Path:
    """A picture of 2.5 thousand million pixels by its header, which is all of it that may be read."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", *BOMB, 8, 0, 0, 0, 0)
    path = place / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["upscale", "BOMB", "--model", "TINY"],
        ["upscale", "BOMB", "--model", "TINY", "--memory", "2GB"],
        ["stylize", "BOMB", "--style", "ochre-oil"],
        ["stylize", "BOMB", "--style", "ochre-oil", "--memory", "2GB"],
        ["stylize", "BOMB", "--style", "starry-night", "--method", "adain"],
        ["stylize", "BOMB", "--style", "starry-night", "--method", "gatys"],
        ["stylize", "PHOTO", "--style", "BOMB", "--method", "adain"],
        ["stylize", "PHOTO", "--style", "BOMB", "--method", "gatys"],
        ["stylize-video", "BOMB", "--style", "ochre-oil"],
        ["restore", "denoise", "BOMB"],
        ["restore", "upscale", "BOMB"],
        ["restore", "inpaint", "PHOTO", "--mask", "BOMB"],
        ["texture", "BOMB"],
        ["invert", "BOMB"],
    ],
)
def test_a_small_file_of_many_pixels_is_refused_by_every_command_at_once(
    bomb: Path, limner: Callable, tiny: Path, command: list[str]
) -> None:
    words = {"BOMB": str(bomb), "TINY": str(tiny), "PHOTO": str(drawn_at(Path("photo.png")))}
    done = limner(*(words.get(word, word) for word in command))
    assert done.code == 2
    assert "bomb.png: has 50000x50000 = 2500000000 pixels, and at most 178956970 are read" in done.error


def test_the_limit_holds_in_strips_and_in_folders(place: Path, limner: Callable, tiny: Path, bomb: Path) -> None:
    Path("photos").mkdir()
    shutil.copy(bomb, "photos/b.png")
    drawn_at(Path("photos/a.png"))
    drawn_at(Path("photos/c.png"))
    for command in (["upscale", "photos", "--model", tiny], ["stylize", "photos", "--style", "ochre-oil"]):
        done = limner(*command, "--output", f"{command[0]}/")
        assert (done.code, len(done.out.splitlines())) == (1, 2)
        assert "at most 178956970 are read" in done.err
    done = limner("stylize", "photos/a.png", "--style", "ochre-oil", "--max-pixels", "319", "--output", "d.png")
    assert "has 20x16 = 320 pixels, and at most 319 are read" in done.error
    assert (
        limner("stylize", "photos/a.png", "--style", "ochre-oil", "--max-pixels", "320", "--output", "d.png").code == 0
    )


@pytest.mark.parametrize("command", [["upscale", "--scale", 2], ["invert", "--quick", "--steps", 1, "--size", 16]])
def test_names_that_give_nothing_are_told_and_the_others_done(
    place: Path, limner: Callable, tiny: Path, command: list[object]
) -> None:
    drawn_at(Path("a.png"))
    Path("empty").mkdir()
    model = ["--model", tiny] if command[0] == "upscale" else []
    done = limner(*command, *model, "gone/*.png", "a.png", "empty", "gone.png", "-o", "out/")
    assert (done.code, [path.suffix for path in Path("out").iterdir()]) == (1, [".png"])
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert [line.split(":")[1].strip() for line in errors] == ["gone/*.png", "empty", "gone.png"]
    assert "1 of 4 pictures are" in done.err
    assert not Path("gone").exists()
    assert limner(*command, *model, "gone/*.png", "gone.png").code == 1


@posix
@pytest.mark.parametrize(
    "command", [["upscale"], ["segment", "--model", "nuclei"], ["texture"], ["learn-style"]], ids=str
)
@pytest.mark.parametrize("name", ["pipe.png", "pipe.mp4"])
def test_a_pipe_is_refused_at_once_and_not_waited_for(
    place: Path, limner: Callable, command: list[str], name: str
) -> None:
    os.mkfifo(name)
    done = limner(*command, name)
    assert (done.code, done.error) == (2, f"{name}: is no ordinary file: save it as one first")


@posix
def test_a_pipe_beside_photos_and_as_weights_stops_nothing(place: Path, limner: Callable, tiny: Path) -> None:
    os.mkfifo("pipe.png")
    os.mkfifo("pipe.safetensors")
    drawn_at(Path("a.png"))
    done = limner("upscale", "pipe.png", "a.png", "--model", tiny)
    assert (done.code, done.out) == (1, "a_x2_tiny.png  40x32\n")
    assert "no ordinary file" in limner("upscale", "a.png", "--model", "pipe.safetensors").error


CONTROLS = {"a\nb": "a\\nb", "\x1b[31mred": "\\x1b[31mred", "\u202egnp": "\\u202egnp", "tab\t": "tab\\t"}


@posix
@pytest.mark.parametrize("stem", CONTROLS, ids=ascii)
def test_names_that_a_terminal_would_act_upon_are_one_line_that_is_shown(
    place: Path, limner: Callable, tiny: Path, stem: str
) -> None:
    drawn_at(Path(f"{stem}.png"))
    planned = limner("upscale", f"{stem}.png", "--model", tiny, "--dry-run")
    assert planned.out.splitlines()[0] == f"{CONTROLS[stem]}.png -> {CONTROLS[stem]}_x2_tiny.png"
    done = limner("upscale", f"{stem}.png", "--model", tiny)
    assert done.out == f"{CONTROLS[stem]}_x2_tiny.png  40x32\n"
    assert read_image(f"{stem}_x2_tiny.png").width == 40
    told = limner("info", f"{stem}.png").out
    assert f"file: {CONTROLS[stem]}.png" in told.splitlines()
    Path("bad\x1b[2J.png").write_bytes(b"none")
    assert limner("info", "bad\x1b[2J.png").error.startswith("bad\\x1b[2J.png: ")


@pytest.mark.parametrize(
    "words", [["upscale", ""], ["upscale", "a.png", "-o", ""], ["upscale", "a.png", "--output="], ["info", "--", ""]]
)
def test_an_empty_word_is_no_folder(place: Path, limner: Callable, words: list[str]) -> None:
    drawn_at(Path("a.png"))
    done = limner(*words)
    assert done.code == 2
    assert "'' is empty: give a value, or leave it out" in done.error
    assert [path.name for path in place.iterdir()] == ["a.png"]
