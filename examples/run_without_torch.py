"""Export a network to ONNX once, and then enlarge photos where neither torch nor Limner is installed.

    python examples/run_without_torch.py --export --network edsr-x2.onnx
    python examples/run_without_torch.py --network edsr-x2.onnx photo.jpg

The first needs Limner with the extra onnx. The second needs onnxruntime, numpy and pillow alone.
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

parser = argparse.ArgumentParser(description="Enlarge photos by ONNX Runtime alone.")
parser.add_argument("photos", nargs="*", type=Path)
parser.add_argument("--export", action="store_true", help="write the network first")
parser.add_argument("--network", type=Path, default=Path("edsr-x2.onnx"))
parser.add_argument("--output", type=Path, default=Path(), help="folder of the results")
options = parser.parse_args()

if options.export:
    import limner  # only here

    limner.export("edsr-x2", "onnx", options.network, overwrite=True)

session = onnxruntime.InferenceSession(options.network)
for path in options.photos:
    pixels = np.asarray(Image.open(path).convert("RGB"), np.float32) / 255  # RGB in [0, 1]
    (result,) = session.run(["result"], {"image": pixels.transpose(2, 0, 1)[None]})  # (1, 3, height, width)
    large = np.rint(result[0].transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8)
    options.output.mkdir(parents=True, exist_ok=True)
    Image.fromarray(large).save(options.output / f"{path.stem}_x2.png")
    print(f"{path.name}: {large.shape[1]} x {large.shape[0]}")
