import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from tests.clips import make_clip

from limner.catalog.models import build_product
from limner.files.video_reader import open_video
from limner.files.weights import Header, save_weights

SMALL = [
    word
    for text in ("base_channels=2", "discriminator_channels=2", "num_downs=4", "data.resize=32", "data.patch=32")
    for word in ("--set", text)
]


@pytest.fixture
def model(place: Path) -> Callable[..., str]:
    """A weight file of a small pix2pix of chance, of a configuration."""

    def of(name: str = "tiny", **config: object) -> str:
        torch.manual_seed(0)
        values = {"base_channels": 2, "num_downs": 4, **config}
        path = place / f"{name}.safetensors"
        save_weights(path, build_product("pix2pix", values).state_dict(), Header(system="pix2pix", config=values))
        return path.name

    return of


def test_a_system_that_is_trained_on_pairs_translates(limner: Callable, place: Path, drawn: Callable) -> None:
    drawn(place / "pairs" / "a.png", 64, 32)
    done = limner("train", "pix2pix", "--data", "pairs", "--steps", 1, "--output", "run", *SMALL)
    assert done.code == 0, done.err
    assert "use it with: limner translate photo.jpg --model run/model.safetensors" in done.err.splitlines()
    used = limner("translate", "pairs/a.png", "--model", "run/model.safetensors", "-o", "b.png")
    assert used.out == "b.png  64x32\n", used.err
    assert Path("b.png").is_file()
    assert (
        "vdsr is a vdsr, for limner upscale, not for translate: name facades"
        in limner("translate", "pairs/a.png", "--model", "vdsr", "-o", "c.png").error
    )


def test_pairs_are_made_from_plain_photos(limner: Callable, place: Path, drawn: Callable) -> None:
    for number in range(12):
        drawn(place / "photos" / f"{number}.png", 40, 48)
    done = limner("train", "pix2pix", "--data", "photos", "--derive", "edges", "--steps", 1, "-o", "run", *SMALL)
    assert done.code == 0, done.err
    assert "on pictures kept from training: PSNR (dB)" in done.err
    (sheet,) = (place / "run" / "samples").iterdir()
    with PillowImage.open(sheet) as picture:
        assert picture.size == (3 * 32, 4 * 32)
    assert limner("translate", "photos/1.png", "--model", "run", "--derive").code == 0
    assert "cannot be given" in limner("train", "pix2pix", "-o", "run", "--resume", "--derive", "gray").error
    refused = limner("train", "vdsr", "--data", "photos", "--derive", "edges")
    assert refused.error == "--derive makes pairs, and vdsr does not learn from them: leave it out, or pix2pix"


def test_folders_names_and_json(limner: Callable, place: Path, drawn: Callable, model: Callable) -> None:
    drawn(place / "in" / "a.png"), drawn(place / "in" / "b.jpg")
    words = ["translate", "in", "--model", model(), "-o", "out", "--name", "{stem}-{model}-{seed}", "--seed", 3]
    shown = limner(*words, "--dry-run")
    assert "a-tiny-3.png" in shown.out
    assert not Path("out").exists()
    told = json.loads(limner(*words, "--json").out)
    assert {Path(one["output"]).name for one in told["files"]} == {"a-tiny-3.png", "b-tiny-3.jpg"}
    assert (told["model"], told["device"], told["precision"]) == ("tiny.safetensors", "cpu", told["precision"])
    assert json.loads(limner(*words, "--json").out)["files"] == []  # there already
    (place / "in" / "c.png").write_text("no picture")
    failed = limner(*words, "--force")
    assert failed.code == 1
    assert "c.png" in failed.err
    assert failed.out.count("-tiny-3") == 2


def test_tiles_memory_and_threads_change_nothing(
    limner: Callable, place: Path, drawn: Callable, model: Callable
) -> None:
    drawn(place / "a.png", 70, 50)
    name, pictures = model(norm="instance", upsampling="resize"), []
    for number, more in enumerate(([], ["--tile", 32], ["--threads", 1])):
        done = limner(
            "translate",
            "a.png",
            "--model",
            name,
            "-o",
            f"{number}.png",
            "--precision",
            "exact",
            "--device",
            "cpu",
            *more,
        )
        assert done.code == 0, done.err
        pictures.append(np.array(PillowImage.open(f"{number}.png")).astype(int))
    assert all(np.abs(pictures[0] - other).max() <= 1 for other in pictures[1:])


def test_a_video(limner: Callable, place: Path, drawn: Callable, model: Callable) -> None:
    clip = make_clip(place / "clip.mp4", 3)
    done = limner("translate", "clip.mp4", "--model", model(), "--crf", 20)
    assert done.code == 0, done.err
    before, after = open_video(clip), open_video(place / "clip_tiny.mp4")
    assert (after.width, after.height, after.num_frames) == (before.width, before.height, before.num_frames)
    refused = limner("translate", "clip.mp4", "--model", "tiny.safetensors", "--format", "jpg", "--force")
    assert "--format is for pictures, and clip.mp4 is a video" in refused.error
    drawn(place / "a.png")
    assert "--crf is for videos" in limner("translate", "a.png", "--model", "tiny.safetensors", "--crf", 20).error


def test_label_pictures(limner: Callable, place: Path, model: Callable) -> None:
    name = model("labels", class_names=("a", "b"), class_colors=((255, 0, 0), (0, 0, 255)))
    colors = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)[np.kron([[0, 1], [1, 0]], np.ones((20, 20), int))]
    PillowImage.fromarray(colors).save("exact.png")
    PillowImage.fromarray(colors).save("blurred.jpg", quality=80)
    smooth = PillowImage.fromarray(colors).resize((33, 33), PillowImage.Resampling.BICUBIC)
    smooth.save("smooth.png")
    for label in ("exact.png", "blurred.jpg"):
        assert limner("translate", label, "--model", name).code == 0
    refused = limner("translate", "smooth.png", "--model", name).error
    assert refused.startswith("smooth.png: (")
    assert "is no colour of a class" in refused
    assert limner("translate", "smooth.png", "--model", name, "--nearest").code == 0


def test_models_are_measured_on_pairs(limner: Callable, place: Path, drawn: Callable, model: Callable) -> None:
    drawn(place / "pairs" / "a.png", 64, 32), drawn(place / "pairs" / "b.png", 64, 32)
    names = [model("one"), model("two", skips=False)]
    words = ["evaluate", "translation", "--data", "pairs", "--model", ",".join(names), "--side", 32]
    rows = json.loads(limner(*words, "--json", "--distance").out)["rows"]
    assert [(row["protocol"], row["method"]) for row in rows] == [
        (protocol, method)
        for protocol in ("translation-rgb", "translation-vgg")
        for method in ("source", "one.safetensors", "two.safetensors")
    ]
    assert all(0 < row["l1"] < 1 for row in rows[:3])
    assert "| one.safetensors |" in Path("translation.md").read_text()
    assert "already there" in limner(*words).error
    gray = model("gray", in_channels=1, derived="gray")
    refused = limner("evaluate", "translation", "--data", "pairs", "--model", gray, "--side", 32, "--force").error
    assert "gray.safetensors takes pictures of 1 channels, and these data have 3" in refused
    mixed = limner("evaluate", "translation", "--data", "pairs", "--model", f"{gray},{names[0]}", "--force").error
    assert "take different pictures" in mixed
    derived = ["--data", "pairs", "--derive", "gray", "--model", gray, "--side", 32, "--force", "--limit", 1]
    assert limner("evaluate", "translation", *derived).code == 0


def test_without_pairs_it_is_learnt_both_ways(limner: Callable, place: Path, drawn: Callable) -> None:
    for name in ("horse", "zebra"):
        for number in range(6):
            drawn(place / "both" / name / f"{number}.png", 32, 32)
    words = ["base_channels=2", "num_blocks=1", "discriminator_channels=2", "discriminator_layers=1"]
    settings = [word for text in [*words, "data.resize=32", "data.patch=32"] for word in ("--set", text)]
    done = limner("train", "cyclegan", "--data", "both", "--steps", 2, "--output", "run", *settings)
    assert done.code == 0, done.err
    assert "cycle L1, horse to zebra" in done.err
    assert "cycle L1 when blurred, zebra to horse" in done.err
    assert "likeness of light and dark, zebra to horse" in done.err
    results = {}
    for direction in ("AB", "zebra", "BA", "horse"):
        used = limner(
            "translate", "both/horse/1.png", "--model", "run", "--direction", direction, "-o", f"{direction}.png"
        )
        assert used.code == 0, used.err
        results[direction] = Path(f"{direction}.png").read_bytes()
    assert results["AB"] == results["zebra"] != results["BA"] == results["horse"]
    wrong = limner("translate", "both/horse/1.png", "--model", "run", "--direction", "zebr", "-o", "c.png")
    assert wrong.code == 2
    assert "translates horse to zebra (AB) and back (BA), got the direction 'zebr': did you mean zebra?" in wrong.error


@pytest.mark.parametrize("side", [8, 24, 40])
def test_crops_that_cannot_be_halved_so_often_are_refused(limner: Callable, place: Path, drawn: Callable, side: int):
    drawn(place / "pairs" / "a.png", 128, 64)
    done = limner("train", "pix2pix", "--data", "pairs", "--steps", 1, *SMALL, "--set", f"data.patch={side}",
                  "--set", "data.resize=64")  # fmt: skip
    mend = max(16, round(side / 16) * 16)
    assert (
        f"must be multiples of 16, for num_downs halves them, got a patch of {side}: pass --set data.patch={mend}"
        in (done.error)
    )
    assert not Path("runs").exists()
