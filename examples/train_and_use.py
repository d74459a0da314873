"""Train a network on your own photos for five minutes, and enlarge a photo with it.

    python examples/train_and_use.py --photos holiday/ --minutes 5 --output trained/

Training goes on from the network that comes with Limner. Stopped by Ctrl-C, it goes on where it was with --resume.
Without --photos it takes those that come with Limner.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import limner

PACKAGE = Path(limner.__file__).parent

parser = argparse.ArgumentParser(description="Train on your own photos.")
parser.add_argument("--photos", type=Path, default=PACKAGE / "learning_photos")
parser.add_argument("--minutes", type=float, default=5)
parser.add_argument("--resume", action="store_true", help="go on with the run that is there")
parser.add_argument("--output", type=Path, default=Path("trained"), help="folder of the run and of the results")
options = parser.parse_args()

plan = limner.plan("edsr", options.photos, minutes=options.minutes, start_from="edsr-x2", learning_rate=1e-4)
result = limner.train(plan, options.output / "run", resume=options.resume)
print("steps:", result.step)

# The folder of the run is a model. Here is what it makes of a photo that it has not seen, beside what was there before.
photo = Image.open(PACKAGE / "demo" / "chelsea.jpg")
small = photo.resize((photo.width // 2, photo.height // 2), Image.Resampling.BICUBIC)
truth = np.asarray(photo.crop((0, 0, small.width * 2, small.height * 2)), float)
for model in ("edsr-x2", str(options.output / "run")):
    large = limner.upscale(small, 2, model=model)
    large.save(options.output / f"{Path(model).name}.png")
    print(f"{model}: {10 * np.log10(255**2 / np.mean((truth - np.asarray(large, float)) ** 2)):.2f} dB")
