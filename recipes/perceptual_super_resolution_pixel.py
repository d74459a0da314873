"""The embedded `perceptual-pixel`: the network of `perceptual` with the pixel loss, to be compared with it."""

from dataclasses import replace
from pathlib import Path

from perceptual_super_resolution import RECIPE as FEATURE
from super_resolution import run_enlarger

RECIPE = replace(
    FEATURE,
    model="perceptual-pixel",
    preset="pixel",
    known_failures="It is blurred where the low resolution leaves several pictures open.",
    file=Path(__file__),
    start_from=None,
)

if __name__ == "__main__":
    run_enlarger(RECIPE, ("sr-y-4", "rgb"), distance=True)
