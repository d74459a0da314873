"""`limner evaluate segmentation` by a network that is known, and figures counted by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from tests.segmenters import bordered_parts, bright_parts, of_chance

from limner.cli.main import main
from limner.data.segmented import SegmentedConfig
from limner.errors import LimnerError
from limner.measure.segmented_folder import evaluate_segmentation
from limner.runtime.run_options import RunOptions
from limner.systems.segmentation.unet import MODERN
from limner.verbs.segment.segmenter import Segmenter

EXACT = RunOptions(device="cpu", precision="exact")


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(values.astype(np.uint8)).save(path)


def folder(place: Path) -> Path:
    """Found: 24 pixels, of which 18 are right, and 6 of the 24 true ones are not found; 600 in all, 30 not counted."""
    picture, mask = np.zeros((20, 30)), np.zeros((20, 30))
    picture[2:6, 3:9], mask[2:6, 3:9] = 200, 255
    mask[2:6, 3:9][:, :1], mask[2:6, 9] = 0, 0
    mask[10:12, 10:12] = 255
    mask[19] = 7
    save(place / "data" / "images" / "a.png", picture)
    save(place / "data" / "labels" / "a.png", mask)
    return place / "data"


def test_figures_by_hand(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = bright_parts(place / "b.safetensors")
    words = ["evaluate", "segmentation", "--data", str(folder(place)), "--model", model, "--ignore", "7"]
    assert main([*words, "--json"]) == 0
    ground, bright, mean = json.loads(capsys.readouterr().out)["rows"]
    assert (ground["case"], bright["case"], mean["case"]) == ("ground", "bright", "mean")
    assert bright["iou"] == pytest.approx(20 / 28)  # 24 found, 20 of them right; 24 true, 4 of them elsewhere
    assert bright["dice"] == pytest.approx(40 / 48)
    assert ground["iou"] == pytest.approx(542 / 550)
    assert mean["iou"] == pytest.approx((20 / 28 + 542 / 550) / 2)
    assert mean["pixel_error"] == pytest.approx(8 / 570)
    assert "| bright |" in (place / "segmentation.md").read_text()
    assert json.loads((place / "segmentation.json").read_text())["rows"][1]["method"] == model
    assert main(words) == 2
    assert "already there" in capsys.readouterr().err
    assert main([*words, "-o", "new/a.md"]) == 0
    assert (place / "new" / "a.md").is_file()


def test_objects_by_hand(place: Path) -> None:
    """Two that touch in truth are one found; the third is found as it is."""
    picture, mask = np.zeros((20, 30)), np.zeros((20, 30))
    picture[2:6, 3:13], mask[2:6, 3:8], mask[2:6, 8:13] = 255, 9, 4
    picture[10:14, 4:8], mask[10:14, 4:8] = 255, 200
    picture[16:, 20:], mask[16:, 20:] = 255, 255  # which is not counted
    save(place / "images" / "a.png", picture)
    save(place / "instances" / "a.png", mask)
    model = Segmenter(bright_parts(place / "b.safetensors"), EXACT)
    report = evaluate_segmentation(place, [model], SegmentedConfig(meaning="instances", ignore=(255,)))
    overlap, objects = report.tables
    assert overlap.rows[1].figures["iou"] == 1  # pixels where objects touch are objects in truth
    figures = objects.rows[0].figures
    assert figures["dice"] == 1
    assert figures["f1"] == pytest.approx(2 / (2 + 3))
    assert figures["ap"] == pytest.approx(1 / 4)


def test_objects_with_borders_are_measured_as_they_are_written(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two with a border between them are right, and would be one; the border belongs to them."""
    picture, mask = np.zeros((20, 30)), np.zeros((20, 30))
    picture[2:6, 3:13], picture[2:6, 7:9] = 255, 140
    mask[2:6, 3:8], mask[2:6, 8:13] = 9, 4
    save(place / "images" / "a.png", picture)
    save(place / "instances" / "a.png", mask)
    model = bordered_parts(place / "b.safetensors")
    words = ["evaluate", "segmentation", "--data", ".", "--model", model, "--instances", "--json"]
    assert main(words) == 0
    ground, bright, mean, objects = json.loads(capsys.readouterr().out)["rows"]
    assert [one["case"] for one in (ground, bright, mean)] == ["ground", "bright", "mean"]
    assert bright["iou"] == 1
    assert objects["f1"] == objects["ap"] == objects["dice"] == 1
    assert "grow from within their borders" in (place / "segmentation.md").read_text()


def test_the_measures_of_the_sections_by_name(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two cells of 2x4 pixels that are found as one, with the two pixels between them."""
    picture, mask = np.zeros((20, 32)), np.zeros((20, 32))
    picture[4:6, 4:13] = mask[4:6, 4:13] = 255
    mask[4:6, 8] = 0
    save(place / "images" / "a.png", picture)
    save(place / "labels" / "a.png", mask)
    model = bright_parts(place / "b.safetensors")
    words = ["evaluate", "segmentation", "--data", ".", "--model", model]
    assert main([*words, "--metrics", "isbi-2012", "--metrics", "overlap,instances", "--json"]) == 0
    sections, *overlap, objects = json.loads(capsys.readouterr().out)["rows"]
    assert [row["protocol"] for row in (sections, *overlap, objects)] == ["isbi-2012", *["overlap"] * 3, "instances"]
    assert sections["warping_error"] == pytest.approx(2 / 640)
    assert sections["pixel_error"] == pytest.approx(2 / 640)
    assert sections["rand_error"] == pytest.approx(1 - 2 * (8**2 * 2) / (8**2 * 2 + 16**2))
    assert overlap[1]["boundary_f1"] == pytest.approx(2 * 16 / (16 + 18))  # all pixels lie on a boundary
    assert objects["f1"] == 0
    assert main([*words, "--metrics", "iou", "--force"]) == 2
    assert "one of overlap, isbi-2012, instances, got iou" in capsys.readouterr().err


def test_models_stand_one_below_the_other(place: Path) -> None:
    one, other = bright_parts(place / "b.safetensors"), bright_parts(place / "c.safetensors", 3)
    config = SegmentedConfig(ignore=(7,))
    report = evaluate_segmentation(folder(place), [Segmenter(name, EXACT) for name in (one, other)], config)
    (table,) = report.tables
    assert [row.method for row in table.rows] == [one] * 3 + [other] * 3
    assert table.rows[1].figures == table.rows[4].figures
    assert [one.heading for one in table.columns][:2] == ["case", "method"]


def test_classes_are_those_of_the_model(place: Path) -> None:
    config = MODERN.model_copy(update={"channels": 2, "num_classes": 3})
    wide = Segmenter(of_chance(place / "w.safetensors", config), EXACT)
    with pytest.raises(LimnerError, match=r"isbi-2012 is of 2 classes, and .* tells 3 apart: leave it out"):
        evaluate_segmentation(folder(place), [wide], SegmentedConfig(), metrics=["isbi-2012"])
    with pytest.raises(LimnerError, match=r"masks of 2 classes, and .* tells 3 apart: name those of the masks in cla"):
        evaluate_segmentation(place / "data", [wide], SegmentedConfig(ignore=(7,)))
    save(place / "n" / "images" / "a.png", np.zeros((16, 16)))
    save(place / "n" / "labels" / "a.png", np.eye(16) * 2)  # class 1 is in none of them
    (table,) = evaluate_segmentation(place / "n", [wide], SegmentedConfig()).tables
    assert np.isnan(table.rows[1].figures["iou"]) or table.rows[1].figures["iou"] == 0
    assert [row.case for row in table.rows] == ["class 0", "class 1", "class 2", "mean"]


def test_what_cannot_be_measured_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = bright_parts(place / "b.safetensors")
    words = ["evaluate", "segmentation", "--data", str(folder(place))]

    def refusal(*others: str) -> str:
        assert main([*words, *others]) == 2
        return capsys.readouterr().err

    assert "not for segment" in refusal("--model", "vdsr")
    assert "leave out --colors or --instances" in refusal("--model", model, "--colors", "--instances")
    assert "holds no" in refusal("--model", model, "--images", "*.gif")
    assert not (place / "segmentation.md").exists()
