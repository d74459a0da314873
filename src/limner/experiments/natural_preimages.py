"""Natural pre-images: layers inverted under total variation and by a network that paints (Ulyanov et al., figure 9).

`python -m limner.experiments.natural_preimages --output sheet.png`; Ulyanov, Vedaldi and Lempitsky, "Deep image prior",
CVPR 2018, arXiv:1711.10925.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from limner.experiments.command import begin, finish, image_of, opened, run_program, tell
from limner.experiments.options import PHOTO, Output, Photo, Seed, Size, Steps, Threads
from limner.media.contact_sheet import Panel
from limner.systems.optimize.inversion import inversion_of
from limner.types import Image
from limner.verbs.invert import reconstruct

LAYERS = ("relu3_1", "relu4_1", "relu5_1")
PRIORS: dict[Literal["tv", "dip"], str] = {"tv": "total variation", "dip": "deep image prior"}


def sheet(photo: Image, layers: Sequence[str] = LAYERS, *, steps: int | None = None, seed: int = 0) -> list[Panel]:
    """The panels: a row for each prior, the photo first and then its pre-images from layer to layer."""
    panels = []
    for prior, name in PRIORS.items():
        panels.append(Panel("photo", photo))
        for layer in layers:
            tell(f"{layer} under {name}")
            config = inversion_of(layer, prior=prior).with_steps(steps)
            panels.append(Panel(f"{layer}, {name}", image_of(reconstruct(photo, config, seed=seed))))
    return panels


def main(
    output: Output = Path("natural_preimages.png"),
    photo: Photo = PHOTO,
    size: Size = 320,
    steps: Steps = None,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Show how two priors fill in what a layer does not know."""
    begin(threads)
    finish(output, sheet(opened(photo, size), steps=steps, seed=seed), 1 + len(LAYERS))


if __name__ == "__main__":
    run_program(main)
