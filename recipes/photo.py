"""The embedded `photo-x2`: EDSR for blurred, noisy and compressed photos, which begins with edsr-x2."""

from pathlib import Path

from limner.training.recipe import Recipe
from super_resolution import run_enlarger

RECIPE = Recipe(
    model="photo-x2",
    system="edsr",
    preset="photo",
    data="T91, half of BSD200 and seven free photographs (198 pictures)",
    data_licence="research; seven of them CC BY 4.0 or CC0",
    licence="Apache-2.0 for the weights; most of the training pictures are licensed for research",
    settings=("scale=2", "data.scales=[2]", "data.patch=64"),
    known_failures="Fine grain that looks like noise is smoothed; of clean pictures edsr-x2 makes more.",
    file=Path(__file__),
)

if __name__ == "__main__":
    run_enlarger(RECIPE, ("photo", "sr-y-shave", "rgb"), distance=True)
