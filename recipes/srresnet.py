"""The embedded `srresnet`: x4, trained on T91 and half of BSD200."""

from pathlib import Path

from limner.training.recipe import Recipe
from super_resolution import run_enlarger

RECIPE = Recipe(
    model="srresnet",
    system="srresnet",
    preset="modern",
    data="T91 and half of BSD200 (191 pictures)",
    data_licence="research",
    licence="Apache-2.0 for the weights; the training pictures are licensed for research",
    known_failures="It was trained on clean pictures: JPEG blocks and noise are sharpened with the picture.",
    file=Path(__file__),
)

if __name__ == "__main__":
    run_enlarger(RECIPE, ("sr-y-4", "rgb"))
