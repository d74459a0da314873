import numpy as np
import pytest
import torch

from limner.ops.transparency import REACH, carried_outwards, mirrored_inwards, visible_mean


def disc(side=40, radius=12):
    rows, columns = torch.meshgrid(torch.arange(side) - side / 2, torch.arange(side) - side / 2, indexing="ij")
    return (rows**2 + columns**2 < radius**2).float()[None, None]


def test_what_lies_under_alpha_0_changes_nothing():
    alpha, image, other = disc(), torch.rand(1, 3, 40, 40), torch.rand(1, 3, 40, 40)
    other = torch.where(alpha > 0, image, other)
    for make in (carried_outwards, mirrored_inwards, visible_mean):
        assert torch.equal(make(image, alpha), make(other, alpha))


def test_what_is_visible_stays():
    alpha = disc() * torch.rand(1, 1, 40, 40)
    image = torch.rand(1, 3, 40, 40)
    assert torch.equal(torch.where(alpha > 0, carried_outwards(image, alpha), 0), torch.where(alpha > 0, image, 0))
    solid = alpha >= 0.5
    assert torch.equal(torch.where(solid, mirrored_inwards(image, alpha), 0), torch.where(solid, image, 0))


def test_rings_by_hand():
    """Each hidden pixel is the mean of its visible neighbours, by their alpha, and counts fully from then on."""
    image = torch.tensor([[[[0.2, 0.8, 9.0, 9.0, 9.0]]]])
    alpha = torch.tensor([[[[1.0, 0.5, 0.0, 0.0, 0.0]]]])
    assert carried_outwards(image, alpha).flatten().tolist() == pytest.approx([0.2, 0.8, 0.8, 0.8, 0.8])
    image = torch.tensor([[[[0.2, 9.0, 0.8]]]])
    alpha = torch.tensor([[[[1.0, 0.0, 0.5]]]])
    assert carried_outwards(image, alpha).flatten().tolist() == pytest.approx([0.2, (0.2 + 0.4) / 1.5, 0.8])


def test_colours_are_carried_so_far_and_no_further():
    image, alpha = torch.rand(1, 3, 1, 40), torch.zeros(1, 1, 1, 40)
    alpha[..., 0] = 1
    made = carried_outwards(image, alpha, 0.25)
    assert (made[..., 1 : REACH + 1] == image[..., :1]).all()
    assert (made[..., REACH + 1 :] == 0.25).all()


def test_a_part_with_a_margin_is_as_the_whole():
    alpha, image = disc() * torch.rand(1, 1, 40, 40).round(), torch.rand(1, 3, 40, 40)
    whole = carried_outwards(image, alpha)
    part = carried_outwards(image[..., 4:36, 9 : 31 + REACH], alpha[..., 4:36, 9 : 31 + REACH])
    inner = (slice(4 + REACH, 36 - REACH), slice(9 + REACH, 31))
    assert torch.equal(part[..., REACH:-REACH, REACH : REACH + 31 - 9 - REACH], whole[..., inner[0], inner[1]])


def test_a_picture_without_transparency_is_the_same_tensor():
    image = torch.rand(1, 3, 5, 6)
    assert carried_outwards(image, torch.ones(1, 1, 5, 6)) is image
    assert mirrored_inwards(image, torch.ones(1, 1, 5, 6)) is image


def test_the_mean_counts_colours_by_their_alpha():
    image, alpha = torch.tensor([[[[0.2, 0.8, 0.6]]]]), torch.tensor([[[[1.0, 0.5, 0.0]]]])
    assert float(visible_mean(image, alpha)) == pytest.approx((0.2 + 0.4) / 1.5)
    assert float(visible_mean(image, torch.zeros(1, 1, 1, 3))) == 0.5


def test_half_a_texture_is_mirrored():
    image, alpha = torch.rand(1, 3, 6, 20), torch.zeros(1, 1, 6, 20)
    alpha[..., 10:] = 1
    made = mirrored_inwards(image, alpha)
    # a place is mirrored at the middle of the last visible pixel, which is not repeated
    assert torch.equal(made[..., 1:10], image[..., 11:20].flip(-1))
    assert torch.equal(made[..., 10:], image[..., 10:])


@pytest.mark.parametrize("side", [1, 7, 33])
def test_every_hidden_pixel_is_one_that_is_visible(side):
    alpha = (torch.rand(1, 1, side, 40) > 0.9).float()
    alpha[..., 0, 3] = 1
    image = torch.arange(side * 40.0).reshape(1, 1, side, 40)
    seen = image[alpha > 0].tolist()
    assert set(mirrored_inwards(image, alpha).flatten().tolist()) <= set(seen)


def test_nearest_places_by_hand():
    """Away from everything the nearest visible pixel's surroundings are shown, found by brute force."""
    alpha = torch.zeros(1, 1, 9, 9)
    places = [(1, 2), (7, 7)]
    for row, column in places:
        alpha[..., row, column] = 1
    image = torch.arange(81.0).reshape(1, 1, 9, 9)
    made = mirrored_inwards(image, alpha)[0, 0].numpy()
    for row, column in np.ndindex(9, 9):
        squares = [(row - r) ** 2 + (column - c) ** 2 for r, c in places]
        allowed = {9 * r + c for (r, c), square in zip(places, squares, strict=True)}
        assert made[row, column] in allowed


def test_a_picture_that_shows_nothing_has_no_source():
    assert mirrored_inwards(torch.rand(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)) is None
    faint = torch.full((1, 1, 4, 4), 0.1)
    image = torch.rand(1, 3, 4, 4)
    assert torch.equal(mirrored_inwards(image, faint), image)
