"""The embedded `photo-x2` and `photo-x4`, by --scale: EDSR for blurred, noisy and compressed photos.

Make x2 first, which begins with edsr-x2; x4 begins with its trunk.
"""

from pathlib import Path

from limner.training.recipe import Recipe
from super_resolution import run_enlargers

_LOW_CROP = 32  # pixels of a side


def recipe(scale: int) -> Recipe:
    """The recipe of one scale."""
    return Recipe(
        model=f"photo-x{scale}",
        system="edsr",
        preset="photo",
        data="T91, half of BSD200 and seven free photographs (198 pictures)",
        data_licence="research; seven of them CC BY 4.0 or CC0",
        licence="Apache-2.0 for the weights; most of the training pictures are licensed for research",
        settings=(f"scale={scale}", f"data.scales=[{scale}]", f"data.patch={_LOW_CROP * scale}"),
        start_from=None if scale == 2 else "photo-x2",
        known_failures="Fine grain that looks like noise is smoothed; of clean pictures edsr makes more.",
        file=Path(__file__),
    )


if __name__ == "__main__":
    run_enlargers({scale: recipe(scale) for scale in (2, 4)}, ("photo", "sr-y-shave", "rgb"), distance=True)
