"""The most detailed part of a photo, enlarged by networks of several losses, beside the original.

`python -m limner.experiments.enlargements --output sheet.jpg` (Johnson et al. 2016, figure 8; Ledig et al. 2017,
figure 2). Above each stands its PSNR in colour, and how differently VGG-16 sees it and the original.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from limner.data.degrade import bicubic_enlarge, crop_to_multiple, published_low_resolution
from limner.experiments.command import begin, finish, run_program, tell
from limner.experiments.options import PHOTO, Output, Threads
from limner.features.vgg16 import VGG
from limner.files.image import read_image
from limner.files.visible import visible_tensor
from limner.media.contact_sheet import Panel
from limner.metrics.protocols import RGB, as_uint8, score
from limner.metrics.vgg_distance import LAYERS, vgg_distance
from limner.runtime.run_options import RunOptions
from limner.types import Image
from limner.verbs.upscale.before_after import most_detailed
from limner.verbs.upscale.upscale import Upscaler

MODELS = ("perceptual-pixel", "perceptual", "srgan")

_SHOWN = 360  # of the longer side of a panel, at least, in pixels

_Photos = Annotated[list[Path] | None, typer.Option("--photo", metavar="FILE", help="Repeatable: a row each.")]
_Models = Annotated[
    list[str] | None, typer.Option("--model", metavar="NAME|FILE", help="Repeatable.", show_default=", ".join(MODELS))
]
_Scale = Annotated[int, typer.Option(min=2, metavar="N", help="That all of the models have.")]
_Part = Annotated[int, typer.Option(min=16, metavar="N", help="Side of what is shown, in pixels of the photo.")]


def row(photo: Image, models: Sequence[str], scale: int, part: int) -> list[Panel]:
    """Panels: bicubic, each model, the original; only their part, the figures are of the whole."""
    real = crop_to_multiple(photo, scale)
    small = published_low_resolution((real * 255).round().to(torch.uint8), scale).float() / 255
    results = {"bicubic": as_uint8(bicubic_enlarge(small, scale))}
    results |= {name: as_uint8(Upscaler(name, scale, RunOptions(precision="exact")).enlarge(small)) for name in models}
    top, left, height, width = most_detailed(real, part)
    vgg = VGG(LAYERS)
    with torch.inference_mode():
        seen = vgg(real)
        apart = {name: vgg_distance(vgg(result), seen).item() for name, result in results.items()}
    labels = {
        name: f"{Path(name).stem}: {score(RGB, result, real, scale).psnr:.2f} dB, VGG {apart[name]:.2f}"
        for name, result in results.items()
    }
    panels = [Panel(labels[name], result) for name, result in results.items()] + [Panel("the original", real)]
    return [Panel(label, image[..., top : top + height, left : left + width]) for label, image in panels]


def main(
    output: Output = Path("enlargements.jpg"),
    photos: _Photos = None,
    models: _Models = None,
    scale: _Scale = 4,
    part: _Part = 128,
    threads: Threads = None,
) -> None:
    """Write the sheet."""
    begin(threads)
    panels: list[Panel] = []
    for photo in photos or [PHOTO]:
        panels += row(visible_tensor(read_image(photo)), models or MODELS, scale, part)
        tell(photo.stem)
    finish(output, panels, len(models or MODELS) + 2, least=_SHOWN)


if __name__ == "__main__":
    run_program(main)
