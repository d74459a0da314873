import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as PillowImage

BRIEF = ("--layer", "relu1_1", "--steps", 2, "--device", "cpu")


@pytest.fixture
def photo(place: Path, drawn: Callable) -> Path:
    drawn(place / "photo.png", 32, 24)
    return Path("photo.png")


def size(path: str | Path) -> tuple[int, int]:
    with PillowImage.open(path) as image:
        image.load()
        return image.size


def test_a_photo_is_inverted_beside_itself(limner: Callable, photo: Path) -> None:
    done = limner("invert", photo, *BRIEF)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("photo_relu1_1.png  32x24  2 steps")
    assert size("photo_relu1_1.png") == (32, 24)
    again = limner("invert", photo, *BRIEF)
    assert again.code == 2
    assert again.error.startswith("photo_relu1_1.png: is already there")
    assert limner("invert", photo, *BRIEF, "--force").code == 0


def test_the_options_reach_their_places(limner: Callable, photo: Path) -> None:
    done = limner("invert", photo, *BRIEF, "--gram", "--size", 16, "--seed", 3, "-o", "out.png", "--json")
    told = json.loads(done.out)
    assert (told["output"], told["width"], told["height"], told["steps"]) == ("out.png", 16, 12, 2)
    assert (told["layer"], told["style"], told["prior"]) == ("relu1_1", True, "tv")
    assert set(told["losses"]) == {"style", "variation"}
    other = limner(
        "invert", photo, *BRIEF, "--set", "tv_weight=0", "--set", "optimize.steps=3", "-o", "b.png", "--json"
    )
    told = json.loads(other.out)
    assert (told["steps"], told["losses"]["variation"]) == (3, 0)


def test_one_seed_gives_one_file(limner: Callable, photo: Path) -> None:
    for name, seed in (("a.png", 5), ("b.png", 5), ("c.png", 6)):
        limner("invert", photo, *BRIEF, "--seed", seed, "-o", name)
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes() != Path("c.png").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layer", "relu6_1"], "layers of vgg16.safetensors are conv1_1 to relu5_1, got 'relu6_1'"),
        (["--prior", "hope"], "invalid value for '--prior'"),
        (["--set", "no_field=1"], "InversionConfig has no field 'no_field'"),
        (["--features", "gone.pth"], "gone.pth: there is no such file of weights"),
        (["--layer", "relu5_1", "--size", 16], "for relu5_1 a picture must have 16 pixels a side or more, got 16x12"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(
    limner: Callable, photo: Path, options: list[str], message: str
) -> None:
    refused = limner("invert", photo, "--steps", 2, *options)
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert [path.name for path in Path().iterdir()] == ["photo.png"]
