"""Small pictures of the styles that come with Limner."""

from pathlib import Path
from typing import Any

from limner.cli.work.one_picture import BLANK
from limner.cli.work.stylize import style_pictures
from limner.files.image import from_tensor, write_image


def write_thumbnails(order: dict[str, Any]) -> dict[str, Any]:
    """Write a picture of each style into a folder.

    Args:
        order: `folder`.
    """
    folder = Path(order["folder"])
    folder.mkdir(exist_ok=True)
    for name, picture in style_pictures().items():
        write_image(folder / f"{name}.webp", from_tensor(picture, BLANK), quality=80, overwrite=True)
    return {}
