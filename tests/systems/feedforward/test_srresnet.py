import pytest
import torch
from torch import nn

from limner.data.pairs import Pair
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.types import Progress


def test_number_of_weights_follows_figure_4():
    """16 blocks of two 3x3 convolutions of 64, 9x9 head and tail, two sub-pixel layers to 256; one slope a PReLU."""
    convolutions = 16 * 2 * 64 * 64 * 9 + 64 * 64 * 9
    norms = (16 * 2 + 1) * 2 * 64
    head, tail = 3 * 64 * 81 + 64, 64 * 3 * 81 + 3
    upsample = 2 * (64 * 256 * 9 + 256)
    slopes = 1 + 16 + 2
    expected = convolutions + norms + head + tail + upsample + slopes
    assert sum(parameter.numel() for parameter in SRResNet().parameters()) == expected
    assert 1.5e6 < expected < 1.6e6


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_output_is_scale_times_as_large(scale):
    system = SRResNet(SRResNetConfig(num_blocks=1, channels=4, scale=scale)).eval()
    assert system(torch.rand(2, 3, 5, 7)).shape == (2, 3, 5 * scale, 7 * scale)
    assert system.scales == (scale,)


def test_no_blocks_and_a_silent_body_leave_the_skip():
    """With the body's last norm at zero, the long skip connection alone feeds the upsampling."""
    system = SRResNet(SRResNetConfig(num_blocks=1, channels=4)).eval()
    nn.init.zeros_(system.middle[1].weight)
    image = torch.rand(1, 3, 6, 6)
    expected = (system.tail(system.upsample(system.head(image))) + 1) / 2
    torch.testing.assert_close(system(image), expected)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_skip_is_painted_on(scale):
    """A silent tail leaves the bilinear enlargement, whose cells have the means of their sources."""
    system = SRResNet(SRResNetConfig(num_blocks=1, channels=4, scale=scale, skip=True)).eval()
    nn.init.zeros_(system.tail.weight)
    nn.init.constant_(system.tail.bias, 0.25)
    slope = torch.linspace(0, 0.7, 8).expand(1, 3, 6, 8)
    found = system(slope) - 0.25
    assert found.shape == (1, 3, 6 * scale, 8 * scale)
    means = found.unflatten(3, (8, scale)).mean(4)[..., 1:-1]
    torch.testing.assert_close(means, slope.repeat_interleave(scale, 2)[..., 1:-1], atol=1e-6, rtol=0)


def test_turn_is_the_mean_squared_error_of_pictures_in_minus_1_to_1():
    system = SRResNet(SRResNetConfig(num_blocks=1, channels=4)).eval()
    batch = Pair(torch.rand(2, 3, 4, 4), torch.rand(2, 3, 16, 16))
    (turn,) = system.turns(batch, Progress())
    found, wanted = (2 * one - 1 for one in (system(batch.source), batch.target))
    torch.testing.assert_close(turn.total, ((found - wanted) ** 2).sum() / wanted.numel())


def test_enlarge_clips():
    system = SRResNet(SRResNetConfig(num_blocks=0, channels=4)).eval()
    nn.init.constant_(system.tail.bias, 100.0)
    assert system.enlarge(torch.rand(1, 3, 4, 4), 4).max() == 1
