"""The embedded `styles`: twelve styles that anyone may use, in one network of half the paper's channels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kitchen import cooked
from limner.loops.fit import Watcher
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe
from limner.training.style_recipe import make_fast_style
from limner.verbs.stylize.named_styles import named_styles
from limner.verbs.stylize.network_painter import EMBEDDED

_DEMO = Path(__file__).parents[1] / "src" / "limner" / "demo"

RECIPE = Recipe(
    model=EMBEDDED,
    system="fast-style",
    preset="slim",
    data="T91, half of BSD200, BSD100 and 16 photos as contents; five paintings in the public domain and seven "
    "drawn pictures as styles",
    data_licence="research; the styles are free to use",
    licence="Apache-2.0 for the weights; the training photos are licensed for research",
    known_failures="In a smooth sky the brightest part may become a patch of another colour. Strokes have one size in "
    "pixels, so that they look finer on a larger photo. The losses on windows, lattice and spikes joined at steps "
    "1740, 2060 and 2850; 1500 steps before the first were made without them.",
    file=Path(__file__),
)


def main(
    data: Annotated[Path, typer.Option(help="Folder of training photos.")],
    minutes: Annotated[float, typer.Option(help="Training time over all resumptions; more is better.")] = 300.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    run: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs") / EMBEDDED,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Copy weights and card into the package.")] = False,
) -> None:
    """Train, measure on the packaged photos, and write weights and card."""
    console = Console(stderr=True)

    def work(watchers: Sequence[Watcher]) -> str | None:
        return make_fast_style(
            RECIPE,
            data=data,
            styles=list(named_styles()),
            photos=[_DEMO / "astronaut.jpg", _DEMO / "chelsea.jpg"],
            minutes=minutes,
            device=str(choose_device(device)),
            run=run,
            resume=resume,
            ship=ship,
            watchers=watchers,
        )

    cooked(run, work, console)


if __name__ == "__main__":
    typer.run(main)
