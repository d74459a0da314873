from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

SMALL = [
    word for text in ("side=8", "data.side=8", "class_units=8", "joint_units=8", "fit.batch_size=2")
    for word in ("--set", text)
]  # fmt: skip


def test_a_system_that_is_trained_on_classes_makes_pictures_of_them(limner: Callable, place: Path) -> None:
    for name, gray in (("one", 10), ("two", 200)):
        (place / "digits" / name).mkdir(parents=True)
        PillowImage.fromarray(np.full((8, 8), gray, np.uint8)).save(place / "digits" / name / "1.png")
    done = limner("train", "conditional-gan", "--data", "digits", "--steps", 1, "--output", "run", *SMALL)
    assert done.code == 0, done.err
    assert done.err.splitlines()[-1] == "use it with: limner generate --count 16 --model run/model.safetensors"
    used = limner("generate", "--model", "run/model.safetensors", "--class", 1, "--count", 5, "-o", "sheet.png")
    assert used.out == "sheet.png  24x16, 5 pictures\n", used.err
    with PillowImage.open("sheet.png") as sheet:
        assert (sheet.size, sheet.mode) == ((24, 16), "L")
    assert "is already there" in limner("generate", "--model", "run/model.safetensors", "-o", "sheet.png").error
    assert "from 0 to 1, got 2" in limner("generate", "--model", "run/model.safetensors", "--class", 2).error


def test_classes_that_the_data_have_not_are_refused(limner: Callable, place: Path) -> None:
    (place / "digits" / "one").mkdir(parents=True)
    PillowImage.new("L", (8, 8)).save(place / "digits" / "one" / "1.png")
    done = limner("train", "conditional-gan", "--data", "digits", "--set", "num_classes=7")
    assert "num_classes is 1 in the data, got 7: leave out --set num_classes, or name other data" in done.error
