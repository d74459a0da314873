"""`limner texture`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.optimizing import Features, Output, Preset, PreviewEvery, Quick, Resume, Seed, Set, Steps
from limner.cli.options import Device, Force, Json, Memory, Precision, Threads

_Picture = Annotated[
    Path | None,
    typer.Argument(metavar="PICTURE", help="A picture of the texture; a network needs none.", show_default=False),
]
_Method = Annotated[
    Literal["optimize", "network"],
    typer.Option(help="optimize: seek the texture of PICTURE; network: draw that of --model, at once."),
]
_Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE", help="Of --method network: what limner train texture-network wrote.", show_default=False
    ),
]
_Size = Annotated[str, typer.Option(metavar="N|WxH", help="Of the result, in pixels.")]
_Seamless = Annotated[
    bool, typer.Option("--seamless", help="Let the borders fit each other, so that it can be laid like tiles.")
]


def texture(
    picture: _Picture = None,
    output: Output = None,
    method: _Method = "optimize",
    model: _Model = None,
    size: _Size = "512",
    seamless: _Seamless = False,
    preset: Preset = "modern",
    quick: Quick = False,
    steps: Steps = None,
    assignments: Set = None,
    features: Features = None,
    seed: Seed = 0,
    preview_every: PreviewEvery = None,
    device: Device = "auto",
    precision: Precision = "fast",
    memory: Memory = None,
    threads: Threads = None,
    resume: Resume = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Make more of a texture, of any size, seamless if need be.

    It begins with noise and has the correlations of the picture's features in the end.
    Ctrl-C keeps the picture that was reached. A network that was trained on the texture needs no picture and one pass.
    """
    from limner.cli.work.texture import Options, run

    run(
        Options(
            picture=picture,
            output=output,
            method=method,
            model=model,
            size=size,
            seamless=seamless,
            preset=preset,
            quick=quick,
            steps=steps,
            assignments=assignments or [],
            features=features,
            seed=seed,
            preview_every=preview_every,
            device=device,
            precision=precision,
            memory=memory,
            threads=threads,
            resume=resume,
            force=force,
            as_json=as_json,
        )
    )
