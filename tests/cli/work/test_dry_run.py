"""A dry run refuses what the work would refuse, by the heads of the files, and names the others."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from limner.catalog.models import build_product
from limner.files.weights import Header, save_weights

ONE = {
    "upscale": ["{}"],
    "stylize": ["{}", "--style", "mosaic"],
    "stylize of gatys": ["{}", "--style", "photo.png", "--method", "gatys"],
    "stylize by": ["photo.png", "--style", "{}"],
    "stylize with": ["photo.png", "--style", "photo.png", "--mask", "{}"],
    "stylize-video": ["{}", "photo.png", "--style", "mosaic"],
    "restore denoise": ["{}"],
    "invert": ["{}"],
    "texture": ["{}"],
    "segment": ["{}", "--model", "nuclei"],
    "translate": ["{}", "--model", "maps.safetensors"],
    "learn-style": ["{}"],
    "evaluate super-resolution": ["--data", "in"],
    "evaluate segmentation": ["--data", "pairs", "--model", "unet-cells"],
    "train vdsr": ["--data", "in"],
}


def bomb(path: Path) -> Path:
    """A picture of 20000x20000 pixels, by its head."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(10))
    chunks = b"".join(
        struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in (head, data, b"IEND")
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


@pytest.fixture
def desk(place: Path, drawn: Callable) -> Path:
    drawn(place / "photo.png", 64, 64), drawn(place / "in" / "a.png", 64, 64)
    drawn(place / "pairs" / "images" / "a.png", 64, 64), drawn(place / "pairs" / "masks" / "a.png", 64, 64, "1")
    maps = {"base_channels": 2, "num_downs": 4}
    save_weights(
        place / "maps.safetensors",
        build_product("pix2pix", maps).state_dict(),
        Header(system="pix2pix", config=maps),
    )
    return place


@pytest.mark.parametrize("name", ONE)
def test_what_is_too_large_is_refused(limner: Callable, desk: Path, name: str) -> None:
    for path in ("bomb.png", "in/b.png", "pairs/images/a.png"):
        bomb(desk / path)
    command = name.removesuffix(" of gatys").removesuffix(" by").removesuffix(" with").split()
    refused = limner(*command, *(word.format("bomb.png") for word in ONE[name]), "--dry-run")
    assert (refused.code, "20000x20000 = 400000000 pixels" in refused.error) == (2, True), refused.err


@pytest.mark.parametrize("command", [["upscale"], ["stylize", "--style", "mosaic"]])
def test_the_limit_that_is_asked_for_holds(limner: Callable, desk: Path, command: list[str]) -> None:
    bomb(desk / "bomb.png")
    assert "at most 100 are read" in limner(*command, "photo.png", "--max-pixels", 100, "--dry-run").error
    assert limner(*command, "bomb.png", "--max-pixels", "none", "--dry-run").code == 0


@pytest.mark.parametrize("command", [["upscale"], ["invert"], ["segment", "--model", "nuclei"]])
def test_the_others_of_many_are_named(limner: Callable, desk: Path, command: list[str]) -> None:
    bomb(desk / "bomb.png"), (desk / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (desk / "empty").mkdir()
    given = ["bomb.png", "cut.png", "gone.png", "*.tif", "empty", "photo.png"]
    shown = limner(*command, *given, "--dry-run", "--json")
    told = json.loads(shown.out)
    assert (shown.code, [one["source"] for one in told["planned"]]) == (1, ["photo.png"])
    assert {one["source"] for one in told["failed"]} == set(given) - {"photo.png"}
    assert len(shown.err.splitlines()) == 5


def test_what_the_format_cannot_hold_is_refused(limner: Callable, desk: Path, drawn: Callable) -> None:
    drawn(desk / "cutout.png", mode="RGBA")
    assert "holds no transparency" in limner("upscale", "cutout.png", "--format", "jpg", "--dry-run").error
    assert (
        "1 to 16383 pixels"
        in limner("upscale", drawn(desk / "b.png", 5000, 2), "--scale", 4, "-o", "a.webp", "--dry-run").error
    )
    assert limner("texture", "cutout.png", "--format", "jpg", "--dry-run").code == 0, "its result has no transparency"


NO_SUCH = {
    "generate": ["--model", "nobody"],
    "translate": ["photo.png", "--model", "nobody"],
    "redirect": ["photo.png", "--angle", "1,2", "--model", "nobody"],
    "segment": ["photo.png", "--model", "nobody"],
    "upscale": ["photo.png", "--model", "nobody"],
    "stylize": ["photo.png", "--style", "mosaic", "--model", "nobody"],
    "learn-style": ["photo.png", "--trunk", "nobody"],
}


@pytest.mark.parametrize("command", NO_SUCH)
def test_a_model_that_is_not_there_is_refused(limner: Callable, desk: Path, command: str) -> None:
    shown, done = (limner(command, *NO_SUCH[command], *more) for more in (["--dry-run"], []))
    assert (shown.code, shown.error) == (2, done.error)
    assert "there is no model 'nobody'" in shown.error


@pytest.mark.parametrize("command", ["segment", "redirect --angle 1,2", "generate"])
def test_a_model_that_does_something_else_is_refused(limner: Callable, desk: Path, command: str) -> None:
    photo = [] if command == "generate" else ["photo.png"]
    refused = limner(*command.split(), *photo, "--model", "maps.safetensors", "--dry-run")
    assert "is a pix2pix, for limner translate, not for" in refused.error


@pytest.mark.parametrize(
    "command",
    [
        ["upscale", "small.png"],
        ["restore", "denoise", "small.png"],
        ["texture", "small.png"],
        ["train", "vdsr", "--data", "pictures"],
    ],
    ids=lambda command: command[0],
)
def test_a_machine_that_is_not_there_is_refused(
    limner: Callable, desk: Path, drawn: Callable, command: list[str]
) -> None:
    drawn(desk / "small.png"), drawn(desk / "pictures" / "a.png", 64, 64)
    assert limner(*command, "--dry-run", "--device", "cpu", "--memory", "2GB").code == 0
    for option, value, words in (
        ("--device", "cuda:7x", "device must be"),
        ("--memory", "junk", "memory must be a size"),
    ):
        refused = limner(*command, "--dry-run", option, value)
        assert refused.code == 2 and words in refused.error, refused


def test_styles_and_folders_that_are_not_there_are_refused(limner: Callable, desk: Path) -> None:
    for method in ("any-style", "adain", "gatys", "auto"):
        words = ["stylize", "photo.png", "--style", "nobody", "--method", method]
        shown, done = limner(*words, "--dry-run"), limner(*words)
        assert (shown.code, shown.error) == (2, done.error)
    assert "nowhere is not a folder" in limner("learn-style", "photo.png", "--photos", "nowhere", "--dry-run").error
