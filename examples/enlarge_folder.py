"""Enlarge every photo of a folder, and show one before and after.

    python examples/enlarge_folder.py --photos holiday/ --scale 3 --output large/

Without --photos it takes those that come with Limner.
"""

import argparse
from pathlib import Path

from PIL import Image

import limner

parser = argparse.ArgumentParser(description="Enlarge every photo of a folder.")
parser.add_argument("--photos", type=Path, default=Path(limner.__file__).parent / "learning_photos")
parser.add_argument("--scale", type=float, default=2, help="above 1, at most 16")
parser.add_argument("--output", type=Path, default=Path("large"), help="folder of the results")
options = parser.parse_args()
options.output.mkdir(parents=True, exist_ok=True)

for photo in sorted(options.photos.glob("*.jpg")):
    result = limner.upscale(photo, options.scale, output=options.output, overwrite=True)  # a path gives a path
    print(result)

sheet = limner.before_after(photo, result)  # bicubic beside Limner, where the photo has most detail
Image.fromarray(sheet.pixels).save(options.output / "before_after.png")
