"""pix2pix from the labels of facades to photos of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from limner.data.pairs import PairsConfig
from limner.loops.fit import Watcher
from limner.measure.report import Report
from limner.measure.translation import translation_report
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe, Trained, make
from limner.verbs.translate import translator
from program import Device, Minutes, Resume, Run, Ship, run_recipe

RECIPE = Recipe(
    model="pix2pix-facades",
    system="pix2pix",
    preset="modern",
    data="200 facades of the CMP database",
    data_licence="research",
    licence="Apache-2.0 for the weights; the training pictures are licensed for research",
    known_failures="Large parts of one label, such as a blank wall, repeat a pattern.",
    file=Path(__file__),
    settings=("data.source=right",),
)


def main(
    data: Annotated[Path, typer.Option(help="Folder of training pictures, photo left and labels right.")],
    held_out: Annotated[Path, typer.Option(help="Folder of such pictures that it is measured on.")],
    minutes: Minutes = 120.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""
    folder = run or Path("runs") / RECIPE.model

    def measure(trained: Trained) -> Report:
        own = PairsConfig.parse(trained.goal.data)
        return translation_report(translator(str(trained.weights)), own.read(held_out), side=own.patch)

    def work(watchers: Sequence[Watcher]) -> Report | None:
        return make(
            RECIPE, measure, data=data, minutes=minutes, device=str(choose_device(device)), run=folder, resume=resume,
            ship=ship, watchers=watchers,
        )  # fmt: skip

    run_recipe(folder, work)


if __name__ == "__main__":
    typer.run(main)
