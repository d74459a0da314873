import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.catalog.models import find
from limner.files.weights import Header, save_weights


def size(path: str | Path) -> tuple[int, int]:
    with PillowImage.open(path) as image:
        return image.size


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def photo(limner: Callable, place: Path, drawn: Callable, tiny: Path) -> Path:
    """A photo, and net.pt beside it."""
    drawn(place / "photo.png")
    assert limner("export", tiny, "--format", "torchscript", "-o", "net.pt").code == 0
    return Path("photo.png")


def test_the_result_is_that_of_upscale(limner: Callable, photo: Path, tiny: Path) -> None:
    done = limner("run", "--trust", "net.pt", photo, "--scale", 3)
    assert (done.code, done.out, done.err) == (0, "photo_x3.png  60x48\n", "")
    limner("upscale", photo, "--model", tiny, "--scale", 3, "--precision", "exact", "-o", "expected.png")
    ours, expected = (np.asarray(PillowImage.open(name)).astype(int) for name in ("photo_x3.png", "expected.png"))
    assert np.abs(ours - expected).max() <= 1


def test_the_output_may_be_a_file_or_a_folder(limner: Callable, photo: Path) -> None:
    assert limner("run", "--trust", "net.pt", photo, "-o", "new/").out == "new/photo_x2.png  40x32\n"
    assert limner("run", "--trust", "net.pt", photo, "-o", "new").code == 2, "is there already"
    assert limner("run", "--trust", "net.pt", photo, "-o", "new", "--force").out == "new/photo_x2.png  40x32\n"
    assert limner("run", "--trust", "net.pt", photo, "-o", "b.webp").out == "b.webp  40x32\n"
    assert size("b.webp") == (40, 32)


def test_json_is_all_that_stands_on_standard_output(limner: Callable, photo: Path) -> None:
    done = limner("run", "--trust", "net.pt", photo, "--precision", "exact", "--json")
    told = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert (told["source"], told["output"], told["width"], told["height"]) == ("photo.png", "photo_x2.png", 40, 32)
    assert (told["file"], told["system"], told["scale"]) == ("net.pt", "vdsr", 2)
    assert (told["engine"], told["precision"]) == ("torch", "exact")
    assert told["peak_memory_bytes"] > 2**20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.pt", "photo.png"], "gone.pt: there is no such file"),
        (["photo.png", "photo.png"], "photo.png: an exported network ends in .onnx, .xml, .pt, .ts"),
        (["broken.onnx", "photo.png"], "broken.onnx is no ONNX network that ONNX Runtime can load ("),
        (["broken.xml", "photo.png"], "broken.xml is no whole OpenVINO network ("),
        (["broken.pt", "photo.png"], "broken.pt is no whole TorchScript archive ("),
        (["state.pt", "photo.png"], "state.pt has no Limner header"),
        (["weights.safetensors", "photo.png"], "weights.safetensors holds weights and no exported network"),
        (["net.pt", "gone.png"], "gone.png: there is no such file"),
        (["net.pt", "broken.png"], "broken.png: is not an image that Limner reads"),
        (["net.pt", "photo.png", "--scale", "7"], "net.pt enlarges by 2 or 3 or 4, got 7"),
        (["net.pt", "photo.png", "-o", "taken.png"], "taken.png: is already there: pass --force"),
        (["net.pt", "photo.png", "-o", "a.xyz"], "a.xyz: images are written as one of"),
        (["net.pt", "photo.png", "--max-pixels", "100"], "photo.png: has 20x16 = 320 pixels, and at most 100"),
        (["net.pt", "photo.png", "--max-pixels", "few"], "--max-pixels must be a number of pixels above 0 or none"),
        (["net.pt"], "net.pt takes a photo, got none"),
    ],
)
def test_a_wrong_call_is_an_error_of_one_line(
    limner: Callable, place: Path, photo: Path, arguments: list[str], message: str
) -> None:
    if arguments[0] == "broken.onnx":
        pytest.importorskip("onnxruntime")
    for name in ("broken.onnx", "broken.xml", "broken.pt", "broken.png", "weights.safetensors"):
        (place / name).write_text("this is none")
    torch.save({"weight": torch.ones(2)}, place / "state.pt")
    (place / "taken.png").write_text("precious")
    before = files(place)
    refused = limner("run", "--trust", *arguments)
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert files(place) == before
    assert (place / "taken.png").read_text() == "precious"


def test_a_missing_extra_is_named(limner: Callable, place: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "a.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    refused = limner("run", "a.onnx", photo)
    assert refused.code == 2
    assert refused.error == "ONNX needs the onnx extra: pip install 'limner[onnx]'"


@pytest.mark.parametrize("command", ["run", "export"])
def test_help_loads_nothing_heavy(command: str) -> None:
    code = (
        "import sys; from limner.cli.main import main; code = main(sys.argv[1:]);"
        "print(*({'torch', 'numpy', 'PIL', 'rich', 'limner.config'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, command, "--help"], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []
    assert "--force" in done.stdout


def test_a_network_that_takes_no_photo_runs_without_one(limner: Callable, place: Path) -> None:
    config = find("conditional-gan").config.parse({"side": 8, "num_classes": 3, "class_units": 8, "joint_units": 8})
    system = find("conditional-gan").system(config)
    weights = place / "digits.safetensors"
    header = Header(system="conditional-gan", config=config.model_dump(mode="json"))
    save_weights(weights, find("conditional-gan").product_state(system), header)
    assert limner("export", weights, "--format", "torchscript", "-o", "digits.pt").code == 0
    done = limner("run", "--trust", "digits.pt", "--input", "label=2", "-o", "two.png")
    assert (done.code, done.out) == (0, "two.png  8x8\n"), done.err
    assert "is already there" in limner("run", "--trust", "digits.pt", "--input", "label=2", "-o", "two.png").error


def test_a_network_that_takes_a_photo_asks_for_it(limner: Callable, tiny: Path, place: Path) -> None:
    assert limner("export", tiny, "--format", "torchscript", "-o", "tiny.pt").code == 0
    assert "tiny.pt takes a photo, got none: name one after the network" in limner("run", "--trust", "tiny.pt").error


@pytest.mark.parametrize("name", ["net.pt", "other.ts", "OTHER.PT"])
def test_a_program_is_not_run_without_trust(limner: Callable, photo: Path, name: str) -> None:
    if name != "net.pt":
        Path(name).write_bytes(Path("net.pt").read_bytes())
    done = limner("run", name, photo)
    assert done.code == 2
    assert f"{name}: a TorchScript file is a program" in done.error
    assert "pass --trust" in done.error
    assert not Path("photo_x2.png").exists()
    assert limner("run", name, photo, "--trust").code == 0
