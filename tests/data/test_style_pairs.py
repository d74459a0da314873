import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.sampler import batches
from limner.data.style_pairs import StylePairs, StylePairsConfig
from limner.errors import LimnerError


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Contents are gray ramps from left to right, styles are red."""
    contents, styles = tmp_path / "contents", tmp_path / "styles"
    contents.mkdir()
    styles.mkdir()
    ramp = np.tile(np.linspace(0, 255, 80).astype(np.uint8), (40, 1))
    for number in range(3):
        PillowImage.fromarray(np.repeat(ramp[..., None], 3, 2)).save(contents / f"{number}.png")
    red = np.zeros((64, 32, 3), np.uint8)
    red[..., 0] = 200
    PillowImage.fromarray(red).save(styles / "red.png")
    return contents, styles


def test_pairs_are_a_crop_of_each(folders):
    contents, styles = folders
    samples = StylePairsConfig(patch=16, resize=40, styles=(str(styles),)).load(contents)
    assert len(samples) == 3
    for number in range(20):
        pair = samples.draw(0, torch.Generator().manual_seed(number))
        assert pair.source.shape == pair.style.shape == (3, 16, 16)
        assert torch.equal(pair.source[0], pair.source[2])
        slope = pair.source[0, 0].diff()
        assert slope.abs().mean() == pytest.approx(1 / 79, rel=0.02)  # mirrored or not, never turned or stretched
        torch.testing.assert_close(pair.style[:, 3, 4], torch.tensor([200 / 255, 0, 0]))


def test_the_shorter_side_is_resized(folders):
    """A ramp over 80 pixels is twice as steep at half the size."""
    contents, styles = folders
    samples = StylePairs([contents / "0.png"], [styles / "red.png"], patch=16, resize=20)
    pair = samples.draw(0, torch.Generator().manual_seed(0))
    assert pair.source[0, 8, 2:14].diff().abs().mean() == pytest.approx(2 / 79, rel=0.05)


def test_recoloured_styles_take_all_six_orders(folders):
    contents, styles = folders
    samples = StylePairsConfig(patch=16, resize=32, styles=str(styles), recolor=True).load(contents)
    drawn = [samples.draw(0, torch.Generator().manual_seed(number)).style[:, 0, 0] for number in range(30)]
    assert {int(one.argmax()) for one in drawn} == {0, 1, 2}
    assert all(float(one.sum()) == pytest.approx(200 / 255) for one in drawn)


def test_the_same_generator_draws_the_same_pair(folders):
    contents, styles = folders
    samples = StylePairsConfig(patch=16, resize=40, styles=str(styles / "red.png")).load(contents)
    first, again = (next(batches(samples, 2, seed=7, start=3)) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    copy = pickle.loads(pickle.dumps(samples))
    assert torch.equal(
        copy.draw(1, torch.Generator().manual_seed(1))[0], samples.draw(1, torch.Generator().manual_seed(1))[0]
    )


def test_a_sheet_shows_content_style_and_result(folders):
    contents, styles = folders
    samples = StylePairsConfig(patch=16, resize=40, styles=str(styles)).load(contents)
    sheet = samples.sheet(lambda content, style: (content + style) / 2, num_rows=2)
    assert sheet.shape == (1, 3, 32, 48)
    content, style, result = sheet.split(16, -1)
    torch.testing.assert_close(result, (content + style) / 2)


def test_what_cannot_be_drawn_is_refused(folders, tmp_path):
    contents, styles = folders
    with pytest.raises(LimnerError, match="style pairs need pictures of styles, got none"):
        StylePairsConfig().load(contents)
    with pytest.raises(LimnerError, match="patch must be at most resize, got 64 and 32"):
        StylePairsConfig(patch=64, resize=32, styles=str(styles)).load(contents)
    with pytest.raises(LimnerError, match="gone is not a folder"):
        StylePairsConfig(styles=str(tmp_path / "gone")).load(contents)


def test_some_pictures_are_kept_from_training(folders):
    contents, styles = folders
    config = StylePairsConfig(patch=16, resize=40, styles=str(styles), without=("0", "2"))
    assert [path.name for path in config.load(contents).contents] == ["1.png"]
    with pytest.raises(LimnerError, match="all of 1 pictures are kept from training"):
        StylePairsConfig(styles=str(styles), without=("red",)).load(contents)
