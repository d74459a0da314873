"""The embedded `perceptual`: x4 with the feature loss, begun with its pixel twin, trained on the same pictures.

The embedded one was trained twice more from itself (`--start-from perceptual`): the second time against its own grid.
"""

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
    known_failures="It sharpens less than srgan does, and fur is smooth. Black and dark gray come 2 levels lighter.",
    file=Path(__file__),
    start_from="perceptual-pixel",
)

if __name__ == "__main__":
    run_enlarger(RECIPE, ("sr-y-4", "rgb"), distance=True)
