"""`limner texture --method network`: from one picture to a network to textures."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

TINY = [
    *("num_scales=2", "channels=2", 'layers={"relu1_1": 1}', "data.patch=16", "fit.batch_size=2"),
]


@pytest.fixture
def model(limner: Callable, place: Path, drawn: Callable) -> str:
    drawn(place / "bark.png", 32, 32)
    settings = [word for one in TINY for word in ("--set", one)]
    done = limner("train", "texture-network", "--data", "bark.png", "--steps", 2, "--device", "cpu", *settings)
    assert done.code == 0, done.err
    model = "runs/texture-network/model.safetensors"
    assert done.err.splitlines()[-1] == f"use it with: limner texture --method network --model {model}"
    with PillowImage.open(next((place / "runs/texture-network/samples").iterdir())) as sheet:
        assert sheet.size == (32, 48)
    return model


def pixels(path: str) -> np.ndarray:
    with PillowImage.open(path) as image:
        return np.asarray(image)


def test_a_texture_from_a_network(limner: Callable, model: str) -> None:
    drawing = ["texture", "--method", "network", "--model", model, "--device", "cpu"]
    done = limner(*drawing, "--size", "40x26", "--seed", 3)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"texture-network_texture.png  40x26  \d+ ms\n", done.out)
    refused = limner(*drawing)
    assert "texture-network_texture.png: is already there" in refused.error

    told = json.loads(limner(*drawing, "--size", "40x26", "--seed", 3, "-o", "b.png", "--json").out)
    assert (told["output"], told["width"], told["height"]) == ("b.png", 40, 26)
    assert np.array_equal(pixels("b.png"), pixels("texture-network_texture.png"))
    limner(*drawing, "--size", "40x26", "--seed", 4, "-o", "c.png")
    assert not np.array_equal(pixels("c.png"), pixels("b.png"))
    assert limner(*drawing, "--size", "33x21", "--seamless", "-o", "d.png").out.startswith("d.png  32x20  ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "network"], "--method network needs a network: pass --model FILE"),
        (["bark.png", "--method", "network", "--steps", "3"], "so leave out PHOTO and --steps"),
        (
            ["--method", "network", "--model", "vdsr", "--device", "cpu"],
            "vdsr is a vdsr, for limner upscale, not for texture",
        ),
        (["bark.png", "--model", "vdsr"], "--model is of a network: pass --method network too"),
        ([], "a texture is sought for its picture: name one"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(
    limner: Callable, place: Path, arguments: list[str], message: str
) -> None:
    refused = limner("texture", *arguments)
    assert refused.code == 2
    assert message in refused.error
    assert not list(place.iterdir())
