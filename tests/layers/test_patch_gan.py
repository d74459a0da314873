import pytest
import torch
from torch import nn

from limner.layers.patch_gan import begin_small, patch_gan


def test_channels_double_up_to_eight_times_and_the_last_two_layers_keep_the_size():
    network = patch_gan(6, 4, 5, nn.BatchNorm2d, bias=False)
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert [one.out_channels for one in convolutions] == [4, 8, 16, 32, 32, 32, 1]
    assert [one.stride[0] for one in convolutions] == [2, 2, 2, 2, 2, 1, 1]
    assert [one.bias is not None for one in convolutions] == [True, *[False] * 5, True]


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch(layers: int, field: int):
    network = patch_gan(3, 2, layers, lambda channels: nn.Identity(), bias=True).double()
    image = torch.rand(1, 3, 2 * field, 2 * field, dtype=torch.float64, requires_grad=True)
    logits = network(image)
    middle = logits.shape[-1] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], image)
    rows = gradient[0].abs().sum((0, 2)).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == field


def test_networks_begin_small():
    convolution, norm = nn.Conv2d(64, 64, 3), nn.BatchNorm2d(4096)
    nn.Sequential(convolution, norm).apply(begin_small)
    assert convolution.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert convolution.bias.abs().max() == 0
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.1)
