from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.enlargement import EnlargementConfig
from limner.errors import LimnerError
from limner.files.image import Picture, read_image
from limner.training.train import held_out_pictures, plan, read_plan, train
from limner.training.validation import VALIDATION_FILE, Figure, read_validation, verdict

SMALL = ["num_layers=2", "channels=2", "data.patch=16", "fit.batch_size=1"]


@pytest.fixture
def photos(place: Path, drawn: Callable) -> Path:
    for number in range(10):
        drawn(place / "photos" / f"{number}.png", 40 + number, 40)
    return Path("photos")


def test_a_tenth_is_kept_from_training_and_measured(photos: Path) -> None:
    goal = plan("vdsr", photos, steps=2, assignments=SMALL)
    assert [path.name for path in held_out_pictures(goal)] == ["5.png"]
    train(goal, Path("run"))
    first, last = read_validation(Path("run"))
    assert (first["step"], last["step"]) == (1, 2)
    assert [figure.name for figure in last["figures"]] == ["PSNR x2 (dB)", "PSNR x3 (dB)", "PSNR x4 (dB)"]
    assert all(figure.against == "bicubic" for figure in last["figures"])


def test_nothing_of_what_is_kept_is_learnt_from(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goal = plan("vdsr", photos, steps=1, assignments=SMALL, validation=0.3)
    kept = held_out_pictures(goal)
    seen: list[Path] = []

    def noted(path: Path) -> Picture:
        seen.append(path)
        return read_image(path)

    monkeypatch.setattr("limner.data.enlargement.read_image", noted)
    patches = EnlargementConfig.parse(goal.data).load(photos)
    for number in range(len(patches)):
        patches.draw(number, torch.Generator())
    assert len(kept) == 3 and len(seen) == 7
    assert not {*kept} & {path.resolve() for path in seen}


def test_the_figures_of_bicubic_are_those_of_the_evaluation(photos: Path) -> None:
    from limner.measure.super_resolution import evaluate_super_resolution

    goal = plan("vdsr", photos, steps=1, assignments=SMALL)
    train(goal, Path("run"))
    (Path("kept")).mkdir()
    (Path("kept") / "5.png").write_bytes(Path("photos/5.png").read_bytes())
    report = evaluate_super_resolution(Path("kept"))
    expected = [row.figures["psnr"] for row in report.tables[0].rows]
    assert [one.baseline for one in read_validation(Path("run"))[-1]["figures"]] == pytest.approx(expected, abs=1e-4)


def test_another_folder_is_measured_on_and_few_pictures_are_all_learnt_from(photos: Path, drawn: Callable) -> None:
    drawn(Path("other/a.png"), 48, 48)
    goal = plan("vdsr", photos, steps=1, assignments=SMALL, validation="other")
    assert [path.name for path in held_out_pictures(goal)] == ["a.png"]
    for number in range(5, 10):
        (photos / f"{number}.png").unlink()
    few = plan("vdsr", photos, steps=1, assignments=SMALL)
    assert held_out_pictures(few) == []
    train(few, Path("run"))
    assert not (Path("run") / VALIDATION_FILE).exists()
    assert verdict(Path("run")) == []
    with pytest.raises(LimnerError, match="validation must be a share of at least 0 and below 1, or a folder, got 2"):
        plan("vdsr", photos, validation=2)


def test_a_painter_is_measured_by_its_loss_beside_the_start(photos: Path) -> None:
    small = ["channels=[4,4,4]", "num_blocks=0", "data.patch=16", "data.style_size=32", "fit.batch_size=1"]
    goal = plan("fast-style", photos, steps=3, assignments=small, styles=["mosaic"])
    train(goal, Path("run"))
    first, last = (one["figures"][0] for one in read_validation(Path("run")))
    assert (first.name, first.against) == ("loss", "the start")
    assert first.value == first.baseline == last.baseline
    assert last.value != first.value


def test_a_translator_is_measured_beside_its_source(place: Path) -> None:
    (place / "pairs").mkdir()
    for number in range(6):
        half = np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        PillowImage.fromarray(np.hstack([half, 255 - half])).save(place / "pairs" / f"{number}.png")
    small = ["base_channels=2", "num_downs=4", "data.resize=32", "data.patch=32", "data.mirror=false"]
    train(plan("pix2pix", place / "pairs", steps=1, assignments=small), Path("run"))
    (one,) = read_validation(Path("run"))[-1]["figures"]
    kept = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8).astype(float) / 255
    assert one.baseline == pytest.approx(-10 * np.log10(np.mean((1 - 2 * kept) ** 2)), abs=0.01)
    assert one.against == "the source as it is"


def test_measuring_changes_nothing_of_the_training(photos: Path) -> None:
    goal = plan("vdsr", photos, steps=3, assignments=SMALL)
    watched = train(goal, Path("a")).system.state_dict()
    torch.manual_seed(1)
    from limner.training import train as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_validation", lambda *args: [])
        alone = train(goal, Path("b")).system.state_dict()
    assert all(torch.equal(watched[name], alone[name]) for name in watched)


def test_the_last_word_is_honest(place: Path) -> None:
    place.joinpath(VALIDATION_FILE).write_text(
        "step,seconds,name,value,baseline,against,more_is_better\n"
        "1,5.0,PSNR x2 (dB),20.0,30.0,bicubic,True\n9,50.0,PSNR x2 (dB),29.5,30.0,bicubic,True\n"
    )
    assert read_validation(place)[1]["figures"] == [Figure("PSNR x2 (dB)", 29.5, 30.0, "bicubic", True)]
    said = verdict(place)
    assert said[0] == "on pictures kept from training: PSNR x2 (dB) 29.5, bicubic 30: worse by 0.5"
    assert said[1].startswith(
        "this model is not better than bicubic on pictures that it has not seen: train it for longer"
    )
    assert not Figure("loss", 2.0, 1.0, "the start", False).is_better
    assert Figure("loss", 0.5, 1.0, "the start", False).is_better


def test_rate_and_batches_are_set_for_every_player(photos: Path) -> None:
    goal = plan("srgan", photos, learning_rate=0.003, batch_size=3)
    assert goal.fit.batch_size == 3
    assert {goal.fit.optimizer.learning_rate, goal.fit.players["discriminator"].learning_rate} == {0.003}


@pytest.mark.parametrize(
    ("field", "mend"),
    [
        ("batch_size", "did you mean fit.batch_size?"),
        ("learning_rate", "did you mean fit.optimizer.learning_rate?"),
        ("patch", "did you mean data.patch?"),
        ("num_layer", "did you mean num_layers"),
    ],
)
def test_an_unknown_field_is_told_where_it_is(photos: Path, field: str, mend: str) -> None:
    with pytest.raises(LimnerError, match="VDSRConfig has no field") as refused:
        plan("vdsr", photos, assignments=[f"{field}=3"])
    assert mend in str(refused.value)


def test_a_run_keeps_its_validation(photos: Path) -> None:
    train(plan("vdsr", photos, steps=1, assignments=SMALL, validation=0.2), Path("run"))
    assert read_plan(Path("run")).data["held_out"] == 0.2


def test_what_is_learnt_without_pairs_is_measured_on_its_cycles(place: Path) -> None:
    for number in range(12):
        for name in "AB":
            (place / "both" / name).mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
            PillowImage.fromarray(pixels).save(place / "both" / name / f"{number}.png")
    small = ["base_channels=2", "num_blocks=1", "discriminator_channels=2", "discriminator_layers=1"]
    small += ["data.resize=16", "data.patch=16"]
    train(plan("cyclegan", place / "both", steps=1, assignments=small), Path("run"))
    figures = read_validation(Path("run"))[-1]["figures"]
    names = ["cycle L1", "cycle L1 when blurred", "likeness of light and dark"]
    assert [one.name for one in figures] == [f"{name}, {way}" for way in ("A to B", "B to A") for name in names]
    kept = np.random.default_rng(6).integers(0, 256, (16, 16, 3), dtype=np.uint8).astype(float) / 255
    assert figures[0].baseline == pytest.approx(np.abs(kept - kept.mean((0, 1))).mean(), abs=1e-3)


def test_advice_that_goes_with_a_figure_is_told_instead_of_training_longer(place: Path) -> None:
    place.joinpath(VALIDATION_FILE).write_text(
        "step,seconds,name,value,baseline,against,more_is_better,advice\n9,5.0,likeness,-0.5,0.0,x,True,light is dark\n"
    )
    assert read_validation(place)[0]["figures"][0].advice == "light is dark"
    assert verdict(place)[1:] == ["likeness: light is dark"]
