"""The embedded `perceptual`: x4 with the feature loss, begun with its pixel twin, trained on the same pictures."""

from pathlib import Path

from limner.training.recipe import Recipe
from super_resolution import run_enlarger

RECIPE = Recipe(
    model="perceptual",
    system="perceptual-super-resolution",
    preset="modern",
    data="T91 and half of BSD200 (191 pictures)",
    data_licence="research",
    licence="Apache-2.0 for the weights; the training pictures are licensed for research",
    known_failures="Magnified, fur shows a faint mesh of 3 pixels. Black and white come 3 levels nearer to gray.",
    file=Path(__file__),
    start_from="perceptual-pixel",
)

if __name__ == "__main__":
    run_enlarger(RECIPE, ("sr-y-4", "rgb"), distance=True)
