"""What is left of a photo and of a painting's style, layer by layer (Gatys, Ecker and Bethge, CVPR 2016, figure 1).

`python -m limner.experiments.reconstruction --output sheet.png`
"""

from collections.abc import Sequence
from pathlib import Path

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from limner.experiments.command import begin, finish, image_of, opened, run_program, tell
from limner.experiments.options import PAINTING, PHOTO, Output, Painting, Photo, Seed, Size, Steps, Threads
from limner.media.contact_sheet import Panel
from limner.systems.optimize.inversion import inversion_of
from limner.types import Image
from limner.verbs.invert import reconstruct

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def sheet(
    photo: Image, painting: Image, layers: Sequence[str] = LAYERS, *, steps: int | None = None, seed: int = 0
) -> list[Panel]:
    """The panels, row by row: the photo and its content, the painting and its style, from layer to layer."""
    panels = []
    for source, name, style in [(photo, "photo", False), (painting, "painting", True)]:
        panels.append(Panel(name, source))
        for layer in layers:
            tell(f"{'style up to' if style else 'content of'} {layer}")
            config = inversion_of(layer, style=style).with_steps(steps)
            panels.append(
                Panel(f"{'style to' if style else 'content'} {layer}", image_of(reconstruct(source, config, seed=seed)))
            )
    return panels


def squared(image: Image) -> Float[Tensor, "n 3 side side"]:
    """Cut to a square around the middle, so that a photo and a painting fit on one sheet."""
    height, width = image.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[..., top : top + side, left : left + side]


def main(
    output: Output = Path("reconstruction.png"),
    photo: Photo = PHOTO,
    painting: Painting = PAINTING,
    size: Size = 256,
    steps: Steps = None,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Show what each layer of VGG-16 keeps of a photo, and of a painting's style."""
    begin(threads)
    content, style = (_square_of(path, size) for path in (photo, painting))
    finish(output, sheet(content, style, steps=steps, seed=seed), 1 + len(LAYERS))


def _square_of(path: Path, size: int) -> Image:
    image = squared(opened(path, 2 * size))
    return F.interpolate(image, (size, size), mode="bicubic", antialias=True).clamp(0, 1)


if __name__ == "__main__":
    run_program(main)
