"""`limner stylize --memory`: what a whole process holds, as the system counts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.catalog.models import build
from limner.files.weights import Header, save_weights
from limner.systems.feedforward.fast_style import SLIM

SIDE = 1024  # pixels; as a whole the activations of its picture would take some 3 GB
ALLOWED = 1200 * 10**6  # bytes


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts what a process holds in KiB")
def test_optimisation_keeps_to_the_memory_that_it_may_take(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, side in (("photo.png", SIDE), ("style.png", 512)):
        coarse = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        PillowImage.fromarray(coarse).resize((side, side), PillowImage.Resampling.BICUBIC).save(tmp_path / name)
    arguments = ["photo.png", "--style", "style.png", "--size", "photo", "--steps", "2", "--memory", "1200MB"]
    command = [sys.executable, "-m", "limner", "stylize", *arguments]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    with PillowImage.open(tmp_path / "photo_style.png") as result:
        assert result.size == (SIDE, SIDE)
    assert used.ru_maxrss * 1024 < ALLOWED


LARGE = 4000, 3000  # pixels; as a whole the photo and its painting alone would take a GB
LITTLE = 500 * 10**6  # bytes


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch takes other amounts")
@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_painting_in_one_pass_keeps_to_the_memory_that_it_may_take(tmp_path: Path, precision: str) -> None:
    pytest.importorskip("pyvips")
    coarse = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    PillowImage.fromarray(coarse).resize(LARGE, PillowImage.Resampling.BICUBIC).save(tmp_path / "photo.png")
    torch.manual_seed(0)
    config = SLIM.model_dump(mode="json")
    header = Header(system="fast-style", config=config)
    save_weights(tmp_path / "style.safetensors", build("fast-style", config).state_dict(), header)
    arguments = ["photo.png", "--model", "style.safetensors", "--keep-colors", "--strength", "0.8"]
    options = ["--precision", precision, "--memory", "500MB", "--threads", "1", "--json"]
    command = [sys.executable, "-m", "limner", "stylize", *arguments, *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["peak_memory_bytes"] < 1.05 * LITTLE
    with PillowImage.open(tmp_path / "photo_style.png") as result:
        assert result.size == LARGE
