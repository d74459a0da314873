"""What is public in `import limner`: complete by itself, alike in all functions, refused before the work."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

import limner
from limner.errors import LimnerError

FUNCTIONS = [name for name in limner.__all__ if inspect.isfunction(getattr(limner, name))]
PUBLIC = [name for name in limner.__all__ if not isinstance(getattr(limner, name), str)]
ERRORS = ("LimnerError", "TrainingStopped")
OF_A_PICTURE = ["upscale", "stylize", "texture", "invert", "restore", "translate", "run"]


def test_dir_shows_the_public_names_alone() -> None:
    assert dir(limner) == sorted(limner.__all__)
    code = "import limner; print(dir(limner) == sorted(limner.__all__))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


def test_a_wrong_name_is_answered_by_the_right_one() -> None:
    with pytest.raises(AttributeError, match="module 'limner' has no attribute 'upscal': did you mean upscale"):
        limner.upscal  # noqa: B018
    with pytest.raises(AttributeError, match=r"'zzz': dir\(limner\) names what it has"):
        limner.zzz  # noqa: B018
    assert not hasattr(limner, "__path_of_nothing__")
    assert "preset: For `gatys`: `modern`, `quick`" in (inspect.getdoc(limner.stylize) or "")


def test_what_the_command_does_is_there() -> None:
    assert {
        "upscale", "upscale_video", "stylize", "stylize_video", "learn_style", "texture", "draw_texture", "restore",
        "invert", "imagine", "generate", "translate", "plan", "train", "evaluate_super_resolution", "export", "run",
        "models", "styles", "load",
    } <= set(limner.__all__)  # fmt: skip


@pytest.mark.parametrize("name", [one for one in PUBLIC if one not in (*ERRORS, "Model")])
def test_a_docstring_is_complete_by_itself(name: str) -> None:
    value = getattr(limner, name)
    text = inspect.getdoc(value) or ""
    assert "Example:\n" in text
    assert ">>> " in text
    assert "The same" not in text.partition("\n")[0]
    if inspect.isfunction(value):
        for parameter in inspect.signature(value).parameters:
            assert f"    {parameter}: " in text, f"{name} does not say what {parameter} is"


@pytest.mark.parametrize("name", OF_A_PICTURE)
def test_the_functions_of_a_picture_have_the_same_words(name: str) -> None:
    known = inspect.signature(getattr(limner, name)).parameters
    assert {"output", "quality", "overwrite"} <= set(known)
    if name not in ("run", "upscale"):
        assert {"seed", "device"} <= set(known)


RGB = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A very small model that enlarges."""
    from limner.files.weights import Header, save_weights
    from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

    config = VDSRConfig(num_layers=3, channels=4)
    save_weights(
        tmp_path / "tiny.safetensors", VDSR(config).state_dict(), Header(system="vdsr", config=config.model_dump())
    )
    return str(tmp_path / "tiny.safetensors")


KINDS: dict[str, Callable[[], Any]] = {
    "uint8": lambda: RGB,
    "uint16": lambda: RGB.astype(np.uint16) * 257,
    "float32": lambda: (RGB / 255).astype(np.float32),
    "float64": lambda: RGB / 255,
    "bool": lambda: RGB[..., 0] > 127,
    "PIL": lambda: PillowImage.fromarray(RGB),
    "tensor": lambda: torch.from_numpy(RGB).permute(2, 0, 1) / 255,
    "batch": lambda: torch.from_numpy(RGB).permute(2, 0, 1)[None] / 255,
    "bytes": lambda: torch.from_numpy(RGB).permute(2, 0, 1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_enlarged_to_the_same(kind: str, tiny: str, place: Path) -> None:
    given = KINDS[kind]()
    result = limner.upscale(given, 2, model=tiny, output="a.png", precision="exact")
    assert type(result) is type(given)
    assert np.asarray(PillowImage.open("a.png")).shape[:2] == (24, 32)
    if kind not in ("bool", "uint16"):
        expected = limner.upscale(RGB, 2, model=tiny, precision="exact")
        assert np.abs(np.asarray(PillowImage.open("a.png")).astype(int) - expected).max() <= 1
    with pytest.raises(LimnerError, match="is already there: pass --force"):
        limner.upscale(given, 2, model="nobody", output="a.png")  # before the model is looked for


@pytest.mark.parametrize("kind", [str, Path])
def test_paths_are_strings_or_paths(kind: Callable[[Path], Any], tiny: str, place: Path, drawn: Callable) -> None:
    drawn(place / "a.png")
    (place / "out").mkdir()
    made = limner.upscale(kind(place / "a.png"), 2, model=tiny, output="out")
    assert made == kind(Path("out") / "a_x2_tiny.png")
    assert Path(made).is_file()


@pytest.mark.parametrize(
    "call",
    [
        lambda photo, output: limner.upscale(photo, output=output),
        lambda photo, output: limner.stylize(photo, "great-wave", output=output),
        lambda photo, output: limner.texture(photo, output=output),
        lambda photo, output: limner.invert(photo, output=output),
        lambda photo, output: limner.restore(photo, "denoise", output=output),
        lambda photo, output: limner.translate(photo, "nobody", output=output),
        lambda photo, output: limner.imagine("class:goldfish", output=output),
        lambda photo, output: limner.generate("nobody", output=output),
    ],
)
@pytest.mark.parametrize("given", [str, lambda path: RGB])
def test_what_is_there_is_refused_before_the_work(
    place: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch, call: Callable, given: Callable
) -> None:
    photo = drawn(place / "photo.png", 64, 64)
    (place / "there.png").write_text("precious")
    for module in ("media.any_picture", "files.image"):
        monkeypatch.setattr(f"limner.{module}.read_image", None)  # calling it would fail
    monkeypatch.setattr("limner.catalog.models.load_weights", None)
    with pytest.raises(LimnerError, match="is already there: pass --force") as refused:
        call(given(photo), "there.png")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: limner.stylize(RGB, "great-wav"), "did you mean great-wave?"),
        (lambda: limner.upscale(RGB.astype(float)), r"must hold values in \[0, 1\], got 0 to 255: divide by 255"),
        (lambda: limner.load("edsr-x9"), "there is no model 'edsr-x9': did you mean edsr-x"),
        (lambda: limner.generate("nope"), "there is no model 'nope': none is built in, so name a .safetensors file or"),
        (lambda: limner.imagine("relu9_1:0"), "no layer is called 'relu9_1': did you mean relu"),
        (lambda: limner.invert(RGB, "relu4_11"), "got 'relu4_11': did you mean relu4_1"),
        (lambda: limner.plan("vdrs", "x"), "got 'vdrs': did you mean vdsr"),
    ],
)
def test_a_wrong_word_is_answered_by_the_right_one(call: Callable, message: str) -> None:
    with pytest.raises(LimnerError, match=message):
        call()


def test_the_folder_of_a_run_is_a_model(tiny: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    Path(tiny).rename(tmp_path / "run" / "model.safetensors")
    assert limner.upscale(RGB, 3, model=str(tmp_path / "run")).shape == (36, 48, 3)
    assert type(limner.load(tmp_path / "run")).__name__ == "VDSR"
    (tmp_path / "empty").mkdir()
    with pytest.raises(LimnerError, match="this one has none yet: train it to its end"):
        limner.load(tmp_path / "empty")


def test_models_and_styles_are_named() -> None:
    commands = {one.name: one.commands for one in limner.models()}
    assert commands["edsr-x2"] == ("upscale",)
    assert commands["adain"] == ("stylize",)
    assert {"great-wave", "mosaic"} <= set(limner.styles())
    assert limner.styles() == sorted(limner.styles())


WORDS_OF_A_LIST = {
    'limner.restore(RGB, "denoize")': "denoise, inpaint, upscale, got 'denoize': did you mean denoise?",
    'limner.restore(RGB, "sharpen")': "denoise, inpaint, upscale, got 'sharpen': name one of them",
    'limner.texture(RGB, preset="modren")': "modern, quick, paper, got 'modren': did you mean modern?",
    'limner.stylize(RGB, "mosaic", preset="quik")': "paper, released, got 'quik': did you mean quick?",
    'limner.export("edsr-x2", "onyx")': "torchscript, safetensors, got 'onyx': did you mean onnx?",
}
"""Calls that the type checker of the tests would refuse first: they are made without it."""


def test_a_wrong_word_of_a_list_is_answered_by_the_right_one() -> None:
    code = """
import sys, numpy, limner
RGB = numpy.zeros((8, 8, 3), numpy.uint8)
for call in sys.argv[1:]:
    try:
        eval(call)
    except limner.LimnerError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code, *WORDS_OF_A_LIST], capture_output=True, text=True, check=True)
    for line, expected in zip(done.stdout.splitlines(), WORDS_OF_A_LIST.values(), strict=True):
        assert line.endswith(expected)
