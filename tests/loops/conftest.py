"""What trainings in processes of their own read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Eight coarse ones."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(8):
        coarse = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        PillowImage.fromarray(coarse).resize((96, 96)).save(folder / f"{number}.png")
    return folder
