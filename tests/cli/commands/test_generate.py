from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from tests.kit_data import rendered

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
    used = limner("generate", "--model", "run/model.safetensors", "--classes", 1, "--count", 5, "-o", "sheet.png")
    assert used.out == "sheet.png  24x16, 5 pictures\n", used.err
    with PillowImage.open("sheet.png") as sheet:
        assert (sheet.size, sheet.mode) == ((24, 16), "L")
    assert "is already there" in limner("generate", "--model", "run/model.safetensors", "-o", "sheet.png").error
    assert "from 0 to 1, got 2" in limner("generate", "--model", "run/model.safetensors", "--classes", 2).error


def test_classes_that_the_data_have_not_are_refused(limner: Callable, place: Path) -> None:
    (place / "digits" / "one").mkdir(parents=True)
    PillowImage.new("L", (8, 8)).save(place / "digits" / "one" / "1.png")
    done = limner("train", "conditional-gan", "--data", "digits", "--set", "num_classes=7")
    assert "num_classes is 1 in the data, got 7: leave out --set num_classes, or name other data" in done.error


def test_a_way_is_a_sheet_or_moves_and_a_sum_is_a_row(limner: Callable, place: Path) -> None:
    (place / "faces").mkdir()
    for name in "ab":
        PillowImage.fromarray(np.full((8, 8), ord(name), np.uint8)).save(place / "faces" / f"{name}.png")
    small = [word for text in ("data.side=8", "base_channels=2", "fit.batch_size=2") for word in ("--set", text)]
    assert limner("train", "vae", "--data", "faces", "--steps", 1, "--output", "run", *small).code == 0
    model = ("generate", "--model", "run/model.safetensors")
    way = limner(*model, "--interpolate", "faces/a.png", 3, "--frames", 5, "-o", "way.gif")
    assert way.out == "way.gif  8x8, 5 pictures\n", way.err
    with PillowImage.open("way.gif") as moving:
        assert (getattr(moving, "n_frames", 1), moving.size) == (5, (8, 8))
    assert limner(*model, "--interpolate", 1, 3, "--frames", 5, "-o", "way.png").out == "way.png  40x8, 5 pictures\n"
    summed = limner(*model, "--arithmetic", "faces - 1,2 + 5-7", "-o", "sum.png")
    assert summed.out == "sum.png  32x8, 4 pictures\n", summed.err
    assert "is already there" in limner(*model, "--interpolate", 1, 3, "-o", "way.gif").error


def test_models_are_measured_and_their_nearest_training_pictures_shown(limner: Callable, place: Path) -> None:
    for folder, first in (("learnt", 0), ("others", 100)):
        (place / folder).mkdir()
        for number in range(24):
            pixels = np.random.default_rng(first + number).integers(0, 256, (8, 8), dtype=np.uint8)
            PillowImage.fromarray(pixels).save(place / folder / f"{number}.png")
    small = [word for text in ("data.side=8", "base_channels=2", "fit.batch_size=2") for word in ("--set", text)]
    assert limner("train", "vae", "--data", "learnt", "--steps", 1, "--output", "run", *small).code == 0
    asked = ("evaluate", "generation", "--data", "others", "--training", "learnt", "--model", "run", "-o", "out")
    done = limner(*asked, "--count", 20)
    assert done.code == 0, done.err
    assert done.out == Path("out/generation.md").read_text()
    assert "## fd:vgg16-relu4_3" in done.out
    assert "| 20 pictures | run |" in done.out
    assert "| nearest training picture | real pictures |" in done.out
    with PillowImage.open("out/generation_nearest.png") as sheet:
        assert sheet.size == (8 * 8, 6 * 8)  # two made pictures a row, each before its three
    assert "is already there" in limner(*asked).error
    assert limner(*asked, "--force", "--set", "nose=3").error.startswith("UnlabelledConfig has no field 'nose'")


SMALL_CHAIRS = [
    word
    for text in ("picture_channels=[4]", "units=4", "joint_units=4", "data.side=16", "fit.batch_size=2")
    for word in ("--set", text)
]


def test_objects_with_names_are_seen_from_anywhere(limner: Callable, place: Path) -> None:
    rendered(place / "things")
    done = limner("train", "chairs", "--data", "things", "--steps", 1, "--output", "run", *SMALL_CHAIRS)
    assert done.code == 0, done.err
    one = limner("generate", "--model", "run", "--class", "wide_one", "--view", "30,120", "-o", "one.png")
    assert one.out == "one.png  16x16, 1 pictures\n", one.err
    with PillowImage.open("one.png") as picture:
        assert (picture.size, picture.mode) == ((16, 16), "RGBA")
    sum_ = limner("generate", "--model", "run", "--class", "0.5*wide_one + high_one", "--transform", "zoom=1.1",
                  "-o", "sum.jpg")  # fmt: skip
    assert sum_.code == 0, sum_.err
    morph = limner("generate", "--model", "run", "--morph", "wide_one", "high_one", "--frames", 5, "-o", "m.gif")
    assert morph.out == "m.gif  16x16, 5 pictures\n", morph.err
    with PillowImage.open("m.gif") as picture:
        assert picture.size == (16, 16)
    around = ["--class", 1, "--view", "20,0", "--view", "20,90", "--frames", 3]
    assert limner("generate", "--model", "run", *around, "-o", "w.png").out == "w.png  32x32, 3 pictures\n"
    assert "is already there" in limner("generate", "--model", "run", "-o", "m.gif").error
    assert "did you mean wide_one" in limner("generate", "--model", "run", "--class", "wide_on").error
    assert "leave one of them out" in limner("generate", "--model", "run", "--class", 1, "--morph", "0", "1").error


def test_a_model_of_chance_has_no_views(limner: Callable, place: Path) -> None:
    (place / "digits" / "one").mkdir(parents=True)
    PillowImage.new("L", (8, 8)).save(place / "digits" / "one" / "1.png")
    assert limner("train", "conditional-gan", "--data", "digits", "--steps", 1, "--output", "run", *SMALL).code == 0
    assert "knows no objects that are seen" in limner("generate", "--model", "run", "--view", "1,2").error


def test_data_of_another_side_are_refused(limner: Callable, place: Path) -> None:
    rendered(place / "things")
    done = limner("train", "chairs", "--data", "things", "--set", "data.side=32")
    assert "makes pictures of 64 pixels, got data of 32: pass --set data.side=64" in done.error


def test_more_classes_than_anybody_means_are_refused_at_once(limner: Callable) -> None:
    for words in ("0-99999999999", "0-9999,0-9999", "9" * 5000):
        assert "--classes" in limner("generate", "--model", "nobody", "--classes", words).error


def test_a_biggan_shows_what_lies_between_classes(limner: Callable, place: Path) -> None:
    for name, gray in (("one", 10), ("two", 200)):
        (place / "icons" / name).mkdir(parents=True)
        PillowImage.fromarray(np.full((32, 32), gray, np.uint8)).save(place / "icons" / name / "1.png")
    texts = ("base_channels=2", "discriminator_channels=2", "latent_channels=8", "class_channels=4", "fit.batch_size=4")
    small = [word for text in texts for word in ("--set", text)]
    assert limner("train", "biggan", "--data", "icons", "--steps", 1, "--output", "run", *small).code == 0
    between = limner("generate", "--model", "run", "--morph", 0, 1, "--frames", 5, "--count", 3, "-o", "way.png")
    assert between.out == "way.png  160x96, 15 pictures\n", between.err


def test_styles_are_mixed_and_fidelity_is_drawn_against_diversity(limner: Callable, place: Path) -> None:
    pytest.importorskip("matplotlib")
    (place / "faces").mkdir()
    for number in range(24):
        pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        PillowImage.fromarray(pixels).save(place / "faces" / f"{number}.png")
    texts = (
        "data.side=16", "channels_at_64=1", "most_channels=4", "latent_channels=4", "mapping_layers=1",
        "growth.phase_share=0", "fit.batch_size=2",
    )  # fmt: skip
    small = [word for text in texts for word in ("--set", text)]
    assert limner("train", "stylegan", "--data", "faces", "--steps", 1, "--output", "run", *small).code == 0
    model = ("generate", "--model", "run/model.safetensors")
    mixed = limner(*model, "--mix", "coarse", "--count", 4, "-o", "mix.png")
    assert mixed.out == "mix.png  48x48, 9 pictures\n", mixed.err
    rows = limner(*model, "--truncation", "0.5,1", "--count", 4, "-o", "rows.png")
    assert rows.out == "rows.png  64x32, 8 pictures\n", rows.err
    noise = limner(*model, "--noise-draws", 3, "--count", 2, "-o", "noise.png")
    assert noise.out == "noise.png  64x32, 8 pictures\n", noise.err
    way = limner(*model, "--direction", 1, "--frames", 5, "--count", 2, "-o", "way.gif")
    assert way.out == "way.gif  32x16, 10 pictures\n", way.err
    line = limner(*model, "--direction", "3,7 - 4", "--frames", 3, "--count", 2, "-o", "line.png")
    assert line.out == "line.png  48x32, 6 pictures\n", line.err
    assert "space must be one of z, w, w+" in limner(*model, "--project", "faces/0.png", "--space", "x").error
    swept = limner(*model, "--truncation", "0.5..1.0", "--sweep", "faces", "-o", "sweep.svg")
    assert swept.code == 0, swept.err
    assert sum(line.startswith("| truncation 0.") for line in swept.out.splitlines()) == 9
    assert (place / "sweep.svg").read_text().count("<svg") == 1
    assert "is already there" in limner(*model, "--truncation", "0.5,1", "--sweep", "faces", "-o", "sweep.svg").error
    assert "pass --truncation 0.1..1.0" in limner(*model, "--sweep", "faces").error
    assert "or a span as 0.1..1.0, got 'few'" in limner(*model, "--truncation", "few").error
    assert "drawn as .svg, got a.png" in limner(*model, "--truncation", "1,2", "--sweep", "x", "-o", "a.png").error
