"""How long a default and a quick picture of 512 pixels take: `python -m benchmarks.optimize.defaults`.

Each command is run for a few steps and for some more, as a process of its own; what a step more takes tells what all of
the preset's steps take. It writes results/defaults.json and .md beside this file.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image as PillowImage

from limner.measure.report import Machine
from limner.systems.optimize.activation import QUICK_STEPS
from limner.systems.optimize.deep_image_prior import DENOISE, INPAINT, QUICK, QUICK_UPSCALE, UPSCALE
from limner.systems.optimize.inversion import inversion_of
from limner.verbs import stylize, texture
from limner.verbs.imagine import preset

HERE = Path(__file__).parents[1]
DEMO = HERE.parent / "src" / "limner" / "demo"
SIDE = 512  # pixels
_FEW, _MORE = 6, 24  # steps


def _all(passes: Any) -> int:
    return sum(one.optimize.steps for one in passes)


COMMANDS: dict[str, tuple[list[str], int]] = {
    "stylize": (
        ["stylize", "photo.png", "--method", "gatys", "--style", "style.jpg"],
        _all(stylize.PRESETS["modern"].passes),
    ),
    "stylize --quick": (
        ["stylize", "photo.png", "--method", "gatys", "--style", "style.jpg", "--quick"],
        _all(stylize.PRESETS["quick"].passes),
    ),
    "texture": (["texture", "style.jpg", "--size", "512"], _all(texture.PRESETS["modern"].passes)),
    "texture --quick": (["texture", "style.jpg", "--size", "512", "--quick"], _all(texture.PRESETS["quick"].passes)),
    "restore denoise": (["restore", "denoise", "photo.png"], DENOISE.optimize.steps),
    "restore denoise --quick": (["restore", "denoise", "photo.png", "--quick"], QUICK.optimize.steps),
    "restore inpaint": (["restore", "inpaint", "photo.png", "--mask", "mask.png"], INPAINT.optimize.steps),
    "restore upscale": (["restore", "upscale", "small.png"], UPSCALE.optimize.steps),
    "restore upscale --quick": (["restore", "upscale", "small.png", "--quick"], QUICK_UPSCALE.optimize.steps),
    "invert": (["invert", "photo.png", "--layer", "relu4_1"], inversion_of("relu4_1").optimize.steps),
    "invert --prior dip": (
        ["invert", "photo.png", "--layer", "relu4_1", "--prior", "dip"],
        inversion_of("relu4_1", prior="dip").optimize.steps,
    ),
    "imagine relu4_1:100": (["imagine", "relu4_1:100", "--size", "512"], preset().optimize.steps),
    "imagine relu4_1:100 --quick": (["imagine", "relu4_1:100", "--size", "512", "--quick"], QUICK_STEPS["fourier"]),
    "imagine class:goldfish": (
        ["imagine", "class:goldfish", "--size", "512"],
        preset(is_class=True).optimize.steps,
    ),
}
"""Arguments of `limner`, and the steps of their preset."""


def prepare(folder: Path) -> None:
    """The pictures that the commands take."""
    with PillowImage.open(DEMO / "astronaut.jpg") as photo:
        large = photo.convert("RGB").resize((SIDE, SIDE))
    large.save(folder / "photo.png")
    large.resize((SIDE // 4, SIDE // 4)).save(folder / "small.png")
    mask = PillowImage.new("L", (SIDE, SIDE))
    mask.paste(255, (200, 200, 300, 300))
    mask.save(folder / "mask.png")
    with PillowImage.open(DEMO / "starry_night_sky.jpg") as style:
        style.save(folder / "style.jpg")


def seconds(arguments: list[str], steps: int, folder: Path) -> float:
    """Of the work, as the command tells it."""
    command = [sys.executable, "-m", "limner", *arguments, "--steps", str(steps), "--json", "--force", "-o", "out.png"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return float(told["seconds"])


def table(found: dict[str, Any]) -> Iterator[str]:
    """The report."""
    yield "# Time of a picture of 512x512"
    yield ""
    yield f"{found['machine']}. Made by `python -m benchmarks.optimize.defaults`,"
    yield f"from the time of {_FEW} and of {_MORE} steps. `restore upscale` begins with 128x128."
    yield ""
    yield "| command | a step | steps | all of them |"
    yield "|---|---|---|---|"
    for name, row in found["rows"].items():
        total = f"{row['total']:.0f} s" if row["total"] < 100 else f"{row['total'] / 60:.1f} min"
        yield f"| `limner {name}` | {row['step']:.2f} s | {row['steps']} | {total} |"


def main(only: Annotated[str, typer.Option(help="Commands that hold this.")] = "") -> None:
    """Time the commands, and write the report after each."""
    target = HERE / "results" / "defaults.json"
    found: dict[str, Any] = json.loads(target.read_text()) if target.exists() else {"rows": {}}
    machine = Machine.here()
    found["machine"] = f"{machine.processor}, {machine.threads} threads"
    with tempfile.TemporaryDirectory() as place:
        prepare(Path(place))
        for name, (arguments, steps) in COMMANDS.items():
            if only not in name:
                continue
            few, more = (seconds(arguments, count, Path(place)) for count in (_FEW, _MORE))
            step = (more - few) / (_MORE - _FEW)
            found["rows"][name] = {"step": step, "steps": steps, "total": few + step * (steps - _FEW)}
            print(name, found["rows"][name], flush=True)
            target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            target.with_suffix(".md").write_text("\n".join(table(found)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
