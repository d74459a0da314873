"""`limner export`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.options import ResultOptions, output_option, unset

_Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A name of limner models, a .safetensors weight file, or the folder of a run."
    ),
]
_Format = Annotated[
    Literal["onnx", "openvino", "torchscript", "safetensors", "web"],
    typer.Option(
        help="What to write; openvino is an .xml and a .bin, safetensors the weights alone, web a folder of a page "
        "in which the model runs in the browser."
    ),
]
_Output = Annotated[str | None, output_option("FILE|FOLDER", "MODEL with the format's suffix, here.")]
_Runtime = Annotated[
    Path | None,
    unset("FILE|FOLDER", "For web: onnxruntime-web as npm pack gives it, or its folder. Without it npm fetches it."),
]


@dataclass(frozen=True, kw_only=True)
class Options(ResultOptions):
    """Write a model for other programs, for pictures of any size.

    What is written is run at several odd sizes first, and refused if it differs from the model.

    Examples:
        limner export edsr-x2 --format onnx
        limner export vdsr --format openvino --output models/vdsr.xml
        limner export any-style --format web -o site/
    """

    model: _Model
    format: _Format
    output: _Output = None
    runtime: _Runtime = None
