"""Make the embedded SqueezeNet from a file of the whole network, in half precision.

`python recipes/squeezenet.py SOURCE` writes src/limner/features/squeezenet.safetensors.
"""

from pathlib import Path
from typing import Annotated

import torch
import typer
from safetensors.torch import load_file

from limner.features.squeezenet import EMBEDDED
from limner.files.weights import Header, save_weights

_LICENCE = "BSD"
_PROVENANCE = (
    "SqueezeNet 1.0 of Forrest Iandola, Song Han and others, trained on ILSVRC-2012 and compressed (pruned, weights "
    "shared in codebooks of 8 bits); arXiv:1602.07360. Decoded, with RGB for BGR, and rounded to half precision."
)


def main(
    source: Annotated[Path, typer.Argument(help="The network as .safetensors, with torchvision's keys.")],
    out: Annotated[Path, typer.Option(help="What is written.")] = EMBEDDED,
) -> None:
    """Write the network; tests/features/test_squeezenet.py says whether it is the right one."""
    tensors = load_file(source)
    header = Header(system="squeezenet", config={}, licence=_LICENCE, provenance=_PROVENANCE)
    save_weights(out, tensors, header, dtype=torch.float16)
    print(f"{out}  {out.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    typer.run(main)
