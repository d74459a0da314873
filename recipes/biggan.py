"""`icons-biggan` and `cifar-biggan`: BigGANs of nine kinds of icons, and of the ten classes of CIFAR-10."""

from pathlib import Path
from typing import Annotated

import typer

from generated import held_out_report
from icon_sets import LIST, with_kinds
from limner.measure.report import Report
from limner.training.recipe import Recipe, Trained
from program import Device, Minutes, Resume, Run, Ship, run_made

RECIPES = {
    "icons": Recipe(
        model="icons-biggan",
        system="biggan",
        preset="modern",
        data="9 in 10 of 5,221 icons of Fluent Emoji, Noto Emoji and Twemoji, of nine kinds",
        data_licence="MIT (Microsoft), Apache-2.0 (Google), CC BY 4.0 (Twitter, jdecked)",
        licence="Apache-2.0 for the weights; a part of the training pictures is CC BY 4.0, Twemoji by Twitter, jdecked",
        known_failures="Flags and faces are kept apart, things of other kinds come out as blots of their colours.",
        file=Path(__file__),
        settings=("data.held_out=0.1", f"data.csv={LIST}", "data.column=category", "data.background=[1,1,1]"),
    ),
    "cifar": Recipe(
        model="cifar-biggan",
        system="biggan",
        preset="modern",
        data="7,000 pictures of CIFAR-10, 700 of each class",
        data_licence="none stated",
        licence="for research",
        known_failures="Colours and places are those of the classes, things are not told apart at this size.",
        file=Path(__file__),
        settings=("data.held_out=0.1",),
    ),
}


def main(
    kind: Annotated[str, typer.Argument(help=f"{' or '.join(RECIPES)}.")],
    data: Annotated[Path, typer.Option(help="The folder: of emoji_64.zip, or of a folder a class.")],
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
        data = with_kinds(data, run or Path("runs") / RECIPES[kind].model)

    def measure(trained: Trained) -> Report:
        return held_out_report(trained, data)

    run_made(RECIPES[kind], measure, data=data, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
