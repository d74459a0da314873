"""The embedded `srgan`: x4, begun with the embedded `srresnet`, trained on T91 and half of BSD200."""

from pathlib import Path

from limner.training.recipe import Recipe
from super_resolution import cook

RECIPE = Recipe(
    model="srgan",
    system="srgan",
    preset="modern",
    data="T91 and half of BSD200 (191 pictures)",
    data_licence="research",
    licence="Apache-2.0 for the weights; the training pictures are licensed for research",
    protocols=("sr-y-4", "rgb"),
    known_failures="It sharpens more than it invents, and faint coloured specks may lie on dark places beside edges.",
    file=Path(__file__),
    start_from="srresnet",
    distance=True,
)

if __name__ == "__main__":
    cook(RECIPE)
