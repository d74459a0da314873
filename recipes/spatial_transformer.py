"""`transformer-digits`: a classifier that first lays its digit straight, learnt from turned, moved and scaled ones."""

from pathlib import Path
from typing import Annotated

import typer

from limner.data.labelled import LabelledConfig
from limner.measure.geometry import straightening
from limner.measure.report import Report
from limner.training.recipe import Recipe, Trained
from program import Device, Minutes, Resume, Run, Ship, run_made

RECIPE = Recipe(
    model="transformer-digits",
    system="spatial-transformer",
    preset="modern",
    data="OpenCV's 5,000 handwritten digits",
    data_licence="Apache-2.0",
    licence="Apache-2.0",
    known_failures="Digits that are turned by more than 45 degrees, several at once, and other things beside them.",
    file=Path(__file__),
    settings=("data.tile=20",),
)


def main(
    data: Annotated[Path, typer.Option(help="The sheet digits.png.")],
    held_out: Annotated[Path, typer.Option(help="Folder of MNIST's test digits, as idx files.")],
    minutes: Minutes = 12.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""

    def measure(trained: Trained) -> Report:
        return straightening([str(trained.weights)], LabelledConfig().load(held_out), device=trained.device)

    run_made(RECIPE, measure, data=data, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
