from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.cli.work.demo import PHOTO


@pytest.fixture
def small_photo(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut a piece out of the packaged photo: the whole takes the embedded model some seconds."""
    with PillowImage.open(PHOTO) as photo:
        photo.crop((100, 330, 220, 450)).save(place / "astronaut.jpg", quality=95)
    monkeypatch.setattr("limner.cli.work.demo.PHOTO", place / "astronaut.jpg")


def test_the_packaged_photo_is_small() -> None:
    assert PHOTO.stat().st_size < 150_000


def test_the_demo_runs_twice_and_shows_a_gain(limner: Callable, place: Path, small_photo: None) -> None:
    for _ in range(2):
        done = limner("demo", "-o", "shown")
        assert done.code == 0
    *pictures, advice = done.out.splitlines()
    paths = [Path(line.partition(":")[0].partition("  ")[0]) for line in pictures]
    assert sorted(paths) == sorted(Path("shown").iterdir())
    assert "astronaut_truth.png" in advice
    for path in paths:
        with PillowImage.open(path) as image:
            assert np.asarray(image).std() > 20, f"{path} is nearly empty"


def test_a_folder_that_cannot_be_is_refused(limner: Callable, place: Path) -> None:
    (place / "taken").write_text("a file")
    refused = limner("demo", "-o", "taken")
    assert refused.code == 2
    assert refused.error.startswith("taken: no folder can be here")
