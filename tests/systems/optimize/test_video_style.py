"""Ruder et al. 2016: the equations by hand, the order of the passes, and the authors' own reliability maps."""

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.systems.optimize.video_style import (
    VIDEO_STYLE_MULTI_PASS,
    VIDEO_STYLE_RUDER_2016,
    Neighbour,
    VideoStyleConfig,
    VideoStyleObjective,
    at_motion_boundary,
    blended,
    disoccluded,
    long_term_weights,
    neighbour,
    start_of,
    tasks,
    temporal_loss,
    trust,
)


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


def test_the_temporal_loss_is_equation_7():
    image, warped = torch.rand(2, 1, 3, 4, 5, dtype=torch.float64)
    weights = torch.rand(1, 1, 4, 5, dtype=torch.float64)
    terms = [
        weights[0, 0, y, x].item() * (image[0, c, y, x] - warped[0, c, y, x]).item() ** 2
        for c in range(3)
        for y in range(4)
        for x in range(5)
    ]
    assert temporal_loss(image, warped, weights).item() == pytest.approx(sum(terms) / 60, rel=1e-12)
    image.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: temporal_loss(x, warped, weights), image)


def test_long_term_weights_are_equation_10():
    near, middle, far = (
        torch.tensor(values).view(1, 1, 1, 5)
        for values in ([1.0, 0.0, 0.0, 0.5, 0.0], [1.0, 1.0, 0.0, 0.8, 0.6], [1.0, 1.0, 1.0, 1.0, 1.0])
    )
    found = long_term_weights([near, middle, far])
    assert torch.equal(found[0], near)
    torch.testing.assert_close(found[1].flatten(), torch.tensor([0.0, 1.0, 0.0, 0.3, 0.6]))
    torch.testing.assert_close(found[2].flatten(), torch.tensor([0.0, 0.0, 1.0, 0.0, 0.4]))


def test_a_frame_is_held_to_its_neighbours_and_keeps_the_losses_of_the_style():
    images = [torch.rand(1, 3, 4, 4) for _ in range(3)]
    first, second = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    first[..., :2, :] = 1
    objective = VideoStyleObjective(
        lambda image: {"style": image.mean()}, [Neighbour(images[1], first), Neighbour(images[2], second)], 7.0
    )
    losses = objective(images[0])
    upper, lower = (images[0] - images[1])[..., :2, :], (images[0] - images[2])[..., 2:, :]
    assert losses["style"] == images[0].mean()
    assert losses["temporal"].item() == pytest.approx(
        7 * (upper.square().sum() + lower.square().sum()).item() / 48, rel=1e-5
    )
    assert list(VideoStyleObjective(lambda image: {"style": image.mean()}, [], 7.0)(images[0])) == ["style"]


def test_the_blend_is_equation_11():
    before, other = torch.rand(2, 1, 3, 2, 2, dtype=torch.float64)
    c, delta = torch.tensor([[1.0, 0.0], [0.4, 0.7]], dtype=torch.float64).view(1, 1, 2, 2), 0.5
    expected = delta * c * other + ((1 - delta) + delta * (1 - c)) * before
    torch.testing.assert_close(blended(before, Neighbour(other, c), delta), expected)


def test_a_neighbour_is_fetched_against_the_motion():
    stylised = torch.rand(1, 3, 12, 16)
    moved = neighbour(stylised, there=constant(3, 1), back=constant(-3, -1))
    assert torch.equal(moved.image[..., 1:, 3:], stylised[..., :-1, :-3])
    assert moved.trusted == pytest.approx(11 * 13 / (12 * 16))


def test_frames_begin_as_their_pass_has_it():
    first, before, other = (torch.full((1, 3, 4, 4), value) for value in (0.1, 0.2, 0.6))
    known, cut = Neighbour(other, torch.ones(1, 1, 4, 4)), Neighbour(other, torch.zeros(1, 1, 4, 4))
    assert start_of(first, None, [], VIDEO_STYLE_RUDER_2016) is first
    assert start_of(first, None, [known], VIDEO_STYLE_RUDER_2016) is other
    assert start_of(first, None, [cut], VIDEO_STYLE_RUDER_2016) is first
    assert start_of(first, before, [], VIDEO_STYLE_MULTI_PASS) is before
    torch.testing.assert_close(start_of(first, before, [known], VIDEO_STYLE_MULTI_PASS), torch.full((1, 3, 4, 4), 0.4))


def test_one_pass_looks_back():
    config = VideoStyleConfig(long_term=(4, 1, 2))
    made = list(tasks(6, config))
    assert [one.frame for one in made] == list(range(6))
    assert [one.neighbours for one in made] == [(), (0,), (1, 0), (2, 1), (3, 2, 0), (4, 3, 1)]
    assert all(one.is_held for one in made)


def test_several_passes_run_to_and_fro_and_are_held_at_last():
    made = list(tasks(3, VideoStyleConfig(num_passes=4)))
    assert [(one.number, one.frame) for one in made] == [
        (0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0), (2, 0), (2, 1), (2, 2), (3, 2), (3, 1), (3, 0)
    ]  # fmt: skip
    assert [one.neighbours for one in made] == [(), (), (), (), (2,), (1,), (), (0,), (1,), (), (2,), (1,)]
    assert [one.number for one in made if one.is_held] == [2] * 3 + [3] * 3
    held = {one.number for one in tasks(2, VIDEO_STYLE_MULTI_PASS) if one.is_held}
    assert held == set(range(7, 15)), "from the eighth of fifteen passes on, as the released code"


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
