"""Pictures on one sheet, each with a label above it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont
from torch import Tensor

from limner.errors import LimnerError
from limner.files.image import Picture
from limner.types import Image

_MARGIN, _TEXT, _HEAD = 16, 22, 44  # pixels


class Panel(NamedTuple):
    """A picture and what stands above it."""

    label: str
    image: Image


def contact_sheet(panels: Sequence[Panel], columns: int | None = None, *, least: int = 1) -> Picture:
    """Equally large pictures in rows on white, with their labels.

    Args:
        panels: One or more.
        columns: Of pictures; None puts all into one row.
        least: Pixels that the longer side of a picture is shown with at least: smaller ones are magnified by whole
            pixels.

    Raises:
        LimnerError: If there are none, or they differ in size.
    """
    sizes = {tuple(panel.image.shape[-2:]) for panel in panels}
    if len(sizes) != 1:
        raise LimnerError(f"a sheet takes pictures of one size, got {len(sizes)}: resize them first")
    columns = len(panels) if columns is None else min(columns, len(panels))
    height, width = sizes.pop()
    magnify = max(1, -(-least // max(height, width)))
    font = ImageFont.load_default(size=_TEXT)
    cell = max(width * magnify, *(int(font.getlength(panel.label)) + 1 for panel in panels))
    row = _HEAD + height * magnify + _MARGIN
    sheet = PillowImage.new("RGB", (_MARGIN + columns * (cell + _MARGIN), -(-len(panels) // columns) * row), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (label, image) in enumerate(panels):
        left, top = _MARGIN + number % columns * (cell + _MARGIN), number // columns * row
        draw.text((left, top + _MARGIN // 2), label, fill="black", font=font)
        part = PillowImage.fromarray(_bytes(image)).resize(
            (width * magnify, height * magnify), PillowImage.Resampling.NEAREST
        )
        sheet.paste(part, (left, top + _HEAD))
    return Picture(np.array(sheet))


def _bytes(image: Float[Tensor, "1 3 h w"]) -> np.ndarray:
    return (image[0].permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8).numpy()
