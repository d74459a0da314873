"""What is public in `import limner`: complete by itself, alike in all functions, refused before the work."""

import inspect
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
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
        "invert", "imagine", "generate", "translate", "segment", "segment_video", "plan", "train",
        "evaluate_super_resolution", "export",
        "run", "models", "styles", "load",
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
    "big end first": lambda: RGB.astype(">u2") * np.uint16(257),
    "by columns, turned": lambda: np.asfortranarray(RGB[::-1, ::-1])[::-1, ::-1],
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
    if kind not in ("bool", "uint16", "big end first"):
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
        (lambda: limner.generate("nope"), "there is no model 'nope': name chairs, digits-"),
        (lambda: limner.imagine("relu9_1:0"), "no layer is called 'relu9_1': did you mean relu"),
        (lambda: limner.invert(RGB, "relu4_11"), "got 'relu4_11': did you mean relu4_1"),
        (lambda: limner.plan("vdrs", "x"), "got 'vdrs': did you mean vdsr"),
    ],
)
def test_a_wrong_word_is_answered_by_the_right_one(call: Callable, message: str) -> None:
    with pytest.raises(LimnerError, match=message):
        call()


def test_a_path_is_a_model(tiny: str, place: Path, drawn: Callable) -> None:
    expected = limner.upscale(RGB, 2, model=tiny, precision="exact")
    assert np.array_equal(limner.upscale(RGB, 2, model=Path(tiny), precision="exact"), expected)
    assert limner.Upscaler(Path(tiny), 2).name == tiny
    assert limner.upscale(str(drawn(place / "a.png")), 2, model=Path(tiny)) == str(place / "a_x2_tiny.png")
    (place / "run").mkdir()
    shutil.copy(tiny, place / "run" / "model.safetensors")
    assert np.array_equal(limner.upscale(RGB, 2, model=place / "run", precision="exact"), expected)
    assert limner.export(Path("run"), "safetensors").files == (Path("run.safetensors"),)
    assert limner.plan("vdsr", place, start_from=Path(tiny)).start_from == (str(Path(tiny).resolve()),)
    for function in (limner.translate, limner.stylize):
        arguments = (RGB, Path("run")) if function is limner.translate else (RGB, "mosaic")
        named = {} if function is limner.translate else {"model": Path("run")}
        with pytest.raises(LimnerError, match="run is a vdsr, for limner upscale, not for"):
            function(*arguments, **named)
    for call in (limner.generate, limner.draw_texture):
        with pytest.raises(LimnerError, match="run is a vdsr, for limner upscale, not for"):
            call(Path("run"))
    with pytest.raises(LimnerError, match="a style is learnt by a model of many-styles, got run, a vdsr"):
        limner.learn_style(drawn(place / "b.png", 96, 96), "c.safetensors", trunk=Path("run"))
    with pytest.raises(LimnerError, match="run is a vdsr"):
        limner.stylize_video(drawn(place / "d.png"), "mosaic", model=Path("run"), method="fast")


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


def refusals(calls: Iterable[str]) -> list[str]:
    """What each call is answered by, made without the type checker of the tests; other errors by their class."""
    code = """
import sys, numpy, torch, limner
from pathlib import Path
from PIL import Image
RGB = numpy.zeros((8, 8, 3), numpy.uint8)
for call in sys.argv[1:]:
    try:
        eval(call)
        print("nothing")
    except Exception as error:
        print(str(error).replace("\\n", "LINE") if type(error) is limner.LimnerError else repr(type(error)))
"""
    done = subprocess.run([sys.executable, "-c", code, *calls], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_wrong_word_of_a_list_is_answered_by_the_right_one() -> None:
    for line, expected in zip(refusals(WORDS_OF_A_LIST), WORDS_OF_A_LIST.values(), strict=True):
        assert line.endswith(expected)


OF_ANY_PICTURE = {
    "upscale": "limner.upscale({}, {})",
    "stylize": "limner.stylize({}, 'great-wave', {})",
    "style": "limner.stylize(RGB, {}, {})",
    "texture": "limner.texture({}, {})",
    "invert": "limner.invert({}, {})",
    "restore": "limner.restore({}, 'denoise', {})",
    "mask": "limner.restore(RGB, 'inpaint', mask={}, {})",
    "translate": "limner.translate({}, 'nobody', {})",
    "before_after": "limner.before_after({}, RGB, {})",
}
"""With a place for the picture, and one for options."""
PIXELS = ("None", "3", "b'a.png'", "{}", "''", "numpy.zeros((0, 8, 3), numpy.uint8)", "torch.zeros(0, 3, 8, 8)")


def test_what_is_no_picture_is_refused_in_one_line() -> None:
    calls = [
        call.format(given, "")
        for name, call in OF_ANY_PICTURE.items()
        for given in PIXELS
        if (name, given) not in {("mask", "None"), ("translate", PIXELS[-1]), ("translate", PIXELS[-2])}
    ]
    for call, line in zip(calls, refusals(calls), strict=True):
        assert "LINE" not in line
        assert any(
            words in line
            for words in ("a picture must be a path, a PIL image, an array or a tensor, got", "at least 1 pixel")
        ), f"{call}: {line}"


NO_SUCH_TENSORS = {
    "torch.rand(3, 8, 8).to_sparse()": "must hold its values one beside another, got sparse_coo",
    "torch.rand(3, 8, 8, device='meta')": "must hold its values one beside another, got one without values",
    "Path()": ".: is a folder: name one of the images in it",
    "'/'": "/: is a folder: name one of the images in it",
}


def test_tensors_without_values_and_paths_without_names_are_refused_in_one_line() -> None:
    calls = [
        (call.format(given, ""), words)
        for name, call in OF_ANY_PICTURE.items()
        for given, words in NO_SUCH_TENSORS.items()
        if not (name == "translate" and "torch" in given) and not (name == "before_after" and given[0] in "P'")
    ]
    for (call, words), line in zip(calls, refusals(call for call, _ in calls), strict=True):
        assert words in line, f"{call}: {line}"


def of(option: str, *names: str) -> list[str]:
    """A call of each function with an option."""
    return [
        call.format("RGB" if name != "style" else "'great-wave'", option)
        for name, call in OF_ANY_PICTURE.items()
        if not names or name in names
    ]


WRONG: dict[str, list[str]] = {
    "precision must be one of fast, exact, got 'exat': did you mean exact?": [
        *of("precision='exat'", "upscale", "stylize", "texture", "invert", "restore"),
        "limner.upscale_video('a.mp4', precision='exat')", "limner.stylize_video('a.mp4', 'mosaic', precision='exat')",
        "limner.imagine('relu4_1:0', precision='exat')", "limner.run('a.onnx', RGB, precision='exat')",
        "limner.RunOptions(precision='exat')", "limner.stylize(RGB, 'mosaic', method='gatys', precision='exat')",
    ],
    "backend must be one of auto, torch, onnxruntime, openvino, got 'tourch': did you mean torch?": [
        *of("backend='tourch'", "upscale", "stylize"), "limner.upscale_video('a.mp4', backend='tourch')",
        "limner.stylize_video('a.mp4', 'mosaic', backend='tourch')",
    ],
    "method must be one of auto, fast, any-style, adain, gatys, got 'gatis': did you mean gatys?": [
        *of("method='gatis'", "stylize"), "limner.stylize_video('a.mp4', 'mosaic', method='gatis')",
    ],
    "got 'modren': did you mean modern?": [
        *of("preset='modren'", "stylize", "texture", "restore"), "limner.stylize_video('a', 'mosaic', preset='modren')",
    ],
    "prior must be one of tv, dip, got 'tvv': did you mean tv?": of("prior='tvv'", "invert"),
    "prior must be one of fourier, tv, dip, got 'furier': did you mean fourier?": [
        "limner.imagine('relu4_1:0', prior='furier')"
    ],
    "device must be auto, cpu, cuda or mps, got 3": [
        *of("device=3", "upscale", "stylize", "texture", "invert", "restore"), "limner.imagine('relu4_1:0', device=3)",
    ],
    "device must be one that this machine has": [
        *of("device='gpu'", "upscale", "stylize", "texture", "invert", "restore"),
    ],
    "tile must be a whole number of at least 16, got 1:": [
        *of("tile=1", "upscale", "stylize"), "limner.upscale_video('a.mp4', tile=1)", "limner.RunOptions(tile=1)",
    ],
    "memory must be a whole number of at least 1, got '2GB': give bytes, as 2 * 10**9": [
        *of("memory='2GB'", "upscale", "stylize", "texture", "restore"), "limner.upscale_video('a.mp4', memory='2GB')",
        "limner.stylize_video('a.mp4', 'mosaic', memory='2GB')",
    ],
    "threads must be a whole number from 1 to 1024, got 0": of("threads=0", "upscale", "stylize"),
    "scale must be a number, got '2'": [
        *of("scale='2'", "upscale", "before_after"), "limner.Upscaler('edsr-x2', '2')",
        "limner.upscale_video('a.mp4', '2')",
    ],
    "scale must be 2, 4 or 8, got '2'": of("scale='2'", "restore"),
    "size must be a whole number of at least 1, got '64'": [
        *of("size='64'", "stylize", "style", "texture", "invert", "restore"), "limner.draw_texture('nobody', '64')",
        "limner.imagine('relu4_1:0', size='64')", "limner.stylize_video('a.mp4', 'mosaic', size='64')",
        "limner.learn_style('a.png', size='64')",
    ],
    "size must be a whole number of at least 1, got 0": of("size=0", "stylize", "texture", "invert", "restore"),
    "size must be one side or (height, width), got (3,)": of("size=(3,)", "texture"),
    "steps must be a whole number of at least 1, got 0": [
        *of("steps=0", "stylize", "texture", "invert", "restore"), "limner.imagine('relu4_1:0', steps=0)",
    ],
    "seed must be a whole number from 0 to 2**63 - 1, got -1": [
        *of("seed=-1", "stylize", "texture", "invert", "restore", "translate"),
        "limner.imagine('relu4_1:0', seed=-1)", "limner.draw_texture('nobody', seed=-1)",
        "limner.generate('nobody', seed=-1)", "limner.run('a.onnx', RGB, seed=-1)", "limner.learn_style('a', seed=-1)",
        "limner.stylize_video('a.mp4', 'mosaic', seed=-1)", "limner.plan('vdsr', 'x', seed=-1)",
    ],
    "quality must be a whole number from 1 to 100, got '95'": [
        *of("quality='95', output='a.jpg'", "upscale", "stylize", "texture", "invert", "restore"),
        "limner.imagine('relu4_1:0', quality='95', output='a.jpg')",
        "limner.generate('nobody', quality='95', output='a.jpg')",
    ],
    "a style is wanted, got none": ["limner.stylize(RGB, [])", "limner.stylize_video('a.mp4', [])"],
    "an angle is a yaw and a pitch in degrees, got": [
        "limner.redirect(RGB, '15,0')", "limner.redirect(RGB, (1,))", "limner.redirect(RGB, 15)",
        "limner.redirect(RGB, (1, float('nan')))", "limner.redirect(RGB, ('1', 2))",
    ],
    "an eye is x, y, width and height in pixels, got": ["limner.redirect(RGB, (1, 2), eyes=[(1, 2)])"],
    "a layer must be a name, got 3": ["limner.invert(RGB, 3)"],
    "training takes a plan, got": ["limner.train('vdsr', 'run')"],
    "strength must be a number, got '1'": of("strength='1'", "stylize"),
    "stroke must be a number, got 'wide'": of("stroke='wide'", "stylize"),
    "the weight of a style must be a number, got '2'": ["limner.stylize(RGB, limner.Style('mosaic', '2'))"],
    "a model must be a name or a path, got 3": [
        *of("model=3", "upscale", "stylize"), "limner.Upscaler(3)", "limner.upscale_video('a.mp4', model=3)",
        "limner.load(3)", "limner.export(3, 'onnx')", "limner.translate(RGB, 3)", "limner.generate(3)",
        "limner.draw_texture(3)", "limner.stylize_video('a.mp4', 'mosaic', model=3)",
        "limner.learn_style('a.png', trunk=3)", "limner.plan('vdsr', 'x', start_from=3)",
    ],
    "must be a path, got 3": [
        *of("output=3", "upscale", "stylize", "texture", "invert", "restore", "translate"),
        "limner.imagine('relu4_1:0', output=3)", "limner.generate('nobody', output=3)",
        "limner.export('edsr-x2', 'onnx', 3)", "limner.run(3, RGB)", "limner.upscale_video(3)",
        "limner.upscale_video('a.mp4', output=3)", "limner.stylize_video(3, 'mosaic')",
        "limner.stylize_video('a.mp4', 'mosaic', output=3)", "limner.learn_style(3)", "limner.plan('vdsr', 3)",
        "limner.invert(RGB, features=3)", "limner.evaluate_super_resolution(3)",
    ],
}  # fmt: skip
"""What calls are answered that the type checker of the tests would refuse first, by a part of the line."""


def test_what_cannot_be_meant_is_refused_in_one_line() -> None:
    calls = [(call, words) for words, several in WRONG.items() for call in several]
    for (call, words), line in zip(calls, refusals(call for call, _ in calls), strict=True):
        assert words in line, f"{call}: {line}"
        assert "LINE" not in line
