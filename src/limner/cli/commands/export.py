"""`limner export`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from limner.cli.options import ResultOptions, output_option

_Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A name of limner models, a .safetensors weight file, or the folder of a run."
    ),
]
_Format = Annotated[
    Literal["onnx", "openvino", "torchscript", "safetensors"],
    typer.Option(help="What to write; openvino is an .xml and a .bin, safetensors the weights alone."),
]
_Output = Annotated[str | None, output_option("FILE|FOLDER", "MODEL with the format's suffix, here.")]


@dataclass(frozen=True, kw_only=True)
class Options(ResultOptions):
    """Write a model for other programs, for pictures of any size.

    What is written is run at several odd sizes first, and refused if it differs from the model.

    Examples:
        limner export edsr-x2 --format onnx
        limner export vdsr --format openvino --output models/vdsr.xml
        limner export runs/vdsr --format torchscript
    """

    model: _Model
    format: _Format
    output: _Output = None
