import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from limner.training.train import read_plan


@pytest.fixture
def pictures(place: Path, drawn: Callable) -> Path:
    drawn(place / "pictures" / "a.png", 32, 32)
    return Path("pictures")


def train(limner: Callable, *arguments: object) -> Any:
    return limner("train", "vdsr", *arguments)


def test_a_run_from_start_to_use(limner: Callable, pictures: Path, place: Path, quickly: list[str]) -> None:
    done = train(limner, "--data", pictures, "--steps", 3, *quickly)
    assert done.code == 0, done.err
    assert re.fullmatch(r"runs/vdsr/model.safetensors  3 steps, \d+\.\d minutes\n", done.out)
    assert done.err.splitlines()[-1] == "use it with: limner upscale photo.jpg --model runs/vdsr/model.safetensors"
    assert {path.name for path in (place / "runs/vdsr").iterdir()} >= {"plan.json", "training.pt", "log.csv", "samples"}

    refused = train(limner, "--data", pictures, "--steps", 3, *quickly)
    assert refused.code == 2
    assert "pass --resume to go on, --force to begin anew, or name another --output" in refused.error

    extended = train(limner, "--resume", "--steps", 5, "--device", "cpu")
    assert extended.out.startswith("runs/vdsr/model.safetensors  5 steps")
    assert read_plan(Path("runs/vdsr")).fit.steps == 5

    used = limner("upscale", "pictures/a.png", "--model", "runs/vdsr/model.safetensors", "-o", "big.png")
    assert used.out == "big.png  64x64\n"


@pytest.fixture
def run(limner: Callable, pictures: Path, quickly: list[str]) -> Path:
    assert train(limner, "--data", pictures, "--steps", 1, "--output", "run", *quickly).code == 0
    return Path("run")


def test_resuming_changes_nothing_but_the_length(limner: Callable, run: Path) -> None:
    refused = train(limner, "--output", run, "--resume", "--preset", "fast", "--seed", 3, "--set", "channels=3")
    assert refused.code == 2
    assert "so --preset and --seed cannot be given" in refused.error
    assert "of vdsr, got srresnet" in limner("train", "srresnet", "--output", run, "--resume").error
    assert "--start-from cannot be given" in train(limner, "--output", run, "--resume", "--start-from", "vdsr").error
    assert "--data cannot be given" in train(limner, "--output", run, "--resume", "--data", "other").error
    assert "minutes must be positive" in train(limner, "--output", run, "--resume", "--minutes", 0).error
    assert train(limner, "--output", run, "--resume", "--data", "pictures", "--minutes", 9).code == 0
    assert read_plan(run).minutes == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vdsr"], "training needs pictures: pass --data FOLDER"),
        (["nobody", "--data", "pictures"], "system must be one of vdsr"),
        (["vdsr", "--data", "gone"], "is not a folder"),
        (["vdsr", "--data", "."], "holds no picture of at least"),
        (["vdsr", "--data", "pictures", "--preset", "slow"], "vdsr has the presets"),
        (["vdsr", "--data", "pictures", "--set", "depth=3"], "VDSRConfig has no field 'depth'"),
        (["vdsr", "--data", "pictures", "--set", "depth"], "--set takes field=value, got 'depth'"),
        (["vdsr", "--data", "pictures", "--minutes", "0"], "minutes must be above 0 and finite, got 0.0"),
        (["vdsr", "--data", "pictures", "--start-from", "nobody"], "there is no model 'nobody': name "),
        (["vdsr", "--data", "pictures", "--device", "tpu"], "device must be one that this machine has"),
        (["vdsr", "--resume", "--output", "gone"], "gone holds no run, for there is no plan.json"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(
    limner: Callable, pictures: Path, arguments: list[str], message: str
) -> None:
    refused = limner("train", *arguments)
    assert refused.code == 2
    assert message in refused.error
    assert not Path("runs").exists()


@pytest.mark.parametrize("model", ["nowhere.safetensors", "edsr-x2"])
def test_a_dry_run_refuses_the_models_that_training_refuses(
    limner: Callable, pictures: Path, quickly: list[str], model: str
) -> None:
    refused = train(limner, "--data", pictures, "--start-from", model, *quickly)
    foreseen = train(limner, "--data", pictures, "--start-from", model, *quickly, "--dry-run")
    assert (foreseen.code, foreseen.error) == (refused.code, refused.error)
    assert foreseen.code == 2
    assert model in foreseen.error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_it_goes_on_and_does(
    limner: Callable, pictures: Path, place: Path, quickly: list[str], number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "limner", "train", "vdsr", "--data", "pictures", "--output", "my run", *quickly]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        process.stderr.readline()  # the first step has been made
        time.sleep(0.2)
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == 1
    stopped = re.fullmatch(r"stopped after (\d+) steps, all saved; go on with: limner (.*)", err.splitlines()[-1])
    assert "Traceback" not in err
    assert not [path for path in place.rglob("*") if path.name.startswith(".")]
    steps = int(stopped[1]) + 2
    resumed = limner(*shlex.split(stopped[2]), "--steps", steps)
    assert resumed.out.startswith(f"my run/model.safetensors  {steps} steps")


SMALL_STYLES = [
    "--set", "channels=[4,4,4]", "--set", "num_blocks=0", "--set", "data.patch=16", "--set", "data.style_size=32",
    "--set", "fit.batch_size=1",
]  # fmt: skip


def test_styles_are_learnt_and_named_after_their_pictures(
    limner: Callable, pictures: Path, place: Path, drawn: Callable
) -> None:
    drawn(place / "own.png", 40, 30)
    styles = ["--style", "own.png", "--style", "mosaic"]
    done = limner("train", "fast-style", "--data", pictures, *styles, "--steps", 2, "--output", "run", *SMALL_STYLES)
    assert done.code == 0, done.err
    assert done.err.splitlines()[-1] == "use it with: limner stylize photo.jpg --model run/model.safetensors"
    used = limner("stylize", "pictures/a.png", "--model", "run/model.safetensors", "--style", "mosaic", "-o", "a.png")
    assert used.out == "a.png  32x32\n", used.err


def test_a_texture_network_that_is_told_a_style_paints(limner: Callable, pictures: Path, place: Path) -> None:
    small = ["num_scales=2", "channels=2", 'layers={"relu1_1": 1}', "data.patch=32", "fit.batch_size=1"]
    words = [word for text in small for word in ("--set", text)]
    begin = [
        "train",
        "texture-network",
        "--preset",
        "style",
        "--data",
        pictures,
        "--steps",
        1,
        "--output",
        "run",
        *words,
    ]
    done = limner(*begin, "--style", "mosaic")
    assert done.err.splitlines()[-1] == "use it with: limner stylize photo.jpg --model run/model.safetensors", done.err
    used = limner("stylize", "pictures/a.png", "--model", "run/model.safetensors", "-o", "a.png")
    assert used.out == "a.png  32x32\n", used.err
    drawn = limner("texture", "--method", "network", "--model", "run/model.safetensors")
    assert "is a texture-network, for limner stylize, not for texture: name texture-starry-night" in drawn.error


def test_a_style_must_be_learnable(limner: Callable, pictures: Path, place: Path, drawn: Callable) -> None:
    drawn(place / "other" / "mosaic.png", 40, 30)
    assert "these data take no style: leave out --style" in train(limner, "--data", pictures, "--style", "mosaic").error
    twice = limner("train", "fast-style", "--data", pictures, "--style", "mosaic", "--style", "other/mosaic.png")
    assert "styles are named after their files, got mosaic, mosaic: rename one" in twice.error
    assert "training needs a style: pass --style" in limner("train", "fast-style", "--data", pictures).error


def test_a_network_of_any_style_is_used_with_a_style(limner: Callable, pictures: Path) -> None:
    small = ["--set", "channels=[4,4,4]", "--set", "data.patch=16", "--set", "data.resize=32"]
    done = limner("train", "adain", "--data", pictures, "--style", "mosaic", "--steps", 1, "--output", "run", *small)
    expected = "use it with: limner stylize photo.jpg --style painting.jpg --model run/model.safetensors"
    assert done.err.splitlines()[-1] == expected


def test_how_it_is_optimised_may_change_and_what_is_trained_may_not(limner: Callable, run: Path) -> None:
    refused = train(limner, "--output", run, "--resume", "--set", "channels=3")
    assert "so of --set only fit.FIELD may be given" in refused.error
    assert "got data.patch=8" in train(limner, "--output", run, "--resume", "--set", "data.patch=8").error
    rates = ["--set", "fit.optimizer.learning_rate=0.125", "--set", "fit.clip.kind=value"]
    assert train(limner, "--output", run, "--resume", "--steps", 2, *rates).code == 0
    fit = read_plan(run).fit
    assert (fit.steps, fit.optimizer.learning_rate, fit.clip.kind) == (2, 0.125, "value")
    assert "FitConfig has no field" in train(limner, "--output", run, "--resume", "--set", "fit.rate=1").error
    assert "the seed of the saved run is 0" in train(limner, "--output", run, "--resume", "--set", "fit.seed=2").error


def test_a_diverged_run_says_so_and_its_own_mend_works(
    limner: Callable, pictures: Path, quickly: list[str], place: Path
) -> None:
    settings = ("optimizer.learning_rate=1e30", "optimizer.kind=sgd", "clip.kind=none")
    wild = [word for setting in settings for word in ("--set", f"fit.{setting}")]
    done = train(limner, "--data", pictures, "--steps", 50, "--output", "run", *quickly, *wild)
    assert done.code == 1
    line = done.err.splitlines()[-1]
    step = re.match(r"error: diverged at step (\d+): ", line)
    assert step, line
    assert "resume with --set fit.optimizer.learning_rate=" in line
    assert "Traceback" not in done.err
    again = train(limner, "--output", "run", "--resume", "--steps", 3, "--set", "fit.optimizer.learning_rate=1e-6")
    assert again.code == 0, again.err
    assert again.out.startswith("run/model.safetensors  3 steps")


def test_changed_pictures_are_refused_or_accepted(limner: Callable, run: Path, drawn: Callable, place: Path) -> None:
    drawn(place / "pictures" / "b.png", 40, 32)
    refused = train(limner, "--output", run, "--resume", "--steps", 2)
    assert refused.code == 2
    assert "the pictures are not those that this run began with: 1 new (b.png)" in refused.error
    assert "--accept-changes" in refused.error
    assert train(limner, "--output", run, "--resume", "--steps", 2, "--accept-changes").code == 0
    assert train(limner, "--output", run, "--resume", "--steps", 3).code == 0, "what was accepted is what is known now"
    drawn(place / "pictures" / "a.png", 36, 32)
    assert "1 changed (a.png)" in train(limner, "--output", run, "--resume", "--steps", 4).error
    (place / "pictures" / "b.png").unlink()
    assert "1 changed (a.png), 1 gone (b.png)" in train(limner, "--output", run, "--resume", "--steps", 4).error


def test_a_changed_style_is_noticed_too(limner: Callable, place: Path, drawn: Callable) -> None:
    drawn(place / "photos" / "a.png", 40, 40)
    drawn(place / "style.png", 32, 32)
    small = ["--set", "data.patch=32", "--set", "data.style_size=32", "--set", "fit.batch_size=1", "--device", "cpu"]
    begun = limner(
        "train", "fast-style", "--data", "photos", "--style", "style.png", "--steps", 1, "--output", "run", *small
    )
    assert begun.code == 0, begun.err
    drawn(place / "style.png", 34, 32)
    refused = limner("train", "fast-style", "--output", "run", "--resume", "--steps", 2)
    assert "1 changed (style.png)" in refused.error


def test_all_bad_pictures_are_named_before_the_first_step(limner: Callable, pictures: Path, quickly: list[str]) -> None:
    data = (pictures / "a.png").read_bytes()
    for name in ("b.png", "c.png"):
        (pictures / name).write_bytes(data[: len(data) // 2])
    (pictures / "z.jpg").write_text("no picture")
    refused = train(limner, "--data", pictures, "--steps", 1, "--output", "run", *quickly)
    assert refused.code == 2
    assert refused.error.startswith("3 of 4 files of the training data cannot be read: ")
    assert all(name in refused.error for name in ("b.png", "c.png", "z.jpg"))
    assert not Path("run/training.pt").exists()


def test_two_trainings_in_one_folder_are_refused(limner: Callable, pictures: Path, quickly: list[str]) -> None:
    from limner.files.lock import alone_at

    assert train(limner, "--data", pictures, "--steps", 1, "--output", "run", *quickly).code == 0
    before = {path: path.read_bytes() for path in Path("run").rglob("*.*")}
    with alone_at(Path("run"), "this run"):
        refused = train(limner, "--data", pictures, "--steps", 1, "--output", "run", *quickly, "--force")
        assert refused.error == "run: another run is at work on this run: wait for it, or stop it"
    bad = pictures.with_name("bad")
    bad.mkdir()
    (bad / "a.png").write_bytes(b"none")
    assert train(limner, "--data", bad, "--steps", 1, "--output", "run", *quickly, "--force").code == 2
    assert {path: path.read_bytes() for path in Path("run").rglob("*.*")} == before
    assert train(limner, "--data", pictures, "--steps", 1, "--output", "run", *quickly, "--force").code == 0
    shutil.rmtree("run")
    with alone_at(Path("run"), "this run"):
        for more in ([], ["--resume"]):
            refused = train(limner, "--data", pictures, "--steps", 1, "--output", "run", *quickly, *more)
            assert refused.code == 2
            if not more:
                assert refused.error == "run: another run is at work on this run: wait for it, or stop it"
    assert train(limner, "--data", pictures, "--steps", 1, "--output", "run", *quickly).code == 0


def test_the_memory_for_pictures_changes_nothing(limner: Callable, pictures: Path, quickly: list[str]) -> None:
    for name, memory in (("one", "1KB"), ("two", "1GB")):
        assert train(limner, "--data", pictures, "--steps", 3, "--output", name, *quickly, "--memory", memory).code == 0
    one, two = (load_file(f"{name}/model.safetensors") for name in ("one", "two"))
    assert all(torch.equal(one[key], two[key]) for key in {*one, *two})


def test_samples_too_small_for_a_norm_are_one_line(limner: Callable, place: Path, drawn: Callable) -> None:
    drawn(place / "in" / "a.png", 64, 64)
    done = limner("train", "srgan", "--data", "in", "--steps", 1, "--batch-size", 1, "--set", "data.patch=8")
    assert done.code == 2
    assert "a norm of this network must see more than one value of each channel in a step" in done.err
    assert "Traceback" not in done.err
