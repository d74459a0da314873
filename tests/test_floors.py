"""The house rules of CONTRIBUTING.md: who may import whom, how long a file may be, and what it may be called."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "limner"

FLOORS = {
    1: {"types", "errors", "config", "memory"},
    2: {"arguments", "ports", "processor", "processes", "ops"},
    3: {"files", "layers", "losses", "metrics"},
    4: {"features", "data", "runtime"},
    5: {"loops"},
    6: {"systems"},
    7: {"tasks"},
    8: {"catalog", "importers", "weights", "media"},
    9: {"verbs", "inspection"},
    10: {"measure"},
    11: {"training"},
    12: {"cli", "experiments"},
    13: {"studio"},  # it runs commands
    14: {"", "__main__"},  # limner/__init__.py itself, and `python -m limner`
}
FLOOR_OF = {package: floor for floor, packages in FLOORS.items() for package in packages}
SIDEWAYS = {("config", "errors")}  # the only ones that may import another of their own floor
WAYS = {"feedforward", "optimize", "adversarial", "segmentation"}
MAX_LINES = 350
VAGUE_NAMES = {"utils", "util", "common", "base", "misc", "helpers"}


def module_name(package: Path, path: Path) -> str:
    """Give the dotted name below the package: `ops.color`, `ops` for `ops/__init__.py`, "" for the package itself."""
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, name: str, is_package: bool, modules: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the line and the absolute dotted name of every module that is imported, wherever in the file it stands.

    Of `from limner.ops import color` that is `limner.ops.color` where it is a module, else `limner.ops`.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                here = ["limner", *filter(None, name.split("."))]
                kept = len(here) - node.level + is_package
                source = ".".join([*here[:kept], *filter(None, [source])])
            for alias in node.names:
                full = f"{source}.{alias.name}"
                yield node.lineno, full if full.removeprefix("limner.") in modules else source


def broken_rule(importer: str, imported: str) -> str | None:
    """Say which rule the import of one of the package's modules by another breaks, if any."""
    package, other = importer.split(".")[0], imported.split(".")[0]
    if package not in FLOOR_OF or other not in FLOOR_OF:
        unknown = other if package in FLOOR_OF else package
        return f"the package {unknown!r} has no floor: give it one in tests/test_floors.py"
    if FLOOR_OF[other] > FLOOR_OF[package]:
        return (
            f"{package or 'limner'} is on floor {FLOOR_OF[package]}, "
            f"{other or 'limner'} above it on floor {FLOOR_OF[other]}"
        )
    if package != other and FLOOR_OF[other] == FLOOR_OF[package] and (package, other) not in SIDEWAYS:
        return f"{package} and {other} are both on floor {FLOOR_OF[package]}: what both need moves down a floor"
    if package == other == "systems":
        return broken_sideways_rule(importer, imported)
    return None


def broken_sideways_rule(importer: str, imported: str) -> str | None:
    """Say which rule one system's import of another breaks, if any."""
    way, other_way = importer.split(".")[1], (imported + ".").split(".")[1]
    if way == other_way == "optimize" and importer.endswith(".video_style") and imported.endswith(".style"):
        return None
    if way == other_way:
        return "one paper, one file: systems of one way do not import each other, what both need moves down a floor"
    if (way, other_way) != ("adversarial", "feedforward"):
        return "of the three ways only adversarial may import another, and only feedforward"
    return None


def violations(package: Path) -> list[str]:
    """List every broken rule of a source tree, one line each: where, what, and which rule."""
    paths = sorted(package.rglob("*.py"))
    modules = {module_name(package, path) for path in paths}
    found = []
    for path in paths:
        text, name, where = path.read_text(), module_name(package, path), path.relative_to(package)
        tree, is_package = ast.parse(text), path.name == "__init__.py"
        if name.split(".")[0] not in FLOOR_OF:
            found.append(f"{where}: this package has no floor: give it one in tests/test_floors.py")
        if name.startswith("systems.") and name.split(".")[1] not in WAYS:
            found.append(f"{where}: a system lies in one of systems/{{{','.join(sorted(WAYS))}}}")
        if len(text.splitlines()) > MAX_LINES:
            found.append(f"{where}: {len(text.splitlines())} lines, at most {MAX_LINES}: cut it where the ideas part")
        if path.stem in VAGUE_NAMES:
            found.append(f"{where}: name a file after what is in it, not {path.stem}")
        if is_package and name and tree.body:
            found.append(f"{where}: only limner/__init__.py has contents")
        for line, imported in imports(tree, name, is_package, modules):
            if imported.split(".")[0] == "torchvision":
                found.append(f"{where}:{line}: imports torchvision: its wheels need the CUDA build of torch")
            if imported.split(".")[0] == "limner":
                rule = broken_rule(name, imported.removeprefix("limner").removeprefix("."))
                found += [f"{where}:{line}: imports {imported}: {rule}"] if rule else []
    return found


def test_the_package_keeps_the_house_rules():
    found = violations(PACKAGE)
    assert not found, "\n" + "\n".join(found)


def test_import_limner_is_light():
    code = "import sys, limner; print(*sorted({'torch', 'numpy', 'kornia', 'PIL', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [], f"`import limner` imports {done.stdout.strip()}: load it when a verb is called"


def written(root: Path, path: str, text: str) -> Path:
    """Make a small package with one file of the given text beside a few files of known names."""
    for name in ["__init__", "types", "ops/color", "files/image", "layers/norms", "systems/feedforward/unet"]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / f"{name}.py").touch()
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    return root


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("ops/warp.py", "from limner.layers.norms import SPADE", "imports limner.layers.norms: ops is on floor 2"),
        ("ops/warp.py", "from limner.layers import norms", "imports limner.layers.norms: ops is on floor 2"),
        ("ops/warp.py", "from ..layers import norms", "imports limner.layers.norms: ops is on floor 2"),
        ("ops/warp.py", "def f():\n    import limner.layers.norms", "warp.py:2: imports limner.layers.norms"),
        ("ops/warp.py", "from limner import layers", "imports limner: ops is on floor 2, limner above it"),
        ("errors.py", "from limner.types import Image", "both on floor 1"),
        ("layers/norms.py", "from limner.files.image import read", "both on floor 3"),
        ("systems/feedforward/vdsr.py", "from limner.systems.feedforward import unet", "one paper, one file"),
        ("systems/feedforward/vdsr.py", "from . import unet", "one paper, one file"),
        (
            "systems/feedforward/vdsr.py",
            "from limner.systems.adversarial.gan import GAN",
            "only adversarial may import",
        ),
        ("systems/optimize/style.py", "from limner.systems.optimize.video_style import x", "one paper, one file"),
        ("systems/optimize/texture.py", "from limner.systems.feedforward.unet import x", "only adversarial may import"),
        ("systems/registry.py", "", "a system lies in one of"),
        ("engine.py", "", "engine.py: this package has no floor"),
        ("ops/warp.py", "import limner.engine", "the package 'engine' has no floor"),
        ("ops/warp.py", "from torchvision.ops import roi_align", "imports torchvision"),
        ("ops/warp.py", "\n" * 351, "351 lines, at most 350"),
        ("ops/utils.py", "", "name a file after what is in it"),
        ("ops/__init__.py", "from limner.ops.color import rgb", "only limner/__init__.py has contents"),
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, path: str, text: str, message: str):
    (found,) = violations(written(tmp_path, path, text))
    assert message in found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("ops/warp.py", "import torch\nfrom limner.ops.color import rgb\nfrom limner.types import Image"),
        ("ops/warp.py", "from .color import rgb\nfrom . import color\nfrom ..types import Image"),
        ("config.py", "from limner.errors import LimnerError"),
        (
            "layers/blocks.py",
            "from limner.ops import color\nimport limner.ops.color\nfrom limner.types import Image",
        ),
        ("systems/adversarial/srgan.py", "from limner.systems.feedforward.srresnet import SRResNet"),
        ("systems/optimize/video_style.py", "from limner.systems.optimize.style import objective"),
        ("cli/main.py", "from limner.verbs.upscale import upscale\nfrom limner.cli.commands.train import app"),
        ("__init__.py", "from limner.cli import main"),
        ("__main__.py", "from limner.cli.main import main"),
        ("ops/warp.py", "\n" * 350),
    ],
)
def test_a_kept_rule_is_no_finding(tmp_path: Path, path: str, text: str):
    assert violations(written(tmp_path, path, text)) == []
