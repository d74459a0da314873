"""A small emoji_64.zip."""

import json
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from icon_sets import STYLES

KINDS = ("Food", "Flags")


def draw_icons(data: Path, number: int = 12, side: int = 16) -> None:
    """Three sets of so many icons of two kinds, and one more in the first."""
    styles = (*STYLES, "noto")
    with zipfile.ZipFile(data / "emoji_64.zip", "w") as archive:
        rows = [[style, f"{k:02}", "it", KINDS[k % 2]] for style in styles for k in range(number)]
        archive.writestr("meta.json", json.dumps({"rows": [*rows, [STYLES[0], "alone", "it", KINDS[0]]]}))
        for first, style in enumerate(styles):
            for one in range(number):
                archive.writestr(f"{style}/{one:02}.webp", _icon(one + 100 * first, side))
        archive.writestr(f"{STYLES[0]}/alone.webp", _icon(999, side))


def _icon(number: int, side: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (side, side, 4), dtype=np.uint8)
    file = BytesIO()
    PillowImage.fromarray(pixels).save(file, "WEBP", lossless=True)
    return file.getvalue()
