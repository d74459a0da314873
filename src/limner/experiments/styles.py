"""Photos in the style of paintings, and how far each style loss has fallen since the photo itself.

`python -m limner.experiments.styles --output sheet.jpg` (Gatys, Ecker and Bethge 2016, figure 3).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from limner.experiments.command import begin, finish, opened, run_program, tell
from limner.experiments.options import PAINTING, PHOTO, Output, Seed, Size, Threads
from limner.media.contact_sheet import Panel
from limner.systems.optimize.style import Reference, StyleConfig, StyleObjective, style_network
from limner.types import Image
from limner.verbs.stylize.style import Style
from limner.verbs.stylize.stylize import PRESETS, Preset, optimize_style

_Photos = Annotated[list[Path] | None, typer.Option("--photo", metavar="FILE", help="Repeatable; of one shape.")]
_Paintings = Annotated[list[Path] | None, typer.Option("--painting", metavar="FILE", help="Repeatable.")]
_Preset = Annotated[Preset, typer.Option(help="Of limner stylize.")]


def style_loss(image: Image, painting: Image, config: StyleConfig) -> float:
    """Of a picture beside a painting, in float32."""
    references = [Reference(painting)]
    with torch.no_grad():
        objective = StyleObjective(style_network(config, image, references), image, references, config)
        return objective(image)["style"].item()


def row(photo: Image, paintings: Sequence[Path], config: StyleConfig, size: int, seed: int) -> list[Panel]:
    """A photo, and itself in each style."""
    panels = [Panel("the photo", photo)]
    for path in paintings:
        image = optimize_style(photo, [Style(path)], config, size=size, seed=seed).image
        painting = opened(path, size)
        fall = style_loss(photo, painting, config) / style_loss(image, painting, config)
        tell(f"{path.stem}: the style loss has fallen {fall:.0f} times")
        panels.append(Panel(f"{path.stem}, {fall:.0f} times less", image))
    return panels


def main(
    output: Output = Path("styles.jpg"),
    photos: _Photos = None,
    paintings: _Paintings = None,
    preset: _Preset = "modern",
    size: Size = 384,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Write the sheet: a row for each photo."""
    begin(threads)
    ones = paintings or [PAINTING]
    rows = [row(opened(photo, size), ones, PRESETS[preset], size, seed) for photo in photos or [PHOTO]]
    finish(output, [panel for panels in rows for panel in panels], len(ones) + 1)


if __name__ == "__main__":
    run_program(main)
