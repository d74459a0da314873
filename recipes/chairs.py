"""Chairs, stools and sofas from any view, measured on views that training does not see."""

from pathlib import Path
from typing import Annotated

import typer

from limner.catalog.models import load
from limner.data.rendered import RenderedConfig
from limner.measure.report import Report
from limner.measure.views import views_report
from limner.training.recipe import Recipe, Trained
from program import Device, Minutes, Resume, Run, Ship, run_made

RECIPE = Recipe(
    model="chairs",
    system="chairs",
    preset="modern",
    data="5,022 renderings of 81 chairs, stools and sofas of Sweet Home 3D's libraries, a tenth of them held out",
    data_licence="CC0 and CC BY 3.0, as NOTICE names them",
    licence="Apache-2.0",
    known_failures="Thin legs and patterns of cloth are blurred; between two chairs that are unlike, parts fade.",
    file=Path(__file__),
    settings=("data.held_out=0.1",),
)


def main(
    data: Annotated[Path, typer.Option(help="Folder of renderings with its meta.json, or their zip file.")],
    minutes: Minutes = 60.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""

    def measure(trained: Trained) -> Report:
        own = RenderedConfig.parse(trained.goal.data)
        parts = (own.model_copy(update={"part": part}).load(data) for part in ("held out", "training"))
        return views_report(load(str(trained.weights))[0], *parts)

    run_made(RECIPE, measure, data=data, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
