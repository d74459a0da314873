"""`limner stylize`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.optimizing import Features, Output, Preset, PreviewEvery, Quick, Resume, Seed, Set, Steps
from limner.cli.options import Device, Force, Json, Memory, Precision, Threads

_Photo = Annotated[Path, typer.Argument(metavar="PHOTO", help="The content.")]
_Style = Annotated[
    list[str],
    typer.Option(
        "--style", metavar="FILE[:WEIGHT]", help="A picture in the style that is wanted. Repeatable, with weights."
    ),
]
_Mask = Annotated[
    list[Path] | None,
    typer.Option(
        "--mask",
        metavar="FILE",
        help="White where the style of the same place in the command is wanted, as large as the photo. "
        "Styles beyond the masks cover the rest.",
        show_default=False,
    ),
]
_Method = Annotated[Literal["gatys"], typer.Option(help="gatys: by optimisation, any picture as style.")]
_Size = Annotated[
    str, typer.Option(metavar="N|photo", help="The longer side of the result in pixels; photo: that of the photo.")
]
_StyleScale = Annotated[
    float, typer.Option(metavar="X", help="Size of the strokes: 1 shows the style picture as large as the result.")
]
_KeepColors = Annotated[bool, typer.Option("--keep-colors", help="Keep the photo's colours.")]
_Start = Annotated[
    Literal["content", "noise"] | None,
    typer.Option(help="What it begins with. Without it: the preset's.", show_default=False),
]


def stylize(
    photo: _Photo,
    style: _Style,
    output: Output = None,
    method: _Method = "gatys",
    size: _Size = "512",
    mask: _Mask = None,
    style_scale: _StyleScale = 1.0,
    keep_colors: _KeepColors = False,
    start: _Start = None,
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
    """Paint a photo in the style of other pictures.

    The photo's transparency, depth, profile and metadata stay. Ctrl-C keeps the picture that was reached.
    """
    from limner.cli.stylizing import Options, run

    run(
        Options(
            photo=photo,
            styles=style,
            masks=mask or [],
            output=output,
            size=size,
            style_scale=style_scale,
            keep_colors=keep_colors,
            start=start,
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
