import math

import pytest
import torch
import torch.nn.functional as F

from limner.layers.equalized import EqualizedConv2d, EqualizedLinear, blur, pixel_norm, with_deviation


def test_what_is_made_has_the_gain_as_its_deviation() -> None:
    torch.manual_seed(0)
    x = torch.randn(4000, 64)
    for rate in (1.0, 0.01):
        assert EqualizedLinear(64, 64, gain=1.0, rate=rate)(x).std().item() == pytest.approx(1, rel=0.05)
    made = EqualizedConv2d(32, 32)(torch.randn(8, 32, 16, 16))[..., 1:-1, 1:-1]
    assert made.std().item() == pytest.approx(math.sqrt(2), rel=0.05)


def test_a_rate_scales_what_a_step_changes() -> None:
    """Adam's first step moves each weight and bias by its rate, whatever the gradient."""
    moves = []
    for rate in (1.0, 0.01):
        torch.manual_seed(0)
        layer = EqualizedLinear(8, 8, rate=rate)
        x = torch.randn(5, 8)
        before = layer(x).detach()
        optimizer = torch.optim.Adam(layer.parameters(), 1e-3)
        layer(x).square().sum().backward()
        optimizer.step()
        moves.append((layer(x).detach() - before).abs().mean().item())
    assert moves[1] / moves[0] == pytest.approx(0.01, rel=1e-2)


@pytest.mark.parametrize(("side", "before", "after"), [
    ("doubled", lambda x: F.interpolate(x, scale_factor=2.0), lambda x: x),
    ("halved", lambda x: x, lambda x: F.avg_pool2d(x, 2)),
])  # fmt: skip
def test_a_side_changes_as_by_two_operators(side, before, after) -> None:
    torch.manual_seed(0)
    layer = EqualizedConv2d(3, 5, side=side).double()
    layer.bias.data.normal_()
    x = torch.randn(2, 3, 8, 6, dtype=torch.float64)
    plain = F.conv2d(before(x), layer.weight * layer.scale, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), after(plain))


def test_blur_is_1_2_1_each_way_with_zeros_around() -> None:
    x = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    padded = F.pad(x, (1, 1, 1, 1))
    rows = (padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]) / 4
    torch.testing.assert_close(blur(x), (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 4)


def test_pixel_norm_leaves_a_mean_square_of_1() -> None:
    x = pixel_norm(5 * torch.randn(2, 16, 3, 3))
    torch.testing.assert_close(x.square().mean(1), torch.ones(2, 3, 3))


def test_the_deviation_is_within_groups_of_their_own() -> None:
    """Pictures 0 and 2, and 1 and 3, are compared: of two values that differ by 2 it is 1."""
    x = torch.zeros(4, 3, 2, 2)
    x[2] = 2
    found = with_deviation(x, 2)
    torch.testing.assert_close(found[:, :3], x)
    torch.testing.assert_close(found[:, 3, 0, 0], torch.tensor([1.0, 1e-4, 1.0, 1e-4]))


def test_groups_share_a_batch_that_they_do_not_divide() -> None:
    assert with_deviation(torch.randn(6, 3, 2, 2), 4).shape == (6, 4, 2, 2)  # groups of two
    assert with_deviation(torch.randn(5, 3, 2, 2), 4)[:, 3].max().item() == pytest.approx(1e-4)  # of one
