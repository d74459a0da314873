"""`faces-dcgan`: a DCGAN of drawn faces."""

from pathlib import Path
from typing import Annotated

import typer

from generated import held_out_report
from limner.measure.report import Report
from limner.training.recipe import Recipe, Trained
from program import Device, Minutes, Resume, Run, Ship, run_made

RECIPE = Recipe(
    model="faces-dcgan",
    system="dcgan",
    preset="modern",
    data="2,000 of 2,500 drawn faces of the style Personas by Draftbit",
    data_licence="CC BY 4.0 (Draftbit)",
    licence="Apache-2.0 for the weights; the training pictures are CC BY 4.0, Personas by Draftbit",
    known_failures="It knows one style of drawn faces before white; some mouths and shirts are smeared.",
    file=Path(__file__),
    settings=("upsampling=resize", "game.r1=1", "game.penalty_every=4", "data.held_out=0.2"),
)


def main(
    data: Annotated[Path, typer.Option(help="The folder of faces.")],
    minutes: Minutes = 60.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""

    def measure(trained: Trained) -> Report:
        return held_out_report(trained, data)

    run_made(RECIPE, measure, data=data, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
