import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.cli.enlarging import default_scale, pixel_limit
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig


def size(path: str | Path) -> tuple[int, int]:
    with PillowImage.open(path) as image:
        image.load()
        return image.size


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def photo(place: Path, drawn: Callable) -> Path:
    drawn(place / "photo.png")
    return Path("photo.png")


def test_one_photo_is_enlarged_beside_itself(limner: Callable, photo: Path, tiny: Path) -> None:
    done = limner("upscale", photo, "--model", tiny)
    assert (done.code, done.out, done.err) == (0, "photo_x2.png  40x32\n", "")
    assert size("photo_x2.png") == (40, 32)


def test_the_options_reach_their_places(limner: Callable, photo: Path, tiny: Path) -> None:
    options = [
        "--scale",
        3,
        "--format",
        "jpg",
        "--quality",
        40,
        "--tile",
        16,
        "--precision",
        "exact",
        "--compare",
        "-v",
    ]
    done = limner("upscale", photo, "-o", "new/", "--model", tiny, *options)
    assert done.out == "new/photo_x3.jpg  60x48\n"
    assert "MiB at the peak" in done.err
    assert size("new/photo_x3.jpg") == (60, 48)
    assert size("new/photo_compare.png")[0] > 2 * 480


def test_files_patterns_and_folders_with_one_model(
    limner: Callable, place: Path, drawn: Callable, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ["a.png", "in/b.webp", "in/sub/c.tif", "d1.bmp", "d2.bmp"]:
        drawn(place / name)
    loads: list[str] = []
    monkeypatch.setattr("limner.verbs.upscale.Runner", _counted("limner.runtime.runner.Runner", loads))
    done = limner("upscale", "a.png", "in", "d*.bmp", "-r", "-o", "out", "--model", tiny)
    assert done.code == 0
    assert files(place / "out") == ["a_x2.png", "b_x2.webp", "d1_x2.bmp", "d2_x2.bmp", "sub/c_x2.tif"]
    assert len(done.out.splitlines()) == 5
    assert len(loads) == 1


def _counted(name: str, calls: list[str]) -> Callable:
    module, _, attribute = name.rpartition(".")
    original = getattr(sys.modules[module], attribute)

    def call(*args: object, **options: object) -> object:
        calls.append(name)
        return original(*args, **options)

    return call


def test_json_is_all_that_stands_on_standard_output(limner: Callable, photo: Path, tiny: Path) -> None:
    Path("bad.png").write_text("no picture")
    done = limner("upscale", photo, "bad.png", "--model", tiny, "--json")
    told = json.loads(done.out)
    assert done.code == 1
    assert [(one["output"], one["width"], one["height"]) for one in told["files"]] == [("photo_x2.png", 40, 32)]
    assert [one["source"] for one in told["failed"]] == ["bad.png"]
    assert told["model"] == str(tiny)
    assert (told["scale"], told["precision"]) == (2, "fast")
    assert told["peak_memory_bytes"] > 2**20
    assert told["seconds"] > 0


def test_an_output_of_an_earlier_run_is_a_picture_like_any_other(limner: Callable, photo: Path, tiny: Path) -> None:
    limner("upscale", photo, "--model", tiny)
    done = limner("upscale", "photo_x2.png", "--model", tiny)
    assert done.out == "photo_x2_x2.png  80x64\n"


def test_a_model_of_one_scale_needs_no_scale(limner: Callable, photo: Path, place: Path) -> None:
    config = SRResNetConfig(scale=4, num_blocks=1, channels=4)
    save_weights(
        place / "four.safetensors",
        SRResNet(config).state_dict(),
        Header(system="srresnet", config=config.model_dump()),
    )
    assert limner("upscale", photo, "--model", "four.safetensors").out == "photo_x4.png  80x64\n"
    refused = limner("upscale", photo, "--model", "four.safetensors", "--scale", 2)
    assert refused.code == 2
    assert refused.error == "four.safetensors enlarges by 4, got 2: pass --scale or another --model"


def make_bad(place: Path, name: str) -> Path:
    path = place / name
    noise = PillowImage.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    if name.startswith("truncated"):
        noise.save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif name == "text.jpg":
        path.write_text("this is no picture")
    elif name == "empty.png":
        path.touch()
    return path


BAD = {
    "missing.png": "there is no such file",
    "empty.png": "is empty",
    "truncated.png": "is damaged",
    "truncated.jpg": "is damaged",
    "text.jpg": "is not an image",
}


@pytest.mark.parametrize("name", BAD)
def test_a_single_bad_file_is_an_error_of_one_line(limner: Callable, place: Path, tiny: Path, name: str) -> None:
    make_bad(place, name)
    before = files(place)
    refused = limner("upscale", name, "--model", tiny)
    assert refused.code == 2
    assert refused.error.startswith(f"{name}: {BAD[name]}")
    assert files(place) == before


def test_a_bad_file_among_many_does_not_hold_up_the_others(
    limner: Callable, photo: Path, place: Path, tiny: Path
) -> None:
    for name in BAD:
        make_bad(place, name)
    done = limner("upscale", *BAD, photo, "--model", tiny)
    assert done.code == 1
    assert done.out == "photo_x2.png  40x32\n"
    *errors, summary = done.err.splitlines()
    assert [line.split(":")[1].strip() for line in errors] == list(BAD)
    assert summary == "1 of 6 pictures are enlarged"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scale", "5"], "scale must be 2 or 3 or 4, got 5"),
        (["--model", "nobody"], "model must be one of"),
        (["--model", "gone.safetensors"], "no weight file at gone.safetensors"),
        (["--model", "damaged.safetensors"], "damaged.safetensors is not a whole safetensors file"),
        (["--device", "tpu"], "device must be one that this machine has"),
        (["-o", "big.xyz"], "big.xyz: the suffix must be one of"),
        (["-o", "taken.png"], "taken.png: is already there: pass --force"),
        (["--max-pixels", "100"], "photo.png: has 20x16 = 320 pixels, and at most 100 are read"),
        (["--max-pixels", "-3"], "--max-pixels must be a number of pixels above 0 or none, got '-3'"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(
    limner: Callable, photo: Path, place: Path, options: list[str], message: str
) -> None:
    (place / "damaged.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{brokenx")
    (place / "taken.png").write_text("precious")
    before = files(place)
    refused = limner("upscale", photo, *options)
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert files(place) == before
    assert (place / "taken.png").read_text() == "precious"


def test_a_huge_picture_is_refused_and_let_through_on_demand(limner: Callable, photo: Path, tiny: Path) -> None:
    assert limner("upscale", photo, "--model", tiny, "--max-pixels", 319).code == 2
    assert limner("upscale", photo, "--model", tiny, "--max-pixels", 320).code == 0
    assert limner("upscale", photo, "--model", tiny, "--max-pixels", "none", "--force").code == 0


def test_what_jpeg_cannot_hold_is_told(limner: Callable, place: Path, drawn: Callable, tiny: Path) -> None:
    drawn(place / "clear.png", mode="RGBA")
    refused = limner("upscale", "clear.png", "--model", tiny, "--format", "jpg")
    assert refused.error.startswith("clear_x2.jpg: JPEG holds no transparency")
    assert files(place) == ["clear.png"]


def test_a_full_disk_is_told_and_leaves_nothing(
    limner: Callable, photo: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    refused = limner("upscale", photo, "--model", tiny)
    assert refused.code in (1, 2)
    assert "no space left on device" in refused.error.lower()
    assert files(Path()) == ["photo.png"]


def test_the_limit_of_pixels() -> None:
    assert pixel_limit("12") == 12
    assert pixel_limit("none") is None
    with pytest.raises(LimnerError, match="--max-pixels"):
        pixel_limit("many")


def test_the_scale_that_is_meant(tiny: Path) -> None:
    assert default_scale("auto") == 2
    assert default_scale(str(tiny)) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_whole_files_alone(
    place: Path, drawn: Callable, tiny: Path, number: signal.Signals
) -> None:
    drawn(place / "one.png", 48, 48)
    (place / "in").mkdir()
    for index in range(400):
        (place / "in" / f"{index}.png").symlink_to(place / "one.png")
    command = [sys.executable, "-m", "limner", "upscale", "in", "-o", "out", "--model", str(tiny)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        process.stdout.readline()  # the first is done; those that are buffered with it, communicate() does not give
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == 1
    assert err == "stopped; finished files are whole\n"
    made = files(place / "out")
    assert 1 <= len(made) < 400
    assert not [name for name in made if name.startswith(".")]
    assert all(size(place / "out" / name) == (96, 96) for name in made)
