"""`limner stylize`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.optimizing import Features, PreviewEvery, Quick, Resume, Seed, Set, Steps
from limner.cli.options import Backend, Device, Force, Json, Memory, Precision, Threads
from limner.cli.painting_options import GatysPreset, Method, Model, Styles

_Photos = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PHOTO", help="Photos, patterns such as '*.jpg', folders of photos.", show_default=False),
]
_Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER",
        help="Without it: beside the photo, as photo_stylized.jpg.",
        show_default=False,
    ),
]
_List = Annotated[
    bool, typer.Option("--list", help="Write a sheet of the built-in styles to --output, or styles.png, and name them.")
]
_Size = Annotated[
    str | None,
    typer.Option(
        metavar="N|photo",
        help="The longer side of the result in pixels; photo: that of the photo. Without it: photo with fast "
        "and adain, 512 with gatys.",
        show_default=False,
    ),
]
_Strength = Annotated[
    float, typer.Option(metavar="0-1", help="0 is the photo, with adain as its network sees it; 1 the painting.")
]
_KeepColors = Annotated[
    bool,
    typer.Option(
        "--keep-colors", help="Keep the photo's colours: adain gives them to the style, others to the result."
    ),
]
_Quality = Annotated[
    int | None,
    typer.Option(min=1, max=100, metavar="1-100", help="Of JPEG (default 95), WebP and AVIF.", show_default=False),
]
_Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Search the subfolders of folders too.")]
_Tile = Annotated[
    int | None,
    typer.Option(
        min=16,
        metavar="N",
        help="For fast and adain: side of a tile in pixels; the result is the same.",
        show_default=False,
    ),
]
_Mask = Annotated[
    list[Path] | None,
    typer.Option(
        "--mask",
        metavar="FILE",
        help="For adain and gatys: white where the style of the same place in the command is wanted, as large as the "
        "photo. Styles beyond the masks cover the rest.",
        show_default=False,
    ),
]
_StyleScale = Annotated[
    float,
    typer.Option(
        metavar="X",
        help="For adain and gatys: size of the strokes; 1 shows the style as large as the result, with adain at most "
        "1024 pixels.",
    ),
]
_Start = Annotated[
    Literal["content", "noise"] | None,
    typer.Option(help="For gatys: what it begins with. Without it: the preset's.", show_default=False),
]


def stylize(
    photos: _Photos = None,
    style: Styles = None,
    output: _Output = None,
    method: Method = "auto",
    model: Model = None,
    list_styles: _List = False,
    size: _Size = None,
    strength: _Strength = 1.0,
    keep_colors: _KeepColors = False,
    quality: _Quality = None,
    recursive: _Recursive = False,
    backend: Backend = "auto",
    tile: _Tile = None,
    mask: _Mask = None,
    style_scale: _StyleScale = 1.0,
    start: _Start = None,
    preset: GatysPreset = None,
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
    """Paint photos in the style of other pictures.

    The photo's transparency, depth, profile and metadata stay. Ctrl-C keeps the picture that optimisation has reached.
    """
    from limner.cli.work.stylize import Options, run, show_styles

    if list_styles:
        show_styles(output, force=force, as_json=as_json)
        return
    run(
        Options(
            photos=photos or [],
            styles=style or [],
            masks=mask or [],
            output=output,
            method=method,
            model=model,
            size=size,
            strength=strength,
            style_scale=style_scale,
            keep_colors=keep_colors,
            quality=quality,
            recursive=recursive,
            backend=backend,
            tile=tile,
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
