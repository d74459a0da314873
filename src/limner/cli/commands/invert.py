"""`limner invert`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.optimizing import Features, Output, PreviewEvery, Quick, Resume, Seed, Set, Size, Steps
from limner.cli.options import Device, Force, Json, Precision, Threads

_Photo = Annotated[Path, typer.Argument(metavar="PHOTO")]
_Layer = Annotated[
    str, typer.Option(metavar="NAME", help="Of VGG-16: relu1_1 keeps nearly all, relu5_1 little. Also conv3_2, pool4.")
]
_Style = Annotated[
    bool, typer.Option("--style", help="Keep the look up to that layer, and not the places (Gram matrices).")
]
_Prior = Annotated[
    Literal["tv", "dip"],
    typer.Option(help="What keeps it natural. tv: smooth pixels; dip: a network paints it (deep image prior, slower)."),
]


def invert(
    photo: _Photo,
    layer: _Layer = "relu4_1",
    output: Output = None,
    style: _Style = False,
    prior: _Prior = "tv",
    size: Size = 512,
    quick: Quick = False,
    steps: Steps = None,
    assignments: Set = None,
    features: Features = None,
    seed: Seed = 0,
    preview_every: PreviewEvery = None,
    device: Device = "auto",
    precision: Precision = "fast",
    threads: Threads = None,
    resume: Resume = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Show what a layer of a network knows of a photo.

    A picture is made from noise that looks as the photo does to that layer. Ctrl-C keeps the picture that was reached.
    """
    from limner.cli.work.invert import Options, run

    run(
        Options(
            photo=photo,
            layer=layer,
            output=output,
            style=style,
            prior=prior,
            size=size,
            quick=quick,
            steps=steps,
            assignments=assignments or [],
            features=features,
            seed=seed,
            preview_every=preview_every,
            device=device,
            precision=precision,
            threads=threads,
            resume=resume,
            force=force,
            as_json=as_json,
        )
    )
