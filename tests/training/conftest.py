from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        coarse = np.random.default_rng(number).integers(0, 256, (5, 5, 3), dtype=np.uint8)
        PillowImage.fromarray(coarse).resize((40, 36), PillowImage.Resampling.BICUBIC).save(folder / f"{number}.png")
    return folder
