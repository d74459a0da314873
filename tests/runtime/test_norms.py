import pytest
import torch
from torch import nn

from limner.runtime.norms import ChannelNorm


@pytest.mark.parametrize(("mean", "deviation", "within"), [(0, 1, 3e-6), (5, 1, 1e-5), (100, 0.1, 1e-3)])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_is_instance_norm_whatever_the_mean(mean, deviation, within, layout):
    x = (mean + deviation * torch.randn(2, 8, 200, 301)).contiguous(memory_format=layout)
    norm = nn.InstanceNorm2d(8, affine=True)
    nn.init.uniform_(norm.weight, 0.5, 2)
    nn.init.uniform_(norm.bias, -1, 1)
    with torch.inference_mode():
        expected = norm.double()(x.double())
        result = ChannelNorm(norm, None, torch.float32)(x)
    assert (result.double() - expected).abs().max() < within


@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_its_epsilon_is_that_of_the_norm(eps):
    """In pictures whose variance is no larger, where it decides."""
    x = 3e-3 * torch.randn(1, 4, 20, 30)
    norm = nn.InstanceNorm2d(4, eps=eps)
    expected = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), correction=0, keepdim=True) + eps).sqrt()
    torch.testing.assert_close(ChannelNorm(norm, None, torch.float32)(x), expected, rtol=1e-4, atol=1e-6)


def test_a_flat_picture_gives_no_nan():
    x = torch.full((1, 4, 50, 50), 0.7).to(torch.bfloat16)
    assert ChannelNorm(nn.InstanceNorm2d(4), nn.ReLU(), torch.bfloat16)(x).float().abs().max() < 0.1


def test_the_activation_leaves_the_input_alone():
    x = torch.randn(1, 4, 8, 8)
    kept = x.clone()
    ChannelNorm(nn.InstanceNorm2d(4), nn.ReLU(), torch.float32)(x)
    assert torch.equal(x, kept)
