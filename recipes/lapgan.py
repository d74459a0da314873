"""`icons-lapgan`: a LAPGAN of nine kinds of icons."""

from pathlib import Path
from typing import Annotated

import typer

from generated import held_out_report
from icon_sets import LIST, with_kinds
from limner.measure.report import Report
from limner.training.recipe import Recipe, Trained
from program import Device, Minutes, Resume, Run, Ship, run_made

RECIPE = Recipe(
    model="icons-lapgan",
    system="class-lapgan",
    preset="modern",
    data="9 in 10 of 5,221 icons of Fluent Emoji, Noto Emoji and Twemoji, of nine kinds",
    data_licence="MIT (Microsoft), Apache-2.0 (Google), CC BY 4.0 (Twitter, jdecked)",
    licence="Apache-2.0 for the weights; a part of the training pictures is CC BY 4.0, Twemoji by Twitter, jdecked",
    known_failures="Few of its pictures are things that have a name: most are shapes in the colours of their kind.",
    file=Path(__file__),
    settings=(
        "data.side=64",
        "data.held_out=0.1",
        f"data.csv={LIST}",
        "data.column=category",
        "data.background=[1,1,1]",
    ),
)


def main(
    data: Annotated[Path, typer.Option(help="The folder of emoji_64.zip.")],
    minutes: Minutes = 60.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""
    kinds = with_kinds(data, run or Path("runs") / RECIPE.model)

    def measure(trained: Trained) -> Report:
        return held_out_report(trained, kinds)

    run_made(RECIPE, measure, data=kinds, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
