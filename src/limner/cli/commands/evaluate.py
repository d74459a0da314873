"""`limner evaluate`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.options import Device, Force, Json

app = typer.Typer(help="Measure models as their papers do.", rich_markup_mode=None)

_Data = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of benchmark sets (as Set5/HR), or of pictures.")]
_Models = Annotated[
    list[str],
    typer.Option(
        metavar="NAMES|all", help="Names or weight files, repeatable or with commas between; all: the embedded ones."
    ),
]
_Scale = Annotated[list[str], typer.Option(metavar="LIST", help="Enlargements, repeatable or with commas between.")]
_Protocol = Annotated[
    list[str],
    typer.Option(metavar="LIST", help="sr-y-shave (VDSR's), sr-y-4 (SRGAN's), rgb; repeatable or with commas between."),
]
_Limit = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Only the first pictures of each set.", show_default=False)
]
_Distance = Annotated[
    bool, typer.Option("--distance", help="Also compare colours as VGG-16 sees them, which takes longer.")
]
_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for super-resolution.md and .json.")
]
_Precision = Annotated[Literal["fast", "exact"], typer.Option(help="exact: float32; fast: bfloat16 where it pays.")]


@app.callback()
def _evaluate() -> None:
    pass


@app.command("super-resolution")
def super_resolution(
    data: _Data,
    models: _Models = ["all"],  # noqa: B006  # typer makes a new one of it
    scale: _Scale = ["2,3,4"],  # noqa: B006
    protocol: _Protocol = ["sr-y-shave"],  # noqa: B006
    limit: _Limit = None,
    distance: _Distance = False,
    output: _Output = Path(),
    precision: _Precision = "exact",
    device: Device = "auto",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """PSNR and SSIM of bicubic and of each model, on each set, at each scale, beside the papers' figures."""
    from limner.cli.work.evaluate import evaluate_models

    places = [output / f"super-resolution.{kind}" for kind in ("md", "json")]
    names, scales, protocols = (",".join(parts) for parts in (models, scale, protocol))
    evaluate_models(
        data, names, scales, protocols, limit=limit, distance=distance, places=places, precision=precision,
        device=device, force=force, as_json=as_json,
    )  # fmt: skip
