"""`digits-vae` and `faces-vae`: autoencoders of digits and of drawn faces."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from generated import digits_report, held_out_report
from limner.measure.report import Report
from limner.training.recipe import Recipe, Trained
from program import Device, Minutes, Resume, Run, Ship, run_made


@dataclass(frozen=True)
class Kind:
    """What pictures are of."""

    recipe: Recipe
    digits: bool


KINDS = {
    "digits": Kind(
        Recipe(
            model="digits-vae",
            system="vae",
            preset="modern",
            data="4,000 of OpenCV's 5,000 handwritten digits",
            data_licence="Apache-2.0",
            licence="Apache-2.0",
            known_failures="Lines are soft, and some digits lie between two classes.",
            file=Path(__file__),
            settings=("data.tile=20", "data.margin=4", "latent_channels=10", "decoder=bernoulli", "data.held_out=0.2"),
        ),
        digits=True,
    ),
    "faces": Kind(
        Recipe(
            model="faces-vae",
            system="vae",
            preset="modern",
            data="2,000 of 2,500 drawn faces of the style Personas by Draftbit",
            data_licence="CC BY 4.0 (Draftbit)",
            licence="Apache-2.0 for the weights; the training pictures are CC BY 4.0, Personas by Draftbit",
            known_failures="It knows one style of drawn faces before white; hair and shirts of chance are soft.",
            file=Path(__file__),
            settings=("data.side=64", "latent_channels=64", "upsampling=resize", "kl_weight=40", "data.held_out=0.2"),
        ),
        digits=False,
    ),
}


def main(
    kind: Annotated[str, typer.Argument(help=f"{' or '.join(KINDS)}.")],
    data: Annotated[Path, typer.Option(help="The sheet digits.png, or the folder of faces.")],
    held_out: Annotated[Path | None, typer.Option(help="Of digits: the folder of MNIST's test digits.")] = None,
    minutes: Minutes = 30.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write one of the models."""
    if kind not in KINDS:
        raise typer.BadParameter(f"must be one of {', '.join(KINDS)}, got {kind}")
    own = KINDS[kind]
    if own.digits and held_out is None:
        raise typer.BadParameter("digits are measured on those of others: pass --held-out")

    def measure(trained: Trained) -> Report:
        return held_out_report(trained, data) if held_out is None else digits_report(trained, data, held_out)

    run_made(own.recipe, measure, data=data, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
