"""Places by hand, the true cubic spline by scipy, and what a mirror at the border gives."""

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from limner.ops.elastic import displacements, fetch, turned


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_vectors_of_the_grid_are_met_at_its_nine_places() -> None:
    """The cubic of a grid goes through its points: corners, middles of the sides, and the middle."""
    field = displacements(21, 31, 10.0, rng())
    control = 10 * torch.randn(1, 2, 3, 3, generator=rng())
    assert field.shape == (21, 31, 2)
    for row, y in enumerate((0, 10, 20)):
        for column, x in enumerate((0, 15, 30)):
            torch.testing.assert_close(field[y, x], control[0, :, row, column], atol=1e-4, rtol=0)


def test_vectors_scatter_as_asked_and_change_by_little() -> None:
    draw = rng()
    corners = torch.stack([displacements(9, 9, 4.0, draw)[0, 0] for _ in range(400)])
    assert corners.std().item() == pytest.approx(4, rel=0.1)
    assert abs(corners.mean().item()) < 0.5
    field = displacements(256, 256, 10.0, rng())
    assert (field[1:] - field[:-1]).abs().max() < 1  # so that the bent picture does not fold


def test_no_deviation_moves_nothing() -> None:
    assert not displacements(8, 9, 0.0, rng()).any()


def test_a_quarter_turn_against_the_clock() -> None:
    """What lies at the right of the source is at the top of the crop."""
    image = torch.zeros(1, 9, 9)
    image[0, 4, 8] = 1
    seen = fetch(image, turned(9, 9, angle=90) + 4)
    assert seen[0, 0, 4] == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(seen, image.rot90(1, (1, 2)), atol=1e-5, rtol=0)


def test_things_are_larger_by_the_scale() -> None:
    places = turned(3, 5, scale=2)
    assert places[0, 0].tolist() == [-1, -0.5]
    assert places[2, 4].tolist() == [1, 0.5]


def test_a_crop_that_is_not_turned_is_the_picture() -> None:
    image = torch.rand(3, 7, 10, generator=rng())
    places = turned(5, 4) + torch.tensor([6.5, 3])  # the middle, x and y
    torch.testing.assert_close(fetch(image, places), image[:, 1:6, 5:9], atol=1e-5, rtol=0)
    assert torch.equal(fetch(image, places, nearest=True), image[:, 1:6, 5:9])


@pytest.mark.parametrize(("nearest", "order"), [(False, 1), (True, 0)])
def test_the_pixels_between_and_beyond_by_scipy(nearest: bool, order: int) -> None:
    image = torch.rand(1, 6, 9, generator=rng())
    places = torch.rand(20, 30, 2, generator=rng()) * torch.tensor([40, 30]) - 15
    coordinates = places.permute(2, 0, 1).flip(0).double().numpy()
    expected = map_coordinates(image[0].double().numpy(), coordinates, order=order, mode="mirror")
    np.testing.assert_allclose(fetch(image, places, nearest=nearest)[0].numpy(), expected, atol=1e-4)


def test_the_nearest_pixel_brings_no_new_value() -> None:
    labels = torch.tensor([[0.0, 7, 255], [0, 0, 7]])[None]
    bent = fetch(labels, turned(40, 40, angle=33, scale=9) + torch.tensor([1, 0.5]), nearest=True)
    assert set(bent.unique().tolist()) == {0, 7, 255}


def test_a_picture_of_one_pixel_is_that_pixel_everywhere() -> None:
    assert fetch(torch.full((1, 1, 1), 3.0), turned(4, 4, angle=20)).unique().tolist() == [3]
