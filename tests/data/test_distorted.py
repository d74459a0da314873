"""Distorted pictures: what is drawn, and that it is what it says."""

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.distorted import DISTORTIONS, DistortedConfig, distorted, homography
from limner.ops.grids import projective


def dots(number=400, side=28):
    """A bright dot above the middle of each picture, a faint one in the middle."""
    images = torch.zeros(number, 1, side, side)
    images[..., 4:6, 13:15] = 1
    return images


def middles(images):
    """The middle of the light of each picture, from the middle of it, in pixels."""
    side = images.shape[-1]
    own = torch.arange(side) - (side - 1) / 2
    total = images.sum((1, 2, 3)).clamp(min=1e-6)
    x = (images.sum((1, 2)) * own).sum(1) / total
    y = (images.sum((1, 3)) * own).sum(1) / total
    return torch.stack([x, y], 1)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_rotation_is_up_to_a_quarter_either_way():
    found = middles(distorted(dots(), "rotation", 28, rng()))
    angles = torch.rad2deg(torch.atan2(found[:, 0], -found[:, 1]))
    assert -91 < angles.min() < -80
    assert 80 < angles.max() < 91
    torch.testing.assert_close(found.norm(dim=1), torch.full((400,), 9.0), atol=0.1, rtol=0)


def test_similarity_turns_scales_and_moves():
    """By 45 degrees, 0.7 to 1.2 and 7 pixels of 42: the dot is 9 pixels above the middle."""
    middle = torch.zeros(400, 1, 28, 28)
    middle[..., 13:15, 13:15] = 1
    moved = middles(distorted(middle, "similarity", 42, rng()))
    assert 6.5 < moved.abs().max() < 7.1
    lengths = (middles(distorted(dots(), "similarity", 42, rng())) - moved).norm(dim=1) / 9
    assert 0.68 < lengths.min() < 0.73
    assert 1.17 < lengths.max() < 1.22


@pytest.mark.parametrize("distortion", DISTORTIONS)
def test_the_same_seed_distorts_alike(distortion):
    images = torch.rand(3, 1, 28, 28, generator=rng())
    one, same, other = (distorted(images, distortion, 42, rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (3, 1, 42, 42)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert 0 <= one.min() <= one.max() <= 1.0001


def test_four_points_become_four_others():
    first, second = torch.rand(5, 4, 2, dtype=torch.float64), torch.rand(5, 4, 2, dtype=torch.float64)
    matrix = homography(first, second)
    moved = torch.cat([first, torch.ones(5, 4, 1)], 2) @ matrix.transpose(1, 2)
    torch.testing.assert_close(moved[..., :2] / moved[..., 2:], second)
    corners = torch.tensor([[[-1.0, -1], [1, -1], [-1, 1], [1, 1]]])
    shrunk = projective(homography(0.5 * corners, corners), (9, 9), (9, 9))
    torch.testing.assert_close(shrunk[0, :, 2, 2], torch.zeros(2), atol=1e-4, rtol=0)


def test_elastic_bends_by_a_pixel_and_a_half():
    found = middles(distorted(dots(), "elastic", 28, rng())) - middles(dots())
    assert 0.5 < found.std() < 1.6
    assert found.mean().abs() < 0.2


def test_scraps_are_of_other_pictures_and_leave_the_digit():
    images = torch.zeros(50, 1, 28, 28)
    images[:, :, 6:22, 6:22] = torch.rand(50, 1, 16, 16, generator=rng()) / 2 + 0.5
    made = distorted(images, "clutter", 60, rng())
    assert (made > 0).float().mean(dim=(1, 2, 3)).min() > 16 * 16 / 3600
    patches = made[0].unfold(1, 28, 1).unfold(2, 28, 1)[0]
    off = (patches - images[0, 0]).clamp(max=0).abs().amax((2, 3))
    assert off.min() == 0, "somewhere the whole digit stands, or what is lighter"


def test_a_sheet_of_tiles_becomes_copies(tmp_path):
    sheet = np.zeros((20, 40, 3), np.uint8)
    sheet[5:15, 5:15], sheet[5:15, 25:35] = 255, 200
    PillowImage.fromarray(sheet[..., 0]).save(tmp_path / "sheet.png")
    config = DistortedConfig(tile=20, num_classes=2, copies=3, distortion="rotation", canvas=32)
    made = config.load(tmp_path / "sheet.png")
    assert (len(made), made.images.shape[-1]) == (6, 32)
    assert made.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert not torch.equal(made.images[0], made.images[2]), "each copy is distorted in its own way"
    assert config.facts(tmp_path / "sheet.png") == {"num_classes": 2, "side": 32}
    drawn = made.draw(1, rng())
    assert drawn.image.shape == (3, 32, 32)
    assert 0.7 < drawn.image.max() < 0.9
    shown = made.sheet(lambda image: (1 - image, None))
    assert shown.shape == (1, 3, 64, 6 * 32)
    torch.testing.assert_close(shown[..., :32, :], 1 - shown[..., 32:, :])
