"""The golden list of public functions and classes: a name comes, goes or moves only on purpose."""

import ast
import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "limner"
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
GOLDEN = Path(__file__).with_name("public_names.txt")
REGENERATE = "UPDATE_PUBLIC_NAMES=1 python -m pytest tests/test_public_names.py"


def public_names(package: Path) -> list[str]:
    """List `limner.package.module.name` of every module-level function and class without a leading underscore."""
    names = set()
    for path in package.rglob("*.py"):
        module = ".".join([package.name, *path.relative_to(package).with_suffix("").parts]).removesuffix(".__init__")
        defined = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, DEFINITIONS)]
        names |= {f"{module}.{name}" for name in defined if not name.startswith("_")}
    return sorted(names)


def test_public_names_are_those_of_the_golden_list():
    now = public_names(PACKAGE)
    if os.environ.get("UPDATE_PUBLIC_NAMES"):
        GOLDEN.write_text("".join(f"{name}\n" for name in now))
    golden = GOLDEN.read_text().split()
    changes = [f"+ {name}" for name in now if name not in golden] + [f"- {name}" for name in golden if name not in now]
    assert not changes, "\n".join(["public names changed. If that is meant:", f"  {REGENERATE}", *changes])


def test_private_and_nested_names_are_left_out(tmp_path: Path):
    package = tmp_path / "limner"
    (package / "ops").mkdir(parents=True)
    (package / "__init__.py").write_text("def top(): ...")
    (package / "ops" / "color.py").write_text("class A:\n  def b(self): ...\ndef _c(): ...\nD = 1\nasync def e(): ...")
    assert public_names(package) == ["limner.ops.color.A", "limner.ops.color.e", "limner.top"]
