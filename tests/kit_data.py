"""A small data set of each kind, for the kit that every system passes."""

import json
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from limner.data.distorted import DistortedConfig
from limner.data.enlargement import EnlargementConfig
from limner.data.gazes import GazesConfig
from limner.data.label_maps import LabelMapsConfig
from limner.data.labelled import LabelledConfig
from limner.data.one_style import OneStyleConfig
from limner.data.pairs import PairsConfig
from limner.data.rendered import RenderedConfig
from limner.data.segmented import SegmentedConfig
from limner.data.source import DataConfig
from limner.data.style_pairs import StylePairsConfig
from limner.data.stylization import StylizationConfig
from limner.data.unlabelled import UnlabelledConfig
from limner.data.unpaired import UnpairedConfig


def made(folder: Path) -> dict[type[DataConfig], Path]:
    """Where training data of each kind lie, below a folder."""
    pictures = folder / "pictures"
    pictures.mkdir()
    _picture(pictures / "a.png")
    for name in ("a", "b", "c"):
        (folder / "classes" / name).mkdir(parents=True)
        _picture(folder / "classes" / name / "1.png", seed=ord(name), gray=True)
    (folder / "segmented" / "images").mkdir(parents=True)
    (folder / "segmented" / "labels").mkdir()
    _picture(folder / "segmented" / "images" / "a.png", gray=True)
    _mask(folder / "segmented" / "labels" / "a.png")
    (folder / "pairs").mkdir()
    _picture(folder / "pairs" / "1.png")
    for number, name in enumerate(("trainA", "trainB")):
        (folder / "unpaired" / name).mkdir(parents=True)
        _picture(folder / "unpaired" / name / "1.png", seed=number)
    write_gazes(folder / "gazes")
    rendered(folder / "rendered")
    return placed(folder)


def placed(folder: Path) -> dict[type[DataConfig], Path]:
    """Where `made` has written each kind."""
    pictures = folder / "pictures"
    styled = (EnlargementConfig, OneStyleConfig, StylePairsConfig, StylizationConfig)
    of_pictures: dict[type[DataConfig], Path] = dict.fromkeys(styled, pictures)
    return {
        **of_pictures,
        DistortedConfig: folder / "classes",
        GazesConfig: folder / "gazes",
        LabelMapsConfig: folder / "segmented",
        LabelledConfig: folder / "classes",
        PairsConfig: folder / "pairs",
        RenderedConfig: folder / "rendered",
        SegmentedConfig: folder / "segmented",
        UnlabelledConfig: folder / "classes",
        UnpairedConfig: folder / "unpaired",
    }


def write_gazes(folder: Path) -> None:
    """Two gazes of one person."""
    folder.mkdir()
    points = [[20, 36], [30, 30], [50, 30], [60, 36], [50, 42], [30, 42], [40, 36]]
    rows = []
    for number, yaw in enumerate((-10, 15)):
        _picture(folder / f"{number}.png", seed=number)
        rows.append({"file": f"{number}.png", "subject": 0, "gaze_yaw": yaw, "gaze_pitch": 0, "landmarks": points})
    (folder / "meta.json").write_text(json.dumps(rows))


def rendered(folder: Path, side: int = 16) -> Path:
    """Two objects, a wide and a high one, from three azimuths, by which they are more or less red."""
    for number in range(2):
        (folder / f"object{number}").mkdir(parents=True)
        for azimuth in range(3):
            pixels = np.zeros((side, side, 4), np.uint8)
            rows, columns = (slice(side // 4, -side // 4), slice(2, -2))[:: 1 - 2 * number]
            pixels[rows, columns] = (80 * azimuth, 120, 60, 255)
            PillowImage.fromarray(pixels).save(folder / f"object{number}" / f"e20_a{azimuth:02}.png")
    meta = {"azimuth_deg": [0, 120, 240], "models": [{"name": "Wide one"}, {"obj": "x/highOne.obj"}]}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def styled(data: DataConfig, place: Path) -> DataConfig:
    """With a picture of the data as style, where a style is needed."""
    needs = isinstance(data, StylePairsConfig | StylizationConfig)
    return data.with_styles([place / "a.png"]) if needs else data


def _picture(path: Path, *, seed: int = 0, gray: bool = False) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    picture = PillowImage.fromarray(coarse).resize((80, 72), PillowImage.Resampling.LANCZOS)
    picture.convert("L" if gray else "RGB").save(path)


def _mask(path: Path) -> None:
    """Two classes, as gray values 0 and 255: where the picture of the same size is bright."""
    with PillowImage.open(path.parents[1] / "images" / path.name) as picture:
        PillowImage.fromarray((np.array(picture) > 128).astype(np.uint8) * 255).save(path)
