"""`limner translate --memory`: a label map that is too large to be drawn whole."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.catalog.models import WEIGHTS
from limner.files.cards import read_card

LARGE = 4096, 2048  # pixels; the activations of SPADE's last blocks for all of it would take many GB
ALLOWED = 1.25 * 2 * 10**9  # bytes: what convolutions hold beside the maps that are counted came to 9 % once


def label_map(path: Path, size: tuple[int, int]) -> Path:
    """Rectangles in the colours of the parts of a facade."""
    rng = np.random.default_rng(0)
    colors = np.array(read_card(WEIGHTS / "facades-spade.toml").config["class_colors"], np.uint8)
    pixels = np.full((size[1], size[0], 3), colors[2])
    for _ in range(200):
        left, top = rng.integers(0, size[0]), rng.integers(0, size[1])
        across, down = rng.integers(20, size[0] // 8), rng.integers(20, size[1] // 4)
        pixels[top : top + down, left : left + across] = rng.choice(colors)
    PillowImage.fromarray(pixels).save(path)
    return path


def translated(folder: Path, photo: Path, memory: str) -> tuple[np.ndarray, dict[str, Any]]:
    arguments = [photo.name, "--model", "facades-spade", "--memory", memory, "--output", f"{photo.stem}-{memory}.png"]
    options = ["--precision", "exact", "--threads", "2", "--json"]
    command = [sys.executable, "-m", "limner", "translate", *arguments, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with PillowImage.open(folder / f"{photo.stem}-{memory}.png") as made:
        return np.asarray(made).astype(int), json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_what_is_drawn_in_parts_is_what_is_drawn_whole(tmp_path: Path) -> None:
    photo = label_map(tmp_path / "wide.png", (1024, 512))
    in_parts, told = translated(tmp_path, photo, "800MB")
    whole, at_ease = translated(tmp_path, photo, "16GB")
    assert told["peak_memory_bytes"] < 0.8 * at_ease["peak_memory_bytes"]
    assert np.abs(in_parts - whole).max() <= 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_wide_label_map_is_drawn_within_the_memory_that_it_may_take(tmp_path: Path) -> None:
    made, told = translated(tmp_path, label_map(tmp_path / "large.png", LARGE), "2GB")
    assert made.shape == (LARGE[1], LARGE[0], 3)
    assert told["peak_memory_bytes"] < ALLOWED
    assert made.std((0, 1)).min() > 20  # a picture, in all of its channels
