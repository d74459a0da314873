"""What docs/studio.md tells a reader to type is run against a service."""

import contextlib
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from tests.documented import blocks
from tests.studio.conftest import Service, drawing, png

ADDRESS = "http://127.0.0.1:7860"
HERE = [one for language in ("bash", "python") for one in blocks(language) if one.page.name == "studio.md"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the page names."""
    (tmp_path / "photos").mkdir()
    for name in ("photo.jpg", "painting.jpg", *(f"photos/{number}.jpg" for number in range(3))):
        Image.open(io.BytesIO(png(300, 300))).save(tmp_path / name)
    (tmp_path / "map.png").write_bytes(drawing())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_has_examples_of_both_kinds() -> None:
    assert {one.language for one in HERE} == {"bash", "python"}


@pytest.mark.parametrize("block", [one for one in HERE if one.language == "bash"], ids=str)
@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="no curl or bash here")
def test_curl_does_what_the_page_says(block, service: Service, desk: Path) -> None:
    text = block.text.replace(ADDRESS, service.address.rstrip("/")).replace("curl -s ", "curl -sS --fail-with-body ")
    done = subprocess.run(
        ["bash", "-ec", f"{text}"], cwd=desk, capture_output=True, text=True, env={**os.environ, "PWD": str(desk)}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for answer in done.stdout.replace("}{", "}\n{").splitlines():
        assert "error" not in (found := json.loads(answer)) or found["error"] is None, found
        assert found.get("state", "done") == "done"
    for path in {"painted.jpg", "facade.png"} & {one.name for one in desk.iterdir()}:
        with Image.open(desk / path) as image:
            assert image.width in (300, 64)


@pytest.mark.parametrize("block", [one for one in HERE if one.language == "python"], ids=str)
def test_python_does_what_the_page_says(block, service: Service, desk: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(block.text.replace(ADDRESS, service.address.rstrip("/")), str(block), "exec"), {})
    assert printed.getvalue().startswith("done ['http")
