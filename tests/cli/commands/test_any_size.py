"""`limner upscale` on a budget: the plan is told, parts are proved, large pictures go through strips."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli.main import main
from limner.verbs.upscale import upscale_many
from limner.verbs.upscale.upscale import Upscaler


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    values = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    Image.fromarray(values).resize((80, 60)).save(path)
    return path


def test_explain_tells_the_plan(photo, capsys):
    assert main(["upscale", str(photo), "--explain"]) == 0
    told = capsys.readouterr().err
    assert "photo.png: budget for feature maps" in told
    assert "\n* 1x1" in told and "\\n" not in told


def test_verify_tells_the_difference(photo, capsys):
    assert main(["upscale", str(photo), "--verify"]) == 0
    assert "in parts and whole at most" in capsys.readouterr().err


def test_verify_stops_when_parts_differ(photo, capsys, monkeypatch):
    monkeypatch.setattr(Upscaler, "verify", lambda *_: 0.5)
    assert main(["upscale", str(photo), "--verify"]) == 1
    assert "parts differ from the whole by 5.0e-01" in capsys.readouterr().err
    assert not photo.with_name("photo_x2.png").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--memory", "lots"], "memory must be a size such as 2GB"),
        (["--memory", "10MB"], "takes"),
        (["--backend", "tensorrt"], "--backend"),
    ],
)
def test_what_cannot_be_is_one_line(photo, capsys, arguments, says):
    assert main(["upscale", str(photo), *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_photo_beyond_the_budget_goes_through_strips_to_the_same_result(photo, capsys, monkeypatch):
    pytest.importorskip("pyvips")
    assert main(["upscale", str(photo), "--precision", "exact", "-o", str(photo.with_name("whole.png"))]) == 0
    monkeypatch.setattr(upscale_many, "BYTES_PER_PIXEL", 10**9)
    assert (
        main(["upscale", str(photo), "--precision", "exact", "--explain", "-o", str(photo.with_name("strips.png"))])
        == 0
    )
    assert "in strips" in capsys.readouterr().err
    whole, strips = (np.asarray(Image.open(photo.with_name(f"{name}.png")), int) for name in ("whole", "strips"))
    assert np.abs(whole - strips).max() <= 1


def test_a_large_photo_cannot_be_compared(photo, capsys, monkeypatch):
    monkeypatch.setattr(upscale_many, "BYTES_PER_PIXEL", 10**9)
    assert main(["upscale", str(photo), "--compare"]) == 2
    assert "leave out --compare" in capsys.readouterr().err


def test_the_backend_is_told(photo, capsys):
    assert main(["upscale", str(photo), "--backend", "torch", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["backend"] == "torch"
