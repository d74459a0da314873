"""Warping by a flow: against one pixel at a time, exact for whole pixels, and differentiable."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from limner.ops.warp import rescale_flow, warp


def slow_warp(image, flow):
    """Each pixel by itself: four neighbours of where the flow points, the border's own pixels beyond the border."""
    n, _, h, w = image.shape
    result, inside = torch.zeros_like(image), torch.zeros(n, 1, h, w, dtype=torch.bool)
    for one in range(n):
        for row in range(h):
            for column in range(w):
                x, y = column + flow[one, 0, row, column].item(), row + flow[one, 1, row, column].item()
                inside[one, 0, row, column] = 0 <= x <= w - 1 and 0 <= y <= h - 1
                x, y = min(max(x, 0), w - 1), min(max(y, 0), h - 1)
                for j in (math.floor(y), math.floor(y) + 1):
                    for i in (math.floor(x), math.floor(x) + 1):
                        share = max(0, 1 - abs(x - i)) * max(0, 1 - abs(y - j))
                        if share:
                            result[one, :, row, column] += share * image[one, :, j, i]
    return result, inside


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 2.0, 20.0]))
def test_it_is_bilinear_interpolation(seed, length):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(2, 3, 5, 4, generator=generator, dtype=torch.float64)
    flow = length * torch.randn(2, 2, 5, 4, generator=generator, dtype=torch.float64)
    result, inside = warp(image, flow)
    expected, expected_inside = slow_warp(image, flow)
    torch.testing.assert_close(result, expected)
    assert torch.equal(inside, expected_inside)


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (0, -2), (-5, 4), (40, 0)])
def test_whole_pixels_are_exact(shift):
    image = torch.rand(1, 3, 37, 41)
    u, v = shift
    flow = torch.tensor([float(u), float(v)]).view(1, 2, 1, 1).expand(1, 2, 37, 41)
    columns, rows = (torch.arange(41) + u).clamp(0, 40), (torch.arange(37) + v).clamp(0, 36)
    result, inside = warp(image, flow)
    assert torch.equal(result, image[:, :, rows][..., columns])
    assert inside.sum() == (37 - abs(v)) * (41 - abs(u))


def test_it_agrees_with_grid_sample():
    image, flow = torch.rand(1, 2, 16, 24), 4 * torch.randn(1, 2, 16, 24)
    x, y = flow[:, 0] + torch.arange(24), flow[:, 1] + torch.arange(16)[:, None]
    grid = torch.stack([2 * x / 23 - 1, 2 * y / 15 - 1], dim=-1)
    expected = F.grid_sample(image, grid, padding_mode="border", align_corners=True)
    torch.testing.assert_close(warp(image, flow).image, expected, atol=1e-5, rtol=0)


def test_where_the_flow_is_unknown_the_pixel_stays_and_is_told():
    image, flow = torch.rand(1, 3, 4, 4), torch.ones(1, 2, 4, 4)
    flow[0, 0, 1, 1], flow[0, 1, 2, 0] = float("nan"), float("inf")
    result, inside = warp(image, flow)
    assert bool(result.isfinite().all())
    assert torch.equal(result[..., 1, 1], image[..., 1, 1])
    assert torch.equal(result[..., 2, 0], image[..., 2, 0])
    assert not inside[0, 0, 1, 1] and not inside[0, 0, 2, 0] and inside[0, 0, 0, 0]


def test_gradients():
    image = torch.rand(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    flow = (1.5 * torch.randn(1, 2, 4, 5, dtype=torch.float64)).requires_grad_()  # no whole number among them
    assert torch.autograd.gradcheck(lambda *given: warp(*given).image, (image, flow))


def test_a_picture_of_one_pixel():
    assert warp(torch.ones(1, 1, 1, 1), torch.ones(1, 2, 1, 1)).image.item() == 1


def test_the_rescaled_flow_of_a_shift_is_the_shift_of_the_resized_picture():
    flow = torch.tensor([6.0, -2.0]).view(1, 2, 1, 1).expand(1, 2, 20, 30)
    small = rescale_flow(flow, (10, 10))
    torch.testing.assert_close(small, torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 10, 10))
    assert rescale_flow(flow, (20, 30)) is flow


def test_what_is_unknown_stays_unknown_at_another_size():
    flow = torch.zeros(1, 2, 40, 40)
    flow[:, :, 8:12, 8:12] = float("nan")
    unknown = rescale_flow(flow, (20, 20)).isnan().any(1)[0]
    assert bool(unknown[4:6, 4:6].all())
    assert int(unknown.sum()) <= 36
