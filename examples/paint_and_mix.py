"""Paint a photo in several styles, and in a mixture of two.

    python examples/paint_and_mix.py --photo photo.jpg --output painted/

Without --photo it takes the cat that comes with Limner.
"""

import argparse
from pathlib import Path

import limner

parser = argparse.ArgumentParser(description="Paint a photo in several styles.")
parser.add_argument("--photo", type=Path, default=Path(limner.__file__).parent / "demo" / "chelsea.jpg")
parser.add_argument("--output", type=Path, default=Path("painted"), help="folder of the results")
options = parser.parse_args()
options.output.mkdir(parents=True, exist_ok=True)
print(len(limner.styles()), "styles come with Limner, among them", ", ".join(limner.styles()[-3:]))

for style in ("great-wave", "starry-night", "woodcut"):
    print(limner.stylize(options.photo, style, output=options.output, overwrite=True))

# Two styles, the first with twice the weight of the second; and one that leaves half of the photo.
both = [limner.Style("starry-night", weight=2), limner.Style("great-wave", weight=1)]
print(limner.stylize(options.photo, both, output=options.output / "mixed.jpg", overwrite=True))
print(limner.stylize(options.photo, "woodcut", strength=0.5, output=options.output / "half.jpg", overwrite=True))

# A style is any picture. Given as pixels, a photo comes back as pixels.
painting = Path(limner.__file__).parent / "demo" / "starry_night_sky.jpg"
result = limner.stylize(options.photo, painting, method="adain", output=options.output / "any.jpg", overwrite=True)
print(result)
