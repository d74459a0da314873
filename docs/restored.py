"""Make the pictures of docs/deep-image-prior.md from the packaged photo: `python docs/restored.py`.

It harms the photo, restores it as `limner restore` does, and writes sheets into docs/images. Some ten minutes on two
cores; `--only NAME` makes one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont
from torch import Tensor

from limner.files.image import read_image, to_tensor, write_image
from limner.layers.hourglass import FULL_SKIPS, NO_SKIPS
from limner.media.contact_sheet import Panel, contact_sheet
from limner.metrics.quality import psnr
from limner.ops.resample import imresize
from limner.runtime.allocator import keep_freed_memory
from limner.systems.optimize.deep_image_prior import DeepImagePriorConfig, sample, shrink
from limner.verbs.restore import restore

HERE = Path(__file__).parent
PHOTO = HERE.parent / "src" / "limner" / "demo" / "astronaut.jpg"
SIDE = 192  # pixels
WORDS = "Limner paints what is missing. "


def photo() -> Tensor:
    """The head of the packaged photo."""
    image = to_tensor(read_image(PHOTO))
    return image[..., 20 : 20 + SIDE, 130 : 130 + SIDE]


def denoised() -> list[Panel]:
    """Of sigma 25."""
    image, noisy = photo(), noised()
    return judged(image, {"noisy": noisy, "denoised": restore(noisy, "denoise")})


def inpainted() -> list[Panel]:
    """Under lines of writing."""
    image, mask = photo(), writing()
    return judged(image, {"written on": covered(), "filled in": restore(covered(), "inpaint", mask=mask)})


def enlarged() -> list[Panel]:
    """Four times."""
    image, small = photo(), shrunk()
    return judged(image, {"bicubic": imresize(small, 4).clamp(0, 1), "enlarged": restore(small, "upscale")})


def quick() -> list[Panel]:
    """All three, as `--quick` does them."""
    found = {
        "denoised": restore(noised(), "denoise", preset="quick"),
        "filled in": restore(covered(), "inpaint", mask=writing(), preset="quick"),
        "enlarged": restore(shrunk(), "upscale", preset="quick"),
    }
    return judged(photo(), found)


def samples() -> list[Panel]:
    """Of networks that have seen nothing: without connections between their scales, and with wide ones."""
    panels = []
    for name, network in (("hourglass", NO_SKIPS), ("with wide skips", FULL_SKIPS)):
        for depth in (3, 5):
            fields = ("down_channels", "up_channels", "skip_channels", "down_kernels", "up_kernels")
            cut = network.model_copy(update={field: getattr(network, field)[:depth] for field in fields})
            image = sample((SIDE, SIDE), DeepImagePriorConfig(network=cut))
            low, high = image.amin((2, 3), keepdim=True), image.amax((2, 3), keepdim=True)
            panels.append(Panel(f"{name}, {depth} scales", (image - low) / (high - low)))
    return panels


def noised() -> Tensor:
    """With noise of sigma 25."""
    noise = torch.randn(photo().shape, generator=torch.Generator().manual_seed(0))
    return (photo() + 25 / 255 * noise).clamp(0, 1)


def covered() -> Tensor:
    """With letters all over."""
    return photo() * (1 - writing()) + writing()


def shrunk() -> Tensor:
    """A quarter of the sides."""
    return shrink(photo(), (SIDE // 4, SIDE // 4))


def judged(image: Tensor, found: dict[str, Tensor]) -> list[Panel]:
    """Panels that say how near they are."""
    panels = [Panel(f"{name}  {psnr(made, image).item():.1f} dB", made) for name, made in found.items()]
    return [*panels, Panel("original", image)]


def writing() -> Tensor:
    """1 where there are letters."""
    page = PillowImage.new("L", (SIDE, SIDE))
    font = ImageFont.load_default(size=15)
    for row in range(0, SIDE, 22):
        ImageDraw.Draw(page).text((-3 * row % 90 - 90, row), 3 * WORDS, fill=255, font=font)
    return torch.from_numpy(np.array(page) > 80).float().expand(1, 3, -1, -1)


SHEETS: dict[str, Callable[[], list[Panel]]] = {
    "samples": samples,
    "quick": quick,
    "denoised": denoised,
    "inpainted": inpainted,
    "enlarged": enlarged,
}


def main(only: Annotated[str | None, typer.Option(metavar="|".join(SHEETS))] = None) -> None:
    """Write the sheets."""
    keep_freed_memory()
    for name, panels in SHEETS.items():
        if only in (None, name):
            path = HERE / "images" / f"deep_image_prior_{name}.jpg"
            write_image(path, contact_sheet(panels()), quality=90, overwrite=True)
            print(path, flush=True)


if __name__ == "__main__":
    typer.run(main)
