"""Restore an old photo by a network that has seen no other: fill in its scratches, then take away its grain.

    python examples/restore_old_photo.py --photo old.jpg --mask scratches.png --output restored/

In the mask, which is as large as the photo, scratches are white. Without --photo it ages one that comes with Limner.
It takes some minutes; --quick gives a first look.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import limner


def aged() -> tuple[Image.Image, Image.Image]:
    """A photo with grain and scratches, and the mask of these."""
    photo = Image.open(Path(limner.__file__).parent / "demo" / "astronaut.jpg").convert("L").resize((256, 256))
    chance = np.random.default_rng(0)
    grain = np.asarray(photo) + chance.normal(0, 20, (256, 256))
    old, mask = Image.fromarray(grain.clip(0, 255).astype(np.uint8)), Image.new("L", photo.size)
    for left, right in chance.integers(0, 256, (6, 2)):
        for picture in (old, mask):
            ImageDraw.Draw(picture).line([(int(left), 0), (int(right), 255)], fill=255, width=3)
    return old, mask


parser = argparse.ArgumentParser(description="Restore an old photo.")
parser.add_argument("--photo", type=Path)
parser.add_argument("--mask", type=Path)
parser.add_argument("--quick", action="store_true", help="a first look")
parser.add_argument("--steps", type=int, help="fewer are quicker and worse; without it as many as it takes")
parser.add_argument("--output", type=Path, default=Path("restored"), help="folder of the results")
options = parser.parse_args()
options.output.mkdir(parents=True, exist_ok=True)

old, mask = aged() if options.photo is None else (Image.open(options.photo), Image.open(options.mask))
old.save(options.output / "old.png")
preset = "quick" if options.quick else "modern"
whole = limner.restore(old, "inpaint", mask=mask, preset=preset, steps=options.steps)
whole.save(options.output / "whole.png")
clean = limner.restore(whole, "denoise", preset=preset, steps=options.steps)
clean.save(options.output / "clean.png")
