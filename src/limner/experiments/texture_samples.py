"""Pre-image textures: pictures with the Gram matrices of a source, from other noise each time (Gatys et al. 2015).

`python -m limner.experiments.texture_samples --output sheet.png`
"""

from collections.abc import Sequence
from pathlib import Path

import typer

from limner.experiments.command import begin, finish, image_of, opened, run_program, tell
from limner.experiments.options import PAINTING, Output, Painting, Seed, Size, Steps, Threads
from limner.media.contact_sheet import Panel
from limner.types import Image
from limner.verbs.texture import PRESETS, synthesize_texture


def sheet(source: Image, seeds: Sequence[int], *, steps: int | None = None) -> list[Panel]:
    """The panels: the source, and a texture from each seed, as large as the source."""
    panels, size = [Panel("source", source)], (source.shape[-2], source.shape[-1])
    for seed in seeds:
        tell(f"texture from seed {seed}")
        result = synthesize_texture(source, size, PRESETS["modern"], steps=steps, seed=seed)
        panels.append(Panel(f"from noise, seed {seed}", image_of(result)))
    return panels


def main(
    output: Output = Path("texture_samples.png"),
    source: Painting = PAINTING,
    size: Size = 256,
    samples: int = typer.Option(3, min=1, help="Textures."),
    steps: Steps = None,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Show several textures of one source."""
    begin(threads)
    finish(output, sheet(opened(source, size), range(seed, seed + samples), steps=steps), 1 + samples)


if __name__ == "__main__":
    run_program(main)
