"""What is counted of two painted frames: the pixels in sight, and what differs among them."""

import math

import pytest
import torch
from benchmarks.style.flow_pairs import FlowPair, in_sight, temporal_error

from limner.ops.warp import warp


def square_over_background():
    """A square of 4 pixels moves 3 to the right over a background that rests; one pixel's flow is not known."""
    truth = torch.zeros(1, 2, 12, 16)
    truth[0, 0, 4:8, 4:8] = 3
    truth[0, :, 0, 0] = math.nan
    return truth


def test_what_hides_or_is_hidden_is_out_of_sight():
    expected = torch.ones(12, 16, dtype=torch.bool)
    expected[4:8, 5:8] = False  # the square's columns that come to lie over the background
    expected[4:8, 8:11] = False  # the background that they cover
    expected[0, 0] = False
    assert torch.equal(in_sight(square_over_background()), expected)


def test_what_leaves_the_picture_is_out_of_sight():
    truth = torch.zeros(1, 2, 12, 16)
    truth[:, 0] = 5
    seen = in_sight(truth)
    assert seen[:, :11].all() and not seen[:, 11:].any()


def test_the_error_is_of_the_pixels_in_sight_alone():
    truth = torch.zeros(1, 2, 12, 16)
    truth[:, 0] = 5
    first = torch.rand(1, 3, 12, 16)
    second = torch.rand(1, 3, 12, 16)
    second[..., 5:] = first[..., :-5]
    pair = FlowPair(first, second, truth)
    assert torch.equal(warp(second, truth).image[..., :11], first[..., :11])
    assert temporal_error(first, second, pair) == 0
    assert temporal_error(first + 0.1, second, pair) == pytest.approx(25.5, rel=1e-5)


def test_a_pair_is_scaled_with_its_flow():
    pair = FlowPair(torch.rand(1, 3, 24, 32), torch.rand(1, 3, 24, 32), torch.full((1, 2, 24, 32), 4.0))
    small = pair.scaled(16)
    assert small.first.shape == small.second.shape == (1, 3, 12, 16)
    torch.testing.assert_close(small.truth, torch.full((1, 2, 12, 16), 2.0))
