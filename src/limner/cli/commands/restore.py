"""`limner restore`."""

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.optimizing import Output, PreviewEvery, Quick, Resume, Seed, Set, Steps
from limner.cli.options import Device, Force, Json, Memory, Precision, Threads

app = typer.Typer(
    help="Denoise, fill in or enlarge a picture, untrained.\n\n"
    "A network that has seen no picture but yours is fitted to it (deep image prior).",
    rich_markup_mode=None,
)

_Photo = Annotated[Path, typer.Argument(metavar="PHOTO")]
_Size = Annotated[
    int | None,
    typer.Option(
        min=8,
        metavar="N",
        help="Shrink a larger photo first, to N pixels on its longer side. Without it: as it is. A photo of twice the "
        "sides takes four times as long.",
        show_default=False,
    ),
]
_Sigma = Annotated[
    float | None,
    typer.Option(
        min=0, metavar="S", help="Deviation of the noise, of 255, where it is known and strong.", show_default=False
    ),
]
_Mask = Annotated[
    Path,
    typer.Option(metavar="FILE", help="A picture as large as the photo: white where it is missing, black where kept."),
]
_Invert = Annotated[bool, typer.Option("--invert-mask", help="The mask is white where the photo is kept.")]
_Scale = Annotated[int, typer.Option(metavar="2|4|8")]
_DenoisePreset = Annotated[
    str, typer.Option(metavar="NAME", help="modern; as published: paper, code (longer), jpeg (against its blocks).")
]
_InpaintPreset = Annotated[
    str, typer.Option(metavar="NAME", help="modern; as published: text, hole, region, half, sparse (pixels are left).")
]
_UpscalePreset = Annotated[str, typer.Option(metavar="NAME", help="modern; as published: paper. Those are slow.")]


@app.command()
def denoise(
    photo: _Photo,
    output: Output = None,
    sigma: _Sigma = None,
    preset: _DenoisePreset = "modern",
    quick: Quick = False,
    steps: Steps = None,
    size: _Size = None,
    assignments: Set = None,
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
    """Take noise away.

    It stops by itself, before the network learns the noise too. Ctrl-C keeps the picture that was reached.
    """
    from limner.cli.work.restore import Options, run

    run(
        Options(
            photo=photo,
            task="denoise",
            output=output,
            sigma=sigma,
            preset=preset,
            quick=quick,
            steps=steps,
            size=size,
            assignments=assignments or [],
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


@app.command()
def inpaint(
    photo: _Photo,
    mask: _Mask,
    output: Output = None,
    invert_mask: _Invert = False,
    preset: _InpaintPreset = "modern",
    quick: Quick = False,
    steps: Steps = None,
    size: _Size = None,
    assignments: Set = None,
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
    """Fill in what is missing: scratches, writing, holes. All other pixels stay as they are.

    Ctrl-C keeps the picture that was reached.
    """
    from limner.cli.work.restore import Options, run

    run(
        Options(
            photo=photo,
            task="inpaint",
            output=output,
            mask=mask,
            invert_mask=invert_mask,
            preset=preset,
            quick=quick,
            steps=steps,
            size=size,
            assignments=assignments or [],
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


@app.command()
def upscale(
    photo: _Photo,
    output: Output = None,
    scale: _Scale = 4,
    preset: _UpscalePreset = "modern",
    quick: Quick = False,
    steps: Steps = None,
    size: _Size = None,
    assignments: Set = None,
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
    """Enlarge a small photo two, four or eight times; `limner upscale` is faster, with networks that have been trained.

    Ctrl-C keeps the picture that was reached.
    """
    from limner.cli.work.restore import Options, run

    run(
        Options(
            photo=photo,
            task="upscale",
            output=output,
            scale=scale,
            preset=preset,
            quick=quick,
            steps=steps,
            size=size,
            assignments=assignments or [],
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
