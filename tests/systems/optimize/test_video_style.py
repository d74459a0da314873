"""Ruder et al. 2016: the equations by hand, the order of the passes, and the authors' own reliability maps."""

import pytest
import torch

from limner.systems.optimize.video_style import (
    VIDEO_STYLE_MULTI_PASS,
    VIDEO_STYLE_RUDER_2016,
    Neighbour,
    VideoStyleConfig,
    VideoStyleObjective,
    blended,
    long_term_weights,
    neighbour,
    start_of,
    tasks,
    temporal_loss,
)


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
    there = torch.tensor([3.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 12, 16)
    moved = neighbour(stylised, there=there, back=-there)
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
