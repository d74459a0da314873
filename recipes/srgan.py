"""The embedded `srgan`: x4, begun with the embedded `srresnet`, trained on T91 and half of BSD200."""

from pathlib import Path

from limner.training.recipe import Recipe
from super_resolution import run_enlarger

RECIPE = Recipe(
    model="srgan",
    system="srgan",
    preset="modern",
    data="T91 and half of BSD200 (191 pictures)",
    data_licence="research",
    licence="Apache-2.0 for the weights; the training pictures are licensed for research",
    known_failures="It sharpens more than it invents, and faint coloured specks may lie on dark places beside edges.",
    file=Path(__file__),
    start_from="srresnet",
)

if __name__ == "__main__":
    run_enlarger(RECIPE, ("sr-y-4", "rgb"), distance=True)
