from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.one_style import OneStyleConfig
from limner.data.sampler import batches
from limner.errors import LimnerError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures of noise, each of its own colour: the number of the channel that is not 0."""
    rng = np.random.default_rng(0)
    for number in range(3):
        pixels = np.zeros((40, 48, 3), np.uint8)
        pixels[..., number] = rng.integers(1, 256, (40, 48))
        PillowImage.fromarray(pixels).save(tmp_path / f"{number}.png")
    return tmp_path


def colour(image: torch.Tensor) -> set[int]:
    return set(image.sum((1, 2)).nonzero().flatten().tolist())


def test_a_texture_is_its_whole_picture_and_crops_of_it(folder):
    samples = OneStyleConfig(patch=32).load(folder / "1.png")
    assert len(samples) == 1
    pair = samples.draw(0, torch.Generator().manual_seed(0))
    assert pair.source.shape == (3, 32, 32)
    assert pair.style.shape == (3, 40, 48)
    windows = pair.style.unfold(1, 32, 1).unfold(2, 32, 1).flatten(1, 2).movedim(0, 1)
    either = torch.cat([windows, windows.flip(-1)])
    assert bool((either == pair.source).flatten(1).all(1).any())


def test_contents_are_painted_in_the_style(folder):
    contents = folder / "contents"
    contents.mkdir()
    (folder / "0.png").rename(contents / "0.png")
    (folder / "1.png").rename(contents / "1.png")
    samples = OneStyleConfig(patch=16, style=str(folder / "2.png")).load(contents)
    assert len(samples) == 2
    batch = next(batches(samples, 4, seed=0))
    assert batch.source.shape == (4, 3, 16, 16)
    assert set().union(*(colour(one) for one in batch.source)) == {0, 1}
    assert all(colour(one) == {2} for one in batch.style)


def test_the_style_is_resized(folder):
    samples = OneStyleConfig(patch=16, resize=20).load(folder / "1.png")
    assert samples.style.shape == (3, 20, 24)
    assert 0 < samples.style.max() <= 1


def test_a_sheet_shows_crops_and_what_is_made(folder):
    samples = OneStyleConfig(patch=16).load(folder / "1.png")
    sheet = samples.sheet(lambda source, style: 1 - source)
    crops, made = sheet.split(16, -1)
    assert sheet.shape == (1, 3, 48, 32)
    torch.testing.assert_close(made, 1 - crops)


def test_what_is_no_texture_is_refused(folder):
    with pytest.raises(LimnerError, match="a texture is learnt from one picture, got the 3 in"):
        OneStyleConfig(patch=16).load(folder)
    with pytest.raises(LimnerError, match=r"must have 64 pixels a side, got 48x40: --set data.patch=N"):
        OneStyleConfig(patch=64).load(folder / "1.png")
