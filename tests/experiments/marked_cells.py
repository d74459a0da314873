"""A small set of cells, for the experiments on segmentation."""

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from limner.data.segmented import SegmentedConfig

TINY = SegmentedConfig(meaning="instances", names=("background", "nucleus"), patch=32)


def saved(folder: Path, masks: str, *, count: int, binary: bool = False) -> Path:
    """Noisy pictures with two bright squares each, which touch, and masks that number them or tell them from ground."""
    rng = np.random.default_rng(0)
    for name in ("images", masks):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        mask = np.zeros((48, 48), np.uint8)
        mask[8:24, 8:20], mask[8:24, 21:40] = 1, 2
        picture = np.clip(150 * (mask > 0) + rng.normal(40, 15, mask.shape), 0, 255)
        PillowImage.fromarray(picture.astype(np.uint8)).save(folder / "images" / f"{number}.png")
        PillowImage.fromarray((mask > 0) * np.uint8(255) if binary else mask).save(folder / masks / f"{number}.png")
    return folder


def nuclei(folder: Path) -> Path:
    """Two pictures to learn from, and one to judge by."""
    saved(folder / "train", "instances", count=2)
    saved(folder / "test", "instances", count=1)
    return folder
