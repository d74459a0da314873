"""`limner import` of discriminators, and what the other commands say of the files that it writes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.foreign_discriminators import patches_state
from tests.importers.test_translators import unet_state

from limner.catalog.models import load_for_training
from limner.loops.checkpoint import load_state
from limner.loops.fit import STATE_FILE


@pytest.fixture
def judge(place: Path) -> str:
    torch.save(patches_state(6, 3, "batch"), "netD.pth")
    return "netD.pth"


def test_it_says_which_training_a_discriminator_is_for(limner: Callable, judge: str) -> None:
    done = limner("import", judge, "-o", "judge.safetensors")
    first, *notes = (done.out + done.err).splitlines()
    assert done.code == 0
    assert first == (
        "judge.safetensors  discriminator of pix2pix, read as pix2pix-patchgan, for limner train pix2pix --start-from "
        "judge.safetensors"
    )
    assert notes[0].startswith("note: it was taken for one of pictures of which 3 channels go in")
    told = json.loads(limner("import", judge, "-o", "judge.safetensors", "--force", "--json").out)
    assert told["header"]["part"] == "discriminator"
    assert "part: discriminator" in limner("info", "judge.safetensors").out


@pytest.mark.parametrize(
    "words",
    [
        ["translate", "p.png", "--model"],
        ["upscale", "p.png", "--model"],
        ["stylize", "p.png", "--model"],
        ["segment", "p.png", "--model"],
        ["generate", "--model"],
        ["evaluate", "translation", "--data", ".", "--model"],
        ["export", "--format", "onnx"],
        ["export", "--format", "onnx", "--dry-run"],
        ["models", "--palette"],
    ],
    ids=" ".join,
)
def test_what_makes_pictures_says_what_it_is(limner: Callable, judge: str, words: list[str]) -> None:
    assert limner("import", judge, "-o", "judge.safetensors").code == 0
    Image.new("RGB", (32, 32)).save("p.png")
    done = limner(*words, "judge.safetensors")
    assert (done.code, done.error) == (
        2,
        "judge.safetensors is the discriminator of a pix2pix, which counts in training and makes no pictures: limner "
        "train pix2pix --start-from judge.safetensors goes on with it",
    )


def test_a_training_goes_on_with_both_players(limner: Callable, judge: str) -> None:
    torch.save(unet_state(5, "batch"), "netG.pth")
    for name in ("G", "D"):
        assert limner("import", f"net{name}.pth", "-o", f"{name}.safetensors").code == 0
    Path("pairs").mkdir()
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(f"pairs/{number}.png")
    small = [
        "base_channels=4", "num_downs=5", "discriminator_channels=4", "noisy_layers=[]", "data.resize=36",
        "data.patch=32", "fit.optimizer.learning_rate=1e-30",
    ]  # fmt: skip
    settings = [word for text in small for word in ("--set", text)]
    done = limner(
        "train", "pix2pix", "--preset", "paper", "--data", "pairs", "--output", "run", "--steps", 1, "--device", "cpu",
        "--start-from", "G.safetensors", "--start-from", "D.safetensors", *settings,
    )  # fmt: skip
    assert done.code == 0, done.err
    trained = load_state(Path("run") / STATE_FILE)["system"]
    for player, name in (("generator", "G"), ("discriminator", "D")):
        for key, tensor in load_for_training(f"{name}.safetensors")[0].named_parameters():
            assert torch.equal(trained[f"{player}.{key}"], tensor)
    again = ["train", "pix2pix", "--output", "run", "--resume", "--steps", 2, "--device", "cpu"]
    assert "--start-from cannot be given" in limner(*again, "--start-from", "D.safetensors").error
    Path("D.safetensors").unlink()  # what was given is in the state
    assert limner(*again).code == 0
    plan = json.loads(Path("run/plan.json").read_text())
    assert [Path(one).name for one in plan["start_from"]] == ["G.safetensors", "D.safetensors"]
