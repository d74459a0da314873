"""The embedded `edsr-x2`, `edsr-x3` and `edsr-x4`, by --scale: trained on T91, half of BSD200 and seven free photos.

Make x2 first; the others begin with its trunk, as section 3.2 of the paper says.
"""

from pathlib import Path

from limner.training.recipe import Recipe
from super_resolution import run_enlargers

_LOW_CROP = 32  # pixels of a side


def recipe(scale: int) -> Recipe:
    """The recipe of one scale."""
    return Recipe(
        model=f"edsr-x{scale}",
        system="edsr",
        preset="light",
        data="T91, half of BSD200 and seven photos under CC BY 4.0 and CC0 (198 pictures)",
        data_licence="research",
        licence="Apache-2.0 for the weights; the training pictures are licensed for research",
        settings=(f"scale={scale}", f"data.scales=[{scale}]", f"data.patch={_LOW_CROP * scale}"),
        start_from=None if scale == 2 else "edsr-x2",
        known_failures="It was trained on clean pictures: JPEG blocks and noise are sharpened with the picture.",
        file=Path(__file__),
    )


if __name__ == "__main__":
    run_enlargers({scale: recipe(scale) for scale in (2, 3, 4)}, ("sr-y-shave", "sr-y-4", "rgb"))
