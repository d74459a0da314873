"""What every test gets: one torch thread, fixed seeds, hypothesis profiles, and the data sets where they exist."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

REPOSITORY = Path(__file__).resolve().parents[1]

torch.set_num_threads(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are begun with Ctrl-C ignored


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule() -> None:
    """Let the networks that a module of tests makes when it is imported be the same every time."""
    torch.manual_seed(0)


hypothesis.settings.register_profile("default", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("slow", max_examples=1000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    """Start every test from the same random state, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # libraries still read numpy's global state
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Give a function from a data set's name, as in `shared_data("sr_test/Set5")`, to its folder or file.

    The root is the environment's `LIMNER_DATA`, else `../shared/data` beside the repository. A test whose data set is
    not there is skipped.
    """
    root = Path(os.environ.get("LIMNER_DATA") or REPOSITORY.parent / "shared" / "data")

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.skip(f"no {path}: set LIMNER_DATA to the folder of data sets")
        return path

    return find


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def draw(path: Path, width: int = 20, height: int = 16, mode: str = "RGB") -> Path:
    """Write a small picture of smooth noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    image = PillowImage.fromarray(coarse).resize((width, height), PillowImage.Resampling.BICUBIC)
    image.convert(mode).save(path)
    return path


@pytest.fixture
def drawn() -> Callable[..., Path]:
    """The function that draws a picture."""
    return draw
