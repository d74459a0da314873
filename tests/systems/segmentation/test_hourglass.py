import itertools
from typing import get_args

import pytest
import torch
from torch import nn

from limner.data.segmented import Segmented
from limner.layers.upsampling import Operator
from limner.runtime.conversion import evaluation_copy, to_torchscript
from limner.runtime.plan import Grid, Plan
from limner.runtime.tiling import Tiled
from limner.systems.segmentation.hourglass import (
    HOURGLASS,
    HOURGLASS_RESNET,
    HOURGLASS_SKIPS,
    SAME_RESOLUTION,
    Block,
    HourglassNet,
    HourglassNetConfig,
)
from limner.types import Progress

TINY = HourglassNetConfig(in_channels=3, channels=4, depth=2, num_classes=3, skips=True)


def made(**changes: object) -> HourglassNet:
    torch.manual_seed(0)
    return HourglassNet(TINY.model_copy(update=changes)).eval()


@pytest.mark.parametrize("config", [SAME_RESOLUTION, HOURGLASS, HOURGLASS_SKIPS])
def test_each_step_takes_about_as_many_multiplications(config: HourglassNetConfig) -> None:
    network, count = HourglassNet(config), [0]

    def counted(module: nn.Module, given: object, result: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            count[0] += module.weight.numel() * result.shape[-2] * result.shape[-1]

    for module in network.modules():
        module.register_forward_hook(counted)
    network(torch.rand(1, 1, 64, 64))
    assert 55_000 < count[0] / 64**2 < 85_000


def test_a_value_comes_up_where_its_pool_found_it() -> None:
    """One scale, whose layers leave values as they are: each maximum stays at its place, all else is nought."""
    network = made(depth=1, skips=False)
    network.downs = nn.ModuleList([nn.Identity(), nn.Identity()])
    network.ups = network.joins = nn.ModuleList([nn.Identity()])
    network.last = nn.Conv2d(3, 3, 1)
    nn.init.dirac_(network.last.weight)
    nn.init.zeros_(network.last.bias) if network.last.bias is not None else None
    image = torch.tensor([[1.0, 2.0, 7.0, 5.0], [4.0, 3.0, 6.0, 8.0]]).expand(1, 3, 2, 4) / 8
    expected = torch.tensor([[0.0, 0.0, 0.0, 0.0], [2 * 4 / 8 - 1, 0.0, 0.0, 2 * 8 / 8 - 1]])
    torch.testing.assert_close(network(image)[0, 0], expected)


@pytest.mark.parametrize(
    ("unpooling", "residual"), list(itertools.product(("max", *get_args(Operator)), (False, True)))
)
def test_parts_are_as_the_whole(unpooling: str, residual: bool) -> None:
    network, image = made(unpooling=unpooling, residual=residual), torch.rand(1, 3, 48, 64)
    with torch.inference_mode():
        whole = network(image)
        parts = Tiled(network, tuple(image.shape))(image, plan=Plan(Grid(2, 3)))
    assert whole.shape == (1, 3, 48, 64)
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("unpooling", ["max", *get_args(Operator)])
def test_in_torchscript_it_is_the_same_function_at_any_size(unpooling: str) -> None:
    network = evaluation_copy(made(unpooling=unpooling))
    script = to_torchscript(network)
    for size in ((1, 3, 48, 64), (2, 3, 24, 16)):
        image = torch.rand(size)
        torch.testing.assert_close(script(image), network(image), rtol=1e-5, atol=1e-5)


def test_without_skips_nothing_passes_beside_the_bottleneck() -> None:
    """With a bottleneck of nought, a network without copies answers to all pictures alike."""
    for skips in (False, True):
        network = made(skips=skips, unpooling="bilinear")
        network.downs[-1].register_forward_hook(lambda module, given, result: torch.zeros_like(result))
        one, other = (network(torch.rand(1, 3, 16, 16)) for _ in range(2))
        assert torch.equal(one, other) != skips


def test_a_residual_block_is_what_it_was_given_and_the_rest() -> None:
    block = Block(8, 8, HOURGLASS_RESNET).eval()
    x = torch.randn(1, 8, 8, 8)
    torch.testing.assert_close(block(x), (block.layers(x) + x).clamp(min=0))


def test_the_loss_is_the_weighted_mean_of_logarithms() -> None:
    network, label = made(), torch.randint(3, (2, 1, 16, 16))
    batch = Segmented(torch.rand(2, 3, 16, 16), label, torch.rand(2, 1, 16, 16))
    (turn,) = network.turns(batch, Progress())
    shares = network(batch.image).softmax(1).gather(1, label)
    expected = -(batch.weight * shares.log()).sum() / batch.weight.sum()
    torch.testing.assert_close(turn.losses["cross_entropy"], expected)
