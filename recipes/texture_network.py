"""A network of one texture, such as the embedded `texture-starry-night`; any other picture makes another one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kitchen import cooked
from limner.loops.fit import Watcher
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe
from limner.training.style_recipe import make_texture_network

RECIPE = Recipe(
    model="texture-starry-night",
    system="texture-network",
    preset="modern",
    data="The Starry Night, Vincent van Gogh, 1889",
    data_licence="public domain",
    licence="Apache-2.0",
    known_failures="Shapes larger than about 60 pixels, such as whole whirls, are not kept.",
    file=Path(__file__),
)


def main(
    data: Annotated[Path, typer.Option(help="A picture of the texture.")],
    name: Annotated[str, typer.Option(help="Of the model.")] = RECIPE.model,
    shows: Annotated[str, typer.Option(help="What the picture is, for the card.")] = RECIPE.data,
    licence: Annotated[str, typer.Option(help="Of the picture.")] = RECIPE.data_licence,
    minutes: Annotated[float, typer.Option(help="Training time over all resumptions; more is better.")] = 30.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    run: Annotated[Path | None, typer.Option(help="Folder of the run; by default runs/<name>.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Copy weights and card into the package.")] = False,
) -> None:
    """Train, measure and write the model."""
    folder, console = run or Path("runs") / name, Console(stderr=True)

    def work(watchers: Sequence[Watcher]) -> str | None:
        return make_texture_network(
            replace(RECIPE, model=name, data=shows, data_licence=licence),
            picture=data,
            minutes=minutes,
            device=str(choose_device(device)),
            run=folder,
            resume=resume,
            ship=ship,
            watchers=watchers,
        )

    cooked(folder, work, console)


if __name__ == "__main__":
    typer.run(main)
