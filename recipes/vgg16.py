"""Make the embedded VGG-16 features from a file of the whole network: conv1_1 to conv5_1 in half precision.

`python recipes/vgg16.py SOURCE --scaling caffe` writes src/limner/features/vgg16.safetensors, and with
`--photos FOLDER` the mean responses of its filters to these photos too.
"""

from pathlib import Path
from typing import Annotated, Literal, get_args

import torch
import typer
from safetensors.torch import save_file

from limner.data.folder import find_images
from limner.features.vgg16 import EMBEDDED, MEAN_RESPONSES, VGG, Pooling, read_weights
from limner.files.image import read_image, to_tensor
from limner.files.weights import Header, save_weights
from limner.ops.resample import imresize

_DEEPEST = "5_1"
_LICENCE = "CC BY 4.0"
_PROVENANCE = (
    "VGG-16 of Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford, trained on "
    "ILSVRC-2012; arXiv:1409.1556. Its first convolution takes RGB, and numbers are rounded to half precision."
)


def main(
    source: Annotated[Path, typer.Argument(help="The network, with torchvision's keys.")],
    scaling: Annotated[Literal["caffe", "torchvision"], typer.Option(help="What its first convolution takes.")],
    out: Annotated[Path, typer.Option(help="What is written.")] = EMBEDDED,
    photos: Annotated[Path | None, typer.Option(help="Any; they are shrunk to 256 pixels.")] = None,
) -> None:
    """Write the features."""
    tensors: dict[str, torch.Tensor] = {}
    for one, weight, bias in read_weights(source, scaling).convolutions:
        tensors |= {f"features.{one.place}.weight": weight, f"features.{one.place}.bias": bias}
        if one.name == _DEEPEST:
            break
    header = Header(system="vgg", config={"depth": 16, "scaling": scaling}, licence=_LICENCE, provenance=_PROVENANCE)
    save_weights(out, tensors, header, dtype=torch.float16)
    print(f"{out}  {out.stat().st_size / 2**20:.1f} MiB")
    if photos:
        pictures = [_small(path) for path in find_images(photos)]
        means: dict[str, torch.Tensor] = {}
        for pooling in get_args(Pooling):
            found = VGG([f"relu{_DEEPEST}"], pooling=pooling).mean_responses(pictures)
            means |= {f"{pooling}.{name}": values for name, values in found.items()}
        save_file(means, MEAN_RESPONSES)
        print(f"{MEAN_RESPONSES}  of {len(pictures)} photos")


def _small(path: Path) -> torch.Tensor:
    photo = to_tensor(read_image(path))
    return imresize(photo, min(1.0, 256 / max(photo.shape[-2:]))).clamp(0, 1)


if __name__ == "__main__":
    typer.run(main)
