"""What is said of installing is right: extras as they can be had, the CPU build of torch, a wheel that is whole."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CPU = "https://download.pytorch.org/whl/cpu"
TEXTS = [
    *(path for path in (ROOT / "src").rglob("*.py")),
    *(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "Makefile",
]  # fmt: skip


def test_nobody_is_told_to_install_what_no_index_has() -> None:
    assert not [path for path in TEXTS if re.search(r"pip install[^\n]*\blimner(\[|\b(?!-))", path.read_text())]


def test_every_extra_that_is_named_is_there() -> None:
    named = {
        name
        for path in TEXTS
        for found in re.findall(r"'\.\[(\w[\w,]*)\]'", path.read_text())
        for name in found.split(",")
    }
    assert {"video", "onnx", "openvino", "large", "train"} <= named
    assert named <= set(PROJECT["optional-dependencies"])


def test_the_cpu_build_of_torch_is_one_line() -> None:
    assert f"\npip install torch --index-url {CPU}\n" in (ROOT / "README.md").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="make decides on Linux")
@pytest.mark.parametrize(("torch", "is_cpu"), [("cpu", True), ("cuda", False)])
def test_make_demo_takes_the_cpu_build_where_there_is_no_gpu(torch: str, is_cpu: bool) -> None:
    shown = subprocess.run(
        ["make", "-n", "demo", f"TORCH={torch}", "VENV=none"], cwd=ROOT, capture_output=True, text=True
    )
    assert ('if [ "cpu" = cpu ]' in shown.stdout) == is_cpu
    assert CPU in shown.stdout
    automatic = subprocess.run(
        ["make", "-n", "demo", "VENV=none", "PATH=/usr/bin:/bin"], cwd=ROOT, capture_output=True, text=True
    )
    assert 'if [ "cpu" = cpu ]' in automatic.stdout or 'if [ "default" = cpu ]' in automatic.stdout


def test_the_metadata_of_the_package_are_complete() -> None:
    for field in ("name", "version", "description", "readme", "license", "license-files", "authors", "keywords"):
        assert PROJECT[field], field
    shown = " ".join(PROJECT["classifiers"])
    assert all(name in shown for name in ("MacOS", "Windows", "Linux", "Typed"))
    for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / path).exists(), path


@pytest.mark.slow
def test_a_wheel_holds_all_that_the_package_needs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--wheel-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if "No matching distribution found for hatchling" in done.stderr:
        pytest.skip("hatchling, which builds wheels, cannot be fetched here")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names, metadata = set(file.namelist()), next(name for name in file.namelist() if name.endswith("METADATA"))
        text = file.read(metadata).decode()
    package = ROOT / "src"
    ours = {
        str(path.relative_to(package))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert not ours - names
    assert all(
        f"\n{field}: " in text for field in ("Name", "Version", "Summary", "License-Expression", "Requires-Python")
    )
    assert (
        "limner = limner.cli.main:program"
        in zipfile.ZipFile(wheel).read(metadata.replace("METADATA", "entry_points.txt")).decode()
    )
