"""`digits-cgan`: a conditional GAN of handwritten digits, measured on digits of others."""

from pathlib import Path
from typing import Annotated

import typer

from generated import digits_report
from limner.measure.report import Report
from limner.training.recipe import Recipe, Trained
from program import Device, Minutes, Resume, Run, Ship, run_made

RECIPE = Recipe(
    model="digits-cgan",
    system="conditional-gan",
    preset="modern",
    data="4,000 of OpenCV's 5,000 handwritten digits",
    data_licence="Apache-2.0",
    licence="Apache-2.0",
    known_failures="Some read as other digits; some have specks, for the network knows no neighbours.",
    file=Path(__file__),
    settings=("data.tile=20", "data.margin=4", "data.held_out=0.2"),
)


def main(
    data: Annotated[Path, typer.Option(help="The sheet digits.png.")],
    held_out: Annotated[Path, typer.Option(help="Folder of MNIST's test digits, as idx files, for Parzen windows.")],
    minutes: Minutes = 30.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""

    def measure(trained: Trained) -> Report:
        return digits_report(trained, data, held_out)

    run_made(RECIPE, measure, data=data, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
