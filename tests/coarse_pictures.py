"""Pictures to train on that cost nothing to draw."""

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage


def draw_coarse(folder: Path, number: int, *, squares: int, size: tuple[int, int]) -> Path:
    """Write so many smooth pictures of some coloured squares a side into a new folder; the same each time.

    Args:
        folder: Whose parent is there.
        number: Of pictures, called 0.png and so on.
        squares: Along each side.
        size: Width and height, in pixels.
    """
    folder.mkdir()
    for seed in range(number):
        coarse = np.random.default_rng(seed).integers(0, 256, (squares, squares, 3), dtype=np.uint8)
        PillowImage.fromarray(coarse).resize(size, PillowImage.Resampling.BICUBIC).save(folder / f"{seed}.png")
    return folder
