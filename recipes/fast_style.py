"""A network of the style pictures that come with Limner, of half the paper's channels.

It is not embedded: `many-styles` paints these styles better, and is smaller.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from limner.catalog.models import load
from limner.loops.step_report import Watcher
from limner.measure.fast_style import figures_of, styles_report
from limner.measure.report import Report
from limner.runtime.device import choose_device
from limner.systems.feedforward.fast_style import FastStyle
from limner.training.recipe import Recipe, Trained, make
from limner.verbs.stylize.named_styles import named_styles, style_picture
from program import Device, Minutes, Resume, Run, Ship, run_recipe

_DEMO = Path(__file__).parents[1] / "src" / "limner" / "demo"

RECIPE = Recipe(
    model="styles",
    system="fast-style",
    preset="slim",
    data="T91, half of BSD200, BSD100 and 16 photos as contents; five paintings in the public domain and five "
    "drawn pictures as styles",
    data_licence="research; the styles are free to use",
    licence="Apache-2.0 for the weights; the training photos are licensed for research",
    known_failures="In a smooth sky the brightest part may become a patch of another colour. Strokes have one size in "
    "pixels, so that they look finer on a larger photo.",
    file=Path(__file__),
)


def made(
    recipe: Recipe,
    *,
    data: Path,
    styles: Sequence[str],
    photos: Sequence[Path],
    minutes: float,
    device: str,
    run: Path,
    resume: bool = False,
    ship: bool = False,
    side: int = 256,
    watchers: Sequence[Watcher] = (),
) -> Report | None:
    """A network of styles that come with Limner, each measured on photos that are not among the data."""
    pictures = [str(style_picture(name).resolve()) for name in styles]

    def measure(trained: Trained) -> Report:
        network = load(str(trained.weights))[0]
        assert isinstance(network, FastStyle)
        return styles_report(figures_of(network, photos, side), len(photos), side)

    return make(
        recipe, measure, data=data, minutes=minutes, device=device, run=run, resume=resume, ship=ship,
        settings=[f"data.styles={json.dumps(pictures)}"], watchers=watchers,
    )  # fmt: skip


def main(
    data: Annotated[Path, typer.Option(help="Folder of training photos.")],
    minutes: Minutes = 300.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure on the packaged photos, and write weights and card."""
    folder = run or Path("runs") / RECIPE.model

    def work(watchers: Sequence[Watcher]) -> Report | None:
        return made(
            RECIPE,
            data=data,
            styles=list(named_styles()),
            photos=[_DEMO / "astronaut.jpg", _DEMO / "chelsea.jpg"],
            minutes=minutes,
            device=str(choose_device(device)),
            run=folder,
            resume=resume,
            ship=ship,
            watchers=watchers,
        )

    run_recipe(folder, work)


if __name__ == "__main__":
    typer.run(main)
