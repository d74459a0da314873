"""The embedded `gaze`: eyes that look elsewhere, learnt from rendered ones."""

from pathlib import Path
from typing import Annotated

import typer

from limner.data.gazes import GazesConfig
from limner.measure.geometry import redirection
from limner.measure.report import Report
from limner.training.recipe import Recipe, Trained
from program import Device, Minutes, Resume, Run, Ship, run_made

RECIPE = Recipe(
    model="gaze",
    system="deep-warp",
    preset="modern",
    data="1,440 rendered eyes of 120 people (MakeHuman)",
    data_licence="CC0",
    licence="Apache-2.0",
    known_failures="It has seen rendered eyes alone; glasses, closed eyes and turns beyond 25 degrees go wrong.",
    file=Path(__file__),
    settings=("data.held_out=0.1",),
)


def main(
    data: Annotated[Path, typer.Option(help="Folder of the unpacked pictures and meta.json.")],
    minutes: Minutes = 40.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""

    def measure(trained: Trained) -> Report:
        config = GazesConfig.parse(trained.goal.data).model_copy(update={"part": "held out", "augment": False})
        return redirection([str(trained.weights)], config.load(data), device=trained.device)

    run_made(RECIPE, measure, data=data, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
