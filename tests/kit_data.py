"""A small data set of each kind, for the kit that every system passes."""

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from limner.data.enlargement import EnlargementConfig
from limner.data.one_style import OneStyleConfig
from limner.data.source import DataConfig
from limner.data.style_pairs import StylePairsConfig
from limner.data.stylization import StylizationConfig


def made(folder: Path) -> dict[type[DataConfig], Path]:
    """Where training data of each kind lie, below a folder."""
    pictures = folder / "pictures"
    pictures.mkdir()
    _picture(pictures / "a.png")
    return dict.fromkeys((EnlargementConfig, OneStyleConfig, StylePairsConfig, StylizationConfig), pictures)


def styled(data: DataConfig, place: Path) -> DataConfig:
    """With a picture of the data as style, where a style is needed."""
    needs = isinstance(data, StylePairsConfig | StylizationConfig)
    return data.with_styles([place / "a.png"]) if needs else data


def _picture(path: Path) -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    PillowImage.fromarray(coarse).resize((80, 72), PillowImage.Resampling.LANCZOS).save(path)
