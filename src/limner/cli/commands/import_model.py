"""`limner import`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import ResultOptions, Set, output_option, unset

_Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="A checkpoint: .pth, .pt, .safetensors, .pkl, .onnx, .t7, .ckpt or .index of TensorFlow; or two that "
        "belong together: AdaIN's decoder and encoder, CycleGAN's generators there and back.",
    ),
]
_As = Annotated[
    str | None,
    unset("SYSTEM", "A system of limner models, or a format, to read it as. Without it: by its names.", "--as"),
]
_Output = Annotated[str | None, output_option("FILE", "FILE with .safetensors, here.")]


@dataclass(frozen=True, kw_only=True)
class Options(ResultOptions):
    """Make a checkpoint of another project a model of Limner's. No code in it is run.

    What it is of is found out by the names and shapes of its arrays: CycleGAN, pix2pix, SPADE, fast style transfer,
    AdaIN, SRGAN, ESRGAN, VDSR, U-Net, StyleGAN and others, as docs/import.md lists them. Its licence is its maker's.

    Examples:
        limner import latest_net_G_A.pth -o horse2zebra.safetensors
        limner import decoder.pth vgg_normalised.pth -o adain.safetensors
        limner import unet_carvana.pth --set 'class_names=["background","car"]'
    """

    files: _Files
    system: _As = None
    output: _Output = None
    assignments: Set = field(default_factory=list)
