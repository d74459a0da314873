"""The example programs run, made small, and the notebook is in step with the package."""

import ast
import functools
import inspect
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image
from tests.documented import ROOT

import limner

EXAMPLES = ROOT / "examples"
NOTEBOOK = EXAMPLES / "limner.ipynb"


def run(name: str, *words: object) -> None:
    """Run an example in this process, for torch is loaded already."""
    given = sys.argv
    sys.argv = [name, *map(str, words)]
    try:
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    finally:
        sys.argv = given


@pytest.fixture
def photos(place: Path, drawn: Callable) -> Path:
    for name in "ab":
        drawn(place / "photos" / f"{name}.jpg", 112, 104)
    return Path("photos")


def made(folder: str) -> dict[str, tuple[int, int]]:
    """The pictures of a folder, and their sizes."""
    return {path.name: Image.open(path).size for path in sorted(Path(folder).iterdir()) if path.suffix != ".onnx"}


def test_a_folder_is_enlarged(photos: Path) -> None:
    for _ in range(2):  # again, over what is there
        run("enlarge_folder.py", "--photos", photos, "--scale", 2, "--output", "large")
    sizes = made("large")
    assert {name: sizes[name] for name in ("a_x2.jpg", "b_x2.jpg")} == {"a_x2.jpg": (224, 208), "b_x2.jpg": (224, 208)}
    assert sorted(sizes) == ["a_x2.jpg", "b_x2.jpg", "before_after.png"]


def test_a_photo_is_painted(photos: Path) -> None:
    run("paint_and_mix.py", "--photo", photos / "a.jpg", "--output", "painted")
    assert set(made("painted").values()) == {(112, 104)}
    assert sorted(made("painted")) == [
        "a_great-wave.jpg", "a_starry-night.jpg", "a_woodcut.jpg", "any.jpg", "half.jpg", "mixed.jpg",
    ]  # fmt: skip


def test_a_photo_is_restored(place: Path, drawn: Callable) -> None:
    drawn(place / "old.png", 64, 48), drawn(place / "mask.png", 64, 48, "1")
    run("restore_old_photo.py", "--photo", "old.png", "--mask", "mask.png", "--quick", "--steps", 2, "--output", "new")
    assert made("new") == dict.fromkeys(["clean.png", "old.png", "whole.png"], (64, 48))


def test_a_photo_is_aged_where_none_is_given(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limner, "restore", lambda photo, task, *, mask=None, preset, steps: photo)
    run("restore_old_photo.py")
    assert made("restored") == dict.fromkeys(["clean.png", "old.png", "whole.png"], (256, 256))


def test_a_network_is_trained_and_used(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    small = ["fit.batch_size=1", "data.patch=16"]
    monkeypatch.setattr(limner, "plan", functools.partial(limner.plan, assignments=small))
    run("train_and_use.py", "--photos", photos, "--minutes", 0.01, "--output", "trained")
    assert (Path("trained") / "run" / "model.safetensors").is_file()
    shown = capsys.readouterr().out
    assert shown.startswith("steps: ")
    assert shown.count(" dB\n") == 2


@pytest.mark.skipif(not (find_spec("onnxruntime") and find_spec("onnxscript")), reason="needs the extra onnx")
def test_a_network_runs_without_torch(photos: Path) -> None:
    run("run_without_torch.py", "--export", "--network", "two.onnx")
    code = "import runpy, sys; sys.modules['torch'] = sys.modules['limner'] = None; sys.argv = sys.argv[1:]; "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    words = [str(EXAMPLES / "run_without_torch.py"), "--network", "two.onnx", "photos/a.jpg", "--output", "out"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert made("out") == {"a_x2.png": (224, 208)}
    expected = limner.upscale(Image.open("photos/a.jpg"), 2, model="edsr-x2", precision="exact")
    extremes = Image.open("out/a_x2.png").convert("RGB")
    assert max(abs(a - b) for a, b in zip(extremes.tobytes(), expected.tobytes(), strict=True)) <= 1


def cells() -> list[str]:
    """The code of the notebook."""
    return ["".join(one["source"]) for one in json.loads(NOTEBOOK.read_text())["cells"] if one["cell_type"] == "code"]


def test_the_notebook_is_whole_and_empty() -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(set(names)) == len(names)
    assert all(
        not cell["outputs"] and cell["execution_count"] is None for cell in notebook["cells"] if "outputs" in cell
    )
    assert NOTEBOOK.stat().st_size < 20_000


def test_what_the_notebook_calls_is_there() -> None:
    calls = [node for cell in cells() for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)]
    ours = [one for one in calls if ast.unparse(one.func).startswith("limner.")]
    assert len(ours) > 10
    for call in ours:
        function = getattr(limner, ast.unparse(call.func).removeprefix("limner."))
        words = {word.arg: None for word in call.keywords if word.arg}
        inspect.signature(function).bind(*call.args, **words)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_notebook_runs(place: Path) -> None:
    known: dict[str, object] = {}
    for cell in cells():
        exec(compile(cell, NOTEBOOK.name, "exec"), known)
    assert Path("first-hour-run/model.safetensors").is_file()
