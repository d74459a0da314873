"""The sampler against the formula of its paper, and grids against what they must do to known places."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from limner.ops.grids import (
    affine,
    affine_places,
    identity_places,
    in_pixels,
    projective,
    sampled,
    thin_plate,
    unit_points,
)


def by_the_formula(image: Tensor, places: Tensor) -> Tensor:
    """V_i^c = sum_n sum_m U_nm^c max(0, 1 - |x - m|) max(0, 1 - |y - n|)."""
    height, width = image.shape[-2:]
    down = (1 - (places[:, 1, :, :, None] - torch.arange(height)).abs()).clamp(min=0)
    across = (1 - (places[:, 0, :, :, None] - torch.arange(width)).abs()).clamp(min=0)
    return torch.einsum("ncab,nhwa,nhwb->nchw", image, down, across)


def test_the_sampler_is_equation_5() -> None:
    rng = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, 5, 7, generator=rng)
    places = torch.rand(2, 2, 4, 6, generator=rng) * torch.tensor([9.0, 7.0]).view(1, 2, 1, 1) - 1.5  # beyond, too
    torch.testing.assert_close(sampled(image, places, "zeros"), by_the_formula(image, places))


def test_beyond_the_border_stands_its_nearest_pixel_or_the_mirror_image() -> None:
    image = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    places = torch.tensor([[-1.0, -2.0, 3.0], [0.0, 0.0, 0.0]]).view(1, 2, 1, 3)
    assert sampled(image, places).flatten().tolist() == pytest.approx([1, 1, 3])
    assert sampled(image, places, "reflection").flatten().tolist() == pytest.approx([1, 2, 3])


def test_one_pixel_is_a_picture() -> None:
    image = torch.tensor([[[[0.5]]]])
    assert sampled(image, identity_places(image)).item() == 0.5
    assert sampled(image, identity_places(image) + 2, "zeros").item() == 0


def test_gradients_reach_picture_and_places() -> None:
    rng = torch.Generator().manual_seed(1)
    image = torch.rand(1, 2, 4, 5, generator=rng, dtype=torch.float64, requires_grad=True)
    places = (torch.rand(1, 2, 3, 3, generator=rng, dtype=torch.float64) * 2 + 0.3).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: sampled(a, b), (image, places))


def test_places_of_a_matrix_in_pixels() -> None:
    turned = torch.tensor([[[0.0, -1.0, 4.0], [1.0, 0.0, 2.0]]])
    places = affine_places(turned, (2, 3))
    assert places[0, :, 1, 2].tolist() == [-1 + 4, 2 + 2]


@pytest.mark.parametrize("size", [(5, 9), (1, 4)])
def test_the_identity_takes_corners_to_corners(size: tuple[int, int]) -> None:
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
    places = affine(theta, size, (11, 21))
    assert places[0, :, -1, -1].tolist() == pytest.approx([20, 10 if size[0] > 1 else 5])
    assert places[0, 0, 0, 0].item() == 0


def test_a_quarter_turn_and_half_the_size() -> None:
    """(x, y) -> (-y, x) / 2: the right end of the target sees half way down below the middle of the source."""
    theta = torch.tensor([[[0.0, -0.5, 0], [0.5, 0, 0]]])
    places = affine(theta, (3, 3), (5, 5))
    assert places[0, :, 1, 2].tolist() == pytest.approx([2, 3])


def test_a_plane_seen_from_elsewhere() -> None:
    flat = torch.tensor([[[0.5, 0.1, 0.2], [0.0, 0.7, -0.1], [0.0, 0.0, 1.0]]])
    torch.testing.assert_close(projective(flat, (4, 6), (8, 9)), affine(flat[:, :2], (4, 6), (8, 9)))
    tilted = torch.eye(3)[None].clone()
    tilted[0, 2, 0] = 0.5  # the right end is divided by 1.5
    assert projective(tilted, (3, 3), (3, 3))[0, 0, 1].tolist() == pytest.approx([0 - 1, 1, 1 + 1 / 1.5])


def test_control_points_go_where_they_are_told() -> None:
    rng = torch.Generator().manual_seed(2)
    controls = unit_points((3, 4)) + 0.1 * torch.randn(2, 12, 2, generator=rng)
    places = thin_plate(controls, (3, 4), (3, 4), (5, 7))
    torch.testing.assert_close(places, in_pixels(controls, (3, 4), (5, 7)), atol=1e-4, rtol=1e-4)


def test_a_plate_bends_no_more_than_it_must() -> None:
    """What is affine at the control points is affine everywhere."""
    theta = torch.tensor([[[0.8, 0.2, 0.1], [-0.3, 0.9, 0.0]]])
    controls = (unit_points((4, 4)) @ theta[0, :, :2].T + theta[0, :, 2])[None]
    torch.testing.assert_close(
        thin_plate(controls, (4, 4), (9, 8), (9, 8)), affine(theta, (9, 8), (9, 8)), atol=1e-3, rtol=1e-3
    )


def test_what_is_turned_and_turned_back_is_what_it_was() -> None:
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    image = (torch.sin(x / 5) * torch.cos(y / 7))[None, None]
    cosine, sine = math.cos(0.3), math.sin(0.3)
    turn = torch.tensor([[[cosine, -sine, 0], [sine, cosine, 0]]])
    back = torch.tensor([[[cosine, sine, 0], [-sine, cosine, 0]]])
    twice = sampled(sampled(image, affine(turn, (40, 40), (40, 40))), affine(back, (40, 40), (40, 40)))
    assert (twice - image)[..., 12:28, 12:28].abs().max() < 0.02


@pytest.mark.parametrize("make", [affine, projective])
def test_places_of_doubles_are_as_exact_as_these(make: Callable[..., Tensor]) -> None:
    rows = 2 if make is affine else 3
    theta = torch.tensor([[[1 / 3, 0, 1e-9], [0, 1, 0], [0, 0, 1.0]]], dtype=torch.float64)[:, :rows]
    places = make(theta, (5, 7), (5, 7))
    assert places.dtype == torch.float64
    assert float(places[0, 0, 2, 3]) == pytest.approx(3 + 3.0e-9, abs=1e-14)


def test_affine_places_of_doubles() -> None:
    theta = torch.tensor([[[1 / 3, 0, 0], [0, 1, 0]]], dtype=torch.float64)
    assert float(affine_places(theta, (1, 8))[0, 0, 0, 7]) == pytest.approx(7 / 3, abs=1e-14)
