"""`faces-stylegan` and `icons-stylegan`: StyleGANs of drawn faces and of icons, grown from 32 pixels a side to 64."""

from pathlib import Path
from typing import Annotated

import typer

from generated import held_out_report
from icon_sets import with_kinds
from limner.measure.report import Report
from limner.training.recipe import Recipe, Trained
from program import Device, Minutes, Resume, Run, Ship, run_made

RECIPES = {
    "faces": Recipe(
        model="faces-stylegan",
        system="stylegan",
        preset="modern",
        data="2,000 of 2,500 drawn faces of the style Personas by Draftbit",
        data_licence="CC BY 4.0 (Draftbit)",
        licence="Apache-2.0 for the weights; the training pictures are CC BY 4.0, Personas by Draftbit",
        known_failures="It knows one style of drawn faces before white; some mouths and shirts are smeared.",
        file=Path(__file__),
        settings=("data.held_out=0.2",),
    ),
    "icons": Recipe(
        model="icons-stylegan",
        system="stylegan",
        preset="modern",
        data="9 in 10 of 1,687 icons of Noto Emoji",
        data_licence="Apache-2.0 (Google)",
        licence="Apache-2.0",
        known_failures="It knows faces, hands and flags best; rare things come out as blots of their colours.",
        file=Path(__file__),
        settings=("data.held_out=0.1", "data.background=[1,1,1]"),
    ),
}


def main(
    kind: Annotated[str, typer.Argument(help=f"{' or '.join(RECIPES)}.")],
    data: Annotated[Path, typer.Option(help="The folder: of pictures, or of emoji_64.zip.")],
    minutes: Minutes = 80.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write one of the models."""
    if kind not in RECIPES:
        raise typer.BadParameter(f"must be one of {', '.join(RECIPES)}, got {kind}")
    if kind == "icons":
        data = with_kinds(data, run or Path("runs") / RECIPES[kind].model) / "noto"

    def measure(trained: Trained) -> Report:
        return held_out_report(trained, data)

    run_made(RECIPES[kind], measure, data=data, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
