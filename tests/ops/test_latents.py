import math

import torch

from limner.ops.latents import lerp, mixed, slerp, truncated_normal

SHARES = torch.tensor([0.0, 0.25, 0.5, 1.0])


def test_the_straight_way() -> None:
    first, last = torch.tensor([1.0, -2.0]), torch.tensor([5.0, 2.0])
    expected = torch.tensor([[1.0, -2.0], [2.0, -1.0], [3.0, 0.0], [5.0, 2.0]])
    torch.testing.assert_close(lerp(first, last, SHARES), expected)


def test_the_round_way_keeps_lengths_and_turns_evenly() -> None:
    """Between two at 60 degrees, at a quarter of the way it has turned by 15."""
    first, last = torch.tensor([2.0, 0.0]), 2 * torch.tensor([math.cos(math.pi / 3), math.sin(math.pi / 3)])
    way = slerp(first, last, SHARES)
    torch.testing.assert_close(way.norm(dim=1), torch.full((4,), 2.0))
    turned = torch.rad2deg(torch.atan2(way[:, 1], way[:, 0]))
    torch.testing.assert_close(turned, torch.tensor([0.0, 15.0, 30.0, 60.0]))


def test_the_round_way_between_parallels_is_straight() -> None:
    first = torch.tensor([1.0, 2.0])
    for last in (first, 3 * first, -first, torch.zeros(2)):
        way = slerp(first, last, SHARES)
        assert torch.isfinite(way).all()
        if last.any():
            torch.testing.assert_close(way, lerp(first, last, SHARES))


def test_beyond_the_threshold_numbers_are_drawn_again_and_not_clipped() -> None:
    """Of a normal number within 1 the deviation is 0.54, and none lies at the threshold."""
    found = truncated_normal(50_000, 1.0, torch.Generator().manual_seed(0))
    assert found.abs().max().item() < 1
    expected = math.sqrt(1 - 2 * math.exp(-0.5) / math.sqrt(2 * math.pi) / math.erf(1 / math.sqrt(2)))
    assert abs(found.std().item() - expected) < 0.005
    assert (found.abs() > 0.999).float().mean().item() < 0.002


def test_a_mixture_changes_over_at_each_pictures_own_layer() -> None:
    styles, others = torch.zeros(3, 4, 2), torch.ones(3, 4, 2)
    made = mixed(styles, others, torch.tensor([1, 4, 3]))
    assert made[..., 0].tolist() == [[0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 1]]
