"""Pages of HTML that are one file each: they need no network and no other file, in light and in dark."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from PIL import Image as PillowImage

from limner.data.labels import read_labels
from limner.data.masks import PALETTE
from limner.errors import LimnerError
from limner.files.image import Picture, read_header, read_image

_STYLE = Path(__file__).with_name("page.css")
_QUALITY = 80


def page_of(template: Path, values: Mapping[str, Any]) -> str:
    """A template of Jinja with its values, which are escaped; it includes the style of all pages as `style`."""
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = template.read_text(encoding="utf-8")
    return made.from_string(text).render(style=_STYLE.read_text(encoding="utf-8"), **values)


def thumbnail(path: Path, side: int, *, is_mask: bool = False) -> str | None:
    """A picture as a `data:` address, at most so many pixels a side; None of what cannot be read.

    Args:
        path: Of the picture.
        side: In pixels.
        is_mask: Whether its numbers are shown by colours.
    """
    try:
        image = _mask_shown(path) if is_mask else None
        return data_address(image or _shown(read_image(path).as_8_bit()), side)
    except LimnerError:
        return None


def _mask_shown(path: Path) -> PillowImage.Image | None:
    """The numbers of a mask by colours, the least of them black; None of one that has colours itself."""
    if not read_header(path).mode.startswith(("gray", "palette")):
        return None
    numbers = read_labels(path)[0].numpy()
    order = np.searchsorted(np.unique(numbers), numbers)
    colours = np.array(PALETTE, np.uint8)
    return PillowImage.fromarray(colours[np.where(order, 1 + (order - 1) % (len(colours) - 1), 0)])


def data_address(image: PillowImage.Image, side: int) -> str:
    """A PIL image as a `data:` address of a WebP, at most so many pixels a side; small ones are magnified."""
    if max(image.size) <= side // 2:
        times = side // max(image.size)
        image = image.resize((image.width * times, image.height * times), PillowImage.Resampling.NEAREST)
    image.thumbnail((side, side), PillowImage.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "WEBP", quality=_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _shown(picture: Picture) -> PillowImage.Image:
    pixels = picture.pixels
    image = PillowImage.fromarray(np.repeat(pixels, 3, -1) if pixels.shape[-1] == 1 else pixels)
    if picture.alpha is not None:
        image.putalpha(PillowImage.fromarray(picture.alpha))
    return image
