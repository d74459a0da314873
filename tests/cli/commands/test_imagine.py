import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from limner.cli.work.growing_picture import GrowingPicture
from limner.loops.optimize import Progress

BRIEF = ("--size", 32, "--steps", 2, "--device", "cpu")


def size(path: str | Path) -> tuple[int, int]:
    with PillowImage.open(path) as image:
        image.load()
        return image.size


def test_a_channel_is_imagined_in_a_file_of_its_name(limner: Callable, place: Path) -> None:
    done = limner("imagine", "relu1_2:5", *BRIEF)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("relu1_2_5.png  32x32  2 steps")
    assert size("relu1_2_5.png") == (32, 32)
    assert limner("imagine", "relu1_2:5", *BRIEF).error.startswith("relu1_2_5.png: is already there")


def test_a_class_is_told_with_what_it_is_taken_for(limner: Callable, place: Path) -> None:
    told = json.loads(limner("imagine", "class:tabby cat", *BRIEF, "--prior", "tv", "--json").out)
    assert (told["output"], told["steps"]) == ("tabby.png", 2)
    (unit,) = told["units"]
    assert unit["unit"] == "tabby"
    assert isinstance(unit["recognized"], str)
    assert 0 < unit["probability"] <= 1


def test_several_units_make_one_sheet(limner: Callable, place: Path) -> None:
    done = limner("imagine", "relu1_1:0", "conv1_2:1", "fire2:3", *BRIEF, "--columns", 2)
    assert done.out.startswith("imagined.png")
    assert "6 steps" in done.out
    width, height = size("imagined.png")
    assert width > 3 * 16 + 2 * 32
    assert height == 2 * (44 + 32 + 16)


def stop_at(step: int) -> Callable:
    """What makes a run stop as Ctrl-C does, at a step counted over all units."""

    def watch(self: GrowingPicture, progress: Progress) -> None:
        if progress.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def test_a_stopped_picture_is_kept_and_goes_on(limner: Callable, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = limner("imagine", "relu1_2:5", *BRIEF, "--steps", 5, "-o", "whole.png")
    assert whole.code == 0
    with monkeypatch.context() as patch:
        patch.setattr(GrowingPicture, "watch", stop_at(2))
        stopped = limner("imagine", "relu1_2:5", *BRIEF, "--steps", 5, "-o", "one.png")
    assert (stopped.code, size("one.png")) == (1, (32, 32))
    assert "stopped after 2 steps" in stopped.err
    assert limner("imagine", "relu1_2:5", *BRIEF, "--steps", 5, "-o", "one.png", "--resume").code == 0
    assert Path("one.png").read_bytes() == Path("whole.png").read_bytes()
    assert sorted(path.name for path in place.iterdir()) == ["one.png", "whole.png"]


def test_another_unit_is_not_gone_on_with(limner: Callable, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(GrowingPicture, "watch", stop_at(1))
        assert limner("imagine", "relu1_1:3", "-o", "a.png", *BRIEF).code == 1
    refused = limner("imagine", "relu1_1:4", "-o", "a.png", "--resume", *BRIEF)
    assert "was made of other pictures or options: resume with those, or start a new run" in refused.error
    assert limner("imagine", "relu1_1:3", "-o", "a.png", "--resume", *BRIEF).code == 0


def test_a_stopped_sheet_shows_what_was_reached(limner: Callable, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GrowingPicture, "watch", stop_at(3))
    stopped = limner("imagine", "relu1_1:0", "relu1_1:1", "relu1_1:2", *BRIEF)
    assert (stopped.code, stopped.out) == (1, "")
    assert stopped.err == "stopped: imagined.png shows 2 of 3 units, the last as far as it came\n"
    assert size("imagined.png")[1] == 44 + 32 + 16


def test_one_seed_gives_one_file(limner: Callable, place: Path) -> None:
    for name, seed in (("a.png", 5), ("b.png", 5), ("c.png", 6)):
        limner("imagine", "relu1_2:5", *BRIEF, "--seed", seed, "-o", name)
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes() != Path("c.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["relu9_9:1"], "no layer is called 'relu9_9'"),
        (["relu4_1"], "a channel of relu4_1 must be named"),
        (["class:goldfisch"], "no class of ImageNet is called 'goldfisch': did you mean goldfish"),
        (["relu1_1:0", "relu1_1:1", "--resume"], "--resume goes on with one picture"),
        (["relu1_1:0", "--set", "wobble=3"], "ActivationConfig has no field 'wobble'"),
        (["class:goldfish", "--features", "vgg.pth"], "--features are of VGG, and class:goldfish is of SqueezeNet"),
        (["relu1_1:0", "-o", "x.gif"], "x.gif: images are written as one of"),
    ],
)
def test_a_wrong_request_is_an_error_of_one_line(
    limner: Callable, place: Path, arguments: list[str], message: str
) -> None:
    refused = limner("imagine", *arguments, *BRIEF)
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert list(place.iterdir()) == []
