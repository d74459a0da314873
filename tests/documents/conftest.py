"""A folder with all files that the documents name, small."""

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.kit_data import write_gazes

from limner.catalog.models import build_product
from limner.experiments.options import ASTRONAUT
from limner.files.weights import Header, save_weights
from limner.systems.adversarial.conditional_gan import ConditionalGANConfig
from limner.systems.feedforward.adain import AdaINConfig
from limner.systems.feedforward.deep_warp import DeepWarpConfig
from limner.systems.feedforward.fast_style import SLIM
from limner.systems.feedforward.vdsr import VDSRConfig
from limner.systems.segmentation.unet import MODERN

PHOTOS = [
    "photo.jpg", "photo.png", "large.jpg", "small.png", "mosaic.jpg", "chelsea.jpg", "scan.tif", "map.png",
    "cells.png", "left.jpg", "right.jpg", "seven.jpg", "drawing.png", *(f"digits/{name}/a.png" for name in "01"),
    *(f"scans/{name}.png" for name in "ab"),
    *(f"{folder}/{name}.jpg" for folder in ("holiday", "big_folder") for name in "ab"),
    *(f"benchmarks/{name}/a.png" for name in ("Set5", "Set14")), *(f"frames/{index}.png" for index in (1, 2)),
]  # fmt: skip
LARGER = ["bark.jpg", *(f"{folder}/{name}.jpg" for folder in ("photos", "my_photos") for name in "ab")]
"""What networks are trained on."""
PAINTINGS = ["painting.jpg", "a.jpg", "b.jpg", "sky.jpg", "ground.jpg", "paintings/a.jpg", "paintings/b.jpg"]
MASKS = ["sky_mask.png", "scratches.png"]


@pytest.fixture(autouse=True)
def nothing_is_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of learnt styles of each test's own."""
    monkeypatch.setattr("limner.verbs.learnt_styles.fetched_folder", lambda: tmp_path / "own cache")


@pytest.fixture
def desk(place: Path, drawn: Callable) -> Path:
    """The current folder, with what the documents speak of."""
    for name in PHOTOS:
        drawn(place / name, 72, 64)
    for name in LARGER:
        drawn(place / name, 264, 256)
    for name in PAINTINGS:
        drawn(place / name, 64, 64)
    for name in MASKS:
        drawn(place / name, 72, 64, "1")
    _write_models(place)
    _write_segmented(place)
    _write_eyes(place)
    if find_spec("av"):
        _write_clips(place)
    return place


def _write_clips(place: Path) -> None:
    from tests.clips import make_clip  # skips where PyAV is missing

    (place / "clips").mkdir()
    for name in ("clip.mp4", "clip.mov", "clips/a.mp4"):
        make_clip(place / name, 2)


def _write_segmented(place: Path) -> None:
    """Pictures with masks, and with polygons."""
    for name in "ab":
        for folder in ("cells/images", "cells/labels", "drawn/images"):
            (place / folder).mkdir(parents=True, exist_ok=True)
        mask = np.zeros((64, 72), np.uint8)
        mask[10:30, 20:50] = 255
        for folder in ("cells/images", "cells/labels", "drawn/images"):
            Image.fromarray(mask).save(place / folder / f"{name}.png")
        points = [[20, 10], [50, 10], [50, 30], [20, 30]]
        told = {"shapes": [{"label": "cell", "points": points}], "imageHeight": 64, "imageWidth": 72}
        (place / "drawn" / "images" / f"{name}.json").write_text(json.dumps(told))


def _write_eyes(place: Path) -> None:
    """A portrait, a folder of them, and eyes whose gaze is known."""
    (place / "family").mkdir()
    for name in ("portrait.jpg", "family/a.jpg"):
        shutil.copy(ASTRONAUT, place / name)
    write_gazes(place / "eyes")


def _write_models(place: Path) -> None:
    """Networks that have learnt nothing, at the places where the documents have trained ones."""
    style = SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 0, "styles": ("painting", "mosaic")})
    for path, system, config in (
        ("runs/fast-style", "fast-style", style),
        ("runs/adain", "adain", AdaINConfig(channels=(8, 4, 4))),
        ("run", "vdsr", VDSRConfig(num_layers=3, channels=4)),
        ("runs/digits", "conditional-gan", ConditionalGANConfig()),
        ("runs/deep-warp", "deep-warp", DeepWarpConfig(widths=(4, 8, 8, 8))),
        ("runs/unet", "unet", MODERN.model_copy(update={"channels": 2, "depth": 1})),
    ):
        torch.manual_seed(0)
        (place / path).mkdir(parents=True)
        values = config.model_dump(mode="json")
        save_weights(
            place / path / "model.safetensors",
            build_product(system, values).state_dict(),
            Header(system=system, config=values),
        )
