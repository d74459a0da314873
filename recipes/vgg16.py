"""Make the embedded VGG-16 features from a file of the whole network: conv1_1 to conv5_1 in half precision.

`python recipes/vgg16.py SOURCE --scaling caffe` writes src/limner/features/vgg16.safetensors.
"""

from pathlib import Path
from typing import Annotated, Literal

import torch
import typer

from limner.features.vgg16 import EMBEDDED, read_weights
from limner.files.weights import Header, save_weights

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


if __name__ == "__main__":
    typer.run(main)
