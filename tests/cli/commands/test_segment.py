"""`limner segment` by a network whose classes are known, and `limner.segment` beside it."""

import csv
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from tests.segmenters import COLORS, bordered_parts, bright_parts

import limner as package
from limner.errors import LimnerError
from limner.verbs.segment import segment_file

PIXELS = np.zeros((20, 30), np.uint8)
PIXELS[2:6, 3:9], PIXELS[10:18, 20:27] = 200, 255
ALL = ("--overlay", "--objects", "--contours", "svg", "--probabilities")
NAMES = ["a_classes.png", "a_contours.svg", "a_objects.csv", "a_objects.png", "a_overlay.png", "a_probabilities.tif"]


@pytest.fixture
def model(place: Path) -> str:
    return bright_parts(place / "bright.safetensors")


def photo(path: Path, pixels: np.ndarray = PIXELS, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(pixels).convert(mode).save(path)
    return path


def names_in(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def pixels_of(path: str | Path) -> np.ndarray:
    with PillowImage.open(path) as picture:
        return np.array(picture)


def test_the_classes_are_written_beside_the_photo(limner: Callable, model: str, place: Path) -> None:
    photo(place / "a.png")
    done = limner("segment", "a.png", "--model", model)
    assert done.code == 0, done.err
    assert done.out == "a_classes.png  30x20\n"
    assert np.array_equal(pixels_of("a_classes.png"), PIXELS > 127)
    with PillowImage.open("a_classes.png") as picture:
        assert picture.getpalette()[:6] == [*COLORS[0], *COLORS[1]]  # type: ignore[index]
    assert "already there" in limner("segment", "a.png", "--model", model).error


def test_all_that_can_be_written_is(limner: Callable, model: str, place: Path) -> None:
    photo(place / "a.png")
    done = limner("segment", "a.png", "--model", model, "-o", "out/", "--json", *ALL)
    assert done.code == 0, done.err
    assert names_in("out") == NAMES
    numbers = np.zeros((20, 30), int)
    numbers[2:6, 3:9], numbers[10:18, 20:27] = 1, 2
    assert np.array_equal(pixels_of("out/a_objects.png"), numbers)
    with Path("out/a_objects.csv").open(newline="") as file:
        rows = [list(row.values()) for row in csv.DictReader(file)]
    assert rows == [
        ["1", "bright", "24", "5.5", "3.5", "0.784314"], ["2", "bright", "56", "23.0", "13.5", "1.0"],
    ]  # fmt: skip
    shown = pixels_of("out/a_overlay.png")
    assert np.array_equal(shown[PIXELS == 0], np.zeros((600 - 80, 3)))
    assert np.abs(shown[12, 22] - (255 + np.array(COLORS[1])) / 2).max() <= 0.5
    assert np.array_equal(shown[10, 20], np.maximum(COLORS[1], 51))  # the line where classes meet
    with PillowImage.open("out/a_probabilities.tif") as picture:
        picture.seek(1)
        expected = 1 / (1 + np.exp(-(10 * np.maximum(2 * (PIXELS / 255) - 1, 0) - 0.001)))
        np.testing.assert_allclose(np.array(picture), expected, atol=0.01)
    (file_report,) = json.loads(done.out)["files"]
    assert file_report["num_objects"] == 2
    assert file_report["objects"] == "out/a_objects.png"
    assert file_report["shares"] == {"ground": round(520 / 600, 6), "bright": round(80 / 600, 6)}


@pytest.mark.parametrize(
    "pixels",
    [
        np.stack([PIXELS] * 3, -1),
        PIXELS.astype(np.uint16) * 257,
        np.dstack([PIXELS, PIXELS, PIXELS, np.full_like(PIXELS, 255)]),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_all_kinds(limner: Callable, place: Path, pixels: np.ndarray, channels: int) -> None:
    photo(place / "a.png", pixels)
    done = limner("segment", "a.png", "--model", bright_parts(place / "b.safetensors", channels), "--overlay")
    assert done.code == 0, done.err
    assert np.array_equal(pixels_of("a_classes.png"), PIXELS > 127)


def test_objects_that_touch_come_apart_where_the_network_knows_their_borders(limner: Callable, place: Path) -> None:
    """Two squares with a border between them are two; all that is told of pixels is of object and border together."""
    pixels = np.zeros((16, 30), np.uint8)
    pixels[2:8, 2:14], pixels[2:8, 7:9], pixels[10:14, 20:26] = 255, 140, 140
    photo(place / "a.png", pixels)
    model = bordered_parts(place / "b.safetensors")
    done = limner("segment", "a.png", "--model", model, *ALL, "--json")
    assert done.code == 0, done.err
    expected = np.zeros((16, 30), int)
    expected[2:8, 2:8], expected[2:8, 8:14] = 1, 2  # nothing begins in the third
    assert np.array_equal(pixels_of("a_objects.png"), expected)
    assert np.array_equal(pixels_of("a_classes.png"), pixels > 127)
    with Path("a_objects.csv").open(newline="") as file:
        assert [(row["class"], row["area_px"]) for row in csv.DictReader(file)] == [("bright", "36")] * 2
    shown = pixels_of("a_overlay.png")
    assert np.abs(shown[4, 8] - (140 + np.array(COLORS[1])) / 2).max() <= 1
    with PillowImage.open("a_probabilities.tif") as pages:
        pages.seek(1)
        assert np.array_equal(np.array(pages) > 0.5, pixels > 127)
        with pytest.raises(EOFError):
            pages.seek(2)
    (file_report,) = json.loads(done.out)["files"]
    assert file_report["num_objects"] == 2
    assert file_report["shares"] == {"ground": 0.8, "bright": 0.2}
    found = package.segment("a.png", model, output="b.png", objects=True)
    assert found.names == ("ground", "bright")
    within = np.zeros((16, 30), bool)
    within[2:8, 2:7] = within[2:8, 9:14] = True
    for corner in itertools.product((2, 7), (2, 6, 9, 13)):  # where five of nine pixels are not within
        within[corner] = False
    assert np.array_equal(found.seeds == 1, within)
    for kind in ("png", "csv"):
        assert Path(f"b_objects.{kind}").read_bytes() == Path(f"a_objects.{kind}").read_bytes()


def test_hidden_colours_are_no_objects(limner: Callable, model: str, place: Path) -> None:
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[..., 3], pixels[5:9, 5:9] = 255, (255, 255, 255, 0)
    photo(place / "a.png", pixels)
    assert limner("segment", "a.png", "--model", model, "--objects").code == 0
    assert not pixels_of("a_classes.png").any()


def test_sixteen_bits_are_seen_whole(limner: Callable, model: str, place: Path) -> None:
    photo(place / "a.png", np.array([[32_700, 32_900]], np.uint16))  # 127 and 128 of 255, and nearer to half
    assert limner("segment", "a.png", "--model", model, "--precision", "exact").code == 0
    assert pixels_of("a_classes.png").tolist() == [[0, 1]]


def test_a_folder_twice_takes_no_result_for_a_photo(limner: Callable, model: str, place: Path) -> None:
    for name in ("a", "b"):
        photo(place / "in" / f"{name}.png")
    first = limner("segment", "in", "--model", model, *ALL)
    assert first.code == 0, first.err
    made = names_in("in")
    assert len(made) == 2 + 2 * len(NAMES)
    again = limner("segment", "in", "--model", model, *ALL, "--force")
    assert again.code == 0, again.err
    assert names_in("in") == made


def test_resuming_makes_what_is_missing(limner: Callable, model: str, place: Path) -> None:
    photo(place / "a.png")
    assert limner("segment", "a.png", "--model", model).code == 0
    assert limner("segment", "a.png", "--model", model, "--resume", "--objects").code == 0
    assert Path("a_objects.csv").is_file()


def test_one_bad_file_of_many_does_not_stop_the_others(limner: Callable, model: str, place: Path) -> None:
    photo(place / "in" / "a.png")
    (place / "in" / "b.png").write_bytes(b"no picture")
    done = limner("segment", "in", "--model", model, "-o", "out/")
    assert done.code == 1
    assert "b.png" in done.err
    assert names_in("out") == ["a_classes.png"]
    assert "b.png" in limner("segment", "in/b.png", "--model", model).error


def test_bad_options_are_refused_before_the_work(limner: Callable, model: str, place: Path) -> None:
    photo(place / "a.png")
    Path("a_objects.csv").write_text("precious")
    assert "a_objects.csv: is already there" in limner("segment", "a.png", "--model", model, "--objects").error
    assert "there is no model 'nope'" in limner("segment", "a.png", "--model", "nope").error
    assert "not for segment" in limner("segment", "a.png", "--model", "vdsr").error
    assert Path("a_objects.csv").read_text() == "precious"
    assert not Path("a_classes.png").exists()


def test_views_say_the_same_of_a_network_that_does_not_look_around(limner: Callable, model: str, place: Path) -> None:
    photo(place / "a.png")
    assert limner("segment", "a.png", "--model", model, "--views").code == 0
    assert np.array_equal(pixels_of("a_classes.png"), PIXELS > 127)


def test_a_photo_that_does_not_fit_goes_from_file_to_file(
    limner: Callable, model: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo(place / "a.tif")
    assert limner("segment", "a.tif", "--model", model, "-o", "whole.png", "--overlay", "--objects").code == 0
    asked = list[Path]()
    real = segment_file.segment_file

    def recorded(segmenter: Any, source: Path, *rest: Any, **options: Any) -> Any:
        asked.append(source)
        return real(segmenter, source, *rest, **options)

    monkeypatch.setattr("limner.verbs.segment.segment_many.segment_file", recorded)
    monkeypatch.setattr("limner.verbs.segment.segment_many.fits", lambda size, memory: False)
    done = limner("segment", "a.tif", "--model", model, "-o", "strips.png", "--overlay", "--objects", "--json")
    assert done.code == 0, done.err
    assert asked == [Path("a.tif")]
    for name in (".png", "_overlay.png", "_objects.png", "_objects.csv"):
        assert Path(f"whole{name}").read_bytes() == Path(f"strips{name}").read_bytes()
    assert "eight views need the whole picture" in limner("segment", "a.tif", "--model", model, "--views").error


def test_too_little_memory_is_told_in_one_line(limner: Callable, model: str, place: Path) -> None:
    photo(place / "a.tif")
    assert "allow more memory" in limner("segment", "a.tif", "--model", model, "--memory", "1MB").error


KINDS: dict[str, Callable[[Path], Any]] = {
    "str": str,
    "Path": Path,
    "PIL": lambda path: PillowImage.fromarray(PIXELS),
    "array": lambda path: PIXELS,
    "floats": lambda path: PIXELS / 255,
    "tensor": lambda path: torch.from_numpy(PIXELS)[None] / 255,
    "batch": lambda path: torch.from_numpy(PIXELS).expand(1, 3, -1, -1) / 255,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_function_takes_every_kind_of_picture(limner: Callable, model: str, place: Path, kind: str) -> None:
    given = KINDS[kind](photo(place / "a.png"))
    found = package.segment(given, model)
    assert np.array_equal(found.labels, PIXELS > 127)
    assert found.names == ("ground", "bright")
    assert names_in(".") == ["a.png", "bright.safetensors"]  # nothing is written unasked
    again = package.segment(
        given, Path(model), output="x.png", overlay=True, objects=True, contours="svg", probabilities=True
    )
    assert np.array_equal(again.labels, found.labels)
    assert limner("segment", "a.png", "--model", model, "-o", "y.png", *ALL).code == 0
    for name in NAMES:
        same = [Path(name.replace("a_classes", to).replace("a_", f"{to}_")).read_bytes() for to in ("x", "y")]
        assert same[0] == same[1] or name in ("a_overlay.png", "a_objects.csv")
    assert np.array_equal(pixels_of("x_overlay.png"), pixels_of("y_overlay.png"))


def test_the_function_refuses_before_the_work(model: str, place: Path) -> None:
    photo(place / "a.png")
    (place / "out").mkdir()
    package.segment("a.png", model, output="out")
    assert names_in("out") == ["a_classes.png"]
    with pytest.raises(LimnerError, match="already there"):
        package.segment("a.png", "nobody", output="out")
    with pytest.raises(LimnerError, match="needs a place: pass output"):
        package.segment("a.png", model, overlay=True)
    with pytest.raises(LimnerError, match=r"classes are written as .png"):
        package.segment("a.png", model, output="a.jpg")
    with pytest.raises(LimnerError, match="least_area must be"):
        package.segment("a.png", model, least_area=0)
    with pytest.raises(LimnerError, match="one picture is segmented, got 2"):
        package.segment(torch.zeros(2, 3, 8, 8), model)


def test_videos_and_photos_together(limner: Callable, place: Path) -> None:
    from tests.clips import make_clip

    model = bright_parts(place / "b.safetensors", 3)
    photo(place / "a.png")
    make_clip(place / "c.mp4", 3)
    done = limner("segment", "a.png", "c.mp4", "--model", model, "--classes", "--crf", "20", "--json")
    assert done.code == 0, done.err
    assert names_in(".") == ["a.png", "a_classes.png", "b.safetensors", "c.mp4", "c_classes", "c_overlay.mp4"]
    assert names_in("c_classes") == ["000001.png", "000002.png", "000003.png"]
    reports = json.loads(done.out)["files"]
    assert [(one["output"], one.get("frames")) for one in reports] == [("a_classes.png", None), ("c_overlay.mp4", 3)]
    assert "already there" in limner("segment", "c.mp4", "--model", model).error
    again = limner("segment", "a.png", "c.mp4", "--model", model, "--classes", "--resume")
    assert again.code == 0, again.err
    (place / "c_overlay.mp4").unlink()
    assert limner("segment", "c.mp4", "--model", model, "-o", "d.mkv").code == 0
    assert Path("d.mkv").is_file()


def test_options_that_do_not_fit_are_refused(limner: Callable, model: str, place: Path) -> None:
    photo(place / "a.png")
    (place / "c.mp4").touch()
    for name, value in (("--classes", ()), ("--crf", ("20",))):
        error = limner("segment", "a.png", "--model", model, name, *value).error
        assert f"{name} is for videos, and there is none: leave it out" in error
    for name, values in (("--objects", ()), ("--contours", ("svg",)), ("--probabilities", ())):
        error = limner("segment", "c.mp4", "--model", model, name, *values).error
        assert f"{name} is for photos, and c.mp4 is a video: segment it without {name}" in error
    error = limner("segment", "a.png", "--model", model, "--least-area", "9").error
    assert "--least-area is of objects, and none are wanted: add --objects or --contours" in error
    error = limner("segment", "a.png", "c.mp4", "--model", model, "-o", "x.png").error
    assert "photos and videos go into one folder that is there" in error
