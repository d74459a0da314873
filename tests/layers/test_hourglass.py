"""The hourglass: its weights counted by hand, the sizes that it takes, and its connections."""

import pytest
import torch
from pydantic import ValidationError

from limner.layers.hourglass import FULL_SKIPS, NO_SKIPS, THIN_SKIPS, Hourglass, HourglassConfig

SMALL = HourglassConfig(
    in_channels=2,
    down_channels=(4, 6),
    up_channels=(3, 5),
    skip_channels=(2, 0),
    down_kernels=(3, 5),
    up_kernels=(3, 3),
)


def num_weights(config):
    return sum(weight.numel() for weight in Hourglass(config).parameters())


def convolution(in_channels, out_channels, kernel):
    return in_channels * out_channels * kernel**2 + out_channels


def test_the_weights_of_the_papers_network():
    first = convolution(32, 4, 1) + 2 * 4 + convolution(32, 128, 3) + 2 * 128
    deeper = convolution(128, 4, 1) + 2 * 4 + convolution(128, 128, 3) + 2 * 128
    rest = convolution(128, 128, 3) + 2 * 128 + 2 * 132 + convolution(132, 128, 3) + 2 * 128
    rest += convolution(128, 128, 1) + 2 * 128
    assert first + rest + 4 * (deeper + rest) + convolution(128, 3, 1) == 2_217_831
    assert num_weights(THIN_SKIPS) == 2_217_831


@pytest.mark.parametrize(("config", "channels"), [(NO_SKIPS, 0), (FULL_SKIPS, 128)])
def test_a_channel_of_a_connection_has_its_weights(config, channels):
    per_channel = [
        in_channels + 1 + 2 + 2 + 9 * 128 for in_channels in (32, 128, 128, 128, 128)
    ]  # s_i and its share of u_i
    assert num_weights(config) == 2_217_831 + (channels - 4) * sum(per_channel)


def test_a_small_one_by_hand():
    down = convolution(2, 4, 3) + 8 + convolution(4, 4, 3) + 8 + convolution(4, 6, 5) + 12 + convolution(6, 6, 5) + 12
    skip = convolution(2, 2, 1) + 4
    up = 2 * 6 + convolution(6, 5, 3) + 10 + convolution(5, 5, 1) + 10
    up += 2 * 7 + convolution(7, 3, 3) + 6 + convolution(3, 3, 1) + 6
    assert num_weights(SMALL) == down + skip + up + convolution(3, 3, 1)
    assert num_weights(SMALL.model_copy(update={"pointwise": False})) == num_weights(SMALL) - 40 - 18


@pytest.mark.parametrize("size", [(33, 33), (48, 64), (37, 50), (33, 128)])
def test_any_size_comes_back(size):
    config = HourglassConfig(down_channels=(4,) * 5, up_channels=(4,) * 5, in_channels=3)
    image = Hourglass(config)(torch.rand(1, 3, *size))
    assert image.shape == (1, 3, *size)
    assert 0 < image.min() < image.max() < 1


@pytest.mark.parametrize(("kernels", "side"), [((3,), 3), ((3,) * 2, 5), ((3,) * 5, 33), ((7,), 7), ((7, 3), 7)])
def test_the_least_side_is_the_least(kernels, side):
    count = len(kernels)
    config = HourglassConfig(
        down_channels=(4,) * count, up_channels=(4,) * count, skip_channels=(2,) * count, down_kernels=kernels,
        up_kernels=(3,) * count, in_channels=2,
    )  # fmt: skip
    assert config.least_side == side
    assert Hourglass(config)(torch.rand(1, 2, side, side)).isfinite().all()
    with pytest.raises((RuntimeError, ValueError)):
        Hourglass(config)(torch.rand(1, 2, side - 1, side - 1))


def test_a_small_picture_gets_fewer_scales():
    assert THIN_SKIPS.fitting(33) is THIN_SKIPS
    assert THIN_SKIPS.fitting(32).num_scales == 4
    assert THIN_SKIPS.fitting(16).num_scales == 3
    assert THIN_SKIPS.fitting(1).num_scales == 1


def test_only_connections_show_a_pixel_of_z_sharply():
    z = torch.rand(1, 32, 40, 40)
    other = z.clone()
    other[..., 20, 20] += 5
    changed = {}
    for name, config in (("none", NO_SKIPS), ("full", FULL_SKIPS)):
        torch.manual_seed(0)
        small = {"down_channels": (8,) * 2, "up_channels": (8,) * 2, "down_kernels": (3,) * 2, "up_kernels": (3,) * 2}
        network = Hourglass(config.model_copy(update={**small, "skip_channels": config.skip_channels[:2]}))
        with torch.no_grad():
            difference = (network(z) - network(other)).abs().sum(1)[0]
        changed[name] = (difference[20, 20] / difference.sum()).item()
    assert changed["full"] > 2 * changed["none"]


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ValidationError, match="for each of 5 scales"):
        HourglassConfig(skip_channels=(4,) * 4)
    with pytest.raises(ValidationError, match="kernels must be odd"):
        HourglassConfig(up_kernels=(4,) * 5)


@pytest.mark.parametrize(
    "update",
    [{"downsampling": "average"}, {"upsampling": "nearest"}, {"padding": "zeros"}, {"out_channels": 1}],
)
def test_its_variants_learn(update):
    network = Hourglass(SMALL.model_copy(update=update))
    z, target = torch.rand(1, 2, 20, 22), torch.linspace(0, 1, 20 * 22).view(1, 1, 20, 22)
    optimizer, losses = torch.optim.Adam(network.parameters(), 0.02), []
    for _ in range(40):
        optimizer.zero_grad()
        loss = (network(z) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
