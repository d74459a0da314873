"""Sources of textures beside new pictures of them: `python -m limner.experiments.textures --output sheet.jpg`.

Gatys, Ecker and Bethge 2015, figure 2.
"""

from pathlib import Path
from typing import Annotated

import typer

from limner.experiments.command import begin, finish, opened, run_program
from limner.experiments.options import PAINTING, Output, Seed, Size, Threads
from limner.media.contact_sheet import Panel
from limner.ops.resample import imresize
from limner.verbs.texture import PRESETS, Preset, synthesize_texture

_Sources = Annotated[list[Path] | None, typer.Option("--source", metavar="FILE", help="Repeatable.")]
_Preset = Annotated[Preset, typer.Option(help="Of limner texture.")]


def main(
    output: Output = Path("textures.jpg"),
    sources: _Sources = None,
    preset: _Preset = "modern",
    size: Size = 256,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Write the sheet: each source, a new picture, and a seamless one laid four times at half the size."""
    begin(threads)
    panels = []
    for path in sources or [PAINTING]:
        source = opened(path, size)
        panels.append(Panel(path.stem, imresize(source, size=(size, size)).clamp(0, 1)))
        panels.append(Panel("new", synthesize_texture(source, (size, size), PRESETS[preset], seed=seed).image))
        tile = synthesize_texture(source, (size, size), PRESETS[preset], seamless=True, seed=seed).image
        laid = imresize(tile, 0.5).clamp(0, 1).repeat(1, 1, 2, 2)
        panels.append(Panel("seamless, laid 2 x 2", laid[..., :size, :size]))
    finish(output, panels, 3)


if __name__ == "__main__":
    run_program(main)
