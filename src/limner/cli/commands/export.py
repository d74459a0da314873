"""`limner export`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.options import Force, Json

_Model = Annotated[str, typer.Argument(metavar="MODEL", help="A name of limner models, or a .safetensors weight file.")]
_Format = Annotated[
    Literal["onnx", "openvino", "torchscript", "safetensors"],
    typer.Option(help="What to write; openvino is an .xml and a .bin, safetensors the weights alone."),
]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Without it: MODEL with the format's suffix, here.", show_default=False
    ),
]


def export(model: _Model, format: _Format, output: _Output = None, force: Force = False, as_json: Json = False) -> None:
    """Write a model for other programs, for pictures of any size.

    What is written is run at several odd sizes first, and refused if it differs from the model.
    """
    from limner.cli.work.export import write

    write(model, format, output, force=force, as_json=as_json)
