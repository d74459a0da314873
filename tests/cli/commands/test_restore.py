"""`limner restore`: files in, files out, one line for what goes wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

QUICK = ["--steps", 2, "--set", "network.down_channels=[4,4]", "--set", "network.up_channels=[4,4]"]
QUICK += [
    "--set",
    "network.skip_channels=[2,2]",
    "--set",
    "network.down_kernels=[3,3]",
    "--set",
    "network.up_kernels=[3,3]",
]


@pytest.fixture
def photo(place: Path, drawn: Callable) -> Path:
    drawn(place / "photo.png")
    mask = np.zeros((16, 20), np.uint8)
    mask[4:8, 5:9] = 255
    PillowImage.fromarray(mask).save(place / "mask.png")
    return Path("photo.png")


def pixels(path: str) -> np.ndarray:
    with PillowImage.open(path) as image:
        return np.asarray(image)


def test_noise_is_taken_away_beside_the_photo(limner: Callable, photo: Path) -> None:
    done = limner("restore", "denoise", photo, *QUICK)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("photo_denoised.png  20x16  2 steps, ")
    assert limner("restore", "denoise", photo, *QUICK).error.startswith(
        "photo_denoised.png: is already there: pass --force"
    )


def test_a_hole_is_filled_and_the_rest_stays(limner: Callable, photo: Path) -> None:
    done = limner("restore", "inpaint", photo, "--mask", "mask.png", "-o", "whole.png", "--json", *QUICK)
    told = json.loads(done.out)
    assert (told["output"], told["steps"], told["ended"]) == ("whole.png", 2, "all steps")
    missing = pixels("mask.png") > 0
    assert np.array_equal(pixels("whole.png")[~missing], pixels("photo.png")[~missing])
    assert not np.array_equal(pixels("whole.png")[missing], pixels("photo.png")[missing])
    limner("restore", "inpaint", photo, "--mask", "mask.png", "-o", "other.png", "--invert-mask", *QUICK)
    assert np.array_equal(pixels("other.png")[missing], pixels("photo.png")[missing])


def test_another_hole_is_not_gone_on_with(limner: Callable, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from limner.cli.work.growing_picture import GrowingPicture

    args = ["restore", "inpaint", photo, "-o", "a.png", *QUICK]
    with monkeypatch.context() as patch:
        patch.setattr(GrowingPicture, "watch", lambda self, progress: progress.step == 1)
        assert limner(*args, "--mask", "mask.png").code == 1
    refused = limner(*args, "--mask", "mask.png", "--invert-mask", "--resume")
    assert "was made of other pictures or options: resume with those, or start a new run" in refused.error
    assert limner(*args, "--mask", "mask.png", "--resume").code == 0


def test_a_small_photo_is_enlarged(limner: Callable, photo: Path) -> None:
    done = limner("restore", "upscale", photo, "--scale", 2, *QUICK)
    assert done.out.startswith("photo_x2.png  40x32  2 steps, ")
    assert pixels("photo_x2.png").shape == (32, 40, 3)


def test_one_seed_gives_one_picture(limner: Callable, photo: Path) -> None:
    for name, seed in (("a.png", 1), ("b.png", 1), ("c.png", 2)):
        assert limner("restore", "denoise", photo, "-o", name, "--seed", seed, *QUICK).code == 0
    assert np.array_equal(pixels("a.png"), pixels("b.png"))
    assert not np.array_equal(pixels("a.png"), pixels("c.png"))


def test_a_larger_photo_is_shrunk_first(limner: Callable, photo: Path) -> None:
    arguments = ["--mask", "mask.png", "--size", 10, *QUICK]
    assert limner("restore", "inpaint", photo, *arguments).out.startswith("photo_inpainted.png  10x8  ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["denoise", "photo.png", "--preset", "text"],
            "preset of denoise must be one of modern, quick, paper, code, jpeg",
        ),
        (["denoise", "photo.png", "--quick", "--preset", "paper"], "--quick and --preset paper are two presets"),
        (["denoise", "gone.png"], "gone.png: there is no such file"),
        (["inpaint", "photo.png"], "missing option '--mask'"),
        (["inpaint", "photo.png", "--mask", "gone.png"], "gone.png: there is no such file"),
        (["inpaint", "photo.png", "--mask", "small.png"], "small.png: the mask is 4x6, the picture 20x16"),
        (["upscale", "photo.png", "--scale", "3"], "scale must be 2, 4 or 8, got 3"),
        (["denoise", "photo.png", "--memory", "1MB"], "a picture of 20x16 takes about"),
        (
            ["denoise", "photo.png", "--set", "network.depth=3"],
            "DeepImagePriorConfig has no field 'network.depth'; network has in_channels",
        ),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(
    limner: Callable, photo: Path, arguments: list[str], message: str
) -> None:
    PillowImage.new("L", (4, 6)).save("small.png")
    refused = limner("restore", *arguments)
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert not list(Path().glob("*_*.png"))
