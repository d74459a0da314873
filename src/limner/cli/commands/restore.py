"""`limner restore`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.command import command
from limner.cli.options import GrowingOptions, Output, Photos, Quick, Set, Steps, name_option, unset

app = typer.Typer(
    help="Denoise, fill in or enlarge a picture, untrained.\n\n"
    "A network that has seen no picture but yours is fitted to it (deep image prior).",
    rich_markup_mode=None,
)

_Size = Annotated[
    int | None,
    unset(
        "N",
        "Shrink a larger photo first, to N pixels on its longer side. Without it: as it is. A photo of twice the "
        "sides takes four times as long.",
        min=8,
    ),
]
_Sigma = Annotated[
    float | None, unset("S", "How strong the noise is, where that is known and much: its deviation, of 255.", min=0)
]
_Mask = Annotated[
    Path,
    typer.Option(
        metavar="FILE|FOLDER",
        help="A picture as large as the photo: white where it is missing, black where kept. For several "
        "photos one mask, or a folder with masks of their names.",
    ),
]
_Invert = Annotated[bool, typer.Option("--invert-mask", help="The mask is white where the photo is kept.")]
_DenoisedName = Annotated[str | None, name_option("{stem}_denoised", "{stem} and {seed}")]
_InpaintedName = Annotated[str | None, name_option("{stem}_inpainted", "{stem} and {seed}")]
_EnlargedName = Annotated[str | None, name_option("{stem}_x{scale}", "{stem}, {scale} and {seed}")]
_Scale = Annotated[int, typer.Option(metavar="2|4|8", help="Times the sides.")]
_DenoisePreset = Annotated[
    str, typer.Option(metavar="NAME", help="modern; as published: paper, code (longer), jpeg (against its blocks).")
]
_InpaintPreset = Annotated[
    str, typer.Option(metavar="NAME", help="modern; as published: text, hole, region, half, sparse (pixels are left).")
]
_UpscalePreset = Annotated[str, typer.Option(metavar="NAME", help="modern; as published: paper. Those are slow.")]


@dataclass(frozen=True, kw_only=True)
class Options(GrowingOptions):
    """Of all three tasks; what one of them alone has, it declares itself."""

    task: Literal["denoise", "inpaint", "upscale"]
    photos: Photos
    output: Output = None
    name: str | None = None
    mask: Path | None = None
    invert_mask: bool = False
    scale: int = 4
    sigma: float | None = None
    preset: str = "modern"
    quick: Quick = False
    steps: Steps = None
    size: _Size = None
    assignments: Set = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class DenoiseOptions(Options):
    """Take noise away.

    It stops by itself, before the network learns the noise too. Ctrl-C keeps the picture that was reached.

    Examples:
        limner restore denoise photo.jpg
        limner restore denoise photos/ --size 768 --output clean/
        limner restore denoise photo.png --sigma 50 --quick
    """

    task: Literal["denoise"] = "denoise"
    name: _DenoisedName = None
    sigma: _Sigma = None
    preset: _DenoisePreset = "modern"


@dataclass(frozen=True, kw_only=True)
class InpaintOptions(Options):
    """Fill in what is missing: scratches, writing, holes. All other pixels stay as they are.

    Ctrl-C keeps the picture that was reached.

    Examples:
        limner restore inpaint photo.jpg --mask mask.png
        limner restore inpaint photo.jpg --mask mask.png --preset text
        limner restore inpaint photos/ --mask masks/ --output mended/
    """

    task: Literal["inpaint"] = "inpaint"
    name: _InpaintedName = None
    mask: _Mask = field()  # without the default of the base
    invert_mask: _Invert = False
    preset: _InpaintPreset = "modern"


@dataclass(frozen=True, kw_only=True)
class UpscaleOptions(Options):
    """Enlarge a small photo two, four or eight times, with a network that knows no other photo.

    `limner upscale` is faster, with networks that have been trained. Ctrl-C keeps the picture that was reached.

    Examples:
        limner restore upscale photo.jpg --scale 4
        limner restore upscale photo.jpg --scale 2 --quick
        limner restore upscale photos/ --output large/
    """

    task: Literal["upscale"] = "upscale"
    name: _EnlargedName = None
    scale: _Scale = 4
    preset: _UpscalePreset = "modern"


for _name, _options in {"denoise": DenoiseOptions, "inpaint": InpaintOptions, "upscale": UpscaleOptions}.items():
    command(app, _name, _options, "limner.cli.work.restore:run")
