"""What only this paper has: its layers, the bed of nails in one step, and the losses of picture and mask."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.data.rendered import TRANSFORMS, Rendered
from limner.errors import LimnerError
from limner.ops.unpool import bed_of_nails
from limner.systems.feedforward.chairs import (
    CHAIRS_64,
    CHAIRS_2015,
    ONE_STREAM,
    ONE_STREAM_DEEP,
    Chairs,
    ChairsConfig,
    Upconvolution,
)
from limner.types import Progress

SMALL = ChairsConfig(num_classes=3, units=6, joint_units=7, picture_channels=(5, 4), mask_channels=(3, 2))


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def linear(inputs: int, outputs: int) -> int:
    return (inputs + 1) * outputs


def convolution(inputs: int, outputs: int) -> int:
    return (25 * inputs + 1) * outputs


FULLY_CONNECTED = (
    sum(linear(size, 512) + linear(512, 512) for size in (809, 4, 8)) + linear(3 * 512, 1024) + linear(1024, 1024)
)


@pytest.mark.parametrize(
    ("config", "streams", "side"),
    [
        (
            CHAIRS_2015,
            linear(1024, 8 * 8 * 256) + convolution(256, 92) + convolution(92, 92) + convolution(92, 48)
            + convolution(48, 3) + linear(1024, 8 * 8 * 64) + convolution(64, 32) + convolution(32, 32)
            + convolution(32, 16) + convolution(16, 1),
            128,
        ),
        (
            CHAIRS_64,
            linear(1024, 8 * 8 * 256) + convolution(256, 92) + convolution(92, 92) + convolution(92, 3)
            + linear(1024, 8 * 8 * 64) + convolution(64, 32) + convolution(32, 32) + convolution(32, 1),
            64,
        ),
        (
            ONE_STREAM,
            linear(1024, 8 * 8 * 256) + convolution(256, 92) + convolution(92, 92) + convolution(92, 48)
            + convolution(48, 4),
            128,
        ),
        (
            ONE_STREAM_DEEP,
            linear(1024, 8 * 8 * 256) + convolution(256, 92) + 3 * convolution(92, 92) + convolution(92, 48)
            + convolution(48, 48) + convolution(48, 4),
            128,
        ),
    ],
)  # fmt: skip
def test_layers_are_those_that_the_configurations_name(config: ChairsConfig, streams: int, side: int) -> None:
    """Two layers of 512 for each of 809 chairs, 4 numbers of a view, 8 of a transform; two of 1024; the streams."""
    with torch.device("meta"):
        system = Chairs(config)
    assert count(system) == FULLY_CONNECTED + streams
    assert config.side == side


def test_an_upconvolution_is_a_bed_of_nails_and_a_convolution() -> None:
    layer, x = Upconvolution(3, 2), torch.randn(2, 3, 4, 5)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    expected = F.conv2d(bed_of_nails(x), layer.weight, layer.bias, padding=2)
    torch.testing.assert_close(layer(x), expected, atol=1e-4, rtol=1e-4)


def given(number: int = 2) -> tuple[torch.Tensor, ...]:
    return torch.rand(number, 3), torch.rand(number, 2), torch.rand(number, len(TRANSFORMS))


def test_colors_are_divided_by_opacity() -> None:
    system, inputs = Chairs(SMALL).eval(), given()
    with torch.no_grad():
        made, (colors, mask) = system(*inputs), system.streams(*inputs).clamp(0, 1).split([3, 1], 1)
    assert made.shape == (2, 4, 32, 32)
    torch.testing.assert_close(made[:, 3:], mask)
    is_clear = (mask > 0.05).expand(-1, 3, -1, -1) & (colors < mask)
    assert is_clear.any()
    torch.testing.assert_close((made[:, :3] * mask)[is_clear], colors[is_clear])


def test_a_full_turn_of_the_view_changes_nothing() -> None:
    system, (style, view, transform) = Chairs(SMALL).eval(), given()
    around = view + torch.tensor([0.0, 2 * math.pi])
    torch.testing.assert_close(system(style, around, transform), system(style, view, transform), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(system(style, view + 1, transform), system(style, view, transform))


@pytest.mark.parametrize("mask_channels", [(3, 2), ()])
def test_the_losses_are_the_squared_errors_of_both(mask_channels: tuple[int, ...]) -> None:
    system = Chairs(SMALL.model_copy(update={"mask_channels": mask_channels}))
    style, view, transform = given()
    batch = Rendered(style, view, transform, torch.rand(2, 3, 32, 32), torch.rand(2, 1, 32, 32))
    (turn,) = system.turns(batch, Progress())
    made = system.streams(*batch.inputs)
    assert turn.player == "generator"
    torch.testing.assert_close(turn.losses["picture"], 10 * (made[:, :3] - batch.picture).square().mean())
    torch.testing.assert_close(turn.losses["mask"], (made[:, 3:] - batch.mask).square().mean())


def test_signals_keep_their_size_through_the_streams() -> None:
    """Weights begin so that neither the first nor the last picture is flat or wild."""
    system = Chairs(
        ChairsConfig(num_classes=20, units=64, joint_units=64, picture_channels=(32, 32, 32), mask_channels=())
    )
    style = F.one_hot(torch.arange(16), 20).float()
    with torch.no_grad():
        made = system.streams(style, torch.rand(16, 2), torch.zeros(16, len(TRANSFORMS)))
    assert 0.02 < made.std() < 5


def test_streams_of_two_sizes_are_refused() -> None:
    with pytest.raises(LimnerError, match="mask_channels must be none, or as many as picture_channels"):
        ChairsConfig.parse({"mask_channels": [4]})


def test_names_are_numbers_where_there_are_none() -> None:
    assert Chairs(SMALL).names == ("0", "1", "2")
    assert Chairs(SMALL.model_copy(update={"names": ("a", "b", "c")})).names == ("a", "b", "c")
