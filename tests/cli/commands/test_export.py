import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

EXTRAS = {"onnx": "onnxscript", "openvino": "openvino"}


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_model_is_written_here_under_its_name(limner: Callable, place: Path, tiny: Path) -> None:
    done = limner("export", tiny, "--format", "torchscript")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"tiny\.pt  0\.0 MiB, (equal to|within \de-\d+ of) the model at 4 sizes\n", done.out)
    assert files(place) == ["tiny.pt"]


@pytest.mark.skipif(not find_spec("openvino"), reason="needs the openvino extra")
def test_json_is_all_that_stands_on_standard_output(limner: Callable, place: Path, tiny: Path) -> None:
    done = limner("export", tiny, "--format", "openvino", "-o", "net.xml", "--json")
    told = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert (told["model"], told["format"], told["files"]) == (str(tiny), "openvino", ["net.xml", "net.bin"])
    assert told["bytes"] == sum(path.stat().st_size for path in place.iterdir())
    assert told["max_difference"] < 1e-4
    assert (told["header"]["system"], told["header"]["channels"]) == ("vdsr", 1)
    assert len({(one["height"], one["width"]) for one in told["checked"]}) >= 3
    assert 2 in {one["number"] for one in told["checked"]}


@pytest.mark.skipif(not find_spec("onnxscript"), reason="needs the onnx extra")
def test_onnx_is_written_without_a_word_of_its_exporter(place: Path, tiny: Path) -> None:
    command = [sys.executable, "-m", "limner", "export", tiny, "--format", "onnx"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("tiny.onnx  ")
    assert files(place) == ["tiny.onnx"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody", "--format", "onnx"], "there is no model 'nobody': name adain"),
        (["gone.safetensors", "--format", "onnx"], "no weight file at gone.safetensors"),
        (["MODEL", "--format", "tflite"], "invalid value for '--format'"),
        (["MODEL"], "missing option '--format'"),
        (["MODEL", "--format", "torchscript", "-o", "a.onnx"], "a.onnx: a file of torchscript must end in .pt or .ts"),
        (["MODEL", "--format", "torchscript", "-o", "taken.pt"], "taken.pt: is already there: pass --force"),
    ],
)
def test_a_wrong_call_is_an_error_of_one_line(
    limner: Callable, place: Path, tiny: Path, arguments: list[str], message: str
) -> None:
    (place / "taken.pt").write_text("precious")
    refused = limner("export", *(str(tiny) if word == "MODEL" else word for word in arguments))
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert files(place) == ["taken.pt"]
    assert (place / "taken.pt").read_text() == "precious"


def test_force_replaces(limner: Callable, place: Path, tiny: Path) -> None:
    (place / "tiny.pt").write_text("old")
    assert limner("export", tiny, "--format", "torchscript", "--force").code == 0
    assert (place / "tiny.pt").stat().st_size > 1000


@pytest.mark.parametrize("format", EXTRAS)
def test_a_missing_extra_is_named(
    limner: Callable, place: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    monkeypatch.setitem(sys.modules, EXTRAS[format], None)
    refused = limner("export", tiny, "--format", format)
    assert refused.code == 2
    assert refused.error.endswith(f"extra: pip install '.[{format}]' in the folder of Limner")
    assert files(place) == []


def test_what_disagrees_is_refused_and_leaves_nothing(
    limner: Callable, place: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limner.runtime.export.MAX_DIFFERENCE", -1.0)
    refused = limner("export", tiny, "--format", "torchscript")
    assert refused.code == 2
    assert refused.error.startswith("tiny.pt is not written: it would differ from VDSR by ")
    assert files(place) == []
