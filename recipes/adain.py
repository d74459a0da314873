"""The embedded `adain`: any style in one pass, its decoder half as wide as the paper's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kitchen import cooked
from limner.loops.fit import Watcher
from limner.measure.adain import HELD_OUT
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe
from limner.training.style_recipe import make_adain

_COPIES = ("starry_night_crop", "starry_night_google", "wave_crop")  # of held-out styles
_WITHOUT = ", ".join(f'"{name}"' for name in (*HELD_OUT, *HELD_OUT.values(), *_COPIES))

RECIPE = Recipe(
    model="adain",
    system="adain",
    preset="modern",
    data="T91 and half of BSD200 as contents; 24 paintings and drawings, each drawn three times as often as each of "
    "89 textures, as styles",
    data_licence="research",
    licence="Apache-2.0 for the weights; the training pictures are licensed for research",
    known_failures="It has seen some hundred styles: fine strokes and large shapes become patches of colour, a style "
    "of strong contrast, such as stained glass, loses its shapes, and smooth parts may show a fine weave.",
    file=Path(__file__),
    settings=(f"data.without=[{_WITHOUT}]",),
)


def main(
    data: Annotated[Path, typer.Option(help="Folder of training contents.")],
    styles: Annotated[
        list[Path], typer.Option(help="Folder of training styles; repeatable, also to draw its own more often.")
    ],
    held_out: Annotated[list[Path], typer.Option(help="Folder of the pairs that it is measured on; repeatable.")],
    minutes: Annotated[float, typer.Option(help="Training time over all resumptions; more is better.")] = 60.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    run: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/adain"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Copy weights and card into the package.")] = False,
) -> None:
    """Train, measure and write the model."""
    console = Console(stderr=True)

    def work(watchers: Sequence[Watcher]) -> str | None:
        return make_adain(
            RECIPE,
            data=data,
            styles=styles,
            held_out=HELD_OUT,
            pictures=held_out,
            minutes=minutes,
            device=str(choose_device(device)),
            run=run,
            resume=resume,
            ship=ship,
            watchers=watchers,
            on_pair=lambda done, total: console.print(f"measured {done} of {total} pairs", highlight=False),
        )

    cooked(run, work, console)


if __name__ == "__main__":
    typer.run(main)
