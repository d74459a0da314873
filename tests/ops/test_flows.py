"""Flows: composition and inverse against maps that are known, trust against the equations and the authors' maps."""

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.ops.flows import at_motion_boundary, composed, disoccluded, filled, inverse, round_trip, trust
from limner.ops.warp import warp


def constant(u, v, height=12, width=16):
    return torch.tensor([float(u), float(v)]).view(1, 2, 1, 1).repeat(1, 1, height, width)


def at(flow, x, y):
    """A flow between its pixels, bilinearly; None outside."""
    height, width = flow.shape[-2:]
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        return None
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    shares = {(i, j): (1 - abs(x - i)) * (1 - abs(y - j)) for i in (left, left + 1) for j in (top, top + 1)}
    return [sum(share * flow[0, channel, j, i].item() for (i, j), share in shares.items()) for channel in (0, 1)]


def slow_disoccluded(there, back):
    """Inequality 5, pixel by pixel."""
    height, width = back.shape[-2:]
    found = torch.ones(1, 1, height, width, dtype=torch.bool)
    for y in range(height):
        for x in range(width):
            u, v = back[0, 0, y, x].item(), back[0, 1, y, x].item()
            tilde = at(there, x + u, y + v)
            if tilde is not None:
                left = (tilde[0] + u) ** 2 + (tilde[1] + v) ** 2
                found[0, 0, y, x] = left > 0.01 * (tilde[0] ** 2 + tilde[1] ** 2 + u**2 + v**2) + 0.5
    return found


def test_disocclusion_is_inequality_5():
    there, back = 2 * torch.randn(1, 2, 12, 16), 2 * torch.randn(1, 2, 12, 16)
    back[..., :6, :] = 0.4 * torch.randn(1, 2, 6, 16)
    there[..., :6, :] = 0.4 * torch.randn(1, 2, 6, 16)
    expected = slow_disoccluded(there, back)
    assert torch.equal(disoccluded(there, back), expected)
    assert 0.2 < expected.float().mean() < 0.8


@pytest.mark.parametrize(("shift", "apart", "expected"), [((3, 0), 0.7, False), ((3, 0), 0.9, True)])
def test_the_bound_of_a_shift_by_hand(shift, apart, expected):
    """0.7^2 is below 0.01 (3^2 + 3.7^2) + 0.5 = 0.73 and 0.9^2 = 0.81 above 0.01 (3^2 + 3.9^2) + 0.5 = 0.74."""
    there, back = constant(shift[0] + apart, 0), constant(-shift[0], 0)
    assert disoccluded(there, back)[0, 0, 5, 8].item() is expected


def test_a_shift_is_trusted_but_for_what_came_in_at_the_border():
    weights = trust(constant(2, 0), constant(-2, 0))
    expected = torch.ones(1, 1, 12, 16)
    expected[..., :2] = 0
    assert torch.equal(weights, expected)


def test_motion_boundaries_are_inequality_6():
    back = torch.zeros(1, 2, 9, 12, dtype=torch.float64)
    back[:, 0, :, 6:], back[:, 1, 5:] = 3.0, -0.06
    found = at_motion_boundary(back)[0, 0]
    assert torch.equal(found[:, 5], torch.ones(9, dtype=torch.bool)), "|grad u|^2 = 1.5^2 > 0.002"
    assert torch.equal(found[:, 6], torch.ones(9, dtype=torch.bool)), "> 0.01 3^2 + 0.002"
    assert not found[:, :5].any() and not found[:, 7:].any(), "0.03^2 is below 0.002"
    slow = torch.zeros_like(back)
    for channel in range(2):
        for y in range(9):
            for x in range(12):
                dx = (back[0, channel, y, min(x + 1, 11)] - back[0, channel, y, max(x - 1, 0)]) / 2
                dy = (back[0, channel, min(y + 1, 8), x] - back[0, channel, max(y - 1, 0), x]) / 2
                slow[0, channel, y, x] = dx**2 + dy**2
    assert torch.equal(found, slow.sum(1)[0] > 0.01 * back.square().sum(1)[0] + 0.002)


def test_what_is_not_known_is_not_trusted():
    there, back = constant(1, 0), constant(-1, 0)
    back[0, 0, 4, 9] = float("nan")
    there[0, 1, 7, 3] = float("nan")
    weights = trust(there, back)[0, 0]
    assert weights[4, 9] == 0
    assert weights[7, 4] == 0
    assert weights[10, 12] == 1


@pytest.mark.slow
def test_trust_agrees_with_the_authors_own_maps(shared_data):
    """Theirs are smoothed with a Gaussian of 0.8 pixels, disoccluded ones as -1, so they are compared at a half."""
    folder = shared_data("video_flow/marple8")
    for i in range(1, 5):
        forward, backward = (
            torch.from_numpy(np.load(folder / f"{name}.npz")["flow"].astype(np.float32)).permute(2, 0, 1)[None]
            for name in (f"forward_{i}_{i + 1}", f"backward_{i + 1}_{i}")
        )
        for there, back, name in ((forward, backward, f"{i + 1}_{i}"), (backward, forward, f"{i}_{i + 1}")):
            theirs = np.asarray(PillowImage.open(folder / f"reliable_{name}.png")) < 128
            ours = trust(there, back)[0, 0].numpy() == 0
            assert (ours == theirs).mean() > 0.998, name
            assert (ours & theirs).sum() / (ours | theirs).sum() > 0.96, name


def affine_flow(matrix, shift, height=24, width=32):
    """The flow of x -> matrix x + shift, in float64."""
    own = torch.stack(
        torch.meshgrid(
            torch.arange(width, dtype=torch.float64), torch.arange(height, dtype=torch.float64), indexing="xy"
        )
    )
    moved = torch.einsum("ab,bhw->ahw", torch.tensor(matrix, dtype=torch.float64), own)
    return (moved + torch.tensor(shift, dtype=torch.float64)[:, None, None] - own)[None]


INSIDE = (..., slice(6, -6), slice(6, -6))


def test_composition_is_that_of_the_maps():
    first, second = ((0.98, 0.05), (-0.04, 1.02)), ((1.01, -0.03), (0.02, 0.97))
    found = composed(affine_flow(first, (1.5, -0.5)), affine_flow(second, (-1.0, 2.0)))
    product = np.array(second) @ np.array(first)
    shift = np.array(second) @ np.array([1.5, -0.5]) + np.array([-1.0, 2.0])
    torch.testing.assert_close(found[INSIDE], affine_flow(product.tolist(), shift.tolist())[INSIDE])


def test_the_inverse_is_that_of_the_map():
    matrix, shift = np.array([[1.05, 0.1], [-0.08, 0.95]]), np.array([1.5, -2.0])
    back = np.linalg.inv(matrix)
    found = inverse(affine_flow(matrix.tolist(), shift.tolist()), steps=40)
    torch.testing.assert_close(found[INSIDE], affine_flow(back.tolist(), (-back @ shift).tolist())[INSIDE])


def waves():
    """A smooth flow that is no affine one."""
    rows, columns = torch.arange(24, dtype=torch.float64)[:, None], torch.arange(32, dtype=torch.float64)
    return torch.stack([2 * (rows / 9).sin() + 0 * columns, 1.5 * (columns / 7).cos() + 0 * rows])[None]


def test_there_and_back_is_nowhere():
    flow = waves()
    back = inverse(flow)
    assert round_trip(flow, back)[INSIDE].max() < 1e-6
    assert round_trip(back, flow)[INSIDE].max() < 0.05, "bilinear between the pixels of the inverse"
    image = (torch.arange(24.0).double()[:, None] / 5).sin() + (torch.arange(32.0).double() / 6).cos()
    again = warp(warp(image[None, None], flow).image, back).image
    assert (again - image)[INSIDE].abs().max() < 0.03


def test_a_good_start_saves_steps():
    flow = affine_flow([[1.5, 0.0], [0.0, 1.0]], (-8.0, 0.0))
    near = inverse(0.98 * flow)
    first, later = (round_trip(flow, inverse(flow, steps=2, start=start))[INSIDE].mean() for start in (None, near))
    assert later < first / 4


def test_the_round_trip_by_hand():
    assert round_trip(constant(3, 0), constant(-3, 4))[0, 0, 6, 8].item() == pytest.approx(4.0)


def test_holes_are_filled_from_around():
    flow = affine_flow([[1.0, 0.02], [0.03, 1.0]], (4.0, 1.0))
    weights = torch.ones(1, 1, 24, 32, dtype=torch.float64)
    weights[..., 8:13, 10:17] = 0
    spoilt = torch.where(weights > 0, flow, torch.nan)
    found = filled(spoilt, weights)
    assert torch.equal(torch.where(weights > 0, found, 0), torch.where(weights > 0, flow, 0))
    assert (found - flow).abs().max() < 0.2, "of differences of 0.6 from one end of the picture to the other"
    nothing = filled(flow, torch.zeros_like(weights))
    assert torch.equal(nothing, torch.zeros_like(flow))
