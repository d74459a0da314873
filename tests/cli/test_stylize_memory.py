"""`limner stylize --memory`: what a whole process holds, as the system counts it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

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
    with PillowImage.open(tmp_path / "photo_stylized.png") as result:
        assert result.size == (SIDE, SIDE)
    assert used.ru_maxrss * 1024 < ALLOWED
