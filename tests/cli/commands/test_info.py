import json
from collections.abc import Callable
from pathlib import Path

import pytest


def test_a_picture(limner: Callable, place: Path, drawn: Callable) -> None:
    drawn(place / "a.png", mode="RGBA")
    facts = json.loads(limner("info", "a.png", "--json").out)
    assert (facts["kind"], facts["format"], facts["width"], facts["height"]) == ("picture", "PNG", 20, 16)
    assert (facts["mode"], facts["bit_depth"], facts["has_alpha"], facts["frames"]) == ("RGBA", 8, True, 1)
    assert "width: 20\n" in limner("info", "a.png").out


def test_a_weight_file_with_its_card(limner: Callable, tiny: Path) -> None:
    facts = json.loads(limner("info", tiny, "--json").out)
    assert (facts["kind"], facts["system"], facts["num_parameters"]) == ("weights", "vdsr", 4 * 9 + 16 * 9 + 4 * 9)
    assert facts["config"]["num_layers"] == 3
    assert "card" not in facts


def test_a_run(limner: Callable, place: Path, drawn: Callable, quickly: list[str]) -> None:
    drawn(place / "pictures" / "a.png", 32, 32)
    limner("train", "vdsr", "--data", "pictures", "--steps", 2, "--output", "run", *quickly)
    facts = json.loads(limner("info", "run", "--json").out)
    assert (facts["kind"], facts["plan"]["config"]["channels"]) == ("run", 2)
    assert (facts["progress"]["steps"], facts["progress"]["percent"]) == (2, 100.0)
    assert facts["model"] == "run/model.safetensors"


def test_an_exported_network(limner: Callable, tiny: Path, place: Path) -> None:
    for kind, name in (("torchscript", "a.ts"), ("onnx", "a.onnx")):
        if kind == "onnx":
            pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
        assert limner("export", tiny, "--format", kind, "--output", name).code == 0
        facts = json.loads(limner("info", name, "--json").out)
        assert (facts["kind"], facts["system"]) == ("exported network", "vdsr")
        assert facts["outputs"] and facts["bytes"] == (place / name).stat().st_size
    (place / "b.onnx").write_bytes(b"no network")
    refused = limner("info", "b.onnx")
    assert refused.code == 2 and "is no ONNX network" in refused.error


def test_several_a_folder_of_pictures_and_a_model_by_its_name(limner: Callable, place: Path, drawn: Callable) -> None:
    drawn(place / "in" / "a.png"), drawn(place / "in" / "b.jpg")
    told = json.loads(limner("info", "in", "edsr-x2", "--json").out)
    assert [one["kind"] for one in told] == ["picture", "picture", "weights"]
    assert told[2]["system"] == "edsr"
    assert "did you mean edsr-x4 or edsr-x3 or edsr-x2?" in limner("info", "edsr-x").error


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.png", "there is no such file"),
        ("gone.safetensors", "no weight file"),
        (".", "the folder holds no pictures"),
        ("notes.txt", "is not an image"),
    ],
)
def test_what_is_none_of_these_is_refused(limner: Callable, place: Path, name: str, message: str) -> None:
    (place / "notes.txt").write_text("some words that are no picture")
    refused = limner("info", name)
    assert refused.code == 2
    assert message in refused.error


def test_what_is_none_of_these_holds_up_no_others(limner: Callable, place: Path, drawn: Callable) -> None:
    drawn(place / "a.png"), (place / "cut.png").write_bytes(b"no picture")
    shown = limner("info", "gone.png", "a.png", "cut.png", "*.tif", "nosuchmodel", "--json")
    assert (shown.code, [one["file"] for one in json.loads(shown.out)]) == (1, ["a.png"])
    assert [line.split(":")[1].strip() for line in shown.err.splitlines()][::2] == ["gone.png", "*.tif"]
    assert len(shown.err.splitlines()) == 4
