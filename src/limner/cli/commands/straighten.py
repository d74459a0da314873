"""`limner straighten`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from limner.cli.options import Device, ManyOptions, Output, Photos, name_option

_Model = Annotated[
    str,
    typer.Option(metavar="NAME|FILE|RUN", help="See limner models, or what limner train spatial-transformer wrote."),
]
_Name = Annotated[str | None, name_option("{stem}_straightened", "{stem} and {model}")]


@dataclass(frozen=True, kw_only=True)
class Options(ManyOptions):
    """Lay the digit of each photo straight, and tell its class.

    A photo holds one digit, on a plain ground; it may be turned by up to 45 degrees.

    Examples:
        limner straighten seven.jpg
        limner straighten scans/ --output straight/ --json
        limner straighten seven.jpg --model runs/spatial-transformer -o straight.png
    """

    photos: Photos
    model: _Model = "transformer-digits"
    output: Output = None
    name: _Name = None
    device: Device = "auto"
