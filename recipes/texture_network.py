"""A network of one texture, such as the embedded `texture-starry-night`; any other picture makes another one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from limner.files.image import read_image, to_tensor
from limner.loops.step_report import Watcher
from limner.measure.report import Report
from limner.measure.texture import ADAM, samples_report
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe, Trained, make
from limner.verbs.texture import load_network
from program import Device, Minutes, Resume, Run, Ship, run_recipe

RECIPE = Recipe(
    model="texture-starry-night",
    system="texture-network",
    preset="modern",
    data="the sky of The Starry Night, Vincent van Gogh, 1889",
    data_licence="public domain",
    licence="Apache-2.0",
    known_failures="Shapes larger than about 60 pixels, such as whole whirls, are not kept.",
    file=Path(__file__),
)


def made(
    recipe: Recipe,
    *,
    picture: Path,
    minutes: float,
    device: str,
    run: Path,
    resume: bool = False,
    ship: bool = False,
    steps: int = 300,
    watchers: Sequence[Watcher] = (),
) -> Report | None:
    """A network of one texture, measured beside so many steps of optimisation."""

    def measure(trained: Trained) -> Report:
        network = load_network(str(trained.weights)).to(device)
        source, side = to_tensor(read_image(picture)).to(device), int(trained.goal.data["patch"])
        return samples_report(network, source, side, ADAM.model_copy(update={"steps": steps}))

    return make(
        recipe, measure, data=picture, minutes=minutes, device=device, run=run, resume=resume, ship=ship,
        watchers=watchers,
    )  # fmt: skip


def main(
    data: Annotated[Path, typer.Option(help="A picture of the texture.")],
    name: Annotated[str, typer.Option(help="Of the model.")] = RECIPE.model,
    shows: Annotated[str, typer.Option(help="What the picture is, for the card.")] = RECIPE.data,
    licence: Annotated[str, typer.Option(help="Of the picture.")] = RECIPE.data_licence,
    minutes: Minutes = 30.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""
    folder = run or Path("runs") / name

    def work(watchers: Sequence[Watcher]) -> Report | None:
        return made(
            replace(RECIPE, model=name, data=shows, data_licence=licence),
            picture=data,
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
