"""A model as a page in which it runs in a browser."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from limner.catalog.models import embedded, load, skeleton
from limner.cli.main import main
from limner.errors import LimnerError
from limner.files.weights import read_header
from limner.systems.feedforward.many_styles import ManyStyles
from limner.verbs.export_site import PACKAGE, PAGE, RUNTIME, about_of, export_site

onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A package with the names of onnxruntime-web."""
    path = tmp_path / "onnxruntime-web.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in (*RUNTIME, "other.js"):
            entry = tarfile.TarInfo(f"package/dist/{name}")
            entry.size = len(name)
            archive.addfile(entry, io.BytesIO(name.encode()))
    return path


def about(model: str) -> dict:
    header = read_header(embedded()[model])
    return about_of(model, skeleton(header), header)


def test_the_folder_holds_all_that_the_page_asks_for(tmp_path: Path, runtime: Path) -> None:
    folder = tmp_path / "site"
    written = export_site("digits-vae", folder, runtime=runtime)
    names = {path.name for path in folder.iterdir()}
    assert names == {*RUNTIME, "index.html", "site.css", "site.js", "model.onnx", "about.json"}
    assert (folder / RUNTIME[2]).read_text() == RUNTIME[2] and written.max_difference < 1e-4
    told = json.loads((folder / "about.json").read_text())
    assert [(one["name"], one["kind"], one["channels"]) for one in told["inputs"]] == [("latent", "latent", 10)]
    with pytest.raises(LimnerError, match="--force"):
        export_site("digits-vae", folder, runtime=runtime)
    assert export_site("digits-vae", folder, runtime=runtime, overwrite=True).files == (folder / "model.onnx",)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(LimnerError, match="not empty"):
        export_site("digits-vae", tmp_path, runtime=runtime, overwrite=True)


@pytest.mark.parametrize(("model", "kind"), [("vdsr", "luminance"), ("gaze", "score")])
def test_what_a_page_has_no_control_for_is_refused(tmp_path: Path, runtime: Path, model: str, kind: str) -> None:
    with pytest.raises(LimnerError, match=f"no control for a {kind}"):
        export_site(model, tmp_path / "site", runtime=runtime)
    assert not (tmp_path / "site").exists()


def test_the_page_is_told_of_sides_and_classes() -> None:
    street = about("street")
    assert street["inputs"][0]["whole_multiple"] == 16 and street["inputs"][0]["whole_least"] == 32
    assert len(street["palette"]) == 11 and not street["draws"]
    assert [one["kind"] for one in about("any-style")["inputs"]] == ["photo", "photo"]


def test_the_page_of_many_styles_knows_all_of_them(tmp_path: Path, runtime: Path) -> None:
    written = export_site("many-styles", tmp_path / "site", runtime=runtime)
    told = json.loads((tmp_path / "site" / "about.json").read_text())
    photo, mixture = told["inputs"]
    assert photo["kind"] == "photo" and (mixture["name"], mixture["kind"]) == ("styles", "mixture")
    assert len(told["styles"]) == mixture["channels"] > 1 and "great-wave" in told["styles"]
    system, _ = load("many-styles")
    assert isinstance(system, ManyStyles)
    image, shares = torch.rand(1, 3, 32, 48), torch.zeros(1, mixture["channels"])
    shares[0, 1], shares[0, 2] = 0.25, 0.75
    session = onnxruntime.InferenceSession(written.files[0])
    (found,) = session.run(None, {"image": image.numpy(), "styles": shares.numpy()})
    with torch.inference_mode():
        expected, first = system.at(shares[0])(image), system(image)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
    assert (expected - first).abs().max() > 0.05


def test_a_runtime_that_is_none_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tgz"
    wrong.write_bytes(b"no archive")
    for place in (wrong, tmp_path / "nowhere.tgz"):
        with pytest.raises(LimnerError, match="no package of onnxruntime-web"):
            export_site("digits-vae", tmp_path / "site", runtime=place)
    with pytest.raises(LimnerError, match=r"holds no ort\.wasm"):
        export_site("digits-vae", tmp_path / "other", runtime=tmp_path)


def test_without_npm_it_is_said_where_the_runtime_is_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LimnerError, match=f"npm pack {PACKAGE}"):
        export_site("digits-vae", tmp_path / "site")


def test_the_command_says_where_the_page_lies(place: Path, runtime: Path, capfd: pytest.CaptureFixture) -> None:
    words = ["export", "digits-vae", "--format", "web", "--runtime", str(runtime)]
    assert main([*words, "--dry-run"]) == 0 and not (place / "digits-vae_site").exists()
    assert main(words) == 0
    printed = capfd.readouterr()
    assert "digits-vae_site" in printed.out and "python -m http.server --directory digits-vae_site" in printed.err
    assert main(["export", "digits-vae", "--format", "onnx", "--runtime", str(runtime)]) == 2


def test_the_page_runs_nothing_but_its_own_files() -> None:
    text = (PAGE / "index.html").read_text()
    assert "default-src 'none'" in text and "unsafe-inline" not in text
    for path in PAGE.iterdir():
        assert "https://" not in path.read_text() and "http://" not in path.read_text(), path
